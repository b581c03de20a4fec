/*
 * The figures of a cell's replica.
 */

#ifndef NGX_PAYMENTS_COUNT_REPLICA_H
#define NGX_PAYMENTS_COUNT_REPLICA_H

#include "shm/ngx_payments_count_cell.h"

#include "pay_arena.h"


/* Why the primary is asked although there is a replica. */
typedef enum {
    NGX_PAYMENTS_REPLICA_ASKED = 0,    /* the storefront wants a newer answer */
    NGX_PAYMENTS_REPLICA_AWAY,         /* no connection */
    NGX_PAYMENTS_REPLICA_BEHIND,       /* further than the limit, or nobody
                                          knows */
    NGX_PAYMENTS_REPLICA_FULL,         /* its queue */
    NGX_PAYMENTS_REPLICA_FAILED,       /* an error, or no answer in time */
    NGX_PAYMENTS_REPLICA_NOT_FOUND     /* it may not have it yet */
} ngx_payments_replica_why_e;

#define NGX_PAYMENTS_REPLICA_WHYS  6


/* The replica has answered a read. */
void ngx_payments_count_replica_answer(ngx_uint_t cell);
/* The primary is asked instead, or afterwards. */
void ngx_payments_count_replica_passed(ngx_uint_t cell,
    ngx_payments_replica_why_e why);
/* At the start of a worker: from now on it is looked for. */
void ngx_payments_count_replica_begins(ngx_uint_t cell);
/* It has all that had been committed then (ngx_current_msec). */
void ngx_payments_count_replica_as_of(ngx_uint_t cell, ngx_msec_t as_of);

/* Appends their families, without a sample where the cell has no replica. */
void ngx_payments_replica_write(pay_buf_t *buf, ngx_uint_t cell,
    const ngx_payments_cell_stat_t *stat);


#endif /* NGX_PAYMENTS_COUNT_REPLICA_H */

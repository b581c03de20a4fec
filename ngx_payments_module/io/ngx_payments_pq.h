/*
 * Between the connections (ngx_payments_pq.c) and what goes over them
 * (ngx_payments_pq_rows.c): both know libpq, nobody else includes this.
 */

#ifndef NGX_PAYMENTS_PQ_H
#define NGX_PAYMENTS_PQ_H

#include "io/ngx_payments_db.h"

#include <libpq-fe.h>

#include "pay_line.h"


/* ngx_payments_pq_said.c: what PostgreSQL or libpq said about a connection's
 * newest trouble, and when its log was told of the last loss of each host. */
#define NGX_PAYMENTS_PQ_HOSTS  8

typedef struct {
    char        message[PAY_LINE_SIZE];
    uint32_t    told[NGX_PAYMENTS_PQ_HOSTS];
    ngx_msec_t  told_at[NGX_PAYMENTS_PQ_HOSTS];
    ngx_uint_t  untold;
} ngx_payments_pq_said_t;

/* Keeps the message of `res`, else of the connection when there is none yet:
 * one bounded line without a password and without a value. */
void ngx_payments_pq_said(ngx_payments_pq_said_t *said, PGconn *pg,
    PGresult *res, const char *sqlstate);
/* 1 when the last loss of the host that was logged, less than a minute ago, was
 * this one. */
ngx_uint_t ngx_payments_pq_is_told(const ngx_payments_pq_said_t *said,
    ngx_uint_t host, const char *why);
/* 1: log the loss, and that *untold before it were not logged.  0: it was
 * logged a moment ago, and `again` says that it may be left out. */
ngx_uint_t ngx_payments_pq_tell(ngx_payments_pq_said_t *said,
    ngx_uint_t host, const char *why, ngx_uint_t again, ngx_uint_t *untold);
void ngx_payments_pq_warn_superuser(const PGconn *pg, ngx_log_t *log);
/* It is a standby, has become read-only, or is about to end. */
ngx_uint_t ngx_payments_pq_takes_no_writes(const char *sqlstate);


/* Queues the preparation of the operation's statement. */
ngx_int_t ngx_payments_pq_prepare(PGconn *pg, const pay_op_t *op);
/* Queues the batch's statement with its arrays; NGX_ERROR: no memory, or the
 * connection is gone. */
ngx_int_t ngx_payments_pq_put(PGconn *pg, ngx_payments_batch_t *batch);
/* statement_timeout and lock_timeout of the connection, in the same pipeline
 * and transaction as what it is for, until the next one: below the worker's
 * own deadline of a call, and those of a stage when that is not 0. */
ngx_int_t ngx_payments_pq_prepare_timeout(PGconn *pg);
ngx_int_t ngx_payments_pq_set_timeout(PGconn *pg, ngx_msec_t call,
    ngx_msec_t stage);
/* Hands each row to its call; what has none is told so. */
void ngx_payments_pq_deliver(ngx_payments_batch_t *batch, PGresult *rows);


#endif /* NGX_PAYMENTS_PQ_H */

/*
 * The work under way in all workers of this host.
 */

#ifndef NGX_PAYMENTS_BULKHEAD_H
#define NGX_PAYMENTS_BULKHEAD_H

#include "util/ngx_payments_conf_types.h"


/* A place is held until it is left; leaving one that is not held does
 * nothing. */
typedef struct {
    ngx_uint_t            held;
    ngx_payments_work_e   work;
    ngx_uint_t            cell;                  /* its index */
    ngx_uint_t            merchant;              /* its tally */
} ngx_payments_place_t;

/* At the start of a worker: takes a block of counters.  Without one the worker
 * counts nothing and refuses nothing, which is NGX_OK; NGX_ERROR: no memory. */
ngx_int_t ngx_payments_bulkhead_init(ngx_cycle_t *cycle);
/* At its end, with all places that flows still hold. */
void ngx_payments_bulkhead_stop(void);
/* NGX_OK: *place is held; NGX_BUSY: there is none, counted.  `merchant`: of
 * the configuration, or NULL.  Each cell has the caps for itself. */
ngx_int_t ngx_payments_bulkhead_enter(ngx_payments_place_t *place,
    ngx_uint_t cell, ngx_payments_work_e work,
    const pay_merchant_t *merchant);
/* A held place is left for one in another cell, where its flow goes on.
 * NGX_BUSY: the other cell has no place, and the flow holds none any more. */
ngx_int_t ngx_payments_bulkhead_follow(ngx_payments_place_t *place,
    ngx_uint_t cell, const pay_merchant_t *merchant);
void ngx_payments_bulkhead_leave(ngx_payments_place_t *place);
/* When to come again after NGX_BUSY. */
int64_t ngx_payments_bulkhead_retry_s(const ngx_payments_place_t *place);
/* 1 when requests of the cell are near their cap, so that its jobs should
 * wait. */
ngx_uint_t ngx_payments_bulkhead_is_pressed(ngx_uint_t cell);
ngx_uint_t ngx_payments_bulkhead_total(ngx_uint_t cell,
    ngx_payments_work_e work);


#endif /* NGX_PAYMENTS_BULKHEAD_H */

/*
 * Deliveries of messages to the endpoints of storefronts.
 */

#ifndef NGX_PAYMENTS_DELIVERIES_H
#define NGX_PAYMENTS_DELIVERIES_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* `owner` lives as long as the worker.  NGX_ERROR: no memory. */
ngx_int_t ngx_payments_deliveries_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner);
/* There may be some now: they are asked for at once. */
void ngx_payments_deliveries_soon(ngx_uint_t cell);


#endif /* NGX_PAYMENTS_DELIVERIES_H */

/*
 * Endpoints that stand in nginx.conf, by the clock.
 */

#ifndef NGX_PAYMENTS_DECLARE_H
#define NGX_PAYMENTS_DECLARE_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* `owner` lives as long as the worker.  NGX_ERROR: no memory. */
ngx_int_t ngx_payments_declare_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner);


#endif /* NGX_PAYMENTS_DECLARE_H */

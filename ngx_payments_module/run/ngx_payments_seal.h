/*
 * The sealer of the event log, by the clock.
 */

#ifndef NGX_PAYMENTS_SEAL_H
#define NGX_PAYMENTS_SEAL_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* `owner` lives as long as the worker. */
ngx_int_t ngx_payments_seal_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner);


#endif /* NGX_PAYMENTS_SEAL_H */

/*
 * Questions to providers of sanctions screening, where payments_jobs is on.
 */

#ifndef NGX_PAYMENTS_SCREENINGS_H
#define NGX_PAYMENTS_SCREENINGS_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* Begins the rounds of this worker; `owner` lives as long as it does. */
ngx_int_t ngx_payments_screenings_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner);
/* Logs the policies whose provider no block of this host asks, once for each
 * set of them.  The figures are those of pay_api.watch_payouts; others than
 * JSON are passed over. */
void ngx_payments_screenings_watch(ngx_uint_t cell, pay_str_t figures);


#endif /* NGX_PAYMENTS_SCREENINGS_H */

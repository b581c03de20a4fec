/*
 * Counters of the sources of rates, and their part of /metrics.
 */

#ifndef NGX_PAYMENTS_COUNT_RATES_H
#define NGX_PAYMENTS_COUNT_RATES_H

#include "shm/ngx_payments_count_cell.h"

#include "pay_op.h"


/* How old the rates of a source are (NULL: it has none), and that it has given
 * none this time. */
void ngx_payments_count_rates_age(ngx_uint_t cell, pay_str_t source,
    pay_int_t age_ms);
void ngx_payments_count_rates_failed(ngx_uint_t cell, pay_str_t source);
void ngx_payments_rates_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat);


#endif /* NGX_PAYMENTS_COUNT_RATES_H */

/*
 * The figures of pay-outs.
 */

#ifndef NGX_PAYMENTS_COUNT_PAYOUTS_H
#define NGX_PAYMENTS_COUNT_PAYOUTS_H

#include "shm/ngx_payments_labels.h"
#include "shm/ngx_payments_count_cell.h"

#include "pay_str.h"


/* The figures of a round on any host; the text is SQL's
 * (pay_api.watch_payouts). */
void ngx_payments_count_payouts_round(ngx_uint_t cell, pay_str_t json);

/* Appends their families; nothing when the figures are old. */
void ngx_payments_payouts_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat);


#endif /* NGX_PAYMENTS_COUNT_PAYOUTS_H */

/*
 * Counters of the decisions of risk.
 */

#ifndef NGX_PAYMENTS_COUNT_RISK_H
#define NGX_PAYMENTS_COUNT_RISK_H

#include "shm/ngx_payments_count_cell.h"

#include "pay_arena.h"


/* A new checkout was decided so; the word is one of pay_risk_action_name(). */
void ngx_payments_count_risk(const char *decision);
/* The part of /metrics, where payments_risk is not off. */
void ngx_payments_risk_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters);
/* The same of the reviews of a cell, while its figures are fresh. */
void ngx_payments_reviews_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat);


#endif /* NGX_PAYMENTS_COUNT_RISK_H */

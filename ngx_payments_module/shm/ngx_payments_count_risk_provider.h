/*
 * Counters of external providers of risk.
 */

#ifndef NGX_PAYMENTS_COUNT_RISK_PROVIDER_H
#define NGX_PAYMENTS_COUNT_RISK_PROVIDER_H

#include "shm/ngx_payments_shm.h"

#include "pay_arena.h"


/* A question has ended: with a word of pay_risk_action_name(), or without, and
 * then `said` is why.  ms: 0 when nothing was sent. */
void ngx_payments_count_risk_provider(pay_str_t provider, const char *said,
    int64_t ms);
/* The part of /metrics, with the circuits of the providers, where payments_risk
 * is not off. */
void ngx_payments_risk_providers_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters);


#endif /* NGX_PAYMENTS_COUNT_RISK_PROVIDER_H */

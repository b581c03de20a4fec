/*
 * Calls to pay-out providers, where payments_jobs is on.  Each worker asks
 * PostgreSQL for the next call to a provider; of all workers of all nodes one
 * gets it.  Behind a call it asks at once, behind none when the interval is
 * over.  A worker makes one call to a provider at a time.
 */

#include "run/ngx_payments_payouts.h"
#include "run/ngx_payments_round.h"
#include "util/ngx_payments_process.h"


#define SOON_MS  1


static ngx_uint_t payout_is_in(const void *subject, ngx_uint_t cell);
static pay_status_t payout_prepare(const ngx_payments_round_t *round,
    pay_flow_t *flow);
static ngx_msec_t payout_pause(const ngx_payments_round_t *round);
static ngx_uint_t payout_ended(ngx_payments_round_t *round,
    const char *outcome);


static const ngx_payments_round_kind_t  payout_round = {
    payout_is_in, payout_prepare, payout_pause, NULL, payout_ended, SOON_MS
};


ngx_int_t
ngx_payments_payouts_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner)
{
    return ngx_payments_round_start_all(cycle, &payout_round,
                                        &ngx_payments_main_conf()->payouts,
                                        cell, owner);
}


/* Items of a merchant that moves end where they are. */
static ngx_uint_t
payout_is_in(const void *subject, ngx_uint_t cell)
{
    const ngx_payments_payout_t  *payout = subject;

    return payout->client.psp.cell == cell || payout->client.from == cell;
}


static pay_status_t
payout_prepare(const ngx_payments_round_t *round, pay_flow_t *flow)
{
    const ngx_payments_payout_t  *payout = round->subject;

    return pay_flow_payout(flow,
                           &round->pmcf->env.payouts[payout->provider.index],
                           round->owner);
}


static ngx_msec_t
payout_pause(const ngx_payments_round_t *round)
{
    const ngx_payments_payout_t  *payout = round->subject;

    return payout->interval_ms;
}


/* A failure is logged once for each reason, until something goes well. */
static ngx_uint_t
payout_ended(ngx_payments_round_t *round, const char *outcome)
{
    ngx_uint_t                    called;
    const ngx_payments_payout_t  *payout = round->subject;

    called = ngx_strcmp(outcome, "called") == 0;

    if (called || ngx_strcmp(outcome, "none") == 0) {
        ngx_payments_round_news(round, NULL);

    } else if (ngx_payments_round_news(round, outcome)) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "payments: a call to a pay-out provider was not made or "
                      "not stored, provider:%V, why:%s",
                      &ngx_payments_nstr(payout->provider.name), outcome);
    }

    return called;
}

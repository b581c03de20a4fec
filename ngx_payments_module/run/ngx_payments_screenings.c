/*
 * Questions to providers of sanctions screening, where payments_jobs is on.
 * Each worker asks PostgreSQL for the next account whose holder a provider is
 * asked about; of all workers of all nodes one gets it.  Behind an answer it
 * asks at once, behind none when the interval is over.
 */

#include "run/ngx_payments_screenings.h"
#include "run/ngx_payments_round.h"
#include "util/ngx_payments_process.h"


#define SOON_MS  1


static pay_status_t screening_prepare(const ngx_payments_round_t *round,
    pay_flow_t *flow);
static ngx_msec_t screening_pause(const ngx_payments_round_t *round);
static ngx_uint_t screening_ended(ngx_payments_round_t *round,
    const char *outcome);


static const ngx_payments_round_kind_t  screening_round = {
    screening_prepare, screening_pause, NULL, screening_ended, SOON_MS
};


ngx_int_t
ngx_payments_screenings_start(ngx_cycle_t *cycle, pay_str_t owner)
{
    return ngx_payments_round_start_all(cycle, &screening_round,
                                        &ngx_payments_main_conf()->screenings,
                                        owner);
}


static pay_status_t
screening_prepare(const ngx_payments_round_t *round, pay_flow_t *flow)
{
    const ngx_payments_screening_t  *screening = round->subject;

    return pay_flow_screening(flow, &screening->provider);
}


static ngx_msec_t
screening_pause(const ngx_payments_round_t *round)
{
    const ngx_payments_screening_t  *screening = round->subject;

    return screening->interval_ms;
}


/* A failure is logged once for each reason, until something goes well; a
 * provider that fails is not asked in a hurry about the next account. */
static ngx_uint_t
screening_ended(ngx_payments_round_t *round, const char *outcome)
{
    ngx_uint_t                       called;
    const ngx_payments_screening_t  *screening = round->subject;

    called = ngx_strcmp(outcome, "called") == 0;

    if (called) {
        ngx_payments_round_news(round, NULL);

    } else if (ngx_strcmp(outcome, "none") != 0
               && ngx_payments_round_news(round, outcome))
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "payments: a screening provider has given no answer, and "
                      "pay-outs stay held, provider:%V, why:%s",
                      &ngx_payments_nstr(screening->provider.name), outcome);
    }

    return called;
}

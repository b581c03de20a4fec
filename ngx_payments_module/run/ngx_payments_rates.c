/*
 * Sources of rates, where payments_jobs is on: each worker asks PostgreSQL
 * whether one is due, of all workers of all nodes one then reads it.
 */

#include "run/ngx_payments_rates.h"
#include "run/ngx_payments_round.h"
#include "util/ngx_payments_process.h"


#define ASK_SHARE   4                  /* of the interval, between questions */
#define ASK_MIN_MS  200
#define ASK_MAX_MS  5000


static pay_status_t rates_prepare(const ngx_payments_round_t *round,
    pay_flow_t *flow);
static ngx_msec_t rates_pause(const ngx_payments_round_t *round);


static const ngx_payments_round_kind_t  rates_round = {
    NULL, rates_prepare, rates_pause, NULL, NULL, 0
};


/* The first question comes at once and not after an interval: without rates no
 * order with a credit_currency can be taken. */
ngx_int_t
ngx_payments_rates_start(ngx_cycle_t *cycle, ngx_uint_t cell, pay_str_t owner)
{
    size_t                          i;
    const pay_env_t                *env;
    ngx_payments_round_t           *rounds;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();

    env = &pmcf->env;

    rounds = ngx_pcalloc(cycle->pool, (env->rate_count + 1)
                                      * sizeof(ngx_payments_round_t));
    if (rounds == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < env->rate_count; i++) {
        rounds[i].kind = &rates_round;
        rounds[i].pmcf = pmcf;
        rounds[i].subject = &env->rates[i];
        rounds[i].owner = owner;
        rounds[i].cell = cell;
        ngx_payments_round_start(&rounds[i], cycle->log,
                                 ngx_random() % ASK_MIN_MS);
    }

    return NGX_OK;
}


static pay_status_t
rates_prepare(const ngx_payments_round_t *round, pay_flow_t *flow)
{
    return pay_flow_rates(flow, round->subject, round->owner);
}


static ngx_msec_t
rates_pause(const ngx_payments_round_t *round)
{
    ngx_msec_t                pause;
    const pay_rate_source_t  *source = round->subject;

    pause = (ngx_msec_t) source->interval_ms / ASK_SHARE;

    return ngx_max(ngx_min(pause, ASK_MAX_MS), ASK_MIN_MS);
}

/*
 * Calls to pay-out providers, where payments_jobs is on.  Each worker asks
 * PostgreSQL for the next call to a provider; of all workers of all nodes one
 * gets it.  Behind a call it asks at once, behind none when the interval is
 * over.  A worker makes one call to a provider at a time.
 */

#include "run/ngx_payments_payouts.h"
#include "run/ngx_payments_flow.h"
#include "util/ngx_payments_process.h"


#define SOON_MS  1


typedef struct {
    ngx_event_t                   timer;
    const ngx_payments_payout_t  *payout;
    ngx_payments_flow_t          *flow;      /* NULL: none is under way */
    const char                   *told;      /* the last complaint */
} round_t;

typedef struct {
    ngx_http_payments_main_conf_t  *pmcf;
    pay_str_t                       owner;
    round_t                        *rounds;
} payouts_t;


static void round_handler(ngx_event_t *ev);
static void round_begin(round_t *round);
static void round_ended(void *data);
static void round_soon(round_t *round);
static void round_complain(round_t *round, const char *outcome);
static ngx_msec_t pause_of(const round_t *round);


static payouts_t  all;


ngx_int_t
ngx_payments_payouts_start(ngx_cycle_t *cycle, pay_str_t owner)
{
    ngx_uint_t               i;
    round_t                 *round;
    ngx_payments_payout_t  **payouts;

    all.pmcf = ngx_payments_main_conf();
    all.owner = owner;
    payouts = all.pmcf->payouts.elts;

    all.rounds = ngx_pcalloc(cycle->pool, (all.pmcf->payouts.nelts + 1)
                                          * sizeof(round_t));
    if (all.rounds == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < all.pmcf->payouts.nelts; i++) {
        round = &all.rounds[i];
        round->payout = payouts[i];
        round->timer.handler = round_handler;
        round->timer.data = round;
        round->timer.log = cycle->log;
        round->timer.cancelable = 1;
        ngx_add_timer(&round->timer, ngx_random() % 1000);
    }

    return NGX_OK;
}


static void
round_handler(ngx_event_t *ev)
{
    round_t  *round = ev->data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (round->flow == NULL) {
        round_begin(round);
    }

    if (!ev->timer_set) {
        ngx_add_timer(ev, pause_of(round));
    }
}


static void
round_begin(round_t *round)
{
    ngx_payments_flow_t          *flow;
    const pay_payout_provider_t  *provider;

    flow = ngx_payments_flow_create(all.pmcf);
    if (flow == NULL) {
        return;
    }

    provider = &all.pmcf->env.payouts[round->payout->provider.index];

    if (pay_flow_payout(ngx_payments_flow_core(flow), provider, all.owner)
        != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return;
    }

    /* before it starts: it may end at once */
    round->flow = flow;

    if (ngx_payments_flow_start_alone(flow, round_ended, round) != NGX_OK) {
        round->flow = NULL;
    }
}


/* An outcome of NULL is that of a worker which ends. */
static void
round_ended(void *data)
{
    round_t     *round = data;
    const char  *outcome = ngx_payments_flow_core(round->flow)->outcome;

    round->flow = NULL;

    if (outcome == NULL) {
        return;
    }

    if (ngx_strcmp(outcome, "called") == 0) {
        round->told = NULL;
        round_soon(round);

    } else if (ngx_strcmp(outcome, "none") == 0) {
        round->told = NULL;

    } else {
        round_complain(round, outcome);
    }
}


static void
round_soon(round_t *round)
{
    if (round->timer.timer_set) {
        ngx_del_timer(&round->timer);
    }

    ngx_add_timer(&round->timer, SOON_MS);
}


/* Logged once for each reason, until something goes well. */
static void
round_complain(round_t *round, const char *outcome)
{
    pay_str_t  name = round->payout->provider.name;

    if (round->told != NULL && ngx_strcmp(round->told, outcome) == 0) {
        return;
    }

    round->told = outcome;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "payments: a call to a pay-out provider was not made or not "
                  "stored, provider:%V, why:%s", &ngx_payments_nstr(name),
                  outcome);
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
pause_of(const round_t *round)
{
    ngx_msec_t  pause = round->payout->interval_ms;

    return pause + ngx_random() % (pause / 4 + 1);
}

/*
 * Sources of rates, where payments_jobs is on: each worker asks PostgreSQL
 * whether one is due, of all workers of all nodes one then reads it.
 */

#include "run/ngx_payments_rates.h"
#include "run/ngx_payments_flow.h"
#include "util/ngx_payments_process.h"


#define ASK_SHARE   4                  /* of the interval, between questions */
#define ASK_MIN_MS  200
#define ASK_MAX_MS  5000


/* A source and the worker's timer for it. */
typedef struct {
    ngx_event_t                     timer;
    const pay_rate_source_t        *source;
    ngx_uint_t                      busy;
} round_t;

/* `rounds` are by the index of the source. */
typedef struct {
    ngx_http_payments_main_conf_t  *pmcf;
    pay_str_t                       owner;
    round_t                        *rounds;
} rates_t;


static void round_handler(ngx_event_t *ev);
static void round_begin(round_t *round);
static void round_ended(void *data);
static ngx_msec_t pause_of(const pay_rate_source_t *source);


static rates_t  all;


/* The first question comes at once and not after an interval: without rates no
 * order with a credit_currency can be taken. */
ngx_int_t
ngx_payments_rates_start(ngx_cycle_t *cycle, pay_str_t owner)
{
    size_t            i;
    round_t          *round;
    const pay_env_t  *env;

    all.pmcf = ngx_payments_main_conf();
    all.owner = owner;
    env = &all.pmcf->env;

    all.rounds = ngx_pcalloc(cycle->pool,
                             (env->rate_count + 1) * sizeof(round_t));
    if (all.rounds == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < env->rate_count; i++) {
        round = &all.rounds[i];
        round->source = &env->rates[i];
        round->timer.handler = round_handler;
        round->timer.data = round;
        round->timer.log = cycle->log;
        round->timer.cancelable = 1;
        ngx_add_timer(&round->timer, ngx_random() % ASK_MIN_MS);
    }

    return NGX_OK;
}


/* As backfill_handler(): the next question does not depend on this one. */
static void
round_handler(ngx_event_t *ev)
{
    round_t  *round = ev->data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!round->busy) {
        round_begin(round);
    }

    ngx_add_timer(ev, pause_of(round->source));
}


/* PostgreSQL decides in the first step which worker of which node reads the
 * source this time. */
static void
round_begin(round_t *round)
{
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(all.pmcf);
    if (flow == NULL) {
        return;
    }

    if (pay_flow_rates(ngx_payments_flow_core(flow), round->source,
                       all.owner) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return;
    }

    /* before it starts: it may end at once */
    round->busy = 1;

    if (ngx_payments_flow_start_alone(flow, round_ended, round) != NGX_OK) {
        round->busy = 0;
    }
}


static void
round_ended(void *data)
{
    round_t  *round = data;

    round->busy = 0;
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
pause_of(const pay_rate_source_t *source)
{
    ngx_msec_t  pause = (ngx_msec_t) source->interval_ms / ASK_SHARE;

    pause = ngx_max(ngx_min(pause, ASK_MAX_MS), ASK_MIN_MS);

    return pause + ngx_random() % (pause / 4 + 1);
}

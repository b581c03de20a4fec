/*
 * The periodic work of workers where payments_jobs is on: the sweep, whose
 * counts are gauges for operators, the comparison of PSPs' lists of events with
 * the inbox, and bodies of webhooks that an operator wants read again.
 * PostgreSQL says whether a round is due; one of all workers of all nodes then
 * does it.
 */

#include "run/ngx_payments_rounds.h"
#include "io/ngx_payments_db.h"
#include "run/ngx_payments_books.h"
#include "run/ngx_payments_close.h"
#include "run/ngx_payments_flow.h"
#include "run/ngx_payments_payouts.h"
#include "run/ngx_payments_rates.h"
#include "run/ngx_payments_reconcile.h"
#include "run/ngx_payments_seal.h"
#include "run/ngx_payments_settlement.h"
#include "shm/ngx_payments_count.h"
#include "util/ngx_payments_process.h"


#define LIMITS_MAX        160
#define BACKFILL_SHARE    4            /* of its interval, between questions */
#define BACKFILL_MAX_MS   5000
#define BACKFILL_MIN_MS   100
#define REPLAY_SHARE      5            /* of jobs, between questions */
#define REPLAY_MAX_MS     30000


/* The comparison with one PSP's list of events; one round at a time in a
 * worker. */
typedef struct {
    ngx_event_t            timer;
    const pay_psp_conf_t  *psp;
    ngx_uint_t             busy;
} backfill_t;

/* - limits: the ages of payments_watchdog as JSON, which SQL reads.
 * - busy: the sweep's call is under way; the same memory cannot be queued
 *   twice.
 * - backfills: by the index of the PSP; those without a list have a zeroed
 *   one. */
typedef struct {
    ngx_http_payments_main_conf_t  *pmcf;
    pay_str_t                       owner;
    ngx_event_t                     timer;       /* of the sweep */
    ngx_payments_call_t             call;
    pay_sweep_in_t                  args;
    u_char                          limits[LIMITS_MAX];
    ngx_uint_t                      busy;
    backfill_t                     *backfills;
    ngx_event_t                     replay;
    ngx_uint_t                      replay_busy;
} rounds_t;


static void sweep_start(ngx_cycle_t *cycle);
static void sweep_handler(ngx_event_t *ev);
static void sweep_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static ngx_int_t backfills_start(ngx_cycle_t *cycle);
static void backfill_handler(ngx_event_t *ev);
static void backfill_begin(backfill_t *backfill);
static void backfill_ended(void *data);
static ngx_msec_t backfill_pause(const pay_psp_conf_t *psp);
static void replay_start(ngx_cycle_t *cycle);
static void replay_handler(ngx_event_t *ev);
static void replay_begin(void);
static void replay_ended(void *data);
static ngx_msec_t replay_pause(void);
static ngx_uint_t is_stopping(void);
static ngx_msec_t spread(ngx_msec_t interval);


static rounds_t  rounds;


/* The sweep, the replay, the books and the round of settlement need no memory;
 * lists and rates do, and may fail. */
ngx_int_t
ngx_payments_rounds_start(ngx_cycle_t *cycle, pay_str_t owner)
{
    ngx_memzero(&rounds, sizeof(rounds_t));

    rounds.pmcf = ngx_payments_main_conf();
    rounds.owner = owner;

    sweep_start(cycle);
    replay_start(cycle);
    ngx_payments_books_start(cycle, owner);
    ngx_payments_reconcile_start(cycle, owner);
    ngx_payments_seal_start(cycle, owner);
    ngx_payments_close_start(cycle, owner);

    if (backfills_start(cycle) != NGX_OK
        || ngx_payments_settlement_start(cycle, owner) != NGX_OK
        || ngx_payments_payouts_start(cycle, owner) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_payments_rates_start(cycle, owner);
}


/* The arguments never change, so they are made once. */
static void
sweep_start(ngx_cycle_t *cycle)
{
    pay_str_t                   limits;
    ngx_payments_watch_conf_t  *watch = &rounds.pmcf->watch;

    limits.data = rounds.limits;
    limits.len = ngx_snprintf(rounds.limits, LIMITS_MAX,
                              "{\"registering_s\":%T,\"executing_s\":%T,"
                              "\"unknown_s\":%T,\"parked_s\":%T}",
                              watch->registering_s, watch->executing_s,
                              watch->unknown_s, watch->parked_s)
                 - rounds.limits;

    rounds.args.owner = rounds.owner;
    rounds.args.interval_ms = (int64_t) watch->interval_ms;
    rounds.args.limits = limits;

    rounds.call.op = PAY_OP_SWEEP;
    rounds.call.args = &rounds.args;
    rounds.call.done = sweep_done;

    ngx_payments_timer_init(&rounds.timer, sweep_handler, cycle->log);
    rounds.timer.cancelable = 1;
    ngx_add_timer(&rounds.timer, spread(watch->interval_ms));
}


/* A question that the queue refuses is left to the next tick: gauges may be a
 * round old. */
static void
sweep_handler(ngx_event_t *ev)
{
    if (is_stopping()) {
        return;
    }

    if (!rounds.busy) {
        rounds.busy = ngx_payments_db_call(&rounds.call) == NGX_OK;
    }

    ngx_add_timer(ev, spread(rounds.pmcf->watch.interval_ms));
}


/* All workers ask, one has counted; each host's zone gets the figures all the
 * same, so that /metrics of any of them shows them. */
static void
sweep_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    const pay_counts_row_t  *row;

    (void) call;
    (void) failure;

    rounds.busy = 0;
    row = (result != NULL) ? pay_row_counts(result) : NULL;

    /* a worker that comes too early gets the counts of the last round */
    if (row != NULL) {
        ngx_payments_count_sweep(row->counts);
    }
}


/* One more than there are PSPs, as an allocation of 0 bytes would look like a
 * failure. */
static ngx_int_t
backfills_start(ngx_cycle_t *cycle)
{
    size_t            i;
    backfill_t       *backfill;
    const pay_env_t  *env = &rounds.pmcf->env;

    rounds.backfills = ngx_pcalloc(cycle->pool, (env->psp_count + 1)
                                                * sizeof(backfill_t));
    if (rounds.backfills == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < env->psp_count; i++) {
        if (env->psps[i].backfill_ms == 0
            || env->psps[i].adapter->list_request == NULL)
        {
            continue;
        }

        backfill = &rounds.backfills[i];
        backfill->psp = &env->psps[i];
        backfill->timer.handler = backfill_handler;
        backfill->timer.data = backfill;
        backfill->timer.log = cycle->log;
        backfill->timer.cancelable = 1;
        ngx_add_timer(&backfill->timer, backfill_pause(backfill->psp));
    }

    return NGX_OK;
}


/* The timer is set again whatever happens: a failure today says nothing about
 * the next round. */
static void
backfill_handler(ngx_event_t *ev)
{
    backfill_t  *backfill = ev->data;

    if (is_stopping()) {
        return;
    }

    if (!backfill->busy) {
        backfill_begin(backfill);
    }

    ngx_add_timer(ev, backfill_pause(backfill->psp));
}


/* PostgreSQL, asked by the flow's first step, says whether this PSP's list is
 * due and hands out the part of time to compare. */
static void
backfill_begin(backfill_t *backfill)
{
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(rounds.pmcf);
    if (flow == NULL) {
        return;
    }

    if (pay_flow_backfill(ngx_payments_flow_core(flow), backfill->psp,
                          rounds.owner) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return;
    }

    /* before it starts: it may end at once */
    backfill->busy = 1;

    if (ngx_payments_flow_start_alone(flow, backfill_ended, backfill)
        != NGX_OK)
    {
        backfill->busy = 0;
    }
}


static void
backfill_ended(void *data)
{
    backfill_t  *backfill = data;

    backfill->busy = 0;
}


/* Shorter than the interval: where much is missing PostgreSQL says at once
 * that the next part is due. */
static ngx_msec_t
backfill_pause(const pay_psp_conf_t *psp)
{
    ngx_msec_t  pause = (ngx_msec_t) psp->backfill_ms / BACKFILL_SHARE;

    return spread(ngx_max(ngx_min(pause, BACKFILL_MAX_MS), BACKFILL_MIN_MS));
}


/* The replay reads bodies of webhooks again that an operator names (payctl
 * webhook replay). */
static void
replay_start(ngx_cycle_t *cycle)
{
    ngx_payments_timer_init(&rounds.replay, replay_handler, cycle->log);
    rounds.replay.cancelable = 1;
    ngx_add_timer(&rounds.replay, replay_pause());
}


static void
replay_handler(ngx_event_t *ev)
{
    if (is_stopping()) {
        return;
    }

    if (!rounds.replay_busy) {
        replay_begin();
    }

    ngx_add_timer(ev, replay_pause());
}


/* As backfill_begin(): whether there is a body to read is for PostgreSQL to
 * say. */
static void
replay_begin(void)
{
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(rounds.pmcf);
    if (flow == NULL) {
        return;
    }

    if (pay_flow_replay(ngx_payments_flow_core(flow), rounds.owner)
        != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return;
    }

    /* before it starts: it may end at once */
    rounds.replay_busy = 1;

    if (ngx_payments_flow_start_alone(flow, replay_ended, NULL) != NGX_OK) {
        rounds.replay_busy = 0;
    }
}


static void
replay_ended(void *data)
{
    (void) data;

    rounds.replay_busy = 0;
}


static ngx_msec_t
replay_pause(void)
{
    return spread(ngx_min(REPLAY_SHARE * rounds.pmcf->jobs_interval,
                          REPLAY_MAX_MS));
}


static ngx_uint_t
is_stopping(void)
{
    return ngx_exiting || ngx_quit || ngx_terminate;
}


/* so that workers do not ask in step */
static ngx_msec_t
spread(ngx_msec_t interval)
{
    return interval + ngx_random() % (interval / 4 + 1);
}

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
#include "run/ngx_payments_declare.h"
#include "run/ngx_payments_deliveries.h"
#include "run/ngx_payments_payouts.h"
#include "run/ngx_payments_publish.h"
#include "run/ngx_payments_rates.h"
#include "run/ngx_payments_reconcile.h"
#include "run/ngx_payments_rollups.h"
#include "run/ngx_payments_round.h"
#include "run/ngx_payments_schedule.h"
#include "run/ngx_payments_screenings.h"
#include "run/ngx_payments_seal.h"
#include "run/ngx_payments_settlement.h"
#include "shm/ngx_payments_count.h"
#include "util/ngx_payments_process.h"


#define LIMITS_MAX        320
#define BACKFILL_SHARE    4            /* of its interval, between questions */
#define BACKFILL_MAX_MS   5000
#define BACKFILL_MIN_MS   100
#define REPLAY_SHARE      5            /* of jobs, between questions */
#define REPLAY_MAX_MS     30000


/* - limits: the ages of payments_watchdog as JSON, which SQL reads.
 * - busy: the sweep's call is under way; the same memory cannot be queued
 *   twice.
 * - backfills: the comparisons with lists of events, of those PSPs of the cell
 *   that have one.
 * - replay: reads bodies of webhooks again that an operator names (payctl
 *   webhook replay). */
typedef struct {
    ngx_http_payments_main_conf_t  *pmcf;
    ngx_uint_t                      cell;
    pay_str_t                       owner;
    ngx_event_t                     timer;       /* of the sweep */
    ngx_payments_call_t             call;
    pay_sweep_in_t                  args;
    u_char                          limits[LIMITS_MAX];
    ngx_uint_t                      busy;
    ngx_payments_round_t           *backfills;
    ngx_payments_round_t            replay;
} rounds_t;

typedef ngx_int_t (*start_pt)(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner);


static void sweep_start(rounds_t *rounds, ngx_cycle_t *cycle);
static void sweep_handler(ngx_event_t *ev);
static void sweep_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static ngx_int_t backfills_start(rounds_t *rounds, ngx_cycle_t *cycle);
static ngx_uint_t is_compared(const rounds_t *rounds,
    const pay_psp_conf_t *psp);
static void start(rounds_t *rounds, ngx_payments_round_t *round,
    const ngx_payments_round_kind_t *kind, const void *subject,
    ngx_log_t *log);
static pay_status_t backfill_prepare(const ngx_payments_round_t *round,
    pay_flow_t *flow);
static ngx_msec_t backfill_pause(const ngx_payments_round_t *round);
static pay_status_t replay_prepare(const ngx_payments_round_t *round,
    pay_flow_t *flow);
static ngx_msec_t replay_pause(const ngx_payments_round_t *round);
static ngx_msec_t spread(ngx_msec_t interval);


static const ngx_payments_round_kind_t  backfill_round = {
    NULL, backfill_prepare, backfill_pause, NULL, NULL, 0
};

static const ngx_payments_round_kind_t  replay_round = {
    NULL, replay_prepare, replay_pause, NULL, NULL, 0
};

/* Each may fail for want of memory alone. */
static const start_pt  starts[] = {
    ngx_payments_books_start, ngx_payments_reconcile_start,
    ngx_payments_schedule_start, ngx_payments_publish_start,
    ngx_payments_rollups_start, ngx_payments_seal_start,
    ngx_payments_close_start, ngx_payments_settlement_start,
    ngx_payments_payouts_start, ngx_payments_screenings_start,
    ngx_payments_deliveries_start, ngx_payments_declare_start,
    ngx_payments_rates_start
};


ngx_int_t
ngx_payments_rounds_start(ngx_cycle_t *cycle, ngx_uint_t cell, pay_str_t owner)
{
    rounds_t    *rounds;
    ngx_uint_t   i;

    rounds = ngx_pcalloc(cycle->pool, sizeof(rounds_t));
    if (rounds == NULL) {
        return NGX_ERROR;
    }

    rounds->pmcf = ngx_payments_main_conf();
    rounds->cell = cell;
    rounds->owner = owner;

    sweep_start(rounds, cycle);
    start(rounds, &rounds->replay, &replay_round, NULL, cycle->log);

    for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (starts[i](cycle, cell, owner) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return backfills_start(rounds, cycle);
}


/* The arguments never change, so they are made once. */
static void
sweep_start(rounds_t *rounds, ngx_cycle_t *cycle)
{
    u_char                     *last;
    pay_str_t                   limits;
    ngx_payments_risk_conf_t   *risk = &rounds->pmcf->risk;
    ngx_payments_watch_conf_t  *watch = &rounds->pmcf->watch;

    last = ngx_snprintf(rounds->limits, LIMITS_MAX,
                        "{\"registering_s\":%T,\"executing_s\":%T,"
                        "\"unknown_s\":%T,\"parked_s\":%T",
                        watch->registering_s, watch->executing_s,
                        watch->unknown_s, watch->parked_s);

    if (risk->testing_share != 0 && rounds->pmcf->env.risk != NULL) {
        last = ngx_slprintf(last, rounds->limits + LIMITS_MAX - 1,
                            ",\"card_testing\":{\"share\":%ui,\"min\":%ui,"
                            "\"window_s\":%T,\"for_s\":%T,\"word\":\"%s\","
                            "\"shadow\":%s}", risk->testing_share,
                            risk->testing_min, risk->testing_window_s,
                            risk->testing_for_s, pay_risk_action_name(
                                (pay_risk_action_t) risk->testing_then),
                            risk->core.is_shadow ? "true" : "false");
    }

    *last++ = '}';
    limits = (pay_str_t) { last - rounds->limits, rounds->limits };

    rounds->args.owner = rounds->owner;
    rounds->args.interval_ms = (int64_t) watch->interval_ms;
    rounds->args.limits = limits;

    rounds->call.op = PAY_OP_SWEEP;
    rounds->call.args = &rounds->args;
    rounds->call.done = sweep_done;
    rounds->call.cell = rounds->cell;
    rounds->call.data = rounds;

    ngx_payments_timer_init(&rounds->timer, sweep_handler, cycle->log);
    rounds->timer.cancelable = 1;
    ngx_add_timer(&rounds->timer, spread(watch->interval_ms));
}


/* A question that the queue refuses is left to the next tick: gauges may be a
 * round old. */
static void
sweep_handler(ngx_event_t *ev)
{
    rounds_t  *rounds = ngx_queue_data(ev, rounds_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!rounds->busy) {
        rounds->busy = ngx_payments_db_call(&rounds->call) == NGX_OK;
    }

    ngx_add_timer(ev, spread(rounds->pmcf->watch.interval_ms));
}


/* All workers ask, one has counted; each host's zone gets the figures all the
 * same, so that /metrics of any of them shows them. */
static void
sweep_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    rounds_t                *rounds = call->data;
    const pay_counts_row_t  *row;

    (void) failure;

    rounds->busy = 0;
    row = (result != NULL) ? pay_row_counts(result) : NULL;

    /* a worker that comes too early gets the counts of the last round */
    if (row != NULL) {
        ngx_payments_count_sweep(call->cell, row->counts);
    }
}


/* One more than there are, as an allocation of 0 bytes would look like a
 * failure. */
static ngx_int_t
backfills_start(rounds_t *rounds, ngx_cycle_t *cycle)
{
    size_t            i, n = 0;
    const pay_env_t  *env = &rounds->pmcf->env;

    for (i = 0; i < env->psp_count; i++) {
        n += is_compared(rounds, &env->psps[i]);
    }

    rounds->backfills = ngx_pcalloc(cycle->pool,
                                    (n + 1) * sizeof(ngx_payments_round_t));
    if (rounds->backfills == NULL) {
        return NGX_ERROR;
    }

    for (i = 0, n = 0; i < env->psp_count; i++) {
        if (is_compared(rounds, &env->psps[i])) {
            start(rounds, &rounds->backfills[n++], &backfill_round,
                  &env->psps[i], cycle->log);
        }
    }

    return NGX_OK;
}


static ngx_uint_t
is_compared(const rounds_t *rounds, const pay_psp_conf_t *psp)
{
    return psp->cell == rounds->cell && psp->backfill_ms != 0
           && psp->adapter->list_request != NULL;
}


static void
start(rounds_t *rounds, ngx_payments_round_t *round,
    const ngx_payments_round_kind_t *kind, const void *subject, ngx_log_t *log)
{
    round->kind = kind;
    round->pmcf = rounds->pmcf;
    round->subject = subject;
    round->owner = rounds->owner;
    round->cell = rounds->cell;
    ngx_payments_round_start(round, log, spread(kind->pause(round)));
}


static pay_status_t
backfill_prepare(const ngx_payments_round_t *round, pay_flow_t *flow)
{
    return pay_flow_backfill(flow, round->subject, round->owner);
}


/* Shorter than the interval: where much is missing PostgreSQL says at once
 * that the next part is due. */
static ngx_msec_t
backfill_pause(const ngx_payments_round_t *round)
{
    ngx_msec_t             pause;
    const pay_psp_conf_t  *psp = round->subject;

    pause = (ngx_msec_t) psp->backfill_ms / BACKFILL_SHARE;

    return ngx_max(ngx_min(pause, BACKFILL_MAX_MS), BACKFILL_MIN_MS);
}


static pay_status_t
replay_prepare(const ngx_payments_round_t *round, pay_flow_t *flow)
{
    return pay_flow_replay(flow, round->owner);
}


static ngx_msec_t
replay_pause(const ngx_payments_round_t *round)
{
    return ngx_min(REPLAY_SHARE * round->pmcf->jobs_interval, REPLAY_MAX_MS);
}


/* so that workers do not ask in step */
static ngx_msec_t
spread(ngx_msec_t interval)
{
    return interval + ngx_random() % (interval / 4 + 1);
}

/*
 * Pay-outs that schedules have due, where payments_jobs is on.  PostgreSQL
 * says whether a due time has come, and makes the items of so many wallets
 * (pay_api.make_due_payouts); of all workers of all nodes one makes a piece,
 * and any of them the next one.  A worker that dies leaves no piece half done.
 * By another clock it asks for the figures of pay-outs, which are gauges of
 * /metrics.  Nothing that is paid in waits for this.
 *
 *     pause ─▶ make_due_payouts ─▶ not due ─▶ pause
 *                     └▶ again: a piece is made ─▶ a short pause
 */

#include "run/ngx_payments_schedule.h"
#include "io/ngx_payments_db.h"
#include "run/ngx_payments_screenings.h"
#include "shm/ngx_payments_count_payouts.h"
#include "util/ngx_payments_process.h"


#define PIECE_WALLETS  25
#define PATIENCE_MS    1
#define SHARE          8


/* - make, watch: one call of each at a time, with arguments that never
 *   change.
 * - timer: of the next piece.  gauges: of the next figures.
 * - begun: when the piece that is under way was asked for. */
typedef struct {
    ngx_payments_call_t         make;
    pay_make_due_payouts_in_t   make_args;
    ngx_payments_call_t         watch;
    pay_watch_payouts_in_t      watch_args;
    ngx_event_t                 timer;
    ngx_event_t                 gauges;
    ngx_msec_t                  begun;
    ngx_uint_t                  making;
    ngx_uint_t                  watching;
} schedule_t;


static void schedule_handler(ngx_event_t *ev);
static void schedule_made(ngx_payments_call_t *call,
    const pay_result_t *result, pay_db_failure_t failure);
static void gauges_handler(ngx_event_t *ev);
static void gauges_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static ngx_msec_t schedule_pause(schedule_t *schedule);


ngx_int_t
ngx_payments_schedule_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner)
{
    schedule_t  *schedule;
    schedule = ngx_pcalloc(cycle->pool, sizeof(schedule_t));
    if (schedule == NULL) {
        return NGX_ERROR;
    }

    schedule->make_args.owner = owner;
    schedule->make_args.wallets = PIECE_WALLETS;
    schedule->make.op = PAY_OP_MAKE_DUE_PAYOUTS;
    schedule->make.args = &schedule->make_args;
    schedule->make.done = schedule_made;
    schedule->make.cell = cell;
    schedule->make.data = schedule;
    schedule->make.patience = PATIENCE_MS;

    schedule->watch_args.owner = owner;
    schedule->watch_args.interval_ms =
        (int64_t) ngx_payments_main_conf()->watch.interval_ms;
    schedule->watch.op = PAY_OP_WATCH_PAYOUTS;
    schedule->watch.args = &schedule->watch_args;
    schedule->watch.done = gauges_done;
    schedule->watch.cell = cell;
    schedule->watch.data = schedule;

    ngx_payments_timer_init(&schedule->timer, schedule_handler, cycle->log);
    schedule->timer.cancelable = 1;
    ngx_add_timer(&schedule->timer, schedule_pause(schedule));

    ngx_payments_timer_init(&schedule->gauges, gauges_handler, cycle->log);
    schedule->gauges.cancelable = 1;
    ngx_add_timer(&schedule->gauges, schedule_pause(schedule));

    return NGX_OK;
}


static void
schedule_handler(ngx_event_t *ev)
{
    schedule_t  *schedule = ngx_queue_data(ev, schedule_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!schedule->making) {
        schedule->begun = ngx_current_msec;
        schedule->making = ngx_payments_db_call(&schedule->make) == NGX_OK;
    }

    ngx_add_timer(ev, schedule_pause(schedule));
}


/* Behind a piece the next one is soon due, but not at once: payments and
 * webhooks that the piece has kept waiting come first. */
static void
schedule_made(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    schedule_t  *schedule = call->data;

    (void) failure;

    schedule->making = 0;

    if (result == NULL || result->outcome != PAY_OUTCOME_AGAIN
        || ngx_exiting || ngx_quit || ngx_terminate)
    {
        return;
    }

    ngx_add_timer(&schedule->timer,
                  (ngx_current_msec - schedule->begun) / SHARE + 1);
}


static void
gauges_handler(ngx_event_t *ev)
{
    schedule_t  *schedule = ngx_queue_data(ev, schedule_t, gauges);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!schedule->watching) {
        schedule->watching = ngx_payments_db_call(&schedule->watch) == NGX_OK;
    }

    ngx_add_timer(ev, schedule_pause(schedule));
}


/* All workers ask, one has counted: each host's zone gets the figures. */
static void
gauges_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    schedule_t              *schedule = call->data;
    const pay_counts_row_t  *row;

    (void) failure;

    schedule->watching = 0;
    row = (result != NULL) ? pay_row_counts(result) : NULL;

    if (row != NULL && row->counts.len != 0) {
        ngx_payments_count_payouts_round(call->cell, row->counts);
        ngx_payments_screenings_watch(call->cell, row->counts);
    }
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
schedule_pause(schedule_t *schedule)
{
    ngx_msec_t  interval = (ngx_msec_t) schedule->watch_args.interval_ms;

    return interval + ngx_random() % (interval / 4 + 1);
}

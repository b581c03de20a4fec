/*
 * Roll-ups for the console's plots, where payments_jobs is on: of all workers
 * of all nodes one counts the payments of minutes that have changed, piece by
 * piece (pay_api.roll_up).  No payment waits for it: it takes the last free
 * connection of its worker only when it has waited for long, and behind a piece
 * it rests for a multiple of the time that the piece has taken.
 *
 *     pause ─▶ roll_up ─▶ not due, checked ─▶ pause
 *                 └▶ again: more minutes are due ─▶ a rest
 */

#include "run/ngx_payments_rollups.h"
#include "io/ngx_payments_db.h"
#include "shm/ngx_payments_count_rollups.h"
#include "util/ngx_payments_process.h"


#define MOST     1000                  /* events, and payments, of a piece */
#define REST     9                     /* times the time of the piece */
#define REST_MS  50


/* One call at a time, with arguments that never change.  begun: when the piece
 * that is under way was asked for. */
typedef struct {
    ngx_payments_call_t   call;
    pay_roll_up_in_t      args;
    ngx_event_t           timer;
    ngx_msec_t            begun;
    ngx_uint_t            busy;
} rollups_t;


static void rollups_handler(ngx_event_t *ev);
static void rollups_done(ngx_payments_call_t *call,
    const pay_result_t *result, pay_db_failure_t failure);
static ngx_msec_t rollups_pause(rollups_t *rollups);


ngx_int_t
ngx_payments_rollups_start(ngx_cycle_t *cycle, ngx_uint_t cell, pay_str_t owner)
{
    rollups_t  *rollups;
    rollups = ngx_pcalloc(cycle->pool, sizeof(rollups_t));
    if (rollups == NULL) {
        return NGX_ERROR;
    }

    rollups->args.owner = owner;
    rollups->args.interval_ms =
        (int64_t) ngx_payments_main_conf()->watch.interval_ms;
    rollups->args.most = MOST;

    rollups->call.op = PAY_OP_ROLL_UP;
    rollups->call.args = &rollups->args;
    rollups->call.done = rollups_done;
    rollups->call.cell = cell;
    rollups->call.data = rollups;

    ngx_payments_timer_init(&rollups->timer, rollups_handler, cycle->log);
    rollups->timer.cancelable = 1;
    ngx_add_timer(&rollups->timer, rollups_pause(rollups));

    return NGX_OK;
}


static void
rollups_handler(ngx_event_t *ev)
{
    rollups_t  *rollups = ngx_queue_data(ev, rollups_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!rollups->busy) {
        rollups->begun = ngx_current_msec;
        rollups->busy = ngx_payments_db_call(&rollups->call) == NGX_OK;
    }

    ngx_add_timer(ev, rollups_pause(rollups));
}


/* All workers ask, one has counted: each host's zone gets the figures. */
static void
rollups_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    rollups_t               *rollups = call->data;
    const pay_counts_row_t  *row;

    (void) failure;

    rollups->busy = 0;
    row = (result != NULL) ? pay_row_counts(result) : NULL;

    if (row != NULL && row->counts.len != 0) {
        ngx_payments_count_rollups(call->cell, row->counts);
    }

    if (result == NULL || result->outcome != PAY_OUTCOME_AGAIN
        || ngx_exiting || ngx_quit || ngx_terminate)
    {
        return;
    }

    if (rollups->timer.timer_set) {
        ngx_del_timer(&rollups->timer);
    }

    ngx_add_timer(&rollups->timer,
                  REST_MS + REST * (ngx_current_msec - rollups->begun));
}


/* Shorter than the interval, as after a piece of another worker the next one
 * may be due; and spread, so that workers do not ask in step. */
static ngx_msec_t
rollups_pause(rollups_t *rollups)
{
    ngx_msec_t  pause = (ngx_msec_t) rollups->args.interval_ms / 2;

    pause = ngx_max(pause, 100);

    return pause + ngx_random() % (pause / 4 + 1);
}

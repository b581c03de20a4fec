/*
 * Events for receivers, where payments_jobs is on: publish_events moves the
 * rows that commits have left in the outboxes into the log of messages.  Of all
 * workers of all nodes one does it at a time, and for the others nothing is
 * due.  No payment waits for this, and none notifies it: it costs a call an
 * interval, whatever is paid.  Behind a full round it rests as long as that
 * has taken, so that payments come first.  By another clock it asks for the
 * figures of events, which are gauges of /metrics.
 *
 *     pause ─▶ publish_events ─▶ not due ─▶ pause
 *                    └▶ again: messages are there ─▶ deliveries, a short pause
 */

#include "run/ngx_payments_publish.h"
#include "io/ngx_payments_db.h"
#include "run/ngx_payments_deliveries.h"
#include "shm/ngx_payments_count_events.h"
#include "util/ngx_payments_process.h"


#define MOST         1000              /* rows of each outbox in one call */
#define INTERVAL_MS  200
#define SOON_MS      50
#define PATIENCE_MS  50


/* One call of each at a time, with arguments that never change.  begun: when
 * the round that is under way was asked for. */
typedef struct {
    ngx_payments_call_t         call;
    pay_publish_events_in_t     args;
    ngx_payments_call_t         watch;
    pay_watch_events_in_t       watch_args;
    ngx_event_t                 timer;
    ngx_event_t                 gauges;
    ngx_msec_t                  begun;
    ngx_uint_t                  busy;
    ngx_uint_t                  watching;
} publish_t;


static void publish_handler(ngx_event_t *ev);
static void publish_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void gauges_handler(ngx_event_t *ev);
static void gauges_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static ngx_msec_t publish_pause(ngx_msec_t interval);


ngx_int_t
ngx_payments_publish_start(ngx_cycle_t *cycle, ngx_uint_t cell, pay_str_t owner)
{
    publish_t  *publish;
    publish = ngx_pcalloc(cycle->pool, sizeof(publish_t));
    if (publish == NULL) {
        return NGX_ERROR;
    }

    publish->args.owner = owner;
    publish->args.most = MOST;
    publish->call.op = PAY_OP_PUBLISH_EVENTS;
    publish->call.args = &publish->args;
    publish->call.done = publish_done;
    publish->call.cell = cell;
    publish->call.data = publish;
    publish->call.patience = PATIENCE_MS;

    publish->watch_args.owner = owner;
    publish->watch_args.interval_ms =
        (int64_t) ngx_payments_main_conf()->watch.interval_ms;
    publish->watch.op = PAY_OP_WATCH_EVENTS;
    publish->watch.args = &publish->watch_args;
    publish->watch.done = gauges_done;
    publish->watch.cell = cell;
    publish->watch.data = publish;

    ngx_payments_timer_init(&publish->timer, publish_handler, cycle->log);
    publish->timer.cancelable = 1;
    ngx_add_timer(&publish->timer, publish_pause(INTERVAL_MS));

    ngx_payments_timer_init(&publish->gauges, gauges_handler, cycle->log);
    publish->gauges.cancelable = 1;
    ngx_add_timer(&publish->gauges, publish_pause(INTERVAL_MS));

    return NGX_OK;
}


static void
publish_handler(ngx_event_t *ev)
{
    publish_t  *publish = ngx_queue_data(ev, publish_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!publish->busy) {
        publish->begun = ngx_current_msec;
        publish->busy = ngx_payments_db_call(&publish->call) == NGX_OK;
    }

    ngx_add_timer(ev, publish_pause(INTERVAL_MS));
}


/* Messages that are there are delivered without waiting for the next question
 * of this worker.  nginx moves no timer by less than 300 ms. */
static void
publish_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    publish_t  *publish = call->data;

    (void) failure;

    publish->busy = 0;

    if (result == NULL || result->outcome != PAY_OUTCOME_AGAIN
        || ngx_exiting || ngx_quit || ngx_terminate)
    {
        return;
    }

    ngx_payments_deliveries_soon(call->cell);

    if (publish->timer.timer_set) {
        ngx_del_timer(&publish->timer);
    }

    ngx_add_timer(&publish->timer,
                  SOON_MS + (ngx_current_msec - publish->begun));
}


static void
gauges_handler(ngx_event_t *ev)
{
    publish_t  *publish = ngx_queue_data(ev, publish_t, gauges);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!publish->watching) {
        publish->watching = ngx_payments_db_call(&publish->watch) == NGX_OK;
    }

    ngx_add_timer(ev,
                  publish_pause((ngx_msec_t) publish->watch_args.interval_ms));
}


/* All workers ask, one has counted: each host's zone gets the figures. */
static void
gauges_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    publish_t               *publish = call->data;
    const pay_counts_row_t  *row;

    (void) failure;

    publish->watching = 0;
    row = (result != NULL) ? pay_row_counts(result) : NULL;

    if (row != NULL && row->counts.len != 0) {
        ngx_payments_count_events_round(call->cell, row->counts);
    }
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
publish_pause(ngx_msec_t interval)
{
    return interval + ngx_random() % (interval / 4 + 1);
}

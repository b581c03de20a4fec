/*
 * The round of settlement, where payments_jobs is on: one worker of all nodes
 * has PostgreSQL queue the entries that are overdue and count those that no
 * file has brought (pay_api.watch_settlement).  Its figures are gauges of
 * /metrics.  Nothing that is paid waits for this.
 */

#include "run/ngx_payments_reconcile.h"
#include "io/ngx_payments_db.h"
#include "shm/ngx_payments_count_settled.h"
#include "util/ngx_payments_process.h"


/* One call at a time, with arguments that never change. */
typedef struct {
    ngx_payments_call_t        call;
    pay_watch_settlement_in_t  args;
    ngx_event_t                timer;
    ngx_uint_t                 busy;
} reconcile_t;


static void reconcile_handler(ngx_event_t *ev);
static void reconcile_done(ngx_payments_call_t *call,
    const pay_result_t *result, pay_db_failure_t failure);
static ngx_msec_t reconcile_pause(reconcile_t *reconcile);


ngx_int_t
ngx_payments_reconcile_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner)
{
    reconcile_t  *reconcile;
    reconcile = ngx_pcalloc(cycle->pool, sizeof(reconcile_t));
    if (reconcile == NULL) {
        return NGX_ERROR;
    }

    reconcile->args.owner = owner;
    reconcile->args.interval_ms =
        (int64_t) ngx_payments_main_conf()->watch.interval_ms;

    reconcile->call.op = PAY_OP_WATCH_SETTLEMENT;
    reconcile->call.args = &reconcile->args;
    reconcile->call.done = reconcile_done;
    reconcile->call.cell = cell;
    reconcile->call.data = reconcile;

    ngx_payments_timer_init(&reconcile->timer, reconcile_handler, cycle->log);
    reconcile->timer.cancelable = 1;
    ngx_add_timer(&reconcile->timer, reconcile_pause(reconcile));

    return NGX_OK;
}


static void
reconcile_handler(ngx_event_t *ev)
{
    reconcile_t  *reconcile = ngx_queue_data(ev, reconcile_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!reconcile->busy) {
        reconcile->busy = ngx_payments_db_call(&reconcile->call) == NGX_OK;
    }

    ngx_add_timer(ev, reconcile_pause(reconcile));
}


/* All workers ask, one has counted: each host's zone gets the figures.  A round
 * that fails is made by the next one. */
static void
reconcile_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    reconcile_t             *reconcile = call->data;
    const pay_counts_row_t  *row;

    (void) failure;

    reconcile->busy = 0;
    row = (result != NULL) ? pay_row_counts(result) : NULL;

    if (row != NULL && row->counts.len != 0) {
        ngx_payments_count_settled_round(call->cell, row->counts);
    }
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
reconcile_pause(reconcile_t *reconcile)
{
    ngx_msec_t  interval = (ngx_msec_t) reconcile->args.interval_ms;

    return interval + ngx_random() % (interval / 4 + 1);
}

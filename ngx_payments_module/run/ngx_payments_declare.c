/*
 * Endpoints of storefronts that stand in nginx.conf, by
 * payments_webhook_endpoint, where payments_jobs is on.  Each worker declares
 * its lines to PostgreSQL when it begins and every two minutes, and asks for
 * the end of those that no node declares any more.  It does so without a line
 * of its own, too, or the last line that goes would leave its endpoint behind.
 *
 *     pause ─▶ declare_endpoints, one item a line ─▶ watch_endpoints ─▶ pause
 *                  └▶ a failure: again soon
 */

#include "run/ngx_payments_declare.h"
#include "io/ngx_payments_db.h"
#include "util/ngx_payments_process.h"


#define FIRST_MS     200
#define SOON_MS      5000
#define INTERVAL_MS  120000            /* 72_endpoint_declared.sql waits for
                                          several */


/* A line.  is_refused: the log has it. */
typedef struct {
    struct declare_s               *declare;
    ngx_payments_call_t             call;
    const ngx_payments_declared_t  *line;
    ngx_uint_t                      busy;
    ngx_uint_t                      is_refused;
} item_t;

/* is_soon: a failure has brought the next tick forward. */
typedef struct declare_s {
    item_t                         *items;
    ngx_uint_t                      count;
    ngx_payments_call_t             watch;
    pay_watch_endpoints_in_t        watch_args;
    ngx_event_t                     timer;
    ngx_uint_t                      watching;
    ngx_uint_t                      is_soon;
} declare_t;


static void declare_handler(ngx_event_t *ev);
static void item_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void note(item_t *item, pay_outcome_t outcome);
static void watch_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void again_soon(declare_t *declare);
static ngx_msec_t spread(ngx_msec_t interval);
static ngx_uint_t is_ending(void);


/* One more than there are lines, as an allocation of 0 bytes would look like a
 * failure. */
ngx_int_t
ngx_payments_declare_start(ngx_cycle_t *cycle, ngx_uint_t cell, pay_str_t owner)
{
    declare_t                 *declare;
    item_t                    *item;
    ngx_uint_t                 i;
    ngx_array_t               *lines = &ngx_payments_main_conf()->declared;
    ngx_payments_declared_t  **all = lines->elts;

    declare = ngx_pcalloc(cycle->pool, sizeof(declare_t));
    if (declare == NULL) {
        return NGX_ERROR;
    }

    declare->items = ngx_pcalloc(cycle->pool,
                                 (lines->nelts + 1) * sizeof(item_t));
    if (declare->items == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < lines->nelts; i++) {
        if (all[i]->owner->cell != cell && all[i]->owner->from != cell) {
            continue;
        }

        item = &declare->items[declare->count++];
        item->declare = declare;
        item->line = all[i];
        item->call.cell = cell;
        item->call.op = PAY_OP_DECLARE_ENDPOINTS;
        item->call.args = &all[i]->args;
        item->call.done = item_done;
        item->call.data = item;
    }

    declare->watch_args.owner = owner;
    declare->watch.op = PAY_OP_WATCH_ENDPOINTS;
    declare->watch.args = &declare->watch_args;
    declare->watch.done = watch_done;
    declare->watch.cell = cell;
    declare->watch.data = declare;

    ngx_payments_timer_init(&declare->timer, declare_handler, cycle->log);
    declare->timer.cancelable = 1;
    ngx_add_timer(&declare->timer, spread(FIRST_MS));

    return NGX_OK;
}


static void
declare_handler(ngx_event_t *ev)
{
    declare_t  *declare = ngx_queue_data(ev, declare_t, timer);
    item_t     *item;
    ngx_uint_t  i, failed = 0;

    if (is_ending()) {
        return;
    }

    declare->is_soon = 0;

    for (i = 0; i < declare->count; i++) {
        item = &declare->items[i];

        if (!item->busy) {
            item->busy = ngx_payments_db_call(&item->call) == NGX_OK;
            failed += !item->busy;
        }
    }

    if (!declare->watching) {
        declare->watching = ngx_payments_db_call(&declare->watch) == NGX_OK;
        failed += !declare->watching;
    }

    ngx_add_timer(ev, spread(failed != 0 ? SOON_MS : INTERVAL_MS));
}


static void
item_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    item_t  *item = call->data;

    (void) failure;

    item->busy = 0;

    if (result == NULL) {
        again_soon(item->declare);
        return;
    }

    note(item, result->outcome);
}


/* A line that is as it was is not worth one of the log; that it is refused is
 * worth one. */
static void
note(item_t *item, pay_outcome_t outcome)
{
    ngx_str_t  merchant = ngx_payments_nstr(item->line->args.merchant_id);
    ngx_str_t  endpoint = ngx_payments_nstr(item->line->args.endpoint_id);

    switch (outcome) {

    case PAY_OUTCOME_STORED:
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "payments: an endpoint of nginx.conf is stored, "
                      "merchant:%V, endpoint:%V", &merchant, &endpoint);
        break;

    case PAY_OUTCOME_REPLAYED:
        break;

    default:
        if (!item->is_refused) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "payments: an endpoint of nginx.conf was not "
                          "stored, merchant:%V, endpoint:%V, why:%s",
                          &merchant, &endpoint,
                          outcome == PAY_OUTCOME_REFUSED
                          ? "the merchant has as many as it may"
                          : "invalid");
        }

        item->is_refused = 1;
        return;
    }

    item->is_refused = 0;
}


static void
watch_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    declare_t  *declare = call->data;

    (void) failure;

    declare->watching = 0;

    if (result == NULL) {
        again_soon(declare);
    }
}


/* PostgreSQL is away, or refuses for want of room. */
static void
again_soon(declare_t *declare)
{
    if (declare->is_soon || is_ending() || !declare->timer.timer_set) {
        return;
    }

    declare->is_soon = 1;
    ngx_del_timer(&declare->timer);
    ngx_add_timer(&declare->timer, spread(SOON_MS));
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
spread(ngx_msec_t interval)
{
    return interval + ngx_random() % (interval / 4 + 1);
}


static ngx_uint_t
is_ending(void)
{
    return ngx_exiting || ngx_quit || ngx_terminate;
}

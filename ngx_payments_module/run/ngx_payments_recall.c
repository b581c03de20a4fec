/*
 * Windows of risk whose memory is new, as behind a start of nginx, learn the
 * attempts of before from the decisions in PostgreSQL, newest first.  Meanwhile
 * no checkout is counted, so that nobody passes a limit for the restart's sake.
 *
 *     the zone is new ─▶ list_past_attempts ─▶ put ─▶ no more: whole
 *                          ▲      │ a failure    │
 *                          └─ a pause ◀──────────┘ more
 *
 * The first worker does it.  One that dies over it has put a part, and the next
 * one begins anew: a count that is put twice errs on the strict side.
 */

#include "run/ngx_payments_recall.h"
#include "io/ngx_payments_db.h"
#include "shm/ngx_payments_windows.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"


#define PAGE       500                 /* attempts */
#define PAGES_MAX  200
#define ID_MAX     255
#define POOL_SIZE  65536
#define AGAIN_MS   100


typedef struct {
    ngx_payments_call_t           call;
    pay_list_past_attempts_in_t   args;
    ngx_event_t                   timer;
    const pay_risk_t             *risk;
    u_char                        merchant[ID_MAX];
    u_char                        checkout[ID_MAX];
    ngx_uint_t                    pages;
    size_t                        attempts;
} recall_t;


static void recall_handler(ngx_event_t *ev);
static void recall_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static pay_status_t put(recall_t *recall, pay_str_t json,
    pay_risk_past_page_t *page, ngx_pool_t *pool);
static void go_on(recall_t *recall, const pay_risk_past_page_t *page);
static pay_str_t keep(u_char place[ID_MAX], pay_str_t id);
static void finish(recall_t *recall);
static void again(recall_t *recall, ngx_msec_t pause);


/* A worker that a reload has started finds the windows whole. */
ngx_int_t
ngx_payments_recall_start(ngx_cycle_t *cycle, ngx_uint_t cell)
{
    int64_t            seconds;
    recall_t          *recall;
    const pay_risk_t  *risk = ngx_payments_main_conf()->env.risk;

    if (ngx_worker != 0 || risk == NULL
        || ngx_payments_windows_are_whole(cell))
    {
        return NGX_OK;
    }

    seconds = pay_risk_memory_s(risk);

    if (seconds == 0) {
        ngx_payments_windows_set_whole(cell);
        return NGX_OK;
    }

    recall = ngx_pcalloc(cycle->pool, sizeof(recall_t));
    if (recall == NULL) {
        return NGX_ERROR;
    }

    recall->risk = risk;
    recall->args.since_s = ngx_time() - seconds;
    recall->args.limit = PAGE;
    recall->call.cell = cell;
    recall->call.op = PAY_OP_LIST_PAST_ATTEMPTS;
    recall->call.args = &recall->args;
    recall->call.done = recall_done;
    recall->call.data = recall;

    ngx_payments_timer_init(&recall->timer, recall_handler, cycle->log);
    recall->timer.cancelable = 1;
    ngx_add_timer(&recall->timer, 1);

    return NGX_OK;
}


static void
recall_handler(ngx_event_t *ev)
{
    recall_t  *recall = ngx_queue_data(ev, recall_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (ngx_payments_db_call(&recall->call) != NGX_OK) {
        again(recall, AGAIN_MS);
    }
}


/* A page that failed is asked for once more. */
static void
recall_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    recall_t              *recall = call->data;
    ngx_pool_t            *pool;
    pay_risk_past_page_t   page;
    const pay_page_row_t  *row = result != NULL ? pay_row_page(result) : NULL;

    (void) failure;

    pool = row != NULL ? ngx_create_pool(POOL_SIZE, ngx_cycle->log) : NULL;

    if (pool == NULL) {
        again(recall, AGAIN_MS);
        return;
    }

    if (put(recall, row->page, &page, pool) == PAY_OK) {
        go_on(recall, &page);

    } else {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "payments: the attempts of before cannot be read, "
                      "windows of risk begin without them");
        finish(recall);
    }

    ngx_destroy_pool(pool);
}


static pay_status_t
put(recall_t *recall, pay_str_t json, pay_risk_past_page_t *page,
    ngx_pool_t *pool)
{
    pay_arena_t  arena = ngx_payments_arena(pool);

    PAY_TRY(pay_risk_past(&arena, recall->risk, json, page));
    ngx_payments_windows_put(page);
    recall->attempts += page->attempts;
    recall->pages++;

    return PAY_OK;
}


static void
go_on(recall_t *recall, const pay_risk_past_page_t *page)
{
    if (page->next_us == 0 || recall->pages == PAGES_MAX) {
        finish(recall);
        return;
    }

    recall->args.before_us = (pay_int_t) { 1, page->next_us };
    recall->args.before_merchant_id = keep(recall->merchant,
                                           page->next_merchant_id);
    recall->args.before_checkout_id = keep(recall->checkout,
                                           page->next_checkout_id);
    again(recall, 1);
}


/* An id is never longer: PostgreSQL holds none that is. */
static pay_str_t
keep(u_char place[ID_MAX], pay_str_t id)
{
    size_t  len = ngx_min(id.len, ID_MAX);

    ngx_memcpy(place, id.data, len);

    return (pay_str_t) { len, place };
}


static void
finish(recall_t *recall)
{
    ngx_payments_windows_set_whole(recall->call.cell);
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "payments: windows of risk have the attempts of before, "
                  "attempts:%uz%V", recall->attempts,
                  ngx_payments_cell_note(recall->call.cell));
}


static void
again(recall_t *recall, ngx_msec_t pause)
{
    ngx_add_timer(&recall->timer, pause);
}

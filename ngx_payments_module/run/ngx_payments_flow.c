/*
 * A core flow at run time: its steps, its end, its answer.  The flow owns its
 * pool and outlives the request; the request only subscribes to the
 * answer and may leave at any time.
 *
 * The way of a flow:
 *
 *     create ─▶ (admit) ─▶ start ─▶ steps() ◀─── NGX_OK: the answer is there
 *                                    │  └▶ effect_db, effect_http, effect_rates
 *                                    │        │ NGX_AGAIN: back to nginx' loop
 *                                    │        └▶ done ─▶ flow->step ─▶ steps()
 *                                    └▶ PAY_DO_DONE ─▶ flow_end()
 *
 * The reply may come before the end: nobody waits for the steps behind it.
 */

#include "run/ngx_payments_flow_state.h"
#include "run/ngx_payments_effect.h"
#include "run/ngx_payments_effect_file.h"
#include "run/ngx_payments_effect_rates.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_count_keys.h"
#include "shm/ngx_payments_count_risk.h"
#include "shm/ngx_payments_count_risk_provider.h"
#include "shm/ngx_payments_count_settled.h"
#include "shm/ngx_payments_count_stage.h"
#include "shm/ngx_payments_health.h"
#include "shm/ngx_payments_windows.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_fault.h"
#include "util/ngx_payments_log_pace.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"
#include "util/ngx_payments_random.h"
#include "pay_trace.h"

#include <time.h>


#define POOL_SIZE  1920                /* one holds a create that waits */
#define US_PER_S   1000000
#define NS_PER_US  1000


/* The answer about a blocked checkout, which waits for its time. */
typedef struct {
    ngx_event_t           timer;
    ngx_payments_flow_t  *flow;
    const pay_reply_t    *reply;       /* the flow's memory */
} held_t;


static void flow_step(ngx_payments_flow_t *flow, pay_input_t *input);
static void steps(ngx_payments_flow_t *flow, pay_input_t *input);
static ngx_uint_t hold_reply(ngx_payments_flow_t *flow,
    const pay_reply_t *reply);
static void held_handler(ngx_event_t *ev);
static ngx_int_t begin_effect(ngx_payments_flow_t *flow,
    pay_effect_t *effect, pay_input_t *input);
static ngx_int_t count(const ngx_payments_flow_t *flow,
    pay_risk_counts_t *counts, pay_input_t *input);
static void run(ngx_payments_flow_t *flow, pay_input_t *input,
    pay_effect_t *effect);
static void log_unread(const pay_flow_t *core);
static void run_timed(ngx_payments_flow_t *flow, pay_input_t *input,
    pay_effect_t *effect, pay_stage_t stage);
static uint64_t now_us(void);
static void flow_reply(ngx_payments_flow_t *flow, const pay_reply_t *reply);
static void flow_note(ngx_payments_flow_t *flow);
static ngx_str_t note_text(ngx_pool_t *pool, pay_str_t text);
static void flow_end(ngx_payments_flow_t *flow);
static void log_settled(ngx_uint_t cell, const pay_settled_t *settled);
static void count_end(const pay_flow_t *core);
static void note_provider(const pay_flow_t *core);
static void request_gone(void *data);


/* The pool hangs on the cycle's log and on no connection, since the flow
 * outlives its request.  The worker's scratch is made first, because
 * ngx_payments_scratch_arena() cannot fail. */
ngx_payments_flow_t *
ngx_payments_flow_create(ngx_http_payments_main_conf_t *pmcf, ngx_uint_t cell)
{
    ngx_pool_t           *pool;
    ngx_payments_flow_t  *flow;

    if (ngx_payments_scratch() == NULL) {
        return NULL;
    }

    pool = ngx_create_pool(POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    flow = ngx_pcalloc(pool, sizeof(ngx_payments_flow_t));
    if (flow == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    flow->pool = pool;
    flow->arena = ngx_payments_arena(pool);
    flow->pmcf = pmcf;
    flow->core.cell = (unsigned) cell;
    flow->core.arena = &flow->arena;
    flow->core.scratch = ngx_payments_scratch_arena();
    flow->args = ngx_payments_flow_args(flow);
    flow->core.args = &flow->args;
    flow->core.env = &pmcf->env;

    return flow;
}


/* The struct is private to run/; http/ prepares the core's part through
 * this. */
pay_flow_t *
ngx_payments_flow_core(ngx_payments_flow_t *flow)
{
    return &flow->core;
}


/* The order matters: all that may fail comes before the request's count is
 * raised, since nothing would lower it again.  NGX_DONE tells nginx that the
 * request is held.  A flow may answer and end within the first step, so
 * nothing of it is touched behind flow_step(). */
ngx_int_t
ngx_payments_flow_start(ngx_payments_flow_t *flow, ngx_http_request_t *r,
    ngx_payments_reply_pt reply)
{
    pay_input_t               input;
    ngx_http_cleanup_t       *cln;
    ngx_http_payments_ctx_t  *ctx;

    ngx_payments_gauge_flows(1);
    flow->in_handler = 1;
    flow->step = flow_step;
    flow->reply = reply;

    if (r != NULL) {
        cln = ngx_http_cleanup_add(r, 0);
        ctx = ngx_http_payments_get_ctx(r);
        if (cln == NULL || ctx == NULL) {
            flow_end(flow);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        cln->handler = request_gone;
        cln->data = flow;
        flow->request = r;
        flow->cleanup = cln;
        ctx->flow = flow;

        /* held until the reply; a buyer who leaves is noticed by reading */
        r->main->count++;
        r->read_event_handler = ngx_http_test_reading;
    }

    ngx_memzero(&input, sizeof(pay_input_t));
    input.kind = PAY_INPUT_START;

    flow_step(flow, &input);

    return NGX_DONE;
}


ngx_int_t
ngx_payments_flow_start_alone(ngx_payments_flow_t *flow,
    void (*ended)(void *data), void *data)
{
    return ngx_payments_flow_start_watched(flow, NULL, ended, data);
}


/* The id stands in the log lines of its calls, as a request's would. */
ngx_int_t
ngx_payments_flow_start_watched(ngx_payments_flow_t *flow,
    void (*answered)(void *data), void (*ended)(void *data), void *data)
{
    pay_flow_t  *core = ngx_payments_flow_core(flow);

    flow->alone = ngx_pcalloc(flow->pool, sizeof(ngx_payments_alone_t));

    if (flow->alone == NULL
        || ngx_payments_uuid(core->arena, &core->request_id) != NGX_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_ERROR;
    }

    flow->alone->answered = answered;
    flow->alone->ended = ended;
    flow->alone->data = data;

    (void) ngx_payments_flow_start(flow, NULL, NULL);

    return NGX_OK;
}


/* A flow that has got no place is left as it was, and its caller discards
 * it. */
ngx_int_t
ngx_payments_flow_admit(ngx_payments_flow_t *flow, ngx_payments_work_e work,
    const pay_merchant_t *merchant, int64_t *retry_after_s)
{
    if (ngx_payments_bulkhead_enter(&flow->place, flow->core.cell, work,
                                    merchant)
        == NGX_OK)
    {
        return NGX_OK;
    }

    *retry_after_s = ngx_payments_bulkhead_retry_s(&flow->place);

    return NGX_BUSY;
}


/* For the time before the start only: later flow_end() does this, and
 * counts. */
void
ngx_payments_flow_discard(ngx_payments_flow_t *flow)
{
    ngx_payments_bulkhead_leave(&flow->place);
    ngx_payments_flow_drop_args(flow);
    ngx_destroy_pool(flow->pool);
}


/* Steps until something has to be waited for, or the flow's end.  The scratch
 * pool is shared by all flows, and is emptied behind the step and the effect
 * that the step gave back, as libcurl reads the request from there. */
static void
flow_step(ngx_payments_flow_t *flow, pay_input_t *input)
{
    ngx_payments_scratch_enter();
    steps(flow, input);
    ngx_payments_scratch_leave();
}


/* An operation that is refused at once is answered in this loop and not by a
 * call of itself, so a flow cannot grow the stack.  Jobs take the steady
 * clock: a jump of the wall clock must not end checkouts. */
static void
steps(ngx_payments_flow_t *flow, pay_input_t *input)
{
    ngx_int_t               rc;
    pay_effect_t            effect;
    const pay_flow_type_t  *type = flow->core.type;

    for ( ;; ) {
        input->now_s = type->clock == PAY_CLOCK_STEADY
                       ? ngx_payments_steady_time() : ngx_time();
        input->is_stopping = ngx_exiting || ngx_quit || ngx_terminate;

        if (input->kind == PAY_INPUT_START && type->routes) {
            run_timed(flow, input, &effect, PAY_STAGE_ROUTING);

        } else if (input->kind == PAY_INPUT_COUNTED) {
            run_timed(flow, input, &effect, PAY_STAGE_RISK);

        } else {
            run(flow, input, &effect);
        }

        if (effect.uncounts != NULL) {
            ngx_payments_windows_take(effect.uncounts);
        }

        if (effect.kind == PAY_DO_DONE && hold_reply(flow, effect.reply)) {
            return;
        }

        if (effect.reply != NULL) {
            flow_reply(flow, effect.reply);
        }

        if (effect.kind == PAY_DO_DONE) {
            flow_end(flow);
            return;
        }

        rc = begin_effect(flow, &effect, input);

        if (rc == NGX_AGAIN) {
            return;
        }
    }
}


/* 1: the answer about a blocked checkout waits as long as calls to its PSP
 * take, and the flow ends behind it.  Its place is free meanwhile. */
static ngx_uint_t
hold_reply(ngx_payments_flow_t *flow, const pay_reply_t *reply)
{
    int64_t                ms, mean = 0;
    held_t                *held;
    const pay_health_t    *health;
    const pay_psp_conf_t  *psp;

    if (!flow->core.is_blocked || reply == NULL || flow->request == NULL
        || ngx_exiting)
    {
        return 0;
    }

    psp = pay_env_psp(flow->core.env, flow->core.psp_name);
    health = ngx_payments_health_snapshot();

    if (psp != NULL && health != NULL) {
        mean = health[psp->index].latency_ms;
    }

    ms = pay_risk_delay_ms((int64_t) flow->pmcf->risk.block_delay, mean,
                           (unsigned) ngx_random() & 0xffff);
    held = ms == 0 ? NULL : ngx_pcalloc(flow->pool, sizeof(held_t));

    if (held == NULL) {
        return 0;
    }

    held->flow = flow;
    held->reply = reply;
    held->timer.data = held;
    held->timer.log = ngx_cycle->log;
    held->timer.handler = held_handler;
    ngx_payments_bulkhead_leave(&flow->place);
    ngx_add_timer(&held->timer, (ngx_msec_t) ms);

    return 1;
}


static void
held_handler(ngx_event_t *ev)
{
    held_t               *held = ev->data;
    ngx_payments_flow_t  *flow = held->flow;

    flow_reply(flow, held->reply);
    flow_end(flow);
}


/* NGX_AGAIN: something has to be waited for. */
static ngx_int_t
begin_effect(ngx_payments_flow_t *flow, pay_effect_t *effect,
    pay_input_t *input)
{
    switch (effect->kind) {

    case PAY_DO_DB:
        return ngx_payments_effect_db(flow, effect, input);

    case PAY_DO_HTTP:
        return ngx_payments_effect_http(flow, effect, input);

    case PAY_DO_RATES:
        return ngx_payments_effect_rates(flow, effect, input);

    case PAY_DO_FILE:
        return ngx_payments_effect_file(flow, effect, input);

    default:
        return count(flow, effect->counts, input);
    }
}


/* Windows that are not whole yet would let too many through: their past is in
 * PostgreSQL, and the checkout is answered as if that were away. */
static ngx_int_t
count(const ngx_payments_flow_t *flow, pay_risk_counts_t *counts,
    pay_input_t *input)
{
    ngx_int_t  rc = ngx_payments_windows_count(flow->core.cell, counts);

    ngx_memzero(input, sizeof(pay_input_t));
    input->kind = rc == NGX_OK ? PAY_INPUT_COUNTED : PAY_INPUT_DB_FAILED;
    input->db_failure = PAY_DB_UNAVAILABLE;

    return NGX_OK;
}


/* Health is a look into the shared zone under its lock; only flows that choose
 * a PSP take it (needs_health). */
static void
run(ngx_payments_flow_t *flow, pay_input_t *input, pay_effect_t *effect)
{
    input->health = flow->core.type->needs_health
                    ? ngx_payments_health_snapshot() : NULL;
    pay_flow_run(&flow->core, input, effect);

    if (flow->core.unread != NULL) {
        log_unread(&flow->core);
        flow->core.unread = NULL;
    }

    if (flow->core.settled != NULL) {
        log_settled(flow->core.cell, flow->core.settled);
        flow->core.settled = NULL;
    }
}


/* Rules and members are ours, nothing is quoted of what has come.  A PSP that
 * changes its format makes such lines with each event, which is why they are
 * paced. */
static void
log_unread(const pay_flow_t *core)
{
    ngx_uint_t                       omitted;
    static ngx_payments_log_pace_t   pace;

    if (!ngx_payments_log_may(&pace, &omitted)) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "payments: what the PSP has sent cannot be read, psp:%V, "
                  "what:%s, member:%V, rule:%s, merchant:%V, checkout:%V, "
                  "request_id:%V, trace:%V, omitted:%ui",
                  &ngx_payments_nstr(core->psp_name), core->unread,
                  &ngx_payments_nstr(core->unread_member), core->unread_rule,
                  &ngx_payments_nstr(core->merchant_id),
                  &ngx_payments_nstr(core->checkout_id),
                  &ngx_payments_nstr(core->request_id),
                  &ngx_payments_nstr(pay_trace_id(core->trace)), omitted);
}


/* A create chooses its PSPs and looks at risk before anything is stored.  Both
 * are done by the CPU, without a wait, so their deadline can only be judged
 * afterwards; `late` makes the operation that would follow a refusal. */
static void
run_timed(ngx_payments_flow_t *flow, pay_input_t *input,
    pay_effect_t *effect, pay_stage_t stage)
{
    uint64_t    us, begun = now_us();
    ngx_msec_t  most = flow->pmcf->stages[stage];

    ngx_payments_fault("within", stage == PAY_STAGE_RISK ? "risk" : "routing");
    run(flow, input, effect);

    us = now_us() - begun;
    ngx_payments_count_stage(stage, us, flow->core.request_id,
                             pay_trace_id(flow->core.trace));

    if (most != 0 && us > (uint64_t) most * (US_PER_S / 1000)) {
        flow->late = 1;
        flow->late_stage = (unsigned) stage & 7;
    }
}


/* nginx's own clock stands still within a turn of the loop. */
static uint64_t
now_us(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);

    return (uint64_t) now.tv_sec * US_PER_S
           + (uint64_t) now.tv_nsec / NS_PER_US;
}


/* The subscription ends here: the cleanup is disarmed first, so that the end
 * of the request does not touch a flow that is already freed. */
static void
flow_reply(ngx_payments_flow_t *flow, const pay_reply_t *reply)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r = flow->request;

    if (r == NULL) {
        return;
    }

    flow_note(flow);
    flow->request = NULL;
    flow->cleanup->handler = NULL;

    c = r->connection;
    rc = flow->reply(r, reply);
    ngx_http_finalize_request(r, rc);

    /* what is posted may free the request, which the content handler on the
     * stack is about to finalize: there nginx itself runs it afterwards */
    if (!flow->in_handler) {
        ngx_http_run_posted_requests(c);
    }
}


/* The texts of the request's log line, in the request's own memory.  The log
 * phase runs when the flow may be gone. */
static void
flow_note(ngx_payments_flow_t *flow)
{
    ngx_pool_t               *pool = flow->request->pool;
    pay_flow_t               *core = &flow->core;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(flow->request);
    if (ctx == NULL) {
        return;
    }

    ctx->flow = NULL;
    ctx->db_ms = flow->db_ms;
    ctx->psp_ms = flow->psp_ms;
    ctx->merchant_id = note_text(pool, core->merchant_id);
    ctx->checkout_id = note_text(pool, core->checkout_id);
    ctx->order_id = note_text(pool, core->order_id);
    ctx->psp = note_text(pool, core->psp_name);
    ctx->trace_id = note_text(pool, pay_trace_id(core->trace));

    if (core->outcome != NULL) {
        ctx->outcome = note_text(pool, pay_str_of(core->outcome));
    }
}


/* Without memory the log line lacks a word; that fails no request. */
static ngx_str_t
note_text(ngx_pool_t *pool, pay_str_t text)
{
    ngx_str_t  copy = ngx_null_string;

    if (text.len != 0) {
        copy.data = ngx_pnalloc(pool, text.len);
        if (copy.data != NULL) {
            ngx_memcpy(copy.data, text.data, text.len);
            copy.len = text.len;
        }
    }

    return copy;
}


/* Behind this call there is no flow, so its callers return at once.  The two
 * CRIT lines are for those on call. */
static void
flow_end(ngx_payments_flow_t *flow)
{
    pay_flow_t  *core = &flow->core;

    ngx_payments_gauge_flows(-1);
    ngx_payments_bulkhead_leave(&flow->place);

    count_end(core);

    if (core->quarantined != NULL) {
        ngx_payments_count_quarantined(core->psp_name, core->quarantined);
    }

    if (core->risk != NULL) {
        ngx_payments_count_risk(core->risk);
    }

    if (core->explored != NULL) {
        ngx_payments_health_explored(core->explored);
    }

    if (core->risk_provider != NULL) {
        note_provider(core);
    }

    if (core->change_kind != NULL) {
        ngx_payments_count_change(core->change_kind, core->change_status);
    }

    if (core->differs) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "payments: the PSP's amount or token differs from the "
                      "order's, merchant:%V, checkout:%V, trace:%V",
                      &ngx_payments_nstr(core->merchant_id),
                      &ngx_payments_nstr(core->checkout_id),
                      &ngx_payments_nstr(pay_trace_id(core->trace)));
    }

    if (core->invalid_event.len != 0 || core->left_out != 0) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "payments: a PSP's event cannot be read, psp:%V, "
                      "event:%V, left_out:%ui, request_id:%V",
                      &ngx_payments_nstr(core->psp_name),
                      &ngx_payments_nstr(core->invalid_event),
                      (ngx_uint_t) core->left_out,
                      &ngx_payments_nstr(core->request_id));
    }

    if (flow->alone != NULL) {
        flow->alone->ended(flow->alone->data);
    }

    ngx_payments_flow_drop_args(flow);
    ngx_destroy_pool(flow->pool);
}


/* The names of files are others' and stand in PostgreSQL alone. */
static void
log_settled(ngx_uint_t cell, const pay_settled_t *settled)
{
    ngx_uint_t  level = settled->why != NULL ? NGX_LOG_ERR : NGX_LOG_NOTICE;

    ngx_payments_count_settled_file(cell, settled->source, settled->state);
    ngx_log_error(level, ngx_cycle->log, 0,
                  "payments: a settlement file was read, source:%V, file:%L, "
                  "state:%s, rows:%L, why:%s, line:%L",
                  &ngx_payments_nstr(settled->source), settled->file_id,
                  settled->state, settled->rows,
                  settled->why != NULL ? settled->why : "-", settled->line);
}


static void
count_end(const pay_flow_t *core)
{
    const char  *label = pay_flow_label(core);

    switch (core->type->tally) {

    case PAY_TALLY_WEBHOOKS:
        if (label != NULL) {
            ngx_payments_count_webhook(core->psp_name, label,
                                       core->is_proven);
            ngx_payments_count_webhook_keys(core->psp_name, core->signed_by);
        }

        break;

    case PAY_TALLY_JOBS:
        ngx_payments_count_job(label);
        break;

    case PAY_TALLY_NONE:
        break;
    }
}


/* An outage makes a line for each checkout, which is why they are paced. */
static void
note_provider(const pay_flow_t *core)
{
    ngx_uint_t                      omitted;
    const pay_risk_provider_t      *provider = core->risk_provider;
    static ngx_payments_log_pace_t  pace;

    ngx_payments_count_risk_provider(provider->name, core->risk_said,
                                     core->risk_ms);

    if (!core->risk_failed || !ngx_payments_log_may(&pace, &omitted)) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "payments: a provider of risk has given no answer, and its "
                  "fail word counts, provider:%V, why:%s, then:%s, "
                  "merchant:%V, checkout:%V, request_id:%V, trace:%V, "
                  "omitted:%ui",
                  &ngx_payments_nstr(provider->name), core->risk_said,
                  pay_risk_action_name(provider->fail),
                  &ngx_payments_nstr(core->merchant_id),
                  &ngx_payments_nstr(core->checkout_id),
                  &ngx_payments_nstr(core->request_id),
                  &ngx_payments_nstr(pay_trace_id(core->trace)), omitted);
}


/* The client has left, or nginx gave the request up.  The flow goes on: a
 * registration under way must be stored although nobody waits for it. */
static void
request_gone(void *data)
{
    ngx_payments_flow_t  *flow = data;

    flow->request = NULL;
}

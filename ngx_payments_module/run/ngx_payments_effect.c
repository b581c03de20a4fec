/*
 * Carries a core flow's effects out - an operation on PostgreSQL, a call to a
 * PSP, a certificate - and brings the events back.
 *
 * An effect that cannot begin is answered at once, as if its answer had come:
 * NGX_OK, and *input says that nothing was sent.
 */

#include "run/ngx_payments_effect.h"
#include "io/ngx_payments_cert.h"
#include "io/ngx_payments_confirm.h"
#include "io/ngx_payments_psp.h"
#include "io/ngx_payments_replica.h"
#include "run/ngx_payments_effect_note.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_count_stage.h"
#include "shm/ngx_payments_health.h"
#include "shm/ngx_payments_quarantine.h"
#include "shm/ngx_payments_question.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_fault.h"
#include "pay_trace.h"


#define PATIENCE_MS   1000
#define PATIENCE_MAX  60


static ngx_int_t begin_call(ngx_payments_flow_t *flow);
static ngx_uint_t has_patience(ngx_payments_flow_t *flow);
static void patience_handler(ngx_event_t *ev);
static ngx_int_t pace_event(ngx_payments_flow_t *flow,
    ngx_event_handler_pt handler, ngx_msec_t wait);
static const ngx_payments_psp_t *called(
    const ngx_http_payments_main_conf_t *pmcf, const pay_effect_t *effect);
static ngx_uint_t passes(const pay_effect_t *effect);
static ngx_uint_t may_store(const ngx_payments_flow_t *flow);
static ngx_msec_t deadline_of(const ngx_payments_flow_t *flow,
    pay_stage_t stage);
static ngx_uint_t is_paced(const ngx_payments_flow_t *flow);
static ngx_int_t pace_call(ngx_payments_flow_t *flow);
static void pace_handler(ngx_event_t *ev);
static pay_status_t keep_request(ngx_payments_flow_t *flow,
    pay_effect_t *effect);
static pay_status_t keep_body(ngx_pool_t *pool, pay_str_t *body);
static ngx_uint_t goes_at_once(const ngx_payments_flow_t *flow,
    const pay_effect_t *effect);
static pay_status_t copy_request(pay_arena_t *arena,
    const pay_http_request_t *request, pay_http_request_t *kept);
static ngx_int_t get_cert(ngx_payments_flow_t *flow);
static void no_answer(pay_http_answer_t *answer, pay_failure_t why);
static void db_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void note_age(ngx_payments_flow_t *flow,
    const ngx_payments_call_t *call);
static void http_done(ngx_payments_http_t *http,
    const pay_http_answer_t *answer);
static void tell_cert(pay_str_t url, const pay_http_answer_t *answer);


/* `money` gives each read of a refund the refund's priority.  A forged webhook
 * may be stored only while its PSP's bucket has room, which is taken here,
 * where it is certain that the flow wants to store it. */
ngx_int_t
ngx_payments_effect_db(ngx_payments_flow_t *flow, pay_effect_t *effect,
    pay_input_t *input)
{
    flow->call.cell = flow->core.cell;
    flow->call.op = effect->op;
    flow->call.args = effect->args;
    flow->call.done = db_done;
    flow->call.data = flow;
    flow->call.timeout = deadline_of(flow, pay_op(effect->op)->stage);
    flow->call.money = flow->place.work == NGX_PAYMENTS_WORK_CHANGE;
    flow->call.patience = 0;           /* an answer may have lain there */
    flow->call.is_brief = effect->op == PAY_OP_END_DELIVERY;
    flow->wait_started = ngx_current_msec;

    ngx_memzero(input, sizeof(pay_input_t));
    input->kind = PAY_INPUT_DB_FAILED;

    if (effect->op == PAY_OP_QUARANTINE_WEBHOOK && !may_store(flow)) {
        input->db_failure = PAY_DB_OVERLOADED;
        return NGX_OK;
    }

    if (flow->place.held && flow->place.cell != flow->core.cell
        && ngx_payments_bulkhead_follow(&flow->place, flow->core.cell,
                                        pay_env_merchant(flow->core.env,
                                            flow->core.merchant_id))
           != NGX_OK)
    {
        input->db_failure = PAY_DB_OVERLOADED;
        input->retry_after_s = ngx_payments_bulkhead_retry_s(&flow->place);
        return NGX_OK;
    }

    if (flow->late) {
        flow->late = 0;
        ngx_payments_count_stage_timeout((pay_stage_t) flow->late_stage);
        input->db_failure = PAY_DB_OVERLOADED;
        return NGX_OK;
    }

    ngx_payments_fault("before", pay_op(effect->op)->name);

    switch (begin_call(flow)) {

    case NGX_OK:
        return NGX_AGAIN;

    case NGX_BUSY:
        input->db_failure = PAY_DB_OVERLOADED;
        input->retry_after_s = flow->call.retry_after_s;
        break;

    default:
        input->db_failure = PAY_DB_UNAVAILABLE;
        break;
    }

    return has_patience(flow) ? NGX_AGAIN : NGX_OK;
}


/* Both the operation and the flow say that nothing is decided by the answer,
 * and the storefront how old it may be; without it nobody reads it. */
static ngx_int_t
begin_call(ngx_payments_flow_t *flow)
{
    ngx_http_payments_ctx_t  *ctx = NULL;

    if (flow->request != NULL && flow->core.type->may_be_late
        && pay_op(flow->call.op)->may_be_late)
    {
        ctx = ngx_http_payments_get_ctx(flow->request);
    }

    if (ctx == NULL) {
        flow->call.at_replica = 0;
        flow->call.age = 0;
        return ngx_payments_db_call(&flow->call);
    }

    return ngx_payments_replica_call(&flow->call, ctx->max_age);
}


/* An operation that was never sent: it is asked for again in a moment, where
 * the flow has the time.  1: it will be. */
static ngx_uint_t
has_patience(ngx_payments_flow_t *flow)
{
    if (flow->alone == NULL || !flow->core.type->is_patient || ngx_exiting
        || flow->alone->waits >= PATIENCE_MAX)
    {
        return 0;
    }

    flow->alone->waits++;

    return pace_event(flow, patience_handler, PATIENCE_MS) == NGX_OK;
}


static void
patience_handler(ngx_event_t *ev)
{
    ngx_int_t             rc;
    pay_input_t           input;
    ngx_payments_flow_t  *flow = ev->data;

    flow->wait_started = ngx_current_msec;
    rc = ngx_payments_db_call(&flow->call);

    if (rc == NGX_OK || has_patience(flow)) {
        return;
    }

    ngx_memzero(&input, sizeof(pay_input_t));
    input.kind = PAY_INPUT_DB_FAILED;
    input.db_failure = rc == NGX_BUSY ? PAY_DB_OVERLOADED : PAY_DB_UNAVAILABLE;

    flow->step(flow, &input);
}


/* The request lies in the scratch arena, and is copied if it has to outlive the
 * step.
 * - can_wait: questions of jobs leave the last places of a PSP to buyers.
 * - timeout: a buyer in front of a page waits for payments_buyer_timeout at
 *   most. */
ngx_int_t
ngx_payments_effect_http(ngx_payments_flow_t *flow, pay_effect_t *effect,
    pay_input_t *input)
{
    ngx_int_t              rc;
    ngx_payments_http_t   *http = &flow->http;

    ngx_memzero(http, sizeof(ngx_payments_http_t));

    http->psp = called(flow->pmcf, effect);
    http->call = effect->call;
    http->can_wait = !effect->buyer_waits && effect->call == PAY_CALL_QUERY;
    http->pool = passes(effect) ? ngx_payments_flow_args_pool(flow)
                                : flow->pool;
    http->done = http_done;
    http->data = flow;
    http->timeout = http->psp->total_timeout;
    http->request_id = flow->core.request_id;
    http->trace_id = pay_trace_id(flow->core.trace);
    flow->wait_started = ngx_current_msec;

    ngx_payments_fault("before", pay_call_name(effect->call));

    if (effect->buyer_waits) {
        http->timeout = ngx_min(http->timeout, flow->pmcf->buyer_timeout);
    }

    if (http->pool == NULL || keep_request(flow, effect) != PAY_OK) {
        no_answer(&http->answer, PAY_FAILURE_MEMORY);
        rc = NGX_DECLINED;

    } else if (effect->call == PAY_CALL_CERTIFICATE) {
        rc = get_cert(flow);

    } else if (effect->call == PAY_CALL_CONFIRM
               && !ngx_payments_confirm_may(http->psp))
    {
        no_answer(&http->answer, PAY_FAILURE_BUSY);
        rc = NGX_DECLINED;

    } else if (effect->buyer_waits
               && !ngx_payments_question_may(effect->http.url))
    {
        no_answer(&http->answer, PAY_FAILURE_BUSY);
        rc = NGX_DECLINED;

    } else {
        rc = is_paced(flow) ? pace_call(flow) : ngx_payments_psp_call(http);
    }

    if (goes_at_once(flow, effect)) {
        http->request = NULL;                  /* ends with the step */
    }

    if (rc == NGX_OK) {
        return NGX_AGAIN;
    }

    ngx_memzero(input, sizeof(pay_input_t));
    input->kind = PAY_INPUT_HTTP;
    input->answer = &http->answer;

    return NGX_OK;
}


/* A PSP, the client of a provider of pay-outs, of screening or of risk, or that
 * of all endpoints of storefronts. */
static const ngx_payments_psp_t *
called(const ngx_http_payments_main_conf_t *pmcf, const pay_effect_t *effect)
{
    ngx_payments_psp_t            **psps = pmcf->psps.elts;
    ngx_payments_payout_t         **payouts = pmcf->payouts.elts;
    ngx_payments_screening_t      **screenings = pmcf->screenings.elts;
    ngx_payments_risk_provider_t  **risks = pmcf->risk.providers.elts;

    if (effect->call == PAY_CALL_DELIVERY) {
        return &pmcf->endpoints.client;
    }

    if (effect->screening != NULL) {
        return &screenings[effect->screening->index]->client;
    }

    if (effect->risk_provider != NULL) {
        return &risks[effect->risk_provider->index]->client;
    }

    return effect->payout != NULL ? &payouts[effect->payout->index]->client
                                  : psps[effect->psp->index];
}


/* Thousands of pages go through one flow: each lasts until its rows are
 * stored. */
static ngx_uint_t
passes(const pay_effect_t *effect)
{
    return effect->call == PAY_CALL_SETTLEMENT;
}


/* Copies the request: the core built it in the step's scratch arena, which is
 * reset when the step returns.  libcurl copies all but the body, so the whole
 * request is copied only if it is not sent at once, or may be sent again. */
static pay_status_t
keep_request(ngx_payments_flow_t *flow, pay_effect_t *effect)
{
    pay_arena_t         *arena = passes(effect) ? &flow->args : &flow->arena;
    pay_http_request_t  *kept;

    PAY_TRY(keep_body(flow->pool, &effect->http.body));

    if (goes_at_once(flow, effect)) {
        flow->http.request = &effect->http;
        return PAY_OK;
    }

    kept = pay_alloc(arena, sizeof(pay_http_request_t));
    if (kept == NULL) {
        return PAY_NO_MEMORY;
    }

    flow->http.request = kept;

    return copy_request(arena, &effect->http, kept);
}


/* In an allocation of its own, as long as it is: in the flow's pool it would
 * take another block in most calls. */
static pay_status_t
keep_body(ngx_pool_t *pool, pay_str_t *body)
{
    u_char  *p;

    if (body->len == 0) {
        return PAY_OK;
    }

    p = ngx_pmemalign(pool, body->len, NGX_POOL_ALIGNMENT);
    if (p == NULL) {
        return PAY_NO_MEMORY;
    }

    ngx_memcpy(p, body->data, body->len);
    body->data = p;

    return PAY_OK;
}


/* Jobs may be paced, access tokens waited for and renewed after a 401. */
static ngx_uint_t
goes_at_once(const ngx_payments_flow_t *flow, const pay_effect_t *effect)
{
    return !flow->alone && !pay_call_is_aside(effect->call)
           && !ngx_payments_oauth_is_wanted(flow->http.psp);
}


/* Names of fields are literals of the adapters and need no copy. */
static pay_status_t
copy_request(pay_arena_t *arena, const pay_http_request_t *request,
    pay_http_request_t *kept)
{
    unsigned  i;

    *kept = *request;

    for (i = 0; i < kept->field_count; i++) {
        PAY_TRY(pay_dup(arena, request->fields[i].value,
                        &kept->fields[i].value));
    }

    return pay_dup(arena, request->url, &kept->url);
}


/* No client waits for a job: it has the database's own deadlines. */
static ngx_msec_t
deadline_of(const ngx_payments_flow_t *flow, pay_stage_t stage)
{
    return stage == PAY_STAGE_NONE || flow->alone ? 0
                                                  : flow->pmcf->stages[stage];
}


/* A flow whose PSP is not known stores nothing. */
static ngx_uint_t
may_store(const ngx_payments_flow_t *flow)
{
    const pay_psp_conf_t  *psp;

    psp = pay_env_psp(&flow->pmcf->env, flow->core.psp_name);

    return psp != NULL && ngx_payments_quarantine_take(psp);
}


/* Each endpoint of a storefront has a cap of its own, in PostgreSQL. */
static ngx_uint_t
is_paced(const ngx_payments_flow_t *flow)
{
    return flow->alone != NULL && flow->http.call != PAY_CALL_DELIVERY;
}


/* Calls for which no client waits are sent to the PSP at the pace of jobs.
 * NGX_OK: under way, or will be; NGX_DECLINED: the answer is there already.
 * The place in time is taken under the zone's lock, so that all workers of the
 * host keep within psp_rate of payments_jobs together; a job whose turn is too
 * far ahead fails as BUSY and comes again later, as its lease must not run out
 * while it waits. */
static ngx_int_t
pace_call(ngx_payments_flow_t *flow)
{
    ngx_msec_t            wait;
    ngx_payments_http_t  *http = &flow->http;

    if (ngx_payments_health_pace(http->psp, &wait) != NGX_OK) {
        no_answer(&http->answer, PAY_FAILURE_BUSY);
        ngx_payments_count_psp(http->psp, http->call, &http->answer, 0,
                               http->request_id, http->trace_id);
        return NGX_DECLINED;
    }

    if (wait == 0) {
        return ngx_payments_psp_call(http);
    }

    if (pace_event(flow, pace_handler, wait) != NGX_OK) {
        no_answer(&http->answer, PAY_FAILURE_MEMORY);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* The timer of a flow for which no client waits. */
static ngx_int_t
pace_event(ngx_payments_flow_t *flow, ngx_event_handler_pt handler,
    ngx_msec_t wait)
{
    if (flow->alone->pace == NULL) {
        flow->alone->pace = ngx_pcalloc(flow->pool, sizeof(ngx_event_t));
        if (flow->alone->pace == NULL) {
            return NGX_ERROR;
        }
    }

    flow->alone->pace->handler = handler;
    flow->alone->pace->data = flow;
    flow->alone->pace->log = ngx_cycle->log;
    ngx_add_timer(flow->alone->pace, wait);

    return NGX_OK;
}


/* The request was copied into the flow, the step that made it is long over.
 * A call that cannot begin now is answered as in ngx_payments_effect_http(). */
static void
pace_handler(ngx_event_t *ev)
{
    pay_input_t           input;
    ngx_payments_flow_t  *flow = ev->data;

    flow->wait_started = ngx_current_msec;

    if (ngx_payments_psp_call(&flow->http) == NGX_OK) {
        return;
    }

    ngx_memzero(&input, sizeof(pay_input_t));
    input.kind = PAY_INPUT_HTTP;
    input.answer = &flow->http.answer;

    flow->step(flow, &input);
}


/* NGX_OK: under way; NGX_DECLINED: the answer is there already.  The URL comes
 * from a header of a webhook that is not verified yet, so anybody may choose
 * it: the core has compared its host with webhook_cert_host, and the cache
 * limits how often it is fetched. */
static ngx_int_t
get_cert(ngx_payments_flow_t *flow)
{
    ngx_int_t           rc;
    pay_str_t           url = flow->http.request->url;
    pay_http_answer_t  *answer = &flow->http.answer;

    no_answer(answer, PAY_FAILURE_NONE);

    rc = ngx_payments_cert_get(flow->http.psp, url, flow->pool,
                               &answer->body);

    switch (rc) {

    case NGX_OK:
        answer->sent = PAY_ANSWERED;
        answer->reach = PAY_REACH_COMPLETE;
        answer->status = NGX_HTTP_OK;
        return NGX_DECLINED;

    case NGX_DECLINED:
        break;

    default:
        no_answer(answer, rc == NGX_BUSY ? PAY_FAILURE_BUSY
                                         : PAY_FAILURE_MEMORY);
        return NGX_DECLINED;
    }

    if (ngx_payments_psp_call(&flow->http) == NGX_OK) {
        return NGX_OK;
    }

    tell_cert(url, answer);

    return NGX_DECLINED;
}


/* -1: the PSP has said nothing about a repetition. */
static void
no_answer(pay_http_answer_t *answer, pay_failure_t why)
{
    ngx_memzero(answer, sizeof(pay_http_answer_t));
    answer->sent = PAY_SENT_NOTHING;
    answer->failure = why;
    answer->retry_after_s = -1;
    answer->should_retry = -1;
}


/* Arguments end here unless the next operation needs them (keeps_args).  The
 * result belongs to the batch and ends when flow->step() returns; the flow may
 * be gone by then. */
static void
db_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    pay_input_t           input;
    ngx_payments_flow_t  *flow = call->data;

    ngx_payments_fault("after", pay_op(call->op)->name);

    flow->in_handler = 0;
    flow->db_ms += ngx_current_msec - flow->wait_started;

    if (result == NULL && (failure == PAY_DB_OVERLOADED
                           || failure == PAY_DB_UNAVAILABLE)
        && has_patience(flow))
    {
        return;
    }

    if (result != NULL && flow->alone != NULL) {
        flow->alone->waits = 0;
    }

    ngx_payments_note_row(flow, result);
    note_age(flow, call);

    if (!flow->core.keeps_args) {
        ngx_payments_flow_drop_args(flow);
    }

    flow->core.keeps_args = 0;

    ngx_memzero(&input, sizeof(pay_input_t));
    input.kind = result != NULL ? PAY_INPUT_ROW : PAY_INPUT_DB_FAILED;

    if (result != NULL) {
        input.result = *result;
    }

    input.db_failure = failure;
    input.retry_after_s = call->retry_after_s;

    flow->step(flow, &input);
}


/* The answer is as old as the oldest of its rows. */
static void
note_age(ngx_payments_flow_t *flow, const ngx_payments_call_t *call)
{
    ngx_http_payments_ctx_t  *ctx;

    if (call->age == 0 || flow->request == NULL) {
        return;
    }

    ctx = ngx_http_payments_get_ctx(flow->request);

    if (ctx != NULL) {
        ctx->age = ngx_max(ctx->age, call->age);
    }
}


/* in_handler is cleared here and in db_done(): from now on nginx' content
 * handler is not on the stack. */
static void
http_done(ngx_payments_http_t *http, const pay_http_answer_t *answer)
{
    pay_input_t           input;
    ngx_payments_flow_t  *flow = http->data;

    ngx_payments_fault("after", pay_call_name(http->call));

    flow->in_handler = 0;
    if (http->call != PAY_CALL_RISK) {
        flow->psp_ms += ngx_current_msec - flow->wait_started;
    }

    ngx_payments_note_answer(flow, answer);

    if (flow->alone != NULL && flow->alone->answered != NULL) {
        flow->alone->answered(flow->alone->data);
    }

    if (http->call == PAY_CALL_CERTIFICATE) {
        tell_cert(http->request->url, answer);
    }

    ngx_memzero(&input, sizeof(pay_input_t));
    input.kind = PAY_INPUT_HTTP;
    input.answer = answer;

    flow->step(flow, &input);
}


/* Whatever came of it, or the place of the fetch would never be free again. */
static void
tell_cert(pay_str_t url, const pay_http_answer_t *answer)
{
    pay_str_t  none = PAY_STR("");

    ngx_payments_cert_put(url, answer->sent == PAY_ANSWERED
                               && answer->status == NGX_HTTP_OK
                               ? answer->body : none);
}

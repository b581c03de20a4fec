/*
 * Carries a core flow's effects out and brings the events back.  The flow
 * owns its pool and outlives the request; the request only subscribes to the
 * answer and may leave at any time.
 */

#include "ngx_payments_flow.h"


#define POOL_SIZE         8192
#define QUESTIONS         1024
#define QUESTION_PACE_MS  1000


/* When a buyer's return last asked a PSP about a payment; in this worker. */
typedef struct {
    uint32_t      hash;
    ngx_uint_t    set;
    ngx_msec_t    asked;
} question_t;


static void flow_step(ngx_payments_flow_t *flow, pay_event_t *event);
static ngx_int_t flow_db(ngx_payments_flow_t *flow, pay_effect_t *effect,
    pay_event_t *event);
static ngx_int_t flow_http(ngx_payments_flow_t *flow, pay_effect_t *effect,
    pay_event_t *event);
static ngx_uint_t asked_just_now(pay_str_t url);
static void db_done(ngx_payments_call_t *call, const pay_value_t *row,
    pay_db_failure_t failure);
static void http_done(ngx_payments_http_t *http,
    const pay_http_answer_t *answer);
static void flow_reply(ngx_payments_flow_t *flow, const pay_reply_t *reply);
static void flow_note(ngx_payments_flow_t *flow);
static ngx_str_t note_text(ngx_pool_t *pool, pay_str_t text);
static void flow_end(ngx_payments_flow_t *flow);
static void request_gone(void *data);
static void *pool_alloc(void *pool, size_t size);


static ngx_uint_t  live;
static question_t  questions[QUESTIONS];


ngx_payments_flow_t *
ngx_payments_flow_create(ngx_http_payments_main_conf_t *pmcf)
{
    ngx_pool_t           *pool;
    ngx_payments_flow_t  *flow;

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
    flow->arena.alloc = pool_alloc;
    flow->arena.owner = pool;
    flow->pmcf = pmcf;
    flow->core.arena = &flow->arena;
    flow->core.env = &pmcf->env;
    flow->core.name = "none";

    return flow;
}


pay_flow_t *
ngx_payments_flow_core(ngx_payments_flow_t *flow)
{
    return &flow->core;
}


ngx_int_t
ngx_payments_flow_start(ngx_payments_flow_t *flow, ngx_http_request_t *r)
{
    pay_event_t               event;
    ngx_http_cleanup_t       *cln;
    ngx_http_payments_ctx_t  *ctx;

    live++;
    ngx_payments_gauge_flows(1);
    flow->started = 1;
    flow->in_handler = 1;

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

    ngx_memzero(&event, sizeof(pay_event_t));
    event.kind = PAY_EVENT_START;

    flow_step(flow, &event);

    return NGX_DONE;
}


void
ngx_payments_flow_discard(ngx_payments_flow_t *flow)
{
    ngx_destroy_pool(flow->pool);
}


ngx_uint_t
ngx_payments_flows_live(void)
{
    return live;
}


/* Steps until something has to be waited for. */
static void
flow_step(ngx_payments_flow_t *flow, pay_event_t *event)
{
    ngx_int_t     rc;
    pay_effect_t  effect;

    for ( ;; ) {
        event->now_s = ngx_time();
        pay_flow_run(&flow->core, event, &effect);

        if (effect.reply != NULL) {
            flow_reply(flow, effect.reply);
        }

        switch (effect.kind) {

        case PAY_DO_DB:
            rc = flow_db(flow, &effect, event);
            break;

        case PAY_DO_HTTP:
            rc = flow_http(flow, &effect, event);
            break;

        default:
            flow_end(flow);
            return;
        }

        if (rc == NGX_AGAIN) {
            return;
        }
    }
}


/* NGX_AGAIN: under way; NGX_OK: *event already says how it failed. */
static ngx_int_t
flow_db(ngx_payments_flow_t *flow, pay_effect_t *effect, pay_event_t *event)
{
    flow->call.op = effect->op;
    flow->call.args = effect->args;
    flow->call.done = db_done;
    flow->call.data = flow;
    flow->wait_started = ngx_current_msec;

    ngx_memzero(event, sizeof(pay_event_t));
    event->kind = PAY_EVENT_DB_FAILED;

    switch (ngx_payments_db_call(&flow->call)) {

    case NGX_OK:
        return NGX_AGAIN;

    case NGX_BUSY:
        event->db_failure = PAY_DB_OVERLOADED;
        return NGX_OK;

    default:
        event->db_failure = PAY_DB_UNAVAILABLE;
        return NGX_OK;
    }
}


static ngx_int_t
flow_http(ngx_payments_flow_t *flow, pay_effect_t *effect, pay_event_t *event)
{
    ngx_int_t             rc;
    ngx_payments_psp_t  **psps = flow->pmcf->psps.elts;

    flow->http_request = effect->http;
    flow->http.request = &flow->http_request;
    flow->http.psp = psps[effect->psp->index];
    flow->http.pool = flow->pool;
    flow->http.done = http_done;
    flow->http.data = flow;
    flow->http.timeout = flow->http.psp->total_timeout;
    flow->wait_started = ngx_current_msec;

    if (effect->buyer_waits && flow->http.timeout > flow->pmcf->buyer_timeout)
    {
        flow->http.timeout = flow->pmcf->buyer_timeout;
    }

    rc = effect->buyer_waits && asked_just_now(effect->http.url)
         ? NGX_BUSY : ngx_payments_curl_call(&flow->http);
    if (rc == NGX_OK) {
        return NGX_AGAIN;
    }

    ngx_memzero(event, sizeof(pay_event_t));
    ngx_memzero(&flow->no_answer, sizeof(pay_http_answer_t));
    flow->no_answer.sent = PAY_SENT_NOTHING;
    flow->no_answer.failure = rc == NGX_BUSY ? "busy" : "memory";
    flow->no_answer.retry_after_s = -1;
    flow->no_answer.should_retry = -1;
    event->kind = PAY_EVENT_HTTP;
    event->answer = &flow->no_answer;

    return NGX_OK;
}


/* One question a second for one payment, however often its buyer, or whoever
 * holds the link, comes back: the PSP's quota is all merchants'. */
static ngx_uint_t
asked_just_now(pay_str_t url)
{
    uint32_t     hash;
    question_t  *question;

    hash = ngx_crc32_long((u_char *) url.data, url.len);
    question = &questions[hash % QUESTIONS];

    if (question->hash == hash && question->set
        && ngx_current_msec - question->asked < QUESTION_PACE_MS)
    {
        return 1;
    }

    question->hash = hash;
    question->set = 1;
    question->asked = ngx_current_msec;

    return 0;
}


static void
db_done(ngx_payments_call_t *call, const pay_value_t *row,
    pay_db_failure_t failure)
{
    pay_event_t           event;
    ngx_payments_flow_t  *flow = call->data;

    flow->in_handler = 0;
    flow->db_ms += ngx_current_msec - flow->wait_started;

    ngx_memzero(&event, sizeof(pay_event_t));
    event.kind = row != NULL ? PAY_EVENT_ROW : PAY_EVENT_DB_FAILED;
    event.row = row;
    event.db_failure = failure;

    flow_step(flow, &event);
}


static void
http_done(ngx_payments_http_t *http, const pay_http_answer_t *answer)
{
    pay_event_t           event;
    ngx_payments_flow_t  *flow = http->data;

    flow->in_handler = 0;
    flow->psp_ms += ngx_current_msec - flow->wait_started;

    if (answer->failure != NULL) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: psp call failed, psp:%V, why:%s, sent:%d",
                      &ngx_payments_nstr(http->psp->psp.name),
                      answer->failure, (int) answer->sent);
    }

    ngx_memzero(&event, sizeof(pay_event_t));
    event.kind = PAY_EVENT_HTTP;
    event.answer = answer;

    flow_step(flow, &event);
}


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
    rc = ngx_http_payments_reply(r, reply);
    ngx_http_finalize_request(r, rc);

    /* what is posted may free the request, which the content handler on the
     * stack is about to finalize: there nginx itself runs it afterwards */
    if (!flow->in_handler) {
        ngx_http_run_posted_requests(c);
    }
}


/* What the request's log line may say, in the request's own memory. */
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

    if (core->outcome != NULL) {
        ctx->outcome = note_text(pool, pay_str_of(core->outcome));
    }
}


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


static void
flow_end(ngx_payments_flow_t *flow)
{
    pay_flow_t  *core = &flow->core;

    live--;
    ngx_payments_gauge_flows(-1);

    if (ngx_strcmp(core->name, "webhook") == 0 && core->outcome != NULL) {
        ngx_payments_count_webhook(core->outcome);
    }

    if (ngx_strcmp(core->name, "job") == 0) {
        ngx_payments_count_job(core->outcome ? core->outcome : "none");
    }

    if (core->outcome != NULL && ngx_strcmp(core->outcome, "mismatch") == 0) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "payments: the PSP's amount or token differs from the "
                      "order's, merchant:%V, checkout:%V",
                      &ngx_payments_nstr(core->merchant_id),
                      &ngx_payments_nstr(core->checkout_id));
    }

    if (flow->ended != NULL) {
        flow->ended(flow->ended_data);
    }

    ngx_destroy_pool(flow->pool);
}


static void
request_gone(void *data)
{
    ngx_payments_flow_t  *flow = data;

    flow->request = NULL;
}


static void *
pool_alloc(void *pool, size_t size)
{
    return ngx_palloc(pool, size);
}

/*
 * The console: files for everybody, JSON for staff.
 *
 *     a file ─▶ GET ─▶ from memory
 *     api/… ─▶ address' quota ─▶ token ─▶ from the same origin? ─▶ page, method
 *       ─▶ parameters ─▶ an answer that others have had some seconds ago, or
 *          a place ─▶ flow ─▶ JSON, and a line in the log when it shows data of
 *          a person
 *
 *     api/act/… ─▶ the same with POST (ngx_http_payments_console_act.c)
 *
 * The files hold no data and need no token, so that a browser without one gets
 * a page that says so.  Which roles may see a page is for PostgreSQL.
 */

#include "http/ngx_http_payments_console.h"
#include "http/ngx_http_payments_answers.h"
#include "http/ngx_http_payments_assets.h"
#include "http/ngx_http_payments_console_act.h"
#include "http/ngx_http_payments_limit.h"
#include "http/ngx_http_payments_node.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_staff.h"
#include "run/ngx_payments_flow.h"
#include "shm/ngx_payments_bulkhead.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_memory.h"
#include "pay_flow_console.h"


#define ALLOW      "GET, HEAD, OPTIONS"
#define API        "api/"
#define ACT        "act/"
#define RETRY_S    2


static ngx_int_t serve_file(ngx_http_request_t *r, pay_str_t name);
static ngx_int_t serve_page(ngx_http_request_t *r, pay_str_t name);
static ngx_int_t check_caller(ngx_http_request_t *r, pay_err_t *err);
static ngx_int_t start_page(ngx_http_request_t *r,
    const pay_console_page_t *page);
static ngx_int_t set_key(ngx_http_request_t *r,
    const pay_console_asked_t *asked);
static ngx_int_t start_flow(ngx_http_request_t *r,
    const pay_console_asked_t *asked);
static ngx_int_t ask(ngx_http_request_t *r, pay_flow_t *core,
    const pay_console_asked_t *asked);
static pay_status_t add_node(ngx_http_request_t *r, pay_arena_t *arena,
    pay_console_asked_t *asked);
static ngx_int_t reply_page(ngx_http_request_t *r, const pay_reply_t *reply);


ngx_int_t
ngx_http_payments_console(ngx_http_request_t *r)
{
    pay_str_t                      name;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    if (r->uri.len < plcf->prefix.len) {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    name.data = r->uri.data + plcf->prefix.len;
    name.len = r->uri.len - plcf->prefix.len;

    if (name.len < sizeof(API) - 1
        || ngx_strncmp(name.data, API, sizeof(API) - 1) != 0)
    {
        return serve_file(r, name);
    }

    name.data += sizeof(API) - 1;
    name.len -= sizeof(API) - 1;

    return serve_page(r, name);
}


/* The address of a page of the console leads to its index, which reads the rest
 * from the address: links into the console can be passed on. */
static ngx_int_t
serve_file(ngx_http_request_t *r, pay_str_t name)
{
    ngx_int_t                       rc;
    const ngx_payments_asset_t     *asset;
    ngx_http_payments_main_conf_t  *pmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    if (name.len == 0 || pay_console_page(name) != NULL) {
        name = PAY_STR("index.html");
    }

    asset = ngx_http_payments_asset(pmcf, name);

    return asset != NULL ? ngx_http_payments_send_asset(r, asset)
           : ngx_http_payments_problem(r, "not-found", NULL, NULL);
}


/* The token comes first: who has none does not learn which pages there are. */
static ngx_int_t
serve_page(ngx_http_request_t *r, pay_str_t name)
{
    ngx_int_t                  rc;
    pay_err_t                  err;
    ngx_http_payments_ctx_t   *ctx;
    const pay_console_page_t  *page;

    if (check_caller(r, &err) != NGX_OK) {
        return ngx_http_payments_problem(r, err.slug, err.detail, NULL);
    }

    if (name.len >= sizeof(ACT) - 1
        && ngx_strncmp(name.data, ACT, sizeof(ACT) - 1) == 0)
    {
        name.data += sizeof(ACT) - 1;
        name.len -= sizeof(ACT) - 1;

        return ngx_http_payments_console_act(r, name);
    }

    page = pay_console_page(name);
    if (page == NULL) {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    ctx = ngx_http_payments_get_ctx(r);
    ctx->page = ngx_payments_nstr(pay_str_of(pay_console_page_name(page)));

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    rc = ngx_http_discard_request_body(r);

    return rc == NGX_OK ? start_page(r, page) : rc;
}


static ngx_int_t
check_caller(ngx_http_request_t *r, pay_err_t *err)
{
    switch (ngx_http_payments_limit(r, PAY_STR(""))) {

    case NGX_OK:
        break;

    case NGX_BUSY:
        return ngx_http_payments_refuse(err, "quota-exceeded", NULL);

    default:
        return ngx_http_payments_refuse(err, "overloaded", NULL);
    }

    if (ngx_http_payments_staff(r, err) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_payments_same_origin(r, err);
}


static ngx_int_t
start_page(ngx_http_request_t *r, const pay_console_page_t *page)
{
    pay_err_t                       err;
    pay_arena_t                     arena = ngx_payments_arena(r->pool);
    pay_status_t                    status;
    pay_console_asked_t             asked;
    ngx_http_payments_ctx_t        *ctx = ngx_http_payments_get_ctx(r);
    ngx_http_payments_answer_t      answer;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    status = pay_console_parse(&arena, ngx_payments_str(r->args), page,
                               &pmcf->console.facts, &asked, &err);

    if (status == PAY_OK
        && ngx_http_payments_console_cell(asked.cell, &ctx->cell, &err)
           != NGX_OK)
    {
        status = PAY_INVALID;
    }

    if (status == PAY_INVALID) {
        return ngx_http_payments_problem(r, err.slug, err.detail, NULL);
    }

    if (status != PAY_OK || set_key(r, &asked) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->shared.len != 0
        && ngx_http_payments_answer_find(r, &ctx->shared, &answer) == NGX_OK)
    {
        return ngx_http_payments_answer_send(r, &answer);
    }

    return start_flow(r, &asked);
}


static ngx_int_t
set_key(ngx_http_request_t *r, const pay_console_asked_t *asked)
{
    pay_str_t                 key;
    pay_arena_t               arena = ngx_payments_arena(r->pool);
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    switch (pay_console_shared_key(&arena, ctx->staff, asked, &key)) {

    case PAY_OK:
        ctx->shared = ngx_payments_nstr(key);
        return NGX_OK;

    case PAY_NOT_FOUND:
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


/* Staff wait before buyers do: under pressure no page is made. */
static ngx_int_t
start_flow(ngx_http_request_t *r, const pay_console_asked_t *asked)
{
    int64_t                   retry_after_s = RETRY_S;
    ngx_payments_flow_t      *flow;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    if (ngx_payments_bulkhead_is_pressed(ctx->cell)) {
        return ngx_http_payments_overloaded(r, RETRY_S);
    }

    flow = ngx_payments_flow_create(
        ngx_http_get_module_main_conf(r, ngx_http_payments_module), ctx->cell);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_payments_flow_admit(flow, NGX_PAYMENTS_WORK_CONSOLE, NULL,
                                &retry_after_s) != NGX_OK)
    {
        ngx_payments_flow_discard(flow);
        return ngx_http_payments_overloaded(r, retry_after_s);
    }

    if (ask(r, ngx_payments_flow_core(flow), asked) == NGX_OK) {
        return ngx_payments_flow_start(flow, r, reply_page);
    }

    ngx_payments_flow_discard(flow);

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* All memory is the flow's, which may outlive the request. */
static ngx_int_t
ask(ngx_http_request_t *r, pay_flow_t *core, const pay_console_asked_t *asked)
{
    pay_staff_t                     staff;
    pay_console_asked_t             copy = *asked;
    ngx_http_payments_ctx_t        *ctx = ngx_http_payments_get_ctx(r);
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    return pay_dup(core->arena, asked->query, &copy.query) == PAY_OK
           && add_node(r, core->arena, &copy) == PAY_OK
           && pay_dup(core->arena,
                      (pay_str_t) { PAY_UUID_TEXT, ctx->request_id },
                      &core->request_id) == PAY_OK
           && pay_staff_copy(core->arena, ctx->staff, &staff) == PAY_OK
           && pay_flow_console(core, &staff, &copy,
                               pmcf->console.facts.can_act) == PAY_OK
           ? NGX_OK : NGX_ERROR;
}


/* Behind the key of a shared answer, as it differs each time. */
static pay_status_t
add_node(ngx_http_request_t *r, pay_arena_t *arena,
    pay_console_asked_t *asked)
{
    pay_str_t                       node;
    ngx_http_payments_main_conf_t  *pmcf;

    if (!pay_console_wants_node(asked)) {
        return PAY_OK;
    }

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    PAY_TRY(ngx_http_payments_node(pmcf, ngx_http_payments_get_ctx(r)->cell,
                                   arena, &node));

    return pay_console_add_node(arena, node, asked);
}


/* Each look at data of a person that is not masked is logged with the name of
 * who looked; the address says of which payment.  Such an answer is never
 * kept. */
static ngx_int_t
reply_page(ngx_http_request_t *r, const pay_reply_t *reply)
{
    ngx_http_payments_ctx_t     *ctx = ngx_http_payments_get_ctx(r);
    ngx_http_payments_answer_t   answer;

    if (reply->is_personal && ctx != NULL) {
        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      "payments: personal data shown, staff:%V, page:%V, "
                      "asked:%V, request_id:%*s", &ctx->staff_id, &ctx->page,
                      &r->args, (size_t) sizeof(ctx->request_id),
                      ctx->request_id);
    }

    if (reply->kind != PAY_REPLY_JSON || reply->is_personal || ctx == NULL
        || ngx_http_payments_answer_make(reply->body, &answer) != NGX_OK)
    {
        return ngx_http_payments_reply(r, reply);
    }

    if (ctx->shared.len != 0) {
        ngx_http_payments_answer_keep(&ctx->shared, &answer, ctx->db_ms);
    }

    return ngx_http_payments_answer_send(r, &answer);
}

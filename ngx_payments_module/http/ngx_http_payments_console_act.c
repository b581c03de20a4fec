/*
 * Acts of staff on the console: from a request to the input of its flow.  The
 * console has looked at the token and at the origin already; PostgreSQL judges
 * the rest.
 */

#include "http/ngx_http_payments_console_act.h"
#include "http/ngx_http_payments_body.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_start.h"
#include "shm/ngx_payments_bulkhead.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"
#include "pay_flow_console.h"


#define ALLOW    "POST, OPTIONS"
#define RETRY_S  2
#define SKEW_S   60


static ngx_int_t choose_cell(ngx_http_request_t *r, pay_err_t *err);
static void act_body(ngx_http_request_t *r, pay_str_t body);
static ngx_int_t start_act(ngx_http_request_t *r, pay_str_t body);
static ngx_int_t fill_input(ngx_http_request_t *r, pay_flow_t *core,
    pay_str_t body, pay_console_act_input_t *in);


ngx_int_t
ngx_http_payments_console_act(ngx_http_request_t *r, pay_str_t name)
{
    pay_err_t                 err;
    const char               *act = pay_console_act_name(name);
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    if (act == NULL) {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    ctx->page = ngx_payments_nstr(pay_str_of(act));

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    if (!ngx_payments_main_conf()->console.facts.can_act) {
        return ngx_http_payments_problem(r, "acts-off", NULL, NULL);
    }

    switch (choose_cell(r, &err)) {

    case NGX_OK:
        return ngx_http_payments_read_body(r, act_body);

    case NGX_DECLINED:
        return ngx_http_payments_problem(r, err.slug, err.detail, NULL);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


static ngx_int_t
choose_cell(ngx_http_request_t *r, pay_err_t *err)
{
    pay_str_t    name;
    pay_arena_t  arena = ngx_payments_arena(r->pool);

    switch (pay_console_parse_cell(&arena, ngx_payments_str(r->args), &name,
                                   err))
    {

    case PAY_OK:
        return ngx_http_payments_console_cell(
            name, &ngx_http_payments_get_ctx(r)->cell, err);

    case PAY_INVALID:
        return NGX_DECLINED;

    default:
        return NGX_ERROR;
    }
}


ngx_int_t
ngx_http_payments_console_cell(pay_str_t name, ngx_uint_t *cell,
    pay_err_t *err)
{
    ngx_payments_cell_t            *found;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();

    if (name.len == 0) {
        *cell = pmcf->console.cell;
        return NGX_OK;
    }

    found = ngx_payments_cell_named(pmcf, name);
    if (found == NULL) {
        return ngx_http_payments_refuse(err, "validation-error",
                                        "cell must be the name of a cell: the "
                                        "page me has them all");
    }

    *cell = found->index;

    return NGX_OK;
}


static void
act_body(ngx_http_request_t *r, pay_str_t body)
{
    ngx_http_finalize_request(r, start_act(r, body));
}


/* As pages, acts of staff wait before buyers do. */
static ngx_int_t
start_act(ngx_http_request_t *r, pay_str_t body)
{
    int64_t                   retry_after_s = RETRY_S;
    pay_flow_t               *core;
    ngx_payments_flow_t      *flow;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);
    pay_console_act_input_t   in;

    if (body.len > PAY_CONSOLE_ACT_MAX) {
        return ngx_http_payments_problem(r, "content-too-large", NULL, NULL);
    }

    if (ngx_payments_bulkhead_is_pressed(ctx->cell)) {
        return ngx_http_payments_overloaded(r, RETRY_S);
    }

    flow = ngx_http_payments_new_flow(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_payments_flow_admit(flow, NGX_PAYMENTS_WORK_CONSOLE, NULL,
                                &retry_after_s) != NGX_OK)
    {
        ngx_payments_flow_discard(flow);
        return ngx_http_payments_overloaded(r, retry_after_s);
    }

    core = ngx_payments_flow_core(flow);

    if (fill_input(r, core, body, &in) != NGX_OK
        || pay_flow_console_act(core, &in) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_start(r, flow);
}


/* A log-in of the future is none, but for clocks that differ a little. */
static ngx_int_t
fill_input(ngx_http_request_t *r, pay_flow_t *core, pay_str_t body,
    pay_console_act_input_t *in)
{
    time_t                          now = ngx_time();
    ngx_http_payments_ctx_t        *ctx = ngx_http_payments_get_ctx(r);
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    ngx_memzero(in, sizeof(pay_console_act_input_t));

    in->act = pay_console_act_name(ngx_payments_str(ctx->page));
    in->terms = pmcf->console.terms;
    in->login_age_s = ctx->staff->auth_time_s < 0
                      || ctx->staff->auth_time_s > now + SKEW_S
                      ? -1 : ngx_max(now - ctx->staff->auth_time_s, 0);

    if (pmcf->audit.key.len != 0) {
        in->key = &pmcf->audit.key;
    }

    return pay_staff_copy(core->arena, ctx->staff, &in->staff) == PAY_OK
           && pay_dup(core->arena, body, &in->body) == PAY_OK
           ? NGX_OK : NGX_ERROR;
}

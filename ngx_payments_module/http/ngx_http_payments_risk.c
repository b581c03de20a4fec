/*
 * Requests about lists and reviews of risk: from a request to the input of its
 * flow, which looks at the body itself.
 */

#include "http/ngx_http_payments_risk.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_start.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


static ngx_int_t fill_input(ngx_http_request_t *r, pay_flow_t *core,
    pay_str_t id, pay_str_t body, pay_risk_act_input_t *in);


ngx_int_t
ngx_http_payments_risk(ngx_http_request_t *r, pay_risk_act_kind_t kind,
    pay_str_t id, pay_str_t body)
{
    pay_flow_t            *core;
    ngx_payments_flow_t   *flow;
    pay_risk_act_input_t   in;

    flow = ngx_http_payments_new_change(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    core = ngx_payments_flow_core(flow);
    ngx_memzero(&in, sizeof(pay_risk_act_input_t));
    in.kind = kind;

    if (fill_input(r, core, id, body, &in) != NGX_OK
        || pay_flow_risk_act(core, &in) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_start(r, flow);
}


/* All memory is the flow's, which outlives the request. */
static ngx_int_t
fill_input(ngx_http_request_t *r, pay_flow_t *core, pay_str_t id,
    pay_str_t body, pay_risk_act_input_t *in)
{
    pay_str_t                 base_url;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    in->merchant_id = ctx->merchant->id;

    return ngx_http_payments_base_url(r, &base_url) == NGX_OK
           && pay_dup(core->arena, base_url, &in->base_url) == PAY_OK
           && pay_dup(core->arena, id, &in->id) == PAY_OK
           && pay_dup(core->arena, body, &in->body) == PAY_OK
           && pay_dup(core->arena, ctx->subject, &in->subject) == PAY_OK
           ? NGX_OK : NGX_ERROR;
}


/* The query is the flow's, which outlives the request. */
ngx_int_t
ngx_http_payments_risk_list(ngx_http_request_t *r, pay_flow_t *core,
    pay_risk_list_t list, pay_str_t id, pay_err_t *err)
{
    pay_str_t                 args;
    pay_status_t              status;
    pay_risk_query_t          query;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    ngx_memzero(&query, sizeof(pay_risk_query_t));
    query.list = list;

    if (pay_dup(core->arena, ngx_payments_str(r->args), &args) != PAY_OK) {
        return NGX_ERROR;
    }

    status = pay_risk_query_parse(id, args, &query, err);

    if (status == PAY_NOT_FOUND) {
        return ngx_http_payments_refuse(err, "not-found", NULL);
    }

    if (status != PAY_OK) {
        return NGX_DECLINED;
    }

    return pay_flow_risk_list(core, ctx->merchant->id, &query) == PAY_OK
           ? NGX_OK : NGX_ERROR;
}

/*
 * Requests about events and the endpoints that take them: from a request to the
 * input of its flow.
 */

#include "http/ngx_http_payments_endpoint.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_start.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_random.h"


static ngx_int_t fill_input(ngx_http_request_t *r, pay_flow_t *core,
    pay_str_t id, pay_str_t body, pay_endpoint_act_input_t *in);


ngx_int_t
ngx_http_payments_endpoint(ngx_http_request_t *r,
    pay_endpoint_act_kind_t kind, pay_str_t id, pay_str_t body)
{
    pay_flow_t                *core;
    ngx_payments_flow_t       *flow;
    pay_endpoint_act_input_t   in;

    flow = ngx_http_payments_new_change(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    core = ngx_payments_flow_core(flow);
    ngx_memzero(&in, sizeof(pay_endpoint_act_input_t));
    in.kind = kind;

    if (fill_input(r, core, id, body, &in) != NGX_OK
        || pay_flow_endpoint(core, &in) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_start(r, flow);
}


/* All memory is the flow's, which outlives the request. */
static ngx_int_t
fill_input(ngx_http_request_t *r, pay_flow_t *core, pay_str_t id,
    pay_str_t body, pay_endpoint_act_input_t *in)
{
    u_char                    entropy[PAY_ENDPOINT_ENTROPY];
    ngx_int_t                 rc;
    pay_str_t                 base_url;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    in->merchant_id = ctx->merchant->id;

    if (ngx_payments_random(entropy, sizeof(entropy)) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = pay_dup(core->arena, (pay_str_t) { sizeof(entropy), entropy },
                 &in->entropy) == PAY_OK
         && ngx_payments_uuid(core->arena, &in->fresh_id) == NGX_OK
         && ngx_http_payments_base_url(r, &base_url) == NGX_OK
         && pay_dup(core->arena, base_url, &in->base_url) == PAY_OK
         && pay_dup(core->arena, id, &in->id) == PAY_OK
         && pay_dup(core->arena, body, &in->body) == PAY_OK
         && pay_dup(core->arena, ctx->key, &in->idempotency_key) == PAY_OK
         && pay_jwt_asker(core->arena, ctx->jwt_key->kid, ctx->subject,
                          &in->asked_by) == PAY_OK
         ? NGX_OK : NGX_ERROR;

    ngx_explicit_memzero(entropy, sizeof(entropy));

    return rc;
}


/* The query is the flow's, which outlives the request. */
ngx_int_t
ngx_http_payments_events(ngx_http_request_t *r, pay_flow_t *core,
    pay_events_list_t list, pay_str_t id, pay_err_t *err)
{
    pay_str_t                 args;
    pay_status_t              status;
    pay_events_query_t        query;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    ngx_memzero(&query, sizeof(pay_events_query_t));
    query.list = list;
    query.id = id;

    if (pay_dup(core->arena, ngx_payments_str(r->args), &args) != PAY_OK) {
        return NGX_ERROR;
    }

    status = pay_events_parse(args, &query, err);

    if (status == PAY_NOT_FOUND) {
        return ngx_http_payments_refuse(err, "not-found", NULL);
    }

    if (status != PAY_OK) {
        return NGX_DECLINED;
    }

    return pay_flow_events(core, ctx->merchant->id, &query) == PAY_OK
           ? NGX_OK : NGX_ERROR;
}

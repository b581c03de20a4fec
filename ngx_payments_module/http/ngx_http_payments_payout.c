/*
 * POST about pay-outs: from a request to the input of its flow, which looks at
 * the body itself.
 */

#include "http/ngx_http_payments_payout.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_start.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_random.h"


static ngx_int_t fill_input(ngx_http_request_t *r, pay_flow_t *core,
    pay_str_t id, pay_str_t body, pay_payout_act_input_t *in);


ngx_int_t
ngx_http_payments_payout(ngx_http_request_t *r, pay_payout_act_kind_t kind,
    pay_str_t id, pay_str_t body)
{
    pay_flow_t              *core;
    ngx_payments_flow_t     *flow;
    pay_payout_act_input_t   in;

    flow = ngx_http_payments_new_change(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    core = ngx_payments_flow_core(flow);
    ngx_memzero(&in, sizeof(pay_payout_act_input_t));
    in.kind = kind;

    if (fill_input(r, core, id, body, &in) != NGX_OK
        || pay_flow_payout_act(core, &in) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_start(r, flow);
}


/* All memory is the flow's, which outlives the request. */
static ngx_int_t
fill_input(ngx_http_request_t *r, pay_flow_t *core, pay_str_t id,
    pay_str_t body, pay_payout_act_input_t *in)
{
    u_char                         nonce[PAY_DESTINATION_NONCE];
    pay_str_t                      base_url;
    ngx_http_payments_ctx_t       *ctx = ngx_http_payments_get_ctx(r);
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    in->merchant_id = ctx->merchant->id;
    in->ttl_s = plcf->key_ttl;

    if (ngx_payments_random(nonce, sizeof(nonce)) != NGX_OK
        || pay_dup(core->arena, (pay_str_t) { sizeof(nonce), nonce },
                   &in->nonce) != PAY_OK
        || ngx_http_payments_base_url(r, &base_url) != NGX_OK
        || pay_dup(core->arena, base_url, &in->base_url) != PAY_OK
        || pay_dup(core->arena, id, &in->id) != PAY_OK
        || pay_dup(core->arena, body, &in->body) != PAY_OK
        || pay_dup(core->arena, ctx->key, &in->idempotency_key) != PAY_OK
        || pay_dup(core->arena, ctx->subject, &in->subject) != PAY_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}

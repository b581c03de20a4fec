/*
 * POST /v1/payments/{order}/refunds, /capture, /cancel: from a request to the
 * input of its flow, which looks at the body itself.
 */

#include "http/ngx_http_payments_change.h"
#include "http/ngx_http_payments_start.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_random.h"


static ngx_int_t fill_input(ngx_http_request_t *r, pay_flow_t *core,
    pay_str_t order_id, pay_str_t body, pay_change_input_t *in);


/* The body is checked by the flow, together with its order. */
ngx_int_t
ngx_http_payments_change(ngx_http_request_t *r, pay_change_kind_t kind,
    pay_str_t order_id, pay_str_t body)
{
    pay_flow_t               *core;
    pay_change_input_t        in;
    ngx_payments_flow_t      *flow;

    flow = ngx_http_payments_new_change(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    core = ngx_payments_flow_core(flow);
    ngx_memzero(&in, sizeof(pay_change_input_t));
    in.kind = kind;

    if (fill_input(r, core, order_id, body, &in) != NGX_OK
        || pay_flow_change(core, &in) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_start(r, flow);
}


/* All memory is the flow's, which outlives the request.  asked_by names the
 * token's key and subject, for the audit log. */
static ngx_int_t
fill_input(ngx_http_request_t *r, pay_flow_t *core, pay_str_t order_id,
    pay_str_t body, pay_change_input_t *in)
{
    ngx_http_payments_ctx_t       *ctx;
    ngx_http_payments_loc_conf_t  *plcf;

    ctx = ngx_http_payments_get_ctx(r);
    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    in->merchant = ctx->merchant;
    in->ttl_s = plcf->key_ttl;
    in->in_progress_status = (unsigned) plcf->in_progress;

    if (pay_dup(core->arena, order_id, &in->order_id) != PAY_OK
        || pay_dup(core->arena, body, &in->body) != PAY_OK
        || pay_dup(core->arena, ctx->key, &in->idempotency_key) != PAY_OK
        || pay_jwt_asker(core->arena, ctx->jwt_key->kid, ctx->subject,
                         &in->asked_by) != PAY_OK)
    {
        return NGX_ERROR;
    }

    return ngx_payments_uuid(core->arena, &in->change_id);
}

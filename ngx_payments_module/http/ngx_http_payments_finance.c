/*
 * An operator's act on an exception: from a request to the input of its flow,
 * which looks at the body itself.
 */

#include "http/ngx_http_payments_finance.h"
#include "http/ngx_http_payments_start.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


ngx_int_t
ngx_http_payments_finance(ngx_http_request_t *r, pay_finance_act_kind_t kind,
    pay_str_t exception_id, pay_str_t body)
{
    pay_flow_t               *core;
    ngx_payments_flow_t      *flow;
    pay_finance_act_input_t   in;
    ngx_http_payments_ctx_t  *ctx;

    flow = ngx_http_payments_new_change(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_payments_get_ctx(r);

    core = ngx_payments_flow_core(flow);
    ngx_memzero(&in, sizeof(pay_finance_act_input_t));
    in.kind = kind;
    in.merchant_id = ctx->merchant->id;

    /* all memory is the flow's, which outlives the request */
    if (pay_dup(core->arena, exception_id, &in.id) != PAY_OK
        || pay_dup(core->arena, body, &in.body) != PAY_OK
        || pay_dup(core->arena, ctx->subject, &in.subject) != PAY_OK
        || pay_flow_finance_act(core, &in) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_start(r, flow);
}

/*
 * The flow of a request: it is made here where nothing else is known of it yet,
 * and started with the answer that the request gets.
 */

#include "http/ngx_http_payments_start.h"
#include "http/ngx_http_payments_reply.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


/* The id is copied, as the flow may outlive the request. */
ngx_payments_flow_t *
ngx_http_payments_new_flow(ngx_http_request_t *r)
{
    pay_flow_t               *core;
    ngx_payments_flow_t      *flow;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);
    flow = ngx_payments_flow_create(ngx_http_get_module_main_conf(r,
                                    ngx_http_payments_module), ctx->cell);
    if (flow == NULL) {
        return NULL;
    }

    core = ngx_payments_flow_core(flow);

    if (pay_dup(core->arena, (pay_str_t) { PAY_UUID_TEXT, ctx->request_id },
                &core->request_id) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NULL;
    }

    return flow;
}


ngx_payments_flow_t *
ngx_http_payments_new_change(ngx_http_request_t *r)
{
    int64_t               unused;
    ngx_payments_flow_t  *flow = ngx_http_payments_new_flow(r);

    if (flow != NULL) {
        (void) ngx_payments_flow_admit(flow, NGX_PAYMENTS_WORK_CHANGE,
                                       ngx_http_payments_get_ctx(r)->merchant,
                                       &unused);
    }

    return flow;
}


/* The flow is run/'s now; nothing of it may be touched behind this. */
ngx_int_t
ngx_http_payments_start(ngx_http_request_t *r, ngx_payments_flow_t *flow)
{
    return ngx_payments_flow_start(flow, r, ngx_http_payments_reply);
}

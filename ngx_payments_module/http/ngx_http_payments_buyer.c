/*
 * What buyers, PSPs and watchdogs call: the buyer's pages, the webhooks and
 * the readiness probe.  Each starts its flow.
 */

#include "http/ngx_http_payments_page.h"


static ngx_int_t buyer_target(ngx_http_request_t *r, ngx_uint_t kind,
    pay_buyer_t *what, pay_str_t *handle);
static ngx_payments_flow_t *new_flow(ngx_http_request_t *r);
static ngx_int_t webhook_challenge(ngx_http_request_t *r,
    const pay_psp_conf_t *psp);
static void webhook_body(ngx_http_request_t *r, pay_str_t body);
static ngx_int_t webhook_start(ngx_http_request_t *r, pay_str_t body,
    ngx_payments_flow_t *flow);
static const pay_psp_conf_t *webhook_psp(ngx_http_request_t *r);
static ngx_int_t copy_headers(ngx_http_request_t *r, pay_arena_t *arena,
    pay_webhook_input_t *in);


#define GET_ALLOW        "GET, HEAD, OPTIONS"
#define CHALLENGE_ALLOW  "GET, HEAD, POST, OPTIONS"


ngx_int_t
ngx_http_payments_buyer(ngx_http_request_t *r, ngx_uint_t kind)
{
    ngx_int_t             rc;
    pay_str_t             handle, copy;
    pay_flow_t           *core;
    pay_buyer_t           what;
    ngx_payments_flow_t  *flow;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, GET_ALLOW);
    }

    rc = ngx_http_payments_style(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_payments_limit(r, PAY_STR(""));
    if (rc != NGX_OK) {
        return ngx_http_payments_problem(r, rc == NGX_BUSY ? "quota-exceeded"
                                                           : "overloaded",
                                         NULL, NULL);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (buyer_target(r, kind, &what, &handle) != NGX_OK) {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    flow = new_flow(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    core = ngx_payments_flow_core(flow);

    if (pay_dup(core->arena, handle, &copy) != PAY_OK
        || pay_flow_buyer(core, what, copy) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_payments_flow_start(flow, r);
}


ngx_int_t
ngx_http_payments_webhook(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_uint_t             asks;
    const pay_psp_conf_t  *psp;

    psp = webhook_psp(r);
    asks = psp != NULL && psp->scheme->challenge != NULL;

    if (r->method != NGX_HTTP_POST
        && !(asks && (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))))
    {
        return ngx_http_payments_method_not_allowed(r,
                                                    asks ? CHALLENGE_ALLOW
                                                    : "POST, OPTIONS");
    }

    if (psp == NULL) {
        return ngx_http_payments_problem(r, "webhook-unknown-psp", NULL,
                                         NULL);
    }

    /* the address' limit where one is configured; never a merchant's */
    rc = ngx_http_payments_limit(r, PAY_STR(""));
    if (rc != NGX_OK) {
        return ngx_http_payments_problem(r, rc == NGX_BUSY ? "quota-exceeded"
                                                           : "overloaded",
                                         NULL, NULL);
    }

    return r->method == NGX_HTTP_POST
           ? ngx_http_payments_read_body(r, webhook_body)
           : webhook_challenge(r, psp);
}


ngx_int_t
ngx_http_payments_ready(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_payments_flow_t  *flow;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, GET_ALLOW);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    flow = new_flow(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (pay_flow_ready(ngx_payments_flow_core(flow)) != PAY_OK) {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_payments_flow_start(flow, r);
}


/* <prefix><handle> or, for the checkout, <prefix><handle>/status */
static ngx_int_t
buyer_target(ngx_http_request_t *r, ngx_uint_t kind, pay_buyer_t *what,
    pay_str_t *handle)
{
    pay_str_t                      path;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    /* a rewrite may have made it shorter than the location's name */
    if (r->uri.len < plcf->prefix.len) {
        return NGX_DECLINED;
    }

    path.data = r->uri.data + plcf->prefix.len;
    path.len = r->uri.len - plcf->prefix.len;

    handle->data = path.data;
    handle->len = PAY_HANDLE_TEXT;

    if (path.len < PAY_HANDLE_TEXT) {
        return NGX_DECLINED;
    }

    path.data += PAY_HANDLE_TEXT;
    path.len -= PAY_HANDLE_TEXT;

    if (path.len == 0) {
        *what = kind == NGX_HTTP_PAYMENTS_RETURN ? PAY_BUYER_RETURN
                                                 : PAY_BUYER_CHECKOUT;
        return NGX_OK;
    }

    *what = PAY_BUYER_STATUS;

    return kind == NGX_HTTP_PAYMENTS_CHECKOUT && pay_str_is(path, "/status")
           ? NGX_OK : NGX_DECLINED;
}


static ngx_payments_flow_t *
new_flow(ngx_http_request_t *r)
{
    pay_flow_t               *core;
    ngx_payments_flow_t      *flow;
    ngx_http_payments_ctx_t  *ctx;

    flow = ngx_payments_flow_create(ngx_http_get_module_main_conf(r,
                                    ngx_http_payments_module));
    if (flow == NULL) {
        return NULL;
    }

    core = ngx_payments_flow_core(flow);
    ctx = ngx_http_payments_get_ctx(r);

    if (pay_dup(core->arena, (pay_str_t) { PAY_UUID_TEXT, ctx->request_id },
                &core->request_id) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NULL;
    }

    return flow;
}


/* The PSP wants to see, before it sends anything, that we have its key. */
static ngx_int_t
webhook_challenge(ngx_http_request_t *r, const pay_psp_conf_t *psp)
{
    pay_str_t         answer;
    ngx_str_t         body;
    pay_arena_t       arena = ngx_payments_arena(r->pool);
    static ngx_str_t  type = ngx_string("text/plain; charset=utf-8");

    switch (psp->scheme->challenge(&arena, &psp->settings, psp->webhook_keys,
                                   psp->webhook_key_count,
                                   ngx_payments_str(r->args), &answer))
    {

    case PAY_OK:
        body = ngx_payments_nstr(answer);
        return ngx_http_payments_send(r, NGX_HTTP_OK, &type, &body);

    case PAY_INVALID:
        return ngx_http_payments_problem(r, "malformed-request",
                                         "the query is no challenge of this "
                                         "PSP", NULL);

    default:
        return ngx_http_payments_problem(r, "internal-error", NULL, NULL);
    }
}


static void
webhook_body(ngx_http_request_t *r, pay_str_t body)
{
    ngx_int_t             rc;
    ngx_payments_flow_t  *flow;

    flow = new_flow(r);
    rc = flow == NULL ? NGX_HTTP_INTERNAL_SERVER_ERROR
                      : webhook_start(r, body, flow);

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
webhook_start(ngx_http_request_t *r, pay_str_t body, ngx_payments_flow_t *flow)
{
    pay_flow_t          *core;
    pay_webhook_input_t  in;

    core = ngx_payments_flow_core(flow);
    in.psp = webhook_psp(r);
    in.may_quarantine = (int) ngx_payments_quarantine_may(in.psp);
    in.keep_days = (unsigned) ngx_payments_main_conf()->body_days;
    in.keep_max = ngx_payments_main_conf()->body_size;

    /* the flow may outlive the request: it works on copies */
    if (pay_dup(core->arena, body, &in.body) != PAY_OK
        || copy_headers(r, core->arena, &in) != NGX_OK
        || pay_flow_webhook(core, &in) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_payments_flow_start(flow, r);
}


static const pay_psp_conf_t *
webhook_psp(ngx_http_request_t *r)
{
    pay_str_t                       name;
    ngx_http_payments_loc_conf_t   *plcf;
    ngx_http_payments_main_conf_t  *pmcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    if (r->uri.len < plcf->prefix.len) {
        return NULL;
    }

    name.data = r->uri.data + plcf->prefix.len;
    name.len = r->uri.len - plcf->prefix.len;

    return pay_env_psp(&pmcf->env, name);
}


static ngx_int_t
copy_headers(ngx_http_request_t *r, pay_arena_t *arena,
    pay_webhook_input_t *in)
{
    size_t            n;
    ngx_uint_t        i;
    pay_header_t     *headers;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    n = 0;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        n += part->nelts;
    }

    headers = pay_calloc(arena, (n + 1) * sizeof(pay_header_t));
    if (headers == NULL) {
        return NGX_ERROR;
    }

    in->headers = headers;
    in->header_count = 0;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++, headers++, in->header_count++) {
            if (pay_dup(arena, ngx_payments_str(header[i].key),
                        &headers->name) != PAY_OK
                || pay_dup(arena, ngx_payments_str(header[i].value),
                           &headers->value) != PAY_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}

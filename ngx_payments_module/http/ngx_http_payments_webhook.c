/*
 * Webhooks of PSPs: from a request to the input of the flow that verifies and
 * applies it, and the challenge by which a PSP looks whether we have its key.
 *
 *     /webhooks/<psp>, /webhooks/payouts/<provider>
 *       ─▶ is there such a one? ─▶ the address' limit
 *       ├▶ GET, where the scheme has a challenge: answered here, no flow
 *       └▶ POST ─▶ raw body and all fields, copied ─▶ flow ─▶ 200 after commit
 *
 * The signature is over the raw bytes (W1), so nothing of the body is parsed
 * here.
 */

#include "http/ngx_http_payments_webhook.h"
#include "http/ngx_http_payments_body.h"
#include "http/ngx_http_payments_limit.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_send.h"
#include "http/ngx_http_payments_start.h"
#include "shm/ngx_payments_quarantine.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"


#define CHALLENGE_ALLOW  "GET, HEAD, POST, OPTIONS"
#define PAYOUTS          "payouts/"


static ngx_int_t webhook_challenge(ngx_http_request_t *r,
    const pay_psp_conf_t *psp);
static void webhook_body(ngx_http_request_t *r, pay_str_t body);
static ngx_int_t webhook_start(ngx_http_request_t *r, pay_str_t body,
    ngx_payments_flow_t *flow);
static const pay_psp_conf_t *webhook_psp(ngx_http_request_t *r,
    const pay_payout_provider_t **payout);
static ngx_int_t copy_headers(ngx_http_request_t *r, pay_arena_t *arena,
    pay_webhook_input_t *in);


/* No token: who has sent it is known only when the flow has verified the
 * signature, so the body is bounded in size and time before. */
ngx_int_t
ngx_http_payments_webhook(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_uint_t                    asks;
    const pay_psp_conf_t         *psp;
    const pay_payout_provider_t  *payout;

    psp = webhook_psp(r, &payout);
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

    return asks && r->method != NGX_HTTP_POST
           ? webhook_challenge(r, psp)
           : ngx_http_payments_read_body(r, webhook_body);
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


/* As ngx_http_payments_create(): behind the body, the request ends here. */
static void
webhook_body(ngx_http_request_t *r, pay_str_t body)
{
    ngx_int_t                     rc;
    const pay_psp_conf_t         *psp;
    ngx_payments_flow_t          *flow;
    const pay_payout_provider_t  *payout;

    psp = webhook_psp(r, &payout);
    ngx_http_payments_get_ctx(r)->cell = psp->cell;
    flow = ngx_http_payments_new_flow(r);
    rc = flow == NULL ? NGX_HTTP_INTERNAL_SERVER_ERROR
                      : webhook_start(r, body, flow);

    ngx_http_finalize_request(r, rc);
}


/* may_quarantine only looks; the place is taken when a refused webhook is to
 * be stored. */
static ngx_int_t
webhook_start(ngx_http_request_t *r, pay_str_t body, ngx_payments_flow_t *flow)
{
    pay_flow_t           *core;
    pay_webhook_input_t   in;

    core = ngx_payments_flow_core(flow);
    in.psp = webhook_psp(r, &in.payout);
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

    return ngx_http_payments_start(r, flow);
}


/* The rest of the path is the PSP's name, or payouts/ and a provider's; NULL:
 * none of this configuration has it. */
static const pay_psp_conf_t *
webhook_psp(ngx_http_request_t *r, const pay_payout_provider_t **payout)
{
    pay_str_t                       name;
    ngx_http_payments_loc_conf_t   *plcf;
    ngx_http_payments_main_conf_t  *pmcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    *payout = NULL;

    if (r->uri.len < plcf->prefix.len) {
        return NULL;
    }

    name.data = r->uri.data + plcf->prefix.len;
    name.len = r->uri.len - plcf->prefix.len;

    if (name.len <= sizeof(PAYOUTS) - 1
        || ngx_memcmp(name.data, PAYOUTS, sizeof(PAYOUTS) - 1) != 0)
    {
        return pay_env_psp(&pmcf->env, name);
    }

    name.data += sizeof(PAYOUTS) - 1;
    name.len -= sizeof(PAYOUTS) - 1;
    *payout = pay_env_payout(&pmcf->env, name);

    /* without a scheme its messages prove nothing */
    return *payout == NULL || (*payout)->client->scheme == NULL
           ? NULL : (*payout)->client;
}


/* All of them, as only the scheme knows which ones are signed. */
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

/* Authentication of a request: the bearer token, its merchant, its scopes. */

#include "http/ngx_http_payments_jwt.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"
#include "shm/ngx_payments_count_keys.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_log_pace.h"
#include "util/ngx_payments_memory.h"
#include "pay_jwt_memory.h"


/* RFC 6750, 3: the scope that would do */
#define INSUFFICIENT(scope)  "Bearer realm=\"ngx_payments\", "                \
                             "error=\"insufficient_scope\", "                 \
                             "scope=\"" scope "\""


static ngx_int_t bearer(ngx_http_request_t *r, pay_str_t *token);
static void log_refused(ngx_http_request_t *r, const pay_jwt_why_t *why);
static const char *insufficient(unsigned scope);
static ngx_int_t challenge(ngx_http_request_t *r, pay_err_t *err,
    const char *slug, const char *value);


/* This worker's. */
static pay_jwt_memory_t  jwt_memory;


/* With "master_process off" a process outlives its configuration. */
void
ngx_http_payments_jwt_forget(void)
{
    pay_jwt_memory_clear(&jwt_memory);
}


/* The merchant comes from the key that has signed, and from nothing that the
 * request says itself (T20).  An unknown token is 401, a merchant that is
 * disabled or a scope too small 403 (J12). */
ngx_int_t
ngx_http_payments_authenticate(ngx_http_request_t *r, unsigned scope,
    const pay_merchant_t **merchant, pay_err_t *err)
{
    pay_str_t                       token;
    pay_arena_t                     arena = ngx_payments_arena(r->pool);
    pay_claims_t                    claims;
    pay_jwt_why_t                   why;
    pay_jwt_policy_t                policy;
    ngx_http_payments_ctx_t        *ctx;
    ngx_http_payments_main_conf_t  *pmcf;

    if (bearer(r, &token) != NGX_OK) {
        return challenge(r, err, "unauthenticated",
                         "Bearer realm=\"ngx_payments\"");
    }

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    ctx = ngx_http_payments_get_ctx(r);

    policy.keys = pmcf->jwt_keys.elts;
    policy.count = pmcf->jwt_keys.nelts;
    policy.audience = ngx_payments_str(pmcf->audience);
    policy.now_s = ngx_time();
    policy.max_lifetime_s = pmcf->jwt_max_lifetime;

    switch (pay_jwt_verify_known(&jwt_memory, &arena, token, &policy, &claims,
                                 &why))
    {

    case PAY_OK:
        break;

    case PAY_INVALID:
        log_refused(r, &why);
        return challenge(r, err, "invalid-token",
                         "Bearer realm=\"ngx_payments\", "
                         "error=\"invalid_token\"");

    default:
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    *merchant = claims.key->owner;
    ctx->merchant = *merchant;
    ctx->cell = (*merchant)->cell;
    ctx->jwt_key = claims.key;
    ctx->subject = claims.subject;
    ctx->scopes = claims.scopes;
    ctx->merchant_id = ngx_payments_nstr((*merchant)->id);
    ngx_payments_count_jwt_key((*merchant)->id, claims.key->kid);

    if ((*merchant)->disabled) {
        return ngx_http_payments_refuse(err, "merchant-disabled", NULL);
    }

    if ((claims.scopes & scope) != scope) {
        return challenge(r, err, "insufficient-scope", insufficient(scope));
    }

    return NGX_OK;
}


static ngx_int_t
bearer(ngx_http_request_t *r, pay_str_t *token)
{
    u_char      *p;
    size_t       len;
    ngx_str_t   *value;

    if (r->headers_in.authorization == NULL) {
        return NGX_DECLINED;
    }

    value = &r->headers_in.authorization->value;
    p = value->data;
    len = value->len;

    if (len < 8 || ngx_strncasecmp(p, (u_char *) "Bearer ", 7) != 0) {
        return NGX_DECLINED;
    }

    token->data = p + 7;
    token->len = len - 7;

    return NGX_OK;
}


/* The reason goes to the log, not to the sender (docs/security.md J18); the
 * operator can pass it on to the merchant.  The kid has safe characters
 * only. */
static void
log_refused(ngx_http_request_t *r, const pay_jwt_why_t *why)
{
    ngx_uint_t                       omitted;
    ngx_http_payments_ctx_t         *ctx = ngx_http_payments_get_ctx(r);
    static ngx_payments_log_pace_t   pace;

    if (!ngx_payments_log_may(&pace, &omitted)) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "payments: token refused, why:%s, kid:%s, merchant:%V, "
                  "request_id:%*s, omitted:%ui", why->reason, why->kid,
                  &ngx_payments_nstr(why->issuer),
                  (size_t) sizeof(ctx->request_id), ctx->request_id, omitted);
}


/* For one scope that is missing; no route needs two. */
static const char *
insufficient(unsigned scope)
{
    switch (scope) {

    case PAY_SCOPE_PAYMENTS_WRITE:
        return INSUFFICIENT("payments:write");

    case PAY_SCOPE_REFUNDS_WRITE:
        return INSUFFICIENT("refunds:write");

    case PAY_SCOPE_BALANCE_READ:
        return INSUFFICIENT("balance:read");

    case PAY_SCOPE_FINANCE_READ:
        return INSUFFICIENT("reconciliation:read");

    case PAY_SCOPE_FINANCE_WRITE:
        return INSUFFICIENT("reconciliation:write");

    case PAY_SCOPE_PAYOUTS_READ:
        return INSUFFICIENT("payouts:read");

    case PAY_SCOPE_PAYOUTS_CREATE:
        return INSUFFICIENT("payouts:create");

    case PAY_SCOPE_PAYOUTS_APPROVE:
        return INSUFFICIENT("payouts:approve");

    case PAY_SCOPE_PAYOUTS_SEND:
        return INSUFFICIENT("payouts:send");

    case PAY_SCOPE_DESTINATIONS:
        return INSUFFICIENT("payouts:destinations");

    case PAY_SCOPE_EVENTS_READ:
        return INSUFFICIENT("events:read");

    case PAY_SCOPE_EVENTS_WRITE:
        return INSUFFICIENT("events:write");

    case PAY_SCOPE_RISK_READ:
        return INSUFFICIENT("risk:read");

    case PAY_SCOPE_RISK_WRITE:
        return INSUFFICIENT("risk:write");

    default:
        return INSUFFICIENT("payments:read");
    }
}


/* 401 and 403 name the scheme in WWW-Authenticate (H16). */
static ngx_int_t
challenge(ngx_http_request_t *r, pay_err_t *err, const char *slug,
    const char *value)
{
    ngx_str_t  text;

    text.data = (u_char *) value;
    text.len = ngx_strlen(value);

    if (ngx_http_payments_add_header(r, "WWW-Authenticate", text) != NGX_OK) {
        slug = "internal-error";
    }

    return ngx_http_payments_refuse(err, slug, NULL);
}

/*
 * Authentication of staff: the token, its groups, its merchants; and the guard
 * against requests that another site makes a browser send with its cookie.
 */

#include "http/ngx_http_payments_staff.h"
#include "http/ngx_http_payments_check.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_log_pace.h"
#include "util/ngx_payments_memory.h"


#define CHALLENGE  "Bearer realm=\"ngx_payments console\""
#define GUARD      "X-Payments-Console"


static ngx_int_t find_token(ngx_http_request_t *r, pay_str_t *token);
static ngx_int_t bearer(ngx_str_t *value, pay_str_t *token);
static ngx_int_t verify(ngx_http_request_t *r, pay_str_t token,
    pay_staff_t *staff);
static void log_refused(ngx_http_request_t *r, const pay_jwt_why_t *why);
static ngx_int_t challenge(ngx_http_request_t *r, pay_err_t *err,
    const char *slug);
static ngx_int_t refuse_site(pay_err_t *err, const char *detail);
static ngx_uint_t is_site(const ngx_table_elt_t *site, const char *word);


/* One token, in one place: which of two counts would be a guess. */
ngx_int_t
ngx_http_payments_staff(ngx_http_request_t *r, pay_err_t *err)
{
    pay_str_t                 token;
    pay_staff_t              *staff;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    if (find_token(r, &token) != NGX_OK) {
        return challenge(r, err, "unauthenticated");
    }

    staff = ngx_pcalloc(r->pool, sizeof(pay_staff_t));
    if (staff == NULL) {
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    switch (verify(r, token, staff)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return challenge(r, err, "invalid-token");

    default:
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    ctx->staff = staff;
    ctx->staff_id = ngx_payments_nstr(staff->subject);

    if (staff->roles == 0) {
        return ngx_http_payments_refuse(err, "forbidden",
                                        "None of the groups of this token has "
                                        "a role on this console.");
    }

    return NGX_OK;
}


static ngx_int_t
find_token(ngx_http_request_t *r, pay_str_t *token)
{
    pay_str_t         cookie;
    ngx_int_t         has_cookie;
    ngx_uint_t        count;
    ngx_table_elt_t  *field;

    field = ngx_http_payments_find_header(r, "Cookie", &count);

    has_cookie = field != NULL
                 && (count != 1
                     || pay_cookie_get(ngx_payments_str(field->value),
                                       PAY_STAFF_COOKIE, &cookie)
                        != PAY_NOT_FOUND);

    if (r->headers_in.authorization != NULL) {
        return has_cookie ? NGX_DECLINED
               : bearer(&r->headers_in.authorization->value, token);
    }

    if (!has_cookie || count != 1
        || pay_cookie_get(ngx_payments_str(field->value), PAY_STAFF_COOKIE,
                          token) != PAY_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
bearer(ngx_str_t *value, pay_str_t *token)
{
    size_t  len = sizeof("Bearer ") - 1;

    if (value->len <= len
        || ngx_strncasecmp(value->data, (u_char *) "Bearer ", len) != 0)
    {
        return NGX_DECLINED;
    }

    token->data = value->data + len;
    token->len = value->len - len;

    return NGX_OK;
}


/* The keys of merchants are another array, which is not at hand here. */
static ngx_int_t
verify(ngx_http_request_t *r, pay_str_t token, pay_staff_t *staff)
{
    pay_arena_t                     arena = ngx_payments_arena(r->pool);
    pay_jwt_why_t                   why;
    pay_jwt_policy_t                policy;
    ngx_payments_console_conf_t    *console;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    console = &pmcf->console;

    policy.keys = console->keys->elts;
    policy.count = console->keys->nelts;
    policy.audience = ngx_payments_str(console->audience);
    policy.now_s = ngx_time();
    policy.max_lifetime_s = console->max_lifetime;

    switch (pay_staff_verify(&arena, token, &policy, console->groups->elts,
                             console->groups->nelts, staff, &why))
    {
    case PAY_OK:
        return NGX_OK;

    case PAY_INVALID:
        log_refused(r, &why);
        return NGX_DECLINED;

    default:
        return NGX_ERROR;
    }
}


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
                  "payments: token of staff refused, why:%s, kid:%s, "
                  "request_id:%*s, omitted:%ui", why->reason, why->kid,
                  (size_t) sizeof(ctx->request_id), ctx->request_id, omitted);
}


/* 401 names the scheme (H16), and is no redirect: a script asked. */
static ngx_int_t
challenge(ngx_http_request_t *r, pay_err_t *err, const char *slug)
{
    ngx_str_t  text = ngx_string(CHALLENGE);

    if (ngx_http_payments_add_header(r, "WWW-Authenticate", text) != NGX_OK) {
        slug = "internal-error";
    }

    return ngx_http_payments_refuse(err, slug, NULL);
}


/* A browser says by Sec-Fetch-Site whose page sends a request, and no page can
 * change that.  A read may come without it or from the address line; all else
 * needs it, unless the token came in a header, which no other site can set. */
ngx_int_t
ngx_http_payments_same_origin(ngx_http_request_t *r, pay_err_t *err)
{
    ngx_uint_t        count, reads, cookies;
    ngx_table_elt_t  *site;

    (void) ngx_http_payments_find_header(r, "Cookie", &cookies);
    site = ngx_http_payments_find_header(r, "Sec-Fetch-Site", &count);
    reads = (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS)) != 0;

    if (count > 1
        || (site != NULL && !is_site(site, "same-origin")
            && !(reads && is_site(site, "none"))))
    {
        return refuse_site(err, "Another site's page has sent this request: "
                                "Sec-Fetch-Site must be same-origin.");
    }

    if (reads) {
        return NGX_OK;
    }

    if (site == NULL
        && (r->headers_in.authorization == NULL || cookies != 0))
    {
        return refuse_site(err, "A request that is no read needs "
                                "Sec-Fetch-Site: same-origin, or a bearer "
                                "token and no cookie.");
    }

    if (ngx_http_payments_find_header(r, GUARD, &count) == NULL || count != 1) {
        return refuse_site(err, "A request that is no read needs the header "
                           GUARD ": 1, which no other site can set.");
    }

    return ngx_http_payments_check_version(r, err) == NGX_OK
           ? ngx_http_payments_check_media(r, err) : NGX_DECLINED;
}


static ngx_int_t
refuse_site(pay_err_t *err, const char *detail)
{
    return ngx_http_payments_refuse(err, "forbidden", detail);
}


static ngx_uint_t
is_site(const ngx_table_elt_t *site, const char *word)
{
    return pay_str_is(ngx_payments_str(site->value), word);
}

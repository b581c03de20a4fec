/*
 * Filters for every answer of a server that has a payments location: the same
 * security headers on all (docs/security.md B1-B9), and a problem document, or
 * a buyer's page, in place of each error page that nginx itself makes (PD1).
 */

#include "http/ngx_http_payments_filter.h"
#include "http/ngx_http_payments_error_page.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_send.h"
#include "shm/ngx_payments_count.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


#define RETRY_S  5                               /* of nginx' own 503 */


static ngx_int_t header_filter(ngx_http_request_t *r);
static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t add_security_headers(ngx_http_request_t *r,
    ngx_http_payments_ctx_t *ctx);
static ngx_str_t policy_of(ngx_http_payments_ctx_t *ctx);
static ngx_int_t replace_page(ngx_http_request_t *r,
    ngx_http_payments_ctx_t *ctx);
static void replace_headers(ngx_http_request_t *r,
    ngx_http_payments_ctx_t *ctx);
static void count_request(ngx_http_request_t *r,
    ngx_http_payments_ctx_t *ctx);


/* `value` is copied into each answer by ngx_http_payments_add_header(). */
typedef struct {
    const char  *name;
    ngx_str_t    value;
} fixed_header_t;


static const fixed_header_t  fixed_headers[] = {
    { "X-Content-Type-Options", ngx_string("nosniff") },
    { "Referrer-Policy", ngx_string("no-referrer") },
    { "Permissions-Policy",
      ngx_string("payment=(), camera=(), microphone=(), geolocation=()") },
    { "Cross-Origin-Opener-Policy", ngx_string("same-origin") },
    { "Cross-Origin-Resource-Policy", ngx_string("same-origin") },
    { NULL, ngx_null_string }
};

static const ngx_str_t  no_store = ngx_string("no-store");
/* of files whose name is the digest of their bytes */
static const ngx_str_t  for_ever =
    ngx_string("public, max-age=31536000, immutable");
static const ngx_str_t  csp_file =
    ngx_string("default-src 'none'; style-src 'unsafe-inline'; sandbox; "
               "frame-ancestors 'none'");
static const ngx_str_t  csp_json =
    ngx_string("default-src 'none'; frame-ancestors 'none'");
static const ngx_str_t  csp_html =
    ngx_string("default-src 'none'; style-src 'self'; img-src 'self'; "
               "form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
/* docs/console.md#the-policy-of-pages */
static const ngx_str_t  csp_console =
    ngx_string("default-src 'none'; script-src 'self'; style-src 'self'; "
               "img-src 'self' data:; connect-src 'self'; font-src 'self'; "
               "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
               "require-trusted-types-for 'script'; trusted-types 'none'");
static const ngx_str_t  asks_again = ngx_string("no-cache");
static const ngx_str_t  hsts =
    ngx_string("max-age=63072000; includeSubDomains");

static ngx_http_output_header_filter_pt  next_header_filter;
static ngx_http_output_body_filter_pt    next_body_filter;


/* Filters stand for the whole of nginx; those of other servers are passed on
 * untouched. */
ngx_int_t
ngx_http_payments_filter_init(ngx_conf_t *cf)
{
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;

    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;

    return NGX_OK;
}


/* For all answers of the server, those of nginx itself and of other modules
 * included (B9). */
static ngx_int_t
header_filter(ngx_http_request_t *r)
{
    ngx_http_payments_ctx_t       *ctx;
    ngx_http_payments_srv_conf_t  *pscf;

    pscf = ngx_http_get_module_srv_conf(r, ngx_http_payments_module);

    if (!pscf->active || r != r->main) {
        return next_header_filter(r);
    }

    ctx = ngx_http_payments_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    /* 494 has become 400 by now; it is the one that ends the reading of the
     * header with bytes left over */
    if (r->headers_out.status == NGX_HTTP_BAD_REQUEST && r->lingering_close
        && r->http_state == NGX_HTTP_READING_REQUEST_STATE)
    {
        r->headers_out.status = 431;
        r->headers_out.status_line.len = 0;
    }

    if (r->headers_out.status >= 400 && !ctx->ours
        && replace_page(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (add_security_headers(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    count_request(r, ctx);

    return next_header_filter(r);
}


/* The page of nginx is emptied, and ours is sent in its place once. */
static ngx_int_t
body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl, out;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_payments_module);

    if (ctx == NULL || !ctx->replace || in == NULL) {
        return next_body_filter(r, in);
    }

    for (cl = in; cl != NULL; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (ctx->replaced) {
        return NGX_OK;
    }

    ctx->replaced = 1;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->replacement.data;
    b->last = ctx->replacement.data + ctx->replacement.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return next_body_filter(r, &out);
}


/* HSTS only on TLS (B1), as RFC 6797 wants it. */
static ngx_int_t
add_security_headers(ngx_http_request_t *r, ngx_http_payments_ctx_t *ctx)
{
    ngx_str_t              id;
    const fixed_header_t  *h;

    id.data = ctx->request_id;
    id.len = PAY_UUID_TEXT;

    if (ngx_http_payments_add_header(r, "X-Request-Id", id) != NGX_OK
        || ngx_http_payments_add_header(r, "Content-Security-Policy",
                                        policy_of(ctx)) != NGX_OK
        || ngx_http_payments_add_header(r, "Cache-Control",
                                        ctx->asset ? asks_again
                                        : ctx->kept ? for_ever : no_store)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

#if (NGX_HTTP_SSL)
    if (r->connection->ssl
        && ngx_http_payments_add_header(r, "Strict-Transport-Security", hsts)
           != NGX_OK)
    {
        return NGX_ERROR;
    }
#endif

    for (h = fixed_headers; h->name != NULL; h++) {
        if (ngx_http_payments_add_header(r, h->name, h->value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_str_t
policy_of(ngx_http_payments_ctx_t *ctx)
{
    if (ctx->asset) {
        return csp_console;
    }

    if (ctx->html) {
        return csp_html;
    }

    return ctx->kept ? csp_file : csp_json;
}


/* The status may change, too: a code for which there is no problem becomes 500
 * or 400. */
static ngx_int_t
replace_page(ngx_http_request_t *r, ngx_http_payments_ctx_t *ctx)
{
    ngx_int_t             rc;
    ngx_str_t             language = ngx_string("en");
    ngx_str_t             allow = ngx_string("GET, HEAD, POST, OPTIONS");
    pay_reply_t           reply;
    const pay_problem_t  *problem;

    problem = pay_problem_of_status((unsigned) r->headers_out.status);

    ngx_memzero(&reply, sizeof(pay_reply_t));
    reply.problem = problem;
    reply.status = problem->status;

    rc = ngx_http_payments_error_html(r, reply.status, &ctx->replacement);

    if (rc == NGX_ERROR
        || (rc == NGX_DECLINED
            && (ngx_http_payments_problem_json(r, &reply, &ctx->replacement)
                != NGX_OK
                || ngx_http_payments_add_header(r, "Content-Language",
                                                language) != NGX_OK)))
    {
        return NGX_ERROR;
    }

    /* a page of ours has it already, and does not come this way */
    if (rc == NGX_OK && problem->status == NGX_HTTP_SERVICE_UNAVAILABLE
        && ngx_http_payments_add_number(r, "Retry-After", "%L",
                                        (int64_t) RETRY_S) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* nginx refuses TRACE before any location is known (RFC 9110 15.5.6) */
    if (problem->status == NGX_HTTP_NOT_ALLOWED
        && ngx_http_payments_add_header(r, "Allow", allow) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (problem->status != r->headers_out.status) {
        r->headers_out.status = problem->status;
        r->headers_out.status_line.len = 0;
    }

    ctx->replace = 1;
    ctx->outcome.data = (u_char *) problem->slug;
    ctx->outcome.len = ngx_strlen(problem->slug);
    replace_headers(r, ctx);

    return NGX_OK;
}


/* Nothing stays that was said of the page that ours replaces. */
static void
replace_headers(ngx_http_request_t *r, ngx_http_payments_ctx_t *ctx)
{
    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    /* a proxied page may have been compressed: ours is not */
    if (r->headers_out.content_encoding != NULL) {
        r->headers_out.content_encoding->hash = 0;
        r->headers_out.content_encoding = NULL;
    }

    if (ctx->html) {
        ngx_str_set(&r->headers_out.content_type, "text/html; charset=utf-8");

    } else {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset.len = 0;
    r->headers_out.content_length_n = (off_t) ctx->replacement.len;
}


/* Each request once, although nginx may send headers twice (an error page). */
static void
count_request(ngx_http_request_t *r, ngx_http_payments_ctx_t *ctx)
{
    ngx_time_t                    *tp;
    ngx_msec_int_t                 ms;
    ngx_http_payments_loc_conf_t  *plcf;
    static const char  *const      names[] = {
        "other", "api", "checkout", "return", "webhook", "metrics", "live",
        "ready", "problems", "console"
    };
    PAY_ROWS(names, NGX_HTTP_PAYMENTS_KINDS);

    if (ctx->counted) {
        return;
    }

    ctx->counted = 1;
    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    tp = ngx_timeofday();
    ms = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                           + ((ngx_msec_int_t) tp->msec
                              - (ngx_msec_int_t) r->start_msec));

    ngx_payments_count_request(names[plcf->kind], r->headers_out.status,
                               (ngx_msec_t) ngx_max(ms, 0),
                               (pay_str_t) { PAY_UUID_TEXT, ctx->request_id },
                               ngx_payments_str(ctx->trace_id));
}

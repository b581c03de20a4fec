/*
 * Answers: JSON, problem documents, redirects, pages.
 *
 *     reply ─▶ header fields ─▶ problem ─▶ a page for buyers, else JSON
 *                            ├▶ redirect: 303, no body
 *                            ├▶ page: HTML
 *                            └▶ else: JSON or text, or 304
 */

#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_error_page.h"
#include "http/ngx_http_payments_page.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"
#include "shm/ngx_payments_count.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_memory.h"


#define RETRY_S  1


static ngx_int_t problem(ngx_http_request_t *r, const pay_err_t *err,
    const pay_errors_t *errors, int64_t retry_after_s);
static ngx_int_t add_reply_headers(ngx_http_request_t *r,
    const pay_reply_t *reply);
static ngx_int_t add_age(ngx_http_request_t *r);
static ngx_int_t reply_problem(ngx_http_request_t *r,
    const pay_reply_t *reply);
static ngx_uint_t not_modified(ngx_http_request_t *r,
    const pay_reply_t *reply);
static ngx_int_t reply_page(ngx_http_request_t *r, const pay_reply_t *reply);
static ngx_int_t redirect(ngx_http_request_t *r);


static ngx_str_t  html_type = ngx_string("text/html; charset=utf-8");


/* Called at once or long after the handler returned; all of *reply is the
 * flow's and ends behind this call. */
ngx_int_t
ngx_http_payments_reply(ngx_http_request_t *r, const pay_reply_t *reply)
{
    ngx_str_t  body;
    ngx_str_t  type = ngx_string("application/json");

    if (add_reply_headers(r, reply) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    switch (reply->kind) {

    case PAY_REPLY_PROBLEM:
        if (ngx_strcmp(reply->problem->slug, "card-data-not-accepted") == 0) {
            ngx_payments_count_card_data();
        }

        return reply_problem(r, reply);

    case PAY_REPLY_REDIRECT:
        return redirect(r);

    case PAY_REPLY_PAGE:
    case PAY_REPLY_ADVICE:
        return reply_page(r, reply);

    default:
        if (reply->version >= 0 && not_modified(r, reply)) {
            ngx_str_null(&body);
            return ngx_http_payments_send(r, NGX_HTTP_NOT_MODIFIED, &type,
                                          &body);
        }

        if (reply->kind == PAY_REPLY_CSV) {
            ngx_str_set(&type, "text/csv; charset=utf-8; header=present");
        }

        if (reply->kind == PAY_REPLY_TEXT) {
            ngx_str_set(&type, "text/plain; charset=utf-8");
        }

        body = ngx_payments_nstr(reply->body);
        return ngx_http_payments_send(r, reply->status, &type, &body);
    }
}


/* `slug` is a literal of the core's table; `pointer` a JSON pointer, or
 * NULL. */
ngx_int_t
ngx_http_payments_problem(ngx_http_request_t *r, const char *slug,
    const char *detail, const char *pointer)
{
    pay_err_t  err;

    (void) pay_refuse_at(&err, slug, detail, "%s",
                         pointer != NULL ? pointer : "");

    return problem(r, &err, NULL, RETRY_S);
}


ngx_int_t
ngx_http_payments_refused(ngx_http_request_t *r, const pay_err_t *err,
    const pay_errors_t *errors)
{
    return problem(r, err, errors, RETRY_S);
}


/* 503 with the time after which the queue will probably be shorter. */
ngx_int_t
ngx_http_payments_overloaded(ngx_http_request_t *r, int64_t retry_after_s)
{
    pay_err_t  err;

    (void) pay_refuse(&err, "overloaded", NULL);

    return problem(r, &err, NULL, retry_after_s);
}


/* retry_after_s: of a 503. */
static ngx_int_t
problem(ngx_http_request_t *r, const pay_err_t *err,
    const pay_errors_t *errors, int64_t retry_after_s)
{
    pay_reply_t               reply;
    ngx_http_payments_ctx_t  *ctx;

    ngx_memzero(&reply, sizeof(pay_reply_t));

    reply.kind = PAY_REPLY_PROBLEM;
    reply.problem = pay_problem_find(pay_str_of(err->slug));
    reply.detail = err->detail;
    reply.retry_after_s = -1;
    reply.version = -1;
    reply.pointer = pay_str_of(err->pointer);
    reply.errors = errors;

    if (reply.problem == NULL) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "payments: there is no such problem, slug:%s",
                      err->slug);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reply.status = reply.problem->status;

    if (reply.status == NGX_HTTP_SERVICE_UNAVAILABLE) {
        reply.retry_after_s = retry_after_s;
    }

    ctx = ngx_http_payments_get_ctx(r);
    if (ctx != NULL) {
        ctx->outcome.data = (u_char *) reply.problem->slug;
        ctx->outcome.len = ngx_strlen(reply.problem->slug);
    }

    return ngx_http_payments_reply(r, &reply);
}


/* OPTIONS is answered 204 with the same field (H3). */
ngx_int_t
ngx_http_payments_method_not_allowed(ngx_http_request_t *r, const char *allow)
{
    ngx_str_t  value, none = ngx_null_string;

    value.data = (u_char *) allow;
    value.len = ngx_strlen(allow);

    if (ngx_http_payments_add_header(r, "Allow", value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_payments_send(r, NGX_HTTP_NO_CONTENT, &none, &none);
    }

    return ngx_http_payments_problem(r, "method-not-allowed", NULL, NULL);
}


/* The filter uses it for nginx' own errors, so it must not send. */
ngx_int_t
ngx_http_payments_problem_json(ngx_http_request_t *r,
    const pay_reply_t *reply, ngx_str_t *json)
{
    pay_str_t                 text;
    pay_arena_t               arena = ngx_payments_arena(r->pool);
    pay_problem_doc_t         doc;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&doc, sizeof(pay_problem_doc_t));
    doc.problem = reply->problem;
    doc.status = reply->status;
    doc.detail = reply->detail;
    doc.pointer = (const char *) reply->pointer.data;
    doc.errors = reply->errors;
    doc.order_url = reply->order_url;
    doc.request_id.data = ctx->request_id;
    doc.request_id.len = PAY_UUID_TEXT;

    if (ngx_strcmp(reply->problem->slug, "quota-exceeded") == 0) {
        doc.policy = "default";
    }

    if (ngx_http_payments_base_url(r, &doc.base_url) != NGX_OK
        || pay_problem_render(&arena, &doc, &text) != PAY_OK)
    {
        return NGX_ERROR;
    }

    *json = ngx_payments_nstr(text);

    return NGX_OK;
}


/* The ETag is a version: a read that names the same one is answered 304
 * (H15). */
static ngx_int_t
add_reply_headers(ngx_http_request_t *r, const pay_reply_t *reply)
{
    ngx_str_t  yes = ngx_string("true");
    ngx_str_t  file = ngx_string("attachment; "
                                 "filename=\"reconciliation.csv\"");

    if (reply->kind == PAY_REPLY_CSV
        && ngx_http_payments_add_header(r, "Content-Disposition", file)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (reply->retry_after_s >= 0
        && ngx_http_payments_add_number(r, "Retry-After", "%L",
                                        reply->retry_after_s) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (reply->version >= 0
        && ngx_http_payments_add_number(r, "ETag", "\"%L\"", reply->version)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (add_age(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if (reply->replayed
        && ngx_http_payments_add_header(r, "Idempotent-Replayed", yes)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (reply->cookie.len != 0
        && ngx_http_payments_add_header(r, "Set-Cookie",
                                        ngx_payments_nstr(reply->cookie))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (reply->location.len != 0) {
        return ngx_http_payments_add_header(r, "Location",
                                            ngx_payments_nstr(reply->location));
    }

    return NGX_OK;
}


/* RFC 9111 5.1: the answer was not made of the origin's present state.  In
 * seconds, rounded up; without the field the primary has answered. */
static ngx_int_t
add_age(ngx_http_request_t *r)
{
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    if (ctx == NULL || ctx->age == 0) {
        return NGX_OK;
    }

    return ngx_http_payments_add_number(r, "Age", "%L",
                                        (int64_t) (ctx->age + 999) / 1000);
}


/* HTML for a buyer who wants it, a problem document for all others (PD1). */
static ngx_int_t
reply_problem(ngx_http_request_t *r, const pay_reply_t *reply)
{
    ngx_int_t  rc;
    ngx_str_t  json, html, language = ngx_string("en");
    ngx_str_t  type = ngx_string("application/problem+json");

    rc = ngx_http_payments_error_html(r, reply->status, &html);
    if (rc == NGX_OK) {
        return ngx_http_payments_send(r, reply->status, &html_type, &html);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_payments_problem_json(r, reply, &json) != NGX_OK
        || ngx_http_payments_add_header(r, "Content-Language", language)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_send(r, reply->status, &type, &json);
}


/* If-None-Match (RFC 9110 13.1.2): "*", or a list compared weakly */
static ngx_uint_t
not_modified(ngx_http_request_t *r, const pay_reply_t *reply)
{
    u_char            text[NGX_INT64_LEN + 2], *p, *last, *end;
    size_t            len;
    ngx_uint_t        count;
    ngx_table_elt_t  *header;

    header = ngx_http_payments_find_header(r, "If-None-Match", &count);
    if (header == NULL || count != 1) {
        return 0;
    }

    len = ngx_snprintf(text, sizeof(text), "\"%L\"", reply->version) - text;
    p = header->value.data;
    last = p + header->value.len;

    if (header->value.len == 1 && *p == '*') {
        return 1;
    }

    while (p < last) {
        end = ngx_strlchr(p, last, ',');
        end = end == NULL ? last : end;

        while (p < end && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (end - p > 2 && p[0] == 'W' && p[1] == '/') {
            p += 2;
        }

        if ((size_t) (end - p) >= len && ngx_strncmp(p, text, len) == 0) {
            return 1;
        }

        p = end + 1;
    }

    return 0;
}


/* A page that cannot be made becomes an error. */
static ngx_int_t
reply_page(ngx_http_request_t *r, const pay_reply_t *reply)
{
    ngx_int_t                      rc;
    ngx_str_t                      html, value;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    /* The buyer gives up on a page that has stopped its updates.  A PSP may
     * append any query to /return/. */

    if (reply->kind == PAY_REPLY_PAGE && reply->shop_url.len != 0
        && plcf->kind == NGX_HTTP_PAYMENTS_CHECKOUT
        && ngx_http_arg(r, (u_char *) "leave", 5, &value) == NGX_OK)
    {
        rc = ngx_http_payments_add_header(r, "Location",
                                          ngx_payments_nstr(reply->shop_url));

        return rc == NGX_OK ? redirect(r) : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = reply->kind == PAY_REPLY_ADVICE
         ? ngx_http_payments_advice_html(r, reply->advice, &html)
         : ngx_http_payments_status_html(r, reply, &html);

    switch (rc) {

    case NGX_OK:
        return ngx_http_payments_send(r, NGX_HTTP_OK, &html_type, &html);

    case NGX_DECLINED:
        return ngx_http_payments_problem(r, "internal-error", NULL, NULL);

    default:
        return rc;
    }
}


/* 303, so that the browser asks with GET and sends no body on (H22). */
static ngx_int_t
redirect(ngx_http_request_t *r)
{
    ngx_str_t  none = ngx_null_string;

    return ngx_http_payments_send(r, NGX_HTTP_SEE_OTHER, &none, &none);
}

/*
 * Answers: JSON, problem documents, redirects, pages.  Security headers come
 * from the filter, so that they are the same on all.
 */

#include "http/ngx_http_payments_page.h"


#define RETRY_S  1


static ngx_int_t problem(ngx_http_request_t *r, const pay_err_t *err,
    const pay_errors_t *errors, int64_t retry_after_s);
static ngx_int_t add_reply_headers(ngx_http_request_t *r,
    const pay_reply_t *reply);
static ngx_int_t add_number(ngx_http_request_t *r, const char *name,
    const char *format, int64_t number);
static ngx_int_t reply_problem(ngx_http_request_t *r,
    const pay_reply_t *reply);
static ngx_uint_t not_modified(ngx_http_request_t *r,
    const pay_reply_t *reply);
static ngx_int_t redirect(ngx_http_request_t *r, const pay_reply_t *reply);
static ngx_int_t add_limit_headers(ngx_http_request_t *r, ngx_uint_t status);


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
        return redirect(r, reply);

    case PAY_REPLY_PAGE:
        return ngx_http_payments_status_page(r, reply);

    default:
        if (reply->version >= 0 && not_modified(r, reply)) {
            ngx_str_null(&body);
            return ngx_http_payments_send(r, NGX_HTTP_NOT_MODIFIED, &type,
                                          &body);
        }

        if (reply->kind == PAY_REPLY_TEXT) {
            ngx_str_set(&type, "text/plain; charset=utf-8");
        }

        body = ngx_payments_nstr(reply->body);
        return ngx_http_payments_send(r, reply->status, &type, &body);
    }
}


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


ngx_int_t
ngx_http_payments_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body)
{
    ngx_buf_t                *b;
    ngx_int_t                 rc;
    ngx_chain_t               out;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);
    if (ctx == NULL || add_limit_headers(r, status) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* what was not read is drained, or the connection is closed (H13) */
    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx->ours = 1;
    r->headers_out.status = status;
    /* RFC 9110 8.6: a 304 may name the page's length only */
    r->headers_out.content_length_n = status == NGX_HTTP_NOT_MODIFIED
                                      ? -1 : (off_t) body->len;

    if (type->len != 0 && status != NGX_HTTP_NOT_MODIFIED
        && status != NGX_HTTP_NO_CONTENT)
    {
        r->headers_out.content_type = *type;
        r->headers_out.content_type_len = type->len;
        r->headers_out.content_type_lowcase = NULL;
    }

    if (body->len == 0) {
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ngx_pnalloc(r->pool, body->len);
    if (b->pos == NULL) {
        return NGX_ERROR;
    }

    /* a copy: the flow's pool may die before the socket takes it all */
    b->last = ngx_cpymem(b->pos, body->data, body->len);
    b->memory = 1;
    b->last_buf = r == r->main;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_payments_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->value.data = ngx_pnalloc(r->pool, value.len + 1);
    if (h->value.data == NULL) {
        h->hash = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(h->value.data, value.data, value.len);
    h->value.len = value.len;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}


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


static ngx_int_t
add_reply_headers(ngx_http_request_t *r, const pay_reply_t *reply)
{
    ngx_str_t  yes = ngx_string("true");

    if (reply->retry_after_s >= 0
        && add_number(r, "Retry-After", "%L", reply->retry_after_s) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (reply->version >= 0
        && add_number(r, "ETag", "\"%L\"", reply->version) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (reply->replayed
        && ngx_http_payments_add_header(r, "Idempotent-Replayed", yes)
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


static ngx_int_t
add_number(ngx_http_request_t *r, const char *name, const char *format,
    int64_t number)
{
    u_char     text[NGX_INT64_LEN + 2];
    ngx_str_t  value;

    value.data = text;
    value.len = ngx_snprintf(text, sizeof(text), format, number) - text;

    return ngx_http_payments_add_header(r, name, value);
}


static ngx_int_t
reply_problem(ngx_http_request_t *r, const pay_reply_t *reply)
{
    ngx_int_t  rc;
    ngx_str_t  json, language = ngx_string("en");
    ngx_str_t  type = ngx_string("application/problem+json");

    rc = ngx_http_payments_error_page(r, reply);
    if (rc != NGX_DECLINED) {
        return rc;
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


static ngx_int_t
redirect(ngx_http_request_t *r, const pay_reply_t *reply)
{
    ngx_str_t  none = ngx_null_string;

    return ngx_http_payments_send(r, NGX_HTTP_SEE_OTHER, &none, &none);
}


/* draft-ietf-httpapi-ratelimit-headers; none on redirects (RL8) */
static ngx_int_t
add_limit_headers(ngx_http_request_t *r, ngx_uint_t status)
{
    u_char                     text[96];
    ngx_str_t                  value;
    ngx_http_payments_ctx_t   *ctx;
    ngx_http_payments_limit_t *limit;

    ctx = ngx_http_payments_get_ctx(r);
    limit = &ctx->limit;

    if (!limit->limited || (status >= 300 && status < 400)) {
        return NGX_OK;
    }

    value.data = text;
    value.len = ngx_snprintf(text, sizeof(text), "\"default\";q=%ui;w=%ui",
                             limit->quota, limit->window) - text;

    if (ngx_http_payments_add_header(r, "RateLimit-Policy", value) != NGX_OK) {
        return NGX_ERROR;
    }

    value.len = ngx_snprintf(text, sizeof(text), "\"default\";r=%ui;t=%ui",
                             limit->remaining, limit->reset) - text;

    if (ngx_http_payments_add_header(r, "RateLimit", value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (limit->allowed) {
        return NGX_OK;
    }

    return add_number(r, "Retry-After", "%L", (int64_t) limit->reset);
}

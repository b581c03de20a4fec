/*
 * The bytes of an answer: status, header fields, body.  Security headers come
 * from the filter, so that they are the same on all.
 */

#include "http/ngx_http_payments_send.h"
#include "util/ngx_http_payments_ctx.h"


static ngx_int_t send_body(ngx_http_request_t *r, ngx_str_t *body);
static ngx_int_t add_limit_headers(ngx_http_request_t *r, ngx_uint_t status);


/* `ours` tells the filter that this is no page of nginx. */
ngx_int_t
ngx_http_payments_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body)
{
    ngx_int_t                 rc;
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
    /* nginx does not know our ETag: behind an act it would answer 412 */
    r->disable_not_modified = 1;
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

    return rc == NGX_ERROR || rc > NGX_OK || r->header_only
           ? rc : send_body(r, body);
}


/* A copy: the flow's pool may die before the socket takes it all. */
static ngx_int_t
send_body(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ngx_pnalloc(r->pool, body->len);
    if (b->pos == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->pos, body->data, body->len);
    b->memory = 1;
    b->last_buf = r == r->main;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* A field without memory for its value is marked as deleted (hash 0), as nginx
 * would send it empty. */
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
ngx_http_payments_add_number(ngx_http_request_t *r, const char *name,
    const char *format, int64_t number)
{
    u_char     text[NGX_INT64_LEN + 2];
    ngx_str_t  value;

    value.data = text;
    value.len = ngx_snprintf(text, sizeof(text), format, number) - text;

    return ngx_http_payments_add_header(r, name, value);
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

    return ngx_http_payments_add_number(r, "Retry-After", "%L",
                                        (int64_t) limit->reset);
}

/*
 * Checks of a POST's header before its body is read: the media type, a version
 * and the Idempotency-Key.
 */

#include "http/ngx_http_payments_check.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"
#include "util/ngx_http_payments_ctx.h"
#include "pay_idempotency.h"
#include "pay_pan.h"


static ngx_uint_t is_json(ngx_str_t *type);
static ngx_int_t refuse_without_key(ngx_http_request_t *r, pay_err_t *err);


/* H4-H6: JSON in UTF-8, unencoded, or 415 with what would be accepted. */
ngx_int_t
ngx_http_payments_check_media(ngx_http_request_t *r, pay_err_t *err)
{
    ngx_str_t         json = ngx_string("application/json");
    ngx_str_t         identity = ngx_string("identity");
    ngx_uint_t        count;
    const char       *slug = "unsupported-media-type";
    ngx_table_elt_t  *encoding, *type;

    encoding = ngx_http_payments_find_header(r, "Content-Encoding", &count);

    if (encoding != NULL
        && (count != 1 || encoding->value.len != identity.len
            || ngx_strncasecmp(encoding->value.data, identity.data,
                               identity.len) != 0))
    {
        if (ngx_http_payments_add_header(r, "Accept-Encoding", identity)
            != NGX_OK)
        {
            slug = "internal-error";
        }

        return ngx_http_payments_refuse(err, slug, NULL);
    }

    type = ngx_http_payments_find_header(r, "Content-Type", &count);

    if (count > 1) {
        return ngx_http_payments_refuse(err, "malformed-request",
                                        "send Content-Type once");
    }

    if (type != NULL && is_json(&type->value)) {
        return NGX_OK;
    }

    if (ngx_http_payments_add_header(r, "Accept", json) != NGX_OK
        || ngx_http_payments_add_header(r, "Accept-Post", json) != NGX_OK)
    {
        slug = "internal-error";
    }

    return ngx_http_payments_refuse(err, slug, NULL);
}


/* H15: no act compares versions, so that a request whose sender names one does
 * nothing, instead of acting on another version.  If-Match: * holds of all that
 * there is. */
ngx_int_t
ngx_http_payments_check_version(ngx_http_request_t *r, pay_err_t *err)
{
    ngx_uint_t        count;
    ngx_table_elt_t  *match;

    match = ngx_http_payments_find_header(r, "If-Match", &count);

    if ((match != NULL && (count != 1 || match->value.len != 1
                           || match->value.data[0] != '*'))
        || ngx_http_payments_find_header(r, "If-Unmodified-Since", &count)
           != NULL)
    {
        return ngx_http_payments_refuse(err, "precondition-failed", NULL);
    }

    return NGX_OK;
}


/* application/json, alone or with charset=utf-8 */
static ngx_uint_t
is_json(ngx_str_t *type)
{
    u_char  *p, *last;
    size_t   len = sizeof("application/json") - 1;

    if (type->len < len
        || ngx_strncasecmp(type->data, (u_char *) "application/json", len)
           != 0)
    {
        return 0;
    }

    p = type->data + len;
    last = type->data + type->len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p == last) {
        return 1;
    }

    if (*p++ != ';') {
        return 0;
    }

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    len = last - p;

    return (len == 13 && ngx_strncasecmp(p, (u_char *) "charset=utf-8", 13)
                         == 0)
           || (len == 15 && ngx_strncasecmp(p, (u_char *) "charset=\"utf-8\"",
                                            15) == 0);
}


ngx_int_t
ngx_http_payments_may_key(ngx_http_request_t *r, pay_err_t *err)
{
    ngx_uint_t  count;

    return ngx_http_payments_find_header(r, "Idempotency-Key", &count) == NULL
           ? NGX_OK : ngx_http_payments_check_key(r, err);
}


/* A key is stored, so one that looks like a card number is refused (T13). */
ngx_int_t
ngx_http_payments_check_key(ngx_http_request_t *r, pay_err_t *err)
{
    ngx_uint_t                count;
    ngx_table_elt_t          *header;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);
    header = ngx_http_payments_find_header(r, "Idempotency-Key", &count);

    if (header == NULL) {
        return refuse_without_key(r, err);
    }

    if (count != 1) {
        return ngx_http_payments_refuse(err, "idempotency-key-invalid",
                                        "send the field once");
    }

    if (pay_idempotency_key_parse(ngx_payments_str(header->value), &ctx->key,
                                  err)
        != PAY_OK)
    {
        return NGX_DECLINED;
    }

    return pay_pan_found(ctx->key)
           ? ngx_http_payments_refuse(err, "card-data-not-accepted",
                                      "the Idempotency-Key looks like a card "
                                      "number")
           : NGX_OK;
}


/* The draft wants a link to the documents of the header (IK4). */
static ngx_int_t
refuse_without_key(ngx_http_request_t *r, pay_err_t *err)
{
    pay_str_t  url;
    ngx_str_t  link;

    if (ngx_http_payments_base_url(r, &url) != NGX_OK) {
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    link.data = ngx_pnalloc(r->pool, url.len + 96);
    if (link.data == NULL) {
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    link.len = ngx_sprintf(link.data, "<%V/problems/idempotency-key-missing>; "
                           "rel=\"describedby\"", &ngx_payments_nstr(url))
               - link.data;

    if (ngx_http_payments_add_header(r, "Link", link) != NGX_OK) {
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    return ngx_http_payments_refuse(err, "idempotency-key-missing", NULL);
}

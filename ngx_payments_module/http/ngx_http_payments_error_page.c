/*
 * Errors under a buyer's addresses, in words: the error, that it took no money,
 * the next step, and a number to tell.  Of our own answers and of nginx's;
 * nothing is sent here.
 */

#include "http/ngx_http_payments_error_page.h"
#include "http/ngx_http_payments_language.h"
#include "http/ngx_http_payments_look.h"
#include "http/ngx_http_payments_page.h"
#include "http/ngx_http_payments_request.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_memory.h"


#define PATH_MAX_LEN  4096
#define CODE_MAX_LEN  8


static pay_status_t set_look(ngx_http_request_t *r, pay_arena_t *arena,
    pay_str_t prefix, ngx_payments_value_t *v);
static ngx_str_t buyers_prefix(ngx_http_request_t *r);
static ngx_str_t requested_path(ngx_http_request_t *r);
static ngx_uint_t begins(ngx_str_t text, ngx_str_t prefix);
static ngx_uint_t error_state(ngx_uint_t status);
static ngx_uint_t wants_html(ngx_http_request_t *r);


/* Only buyers get a page: a storefront's client gets JSON even from these
 * locations unless it asks for HTML. */
ngx_int_t
ngx_http_payments_error_html(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *html)
{
    ngx_str_t                       prefix = buyers_prefix(r);
    ngx_uint_t                      language;
    pay_arena_t                     arena = ngx_payments_arena(r->pool);
    ngx_payments_value_t            v[ERROR_SLOTS];
    ngx_http_payments_ctx_t        *ctx = ngx_http_payments_get_ctx(r);
    ngx_http_payments_main_conf_t  *pmcf;

    if (prefix.len == 0 || ctx == NULL || ctx->html || !wants_html(r)) {
        return NGX_DECLINED;
    }

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    language = ngx_http_payments_language(r);

    ngx_memzero(v, sizeof(v));
    v[error_state(status)].count = 1;
    v[ERROR_REQUEST].text = (pay_str_t) { PAY_UUID_TEXT, ctx->request_id };

    if (pay_format(&arena, &v[ERROR_STYLE].text, PATH_MAX_LEN,
                   "%.*sstyle.css", pay_fmt(prefix)) != PAY_OK
        || pay_format(&arena, &v[ERROR_STATUS].text, CODE_MAX_LEN, "%u",
                      (unsigned) status) != PAY_OK
        || pay_locale_time(pmcf->pages.locales[language], &arena, ngx_time(),
                           &v[ERROR_NOW].text) != PAY_OK
        || set_look(r, &arena, ngx_payments_str(prefix), v) != PAY_OK
        || ngx_http_payments_render(r, &pmcf->pages.error[language],
                                    ngx_payments_error_slots, v, html)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return ngx_http_payments_say_language(r, language,
                                          "Accept, Accept-Language");
}


/* The merchant is known by the checkout that was found; before that where the
 * gateway has one merchant alone. */
static pay_status_t
set_look(ngx_http_request_t *r, pay_arena_t *arena, pay_str_t prefix,
    ngx_payments_value_t *v)
{
    ngx_payments_merchant_t         **merchants;
    const ngx_payments_look_t        *look = NULL;
    ngx_http_payments_ctx_t          *ctx = ngx_http_payments_get_ctx(r);
    ngx_http_payments_main_conf_t    *pmcf;
    ngx_http_payments_shown_look_t    shown;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    merchants = pmcf->merchants.elts;

    if (ctx->merchant_id.len != 0) {
        look = ngx_http_payments_look_of(pmcf,
                                         ngx_payments_str(ctx->merchant_id));

    } else if (pmcf->merchants.nelts == 1) {
        look = &merchants[0]->look;
    }

    PAY_TRY(ngx_http_payments_look_show(look, arena, prefix, &shown));

    v[ERROR_NAMED].count = shown.has_name;
    v[ERROR_UNNAMED].count = !shown.has_name;
    v[ERROR_MERCHANT].text = shown.name;
    v[ERROR_LOGO].count = shown.has_logo;
    v[ERROR_LOGO_URL].text = shown.logo_url;
    v[ERROR_LOOK].count = shown.has_style;
    v[ERROR_LOOK_URL].text = shown.style_url;

    return PAY_OK;
}


/* The name of the location; empty: this is none of a buyer's addresses.  Before
 * nginx has chosen a location, the path itself says whose it is. */
static ngx_str_t
buyers_prefix(ngx_http_request_t *r)
{
    ngx_str_t                      path, none = ngx_null_string;
    ngx_http_payments_loc_conf_t  *plcf;
    ngx_http_payments_srv_conf_t  *pscf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    pscf = ngx_http_get_module_srv_conf(r, ngx_http_payments_module);

    if (plcf->kind == NGX_HTTP_PAYMENTS_CHECKOUT
        || plcf->kind == NGX_HTTP_PAYMENTS_RETURN)
    {
        return plcf->prefix;
    }

    if (plcf->kind != NGX_HTTP_PAYMENTS_NONE) {
        return none;
    }

    path = requested_path(r);

    return begins(path, pscf->checkout) ? pscf->checkout
           : begins(path, pscf->back) ? pscf->back : none;
}


/* As it was sent; of one that nginx could not read, as far as it came.  While
 * nginx reads the line, uri_end may be a number that means nothing. */
static ngx_str_t
requested_path(ngx_http_request_t *r)
{
    u_char     *end = r->uri_end;
    ngx_buf_t  *b = r->header_in;
    ngx_str_t   path = r->unparsed_uri;

    if (path.len != 0 || r->uri_start == NULL) {
        return path;
    }

    if (b != NULL && r->uri_start >= b->start && r->uri_start < b->last
        && (end < r->uri_start || end > b->last))
    {
        end = b->last;
    }

    if (end > r->uri_start) {
        path.data = r->uri_start;
        path.len = end - r->uri_start;
    }

    return path;
}


static ngx_uint_t
begins(ngx_str_t text, ngx_str_t prefix)
{
    return prefix.len != 0 && text.len >= prefix.len
           && ngx_memcmp(text.data, prefix.data, prefix.len) == 0;
}


/* A request that cannot be read is mostly a link that was cut or bent on its
 * way. */
static ngx_uint_t
error_state(ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_NOT_FOUND:
    case 410:
    case NGX_HTTP_REQUEST_URI_TOO_LARGE:
        return ERROR_MISSING;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        return ERROR_MANY;

    case NGX_HTTP_REQUEST_TIME_OUT:
    case NGX_HTTP_BAD_GATEWAY:
    case NGX_HTTP_SERVICE_UNAVAILABLE:
    case NGX_HTTP_GATEWAY_TIME_OUT:
        return ERROR_BUSY;

    default:
        return ERROR_BROKEN;
    }
}


/* Named in an Accept field and not ruled out: a browser's word.  A client
 * without a wish gets JSON.  A request that was refused before its
 * header was read could name nothing: under a buyer's address, it is taken for
 * a browser's. */
static ngx_uint_t
wants_html(ngx_http_request_t *r)
{
    u_char           *p, *last;
    ngx_uint_t        count;
    ngx_table_elt_t  *accept;

    accept = ngx_http_payments_find_header(r, "Accept", &count);
    if (accept == NULL) {
        return r->http_state == NGX_HTTP_READING_REQUEST_STATE
               && r->headers_in.headers.part.nelts == 0;
    }

    p = ngx_strlcasestrn(accept->value.data,
                         accept->value.data + accept->value.len,
                         (u_char *) "text/html", 9 - 1);
    if (p == NULL) {
        return 0;
    }

    p += 9;
    last = accept->value.data + accept->value.len;

    while (p < last && (*p == ' ' || *p == ';')) {
        p++;
    }

    /* "q=0" and "q=0.0" rule it out, "q=0.9" does not */
    if (last - p < 3 || ngx_strncasecmp(p, (u_char *) "q=0", 3) != 0) {
        return 1;
    }

    for (p += 3; p < last && (*p == '.' || *p == '0'); p++) { /* void */ }

    return p < last && *p >= '1' && *p <= '9';
}

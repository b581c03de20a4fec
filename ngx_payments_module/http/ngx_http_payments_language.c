/*
 * Accept-Language in, the number of a language out (pay_locale.h), and the
 * header fields that say so.
 */

#include "http/ngx_http_payments_language.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"

#include "pay_locale.h"


#define ENGLISH  0


/* The first of several fields counts. */
ngx_uint_t
ngx_http_payments_language(ngx_http_request_t *r)
{
    ngx_uint_t        count;
    ngx_table_elt_t  *field;

    field = ngx_http_payments_find_header(r, "Accept-Language", &count);

    return field == NULL ? ENGLISH
                         : pay_locale_pick(ngx_payments_str(field->value),
                                           ENGLISH);
}


ngx_int_t
ngx_http_payments_say_language(ngx_http_request_t *r, ngx_uint_t language,
    const char *vary)
{
    ngx_str_t  tag, fields;

    tag = ngx_payments_nstr(pay_str_of(pay_locale_tag(language)));
    fields = ngx_payments_nstr(pay_str_of(vary));

    return ngx_http_payments_add_header(r, "Content-Language", tag) == NGX_OK
           && ngx_http_payments_add_header(r, "Vary", fields) == NGX_OK
           ? NGX_OK : NGX_ERROR;
}

/*
 * The language of a buyer's page: that of the browser, if there are pages in
 * it.
 */

#ifndef NGX_HTTP_PAYMENTS_LANGUAGE_H
#define NGX_HTTP_PAYMENTS_LANGUAGE_H

#include "util/ngx_payments.h"


/* A number below PAY_LOCALES. */
ngx_uint_t ngx_http_payments_language(ngx_http_request_t *r);
/* Content-Language, and the Vary field of a page that depends on `vary`:
 * NGX_OK, or NGX_ERROR (no memory). */
ngx_int_t ngx_http_payments_say_language(ngx_http_request_t *r,
    ngx_uint_t language, const char *vary);


#endif /* NGX_HTTP_PAYMENTS_LANGUAGE_H */

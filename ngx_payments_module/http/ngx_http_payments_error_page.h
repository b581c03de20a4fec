/*
 * The page that a buyer sees in place of an error.
 */

#ifndef NGX_HTTP_PAYMENTS_ERROR_PAGE_H
#define NGX_HTTP_PAYMENTS_ERROR_PAGE_H

#include "util/ngx_payments.h"


/* The page for an error of that status, in r->pool, with its header fields.
 * NGX_DECLINED: this is no buyer who wants a page. */
ngx_int_t ngx_http_payments_error_html(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *html);


#endif /* NGX_HTTP_PAYMENTS_ERROR_PAGE_H */

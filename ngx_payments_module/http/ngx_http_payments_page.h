/*
 * The buyer's pages, out of the templates of html/.  They are made here and
 * sent by others.
 */

#ifndef NGX_HTTP_PAYMENTS_PAGE_H
#define NGX_HTTP_PAYMENTS_PAGE_H

#include "http/ngx_payments_pages.h"

#include "pay_flow.h"


/* The status page of a checkout, in r->pool, with the header field that makes
 * it come again.  NGX_DECLINED: it could not be made; else NGX_OK, or the code
 * of a content handler. */
ngx_int_t ngx_http_payments_status_html(ngx_http_request_t *r,
    const pay_reply_t *reply, ngx_str_t *html);
/* The page of a remittance advice, in r->pool: NGX_OK, or NGX_DECLINED, it
 * could not be made. */
ngx_int_t ngx_http_payments_advice_html(ngx_http_request_t *r,
    const pay_advice_t *advice, ngx_str_t *html);
/* Any page: NGX_OK, or NGX_ERROR (no memory). */
ngx_int_t ngx_http_payments_render(ngx_http_request_t *r, ngx_str_t *page,
    const ngx_payments_slot_t *slots, const ngx_payments_value_t *values,
    ngx_str_t *html);


#endif /* NGX_HTTP_PAYMENTS_PAGE_H */

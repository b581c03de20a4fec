/*
 * Pages for browsers, out of the templates of html/: who makes which
 * (ngx_http_payments_page.c).
 */

#ifndef NGX_HTTP_PAYMENTS_PAGE_H
#define NGX_HTTP_PAYMENTS_PAGE_H

#include "util/ngx_http_payments.h"


/* Reads the templates at the start of a configuration. */
ngx_int_t ngx_http_payments_load_pages(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
/* The status page of a checkout. */
ngx_int_t ngx_http_payments_status_page(ngx_http_request_t *r,
    const pay_reply_t *reply);
/* NGX_DECLINED: this is no buyer who wants a page. */
ngx_int_t ngx_http_payments_error_page(ngx_http_request_t *r,
    const pay_reply_t *reply);
/* The same page, in r->pool, for an answer that is on its way. */
ngx_int_t ngx_http_payments_error_html(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *html);
/* /problems (the list), /problems/<slug>, /problems/style.css */
ngx_int_t ngx_http_payments_problems(ngx_http_request_t *r);
/* <prefix>style.css; NGX_DECLINED when the path is another */
ngx_int_t ngx_http_payments_style(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_PAGE_H */

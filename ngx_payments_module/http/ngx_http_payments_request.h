/*
 * The common part of the checks of a request.
 */

#ifndef NGX_HTTP_PAYMENTS_REQUEST_H
#define NGX_HTTP_PAYMENTS_REQUEST_H

#include "util/ngx_payments.h"

#include "pay_status.h"
#include "pay_str.h"


/* The scheme and authority that the outside sees; never empty. */
ngx_int_t ngx_http_payments_base_url(ngx_http_request_t *r, pay_str_t *url);
/* The first field of that name, or NULL; *count: how many there are. */
ngx_table_elt_t *ngx_http_payments_find_header(ngx_http_request_t *r,
    const char *name, ngx_uint_t *count);

/* How old the answer may be, in seconds, by Cache-Control: max-age=N says so
 * (RFC 9111 5.2.1.1), and any other word, or several fields, 0.  NGX_DECLINED:
 * there is none. */
ngx_int_t ngx_http_payments_max_age(ngx_http_request_t *r);

/* The checks before a flow: NGX_OK says go on; NGX_DECLINED says refuse, with
 * *err filled and nothing sent yet.  A check never answers by itself: what a
 * sent answer returns is NGX_OK, too. */
ngx_int_t ngx_http_payments_refuse(pay_err_t *err, const char *slug,
    const char *detail);


#endif /* NGX_HTTP_PAYMENTS_REQUEST_H */

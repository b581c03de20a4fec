/*
 * The header of a POST.
 */

#ifndef NGX_HTTP_PAYMENTS_CHECK_H
#define NGX_HTTP_PAYMENTS_CHECK_H

#include "util/ngx_payments.h"

#include "pay_status.h"


/* NGX_OK, or NGX_DECLINED with *err; the third keeps the key in r's
 * context. */
ngx_int_t ngx_http_payments_check_media(ngx_http_request_t *r,
    pay_err_t *err);
ngx_int_t ngx_http_payments_check_version(ngx_http_request_t *r,
    pay_err_t *err);
ngx_int_t ngx_http_payments_check_key(ngx_http_request_t *r, pay_err_t *err);
/* The same for a request that may have no key, and then keeps none. */
ngx_int_t ngx_http_payments_may_key(ngx_http_request_t *r, pay_err_t *err);


#endif /* NGX_HTTP_PAYMENTS_CHECK_H */

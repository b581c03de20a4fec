/*
 * The member of staff behind a request, by a signed token in a header or a
 * cookie.
 */

#ifndef NGX_HTTP_PAYMENTS_STAFF_H
#define NGX_HTTP_PAYMENTS_STAFF_H

#include "util/ngx_payments.h"

#include "pay_status.h"


/* NGX_OK: the context's `staff` is set and has a role; NGX_DECLINED with
 * *err. */
ngx_int_t ngx_http_payments_staff(ngx_http_request_t *r, pay_err_t *err);
/* NGX_OK, or NGX_DECLINED with *err: another site has made the browser send
 * this request (docs/console.md#requests-from-other-sites). */
ngx_int_t ngx_http_payments_same_origin(ngx_http_request_t *r,
    pay_err_t *err);


#endif /* NGX_HTTP_PAYMENTS_STAFF_H */

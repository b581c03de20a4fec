/*
 * The merchant behind a request, by its bearer token.
 */

#ifndef NGX_HTTP_PAYMENTS_JWT_H
#define NGX_HTTP_PAYMENTS_JWT_H

#include "util/ngx_payments.h"

#include "pay_flow.h"


/* NGX_OK: *merchant is set; NGX_DECLINED with *err.  Tokens that were good are
 * remembered; the second forgets them, for a new configuration. */
ngx_int_t ngx_http_payments_authenticate(ngx_http_request_t *r,
    unsigned scope, const pay_merchant_t **merchant, pay_err_t *err);
void ngx_http_payments_jwt_forget(void);


#endif /* NGX_HTTP_PAYMENTS_JWT_H */

/*
 * Reads a body.
 */

#ifndef NGX_HTTP_PAYMENTS_BODY_H
#define NGX_HTTP_PAYMENTS_BODY_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* Reads the body within limits, then calls handler with its bytes. */
ngx_int_t ngx_http_payments_read_body(ngx_http_request_t *r,
    void (*handler)(ngx_http_request_t *r, pay_str_t body));


#endif /* NGX_HTTP_PAYMENTS_BODY_H */

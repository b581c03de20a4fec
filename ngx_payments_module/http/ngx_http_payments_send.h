/*
 * Sends an answer.
 */

#ifndef NGX_HTTP_PAYMENTS_SEND_H
#define NGX_HTTP_PAYMENTS_SEND_H

#include "util/ngx_payments.h"


/* Sends a whole answer and returns the code of a content handler. */
ngx_int_t ngx_http_payments_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body);
/* `name` is a literal; the value is copied. */
ngx_int_t ngx_http_payments_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t value);
/* The same with a number; `format` is of ngx_snprintf(), for an int64_t. */
ngx_int_t ngx_http_payments_add_number(ngx_http_request_t *r, const char *name,
    const char *format, int64_t number);


#endif /* NGX_HTTP_PAYMENTS_SEND_H */

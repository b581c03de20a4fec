/*
 * POST /v1/payments.
 */

#ifndef NGX_HTTP_PAYMENTS_CREATE_H
#define NGX_HTTP_PAYMENTS_CREATE_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* Takes the body and ends the request. */
void ngx_http_payments_create(ngx_http_request_t *r, pay_str_t body);


#endif /* NGX_HTTP_PAYMENTS_CREATE_H */

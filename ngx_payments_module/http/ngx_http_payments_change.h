/*
 * Captures, cancellations and refunds.
 */

#ifndef NGX_HTTP_PAYMENTS_CHANGE_H
#define NGX_HTTP_PAYMENTS_CHANGE_H

#include "util/ngx_payments.h"

#include "pay_change.h"


/* Begins one; returns the code of a content handler. */
ngx_int_t ngx_http_payments_change(ngx_http_request_t *r,
    pay_change_kind_t kind, pay_str_t order_id, pay_str_t body);


#endif /* NGX_HTTP_PAYMENTS_CHANGE_H */

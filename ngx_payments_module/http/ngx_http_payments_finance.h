/*
 * POST /v1/reconciliation/exceptions/{id}/accept, /resolve, /write-off.
 */

#ifndef NGX_HTTP_PAYMENTS_FINANCE_H
#define NGX_HTTP_PAYMENTS_FINANCE_H

#include "util/ngx_payments.h"

#include "pay_finance.h"


/* Starts the flow; returns as a content handler does. */
ngx_int_t ngx_http_payments_finance(ngx_http_request_t *r,
    pay_finance_act_kind_t kind, pay_str_t exception_id, pay_str_t body);


#endif /* NGX_HTTP_PAYMENTS_FINANCE_H */

/*
 * Requests about lists and reviews of risk.
 */

#ifndef NGX_HTTP_PAYMENTS_RISK_H
#define NGX_HTTP_PAYMENTS_RISK_H

#include "util/ngx_payments.h"

#include "pay_flow.h"


/* Starts the flow of a POST; its id and its body, which may be empty, are
 * untrusted.  Returns the code of a content handler. */
ngx_int_t ngx_http_payments_risk(ngx_http_request_t *r,
    pay_risk_act_kind_t kind, pay_str_t id, pay_str_t body);

/* Prepares the flow of a GET.  NGX_DECLINED with *err: it is refused;
 * NGX_ERROR: no memory. */
ngx_int_t ngx_http_payments_risk_list(ngx_http_request_t *r, pay_flow_t *core,
    pay_risk_list_t list, pay_str_t id, pay_err_t *err);


#endif /* NGX_HTTP_PAYMENTS_RISK_H */

/*
 * Requests about pay-outs.
 */

#ifndef NGX_HTTP_PAYMENTS_PAYOUT_H
#define NGX_HTTP_PAYMENTS_PAYOUT_H

#include "util/ngx_payments.h"
#include "pay_payout_api.h"


/* Starts the flow of a request; `id` of the path and `body` may be empty.
 * The result is that of a content handler. */
ngx_int_t ngx_http_payments_payout(ngx_http_request_t *r,
    pay_payout_act_kind_t kind, pay_str_t id, pay_str_t body);


#endif /* NGX_HTTP_PAYMENTS_PAYOUT_H */

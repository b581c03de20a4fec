/*
 * The directive payments_risk_review.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_REVIEW_H
#define NGX_HTTP_PAYMENTS_CONF_REVIEW_H

#include "conf/ngx_http_payments_conf_option.h"
#include "pay_money.h"


extern ngx_http_payments_line_t  ngx_http_payments_risk_review_line;

/* An amount with its currency behind it, 100.00USD; 0: it is none. */
ngx_uint_t ngx_http_payments_read_amount(ngx_str_t *text,
    const pay_currency_t **currency, int64_t *minor);


#endif /* NGX_HTTP_PAYMENTS_CONF_REVIEW_H */

/*
 * The directives payments_risk_after and payments_risk_card_testing.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_RISK_AFTER_H
#define NGX_HTTP_PAYMENTS_CONF_RISK_AFTER_H

#include "conf/ngx_http_payments_conf_option.h"


extern ngx_http_payments_line_t  ngx_http_payments_risk_after_line;
extern ngx_http_payments_line_t  ngx_http_payments_risk_card_testing_line;


#endif /* NGX_HTTP_PAYMENTS_CONF_RISK_AFTER_H */

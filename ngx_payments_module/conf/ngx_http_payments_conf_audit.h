/*
 * payments_audit
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_AUDIT_H
#define NGX_HTTP_PAYMENTS_CONF_AUDIT_H

#include "conf/ngx_http_payments_conf_option.h"


extern ngx_http_payments_line_t  ngx_http_payments_audit_line;


#endif /* NGX_HTTP_PAYMENTS_CONF_AUDIT_H */

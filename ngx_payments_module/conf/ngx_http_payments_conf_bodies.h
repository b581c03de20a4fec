/*
 * payments_webhook_bodies
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_BODIES_H
#define NGX_HTTP_PAYMENTS_CONF_BODIES_H

#include "conf/ngx_http_payments_conf_option.h"


extern ngx_http_payments_line_t  ngx_http_payments_webhook_bodies_line;


#endif /* NGX_HTTP_PAYMENTS_CONF_BODIES_H */

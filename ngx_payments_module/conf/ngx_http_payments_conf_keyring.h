/*
 * payments_keyring
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_KEYRING_H
#define NGX_HTTP_PAYMENTS_CONF_KEYRING_H

#include "conf/ngx_http_payments_conf_option.h"


extern ngx_http_payments_line_t  ngx_http_payments_keyring_line;


#endif /* NGX_HTTP_PAYMENTS_CONF_KEYRING_H */

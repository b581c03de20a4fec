/*
 * payments_webhook_endpoints: webhooks to storefronts.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_ENDPOINTS_H
#define NGX_HTTP_PAYMENTS_CONF_ENDPOINTS_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_endpoints_line;


/* When the http block is read: the client of deliveries, and a line that needs
 * a keyring. */
char *ngx_http_payments_endpoints_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_ENDPOINTS_H */

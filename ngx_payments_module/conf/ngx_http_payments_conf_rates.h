/*
 * payments_rates and payments_quote
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_RATES_H
#define NGX_HTTP_PAYMENTS_CONF_RATES_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_quote_line;


/* payments_rates */
char *ngx_http_payments_rates(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* When all is read. */
char *ngx_http_payments_rates_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_RATES_H */

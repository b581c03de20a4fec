/*
 * Acts of staff on the console: payments_console_act_database,
 * payments_console_refund.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_ACT_H
#define NGX_HTTP_PAYMENTS_CONF_ACT_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_console_act_database_line;


/* The setter of payments_console_refund, which stands once for a currency. */
char *ngx_http_payments_console_refund(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* When a console is served and merchants are resolved: writes the terms of
 * refunds as JSON. */
char *ngx_http_payments_act_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_ACT_H */

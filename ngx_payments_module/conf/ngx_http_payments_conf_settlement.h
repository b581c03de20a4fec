/*
 * payments_settlement
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_SETTLEMENT_H
#define NGX_HTTP_PAYMENTS_CONF_SETTLEMENT_H

#include "util/ngx_payments_conf_types.h"


/* Setter of payments_settlement: adds the source. */
char *ngx_http_payments_settlement(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* When all is read. */
char *ngx_http_payments_settlement_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_SETTLEMENT_H */

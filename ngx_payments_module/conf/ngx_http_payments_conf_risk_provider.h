/*
 * The block payments_risk_provider.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_RISK_PROVIDER_H
#define NGX_HTTP_PAYMENTS_CONF_RISK_PROVIDER_H

#include "util/ngx_payments_conf_types.h"


/* The setter of payments_risk_provider. */
char *ngx_http_payments_risk_provider_block(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
/* When all is read: that each merchant is there, and the core's list.  Comes
 * before payments_risk is resolved, whose version counts these blocks, too. */
char *ngx_http_payments_risk_provider_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_RISK_PROVIDER_H */

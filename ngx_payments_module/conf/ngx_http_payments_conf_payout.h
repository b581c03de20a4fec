/*
 * The block payments_payout.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_PAYOUT_H
#define NGX_HTTP_PAYMENTS_CONF_PAYOUT_H

#include "util/ngx_payments_conf_types.h"


/* The setter of payments_payout. */
char *ngx_http_payments_payout_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* When all is read: the core's array, and that each merchant is there. */
char *ngx_http_payments_payout_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_PAYOUT_H */

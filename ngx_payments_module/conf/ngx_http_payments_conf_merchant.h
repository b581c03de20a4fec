/*
 * The block payments_merchant.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_MERCHANT_H
#define NGX_HTTP_PAYMENTS_CONF_MERCHANT_H

#include "util/ngx_payments.h"


/* Setter of payments_merchant: reads its block and adds the merchant. */
char *ngx_http_payments_merchant_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_PAYMENTS_CONF_MERCHANT_H */

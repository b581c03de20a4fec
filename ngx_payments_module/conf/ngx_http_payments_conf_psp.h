/*
 * The block payments_psp.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_PSP_H
#define NGX_HTTP_PAYMENTS_CONF_PSP_H

#include "util/ngx_payments.h"


/* Setter of payments_psp: reads its block and adds the PSP. */
char *ngx_http_payments_psp_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_PAYMENTS_CONF_PSP_H */

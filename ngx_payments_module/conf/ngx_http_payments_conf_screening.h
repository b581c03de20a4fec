/*
 * The block payments_screening.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_SCREENING_H
#define NGX_HTTP_PAYMENTS_CONF_SCREENING_H

#include "util/ngx_payments_conf_types.h"


/* The setter of payments_screening. */
char *ngx_http_payments_screening_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* When all is read: that each merchant is there, and the keyring. */
char *ngx_http_payments_screening_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_SCREENING_H */

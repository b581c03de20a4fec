/*
 * payments_webhook_endpoint: endpoints of storefronts that stand in nginx.conf.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_DECLARED_H
#define NGX_HTTP_PAYMENTS_CONF_DECLARED_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


/* The secret in a file with whsec_… alone; `whose` it is stands in the line of
 * the log about a file that is refused. */
char *ngx_http_payments_read_whsec(ngx_conf_t *cf, ngx_str_t file,
    const char *whose, pay_secret_t *secret);

/* The setter of the directive, which may stand often; returns as those of
 * nginx. */
char *ngx_http_payments_declared(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* When the http block is read: each line's merchant, its URL by the hosts that
 * may be called, and its secret, which is sealed with the keyring. */
char *ngx_http_payments_declared_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_DECLARED_H */

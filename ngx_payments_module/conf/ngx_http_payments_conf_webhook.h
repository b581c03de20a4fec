/*
 * The words webhook_… of payments_psp.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_WEBHOOK_H
#define NGX_HTTP_PAYMENTS_CONF_WEBHOOK_H

#include "util/ngx_payments_conf_types.h"


/* Words of a block; `object` is a ngx_payments_psp_t, or begins with one. */
char *ngx_http_payments_webhook_scheme(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_keys(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_url(ngx_conf_t *cf, void *object);
/* At the block's end: what its scheme needs is there, and nothing else. */
char *ngx_http_payments_webhook_check(ngx_conf_t *cf, ngx_payments_psp_t *psp);
/* At the end of the http block: the default of webhook_url. */
char *ngx_http_payments_webhook_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_psp_t *psp);


#endif /* NGX_HTTP_PAYMENTS_CONF_WEBHOOK_H */

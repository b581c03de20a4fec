/*
 * Certificates that a webhook names by URL.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_CERT_H
#define NGX_HTTP_PAYMENTS_CONF_CERT_H

#include "util/ngx_payments_conf_types.h"


/* Words of payments_psp: webhook_cert_path and webhook_cert_rate, and what they
 * are where nothing is said. */
char *ngx_http_payments_cert_path(ngx_conf_t *cf, void *object);
char *ngx_http_payments_cert_rate(ngx_conf_t *cf, void *object);
void ngx_http_payments_cert_defaults(ngx_payments_psp_t *psp);


#endif /* NGX_HTTP_PAYMENTS_CONF_CERT_H */

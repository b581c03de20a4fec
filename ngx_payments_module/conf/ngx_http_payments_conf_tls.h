/*
 * The certificates that are trusted over TLS.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_TLS_H
#define NGX_HTTP_PAYMENTS_CONF_TLS_H

#include "util/ngx_payments.h"


/* Words of payments_psp: pinned_public_key, ca_file, proxy. */
char *ngx_http_payments_psp_pins(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_ca(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_proxy(ngx_conf_t *cf, void *object);
/* 0 when TLS 1.2 is on and none of its ciphers fits a certificate of the
 * server; 1 also for a server without TLS. */
ngx_uint_t ngx_http_payments_ciphers_fit(ngx_http_core_srv_conf_t *server);
/* Makes the name a full one; the file must hold certificates in PEM. */
char *ngx_http_payments_check_ca(ngx_conf_t *cf, ngx_str_t *path);


#endif /* NGX_HTTP_PAYMENTS_CONF_TLS_H */

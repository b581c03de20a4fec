/*
 * The words about transport of a block whose object begins with a
 * ngx_payments_psp_t.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_CLIENT_H
#define NGX_HTTP_PAYMENTS_CONF_CLIENT_H

#include "util/ngx_payments_conf_types.h"


/* The values of the word mode. */
extern const ngx_conf_enum_t  ngx_http_payments_modes[];

/* Setters of base_url, api_key_file and timeout. */
char *ngx_http_payments_client_url(ngx_conf_t *cf, void *object);
char *ngx_http_payments_client_key(ngx_conf_t *cf, void *object);
char *ngx_http_payments_client_timeout(ngx_conf_t *cf, void *object);
/* When the block is whole: the deadlines that it does not say, and whether its
 * base_url may be called. */
void ngx_http_payments_client_defaults(ngx_payments_psp_t *client);
char *ngx_http_payments_client_check(ngx_conf_t *cf,
    ngx_payments_psp_t *client);


#endif /* NGX_HTTP_PAYMENTS_CONF_CLIENT_H */

/*
 * When all of the http block is read.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_RESOLVE_H
#define NGX_HTTP_PAYMENTS_CONF_RESOLVE_H

#include "util/ngx_payments_conf_types.h"


/* Resolves names, refuses contradictions. */
char *ngx_http_payments_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_RESOLVE_H */

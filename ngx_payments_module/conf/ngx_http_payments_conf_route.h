/*
 * The word route of payments_merchant.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_ROUTE_H
#define NGX_HTTP_PAYMENTS_CONF_ROUTE_H

#include "util/ngx_payments_conf_types.h"


/* Its options, each once, and the names of PSPs. */
#define NGX_PAYMENTS_ROUTE_OPTIONS  8
#define NGX_PAYMENTS_ROUTE_WORDS                                              \
    (NGX_PAYMENTS_ROUTE_OPTIONS + PAY_ROUTE_PSPS_MAX)

/* The word, and its names when all blocks are read (core->psps is filled). */
char *ngx_http_payments_merchant_route(ngx_conf_t *cf, void *object);
char *ngx_http_payments_resolve_routes(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_merchant_t *merchant,
    pay_merchant_t *core);
/* Refuses a PSP that has no hosted page; NULL: there is no such block. */
char *ngx_http_payments_check_target(ngx_conf_t *cf,
    ngx_payments_merchant_t *merchant, ngx_str_t *name,
    const pay_psp_conf_t *psp);


#endif /* NGX_HTTP_PAYMENTS_CONF_ROUTE_H */

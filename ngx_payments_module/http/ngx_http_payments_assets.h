/*
 * The files of the console's pages, in memory.
 */

#ifndef NGX_HTTP_PAYMENTS_ASSETS_H
#define NGX_HTTP_PAYMENTS_ASSETS_H

#include "util/ngx_payments_conf_types.h"


/* Reads the directory when the configuration is loaded; nothing when no
 * location is a console.  NGX_ERROR when it is logged. */
ngx_int_t ngx_http_payments_load_assets(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
/* The file of that name, or NULL. */
const ngx_payments_asset_t *ngx_http_payments_asset(
    const ngx_http_payments_main_conf_t *pmcf, pay_str_t name);
/* Sends it, or 304 to who has it. */
ngx_int_t ngx_http_payments_send_asset(ngx_http_request_t *r,
    const ngx_payments_asset_t *asset);
/* Whether If-None-Match names this tag, a text that ends with NUL and has its
 * quotes. */
ngx_uint_t ngx_http_payments_is_known(ngx_http_request_t *r,
    const u_char *etag);


#endif /* NGX_HTTP_PAYMENTS_ASSETS_H */

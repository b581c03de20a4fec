/*
 * The look of a merchant's pages for buyers: words of payments_merchant.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_LOOK_H
#define NGX_HTTP_PAYMENTS_CONF_LOOK_H

#include "util/ngx_payments_conf_types.h"


/* Words of the block: NGX_CONF_OK, or a sentence, or NGX_CONF_ERROR with the
 * reason logged.  `object` is the ngx_payments_merchant_t. */
char *ngx_http_payments_display_name(ngx_conf_t *cf, void *object);
char *ngx_http_payments_page_logo(ngx_conf_t *cf, void *object);
char *ngx_http_payments_page_colors(ngx_conf_t *cf, void *object);
char *ngx_http_payments_page_text(ngx_conf_t *cf, void *object);

/* Sorts the files of all looks by name, for requests that ask for one. */
char *ngx_http_payments_looks_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_LOOK_H */

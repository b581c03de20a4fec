/*
 * Webhooks that are posted back to their sender.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_CONFIRM_H
#define NGX_HTTP_PAYMENTS_CONF_CONFIRM_H

#include "util/ngx_payments_conf_types.h"


/* Words of payments_payout: webhook_confirm_url and webhook_confirm_rate; and
 * at the block's end the rate where nothing is said, and whether the address
 * fits the block's base_url. */
char *ngx_http_payments_confirm_url(ngx_conf_t *cf, void *object);
char *ngx_http_payments_confirm_rate(ngx_conf_t *cf, void *object);
char *ngx_http_payments_confirm_check(ngx_conf_t *cf, ngx_payments_psp_t *psp);


#endif /* NGX_HTTP_PAYMENTS_CONF_CONFIRM_H */

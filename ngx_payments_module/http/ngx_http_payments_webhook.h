/*
 * The locations of payments_webhook.
 */

#ifndef NGX_HTTP_PAYMENTS_WEBHOOK_H
#define NGX_HTTP_PAYMENTS_WEBHOOK_H

#include "util/ngx_payments.h"


/* Content of /webhooks/: the limit of the address, the PSP by the last part of
 * the path, the raw body, and a flow that may outlive the request. */
ngx_int_t ngx_http_payments_webhook(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_WEBHOOK_H */

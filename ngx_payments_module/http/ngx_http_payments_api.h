/*
 * The storefront's API.
 */

#ifndef NGX_HTTP_PAYMENTS_API_H
#define NGX_HTTP_PAYMENTS_API_H

#include "util/ngx_payments.h"


/* Content of /v1/: finds the route, checks the request, and starts its flow.
 * Returns the code of a content handler. */
ngx_int_t ngx_http_payments_api(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_API_H */

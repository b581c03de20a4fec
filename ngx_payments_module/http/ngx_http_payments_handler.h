/*
 * The content handler of every payments location.
 */

#ifndef NGX_HTTP_PAYMENTS_HANDLER_H
#define NGX_HTTP_PAYMENTS_HANDLER_H

#include "util/ngx_payments.h"


/* The content handler of all locations of the module: hands over to the one
 * that the location was configured for. */
ngx_int_t ngx_http_payments_handler(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_HANDLER_H */

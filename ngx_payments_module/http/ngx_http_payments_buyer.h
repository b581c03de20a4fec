/*
 * The buyer's locations.
 */

#ifndef NGX_HTTP_PAYMENTS_BUYER_H
#define NGX_HTTP_PAYMENTS_BUYER_H

#include "util/ngx_payments.h"


/* `kind`: payments_checkout or payments_return */
ngx_int_t ngx_http_payments_buyer(ngx_http_request_t *r, ngx_uint_t kind);


#endif /* NGX_HTTP_PAYMENTS_BUYER_H */

/*
 * The locations of payments_health.
 */

#ifndef NGX_HTTP_PAYMENTS_PROBE_H
#define NGX_HTTP_PAYMENTS_PROBE_H

#include "util/ngx_payments.h"


ngx_int_t ngx_http_payments_live(ngx_http_request_t *r);
ngx_int_t ngx_http_payments_ready(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_PROBE_H */

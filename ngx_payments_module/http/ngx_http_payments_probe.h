/*
 * The locations of payments_health.
 */

#ifndef NGX_HTTP_PAYMENTS_PROBE_H
#define NGX_HTTP_PAYMENTS_PROBE_H

#include "util/ngx_payments.h"


/* Content of payments_health live: 200 while the process serves. */
ngx_int_t ngx_http_payments_live(ngx_http_request_t *r);
/* Content of payments_health ready: 200 when PostgreSQL answers, else 503. */
ngx_int_t ngx_http_payments_ready(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_PROBE_H */

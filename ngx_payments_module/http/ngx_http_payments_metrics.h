/*
 * The /metrics document.
 */

#ifndef NGX_HTTP_PAYMENTS_METRICS_H
#define NGX_HTTP_PAYMENTS_METRICS_H

#include "util/ngx_payments.h"


/* Content of payments_metrics.  It asks neither PostgreSQL nor a PSP. */
ngx_int_t ngx_http_payments_metrics(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_METRICS_H */

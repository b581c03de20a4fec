/*
 * The part of /metrics that is about PSPs.
 */

#ifndef NGX_HTTP_PAYMENTS_METRICS_PSPS_H
#define NGX_HTTP_PAYMENTS_METRICS_PSPS_H

#include "shm/ngx_payments_zone.h"


/* is_open: with exemplars. */
void ngx_http_payments_metrics_psps(pay_buf_t *buf,
    const ngx_payments_counters_t *c, ngx_uint_t is_open);


#endif /* NGX_HTTP_PAYMENTS_METRICS_PSPS_H */

/*
 * Deliveries to the endpoints of storefronts: how they end, and how long an
 * attempt takes.  Endpoints are no labels: storefronts make them.
 */

#include "shm/ngx_payments_count_deliveries.h"
#include "shm/ngx_payments_zone.h"
#include "pay_metric.h"


#define TOTAL    "payments_webhook_deliveries_total"
#define SECONDS  "payments_webhook_delivery_seconds"


static void write_seconds(pay_buf_t *buf,
    const ngx_payments_histogram_t *histogram);


void
ngx_payments_count_delivery(pay_str_t outcome, ngx_msec_t ms)
{
    ngx_uint_t                i;
    ngx_payments_shctx_t     *ctx;
    ngx_payments_counters_t  *c;

    ctx = ngx_payments_shctx(NULL);
    if (ctx == NULL) {
        return;
    }

    c = &ctx->counters;

    for (i = 0; i < NGX_PAYMENTS_DELIVERIES; i++) {
        if (pay_str_is(outcome, ngx_payments_delivery_names[i])) {
            (void) ngx_atomic_fetch_add(&c->deliveries[i], 1);
        }
    }

    for (i = 0; i < NGX_PAYMENTS_LES; i++) {
        if (ms <= ngx_payments_le_ms[i]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&c->delivery_duration.count[i], 1);
    (void) ngx_atomic_fetch_add(&c->delivery_duration.sum_ms, ms);
}


void
ngx_payments_deliveries_write(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    ngx_uint_t  i;

    pay_metric_family(buf, TOTAL, "counter",
                      "Attempts to deliver messages to storefronts.");

    for (i = 0; i < NGX_PAYMENTS_DELIVERIES; i++) {
        pay_metric_series(buf, TOTAL, "outcome",
                          pay_str_of(ngx_payments_delivery_names[i]));
        pay_metric_end(buf, c->deliveries[i]);
    }

    pay_metric_family(buf, SECONDS, "histogram",
                      "From the start of an attempt to its answer or failure.");
    write_seconds(buf, &c->delivery_duration);
}


static void
write_seconds(pay_buf_t *buf, const ngx_payments_histogram_t *histogram)
{
    u_char             text[NGX_ATOMIC_T_LEN + 8];
    pay_str_t          sum;
    ngx_uint_t         i;
    ngx_atomic_uint_t  count;

    for (i = 0, count = 0; i <= NGX_PAYMENTS_LES; i++) {
        count += histogram->count[i];
        pay_metric_series(buf, SECONDS "_bucket", "le",
                          i == NGX_PAYMENTS_LES
                          ? PAY_STR("+Inf")
                          : pay_str_of(ngx_payments_le_names[i]));
        pay_metric_end(buf, count);
    }

    sum.data = text;
    sum.len = ngx_sprintf(text, "%uA.%03uA", histogram->sum_ms / 1000,
                          histogram->sum_ms % 1000) - text;
    pay_buf_text(buf, SECONDS "_sum ");
    pay_buf_add(buf, sum);
    pay_buf_text(buf, "\n");
    pay_metric_simple(buf, SECONDS "_count", count);
}

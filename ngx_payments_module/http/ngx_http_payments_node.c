/*
 * How the PSPs do, as JSON for the console: the state of the breakers in the
 * shared zone, and quantiles of the histogram that /metrics shows.  All workers
 * of this node count there; other nodes have their own.
 */

#include "http/ngx_http_payments_node.h"
#include "shm/ngx_payments_health.h"
#include "shm/ngx_payments_zone.h"
#include "pay_json.h"


#define NODE_MAX  (64 * 1024)


static void add_psp(pay_buf_t *buf, const ngx_payments_counters_t *counters,
    const ngx_payments_psp_t *psp, ngx_uint_t index);
static const ngx_payments_histogram_t *duration_of(
    const ngx_payments_counters_t *counters, pay_str_t name);
static void add_quantile(pay_buf_t *buf, const char *before,
    const ngx_payments_histogram_t *duration, ngx_uint_t percent);
static void number(pay_buf_t *buf, const char *before, ngx_uint_t value);


pay_status_t
ngx_http_payments_node(const ngx_http_payments_main_conf_t *pmcf,
    pay_arena_t *arena, pay_str_t *json)
{
    pay_buf_t              buf;
    ngx_uint_t             i;
    ngx_payments_psp_t   **psps = pmcf->psps.elts;
    ngx_payments_shctx_t  *ctx = ngx_payments_shctx(NULL);

    pay_buf_init(&buf, arena, NODE_MAX);
    pay_buf_text(&buf, "[");

    for (i = 0; ctx != NULL && i < pmcf->psps.nelts; i++) {
        pay_buf_text(&buf, i == 0 ? "" : ",");
        add_psp(&buf, &ctx->counters, psps[i], i);
    }

    pay_buf_text(&buf, "]");

    return pay_buf_done(&buf, json);
}


static void
add_psp(pay_buf_t *buf, const ngx_payments_counters_t *counters,
    const ngx_payments_psp_t *psp, ngx_uint_t index)
{
    ngx_payments_health_stat_t       stat;
    const ngx_payments_histogram_t  *duration;

    ngx_payments_health_stat(index, &stat);
    duration = duration_of(counters, psp->psp.name);

    pay_buf_text(buf, "{\"psp\":\"");
    pay_buf_json(buf, psp->psp.name);
    pay_buf_text(buf, "\",\"circuit\":\"");
    pay_buf_text(buf, pay_circuit_name(stat.circuit));
    pay_buf_text(buf, "\"");
    number(buf, ",\"opened\":", stat.opened);
    number(buf, ",\"in_flight\":", stat.health.in_flight);
    number(buf, ",\"in_flight_max\":", stat.health.in_flight_max);
    number(buf, ",\"calls\":", stat.health.calls);
    number(buf, ",\"success_permille\":", stat.health.success_permille);
    number(buf, ",\"latency_ms\":", stat.health.latency_ms);
    add_quantile(buf, ",\"p50_ms\":", duration, 50);
    add_quantile(buf, ",\"p95_ms\":", duration, 95);
    add_quantile(buf, ",\"p99_ms\":", duration, 99);
    pay_buf_text(buf, "}");
}


/* NULL: none of its calls has ended yet. */
static const ngx_payments_histogram_t *
duration_of(const ngx_payments_counters_t *counters, pay_str_t name)
{
    ngx_uint_t                      i;
    const ngx_payments_psp_stat_t  *stat;

    for (i = 0; i < NGX_PAYMENTS_PSPS_MAX; i++) {
        stat = counters->psps[i];

        if (stat != NULL
            && pay_str_eq((pay_str_t) { stat->len, stat->name }, name))
        {
            return &stat->duration;
        }
    }

    return NULL;
}


/* The least bound that so many percent of the calls have kept; null without a
 * call, and where they have taken longer than the last bound. */
static void
add_quantile(pay_buf_t *buf, const char *before,
    const ngx_payments_histogram_t *duration, ngx_uint_t percent)
{
    ngx_uint_t  i, all = 0, sum = 0;

    for (i = 0; duration != NULL && i <= NGX_PAYMENTS_LES; i++) {
        all += duration->count[i];
    }

    for (i = 0; all != 0 && i < NGX_PAYMENTS_LES; i++) {
        sum += duration->count[i];

        if (sum * 100 >= all * percent) {
            number(buf, before, ngx_payments_le_ms[i]);
            return;
        }
    }

    pay_buf_text(buf, before);
    pay_buf_text(buf, "null");
}


static void
number(pay_buf_t *buf, const char *before, ngx_uint_t value)
{
    pay_buf_text(buf, before);
    pay_buf_int(buf, (int64_t) value);
}

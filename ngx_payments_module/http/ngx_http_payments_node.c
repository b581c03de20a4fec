/*
 * How the PSPs do, as JSON for the console: the state of the breakers in the
 * shared zone, and quantiles of the histogram that /metrics shows.  All workers
 * of this node count there; other nodes have their own.
 */

#include "http/ngx_http_payments_node.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_health.h"
#include "shm/ngx_payments_zone.h"
#include "pay_json.h"


#define PSP_MAX           2048         /* bytes of JSON */
#define CERTIFICATE_SOON  (30 * 86400)


static void add_psp(pay_buf_t *buf, const ngx_payments_counters_t *counters,
    const ngx_payments_psp_t *psp, ngx_uint_t index);
static void add_certificate(pay_buf_t *buf,
    const ngx_payments_psp_stat_t *stat);
static void add_quantile(pay_buf_t *buf, const char *before,
    const ngx_payments_histogram_t *duration, ngx_uint_t percent);
static void number(pay_buf_t *buf, const char *before, ngx_uint_t value);


pay_status_t
ngx_http_payments_node(const ngx_http_payments_main_conf_t *pmcf,
    ngx_uint_t cell, pay_arena_t *arena, pay_str_t *json)
{
    pay_buf_t              buf;
    ngx_uint_t             i, n = 0;
    ngx_payments_psp_t   **psps = pmcf->psps.elts;
    ngx_payments_shctx_t  *ctx = ngx_payments_shctx(NULL);

    pay_buf_init(&buf, arena, 2 + pmcf->psps.nelts * PSP_MAX);
    pay_buf_text(&buf, "[");

    for (i = 0; ctx != NULL && i < pmcf->psps.nelts; i++) {
        if (psps[i]->psp.cell == cell) {
            pay_buf_text(&buf, n++ == 0 ? "" : ",");
            add_psp(&buf, &ctx->counters, psps[i], i);
        }
    }

    pay_buf_text(&buf, "]");

    return pay_buf_done(&buf, json);
}


static void
add_psp(pay_buf_t *buf, const ngx_payments_counters_t *counters,
    const ngx_payments_psp_t *psp, ngx_uint_t index)
{
    ngx_payments_health_stat_t       stat;
    const ngx_payments_psp_stat_t   *counted;
    const ngx_payments_histogram_t  *duration;

    ngx_payments_health_stat(index, &stat);
    /* NULL: nothing of this PSP was counted yet */
    counted = ngx_payments_psp_stat_find(counters, psp->psp.name);
    duration = counted != NULL ? &counted->duration : NULL;

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
    add_certificate(buf, counted);
    pay_buf_text(buf, psp->pinned.len != 0 ? ",\"pinned\":true}"
                                           : ",\"pinned\":false}");
}


/* Nulls: no call over TLS has been answered since nginx' start. */
static void
add_certificate(pay_buf_t *buf, const ngx_payments_psp_stat_t *stat)
{
    time_t     left;
    pay_str_t  issuer;
    u_char     end[sizeof("1970-01-01T00:00:00Z")];
    ngx_tm_t   tm;

    if (stat == NULL || stat->cert_end == 0) {
        pay_buf_text(buf, ",\"certificate\":null,\"certificate_end\":null,"
                     "\"certificate_issuer\":null");
        return;
    }

    left = (time_t) stat->cert_end - ngx_time();
    issuer.len = stat->issuer_len;
    issuer.data = (u_char *) stat->issuer;

    ngx_gmtime((time_t) stat->cert_end, &tm);
    ngx_sprintf(end, "%4d-%02d-%02dT%02d:%02d:%02dZ%Z", tm.ngx_tm_year,
                tm.ngx_tm_mon, tm.ngx_tm_mday, tm.ngx_tm_hour, tm.ngx_tm_min,
                tm.ngx_tm_sec);

    pay_buf_text(buf, ",\"certificate\":\"");
    pay_buf_text(buf, left < 0 ? "ended" : left < CERTIFICATE_SOON ? "ends soon"
                                                                : "valid");
    pay_buf_text(buf, "\",\"certificate_end\":\"");
    pay_buf_text(buf, (const char *) end);
    pay_buf_text(buf, "\",\"certificate_issuer\":\"");
    pay_buf_json(buf, issuer);
    pay_buf_text(buf, "\"");
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

/*
 * The part of /metrics that is about PSPs: calls, webhooks, lists and breakers.
 * Only reads.
 */

#include "http/ngx_http_payments_metrics_psps.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_health.h"
#include "shm/ngx_payments_series.h"
#include "util/ngx_payments_process.h"
#include "pay_metric.h"


static void write_webhooks(pay_buf_t *buf, const ngx_payments_counters_t *c);
static void write_outcomes(pay_buf_t *buf, pay_str_t psp,
    const ngx_atomic_t *counts);
static void write_last(pay_buf_t *buf, const ngx_payments_counters_t *c);
static void write_psps(pay_buf_t *buf, const ngx_payments_counters_t *c,
    ngx_uint_t is_open);
static void write_certificates(pay_buf_t *buf,
    const ngx_payments_counters_t *c);
static void write_quarantined(pay_buf_t *buf, const ngx_payments_counters_t *c);
static void write_backfills(pay_buf_t *buf, const ngx_payments_counters_t *c);
static ngx_uint_t lists_events(const ngx_payments_psp_stat_t *stat);
static const ngx_payments_psp_stat_t *psp_stat(
    const ngx_payments_counters_t *c, ngx_uint_t i);
static pay_str_t psp_name(const ngx_payments_psp_stat_t *psp);
static const char *result_name(ngx_uint_t result);
static void write_calls(pay_buf_t *buf, pay_str_t psp, pay_call_t call,
    const ngx_atomic_t *calls);
static void write_health(pay_buf_t *buf);
static void write_circuit(pay_buf_t *buf, pay_str_t psp,
    const ngx_payments_health_stat_t *stat);
static void write_refused(pay_buf_t *buf, pay_str_t psp,
    const ngx_payments_health_stat_t *stat);
static void health_end(pay_buf_t *buf,
    const ngx_payments_health_stat_t *stat, ngx_uint_t which);


/* One number of each PSP; the order is that of health_end(). */
static const struct {
    const char  *name;
    const char  *type;
    const char  *help;
    ngx_uint_t   thousandths;
} health_families[] = {
    { "payments_psp_circuit_opened_total", "counter",
      "How often the circuit breaker has opened.", 0 },
    { "payments_psp_in_flight", "gauge",
      "Calls under way, all workers.", 0 },
    { "payments_psp_concurrency_limit", "gauge",
      "How many calls may be under way; 0: no limit.", 0 },
    { "payments_psp_success_ratio", "gauge",
      "Good calls among those of the breaker's window; 1 without calls.", 1 },
    { "payments_psp_latency_seconds", "gauge",
      "Mean duration of a call within the breaker's window.", 1 },
    { "payments_route_explored_total", "counter",
      "New checkouts that began there since a route explores.", 0 },
    { NULL, NULL, NULL, 0 }
};


void
ngx_http_payments_metrics_psps(pay_buf_t *buf,
    const ngx_payments_counters_t *c, ngx_uint_t is_open)
{
    write_webhooks(buf, c);
    write_last(buf, c);
    write_certificates(buf, c);
    write_psps(buf, c, is_open);
    write_quarantined(buf, c);
    write_backfills(buf, c);
    write_health(buf);
}


/* Also of PSPs that have sent none yet, so that a rate over the first one is
 * right. */
static void
write_webhooks(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    ngx_uint_t                      i;
    const pay_env_t                *env = &ngx_payments_main_conf()->env;
    const ngx_payments_psp_stat_t  *psp;
    static const ngx_atomic_t       none[NGX_PAYMENTS_OUTCOMES];

    pay_metric_family(buf, "payments_webhook_events_total", "counter",
                      "Webhooks by what became of them.");

    for (i = 0; i <= NGX_PAYMENTS_PSP_SLOTS; i++) {
        psp = psp_stat(c, i);

        if (psp != NULL) {
            write_outcomes(buf, psp_name(psp), psp->webhooks);
        }
    }

    for (i = 0; i < env->psp_count; i++) {
        if (ngx_payments_psp_stat_find(c, env->psps[i].name) == NULL) {
            write_outcomes(buf, env->psps[i].name, none);
        }
    }
}


static void
write_outcomes(pay_buf_t *buf, pay_str_t psp, const ngx_atomic_t *counts)
{
    ngx_uint_t  i;

    for (i = 0; ngx_payments_outcome_names[i] != NULL; i++) {
        pay_metric_series(buf, "payments_webhook_events_total", "psp", psp);
        pay_metric_more(buf, "outcome",
                        pay_str_of(ngx_payments_outcome_names[i]));
        pay_metric_end(buf, counts[i]);
    }
}


/* A point in time: an age would be that of the scrape. */
static void
write_last(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    ngx_uint_t                      i;
    const char                     *name;
    const ngx_payments_psp_stat_t  *psp;

    name = "payments_webhook_last_timestamp_seconds";
    pay_metric_family(buf, name, "gauge",
                      "When the last webhook came whose signature was right.");

    for (i = 0; i <= NGX_PAYMENTS_PSP_SLOTS; i++) {
        psp = psp_stat(c, i);

        if (psp != NULL && psp->webhook_at != 0) {
            pay_metric_series(buf, name, "psp", psp_name(psp));
            pay_metric_end(buf, psp->webhook_at);
        }
    }
}


/* None of a PSP that was not called over TLS since nginx' start. */
static void
write_certificates(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    ngx_uint_t                      i;
    const char                     *name;
    const ngx_payments_psp_stat_t  *psp;

    name = "payments_psp_certificate_end_timestamp_seconds";
    pay_metric_family(buf, name, "gauge",
                      "When the certificate ends that the PSP showed last.");

    for (i = 0; i <= NGX_PAYMENTS_PSP_SLOTS; i++) {
        psp = psp_stat(c, i);

        if (psp != NULL && psp->cert_end != 0) {
            pay_metric_series(buf, name, "psp", psp_name(psp));
            pay_metric_end(buf, psp->cert_end);
        }
    }
}


static void
write_psps(pay_buf_t *buf, const ngx_payments_counters_t *c,
    ngx_uint_t is_open)
{
    ngx_uint_t                      i, k;
    const ngx_payments_psp_stat_t  *psp;

    pay_metric_family(buf, "payments_psp_calls_total", "counter",
                      "Calls to payment service providers.");

    for (i = 0; i <= NGX_PAYMENTS_PSP_SLOTS; i++) {
        psp = psp_stat(c, i);

        for (k = 0; psp != NULL && k < PAY_CALL_COUNT; k++) {
            write_calls(buf, psp_name(psp), (pay_call_t) k, psp->calls[k]);
        }
    }

    pay_metric_family(buf, "payments_psp_call_duration_seconds", "histogram",
                      "From the start of a call to its answer or failure.");

    for (i = 0; i <= NGX_PAYMENTS_PSP_SLOTS; i++) {
        psp = psp_stat(c, i);

        if (psp != NULL) {
            ngx_payments_histogram_write(buf,
                                         "payments_psp_call_duration_seconds",
                                         "psp", psp_name(psp),
                                         &psp->duration,
                                         is_open ? psp->seen : NULL);
        }
    }
}


static void
write_quarantined(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    ngx_uint_t                      i, k;
    const char                     *name;
    const ngx_payments_psp_stat_t  *psp;

    name = "payments_webhooks_quarantined_total";
    pay_metric_family(buf, name, "counter",
                      "Webhooks that were refused and put aside for operators, "
                      "by why.");

    for (i = 0; i <= NGX_PAYMENTS_PSP_SLOTS; i++) {
        psp = psp_stat(c, i);

        for (k = 0; psp != NULL && k < NGX_PAYMENTS_REASONS; k++) {
            if (psp->quarantined[k] == 0) {
                continue;
            }

            pay_metric_series(buf, name, "psp", psp_name(psp));
            pay_metric_more(buf, "reason",
                            pay_str_of(ngx_payments_reason_names[k]));
            pay_metric_end(buf, psp->quarantined[k]);
        }
    }
}


/* Series of the PSPs of this configuration whose list is read. */
static void
write_backfills(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    ngx_uint_t                      i, missed;
    const char                     *name;
    const ngx_payments_psp_stat_t  *psp;

    for (missed = 0; missed < 2; missed++) {
        name = missed ? "payments_backfill_missed_total"
                      : "payments_backfill_listed_total";
        pay_metric_family(buf, name, "counter",
                          missed
                          ? "Events of a PSP's list that had never come."
                          : "Events that a PSP has listed.");

        for (i = 0; i <= NGX_PAYMENTS_PSP_SLOTS; i++) {
            psp = psp_stat(c, i);

            if (psp != NULL && lists_events(psp)) {
                pay_metric_series(buf, name, "psp", psp_name(psp));
                pay_metric_end(buf,
                               missed ? psp->backfill_missed
                                      : psp->backfill_listed);
            }
        }
    }
}


/* Also for a PSP whose list is not read any more, as long as its counter is
 * not 0: counters do not vanish. */
static ngx_uint_t
lists_events(const ngx_payments_psp_stat_t *stat)
{
    const pay_psp_conf_t  *psp;

    psp = pay_env_psp(&ngx_payments_main_conf()->env, psp_name(stat));

    return stat->backfill_listed != 0
           || (psp != NULL && psp->backfill_ms != 0);
}


static const ngx_payments_psp_stat_t *
psp_stat(const ngx_payments_counters_t *c, ngx_uint_t i)
{
    return i == NGX_PAYMENTS_PSP_SLOTS ? &c->other_psp : c->psps[i];
}


static pay_str_t
psp_name(const ngx_payments_psp_stat_t *psp)
{
    return psp->len == 0 ? PAY_STR("other")
                         : (pay_str_t) { psp->len, psp->name };
}


static const char *
result_name(ngx_uint_t result)
{
    return result == PAY_FAILURE_NONE ? "ok"
           : result == NGX_PAYMENTS_RESULT_HTTP_ERROR ? "http-error"
           : pay_failure_name((pay_failure_t) result);
}


static void
write_calls(pay_buf_t *buf, pay_str_t psp, pay_call_t call,
    const ngx_atomic_t *calls)
{
    ngx_uint_t   i;
    const char  *name = "payments_psp_calls_total";

    for (i = 0; i < NGX_PAYMENTS_RESULTS; i++) {
        if (calls[i] == 0) {
            continue;
        }

        pay_metric_series(buf, name, "psp", psp);
        pay_metric_more(buf, "operation",
                        pay_str_of(pay_call_name(call)));
        pay_metric_more(buf, "result",
                        pay_str_of(result_name(i)));
        pay_metric_end(buf, calls[i]);
    }
}


/* Series of the PSPs of this configuration, all of them from the start. */
static void
write_health(pay_buf_t *buf)
{
    ngx_uint_t                      i, k, n;
    const pay_psp_conf_t           *psps;
    ngx_payments_health_stat_t     *stats;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_payments_main_conf();
    psps = pmcf->env.psps;
    n = pmcf->env.psp_count;

    stats = pay_calloc(buf->arena, n * sizeof(ngx_payments_health_stat_t));
    if (stats == NULL) {
        pay_buf_fail(buf, PAY_NO_MEMORY);
        return;
    }

    for (i = 0; i < n; i++) {
        ngx_payments_health_stat(i, &stats[i]);
    }

    pay_metric_family(buf, "payments_psp_circuit", "gauge",
                      "1 for the state that the circuit breaker is in, else "
                      "0.");

    for (i = 0; i < n; i++) {
        write_circuit(buf, psps[i].name, &stats[i]);
    }

    for (k = 0; health_families[k].name != NULL; k++) {
        pay_metric_family(buf, health_families[k].name,
                          health_families[k].type, health_families[k].help);

        for (i = 0; i < n; i++) {
            pay_metric_series(buf, health_families[k].name, "psp",
                              psps[i].name);
            health_end(buf, &stats[i], k);
        }
    }

    pay_metric_family(buf, "payments_psp_refused_total", "counter",
                      "Calls that were not made, by why.");

    for (i = 0; i < n; i++) {
        write_refused(buf, psps[i].name, &stats[i]);
    }
}


static void
write_circuit(pay_buf_t *buf, pay_str_t psp,
    const ngx_payments_health_stat_t *stat)
{
    ngx_uint_t  i;

    for (i = PAY_CIRCUIT_CLOSED; i <= PAY_CIRCUIT_HALF_OPEN; i++) {
        pay_metric_series(buf, "payments_psp_circuit", "psp", psp);
        pay_metric_more(buf, "state",
                        pay_str_of(pay_circuit_name((pay_circuit_t) i)));
        pay_metric_end(buf, i == (ngx_uint_t) stat->circuit);
    }
}


static void
write_refused(pay_buf_t *buf, pay_str_t psp,
    const ngx_payments_health_stat_t *stat)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_PAYMENTS_REFUSED; i++) {
        pay_metric_series(buf, "payments_psp_refused_total", "psp", psp);
        pay_metric_more(buf, "why", pay_str_of(ngx_payments_refused_names[i]));
        pay_metric_end(buf, stat->refused[i]);
    }
}


/* Thousandths become seconds and ratios without floating point. */
static void
health_end(pay_buf_t *buf, const ngx_payments_health_stat_t *stat,
    ngx_uint_t which)
{
    u_char      text[NGX_INT_T_LEN + 4];
    pay_str_t   number;
    ngx_uint_t  n;

    const ngx_uint_t  numbers[] = {
        stat->opened, stat->health.in_flight, stat->health.in_flight_max,
        stat->health.success_permille, stat->health.latency_ms,
        stat->explored
    };

    n = numbers[which];

    if (!health_families[which].thousandths) {
        pay_metric_end(buf, n);
        return;
    }

    number.data = text;
    number.len = ngx_sprintf(text, "%ui.%03ui", n / 1000, n % 1000) - text;

    pay_buf_text(buf, "} ");
    pay_buf_add(buf, number);
    pay_buf_text(buf, "\n");
}

/*
 * Events for receivers in /metrics: the figures of the last round on any host.
 */

#include "shm/ngx_payments_count_events.h"
#include "shm/ngx_payments_figures.h"
#include "shm/ngx_payments_zone.h"
#include "pay_json.h"
#include "pay_metric.h"


static void gauge(pay_buf_t *buf, const char *name, const char *help,
    uint64_t value);


/* The figures replace the last ones; `at` is set last, so that a reader who
 * sees it sees them. */
void
ngx_payments_count_events_round(ngx_uint_t cell, pay_str_t text)
{
    pay_json_t                *json;
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);
    ngx_payments_events_t     *events;

    if (stat == NULL || pay_json_parse(text, NULL, &json, NULL) != PAY_OK) {
        return;
    }

    events = &stat->events;
    events->untold = ngx_payments_figure(json, "untold");
    events->untold_at = ngx_payments_figure(json, "untold_at");
    events->due = ngx_payments_figure(json, "due");
    events->due_at = ngx_payments_figure(json, "due_at");
    events->failing = ngx_payments_figure(json, "failing");
    events->disabled = ngx_payments_figure(json, "disabled");
    events->behind = ngx_payments_figure(json, "behind");
    events->behind_at = ngx_payments_figure(json, "behind_at");

    ngx_memory_barrier();
    events->at = (ngx_atomic_uint_t) ngx_time();
    pay_json_free(json);
}


void
ngx_payments_events_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat)
{
    const ngx_payments_events_t  *events = &stat->events;

    if (ngx_payments_figures_are_old(events->at)) {
        return;
    }

    gauge(buf, "payments_events_untold",
          "Changes that are not published yet.", events->untold);
    gauge(buf, "payments_events_untold_seconds",
          "How long the oldest of them waits; 0: none.",
          ngx_payments_figure_age(events->untold_at));
    gauge(buf, "payments_deliveries_due",
          "Deliveries to endpoints that are due or wait for a repetition.",
          events->due);
    gauge(buf, "payments_deliveries_due_seconds",
          "How long the oldest of them waits; 0: none.",
          ngx_payments_figure_age(events->due_at));
    gauge(buf, "payments_endpoints_failing",
          "Endpoints whose last attempt has failed.", events->failing);
    gauge(buf, "payments_endpoints_disabled",
          "Endpoints that were disabled because they failed.",
          events->disabled);
    gauge(buf, "payments_events_behind",
          "Events that the slowest reader of the log has not read.",
          events->behind);
    gauge(buf, "payments_events_behind_seconds",
          "How long the oldest of them waits; 0: none.",
          ngx_payments_figure_age(events->behind_at));
}


static void
gauge(pay_buf_t *buf, const char *name, const char *help, uint64_t value)
{
    pay_metric_family(buf, name, "gauge", help);
    pay_metric_simple(buf, name, value);
}

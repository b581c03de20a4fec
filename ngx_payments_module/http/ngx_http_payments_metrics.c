/*
 * /metrics: the counters of the shared zone in Prometheus' text format 0.0.4,
 * or, for those who ask for it, in OpenMetrics 1.0 with exemplars.  Only reads.
 * Families with few series show all of them from the start, so that a rate over
 * the first event is right; the others (requests, PSPs) show what has happened.
 */

#include "http/ngx_http_payments_metrics.h"
#include "http/ngx_http_payments_metrics_psps.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"
#include "shm/ngx_payments_bulkhead.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_count_deliveries.h"
#include "shm/ngx_payments_count_events.h"
#include "shm/ngx_payments_count_keys.h"
#include "shm/ngx_payments_count_orders.h"
#include "shm/ngx_payments_count_payouts.h"
#include "shm/ngx_payments_count_rates.h"
#include "shm/ngx_payments_count_replica.h"
#include "shm/ngx_payments_count_risk.h"
#include "shm/ngx_payments_count_risk_provider.h"
#include "shm/ngx_payments_count_rollups.h"
#include "shm/ngx_payments_count_settled.h"
#include "shm/ngx_payments_count_stage.h"
#include "shm/ngx_payments_figures.h"
#include "shm/ngx_payments_series.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"
#include "pay_metric.h"


#define BODY_MAX    (1024 * 1024)     /* of a cell */

#ifndef NGX_PAYMENTS_VERSION
#define NGX_PAYMENTS_VERSION  "0.1.0"
#endif


static ngx_uint_t wants_open(ngx_http_request_t *r);
static pay_status_t opened(pay_arena_t *arena, pay_str_t *text);
static void write_requests(pay_buf_t *buf, const ngx_payments_counters_t *c,
    ngx_uint_t is_open);
static void write_events(pay_buf_t *buf, const ngx_payments_counters_t *c);
static void write_changes(pay_buf_t *buf, const ngx_payments_counters_t *c);
static pay_status_t write_cells(pay_buf_t *buf, pay_arena_t *arena,
    ngx_payments_counters_t *c);
static pay_status_t cell_text(pay_arena_t *arena, ngx_uint_t index,
    const ngx_payments_cell_stat_t *cell, ngx_payments_counters_t *c,
    pay_str_t *text);
static void write_cell(pay_buf_t *buf, ngx_uint_t index,
    const ngx_payments_cell_stat_t *cell, ngx_payments_counters_t *c);
static void write_db(pay_buf_t *buf, const ngx_payments_cell_stat_t *c);
static void write_sweep(pay_buf_t *buf, const ngx_payments_cell_stat_t *c);
static void write_seals(pay_buf_t *buf, const ngx_payments_cell_stat_t *c);
static void write_connections(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *cell, ngx_payments_counters_t *c);
static void write_flows(pay_buf_t *buf, ngx_payments_counters_t *c);


/* Workers go on counting meanwhile: each value is right, sums may differ. */
ngx_int_t
ngx_http_payments_metrics(ngx_http_request_t *r)
{
    pay_buf_t              buf;
    pay_str_t              out;
    ngx_str_t              body;
    pay_arena_t            arena = ngx_payments_arena(r->pool);
    ngx_uint_t             is_open;
    pay_status_t           status = PAY_OK;
    ngx_payments_shctx_t  *ctx;
    static ngx_str_t       accept = ngx_string("Accept");
    static ngx_str_t       types[] = {
        ngx_string("text/plain; version=0.0.4; charset=utf-8"),
        ngx_string("application/openmetrics-text; version=1.0.0; "
                   "charset=utf-8")
    };

    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, "GET, HEAD, OPTIONS");
    }

    is_open = wants_open(r);
    pay_buf_init(&buf, &arena, (1 + NGX_PAYMENTS_CELLS_MAX) * BODY_MAX);

    pay_metric_family(&buf, "payments_build_info", "gauge",
                      "Always 1; the version of the module.");
    pay_metric_series(&buf, "payments_build_info", "version",
                      PAY_STR(NGX_PAYMENTS_VERSION));
    pay_metric_end(&buf, 1);

    ctx = ngx_payments_shctx(NULL);
    if (ctx != NULL) {
        write_requests(&buf, &ctx->counters, is_open);
        write_events(&buf, &ctx->counters);
        write_changes(&buf, &ctx->counters);
        ngx_payments_stages_write(&buf, &ctx->counters, is_open);
        ngx_payments_risk_write(&buf, &ctx->counters);
        ngx_payments_risk_providers_write(&buf, &ctx->counters);
        ngx_http_payments_metrics_psps(&buf, &ctx->counters, is_open);
        ngx_payments_keys_write(&buf, &ctx->counters);
        ngx_payments_deliveries_write(&buf, &ctx->counters);
        write_flows(&buf, &ctx->counters);
        status = write_cells(&buf, &arena, &ctx->counters);
    }

    if (status != PAY_OK || pay_buf_done(&buf, &out) != PAY_OK
        || (is_open && opened(&arena, &out) != PAY_OK)
        || ngx_http_payments_add_header(r, "Vary", accept) != NGX_OK)
    {
        return ngx_http_payments_problem(r, "internal-error", NULL, NULL);
    }

    body = ngx_payments_nstr(out);

    return ngx_http_payments_send(r, NGX_HTTP_OK, &types[is_open], &body);
}


/* The first of several fields counts. */
static ngx_uint_t
wants_open(ngx_http_request_t *r)
{
    ngx_uint_t        count;
    ngx_table_elt_t  *field;

    field = ngx_http_payments_find_header(r, "Accept", &count);

    return field != NULL
           && pay_metric_wants_open(ngx_payments_str(field->value));
}


static pay_status_t
opened(pay_arena_t *arena, pay_str_t *text)
{
    pay_buf_t  buf;

    pay_buf_init(&buf, arena, (1 + NGX_PAYMENTS_CELLS_MAX) * BODY_MAX);
    pay_metric_open(&buf, *text);

    return pay_buf_done(&buf, text);
}


static void
write_requests(pay_buf_t *buf, const ngx_payments_counters_t *c,
    ngx_uint_t is_open)
{
    u_char       code[NGX_INT_T_LEN];
    pay_str_t    flow, text;
    ngx_uint_t   i, k;
    const char  *name = "payments_requests_total";

    pay_metric_family(buf, name, "counter", "Requests answered.");

    for (i = 0; i < NGX_PAYMENTS_FLOWS; i++) {
        for (k = 0; k < NGX_PAYMENTS_CODES; k++) {
            if (c->requests[i][k] == 0) {
                continue;
            }

            text.data = code;
            text.len = ngx_sprintf(code, "%ui", ngx_payments_codes[k]) - code;

            pay_metric_series(buf, name, "flow",
                              pay_str_of(ngx_payments_flow_names[i]));
            pay_metric_more(buf, "code", ngx_payments_codes[k] == 0
                                         ? PAY_STR("other") : text);
            pay_metric_end(buf, c->requests[i][k]);
        }
    }

    name = "payments_request_duration_seconds";
    pay_metric_family(buf, name, "histogram",
                      "From a request's start to its end.");

    for (i = 0; i < NGX_PAYMENTS_FLOWS; i++) {
        flow = pay_str_of(ngx_payments_flow_names[i]);
        ngx_payments_histogram_write(buf, name, "flow", flow,
                                     &c->request_duration[i],
                                     is_open ? c->request_seen[i] : NULL);
    }
}


static void
write_events(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    static const char *const  by[] = { "address", "merchant", NULL };

    pay_metric_family(buf, "payments_rate_limited_total", "counter",
                      "Requests refused by a rate limit, by whose limit it "
                      "was.");
    ngx_payments_words_write(buf, "payments_rate_limited_total", "by",
                             by, c->limited);

    pay_metric_family(buf, "payments_card_data_refused_total", "counter",
                      "Requests refused because they held card data.");
    pay_metric_simple(buf, "payments_card_data_refused_total", c->card_data);

    pay_metric_family(buf, "payments_jobs_total", "counter",
                      "Background jobs by how they ended.");
    ngx_payments_words_write(buf, "payments_jobs_total", "outcome",
                             ngx_payments_job_names, c->jobs);
}


/* The last word of both tables is "other", which no change can be. */
static void
write_changes(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    ngx_uint_t   i, k;
    const char  *name = "payments_changes_total";

    pay_metric_family(buf, name, "counter",
                      "Captures, cancellations and refunds by how the request "
                      "or the job that was at them has left them.");

    for (i = 0; i < NGX_PAYMENTS_CHANGES - 1; i++) {
        for (k = 0; k < NGX_PAYMENTS_STATES - 1; k++) {
            pay_metric_series(buf, name, "kind",
                              pay_str_of(ngx_payments_change_names[i]));
            pay_metric_more(buf, "status",
                            pay_str_of(ngx_payments_state_names[k]));
            pay_metric_end(buf, c->changes[i][k]);
        }
    }
}


/* Where there is one cell its series have no label of it, as they always
 * were. */
static pay_status_t
write_cells(pay_buf_t *buf, pay_arena_t *arena, ngx_payments_counters_t *c)
{
    ngx_uint_t                       i, n = 0;
    ngx_array_t                     *cells = &ngx_payments_main_conf()->cells;
    ngx_payments_cell_t            **all = cells->elts;
    pay_metric_part_t                parts[NGX_PAYMENTS_CELLS_MAX];
    const ngx_payments_cell_stat_t  *stat;

    for (i = 0; i < cells->nelts; i++) {
        stat = ngx_payments_cell_stat(i);

        if (stat == NULL) {
            continue;
        }

        if (cells->nelts == 1) {
            write_cell(buf, i, stat, c);
            return PAY_OK;
        }

        parts[n].cell = ngx_payments_str(all[i]->name);
        PAY_TRY(cell_text(arena, i, stat, c, &parts[n].text));
        n++;
    }

    return pay_metric_join(buf, arena, parts, n);
}


static pay_status_t
cell_text(pay_arena_t *arena, ngx_uint_t index,
    const ngx_payments_cell_stat_t *cell, ngx_payments_counters_t *c,
    pay_str_t *text)
{
    pay_buf_t  buf;

    pay_buf_init(&buf, arena, BODY_MAX);
    write_cell(&buf, index, cell, c);

    return pay_buf_done(&buf, text);
}


/* All that is of one database. */
static void
write_cell(pay_buf_t *buf, ngx_uint_t index,
    const ngx_payments_cell_stat_t *cell, ngx_payments_counters_t *c)
{
    write_db(buf, cell);
    ngx_payments_replica_write(buf, index, cell);
    ngx_payments_bulkheads_write(buf, index, cell);
    write_sweep(buf, cell);
    ngx_payments_reviews_write(buf, cell);
    ngx_payments_orders_write(buf, cell);
    write_seals(buf, cell);
    ngx_payments_rates_write(buf, cell);
    ngx_payments_settled_write(buf, cell);
    ngx_payments_payouts_write(buf, cell);
    ngx_payments_events_write(buf, cell);
    ngx_payments_rollups_write(buf, cell);
    write_connections(buf, cell, c);
}


static void
write_db(pay_buf_t *buf, const ngx_payments_cell_stat_t *c)
{
    ngx_uint_t  op;

    pay_metric_family(buf, "payments_db_calls_total", "counter",
                      "Calls to PostgreSQL; each carries a batch of items.");

    for (op = 0; op < PAY_OP_COUNT; op++) {
        pay_metric_series(buf, "payments_db_calls_total", "op",
                          pay_str_of(pay_op(op)->name));
        pay_metric_more(buf, "result", PAY_STR("ok"));
        pay_metric_end(buf, c->db_calls[op][0]);

        pay_metric_series(buf, "payments_db_calls_total", "op",
                          pay_str_of(pay_op(op)->name));
        pay_metric_more(buf, "result", PAY_STR("failed"));
        pay_metric_end(buf, c->db_calls[op][1]);
    }

    pay_metric_family(buf, "payments_db_items_total", "counter",
                      "Items that these calls carried.");

    for (op = 0; op < PAY_OP_COUNT; op++) {
        pay_metric_series(buf, "payments_db_items_total", "op",
                          pay_str_of(pay_op(op)->name));
        pay_metric_end(buf, c->db_items[op]);
    }

    pay_metric_family(buf, "payments_db_call_duration_seconds", "histogram",
                      "From sending a call to its last row.");

    for (op = 0; op < PAY_OP_COUNT; op++) {
        ngx_payments_histogram_write(buf,
                                     "payments_db_call_duration_seconds", "op",
                                     pay_str_of(pay_op(op)->name),
                                     &c->db_duration[op], NULL);
    }

    pay_metric_family(buf, "payments_db_rejected_total", "counter",
                      "Operations refused because the queue was full or too "
                      "slow.");
    pay_metric_simple(buf, "payments_db_rejected_total", c->db_rejected);

    pay_metric_family(buf, "payments_db_connects_total", "counter",
                      "Connections to PostgreSQL made.");
    pay_metric_simple(buf, "payments_db_connects_total", c->db_connects);
}


/* Gauges of the whole database, as the last sweep has found it; they are left
 * out when PostgreSQL has not answered for long. */
static void
write_sweep(pay_buf_t *buf, const ngx_payments_cell_stat_t *c)
{
    const ngx_payments_sweep_t  *sweep = &c->sweep;

    if (ngx_payments_figures_are_old(sweep->at)) {
        return;
    }

    pay_metric_family(buf, "payments_dead_letters", "gauge",
                      "Dead letters that are open, by kind.");
    ngx_payments_words_write(buf, "payments_dead_letters", "kind",
                             ngx_payments_letter_names, sweep->letters);

    pay_metric_family(buf, "payments_dispatch_unknown", "gauge",
                      "Calls to PSPs whose outcome is not known.");
    pay_metric_simple(buf, "payments_dispatch_unknown", sweep->unknown);

    pay_metric_family(buf, "payments_webhooks_parked", "gauge",
                      "Webhooks that have found no checkout yet.");
    pay_metric_simple(buf, "payments_webhooks_parked", sweep->parked);

    pay_metric_family(buf, "payments_jobs_overdue_seconds", "gauge",
                      "How long the oldest background job has been due.");
    pay_metric_simple(buf, "payments_jobs_overdue_seconds", sweep->overdue_s);

    pay_metric_family(buf, "payments_risk_modes", "gauge",
                      "Merchants whose cards are being tested.");
    pay_metric_simple(buf, "payments_risk_modes", sweep->risk_modes);

    pay_metric_family(buf, "payments_books_differences", "gauge",
                      "Contradictions between the gateway's own books.");
    pay_metric_simple(buf, "payments_books_differences",
                      sweep->differences);
}


/* Nothing, where nothing is sealed. */
static void
write_seals(pay_buf_t *buf, const ngx_payments_cell_stat_t *c)
{
    time_t                       age;
    const ngx_payments_seals_t  *seals = &c->seals;

    if (ngx_payments_main_conf()->audit.interval_ms == NGX_CONF_UNSET_MSEC) {
        return;
    }

    pay_metric_family(buf, "payments_seals_total", "counter",
                      "Seals of the event log that were signed here.");
    pay_metric_simple(buf, "payments_seals_total", seals->total);

    pay_metric_family(buf, "payments_seal_failures_total", "counter",
                      "Seals that could not be made, signed or exported.");
    pay_metric_simple(buf, "payments_seal_failures_total", seals->failures);

    if (seals->at == 0) {
        return;
    }

    pay_metric_family(buf, "payments_seal_number", "gauge",
                      "Number of the newest signed seal.");
    pay_metric_simple(buf, "payments_seal_number", seals->number);

    age = ngx_max(ngx_time() - (time_t) seals->at, 0);
    pay_metric_family(buf, "payments_seal_age_seconds", "gauge",
                      "Age of the newest signed seal.");
    pay_metric_simple(buf, "payments_seal_age_seconds",
                      (ngx_atomic_uint_t) age);
}


/* A worker that was killed shows no longer; a sum below 0 for a moment is
 * shown as 0. */
static void
write_connections(pay_buf_t *buf, const ngx_payments_cell_stat_t *cell,
    ngx_payments_counters_t *c)
{
    ngx_uint_t        i;
    ngx_atomic_int_t  n = 0;

    for (i = 0; i < NGX_PAYMENTS_WORKERS; i++) {
        if (ngx_payments_gauges_alive(&c->gauges[i])) {
            n += (ngx_atomic_int_t) c->gauges[i].connections[cell->place];
        }
    }

    pay_metric_family(buf, "payments_db_connections", "gauge",
                      "Connections to PostgreSQL that are ready, all workers.");
    pay_metric_simple(buf, "payments_db_connections",
                      (ngx_atomic_uint_t) ngx_max(n, 0));
}


static void
write_flows(pay_buf_t *buf, ngx_payments_counters_t *c)
{
    ngx_uint_t        i;
    ngx_atomic_int_t  n = 0;

    for (i = 0; i < NGX_PAYMENTS_WORKERS; i++) {
        if (ngx_payments_gauges_alive(&c->gauges[i])) {
            n += (ngx_atomic_int_t) c->gauges[i].flows;
        }
    }

    pay_metric_family(buf, "payments_flows_in_flight", "gauge",
                      "Flows that have begun and not ended, all workers.");
    pay_metric_simple(buf, "payments_flows_in_flight",
                      (ngx_atomic_uint_t) ngx_max(n, 0));
}

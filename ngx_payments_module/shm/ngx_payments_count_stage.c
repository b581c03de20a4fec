/*
 * How long the stages of a request take, and whose deadline ran out: a
 * histogram and a counter each, in the shared zone, and their part of
 * /metrics.  Those of payments_bulkhead stand here, too.
 */

#include "shm/ngx_payments_count_stage.h"
#include "shm/ngx_payments_bulkhead.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"
#include "pay_metric.h"


#define US_PER_MS  1000
#define US_PER_S   1000000


static void write_histogram(pay_buf_t *buf, pay_str_t stage,
    const ngx_payments_stage_stat_t *stat, ngx_uint_t is_open);
static void write_seconds(pay_buf_t *buf, ngx_atomic_uint_t us);


static const char  *const stage_names[] = {
    [PAY_STAGE_KEY] = "key", [PAY_STAGE_RISK] = "risk",
    [PAY_STAGE_ROUTING] = "routing",
    [PAY_STAGE_PSP] = "psp", [PAY_STAGE_LEDGER] = "ledger"
};
PAY_ROWS(stage_names, PAY_STAGES);


/* Microseconds, as routing takes far less than a millisecond; the bounds are
 * those of all histograms. */
void
ngx_payments_count_stage(pay_stage_t stage, uint64_t us, pay_str_t request_id,
    pay_str_t trace_id)
{
    ngx_uint_t                  i;
    ngx_payments_shctx_t       *ctx;
    ngx_payments_stage_stat_t  *stat;

    ctx = ngx_payments_shctx(NULL);
    if (ctx == NULL || stage >= PAY_STAGE_NONE) {
        return;
    }

    stat = &ctx->counters.stages[stage];

    for (i = 0; i < NGX_PAYMENTS_LES; i++) {
        if (us <= (uint64_t) ngx_payments_le_ms[i] * US_PER_MS) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&stat->count[i], 1);
    (void) ngx_atomic_fetch_add(&stat->sum_us, (ngx_atomic_int_t) us);
    ngx_payments_exemplar_set(&stat->seen[i], us, request_id, trace_id);
}


void
ngx_payments_count_stage_timeout(pay_stage_t stage)
{
    ngx_payments_shctx_t  *ctx;

    ctx = ngx_payments_shctx(NULL);
    if (ctx != NULL && stage < PAY_STAGE_NONE) {
        (void) ngx_atomic_fetch_add(&ctx->counters.stages[stage].timeouts, 1);
    }
}


/* All stages, from nothing on: a series that appears only with its first
 * timeout has no rate before. */
void
ngx_payments_stages_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters, ngx_uint_t is_open)
{
    ngx_uint_t   i;
    const char  *name = "payments_stage_timeouts_total";

    pay_metric_family(buf, "payments_stage_seconds", "histogram",
                      "How long a stage of a request took.");

    for (i = 0; i < PAY_STAGES; i++) {
        write_histogram(buf, pay_str_of(stage_names[i]),
                        &counters->stages[i], is_open);
    }

    pay_metric_family(buf, name, "counter",
                      "Stages whose deadline ran out.");

    for (i = 0; i < PAY_STAGES; i++) {
        pay_metric_series(buf, name, "stage", pay_str_of(stage_names[i]));
        pay_metric_end(buf, counters->stages[i].timeouts);
    }
}


/* The limit stands beside the figure, so that an alert needs no
 * configuration. */
void
ngx_payments_bulkheads_write(pay_buf_t *buf, ngx_uint_t cell,
    const ngx_payments_cell_stat_t *c)
{
    ngx_uint_t                      i, k;
    const char                     *name;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();

    name = "payments_bulkhead_in_flight";
    pay_metric_family(buf, name, "gauge",
                      "Requests and jobs under way, all workers.");

    for (i = 0; i < NGX_PAYMENTS_WORKS; i++) {
        pay_metric_series(buf, name, "class",
                          pay_str_of(ngx_payments_work_names[i]));
        pay_metric_end(buf, ngx_payments_bulkhead_total(cell, i));
    }

    name = "payments_bulkhead_limit";
    pay_metric_family(buf, name, "gauge",
                      "How many may be under way; 0: no limit.");

    for (i = 0; i < NGX_PAYMENTS_WORKS; i++) {
        pay_metric_series(buf, name, "class",
                          pay_str_of(ngx_payments_work_names[i]));
        pay_metric_end(buf, pmcf->bulkhead.works[i]);
    }

    name = "payments_bulkhead_refused_total";
    pay_metric_family(buf, name, "counter",
                      "What was not taken because too much was under way.");

    for (i = 0; i < NGX_PAYMENTS_WORKS; i++) {
        for (k = 0; k < NGX_PAYMENTS_FULLS; k++) {
            pay_metric_series(buf, name, "class",
                              pay_str_of(ngx_payments_work_names[i]));
            pay_metric_more(buf, "reason",
                            pay_str_of(ngx_payments_full_names[k]));
            pay_metric_end(buf, c->refused[i][k]);
        }
    }
}


/* The count is the sum of what is printed here, as in all histograms. */
static void
write_histogram(pay_buf_t *buf, pay_str_t stage,
    const ngx_payments_stage_stat_t *stat, ngx_uint_t is_open)
{
    ngx_uint_t                     i;
    ngx_atomic_uint_t              count;
    ngx_payments_exemplar_text_t   text;

    for (i = 0, count = 0; i <= NGX_PAYMENTS_LES; i++) {
        count += stat->count[i];
        pay_metric_series(buf, "payments_stage_seconds_bucket", "stage",
                          stage);
        pay_metric_more(buf, "le",
                        i == NGX_PAYMENTS_LES
                        ? PAY_STR("+Inf")
                        : pay_str_of(ngx_payments_le_names[i]));
        pay_metric_end_seen(buf, count,
                            is_open ? ngx_payments_exemplar_get(&stat->seen[i],
                                                                &text)
                                    : NULL);
    }

    pay_metric_series(buf, "payments_stage_seconds_sum", "stage", stage);
    write_seconds(buf, stat->sum_us);

    pay_metric_series(buf, "payments_stage_seconds_count", "stage", stage);
    pay_metric_end(buf, count);
}


/* Integers only: the seconds, and six digits of the rest. */
static void
write_seconds(pay_buf_t *buf, ngx_atomic_uint_t us)
{
    u_char     text[NGX_ATOMIC_T_LEN + 8];
    pay_str_t  sum;

    sum.data = text;
    sum.len = ngx_sprintf(text, "%uA.%06uA", us / US_PER_S, us % US_PER_S)
              - text;

    pay_buf_text(buf, "} ");
    pay_buf_add(buf, sum);
    pay_buf_text(buf, "\n");
}

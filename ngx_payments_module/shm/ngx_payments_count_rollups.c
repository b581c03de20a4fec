/*
 * Roll-ups in /metrics: the figures of the last round on any host.
 */

#include "shm/ngx_payments_count_rollups.h"
#include "shm/ngx_payments_count_orders.h"
#include "shm/ngx_payments_figures.h"
#include "shm/ngx_payments_zone.h"
#include "pay_json.h"
#include "pay_metric.h"


/* The figures replace the last ones; `at` is set last, so that a reader who
 * sees it sees them. */
void
ngx_payments_count_rollups(ngx_uint_t cell, pay_str_t text)
{
    pay_json_t                *json;
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);
    ngx_payments_rollups_t    *rollups;
    const pay_json_limits_t    limits = { .max_width = NGX_PAYMENTS_ORDERS };

    if (stat == NULL || pay_json_parse(text, &limits, &json, NULL) != PAY_OK) {
        return;
    }

    rollups = &stat->rollups;
    rollups->due = ngx_payments_figure(json, "due");
    rollups->counted_at = ngx_payments_figure(json, "counted_at");
    ngx_payments_count_orders(stat, json);

    ngx_memory_barrier();
    rollups->at = (ngx_atomic_uint_t) ngx_time();
    pay_json_free(json);
}


void
ngx_payments_rollups_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat)
{
    const ngx_payments_rollups_t  *rollups = &stat->rollups;

    if (ngx_payments_figures_are_old(rollups->at)) {
        return;
    }

    pay_metric_family(buf, "payments_rollup_due", "gauge",
                      "Minutes of roll-ups that are to be counted again.");
    pay_metric_simple(buf, "payments_rollup_due", rollups->due);

    pay_metric_family(buf, "payments_rollup_age_seconds", "gauge",
                      "Age of the oldest change that is not counted.");
    pay_metric_simple(buf, "payments_rollup_age_seconds",
                      ngx_payments_figure_age(rollups->counted_at));
}

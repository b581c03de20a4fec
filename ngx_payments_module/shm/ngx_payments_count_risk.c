/*
 * The decisions of risk on this host, keys of its windows that had no room, and
 * the queue of reviews as the last sweep on any host saw it, for /metrics.
 */

#include "shm/ngx_payments_count_risk.h"
#include "shm/ngx_payments_figures.h"
#include "shm/ngx_payments_windows.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"
#include "pay_metric.h"


void
ngx_payments_count_risk(const char *decision)
{
    pay_risk_action_t      action;
    ngx_payments_shctx_t  *ctx = ngx_payments_shctx(NULL);

    if (ctx != NULL
        && pay_risk_action_find(pay_str_of(decision), &action) == PAY_OK)
    {
        (void) ngx_atomic_fetch_add(&ctx->counters.risk[action], 1);
    }
}


void
ngx_payments_risk_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters)
{
    unsigned     i;
    const char  *name = "payments_risk_decisions_total";
    const char  *evicted = "payments_risk_evicted_total";

    if (ngx_payments_main_conf()->risk.zone == NULL) {
        return;
    }

    pay_metric_family(buf, name, "counter",
                      "New checkouts by the decision of risk.");

    for (i = 0; i < PAY_RISK_ACTIONS; i++) {
        pay_metric_series(buf, name, "decision", pay_str_of(
                              pay_risk_action_name((pay_risk_action_t) i)));
        pay_metric_end(buf, counters->risk[i]);
    }

    pay_metric_family(buf, evicted, "counter",
                      "Keys of windows that made room for others too early.");
    pay_metric_simple(buf, evicted, ngx_payments_windows_evicted());
}


void
ngx_payments_reviews_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat)
{
    const char                  *name = "payments_risk_reviews";
    const char                  *captures = "payments_risk_review_captures";
    const ngx_payments_sweep_t  *sweep = &stat->sweep;

    if (ngx_payments_main_conf()->risk.zone == NULL
        || ngx_payments_figures_are_old(sweep->at))
    {
        return;
    }

    pay_metric_family(buf, name, "gauge",
                      "Reviews that nobody has decided, by state.");
    pay_metric_series(buf, name, "state", PAY_STR("open"));
    pay_metric_end(buf, sweep->reviews_open);
    pay_metric_series(buf, name, "state", PAY_STR("escalated"));
    pay_metric_end(buf, sweep->reviews_escalated);

    pay_metric_family(buf, "payments_risk_reviews_overdue", "gauge",
                      "Those of them whose deadline has passed.");
    pay_metric_simple(buf, "payments_risk_reviews_overdue",
                      sweep->reviews_overdue);

    pay_metric_family(buf, "payments_risk_reviews_oldest_seconds", "gauge",
                      "How long the oldest of them has waited; 0: none.");
    pay_metric_simple(buf, "payments_risk_reviews_oldest_seconds",
                      sweep->reviews_oldest_s);

    pay_metric_family(buf, captures, "gauge",
                      "Captures of approved reviews that are under way, or have"
                      " failed with money still held.");
    pay_metric_series(buf, captures, "state", PAY_STR("asked"));
    pay_metric_end(buf, sweep->captures_asked);
    pay_metric_series(buf, captures, "state", PAY_STR("failed"));
    pay_metric_end(buf, sweep->captures_failed);
}

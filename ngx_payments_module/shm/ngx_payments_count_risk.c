/*
 * The decisions of risk on this host, and keys of its windows that had no room,
 * for /metrics.
 */

#include "shm/ngx_payments_count_risk.h"
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

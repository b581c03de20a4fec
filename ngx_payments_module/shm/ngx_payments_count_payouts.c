/*
 * Pay-outs in /metrics: the figures of the last round on any host.
 */

#include "shm/ngx_payments_count_payouts.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"
#include "pay_json.h"
#include "pay_metric.h"


#define ROUNDS_OLD  10                 /* in intervals of the watchdog */


static ngx_atomic_uint_t number_of(const pay_json_t *json, const char *member);
static ngx_uint_t is_stale(const ngx_payments_payouts_t *payouts);
static void write_items(pay_buf_t *buf,
    const ngx_payments_payouts_t *payouts);
static uint64_t age_of(ngx_atomic_uint_t at);


/* The figures replace the last ones; `at` is set last, so that a reader who
 * sees it sees them.  Ages are kept as points in time, since as numbers they
 * would stand still between two rounds. */
void
ngx_payments_count_payouts_round(pay_str_t text)
{
    ngx_uint_t               i;
    pay_json_t              *json;
    const pay_json_t        *items, *since;
    ngx_payments_shctx_t    *ctx;
    ngx_payments_payouts_t  *payouts;

    ctx = ngx_payments_shctx(NULL);

    if (ctx == NULL || pay_json_parse(text, NULL, &json, NULL) != PAY_OK) {
        return;
    }

    payouts = &ctx->counters.payouts;
    items = pay_json_get(json, "items");
    since = pay_json_get(json, "items_at");

    for (i = 0; i < NGX_PAYMENTS_PAYOUTS; i++) {
        payouts->items[i] = number_of(items, ngx_payments_payout_names[i]);
        payouts->items_at[i] = number_of(since, ngx_payments_payout_names[i]);
    }

    payouts->runs = number_of(json, "runs");
    payouts->due_at = number_of(json, "due_at");
    payouts->open_at = number_of(json, "open_at");

    ngx_memory_barrier();
    payouts->at = (ngx_atomic_uint_t) ngx_time();
    pay_json_free(json);
}


/* 0 where there is none. */
static ngx_atomic_uint_t
number_of(const pay_json_t *json, const char *member)
{
    int64_t  number = 0;

    if (json == NULL
        || pay_json_integer(pay_json_get(json, member), &number) != PAY_OK)
    {
        return 0;
    }

    return (ngx_atomic_uint_t) ngx_max(number, 0);
}


void
ngx_payments_payouts_write(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    const ngx_payments_payouts_t  *payouts = &c->payouts;

    if (payouts->at == 0 || is_stale(payouts)) {
        return;
    }

    write_items(buf, payouts);

    pay_metric_family(buf, "payments_payout_runs", "gauge",
                      "Runs of schedules that are under way.");
    pay_metric_simple(buf, "payments_payout_runs", payouts->runs);
    pay_metric_family(buf, "payments_payout_run_overdue_seconds", "gauge",
                      "How long the oldest run that is not done has been due; "
                      "0: none.");
    pay_metric_simple(buf, "payments_payout_run_overdue_seconds",
                      age_of(payouts->due_at));
    pay_metric_family(buf, "payments_payout_approval_wait_seconds", "gauge",
                      "How long the oldest open batch has waited; 0: none.");
    pay_metric_simple(buf, "payments_payout_approval_wait_seconds",
                      age_of(payouts->open_at));
}


/* Old figures would look like good ones; an alert watches for their absence
 * (docs/operations.md). */
static ngx_uint_t
is_stale(const ngx_payments_payouts_t *payouts)
{
    time_t  age, limit;

    age = ngx_time() - (time_t) payouts->at;
    limit = ROUNDS_OLD * (time_t) (ngx_payments_main_conf()->watch.interval_ms
                                   / 1000 + 1);

    return age > limit;
}


static void
write_items(pay_buf_t *buf, const ngx_payments_payouts_t *payouts)
{
    ngx_uint_t   i;
    const char  *name = "payments_payouts";

    pay_metric_family(buf, name, "gauge",
                      "Pay-outs in a state in which something has to happen.");

    for (i = 0; i < NGX_PAYMENTS_PAYOUTS; i++) {
        pay_metric_series(buf, name, "state",
                          pay_str_of(ngx_payments_payout_names[i]));
        pay_metric_end(buf, payouts->items[i]);
    }

    name = "payments_payouts_oldest_seconds";
    pay_metric_family(buf, name, "gauge",
                      "How long the oldest of them is in it; 0: none.");

    for (i = 0; i < NGX_PAYMENTS_PAYOUTS; i++) {
        pay_metric_series(buf, name, "state",
                          pay_str_of(ngx_payments_payout_names[i]));
        pay_metric_end(buf, age_of(payouts->items_at[i]));
    }
}


/* Seconds; of no time none. */
static uint64_t
age_of(ngx_atomic_uint_t at)
{
    return at == 0 ? 0 : (uint64_t) ngx_max(ngx_time() - (time_t) at, 0);
}

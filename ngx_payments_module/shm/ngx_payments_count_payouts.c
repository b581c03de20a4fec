/*
 * Pay-outs in /metrics: the figures of the last round on any host.
 */

#include "shm/ngx_payments_count_payouts.h"
#include "shm/ngx_payments_figures.h"
#include "shm/ngx_payments_zone.h"
#include "pay_json.h"
#include "pay_metric.h"


static void write_items(pay_buf_t *buf,
    const ngx_payments_payouts_t *payouts);
static void write_screening(pay_buf_t *buf,
    const ngx_payments_payouts_t *payouts);


/* The figures replace the last ones; `at` is set last, so that a reader who
 * sees it sees them. */
void
ngx_payments_count_payouts_round(ngx_uint_t cell, pay_str_t text)
{
    ngx_uint_t                 i;
    pay_json_t                *json;
    const pay_json_t          *items, *since;
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);
    ngx_payments_payouts_t    *payouts;

    if (stat == NULL || pay_json_parse(text, NULL, &json, NULL) != PAY_OK) {
        return;
    }

    payouts = &stat->payouts;
    items = pay_json_get(json, "items");
    since = pay_json_get(json, "items_at");

    for (i = 0; i < NGX_PAYMENTS_PAYOUTS; i++) {
        payouts->items[i] = ngx_payments_figure(
            items, ngx_payments_payout_names[i]);
        payouts->items_at[i] = ngx_payments_figure(
            since, ngx_payments_payout_names[i]);
    }

    payouts->runs = ngx_payments_figure(json, "runs");
    payouts->due_at = ngx_payments_figure(json, "due_at");
    payouts->open_at = ngx_payments_figure(json, "open_at");
    payouts->lists_at = ngx_payments_figure(json, "lists_at");
    payouts->waits = ngx_payments_figure(json, "waits");
    payouts->waits_at = ngx_payments_figure(json, "waits_at");
    payouts->unasked_at = ngx_payments_figure(json, "unasked_at");

    ngx_memory_barrier();
    payouts->at = (ngx_atomic_uint_t) ngx_time();
    pay_json_free(json);
}


void
ngx_payments_payouts_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat)
{
    const ngx_payments_payouts_t  *payouts = &stat->payouts;

    if (ngx_payments_figures_are_old(payouts->at)) {
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
                      ngx_payments_figure_age(payouts->due_at));
    pay_metric_family(buf, "payments_payout_approval_wait_seconds", "gauge",
                      "How long the oldest open batch has waited; 0: none.");
    pay_metric_simple(buf, "payments_payout_approval_wait_seconds",
                      ngx_payments_figure_age(payouts->open_at));

    write_screening(buf, payouts);
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
        pay_metric_end(buf, ngx_payments_figure_age(payouts->items_at[i]));
    }
}


static void
write_screening(pay_buf_t *buf, const ngx_payments_payouts_t *payouts)
{
    pay_metric_family(buf, "payments_screening_list_age_seconds", "gauge",
                      "Since the import of the oldest sanctions list that "
                      "pay-outs are screened by; 0: none is.");
    pay_metric_simple(buf, "payments_screening_list_age_seconds",
                      ngx_payments_figure_age(payouts->lists_at));
    pay_metric_family(buf, "payments_screening_waiting", "gauge",
                      "Accounts whose pay-outs are held until a screening "
                      "provider answers.");
    pay_metric_simple(buf, "payments_screening_waiting", payouts->waits);
    pay_metric_family(buf, "payments_screening_waiting_oldest_seconds",
                      "gauge", "How long the oldest of them has waited; 0: "
                      "none.");
    pay_metric_simple(buf, "payments_screening_waiting_oldest_seconds",
                      ngx_payments_figure_age(payouts->waits_at));
    pay_metric_family(buf, "payments_screening_unasked_seconds", "gauge",
                      "How long the oldest question to a screening provider "
                      "has been due that no worker asks; 0: none.");
    pay_metric_simple(buf, "payments_screening_unasked_seconds",
                      ngx_payments_figure_age(payouts->unasked_at));
}

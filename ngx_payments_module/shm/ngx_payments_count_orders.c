/*
 * Orders by the status that they have reached, and declined attempts by code:
 * counters that PostgreSQL keeps for all hosts (sql/functions/98_counts.sql)
 * and that each round of roll-ups hands out.  They do not begin anew with
 * nginx.
 */

#include "shm/ngx_payments_count_orders.h"
#include "shm/ngx_payments_figures.h"
#include "shm/ngx_payments_tuple.h"
#include "shm/ngx_payments_zone.h"
#include "pay_metric.h"


#define STATES  (NGX_PAYMENTS_STATES - 1)


static void note(ngx_payments_tuple_t **slots, const pay_json_t *list,
    const char *const *labels, const char *const *numbers, ngx_uint_t count);
static void forward(ngx_atomic_t *n, ngx_atomic_uint_t value);


static const char  *const order_labels[] = { "psp", "method", "currency" };
static const char  *const decline_labels[] = { "psp", "code", NULL };
static const char  *const decline_numbers[] = { "n" };


void
ngx_payments_count_orders(ngx_payments_cell_stat_t *stat,
    const pay_json_t *figures)
{
    note(stat->orders, pay_json_get(figures, "orders"), order_labels,
         ngx_payments_state_names, STATES);
    note(stat->declines, pay_json_get(figures, "declines"),
         decline_labels, decline_numbers, 1);
}


void
ngx_payments_orders_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat)
{
    ngx_uint_t                   i, k, n;
    const ngx_payments_tuple_t  *slot;

    pay_metric_family(buf, "payments_orders_total", "counter",
                      "Orders of all hosts by a status that they have "
                      "reached.");

    for (i = 0; i < NGX_PAYMENTS_ORDERS && stat->orders[i] != NULL; i++) {
        slot = stat->orders[i];

        for (k = 0; k < STATES; k++) {
            pay_metric_series(buf, "payments_orders_total", "psp",
                              ngx_payments_tuple_value(slot, 0));

            for (n = 1; n < NGX_PAYMENTS_TUPLE_VALUES; n++) {
                pay_metric_more(buf, order_labels[n],
                                ngx_payments_tuple_value(slot, n));
            }

            pay_metric_more(buf, "status",
                            pay_str_of(ngx_payments_state_names[k]));
            pay_metric_end(buf, slot->n[k]);
        }
    }

    pay_metric_family(buf, "payments_declines_total", "counter",
                      "Declined attempts of all hosts by our code.");

    for (i = 0; i < NGX_PAYMENTS_ORDERS && stat->declines[i] != NULL; i++) {
        slot = stat->declines[i];
        pay_metric_series(buf, "payments_declines_total", "psp",
                          ngx_payments_tuple_value(slot, 0));
        pay_metric_more(buf, "code", ngx_payments_tuple_value(slot, 1));
        pay_metric_end(buf, slot->n[0]);
    }
}


/* [{"psp": "stripe", …, "SUCCESS": 4}, …] */
static void
note(ngx_payments_tuple_t **slots, const pay_json_t *list,
    const char *const *labels, const char *const *numbers, ngx_uint_t count)
{
    size_t                 i;
    pay_str_t              values[NGX_PAYMENTS_TUPLE_VALUES];
    ngx_uint_t             k;
    const pay_json_t      *item;
    ngx_payments_tuple_t  *slot;

    for (i = 0; i < pay_json_size(list); i++) {
        item = pay_json_at(list, i);

        for (k = 0; k < NGX_PAYMENTS_TUPLE_VALUES; k++) {
            if (labels[k] == NULL
                || pay_json_string(pay_json_get(item, labels[k]), &values[k])
                   != PAY_OK)
            {
                values[k] = PAY_STR("");
            }
        }

        slot = ngx_payments_tuple(slots, NGX_PAYMENTS_ORDERS, values);

        for (k = 0; slot != NULL && k < count; k++) {
            forward(&slot->n[k], ngx_payments_figure(item, numbers[k]));
        }
    }
}


/* Workers hear of rounds out of order, and a counter never runs backwards:
 * after a restore it stands still until it is passed. */
static void
forward(ngx_atomic_t *n, ngx_atomic_uint_t value)
{
    ngx_atomic_uint_t  old;

    do {
        old = *n;
    } while (old < value && !ngx_atomic_cmp_set(n, old, value));
}

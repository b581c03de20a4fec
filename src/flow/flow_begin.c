/*
 * Arguments of begin_payment that are made of several things: the orders, the
 * PSPs that may take them and how long these know a key; members of its terms.
 */

#include "flow_util.h"


#define HOUR_S  3600


/* The rows are in flow->args, which is freed before the step that gets the
 * answer.  An empty credit_currency is NULL for SQL: the seller is owed the
 * currency of the payment. */
pay_status_t
pay_begin_orders(pay_flow_t *flow, const pay_payment_request_t *request,
    const pay_new_order_row_t **rows)
{
    unsigned              i;
    const pay_order_t    *order;
    pay_new_order_row_t  *row;

    row = pay_calloc(flow->args,
                     request->order_count * sizeof(pay_new_order_row_t));
    if (row == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < request->order_count; i++) {
        order = &request->orders[i];
        row[i].id = order->id;
        row[i].seller_account = order->seller;
        row[i].amount_minor = order->amount_minor;
        row[i].credit_currency = (order->credit != NULL)
                                 ? pay_str_of(order->credit->code)
                                 : PAY_STR("");
    }

    *rows = row;

    return PAY_OK;
}


/* Names of the configuration have no blanks, so that a blank can separate
 * them.  The sequence is that of the route: fail-over follows it. */
pay_status_t
pay_begin_psps(pay_flow_t *flow, const pay_route_t *route, pay_str_t *names)
{
    unsigned   i;
    pay_buf_t  buf;

    pay_buf_init(&buf, flow->args, 4096);

    for (i = 0; i < route->count; i++) {
        pay_buf_text(&buf, i == 0 ? "" : " ");
        pay_buf_add(&buf, route->psps[i]->name);
    }

    return pay_buf_done(&buf, names);
}


/* How long each PSP knows a key, in seconds; SQL knows nothing of adapters,
 * and decides by these numbers whether a registration may still be repeated. */
pay_status_t
pay_begin_windows(pay_flow_t *flow, const pay_route_t *route,
    pay_str_t *windows)
{
    unsigned   i;
    pay_buf_t  buf;

    pay_buf_init(&buf, flow->args, 256);

    for (i = 0; i < route->count; i++) {
        pay_buf_text(&buf, i == 0 ? "" : " ");
        pay_buf_int(&buf, (int64_t) route->psps[i]->adapter->key_window_hours
                          * HOUR_S);
    }

    return pay_buf_done(&buf, windows);
}


/* The fees of the orders in minor units, in their sequence; null: the schedule
 * of commissions decides. */
void
pay_begin_fees(pay_buf_t *buf, const pay_payment_request_t *request)
{
    unsigned  i;

    pay_buf_text(buf, ",\"fees\":[");

    for (i = 0; i < request->order_count; i++) {
        pay_buf_text(buf, i == 0 ? "" : ",");

        if (request->orders[i].has_fee) {
            pay_buf_int(buf, request->orders[i].fee_minor);

        } else {
            pay_buf_text(buf, "null");
        }
    }

    pay_buf_text(buf, "]");
}


/* The storefront's payment_method, on which commissions may depend.  None of
 * the characters that pay_payment_parse() allows in it needs an escape. */
void
pay_begin_method(pay_buf_t *buf, const pay_payment_request_t *request)
{
    pay_buf_text(buf, ",\"payment_method\":\"");
    pay_buf_add(buf, request->method);
    pay_buf_text(buf, "\"");
}

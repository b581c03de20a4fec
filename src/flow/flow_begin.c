/*
 * Arguments of begin_payment that are made of several things: the orders, the
 * PSPs that may take them and how long these know a key; members of its terms.
 */

#include "flow_util.h"


#define HOUR_S     3600
#define TERMS_MAX  20480
/* An approval has to reach the PSP before the money is free again, even when
 * the PSP is out of reach for hours. */
#define HOLD_MARGIN_S  (12 * HOUR_S)


static void look_at_orders(const pay_payment_request_t *request,
    int *converts, int *has_fees);
static int request_has_page(const pay_payment_request_t *request);
static void add_page(pay_buf_t *buf, const pay_payment_request_t *request);
static void add_trace(pay_buf_t *buf, pay_str_t trace);
static void add_cells(pay_buf_t *buf, const pay_merchant_t *merchant);
static void add_fees(pay_buf_t *buf, const pay_payment_request_t *request);
static void add_method(pay_buf_t *buf, const pay_payment_request_t *request);
static void add_json(pay_buf_t *buf, const char *name, pay_str_t json);
static int may_hold(const pay_flow_t *flow,
    const pay_payment_request_t *request, const pay_route_t *route);
static void add_holds(pay_buf_t *buf, const pay_payment_request_t *request,
    const pay_route_t *route, int holds);


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


/* With a single capture the money cannot be shared among orders. */
int
pay_begin_can_hold(const pay_payment_request_t *request,
    const pay_psp_conf_t *psp)
{
    unsigned  traits = psp->adapter->traits;

    return (traits & PAY_PSP_AUTHORIZES)
           && (request->order_count == 1 || (traits & PAY_PSP_MULTICAPTURE));
}


/* Builds p_terms: the requester, its trace, the capture mode, the limits of
 * quotes, the payment method, the checkout that is replaced, the terms of a
 * review, the PSPs that can hold its money, the chances of an exploring route
 * and the question to both cells; NULL for a payment that needs none. */
pay_status_t
pay_begin_terms(pay_flow_t *flow, const pay_create_input_t *in,
    const pay_route_t *route, int can_close, pay_str_t *json)
{
    int                           converts = 0, has_fees = 0, holds;
    pay_buf_t                     buf;
    pay_str_t                     asked_by = in->asked_by, review;
    const pay_payment_request_t  *request = in->request;

    look_at_orders(request, &converts, &has_fees);
    holds = may_hold(flow, request, route);
    review = flow->env->risk != NULL ? flow->env->risk->review : PAY_STR("");

    if (!request->manual && !converts && !has_fees
        && request->replaces.len == 0 && request->method.len == 0
        && asked_by.len == 0 && review.len == 0 && route->explore.len == 0
        && in->trace.len == 0 && !holds && !request_has_page(request)
        && !pay_move_asks(in->merchant))
    {
        return PAY_OK;
    }

    pay_buf_init(&buf, flow->args, TERMS_MAX);
    pay_buf_text(&buf, request->manual ? "{\"capture\":\"manual\""
                                       : "{\"capture\":\"automatic\"");

    if (converts && flow->env->quote_ttl_s > 0) {
        pay_buf_text(&buf, ",\"quote_ttl_s\":");
        pay_buf_int(&buf, flow->env->quote_ttl_s);
    }

    if (converts && flow->env->rate_age_s > 0) {
        pay_buf_text(&buf, ",\"rate_age_s\":");
        pay_buf_int(&buf, flow->env->rate_age_s);
    }

    if (request->replaces.len != 0) {
        pay_buf_text(&buf, ",\"replaces\":\"");
        pay_buf_add(&buf, request->replaces);
        pay_buf_text(&buf, "\",\"change_id\":\"");
        pay_buf_add(&buf, in->change_id);
        pay_buf_text(&buf, can_close ? "\",\"can_close\":true" : "\"");
    }

    if (has_fees) {
        add_fees(&buf, request);
    }

    if (request->method.len != 0) {
        add_method(&buf, request);
    }

    add_json(&buf, ",\"asked_by\":", asked_by);
    add_json(&buf, ",\"review\":", review);
    add_trace(&buf, in->trace);
    add_cells(&buf, in->merchant);
    add_holds(&buf, request, route, holds);
    add_json(&buf, ",\"explore\":", route->explore);

    add_page(&buf, request);
    pay_buf_text(&buf, "}");

    return pay_buf_done(&buf, json);
}


static void
add_trace(pay_buf_t *buf, pay_str_t trace)
{
    if (trace.len != 0) {
        pay_buf_text(buf, ",\"trace\":\"");
        pay_buf_add(buf, trace);
        pay_buf_text(buf, "\"");
    }
}


/* Both have been asked before begin_payment, see flow_move.c. */
static void
add_cells(pay_buf_t *buf, const pay_merchant_t *merchant)
{
    if (pay_move_asks(merchant)) {
        pay_buf_text(buf, ",\"both_cells\":true");
    }
}


/* The fees of the orders in minor units, in their sequence; null: the schedule
 * of commissions decides. */
static void
add_fees(pay_buf_t *buf, const pay_payment_request_t *request)
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
static void
add_method(pay_buf_t *buf, const pay_payment_request_t *request)
{
    pay_buf_text(buf, ",\"payment_method\":\"");
    pay_buf_add(buf, request->method);
    pay_buf_text(buf, "\"");
}


static void
look_at_orders(const pay_payment_request_t *request, int *converts,
    int *has_fees)
{
    unsigned  i;

    for (i = 0; i < request->order_count; i++) {
        *converts |= request->orders[i].credit != NULL;
        *has_fees |= request->orders[i].has_fee;
    }
}


static int
request_has_page(const pay_payment_request_t *request)
{
    unsigned  i;

    for (i = 0; i < request->order_count; i++) {
        if (request->orders[i].description.len != 0) {
            return 1;
        }
    }

    return request->locale.len != 0;
}


/* For the buyer's page: the language, and the orders' descriptions in their
 * sequence. */
static void
add_page(pay_buf_t *buf, const pay_payment_request_t *request)
{
    unsigned  i;

    if (!request_has_page(request)) {
        return;
    }

    pay_buf_text(buf, ",\"page\":{");

    if (request->locale.len != 0) {
        pay_buf_text(buf, "\"locale\":\"");
        pay_buf_json(buf, request->locale);
        pay_buf_text(buf, "\",");
    }

    pay_buf_text(buf, "\"descriptions\":[");

    for (i = 0; i < request->order_count; i++) {
        pay_buf_text(buf, i == 0 ? "" : ",");

        if (request->orders[i].description.len != 0) {
            pay_buf_text(buf, "\"");
            pay_buf_json(buf, request->orders[i].description);
            pay_buf_text(buf, "\"");

        } else {
            pay_buf_text(buf, "null");
        }
    }

    pay_buf_text(buf, "]}");
}


/* A member that is JSON already; an empty one is left out. */
static void
add_json(pay_buf_t *buf, const char *name, pay_str_t json)
{
    if (json.len != 0) {
        pay_buf_text(buf, name);
        pay_buf_add(buf, json);
    }
}


/* Whether a review may come, and can hold money: PostgreSQL has rules of its
 * own, and decides. */
static int
may_hold(const pay_flow_t *flow, const pay_payment_request_t *request,
    const pay_route_t *route)
{
    unsigned  i;

    if (flow->env->risk == NULL || flow->env->risk->is_shadow
        || request->manual)
    {
        return 0;
    }

    for (i = 0; i < route->count; i++) {
        if (pay_begin_can_hold(request, route->psps[i])) {
            return 1;
        }
    }

    return 0;
}


/* The checkout may move on to any of them: the shortest time counts. */
static void
add_holds(pay_buf_t *buf, const pay_payment_request_t *request,
    const pay_route_t *route, int holds)
{
    int64_t      hold_s, least_s = 0;
    unsigned     i;
    const char  *blank = "";

    if (!holds) {
        return;
    }

    pay_buf_text(buf, ",\"holds\":{\"psps\":\"");

    for (i = 0; i < route->count; i++) {
        if (!pay_begin_can_hold(request, route->psps[i])) {
            continue;
        }

        pay_buf_text(buf, blank);
        pay_buf_json(buf, route->psps[i]->name);
        blank = " ";
        hold_s = (int64_t) route->psps[i]->adapter->hold_hours * HOUR_S;

        if (hold_s != 0 && (least_s == 0 || hold_s < least_s)) {
            least_s = hold_s;
        }
    }

    pay_buf_text(buf, "\"");

    if (least_s > HOLD_MARGIN_S) {
        pay_buf_text(buf, ",\"window_s\":");
        pay_buf_int(buf, least_s - HOLD_MARGIN_S);
    }

    pay_buf_text(buf, "}");
}

/*
 * The orders of POST /v1/payments: how many, whose, of which amount.  All that
 * is wrong with any of them is kept (parse.h).
 */

#include "parse.h"
#include "pay_id.h"
#include "pay_locale.h"


typedef pay_status_t (*part_pt)(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);


static pay_status_t parse_order(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_order_id(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_seller(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_money(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_currency(const pay_json_t *json, const char *member,
    unsigned index, const pay_currency_t **currency, pay_err_t *err);
static pay_status_t parse_credit(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_fee(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_description(pay_arena_t *arena,
    const pay_json_t *json, unsigned index, pay_payment_request_t *request,
    pay_err_t *err);


static const char  *const order_members[] = {
    "payment_order_id", "seller_account", "amount", "currency",
    "credit_currency", "fee", "description", NULL
};

static const part_pt  parts[] = {
    parse_order_id, parse_seller, parse_money, parse_credit, parse_fee,
    parse_description
};


/* One refusal for the array as a whole; without it the orders are read one by
 * one. */
pay_status_t
pay_parse_orders(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    size_t             n;
    unsigned           i;
    const pay_json_t  *orders;

    orders = pay_json_get(body, "payment_orders");
    n = pay_json_size(orders);

    if (orders == NULL || pay_json_type(orders) != PAY_JSON_ARRAY || n == 0
        || n > PAY_ORDERS_MAX)
    {
        (void) pay_refuse_at(err, "validation-error",
                             orders == NULL ? "payment_orders is missing"
                             : "payment_orders must be an array of 1 to 20 "
                               "orders", "/payment_orders");

        return pay_errors_add(&request->errors, arena, err);
    }

    request->orders = pay_calloc(arena, n * sizeof(pay_order_t));
    if (request->orders == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < n; i++) {
        /* order_count grows with the orders that were read: errors leave gaps
         * in an order, never in the array. */
        PAY_TRY(parse_order(arena, pay_json_at(orders, i), i, request, err));
        request->order_count = i + 1;
    }

    return PAY_OK;
}


/* The errors of an order point to it by its index, as
 * /payment_orders/0/amount. */
static pay_status_t
parse_order(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    size_t         i;
    pay_str_t      base;
    pay_status_t   status;
    pay_errors_t  *errors = &request->errors;

    if (pay_json_type(json) != PAY_JSON_OBJECT) {
        (void) pay_refuse_at(err, "validation-error",
                             "an order must be an object",
                             "/payment_orders/%u", index);

        return pay_errors_add(errors, arena, err);
    }

    PAY_TRY(pay_format(arena, &base, PAY_POINTER_MAX, "/payment_orders/%u",
                       index));
    PAY_TRY(pay_parse_members(arena, json, order_members,
                              (const char *) base.data, errors));

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        status = parts[i](arena, json, index, request, err);
        PAY_TRY(pay_parse_note(arena, errors, status, err));
    }

    return PAY_OK;
}


/* May be absent: the gateway makes an id then.  With two orders of one id in a
 * checkout a refund could not say which it means. */
static pay_status_t
parse_order_id(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    unsigned           i;
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(json, "payment_order_id");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK || !pay_id_is_valid(text)) {
        return pay_refuse_at(err, "validation-error",
                             "payment_order_id must be 1 to 64 characters of "
                             "A-Z a-z 0-9 . _ ~ -",
                             "/payment_orders/%u/payment_order_id", index);
    }

    for (i = 0; i < index; i++) {
        if (pay_str_eq(request->orders[i].id, text)) {
            return pay_refuse_at(err, "validation-error",
                                 "payment_order_id stands twice",
                                 "/payment_orders/%u/payment_order_id", index);
        }
    }

    return pay_dup(arena, text, &request->orders[index].id);
}


/* A name of the merchant's own; visible ASCII, so that it can stand in a path,
 * a log and a statement. */
static pay_status_t
parse_seller(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    size_t             i;
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(json, "seller_account");

    if (pay_json_string(value, &text) != PAY_OK
        || text.len == 0 || text.len > PAY_SELLER_MAX)
    {
        goto refused;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f) {
            goto refused;
        }
    }

    return pay_dup(arena, text, &request->orders[index].seller);

refused:

    return pay_refuse_at(err, "validation-error",
                         value == NULL ? "seller_account is missing"
                         : "seller_account must be 1 to 64 visible ASCII "
                           "characters",
                         "/payment_orders/%u/seller_account", index);
}


/* All orders have the checkout's currency, since the buyer pays one sum.  The
 * sum is bounded like a single amount, because the PSP gets it as one. */
static pay_status_t
parse_money(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    int64_t               *minor = &request->orders[index].amount_minor;
    pay_str_t              pointer;
    const pay_currency_t  *currency;

    PAY_TRY(parse_currency(json, "currency", index, &currency, err));

    if (request->currency != NULL && request->currency != currency) {
        return pay_refuse_at(err, "currency-unsupported",
                             "all orders of a checkout have one currency",
                             "/payment_orders/%u/currency", index);
    }

    request->currency = currency;

    PAY_TRY(pay_format(arena, &pointer, PAY_POINTER_MAX,
                       "/payment_orders/%u/amount", index));
    PAY_TRY(pay_parse_amount(pay_json_get(json, "amount"), currency,
                             (const char *) pointer.data, minor, err));

    if (pay_amount_add(request->total_minor, *minor, &request->total_minor,
                       NULL) != PAY_OK
        || request->total_minor > PAY_AMOUNT_MAX_MINOR)
    {
        return pay_refuse_at(err, "amount-invalid",
                             "the checkout's total is larger than allowed",
                             "/payment_orders/%u/amount", index);
    }

    return PAY_OK;
}


/* Currencies of new payments only (pay_currency_current). */
static pay_status_t
parse_currency(const pay_json_t *json, const char *member, unsigned index,
    const pay_currency_t **currency, pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(json, member);

    if (pay_json_string(value, &text) == PAY_OK
        && pay_currency_current(text, currency, NULL) == PAY_OK)
    {
        return PAY_OK;
    }

    (void) pay_refuse_at(err, "currency-unsupported",
                         "the currency must be an ISO 4217 code, for example "
                         "\"EUR\"", "/payment_orders/%u/%s", index, member);

    if (value == NULL) {
        pay_err_say(err, "%s is missing", member);
    }

    return PAY_INVALID;
}


/* The currency that the seller is credited in.  The order's own needs no
 * conversion and counts as absent; parse_money() has run before and set it. */
static pay_status_t
parse_credit(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    const pay_currency_t  *currency;

    (void) arena;

    if (pay_json_get(json, "credit_currency") == NULL) {
        return PAY_OK;
    }

    PAY_TRY(parse_currency(json, "credit_currency", index, &currency, err));

    request->orders[index].credit = (currency == request->currency) ? NULL
                                                                    : currency;

    return PAY_OK;
}


/* The fee that the merchant keeps of this sale, in its currency, in place of a
 * commission; parse_money() has run before and set currency and amount.  Zero
 * is a fee, too: none is taken then. */
static pay_status_t
parse_fee(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_str_t          text;
    pay_order_t       *order = &request->orders[index];
    const pay_json_t  *value;

    (void) arena;

    value = pay_json_get(json, "fee");
    if (value == NULL || request->currency == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK
        || pay_fee_parse(text, request->currency, &order->fee_minor, NULL)
           != PAY_OK)
    {
        return pay_refuse_at(err, "amount-invalid",
                             "fee must be a decimal string with exactly the "
                             "currency's number of decimals",
                             "/payment_orders/%u/fee", index);
    }

    if (order->amount_minor != 0 && order->fee_minor > order->amount_minor) {
        return pay_refuse_at(err, "amount-invalid",
                             "fee must not be larger than the order's amount",
                             "/payment_orders/%u/fee", index);
    }

    order->has_fee = 1;

    return PAY_OK;
}


/* For the buyer's page alone. */
static pay_status_t
parse_description(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(json, "description");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK || text.len == 0
        || text.len > PAY_DESCRIPTION_MAX || !pay_locale_is_shown(text))
    {
        return pay_refuse_at(err, "validation-error",
                             "description must be a string of 1 to 256 bytes "
                             "without control characters and characters that "
                             "turn the direction of text",
                             "/payment_orders/%u/description", index);
    }

    return pay_dup(arena, text, &request->orders[index].description);
}

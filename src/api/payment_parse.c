/*
 * The body of POST /v1/payments, from a stranger's bytes to a checked
 * request.  Everything that is not expected is refused, with a pointer to it.
 */

#include "parse.h"
#include "pay_id.h"
#include "pay_payment.h"


#define TEXT_MAX  2048         /* of buyer_info and credit_card_info, each */

typedef struct {
    const char  *pointer;      /* "/" and the member */
    const char  *complaint;
} name_rule_t;


static pay_status_t fill_order(const pay_payment_request_t *request,
    const pay_order_t *order, pay_json_t *json);
static pay_status_t parse_object(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_texts(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_name(pay_arena_t *arena, const pay_json_t *body,
    const name_rule_t *rule, pay_str_t *name, pay_err_t *err);
static pay_status_t parse_country(pay_arena_t *arena, const pay_json_t *buyer,
    pay_payment_request_t *request);
static pay_status_t parse_expires(const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_capture(const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_documents(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_orders(pay_arena_t *arena, const pay_json_t *orders,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_order(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_order_id(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_seller(pay_arena_t *arena, const pay_json_t *json,
    unsigned index, pay_order_t *order, pay_err_t *err);
static pay_status_t parse_amount(const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_credit(const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err);


static const char  *const body_members[] = {
    "checkout_id", "buyer_info", "payment_orders", "return_url", "psp",
    "payment_method", "credit_card_info", "expires_in", "metadata", "capture",
    "replaces", NULL
};

static const name_rule_t  psp_rule = {
    "/psp", "psp must be the name of a PSP"
};

static const name_rule_t  method_rule = {
    "/payment_method",
    "payment_method must be 1 to 64 characters of A-Z a-z 0-9 . _ ~ -"
};

static const name_rule_t  replaces_rule = {
    "/replaces",
    "replaces must be a checkout_id: 1 to 64 characters of A-Z a-z 0-9 . _ ~ -"
};

static const char  *const order_members[] = {
    "payment_order_id", "seller_account", "amount", "currency",
    "credit_currency", NULL
};


pay_status_t
pay_payment_parse(pay_arena_t *arena, pay_str_t body,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_json_t    *json;
    pay_status_t   status;

    memset(request, 0, sizeof(*request));

    PAY_TRY(pay_json_parse(body, NULL, &json, err));

    status = pay_parse_card_data(json, body, err);

    if (status == PAY_OK) {
        status = parse_object(arena, json, request, err);
    }

    pay_json_free(json);

    return status;
}


pay_status_t
pay_payment_orders_json(pay_arena_t *arena,
    const pay_payment_request_t *request, pay_str_t *text)
{
    unsigned       i;
    pay_json_t    *array, *item;
    pay_status_t   status;

    array = pay_json_array_new();
    status = array == NULL ? PAY_NO_MEMORY : PAY_OK;

    for (i = 0; i < request->order_count && status == PAY_OK; i++) {
        item = pay_json_object_new();

        if (item == NULL
            || fill_order(request, &request->orders[i], item) != PAY_OK)
        {
            pay_json_free(item);
            status = PAY_NO_MEMORY;
            break;
        }

        status = pay_json_append(array, item);
    }

    if (status == PAY_OK) {
        status = pay_json_write(arena, array, text);
    }

    pay_json_free(array);

    return status;
}


static pay_status_t
fill_order(const pay_payment_request_t *request, const pay_order_t *order,
    pay_json_t *json)
{
    PAY_TRY(pay_json_set_string(json, "id", order->id));
    PAY_TRY(pay_json_set_string(json, "seller", order->seller));
    PAY_TRY(pay_json_set_integer(json, "amount", order->amount_minor));
    PAY_TRY(pay_json_set_string(json, "currency",
                                pay_str_of(request->currency->code)));

    return (order->credit == NULL)
           ? PAY_OK : pay_json_set_string(json, "credit",
                                          pay_str_of(order->credit->code));
}


static pay_status_t
parse_object(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    if (pay_json_type(body) != PAY_JSON_OBJECT) {
        return pay_refuse(err, "validation-error",
                          "the body must be a JSON object");
    }

    PAY_TRY(pay_parse_members(body, body_members, -1, err));
    PAY_TRY(parse_texts(arena, body, request, err));
    PAY_TRY(parse_expires(body, request, err));
    PAY_TRY(parse_capture(body, request, err));
    PAY_TRY(parse_documents(arena, body, request, err));

    return parse_orders(arena, pay_json_get(body, "payment_orders"), request,
                        err);
}


static pay_status_t
parse_texts(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_str_t          text;

    if (pay_json_string(pay_json_get(body, "checkout_id"), &text) != PAY_OK
        || !pay_id_is_valid(text))
    {
        return pay_refuse_at(err, "validation-error",
                             "checkout_id must be 1 to 64 characters of "
                             "A-Z a-z 0-9 . _ ~ -", "/checkout_id");
    }

    PAY_TRY(pay_dup(arena, text, &request->checkout_id));

    if (pay_json_string(pay_json_get(body, "return_url"), &text) != PAY_OK) {
        return pay_refuse_at(err, "validation-error",
                             "return_url must be a string", "/return_url");
    }

    PAY_TRY(pay_dup(arena, text, &request->return_url));

    PAY_TRY(parse_name(arena, body, &psp_rule, &request->psp, err));
    PAY_TRY(parse_name(arena, body, &replaces_rule, &request->replaces, err));

    return parse_name(arena, body, &method_rule, &request->method, err);
}


/* A member that may be absent. */
static pay_status_t
parse_name(pay_arena_t *arena, const pay_json_t *body,
    const name_rule_t *rule, pay_str_t *name, pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(body, rule->pointer + 1);
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK || !pay_id_is_valid(text)) {
        return pay_refuse_at(err, "validation-error", rule->complaint,
                             "%s", rule->pointer);
    }

    return pay_dup(arena, text, name);
}


/* For routes: a country that is none is one that nobody knows. */
static pay_status_t
parse_country(pay_arena_t *arena, const pay_json_t *buyer,
    pay_payment_request_t *request)
{
    pay_str_t  text;

    if (pay_json_string(pay_json_get(buyer, "country"), &text) != PAY_OK
        || text.len != 2 || text.data[0] < 'A' || text.data[0] > 'Z'
        || text.data[1] < 'A' || text.data[1] > 'Z')
    {
        return PAY_OK;
    }

    return pay_dup(arena, text, &request->country);
}


static pay_status_t
parse_expires(const pay_json_t *body, pay_payment_request_t *request,
    pay_err_t *err)
{
    const pay_json_t  *value;

    request->expires_in_s = PAY_EXPIRES_S;

    value = pay_json_get(body, "expires_in");
    if (value == NULL) {
        return PAY_OK;
    }

    request->has_expires_in = 1;

    if (pay_json_integer(value, &request->expires_in_s) != PAY_OK
        || request->expires_in_s < PAY_EXPIRES_MIN_S
        || request->expires_in_s > PAY_EXPIRES_MAX_S)
    {
        return pay_refuse_at(err, "validation-error",
                             "expires_in must be a whole number of seconds "
                             "from 60 to 86400", "/expires_in");
    }

    return PAY_OK;
}


static pay_status_t
parse_capture(const pay_json_t *body, pay_payment_request_t *request,
    pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(body, "capture");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK) {
        text = PAY_STR("");
    }

    request->manual = pay_str_is(text, "manual");

    return (request->manual || pay_str_is(text, "automatic"))
           ? PAY_OK
           : pay_refuse_at(err, "validation-error",
                           "capture must be automatic or manual", "/capture");
}


static pay_status_t
parse_documents(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_json_type_t    type;
    const pay_json_t  *value;

    value = pay_json_get(body, "buyer_info");
    if (value == NULL || pay_json_type(value) != PAY_JSON_OBJECT) {
        return pay_refuse_at(err, "validation-error",
                             "buyer_info must be an object", "/buyer_info");
    }

    PAY_TRY(pay_parse_document(arena, value, "/buyer_info", TEXT_MAX,
                               &request->buyer_info, err));
    PAY_TRY(parse_country(arena, value, request));

    value = pay_json_get(body, "credit_card_info");
    if (value != NULL) {
        type = pay_json_type(value);

        if (type != PAY_JSON_OBJECT && type != PAY_JSON_STRING) {
            return pay_refuse_at(err, "validation-error",
                                 "credit_card_info must be a PSP's token, as "
                                 "a string or an object", "/credit_card_info");
        }

        PAY_TRY(pay_parse_document(arena, value, "/credit_card_info",
                                   TEXT_MAX, &request->card_info, err));
    }

    return pay_parse_metadata(arena, body, &request->metadata, err);
}


static pay_status_t
parse_orders(pay_arena_t *arena, const pay_json_t *orders,
    pay_payment_request_t *request, pay_err_t *err)
{
    size_t    n;
    unsigned  i;

    n = pay_json_size(orders);

    if (orders == NULL || pay_json_type(orders) != PAY_JSON_ARRAY || n == 0
        || n > PAY_ORDERS_MAX)
    {
        return pay_refuse_at(err, "validation-error",
                             "payment_orders must be an array of 1 to 20 "
                             "orders", "/payment_orders");
    }

    request->orders = pay_calloc(arena, n * sizeof(pay_order_t));
    if (request->orders == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < n; i++) {
        PAY_TRY(parse_order(arena, pay_json_at(orders, i), i, request, err));
        request->order_count = i + 1;
    }

    return PAY_OK;
}


static pay_status_t
parse_order(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    if (pay_json_type(json) != PAY_JSON_OBJECT) {
        return pay_refuse_at(err, "validation-error",
                             "an order must be an object",
                             "/payment_orders/%u", index);
    }

    PAY_TRY(pay_parse_members(json, order_members, (int) index, err));
    PAY_TRY(parse_order_id(arena, json, index, request, err));
    PAY_TRY(parse_seller(arena, json, index, &request->orders[index], err));

    PAY_TRY(parse_amount(json, index, request, err));

    return parse_credit(json, index, request, err);
}


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


static pay_status_t
parse_seller(pay_arena_t *arena, const pay_json_t *json, unsigned index,
    pay_order_t *order, pay_err_t *err)
{
    size_t     i;
    pay_str_t  text;

    if (pay_json_string(pay_json_get(json, "seller_account"), &text) != PAY_OK
        || text.len == 0 || text.len > PAY_SELLER_MAX)
    {
        goto refused;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f) {
            goto refused;
        }
    }

    return pay_dup(arena, text, &order->seller);

refused:

    return pay_refuse_at(err, "validation-error",
                         "seller_account must be 1 to 64 visible ASCII "
                         "characters",
                         "/payment_orders/%u/seller_account", index);
}


static pay_status_t
parse_amount(const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_str_t              text;
    const pay_currency_t  *currency;

    if (pay_json_string(pay_json_get(json, "currency"), &text) != PAY_OK
        || pay_currency_current(text, &currency, NULL) != PAY_OK)
    {
        return pay_refuse_at(err, "currency-unsupported",
                             "currency must be an ISO 4217 code",
                             "/payment_orders/%u/currency", index);
    }

    if (request->currency != NULL && request->currency != currency) {
        return pay_refuse_at(err, "currency-unsupported",
                             "all orders of a checkout have one currency",
                             "/payment_orders/%u/currency", index);
    }

    request->currency = currency;

    if (pay_json_string(pay_json_get(json, "amount"), &text) != PAY_OK
        || pay_amount_parse(text, currency,
                            &request->orders[index].amount_minor, NULL)
           != PAY_OK)
    {
        return pay_refuse_at(err, "amount-invalid",
                             "amount must be a decimal string above zero with "
                             "exactly the currency's number of decimals",
                             "/payment_orders/%u/amount", index);
    }

    if (pay_amount_add(request->total_minor,
                       request->orders[index].amount_minor,
                       &request->total_minor, NULL) != PAY_OK
        || request->total_minor > PAY_AMOUNT_MAX_MINOR)
    {
        return pay_refuse_at(err, "amount-invalid",
                             "the checkout's total is larger than allowed",
                             "/payment_orders/%u/amount", index);
    }

    return PAY_OK;
}


/* The order's own currency needs no conversion. */
static pay_status_t
parse_credit(const pay_json_t *json, unsigned index,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_str_t              text;
    const pay_json_t      *value;
    const pay_currency_t  *currency;

    value = pay_json_get(json, "credit_currency");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK
        || pay_currency_current(text, &currency, NULL) != PAY_OK)
    {
        return pay_refuse_at(err, "currency-unsupported",
                             "credit_currency must be an ISO 4217 code",
                             "/payment_orders/%u/credit_currency", index);
    }

    request->orders[index].credit = (currency == request->currency) ? NULL
                                                                    : currency;

    return PAY_OK;
}

/*
 * PayPal Orders v2 (docs/psp/paypal.md): an order is our registration, its id
 * the token, the link that PayPal gives for the buyer the hosted page.  The
 * buyer only approves there; the money is taken by our capture.  An order
 * lapses by itself after three hours and cannot be ended before: what is never
 * captured is never paid.
 */

#include "psp/paypal.h"


static pay_status_t paypal_register_answer(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_http_answer_t *answer,
    pay_psp_registered_t *result);
static pay_status_t paypal_registered(pay_arena_t *arena,
    const pay_json_t *json, pay_psp_registered_t *result);
static pay_paypal_echo_t paypal_echo(const pay_psp_order_t *order,
    const pay_json_t *json);
static pay_paypal_echo_t paypal_echo_text(const pay_json_t *json,
    const char *member, pay_str_t expected);
static const pay_json_t *paypal_link(const pay_json_t *json,
    const char *rel);
static pay_status_t paypal_query_request(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t token,
    pay_http_request_t *request);
static const pay_json_t *paypal_detail(const pay_json_t *root, int *unsure);
static int paypal_is_unsure(const pay_json_t *word);


/* What leaves open whether something happened: it was done before, it is
 * being done, or the key came with another request.  An invoice that was paid
 * already must not be registered elsewhere. */
static const char *const  paypal_unsure_words[] = {
    "CAPTURE_FULLY_REFUNDED", "DUPLICATE_INVOICE_ID", "DUPLICATE_REQUEST_ID",
    "DUPLICATE_TRANSACTION", "ORDER_ALREADY_AUTHORIZED",
    "ORDER_ALREADY_CAPTURED", "ORDER_ALREADY_COMPLETED",
    "ORDER_COMPLETED_OR_VOIDED", "ORDER_COMPLETION_IN_PROGRESS",
    "PREVIOUSLY_CAPTURED", "PREVIOUS_REQUEST_IN_PROGRESS",
    "RESOURCE_CONFLICT", NULL
};


const pay_psp_adapter_t  pay_psp_paypal = {
    .name = "paypal",
    .scheme = "paypal",
    .key_window_hours = 6,             /* Orders API; Payments API: 45 days */
    .change_window_hours = {
        [PAY_PSP_CAPTURE] = 6, [PAY_PSP_REFUND] = 1080
    },
    .min_expiry_s = 60,
    .max_expiry_s = 10800,
    .traits = PAY_PSP_BY_PAYMENT | PAY_PSP_NAMES_REFUNDS,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_REFUND),
    .register_request = pay_paypal_register_request,
    .register_answer = paypal_register_answer,
    .query_request = paypal_query_request,
    .query_answer = pay_paypal_query_answer,
    .list_request = pay_paypal_list_request,
    .list_answer = pay_paypal_list_answer,
    .change_request = pay_paypal_change_request,
    .change_answer = pay_paypal_change_answer,
    .auth_request = pay_paypal_auth_request,
    .auth_answer = pay_paypal_auth_answer,
    .webhook_events = pay_paypal_webhook_events
};


static pay_status_t
paypal_register_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    pay_json_t            *json;
    pay_status_t           status;
    pay_paypal_echo_t      echo;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_answer_open(arena, answer, pay_paypal_error, &json,
                                &made));

    if (json == NULL) {
        *result = made;
        return PAY_OK;
    }

    status = PAY_OK;
    echo = paypal_echo(order, json);

    if (echo == PAY_PAYPAL_ECHO_RIGHT) {
        status = paypal_registered(arena, json, &made);

    } else if (echo == PAY_PAYPAL_ECHO_WRONG) {
        made.code = PAY_STR("answer_mismatch");
    }

    pay_json_free(json);

    if (status == PAY_OK) {
        *result = made;
    }

    return status;
}


/* The link's name depends on how the order was made
 * (docs/psp/paypal.md#registration). */
static pay_status_t
paypal_registered(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_registered_t *result)
{
    pay_str_t          token, text, url;
    pay_status_t       status;
    const pay_json_t  *link;

    status = pay_psp_token_get(arena, json, "id", &token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    link = paypal_link(json, "payer-action");
    link = link ? link : paypal_link(json, "approve");

    if (pay_json_string(pay_json_get(link, "href"), &text) != PAY_OK
        || !pay_psp_url_is_plain(text))
    {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, text, &url));

    result->outcome = PAY_PSP_DONE;
    result->token = token;
    result->hosted_url = url;
    result->code = PAY_STR("");

    return PAY_OK;
}


static pay_paypal_echo_t
paypal_echo(const pay_psp_order_t *order, const pay_json_t *json)
{
    pay_paypal_echo_t   echo;
    const pay_json_t   *units, *unit;

    echo = paypal_echo_text(json, "intent", PAY_STR("CAPTURE"));
    units = pay_json_get(json, "purchase_units");

    if (echo != PAY_PAYPAL_ECHO_RIGHT || units == NULL
        || pay_json_type(units) == PAY_JSON_NULL)
    {
        return echo;
    }

    unit = pay_json_at(units, 0);

    if (pay_json_type(unit) != PAY_JSON_OBJECT) {
        return PAY_PAYPAL_ECHO_INVALID;
    }

    if (pay_json_size(units) != 1) {
        return PAY_PAYPAL_ECHO_WRONG;
    }

    echo = pay_paypal_echo_money(pay_json_get(unit, "amount"),
                                 order->currency, order->amount_minor);

    if (echo == PAY_PAYPAL_ECHO_RIGHT) {
        echo = paypal_echo_text(unit, "reference_id", order->reference);
    }

    if (echo == PAY_PAYPAL_ECHO_RIGHT) {
        echo = paypal_echo_text(unit, "custom_id", order->reference);
    }

    return echo;
}


static pay_paypal_echo_t
paypal_echo_text(const pay_json_t *json, const char *member,
    pay_str_t expected)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(json, member);

    if (value == NULL || pay_json_type(value) == PAY_JSON_NULL) {
        return PAY_PAYPAL_ECHO_RIGHT;
    }

    if (pay_json_string(value, &text) != PAY_OK) {
        return PAY_PAYPAL_ECHO_INVALID;
    }

    return pay_str_eq(text, expected) ? PAY_PAYPAL_ECHO_RIGHT
                                      : PAY_PAYPAL_ECHO_WRONG;
}


static const pay_json_t *
paypal_link(const pay_json_t *json, const char *rel)
{
    size_t             i;
    const pay_json_t  *links, *link;

    links = pay_json_get(json, "links");

    for (i = 0; i < pay_json_size(links); i++) {
        link = pay_json_at(links, i);

        if (pay_paypal_is(link, "rel", rel)) {
            return link;
        }
    }

    return NULL;
}


static pay_status_t
paypal_query_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t token, pay_http_request_t *request)
{
    pay_http_request_t  made;

    if (!pay_psp_token_is_valid(token)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_open(arena, account, "GET", PAY_PAYPAL_ORDERS "/",
                                 token, &made));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));

    *request = made;

    return PAY_OK;
}


void
pay_paypal_fields_add(pay_http_request_t *request, pay_str_t key)
{
    pay_psp_field_add(request, "PayPal-Request-Id", key);
    pay_psp_field_add(request, "Prefer", PAY_STR("return=representation"));
}


pay_status_t
pay_paypal_object_add(pay_json_t *parent, const char *member,
    pay_json_t **child)
{
    *child = pay_json_object_new();

    return pay_json_set(parent, member, *child);
}


pay_status_t
pay_paypal_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    const pay_json_t  *name, *oauth, *detail;

    name = pay_json_get(root, "name");
    oauth = pay_json_get(root, "error");
    error->found = pay_json_type(name) != PAY_JSON_NULL
                   || pay_json_type(oauth) != PAY_JSON_NULL;

    detail = paypal_detail(root, &error->unsure);
    PAY_TRY(pay_psp_word_get(arena, detail, "issue", &error->code));

    if (error->code.len == 0) {
        PAY_TRY(pay_psp_word_get(arena, root, "name", &error->code));
    }

    if (error->code.len == 0) {
        PAY_TRY(pay_psp_word_get(arena, root, "error", &error->code));
    }

    error->unsure |= error->code.len == 0 || paypal_is_unsure(name);

    return PAY_OK;
}


/* The first issue says more than the error's name; one that leaves things
 * open beats all others.  NULL when there is none. */
static const pay_json_t *
paypal_detail(const pay_json_t *root, int *unsure)
{
    size_t             i;
    const pay_json_t  *details, *detail;

    details = pay_json_get(root, "details");

    for (i = 0; i < pay_json_size(details); i++) {
        detail = pay_json_at(details, i);

        if (paypal_is_unsure(pay_json_get(detail, "issue"))) {
            *unsure = 1;
            return detail;
        }
    }

    return pay_json_at(details, 0);
}


static int
paypal_is_unsure(const pay_json_t *word)
{
    pay_str_t           text;
    const char *const  *row;

    if (pay_json_string(word, &text) != PAY_OK) {
        return 0;
    }

    for (row = paypal_unsure_words; *row != NULL; row++) {
        if (pay_str_is(text, *row)) {
            return 1;
        }
    }

    return 0;
}


int
pay_paypal_is(const pay_json_t *json, const char *member, const char *text)
{
    pay_str_t  value;

    return pay_json_string(pay_json_get(json, member), &value) == PAY_OK
           && pay_str_is(value, text);
}

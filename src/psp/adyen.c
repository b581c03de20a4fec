/*
 * Adyen payment links, Checkout API v72 (docs/psp/adyen.md): JSON both
 * ways.  The link's id is our token, its url the hosted page; webhooks know
 * the payment by our reference alone, which is the alias.  base_url is all
 * before /v72: https://checkout-test.adyen.com, or for live
 * https://PREFIX-checkout-live.adyenpayments.com/checkout.  `account` is the
 * merchantAccount.
 */

#include "psp/adyen.h"
#include "pay_time.h"


#define ADYEN_REUSED  "704"            /* the key is in use, or was used for
                                          another body */


static pay_status_t adyen_register_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t adyen_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_json_t *root, pay_err_t *err);
static pay_status_t adyen_reference(pay_arena_t *arena,
    const pay_psp_order_t *order, pay_str_t *reference);
static pay_status_t adyen_lines(const pay_psp_order_t *order,
    pay_json_t *lines, pay_err_t *err);
static pay_status_t adyen_line(const pay_psp_order_t *order,
    const pay_psp_line_t *line, pay_json_t *json, pay_err_t *err);
static pay_status_t adyen_register_answer(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_http_answer_t *answer,
    pay_psp_registered_t *result);
static pay_status_t adyen_registered(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *link,
    pay_psp_registered_t *result);
static pay_status_t adyen_query_request(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t token,
    pay_http_request_t *request);
static pay_status_t adyen_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);


/* Adyen keeps keys for at least seven days.  A link may live for 70 days; the
 * API gives none of ours more than one. */
const pay_psp_adapter_t  pay_psp_adyen = {
    .name = "adyen",
    .scheme = "adyen",
    .key_window_hours = 168,
    .change_window_hours = {
        [PAY_PSP_CAPTURE] = 168, [PAY_PSP_CANCEL] = 168,
        [PAY_PSP_REFUND] = 168, [PAY_PSP_EXPIRE] = PAY_PSP_ALWAYS_HOURS
    },
    .min_expiry_s = 300,
    .max_expiry_s = 86400,
    .traits = PAY_PSP_NEEDS_ACCOUNT | PAY_PSP_AUTHORIZES
              | PAY_PSP_BY_PAYMENT,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
               | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE),
    .register_request = adyen_register_request,
    .register_answer = adyen_register_answer,
    .query_request = adyen_query_request,
    .query_answer = adyen_query_answer,
    .change_request = pay_adyen_change_request,
    .change_answer = pay_adyen_change_answer,
    .webhook_events = pay_adyen_webhook_events
};


static pay_status_t
adyen_register_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_order_t *order, pay_http_request_t *request, pay_err_t *err)
{
    pay_str_t            key;
    pay_json_t          *root;
    pay_status_t         status;
    pay_http_request_t   made;

    if (!pay_psp_order_sane(order)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_key(arena, order->nonce, "", PAY_ADYEN_KEY_MAX, &key));
    PAY_TRY(pay_adyen_request(arena, account, "POST", PAY_ADYEN_LINKS,
                              PAY_STR(""), &made));
    pay_psp_field_add(&made, "Idempotency-Key", key);

    root = pay_json_object_new();
    if (root == NULL) {
        return PAY_NO_MEMORY;
    }

    status = adyen_body(arena, account, order, root, err);
    if (status != PAY_OK) {
        pay_json_free(root);
        return status;
    }

    PAY_TRY(pay_psp_json_body(arena, root, &made));

    *request = made;

    return PAY_OK;
}


static pay_status_t
adyen_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_order_t *order, pay_json_t *root, pay_err_t *err)
{
    pay_str_t      expires, reference;
    pay_json_t    *lines;
    pay_status_t   status;

    PAY_TRY(pay_time_format(arena, order->expires_s, &expires));
    PAY_TRY(adyen_reference(arena, order, &reference));
    PAY_TRY(pay_json_set_string(root, "merchantAccount", account->account));
    PAY_TRY(pay_json_set_string(root, "reference", reference));
    PAY_TRY(pay_adyen_set_amount(root, order->currency, order->amount_minor,
                                 err));
    PAY_TRY(pay_json_set_string(root, "expiresAt", expires));
    PAY_TRY(pay_json_set_string(root, "returnUrl", order->return_url));

    if (order->capture_later) {
        PAY_TRY(pay_json_set(root, "manualCapture", pay_json_boolean_new(1)));
    }

    lines = pay_json_array_new();
    if (lines == NULL) {
        return PAY_NO_MEMORY;
    }

    status = adyen_lines(order, lines, err);
    if (status != PAY_OK) {
        pay_json_free(lines);
        return status;
    }

    return pay_json_set(root, "lineItems", lines);
}


/* It comes back in each webhook about the payment, and is signed there. */
static pay_status_t
adyen_reference(pay_arena_t *arena, const pay_psp_order_t *order,
    pay_str_t *reference)
{
    return pay_format(arena, reference, PAY_PSP_TOKEN_MAX, "%.*s%s",
                      pay_fmt(order->reference),
                      order->capture_later ? PAY_ADYEN_HELD : "");
}


static pay_status_t
adyen_lines(const pay_psp_order_t *order, pay_json_t *lines, pay_err_t *err)
{
    unsigned       i;
    pay_json_t    *line;
    pay_status_t   status;

    for (i = 0; i < order->line_count; i++) {
        line = pay_json_object_new();
        if (line == NULL) {
            return PAY_NO_MEMORY;
        }

        status = adyen_line(order, &order->lines[i], line, err);
        if (status != PAY_OK) {
            pay_json_free(line);
            return status;
        }

        PAY_TRY(pay_json_append(lines, line));
    }

    return PAY_OK;
}


static pay_status_t
adyen_line(const pay_psp_order_t *order, const pay_psp_line_t *line,
    pay_json_t *json, pay_err_t *err)
{
    int64_t  amount;

    PAY_TRY(pay_adyen_to_theirs(order->currency, line->amount_minor, &amount,
                                err));
    PAY_TRY(pay_json_set_string(json, "id", line->payment_order_id));
    PAY_TRY(pay_json_set_string(json, "description",
                                line->name.len ? line->name
                                               : line->payment_order_id));
    PAY_TRY(pay_json_set_integer(json, "quantity", 1));

    return pay_json_set_integer(json, "amountIncludingTax", amount);
}


static pay_status_t
adyen_register_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    pay_json_t            *link;
    pay_status_t           status;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_answer_open(arena, answer, pay_adyen_error, &link,
                                &made));

    status = (link == NULL) ? PAY_OK
                            : adyen_registered(arena, order, link, &made);
    pay_json_free(link);

    if (status == PAY_OK) {
        *result = made;
    }

    return status;
}


static pay_status_t
adyen_registered(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *link, pay_psp_registered_t *result)
{
    pay_str_t         reference;
    pay_adyen_echo_t  echo;

    PAY_TRY(adyen_reference(arena, order, &reference));

    echo = pay_adyen_echo_amount(link, order->currency, order->amount_minor);
    if (echo == PAY_ADYEN_ECHO_RIGHT) {
        echo = pay_adyen_echo_text(link, "reference", reference);
    }

    if (echo == PAY_ADYEN_ECHO_WRONG) {
        result->code = PAY_STR("answer_mismatch");
    }

    if (echo != PAY_ADYEN_ECHO_RIGHT) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_answer_done(arena, link, "id", "url", result));

    if (result->outcome == PAY_PSP_DONE) {
        result->alias = reference;
    }

    return PAY_OK;
}


static pay_status_t
adyen_query_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t token, pay_http_request_t *request)
{
    pay_http_request_t  made;

    if (!pay_psp_token_is_valid(token)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_adyen_request(arena, account, "GET", PAY_ADYEN_LINKS "/",
                              token, &made));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));

    *request = made;

    return PAY_OK;
}


static pay_status_t
adyen_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known)
{
    pay_json_t       *link;
    pay_status_t      status;
    pay_psp_event_t   made;

    PAY_TRY(pay_psp_query_open(answer, &link));

    if (link == NULL) {
        *known = 0;
        return PAY_OK;
    }

    status = pay_adyen_state(arena, link, &made);
    pay_json_free(link);

    return pay_psp_query_done(status, token, &made, event, known);
}


pay_status_t
pay_adyen_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request)
{
    if (!pay_psp_api_key_is_plain(account->api_key)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_open(arena, account, method, path, last, request));
    pay_psp_field_add(request, "X-API-Key", account->api_key);

    return PAY_OK;
}


pay_status_t
pay_adyen_set_amount(pay_json_t *json, const pay_currency_t *currency,
    int64_t minor, pay_err_t *err)
{
    int64_t        value;
    pay_json_t    *amount;
    pay_status_t   status;

    PAY_TRY(pay_adyen_to_theirs(currency, minor, &value, err));

    amount = pay_json_object_new();
    if (amount == NULL) {
        return PAY_NO_MEMORY;
    }

    status = pay_json_set_integer(amount, "value", value);
    if (status == PAY_OK) {
        status = pay_json_set_string(amount, "currency",
                                     pay_str_of(currency->code));
    }

    if (status != PAY_OK) {
        pay_json_free(amount);
        return status;
    }

    return pay_json_set(json, "amount", amount);
}


pay_adyen_echo_t
pay_adyen_echo_amount(const pay_json_t *json, const pay_currency_t *currency,
    int64_t minor)
{
    int64_t            value, expected;
    const pay_json_t  *amount;

    amount = pay_json_get(json, "amount");

    if (pay_json_integer(pay_json_get(amount, "value"), &value) != PAY_OK) {
        return PAY_ADYEN_ECHO_INVALID;
    }

    if (pay_adyen_to_theirs(currency, minor, &expected, NULL) != PAY_OK
        || value != expected)
    {
        return PAY_ADYEN_ECHO_WRONG;
    }

    return pay_adyen_echo_text(amount, "currency",
                               pay_str_of(currency->code));
}


pay_adyen_echo_t
pay_adyen_echo_text(const pay_json_t *json, const char *member,
    pay_str_t expected)
{
    pay_str_t  text;

    if (pay_json_string(pay_json_get(json, member), &text) != PAY_OK) {
        return PAY_ADYEN_ECHO_INVALID;
    }

    return pay_str_eq(text, expected) ? PAY_ADYEN_ECHO_RIGHT
                                      : PAY_ADYEN_ECHO_WRONG;
}


/* Only an errorCode is Adyen's voice: {"status":404} may come from anything on
 * the way. */
pay_status_t
pay_adyen_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    const pay_json_t  *code;

    code = pay_json_get(root, "errorCode");
    error->found = code != NULL && pay_json_type(code) != PAY_JSON_NULL;

    PAY_TRY(pay_psp_word_get(arena, root, "errorCode", &error->code));

    error->unsure = error->code.len == 0
                    || pay_str_is(error->code, ADYEN_REUSED);

    return PAY_OK;
}

/*
 * Mollie's payments (docs/psp/mollie.md): JSON calls, amounts as exact decimal
 * text.  A payment cannot be told when to end (expiresAt is Mollie's own
 * choice, by payment method: minutes to weeks), so the gateway cancels it;
 * while Mollie calls it not cancelable it is asked again.  Webhooks are hints:
 * see mollie_event.c.
 */

#include "psp/mollie.h"


static pay_status_t mollie_register_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t mollie_body(pay_arena_t *arena,
    const pay_psp_order_t *order, pay_json_t *root, pay_err_t *err);
static pay_status_t mollie_body_urls(pay_arena_t *arena,
    const pay_psp_order_t *order, pay_json_t *root);
static pay_status_t mollie_body_line(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_psp_line_t *line,
    pay_json_t *lines, pay_err_t *err);
static pay_status_t mollie_register_answer(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_http_answer_t *answer,
    pay_psp_registered_t *result);
static pay_status_t mollie_query_request(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t token,
    pay_http_request_t *request);


/* docs.mollie.com, guide "Multicurrency"; with ISO's decimals, all of them. */
static const char *const  mollie_currencies[] = {
    "AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP",
    "HKD", "HUF", "ILS", "ISK", "JPY", "MXN", "MYR", "NOK", "NZD", "PHP",
    "PLN", "RON", "RUB", "SEK", "SGD", "THB", "TWD", "USD", "ZAR", NULL
};


/* How long Mollie's keys live is not confirmed: an hour is the safe guess. */
const pay_psp_adapter_t  pay_psp_mollie = {
    .name = "mollie",
    .scheme = "mollie",
    .key_window_hours = 1,
    .change_window_hours = {
        [PAY_PSP_CAPTURE] = 1, [PAY_PSP_CANCEL] = PAY_PSP_ALWAYS_HOURS,
        [PAY_PSP_REFUND] = 1, [PAY_PSP_EXPIRE] = PAY_PSP_ALWAYS_HOURS
    },
    .min_expiry_s = 60,
    .max_expiry_s = 86400,
    .traits = PAY_PSP_LINGERS | PAY_PSP_AUTHORIZES | PAY_PSP_NAMES_REFUNDS,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
               | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE),
    .register_request = mollie_register_request,
    .register_answer = mollie_register_answer,
    .query_request = mollie_query_request,
    .query_answer = pay_mollie_query_answer,
    .find_request = pay_mollie_find_request,
    .find_answer = pay_mollie_find_answer,
    .change_request = pay_mollie_change_request,
    .change_answer = pay_mollie_change_answer,
    .webhook_events = pay_mollie_webhook_events
};


pay_status_t
pay_mollie_set_amount(pay_arena_t *arena, pay_json_t *parent,
    const char *member, const pay_currency_t *currency, int64_t minor,
    pay_err_t *err)
{
    pay_str_t           value;
    pay_json_t         *amount;
    const char *const  *code;

    for (code = mollie_currencies; *code != NULL; code++) {
        if (pay_str_is(pay_str_of(currency->code), *code)) {
            break;
        }
    }

    if (*code == NULL) {
        return pay_refuse(err, "currency-unsupported",
                          "Mollie has no payments in that currency");
    }

    PAY_TRY(pay_amount_format(arena, minor, currency, &value));

    amount = pay_json_object_new();
    PAY_TRY(pay_json_set(parent, member, amount));
    PAY_TRY(pay_json_set_string(amount, "currency", pay_str_of(*code)));

    return pay_json_set_string(amount, "value", value);
}


/* A payment has a status, too, but as a word. */
pay_status_t
pay_mollie_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    int64_t  status;

    if (pay_json_integer(pay_json_get(root, "status"), &status) != PAY_OK
        || pay_json_type(pay_json_get(root, "title")) != PAY_JSON_STRING)
    {
        return PAY_OK;
    }

    error->found = 1;

    PAY_TRY(pay_psp_word_get(arena, pay_json_get(root, "extra"),
                             "failureReason", &error->code));

    return error->code.len
           ? PAY_OK : pay_psp_word_get(arena, root, "title", &error->code);
}


pay_status_t
pay_mollie_echo_amount(pay_arena_t *arena, const pay_json_t *json,
    const pay_currency_t *currency, int64_t minor, pay_mollie_echo_t *echo)
{
    pay_str_t          value;
    const pay_json_t  *amount;

    PAY_TRY(pay_amount_format(arena, minor, currency, &value));

    amount = pay_json_get(json, "amount");
    *echo = pay_mollie_echo_text(pay_json_get(amount, "value"), value);

    if (*echo == PAY_MOLLIE_RIGHT) {
        *echo = pay_mollie_echo_text(pay_json_get(amount, "currency"),
                                     pay_str_of(currency->code));
    }

    return PAY_OK;
}


static pay_status_t
mollie_register_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_order_t *order, pay_http_request_t *request, pay_err_t *err)
{
    pay_json_t          *root;
    pay_status_t         status;
    pay_http_request_t   made;

    if (!pay_psp_order_sane(order)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_init(arena, account, "POST", PAY_MOLLIE_PAYMENTS,
                                 PAY_STR(""), &made));
    pay_psp_field_add(&made, "Idempotency-Key", order->nonce);

    root = pay_json_object_new();
    if (root == NULL) {
        return PAY_NO_MEMORY;
    }

    status = mollie_body(arena, order, root, err);
    if (status != PAY_OK) {
        pay_json_free(root);
        return status;
    }

    PAY_TRY(pay_psp_json_body(arena, root, &made));
    pay_mollie_accept(&made);

    *request = made;

    return PAY_OK;
}


static pay_status_t
mollie_body(pay_arena_t *arena, const pay_psp_order_t *order,
    pay_json_t *root, pay_err_t *err)
{
    unsigned     i;
    pay_json_t  *json;

    PAY_TRY(pay_mollie_set_amount(arena, root, "amount", order->currency,
                                  order->amount_minor, err));
    PAY_TRY(pay_json_set_string(root, "description", order->reference));
    PAY_TRY(mollie_body_urls(arena, order, root));

    if (order->capture_later) {
        PAY_TRY(pay_json_set_string(root, "captureMode", PAY_STR("manual")));
    }

    json = pay_json_object_new();
    PAY_TRY(pay_json_set(root, "metadata", json));
    PAY_TRY(pay_json_set_string(json, "reference", order->reference));
    PAY_TRY(pay_json_set_string(json, "nonce", order->nonce));

    json = pay_json_array_new();
    PAY_TRY(pay_json_set(root, "lines", json));

    for (i = 0; i < order->line_count; i++) {
        PAY_TRY(mollie_body_line(arena, order, &order->lines[i], json, err));
    }

    return PAY_OK;
}


static pay_status_t
mollie_body_urls(pay_arena_t *arena, const pay_psp_order_t *order,
    pay_json_t *root)
{
    int        has_query;
    pay_str_t  cancel;

    has_query = memchr(order->return_url.data, '?', order->return_url.len)
                != NULL;

    PAY_TRY(pay_format(arena, &cancel, PAY_PSP_URL_MAX + 16, "%.*s%s",
                       pay_fmt(order->return_url),
                       has_query ? "&cancelled=1" : "?cancelled=1"));
    PAY_TRY(pay_json_set_string(root, "redirectUrl", order->return_url));
    PAY_TRY(pay_json_set_string(root, "cancelUrl", cancel));

    return order->webhook_url.len
           ? pay_json_set_string(root, "webhookUrl", order->webhook_url)
           : PAY_OK;
}


static pay_status_t
mollie_body_line(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_psp_line_t *line, pay_json_t *lines, pay_err_t *err)
{
    pay_json_t  *json;

    json = pay_json_object_new();
    PAY_TRY(pay_json_append(lines, json));
    PAY_TRY(pay_json_set_string(json, "description",
                                line->name.len ? line->name
                                               : line->payment_order_id));
    PAY_TRY(pay_json_set_integer(json, "quantity", 1));
    PAY_TRY(pay_mollie_set_amount(arena, json, "unitPrice", order->currency,
                                  line->amount_minor, err));

    return pay_mollie_set_amount(arena, json, "totalAmount", order->currency,
                                 line->amount_minor, err);
}


static pay_status_t
mollie_register_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    pay_json_t            *root;
    pay_status_t           status;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_answer_open(arena, answer, pay_mollie_error, &root,
                                &made));

    status = (root == NULL) ? PAY_OK
                            : pay_mollie_registered(arena, order, root,
                                                    &made);
    pay_json_free(root);

    if (status == PAY_OK) {
        *result = made;
    }

    return status;
}


pay_status_t
pay_mollie_registered(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *root, pay_psp_registered_t *result)
{
    pay_str_t           token, url;
    pay_status_t        status;
    pay_mollie_echo_t   echo;

    PAY_TRY(pay_mollie_echo_amount(arena, root, order->currency,
                                   order->amount_minor, &echo));

    if (echo == PAY_MOLLIE_RIGHT) {
        echo = pay_mollie_echo_text(pay_json_path(root, "metadata",
                                                  "reference", NULL),
                                    order->reference);
    }

    if (echo == PAY_MOLLIE_RIGHT && order->capture_later
        && pay_json_get(root, "captureMode") != NULL)
    {
        echo = pay_mollie_echo_text(pay_json_get(root, "captureMode"),
                                    PAY_STR("manual"));
    }

    if (echo != PAY_MOLLIE_RIGHT) {
        if (echo == PAY_MOLLIE_WRONG) {
            result->code = PAY_STR("answer_mismatch");
        }

        return PAY_OK;
    }

    status = pay_psp_token_get(arena, root, "id", &token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    if (pay_json_string(pay_json_path(root, "_links", "checkout", "href",
                                      NULL), &url) != PAY_OK
        || !pay_psp_url_is_plain(url))
    {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, url, &result->hosted_url));

    result->outcome = PAY_PSP_DONE;
    result->token = token;
    result->code = PAY_STR("");

    return PAY_OK;
}


static pay_status_t
mollie_query_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t token, pay_http_request_t *request)
{
    pay_http_request_t  made;

    if (!pay_psp_token_is_valid(token)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_init(arena, account, "GET",
                                 PAY_MOLLIE_PAYMENTS "/", token, &made));

    pay_mollie_accept(&made);

    *request = made;

    return PAY_OK;
}


void
pay_mollie_accept(pay_http_request_t *request)
{
    unsigned   i;
    pay_str_t  hal = PAY_STR("application/hal+json");

    for (i = 0; i < request->field_count; i++) {
        if (pay_str_is(request->fields[i].name, "Accept")) {
            request->fields[i].value = hal;
            return;
        }
    }

    pay_psp_field_add(request, "Accept", hal);
}

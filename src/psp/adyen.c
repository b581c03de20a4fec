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


static pay_status_t adyen_register_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t adyen_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
static pay_status_t adyen_reference(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, pay_str_t *reference);
static pay_status_t adyen_lines(const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
static pay_status_t adyen_line(const pay_psp_checkout_t *checkout,
    const pay_psp_line_t *line, pay_json_t *lines, pay_err_t *err);
static pay_status_t adyen_register_answer(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_http_answer_t *answer,
    pay_psp_registered_t *result);
static pay_status_t adyen_registered(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *link,
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
    const pay_psp_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_str_t           key;
    pay_json_t         *root;
    pay_status_t        status;
    pay_http_request_t  made;

    if (!pay_psp_checkout_sane(checkout)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_key(arena, checkout->nonce, "", PAY_ADYEN_KEY_MAX, &key));
    PAY_TRY(pay_adyen_request(arena, account, "POST", PAY_ADYEN_LINKS,
                              PAY_STR(""), &made));
    pay_psp_field_add(&made, "Idempotency-Key", key);

    root = pay_json_object_new();
    status = (root == NULL) ? PAY_NO_MEMORY
                            : adyen_body(arena, account, checkout, root, err);
    PAY_TRY(pay_psp_json_done(arena, status, root, &made));

    *request = made;

    return PAY_OK;
}


static pay_status_t
adyen_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_json_t *root, pay_err_t *err)
{
    pay_str_t  expires, reference;

    PAY_TRY(pay_time_format(arena, checkout->expires_s, &expires));
    PAY_TRY(adyen_reference(arena, checkout, &reference));
    PAY_TRY(pay_json_set_string(root, "merchantAccount", account->account));
    PAY_TRY(pay_json_set_string(root, "reference", reference));
    PAY_TRY(pay_adyen_set_amount(root, checkout->currency,
                                 checkout->amount_minor, err));
    PAY_TRY(pay_json_set_string(root, "expiresAt", expires));
    PAY_TRY(pay_json_set_string(root, "returnUrl", checkout->return_url));

    if (checkout->capture_later) {
        PAY_TRY(pay_json_set(root, "manualCapture", pay_json_boolean_new(1)));
    }

    return adyen_lines(checkout, root, err);
}


/* It comes back in each webhook about the payment, and is signed there. */
static pay_status_t
adyen_reference(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    pay_str_t *reference)
{
    return pay_format(arena, reference, PAY_PSP_TOKEN_MAX, "%.*s%s",
                      pay_fmt(checkout->merchant_reference),
                      checkout->capture_later ? PAY_ADYEN_HELD : "");
}


static pay_status_t
adyen_lines(const pay_psp_checkout_t *checkout, pay_json_t *root,
    pay_err_t *err)
{
    unsigned     i;
    pay_json_t  *lines;

    lines = pay_json_array_new();
    PAY_TRY(pay_json_set(root, "lineItems", lines));

    for (i = 0; i < checkout->line_count; i++) {
        PAY_TRY(adyen_line(checkout, &checkout->lines[i], lines, err));
    }

    return PAY_OK;
}


static pay_status_t
adyen_line(const pay_psp_checkout_t *checkout, const pay_psp_line_t *line,
    pay_json_t *lines, pay_err_t *err)
{
    int64_t      amount;
    pay_json_t  *json;

    json = pay_json_object_new();
    PAY_TRY(pay_json_append(lines, json));
    PAY_TRY(pay_adyen_to_theirs(checkout->currency, line->amount_minor, &amount,
                                err));
    PAY_TRY(pay_json_set_string(json, "id", line->payment_order_id));
    PAY_TRY(pay_json_set_string(json, "description",
                                pay_psp_line_name(line)));
    PAY_TRY(pay_json_set_integer(json, "quantity", 1));

    return pay_json_set_integer(json, "amountIncludingTax", amount);
}


static pay_status_t
adyen_register_answer(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    return pay_psp_register_answer(arena, checkout, answer, pay_adyen_error,
                                   adyen_registered, result);
}


static pay_status_t
adyen_registered(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *link, pay_psp_registered_t *result)
{
    pay_str_t       reference;
    pay_psp_echo_t  echo;

    PAY_TRY(adyen_reference(arena, checkout, &reference));

    echo = pay_adyen_echo_amount(link, checkout->currency,
                                 checkout->amount_minor);
    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_psp_echo_needed(link, "reference", reference);
    }

    if (!pay_psp_believed(echo, &result->code)) {
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
    return pay_psp_query_answer(arena, token, answer, pay_adyen_state, event,
                                known);
}

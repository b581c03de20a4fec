/*
 * Adyen payment links, Checkout API v72 (docs/psp/adyen.md): JSON both
 * ways.  The link's id is our token, its url the hosted page; webhooks know
 * the payment by our reference alone, which is the alias.  base_url is all
 * before /v72: https://checkout-test.adyen.com, or for live
 * https://PREFIX-checkout-live.adyenpayments.com/checkout.  `account` is the
 * merchantAccount.
 *
 * The life of a payment here:
 *
 *    POST /paymentLinks ─▶ link "active" ─▶ AUTHORISATION, by webhook ─▶ paid
 *                              │                   or ─▶ held ─▶ /captures
 *                              └─ PATCH status "expired" closes the page
 */

#include "psp/adyen.h"
#include "pay_time.h"


static pay_status_t adyen_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
static pay_status_t adyen_reference(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, pay_str_t *reference);
static pay_status_t adyen_lines(const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
static pay_status_t adyen_line(const pay_psp_checkout_t *checkout,
    const pay_psp_line_t *line, pay_json_t *lines, pay_err_t *err);
static pay_status_t adyen_registered(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *link,
    pay_psp_registered_t *result);


static const pay_psp_wire_t  adyen_wire = {
    .open = pay_adyen_request,
    .key_header = "Idempotency-Key",
    .key_max = 64,
    .registrations = PAY_ADYEN_LINKS,
    .registration = PAY_ADYEN_LINKS "/",
    .body = adyen_body,
    .error = pay_adyen_error,
    .registered = adyen_registered,
    .state = pay_adyen_state,
    .calls = pay_adyen_calls
};

PAY_PSP_SLOTS(adyen)

/* Adyen keeps keys for at least seven days.  A link may live for 70 days; the
 * API gives none of ours more than one.  BY_PAYMENT: captures, cancels and
 * refunds name the pspReference of the payment, which the webhook of the
 * authorisation brings. */
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
    .hold_hours = 168,
    .traits = PAY_PSP_NEEDS_ACCOUNT | PAY_PSP_AUTHORIZES
              | PAY_PSP_BY_PAYMENT | PAY_PSP_REPORTS,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
               | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE),
    .register_request = adyen_register_request,
    .register_answer = adyen_register_answer,
    .query_request = adyen_query_request,
    .query_answer = adyen_query_answer,
    .change_request = adyen_change_request,
    .change_answer = adyen_change_answer,
    .webhook_events = pay_adyen_webhook_events
};


/* `expiresAt` is the stored end of the checkout as RFC 3339 text, so each
 * attempt sends the same bytes.  The amount is the sum of the lines, which
 * pay_psp_checkout_sane() has checked. */
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


/* Our reference comes back in each webhook about the payment, and is signed
 * there, unlike most members of an item (docs/psp/adyen.md#webhooks).  So the
 * capture mode travels in it: the end PAY_ADYEN_HELD says that an
 * authorisation is not yet the money. */
static pay_status_t
adyen_reference(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    pay_str_t *reference)
{
    return pay_format(arena, reference, PAY_PSP_TOKEN_MAX, "%.*s%s",
                      pay_fmt(checkout->merchant_reference),
                      checkout->capture_later ? PAY_ADYEN_HELD : "");
}


/* One line for each order, so that the payment shows at Adyen which orders it
 * pays. */
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


/* The amount of a line is checked like that of the whole: a fraction that
 * Adyen cannot write refuses the checkout, before anything is stored. */
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


/* Amount, currency and reference must be those that were sent; else the answer
 * is of another call, and the registration stays unknown.  The alias is the
 * reference, because webhooks do not name the link. */
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

/*
 * Modifications of an Adyen payment or link (docs/psp/adyen.md#changes).
 * Captures, cancels and refunds are only "received": their outcome comes by
 * webhook, about the pspReference of this answer.  The reference sent here is
 * our id of the change for captures and refunds, the payment's for cancels;
 * Adyen may report the outcome under it, or under that of the payment.
 */

#include "psp/adyen.h"
#include "pay_id.h"


#define ADYEN_PAYMENTS  "/v72/payments/"


static pay_status_t adyen_change_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_json_t *root, pay_err_t *err);
static pay_status_t adyen_change_reference(pay_arena_t *arena,
    const pay_psp_change_t *change, pay_str_t *reference);
static pay_status_t adyen_received(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_psp_echo_t adyen_received_echo(const pay_psp_change_t *change,
    const pay_json_t *json);
static pay_status_t adyen_expired(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);


/* Adyen has keys for POST only. */
const pay_psp_call_t  pay_adyen_calls[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "POST", ADYEN_PAYMENTS, PAY_PSP_ID_PAYMENT,
                          "/captures", ":capture", adyen_change_body,
                          adyen_received },
    [PAY_PSP_CANCEL] = { "POST", ADYEN_PAYMENTS, PAY_PSP_ID_PAYMENT,
                         "/cancels", ":cancel", adyen_change_body,
                         adyen_received },
    [PAY_PSP_REFUND] = { "POST", ADYEN_PAYMENTS, PAY_PSP_ID_PAYMENT,
                         "/refunds", ":refund", adyen_change_body,
                         adyen_received },
    [PAY_PSP_EXPIRE] = { "PATCH", PAY_ADYEN_LINKS "/", PAY_PSP_ID_TOKEN, "",
                         NULL, adyen_change_body, adyen_expired }
};

/* Behind our id in "reference"; NULL: the reference is the payment's. */
static const char *const  adyen_ends[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = PAY_ADYEN_CAPTURE,
    [PAY_PSP_REFUND] = PAY_ADYEN_REFUND
};

/* Adyen's own words; any other reason stays with us. */
static const char *const  adyen_reasons[] = {
    "FRAUD", "CUSTOMER REQUEST", "RETURN", "DUPLICATE", "OTHER", NULL
};


/* A cancellation names no amount: it is of all that is left.  The reason of a
 * refund is sent only if it is one of Adyen's words. */
static pay_status_t
adyen_change_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_json_t *root, pay_err_t *err)
{
    pay_str_t  reference;

    if (change->kind == PAY_PSP_EXPIRE) {
        return pay_json_set_string(root, "status", PAY_STR("expired"));
    }

    PAY_TRY(adyen_change_reference(arena, change, &reference));
    PAY_TRY(pay_json_set_string(root, "merchantAccount", account->account));
    PAY_TRY(pay_json_set_string(root, "reference", reference));

    if (adyen_ends[change->kind] != NULL) {
        PAY_TRY(pay_adyen_set_amount(root, change->currency,
                                     change->amount_minor, err));
    }

    return (change->kind == PAY_PSP_REFUND
            && pay_psp_is_one_of(change->reason, adyen_reasons))
           ? pay_json_set_string(root, "merchantRefundReason", change->reason)
           : PAY_OK;
}


/* Captures and refunds carry our id of the change with an end that says which
 * of the two it is: the webhook about the outcome may come under this
 * reference.  A cancellation ends the whole payment and carries the payment's
 * own. */
static pay_status_t
adyen_change_reference(pay_arena_t *arena, const pay_psp_change_t *change,
    pay_str_t *reference)
{
    const char  *end = adyen_ends[change->kind];

    if (end != NULL) {
        return pay_format(arena, reference, PAY_PSP_TOKEN_MAX, "%.*s%s",
                          pay_fmt(change->key), end);
    }

    *reference = change->alias.len ? change->alias
                                   : change->merchant_reference;

    return pay_id_is_valid(*reference) ? PAY_OK : PAY_BUG;
}


/* "received" is an acceptance and no result, so the outcome is PENDING at
 * best; the webhook brings the rest.  The pspReference of the answer is the id
 * of the modification. */
static pay_status_t
adyen_received(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_str_t     id;
    pay_status_t  status;

    if (!pay_psp_believed(adyen_received_echo(change, json), &result->code)
        || !pay_psp_is(json, "status", "received"))
    {
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, json, "pspReference", &id);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    result->outcome = PAY_PSP_PENDING;
    result->reference = id;
    result->code = PAY_STR("");

    return PAY_OK;
}


/* paymentPspReference must be the payment that was meant, and the amount the
 * one that was sent. */
static pay_psp_echo_t
adyen_received_echo(const pay_psp_change_t *change, const pay_json_t *json)
{
    pay_psp_echo_t  echo;

    echo = pay_psp_echo_needed(json, "paymentPspReference",
                               change->reference);

    if (echo == PAY_PSP_ECHO_RIGHT && adyen_ends[change->kind] != NULL) {
        echo = pay_adyen_echo_amount(json, change->currency,
                                     change->amount_minor);
    }

    return echo;
}


/* The link as it stands; only one that says so has expired. */
static pay_status_t
adyen_expired(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    return pay_psp_expired(arena, change, json, pay_adyen_state, result);
}

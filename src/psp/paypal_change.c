/*
 * Modifications of a PayPal order (docs/psp/paypal.md#changes): the capture
 * that takes the money of an approved order, and refunds of it.  An order is
 * captured as a whole, so its capture names no amount.
 */

#include "psp/paypal.h"
#include "pay_decline.h"


#define PAYPAL_CAPTURES  "/v2/payments/captures/"


static pay_status_t paypal_refund_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_json_t *json, pay_err_t *err);
static void paypal_declined(const pay_psp_change_t *change,
    pay_psp_changed_t *result);
static pay_status_t paypal_captured(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static void paypal_capture_outcome(const pay_psp_change_t *change,
    pay_psp_changed_t *result);
static pay_status_t paypal_refunded(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);


/* A capture that is repeated under the same key tells the first answer for six
 * hours, longer than any order lives; later PayPal says that the order is
 * captured, which is no failure either. */
const pay_psp_call_t  pay_paypal_calls[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "POST", PAY_PAYPAL_ORDERS "/", PAY_PSP_ID_TOKEN,
                          "/capture", ":capture", pay_psp_body_empty,
                          paypal_captured },
    [PAY_PSP_REFUND] = { "POST", PAYPAL_CAPTURES, PAY_PSP_ID_PAYMENT,
                         "/refund", ":refund", paypal_refund_body,
                         paypal_refunded }
};

/* docs/psp/paypal.md#changes; any other word leaves the outcome open. */
static const pay_psp_outcome_row_t  paypal_refunds[] = {
    { "COMPLETED", PAY_PSP_DONE, NULL },
    { "PENDING", PAY_PSP_PENDING, NULL },
    { "FAILED", PAY_PSP_REFUSED, NULL },
    { "CANCELLED", PAY_PSP_REFUSED, NULL },
    { NULL, PAY_PSP_UNKNOWN, NULL }
};


/* custom_id is our id of the refund, by which its events find it; the reason
 * is shown to the buyer. */
static pay_status_t
paypal_refund_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_json_t *json, pay_err_t *err)
{
    pay_json_t  *amount;

    (void) account;

    PAY_TRY(pay_paypal_object_add(json, "amount", &amount));
    PAY_TRY(pay_paypal_money_set(arena, amount, change->currency,
                                 change->amount_minor, err));
    PAY_TRY(pay_json_set_string(json, "custom_id", change->key));

    return (change->reason.len != 0)
           ? pay_json_set_string(json, "note_to_payer", change->reason)
           : PAY_OK;
}


/* A refused capture has an error instead of an order; only then the code can
 * say that an instrument was declined. */
pay_status_t
pay_paypal_changed(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_changed_t *result)
{
    PAY_TRY(pay_psp_change_answer(arena, change, answer, pay_paypal_error,
                                  pay_paypal_calls[change->kind].read,
                                  result));

    if (change->kind == PAY_PSP_CAPTURE && !result->known) {
        paypal_declined(change, result);
    }

    return PAY_OK;
}


/* The buyer's payment method was declined: the buyer may choose another one.
 * It is an attempt and no end: the order stays approved or asks the buyer
 * again.  A code that the table does not have may be anything, and stays a
 * refusal of the call. */
static void
paypal_declined(const pay_psp_change_t *change, pay_psp_changed_t *result)
{
    const pay_decline_t  *decline;

    decline = pay_decline_find("paypal", result->code);

    if (result->outcome != PAY_PSP_REFUSED
        || strcmp(decline->code, "unknown") == 0)
    {
        return;
    }

    memset(&result->event, 0, sizeof(result->event));
    result->known = 1;
    result->event.fact = PAY_FACT_ATTEMPT;
    result->event.type = PAY_STR("capture");
    result->event.token = change->token;
    result->event.code = result->code;
}


/* The order as it stands now.  Still approved, or of a status without a fact:
 * ask again. */
static pay_status_t
paypal_captured(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    PAY_TRY(pay_psp_change_state(arena, change, json, pay_paypal_state,
                                 result));

    result->known &= result->event.fact != PAY_FACT_NONE
                     && result->event.fact != PAY_FACT_ATTEMPT;

    if (result->known) {
        paypal_capture_outcome(change, result);
    }

    return PAY_OK;
}


/* Money of another amount is reported as it is: the event becomes a
 * mismatch. */
static void
paypal_capture_outcome(const pay_psp_change_t *change,
    pay_psp_changed_t *result)
{
    const pay_psp_event_t  *event = &result->event;

    result->reference = event->reference;

    if (event->fact == PAY_FACT_PENDING) {
        result->outcome = PAY_PSP_PENDING;
        result->code = event->code;

    } else if (event->fact != PAY_FACT_PAID) {
        result->outcome = PAY_PSP_REFUSED;
        result->code = event->code.len ? event->code
                                       : pay_str_of(pay_fact_name(event->fact));

    } else if (event->amount_minor != change->amount_minor
               || !pay_str_is(event->currency, change->currency->code))
    {
        result->code = PAY_STR("answer_mismatch");

    } else {
        result->outcome = PAY_PSP_DONE;
        result->code = PAY_STR("");
    }
}


/* Without an echo of the amount the answer counts as right; a differing one is
 * never believed. */
static pay_status_t
paypal_refunded(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_str_t                     id, code;
    pay_status_t                  status;
    pay_psp_echo_t                echo;
    const pay_psp_outcome_row_t  *row = pay_psp_outcome_row(paypal_refunds,
                                                            json);

    echo = pay_paypal_echo_money(pay_json_get(json, "amount"),
                                 change->currency, change->amount_minor);

    if (!pay_psp_believed(echo, &result->code) || row->word == NULL) {
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, json, "id", &id);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    PAY_TRY(pay_psp_word_get(arena, pay_json_get(json, "status_details"),
                             "reason", &code));

    result->outcome = row->outcome;
    result->reference = id;
    result->code = code;

    if (row->outcome == PAY_PSP_REFUSED && code.len == 0) {
        result->code = PAY_STR("refund_failed");
    }

    return PAY_OK;
}

/*
 * Modifications of a Mollie payment: captures and refunds are objects of their
 * own, cancelling and closing the page are one call, DELETE, whose answer is
 * the payment.  Mollie echoes amount and payment; an answer with others is
 * never believed.
 */

#include "psp/mollie.h"


static pay_status_t mollie_change_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_json_t *json, pay_err_t *err);
static pay_status_t mollie_made(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t mollie_deleted(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);


/* Mollie's words for captures and refunds; one that is unknown leaves the
 * outcome open. */
static const pay_psp_outcome_row_t  mollie_captures[] = {
    { "succeeded", PAY_PSP_DONE, "" },
    { "pending", PAY_PSP_PENDING, "" },
    { "failed", PAY_PSP_REFUSED, "capture_failed" },
    { NULL, PAY_PSP_UNKNOWN, "answer_invalid" }
};

static const pay_psp_outcome_row_t  mollie_refunds[] = {
    { "refunded", PAY_PSP_DONE, "" },
    { "queued", PAY_PSP_PENDING, "" },
    { "pending", PAY_PSP_PENDING, "" },
    { "processing", PAY_PSP_PENDING, "" },
    { "failed", PAY_PSP_REFUSED, "refund_failed" },
    { "canceled", PAY_PSP_REFUSED, "refund_canceled" },
    { NULL, PAY_PSP_UNKNOWN, "answer_invalid" }
};

/* A cancellation and an expiry are the same call under two keys; a repeated
 * DELETE does nothing new, so their windows never end (mollie.c). */
const pay_psp_call_t  pay_mollie_calls[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "POST", PAY_MOLLIE_PAYMENTS "/", PAY_PSP_ID_TOKEN,
                          "/captures", ":capture", mollie_change_body,
                          mollie_made },
    [PAY_PSP_CANCEL] = { "DELETE", PAY_MOLLIE_PAYMENTS "/", PAY_PSP_ID_TOKEN,
                         "", ":cancel", NULL, mollie_deleted },
    [PAY_PSP_REFUND] = { "POST", PAY_MOLLIE_PAYMENTS "/", PAY_PSP_ID_TOKEN,
                         "/refunds", ":refund", mollie_change_body,
                         mollie_made },
    [PAY_PSP_EXPIRE] = { "DELETE", PAY_MOLLIE_PAYMENTS "/", PAY_PSP_ID_TOKEN,
                         "", ":expire", NULL, mollie_deleted }
};


/* "operation" in the metadata is our id of the change, which comes back in
 * each event about it (PAY_PSP_NAMES_REFUNDS). */
static pay_status_t
mollie_change_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_json_t *json, pay_err_t *err)
{
    pay_json_t  *metadata;

    (void) account;
    (void) err;

    PAY_TRY(pay_mollie_set_amount(arena, json, "amount", change->currency,
                                  change->amount_minor));
    PAY_TRY(pay_json_set_string(json, "description",
                                change->reason.len
                                ? change->reason
                                : change->merchant_reference));

    metadata = pay_json_object_new();
    PAY_TRY(pay_json_set(json, "metadata", metadata));

    return pay_json_set_string(metadata, "operation", change->key);
}


/* A capture or a refund.  paymentId must be the payment that was meant; the id
 * of the new object becomes the reference of the change. */
static pay_status_t
mollie_made(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_status_t                  status;
    pay_psp_echo_t                echo;
    const pay_psp_outcome_row_t  *row;

    PAY_TRY(pay_mollie_echo_amount(arena, json, change->currency,
                                   change->amount_minor, &echo));

    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_psp_echo_needed(json, "paymentId", change->token);
    }

    if (!pay_psp_believed(echo, &result->code)) {
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, json, "id", &result->reference);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    row = pay_psp_outcome_row(change->kind == PAY_PSP_CAPTURE
                              ? mollie_captures : mollie_refunds, json);
    result->outcome = row->outcome;
    result->code = pay_str_of(row->code);

    return PAY_OK;
}


/* The payment as it stands now.  A hold may be released later: PENDING.  A
 * payment that was paid in the meantime is a refusal with the state in
 * `event`, so that the caller applies the payment instead of losing it. */
static pay_status_t
mollie_deleted(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_psp_event_t  *event = &result->event;

    PAY_TRY(pay_psp_change_state(arena, change, json, pay_mollie_payment,
                                 result));

    if (!result->known) {
        return PAY_OK;
    }

    if (event->fact == PAY_FACT_CANCELLED && change->kind == PAY_PSP_EXPIRE) {
        event->fact = PAY_FACT_EXPIRED;
    }

    result->reference = event->token;
    result->code = PAY_STR("");

    switch (event->fact) {
    case PAY_FACT_CANCELLED:
    case PAY_FACT_EXPIRED:
    case PAY_FACT_DECLINED:
        result->outcome = PAY_PSP_DONE;
        break;
    case PAY_FACT_PAID:
        result->outcome = PAY_PSP_REFUSED;
        result->code = PAY_STR("payment_paid");
        break;
    default:
        result->outcome = PAY_PSP_PENDING;
    }

    return PAY_OK;
}

/*
 * Modifications of a Square payment or link: complete and cancel an approved
 * payment, refund, delete the link.  Completing takes the whole approved
 * amount, Square knows no part of it: another amount than the requested one is
 * never reported as done.
 */

#include "psp/square.h"


/* Bytes; Square's keys of refunds are shorter than those of links
 * (docs/psp/square.md#changes). */
#define SQUARE_REFUND_KEY_MAX  45

static pay_status_t square_body_refund(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_json_t *json, pay_err_t *err);
static pay_status_t square_completed(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t square_cancelled(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t square_refunded(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t square_deleted(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t square_judge(pay_arena_t *arena,
    const pay_psp_outcome_row_t *rows, const pay_json_t *json,
    pay_psp_changed_t *result);


/* Square has no idempotency key where a call can happen only once. */
const pay_psp_call_t  pay_square_calls[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "POST", PAY_SQUARE_PAYMENTS, PAY_PSP_ID_PAYMENT,
                          "/complete", NULL, pay_psp_body_empty,
                          square_completed },
    [PAY_PSP_CANCEL] = { "POST", PAY_SQUARE_PAYMENTS, PAY_PSP_ID_PAYMENT,
                         "/cancel", NULL, NULL, square_cancelled },
    [PAY_PSP_REFUND] = { "POST", PAY_SQUARE_REFUNDS, PAY_PSP_ID_PAYMENT, NULL,
                         NULL, square_body_refund, square_refunded },
    [PAY_PSP_EXPIRE] = { "DELETE", PAY_SQUARE_LINKS "/", PAY_PSP_ID_ALIAS, "",
                         NULL, NULL, square_deleted }
};

/* One table for each call: the same word means different things.  APPROVED
 * after a completion is not done yet, COMPLETED after a cancellation is a
 * refusal. */
static const pay_psp_outcome_row_t  square_captures[] = {
    { "COMPLETED", PAY_PSP_DONE, "" },
    { "APPROVED", PAY_PSP_PENDING, "" },
    { "PENDING", PAY_PSP_PENDING, "" },
    { "CANCELED", PAY_PSP_REFUSED, "payment_canceled" },
    { "FAILED", PAY_PSP_REFUSED, "payment_failed" },
    { NULL, PAY_PSP_UNKNOWN, "answer_invalid" }
};

static const pay_psp_outcome_row_t  square_cancels[] = {
    { "CANCELED", PAY_PSP_DONE, "" },
    { "FAILED", PAY_PSP_DONE, "" },
    { "APPROVED", PAY_PSP_PENDING, "" },
    { "PENDING", PAY_PSP_PENDING, "" },
    { "COMPLETED", PAY_PSP_REFUSED, "payment_completed" },
    { NULL, PAY_PSP_UNKNOWN, "answer_invalid" }
};

static const pay_psp_outcome_row_t  square_refunds[] = {
    { "PENDING", PAY_PSP_PENDING, "" },
    { "COMPLETED", PAY_PSP_DONE, "" },
    { "REJECTED", PAY_PSP_REFUSED, "refund_rejected" },
    { "FAILED", PAY_PSP_REFUSED, "refund_failed" },
    { NULL, PAY_PSP_UNKNOWN, "answer_invalid" }
};


/* The key with its suffix is longer than Square allows, so pay_psp_key() makes
 * it a digest. */
static pay_status_t
square_body_refund(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_json_t *json, pay_err_t *err)
{
    pay_str_t  key;

    (void) account;
    (void) err;

    PAY_TRY(pay_psp_key(arena, change->key, ":refund", SQUARE_REFUND_KEY_MAX,
                        &key));
    PAY_TRY(pay_json_set_string(json, "idempotency_key", key));
    PAY_TRY(pay_json_set_string(json, "payment_id", change->reference));
    PAY_TRY(pay_square_set_money(json, "amount_money", change->currency,
                                 change->amount_minor));

    return change->reason.len
           ? pay_json_set_string(json, "reason", change->reason) : PAY_OK;
}


/* Without an amount in the answer nothing is believed: Square may have
 * completed another sum than the one that was asked for. */
static pay_status_t
square_completed(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_status_t        status;
    pay_psp_event_t     event;
    const pay_json_t   *payment;
    pay_psp_echo_t      echo;

    payment = pay_json_get(json, "payment");

    echo = pay_psp_echo_text(payment, "id", change->reference);
    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_square_echo_money(payment, "amount_money",
                                     change->currency, change->amount_minor);
    }

    if (!pay_psp_believed(echo, &result->code)
        || pay_json_get(payment, "amount_money") == NULL)
    {
        return PAY_OK;
    }

    memset(&event, 0, sizeof(event));
    status = pay_square_payment(arena, payment, &event);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_OK : status;
    }

    PAY_TRY(pay_psp_word_get(arena, payment, "status", &event.type));
    PAY_TRY(square_judge(arena, square_captures, payment, result));

    if (result->outcome == PAY_PSP_DONE
        && pay_str_eq(event.token, change->token))
    {
        result->known = 1;
        result->event = event;
    }

    return PAY_OK;
}


/* The order may live on without this payment: how it stands is asked. */
static pay_status_t
square_cancelled(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    const pay_json_t  *payment;

    payment = pay_json_get(json, "payment");

    if (!pay_psp_believed(pay_psp_echo_text(payment, "id", change->reference),
                          &result->code))
    {
        return PAY_OK;
    }

    return square_judge(arena, square_cancels, payment, result);
}


/* `refund` is an object inside the answer; its id is the reference of the
 * change. */
static pay_status_t
square_refunded(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    const pay_json_t   *refund;
    pay_psp_echo_t      echo;

    refund = pay_json_get(json, "refund");

    echo = pay_psp_echo_text(refund, "payment_id", change->reference);
    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_square_echo_money(refund, "amount_money", change->currency,
                                     change->amount_minor);
    }

    if (!pay_psp_believed(echo, &result->code)) {
        return PAY_OK;
    }

    return square_judge(arena, square_refunds, refund, result);
}


/* A link was deleted although its order could still be paid: seen in the
 * field when a payment had failed before.  Only a cancelled order has ended. */
static pay_status_t
square_deleted(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_psp_echo_t  echo;

    echo = pay_psp_echo_text(json, "id", change->alias);
    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_psp_echo_text(json, "cancelled_order_id",
                                 change->token);
    }

    if (!pay_psp_believed(echo, &result->code)) {
        return PAY_OK;
    }

    if (pay_json_type(pay_json_get(json, "cancelled_order_id"))
        != PAY_JSON_STRING)
    {
        result->code = PAY_STR("order_not_cancelled");
        return PAY_OK;
    }

    result->outcome = PAY_PSP_DONE;
    result->code = PAY_STR("");
    result->known = 1;
    result->event.fact = PAY_FACT_EXPIRED;
    result->event.type = PAY_STR("payment_link.deleted");

    return pay_dup(arena, change->token, &result->event.token);
}


/* An object without an id of its own is no answer. */
static pay_status_t
square_judge(pay_arena_t *arena, const pay_psp_outcome_row_t *rows,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_status_t                  status;
    const pay_psp_outcome_row_t  *row = pay_psp_outcome_row(rows, json);

    status = pay_psp_token_get(arena, json, "id", &result->reference);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    result->outcome = row->outcome;
    result->code = pay_str_of(row->code);

    return PAY_OK;
}

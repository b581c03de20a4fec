/*
 * Modifications of a Square payment or link: complete and cancel an approved
 * payment, refund, delete the link.  Completing takes the whole approved
 * amount, Square knows no part of it: another amount than the requested one is
 * never reported as done.
 */

#include "psp/square.h"


#define SQUARE_REFUND_KEY_MAX  45

typedef struct {
    const char  *method;
    const char  *path;
    const char  *tail;         /* behind the id; NULL: the path takes no id */
    pay_status_t  (*body)(pay_arena_t *arena, const pay_psp_change_t *change,
        pay_json_t *json, pay_err_t *err);     /* NULL: none */
    pay_status_t  (*read)(pay_arena_t *arena, const pay_psp_change_t *change,
        const pay_json_t *json, pay_psp_changed_t *result);
} square_change_t;


static pay_str_t square_change_id(const pay_psp_change_t *change);
static pay_status_t square_body_complete(pay_arena_t *arena,
    const pay_psp_change_t *change, pay_json_t *json, pay_err_t *err);
static pay_status_t square_body_refund(pay_arena_t *arena,
    const pay_psp_change_t *change, pay_json_t *json, pay_err_t *err);
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


static const square_change_t  square_changes[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "POST", PAY_SQUARE_PAYMENTS, "/complete",
                          square_body_complete, square_completed },
    [PAY_PSP_CANCEL] = { "POST", PAY_SQUARE_PAYMENTS, "/cancel", NULL,
                         square_cancelled },
    [PAY_PSP_REFUND] = { "POST", PAY_SQUARE_REFUNDS, NULL,
                         square_body_refund, square_refunded },
    [PAY_PSP_EXPIRE] = { "DELETE", PAY_SQUARE_LINKS "/", "", NULL,
                         square_deleted }
};

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


pay_status_t
pay_square_change_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request, pay_err_t *err)
{
    pay_str_t               last;
    pay_json_t             *json;
    pay_status_t            status;
    pay_http_request_t      made;
    const square_change_t  *row;

    if (!pay_psp_change_sane(change)
        || !pay_psp_token_is_valid(square_change_id(change)))
    {
        return PAY_BUG;
    }

    row = &square_changes[change->kind];
    last = PAY_STR("");

    if (row->tail != NULL) {
        PAY_TRY(pay_format(arena, &last, PAY_PSP_URL_MAX, "%.*s%s",
                           pay_fmt(square_change_id(change)), row->tail));
    }

    PAY_TRY(pay_square_request(arena, account, row->method, row->path, last,
                               &made));

    if (row->body == NULL) {
        pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));
        *request = made;
        return PAY_OK;
    }

    json = pay_json_object_new();
    status = (json == NULL) ? PAY_NO_MEMORY
                            : row->body(arena, change, json, err);
    PAY_TRY(pay_psp_json_done(arena, status, json, &made));

    *request = made;

    return PAY_OK;
}


pay_status_t
pay_square_change_answer(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_changed_t *result)
{
    return pay_psp_change_answer(arena, change, answer, pay_square_error,
                                 square_changes[change->kind].read, result);
}


static pay_str_t
square_change_id(const pay_psp_change_t *change)
{
    return (change->kind == PAY_PSP_EXPIRE) ? change->alias
                                            : change->reference;
}


/* Square has no idempotency key here: a payment is completed once. */
static pay_status_t
square_body_complete(pay_arena_t *arena, const pay_psp_change_t *change,
    pay_json_t *json, pay_err_t *err)
{
    (void) arena;
    (void) change;
    (void) json;
    (void) err;

    return PAY_OK;
}


static pay_status_t
square_body_refund(pay_arena_t *arena, const pay_psp_change_t *change,
    pay_json_t *json, pay_err_t *err)
{
    pay_str_t  key;

    PAY_TRY(pay_psp_key(arena, change->key, ":refund", SQUARE_REFUND_KEY_MAX,
                        &key));
    PAY_TRY(pay_json_set_string(json, "idempotency_key", key));
    PAY_TRY(pay_json_set_string(json, "payment_id", change->reference));
    PAY_TRY(pay_square_set_money(json, "amount_money", change->currency,
                                 change->amount_minor, err));

    return change->reason.len
           ? pay_json_set_string(json, "reason", change->reason) : PAY_OK;
}


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

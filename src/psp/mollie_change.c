/*
 * Modifications of a Mollie payment: captures and refunds are objects of their
 * own, cancelling and closing the page are one call, DELETE, whose answer is
 * the payment.  Mollie echoes amount and payment; an answer with others is
 * never believed.
 */

#include "psp/mollie.h"


#define MOLLIE_KEY_MAX  64

typedef struct {
    const char                   *method;
    const char                   *tail;    /* behind the payment's id */
    const char                   *suffix;  /* of the idempotency key; no id
                                              of ours has a ':' */
    const pay_psp_outcome_row_t  *outcomes;    /* NULL: answers a payment */
    pay_fact_t                    fact;    /* the meaning of "canceled" here */
} mollie_change_t;


static pay_status_t mollie_body(pay_arena_t *arena,
    const pay_psp_change_t *change, pay_json_t *json, pay_err_t *err);
static pay_status_t mollie_made(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t mollie_deleted(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);


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

static const mollie_change_t  mollie_changes[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "POST", "/captures", ":capture", mollie_captures,
                          PAY_FACT_NONE },
    [PAY_PSP_CANCEL] = { "DELETE", "", ":cancel", NULL, PAY_FACT_CANCELLED },
    [PAY_PSP_REFUND] = { "POST", "/refunds", ":refund", mollie_refunds,
                         PAY_FACT_NONE },
    [PAY_PSP_EXPIRE] = { "DELETE", "", ":expire", NULL, PAY_FACT_EXPIRED }
};


pay_status_t
pay_mollie_change_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request, pay_err_t *err)
{
    pay_str_t               last, key;
    pay_json_t             *json;
    pay_status_t            status;
    pay_http_request_t      made;
    const mollie_change_t  *row;

    if (!pay_psp_change_sane(change) || !pay_psp_token_is_valid(change->token))
    {
        return PAY_BUG;
    }

    row = &mollie_changes[change->kind];

    PAY_TRY(pay_format(arena, &last, PAY_PSP_URL_MAX, "%.*s%s",
                       pay_fmt(change->token), row->tail));
    PAY_TRY(pay_psp_key(arena, change->key, row->suffix, MOLLIE_KEY_MAX,
                        &key));
    PAY_TRY(pay_psp_request_init(arena, account, row->method,
                                 PAY_MOLLIE_PAYMENTS "/", last, &made));
    pay_psp_field_add(&made, "Idempotency-Key", key);

    if (row->outcomes == NULL) {
        pay_mollie_accept(&made);
        *request = made;
        return PAY_OK;
    }

    json = pay_json_object_new();
    status = (json == NULL) ? PAY_NO_MEMORY
                            : mollie_body(arena, change, json, err);
    PAY_TRY(pay_psp_json_done(arena, status, json, &made));
    pay_mollie_accept(&made);

    *request = made;

    return PAY_OK;
}


pay_status_t
pay_mollie_change_answer(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_changed_t *result)
{
    return pay_psp_change_answer(arena, change, answer, pay_mollie_error,
                                 (mollie_changes[change->kind].outcomes
                                  != NULL)
                                 ? mollie_made : mollie_deleted, result);
}


static pay_status_t
mollie_body(pay_arena_t *arena, const pay_psp_change_t *change,
    pay_json_t *json, pay_err_t *err)
{
    pay_json_t  *metadata;

    PAY_TRY(pay_mollie_set_amount(arena, json, "amount", change->currency,
                                  change->amount_minor, err));
    PAY_TRY(pay_json_set_string(json, "description",
                                change->reason.len
                                ? change->reason
                                : change->merchant_reference));

    metadata = pay_json_object_new();
    PAY_TRY(pay_json_set(json, "metadata", metadata));

    return pay_json_set_string(metadata, "operation", change->key);
}


/* A capture or a refund. */
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

    row = pay_psp_outcome_row(mollie_changes[change->kind].outcomes, json);
    result->outcome = row->outcome;
    result->code = pay_str_of(row->code);

    return PAY_OK;
}


/* The payment as it stands now.  A hold may be released later: PENDING. */
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

    if (event->fact == PAY_FACT_CANCELLED) {
        event->fact = mollie_changes[change->kind].fact;
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

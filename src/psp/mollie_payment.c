/*
 * How a Mollie payment stands, as the answer to a query or a cancellation
 * tells it, and the comparisons that the adapter's files share.
 */

#include "psp/mollie.h"


typedef struct {
    const char  *name;
    pay_fact_t   fact;
} mollie_status_t;


static pay_status_t mollie_amount_in(pay_arena_t *arena,
    const pay_json_t *payment, pay_psp_event_t *event);
static pay_status_t mollie_held(const pay_json_t *payment,
    pay_psp_event_t *event);
static int mollie_amount(const pay_json_t *json, int64_t *minor,
    pay_str_t *code);


/* Authorised money is not ours until it is captured; by us only when we asked
 * for that. */
static const mollie_status_t  mollie_statuses[] = {
    { "open", PAY_FACT_NONE },
    { "pending", PAY_FACT_PENDING },
    { "authorized", PAY_FACT_PENDING },
    { "paid", PAY_FACT_PAID },
    { "canceled", PAY_FACT_CANCELLED },
    { "expired", PAY_FACT_EXPIRED },
    { "failed", PAY_FACT_DECLINED },
    { NULL, PAY_FACT_NONE }
};


pay_status_t
pay_mollie_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known)
{
    pay_json_t       *payment;
    pay_status_t      status;
    pay_psp_event_t   made;

    PAY_TRY(pay_psp_query_open(answer, &payment));

    if (payment == NULL) {
        *known = 0;
        return PAY_OK;
    }

    memset(&made, 0, sizeof(made));
    status = pay_mollie_payment(arena, payment, &made);
    pay_json_free(payment);

    return pay_psp_query_done(status, token, &made, event, known);
}


pay_status_t
pay_mollie_payment(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_event_t *event)
{
    pay_status_t            status;
    const pay_json_t       *details;
    const mollie_status_t  *row;

    status = pay_psp_token_get(arena, payment, "id", &event->token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    for (row = mollie_statuses; row->name != NULL; row++) {
        if (pay_mollie_is(payment, "status", row->name)) {
            break;
        }
    }

    if (row->name == NULL) {
        return PAY_INVALID;
    }

    event->type = pay_str_of(row->name);
    event->fact = row->fact;

    if (row->fact == PAY_FACT_PAID || row->fact == PAY_FACT_PENDING) {
        event->reference = event->token;
    }

    details = pay_json_get(payment, "details");
    PAY_TRY(pay_psp_word_get(arena, details, "failureReason", &event->code));
    PAY_TRY(mollie_amount_in(arena, payment, event));

    return mollie_held(payment, event);
}


/* Mollie captures once: what was not taken then is released. */
static pay_status_t
mollie_held(const pay_json_t *payment, pay_psp_event_t *event)
{
    int64_t    amount;
    pay_str_t  code;

    if (pay_mollie_is(payment, "captureMode", "manual")) {

        if (pay_mollie_is(payment, "status", "authorized")) {
            event->fact = PAY_FACT_AUTHORIZED;

        } else if (event->fact == PAY_FACT_PAID && event->has_amount
                   && mollie_amount(pay_json_get(payment, "amount"), &amount,
                                    &code)
                   && event->amount_minor != amount)
        {
            pay_psp_about(event, PAY_ABOUT_CAPTURE, PAY_NEWS_ENDED);
        }
    }

    return ((event->fact == PAY_FACT_PAID
             || event->fact == PAY_FACT_AUTHORIZED) && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


pay_status_t
pay_mollie_amount_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    pay_str_t  code;

    if (!mollie_amount(pay_json_get(json, "amount"), &event->amount_minor,
                       &code))
    {
        return PAY_INVALID;
    }

    event->has_amount = 1;

    return pay_dup(arena, code, &event->currency);
}


pay_mollie_echo_t
pay_mollie_echo_text(const pay_json_t *value, pay_str_t expected)
{
    pay_str_t  text;

    if (pay_json_string(value, &text) != PAY_OK) {
        return PAY_MOLLIE_INVALID;
    }

    return pay_str_eq(text, expected) ? PAY_MOLLIE_RIGHT : PAY_MOLLIE_WRONG;
}


int
pay_mollie_is(const pay_json_t *json, const char *member, const char *text)
{
    return pay_mollie_echo_text(pay_json_get(json, member), pay_str_of(text))
           == PAY_MOLLIE_RIGHT;
}


/* Of a paid payment what was captured counts: the rest of an authorisation
 * may have been released.  What no order of ours can have is told as 0 and
 * lands in the mismatch queue. */
static pay_status_t
mollie_amount_in(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_event_t *event)
{
    int64_t    minor, captured;
    pay_str_t  code, other;

    if (!mollie_amount(pay_json_get(payment, "amount"), &minor, &code)) {
        return PAY_OK;
    }

    if (event->fact == PAY_FACT_PAID
        && mollie_amount(pay_json_get(payment, "amountCaptured"), &captured,
                         &other)
        && captured > 0)
    {
        minor = pay_str_eq(code, other) ? captured : 0;
    }

    event->has_amount = 1;
    event->amount_minor = minor;

    return pay_dup(arena, code, &event->currency);
}


/* 1 when it is an amount; *minor is 0 when it has no exact meaning. */
static int
mollie_amount(const pay_json_t *json, int64_t *minor, pay_str_t *code)
{
    size_t                 i;
    pay_str_t              value;
    const pay_currency_t  *currency;

    if (pay_json_string(pay_json_get(json, "value"), &value) != PAY_OK
        || pay_json_string(pay_json_get(json, "currency"), code) != PAY_OK
        || code->len != 3)
    {
        return 0;
    }

    for (i = 0; i < code->len; i++) {
        if (code->data[i] < 'A' || code->data[i] > 'Z') {
            return 0;
        }
    }

    if (pay_currency_find(*code, &currency, NULL) != PAY_OK
        || pay_amount_parse(value, currency, minor, NULL) != PAY_OK)
    {
        *minor = 0;
    }

    return 1;
}

/*
 * The base of the Mollie adapter's other files: amounts as exact decimal text,
 * errors, and the state of a payment, as the answer to a query or a
 * cancellation shows it.
 */

#include "psp/mollie.h"


static pay_status_t mollie_card(pay_arena_t *arena,
    const pay_json_t *payment, pay_psp_card_t *said);
static pay_status_t mollie_held(const pay_json_t *payment,
    pay_psp_event_t *event);
static pay_status_t mollie_amount_in(pay_arena_t *arena,
    const pay_json_t *payment, pay_psp_event_t *event);
static int mollie_amount(const pay_json_t *json, int64_t *minor,
    pay_str_t *code);


/* Authorised money is not ours until it is captured; by us only when we asked
 * for that. */
static const pay_psp_fact_row_t  mollie_statuses[] = {
    { "open", PAY_FACT_NONE, 0 },
    { "pending", PAY_FACT_PENDING, 0 },
    { "authorized", PAY_FACT_PENDING, 0 },
    { "paid", PAY_FACT_PAID, 0 },
    { "canceled", PAY_FACT_CANCELLED, 0 },
    { "expired", PAY_FACT_EXPIRED, 0 },
    { "failed", PAY_FACT_DECLINED, 0 },
    { NULL, PAY_FACT_NONE, 0 }
};


/* Mollie wants exactly the currency's decimals (docs/psp/mollie.md#amounts),
 * which pay_amount_format() writes. */
pay_status_t
pay_mollie_set_amount(pay_arena_t *arena, pay_json_t *parent,
    const char *member, const pay_currency_t *currency, int64_t minor)
{
    pay_str_t    value, code = pay_str_of(currency->code);
    pay_json_t  *amount;

    PAY_TRY(pay_amount_format(arena, minor, currency, &value));

    amount = pay_json_object_new();
    PAY_TRY(pay_json_set(parent, member, amount));
    PAY_TRY(pay_json_set_string(amount, "currency", code));

    return pay_json_set_string(amount, "value", value);
}


/* A payment has a status, too, but as a word.  An error has both, the status
 * as a number and a title; without them the answer is not Mollie's voice. */
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


/* Texts are compared, since Mollie writes amounts in one way only. */
pay_status_t
pay_mollie_echo_amount(pay_arena_t *arena, const pay_json_t *json,
    const pay_currency_t *currency, int64_t minor, pay_psp_echo_t *echo)
{
    pay_str_t          value;
    const pay_json_t  *amount;

    PAY_TRY(pay_amount_format(arena, minor, currency, &value));

    amount = pay_json_get(json, "amount");
    *echo = pay_psp_echo_needed(amount, "value", value);

    if (*echo == PAY_PSP_ECHO_RIGHT) {
        *echo = pay_psp_echo_needed(amount, "currency",
                                    pay_str_of(currency->code));
    }

    return PAY_OK;
}


/* The payment's id is its reference from the moment at which money may be
 * under way; captures and refunds name it. */
pay_status_t
pay_mollie_payment(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_event_t *event)
{
    const pay_psp_fact_row_t  *row = pay_psp_fact_row(mollie_statuses,
                                                      payment);

    PAY_TRY(pay_psp_token_need(arena, payment, "id", &event->token));

    if (row->word == NULL) {
        return PAY_INVALID;
    }

    event->type = pay_str_of(row->word);
    event->fact = row->fact;

    if (row->fact == PAY_FACT_PAID || row->fact == PAY_FACT_PENDING) {
        event->reference = event->token;
    }

    PAY_TRY(pay_psp_word_get(arena, pay_json_get(payment, "details"),
                             "failureReason", &event->code));
    PAY_TRY(mollie_card(arena, payment, &event->card));
    PAY_TRY(mollie_amount_in(arena, payment, event));

    return mollie_held(payment, event);
}


/* The details of other methods have none of these members. */
static pay_status_t
mollie_card(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_card_t *said)
{
    const pay_json_t  *details = pay_json_get(payment, "details");

    PAY_TRY(pay_psp_token_may(arena, payment, "id", &said->attempt));
    PAY_TRY(pay_psp_card_name(arena, details, "cardFingerprint",
                              &said->card));
    pay_psp_card_word(pay_psp_fundings, details, "cardFunding",
                      &said->funding);

    return pay_psp_card_country(arena, details, "cardCountryCode",
                                &said->country);
}


/* Mollie captures once: what was not taken then is released.  So PAID with
 * less than the whole amount is the end of a capture, not the payment of the
 * order. */
static pay_status_t
mollie_held(const pay_json_t *payment, pay_psp_event_t *event)
{
    int64_t    amount;
    pay_str_t  code;

    if (pay_psp_is(payment, "captureMode", "manual")) {

        if (pay_psp_is(payment, "status", "authorized")) {
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


/* Refunds, chargebacks and captures must have an amount, unlike a payment's
 * event, which is only a hint. */
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


/* The captured amount of a paid payment counts: the rest of an authorisation
 * may have been released.  An amount that no order of ours can have is reported
 * as 0 and lands in the mismatch queue. */
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
    pay_str_t              value;
    const pay_currency_t  *currency;

    if (pay_json_string(pay_json_get(json, "value"), &value) != PAY_OK
        || pay_json_string(pay_json_get(json, "currency"), code) != PAY_OK
        || !pay_psp_is_currency(*code))
    {
        return 0;
    }

    if (pay_currency_find(*code, &currency, NULL) != PAY_OK
        || pay_amount_parse(value, currency, minor, NULL) != PAY_OK)
    {
        *minor = 0;
    }

    return 1;
}

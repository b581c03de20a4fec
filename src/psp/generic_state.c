/*
 * The base of the generic adapter's other files: amounts, errors, and the state
 * of a registration.
 */

#include "psp/generic.h"


#define GENERIC_REUSED  "nonce_reused"

/* A word for a status of a registration.  must_capture: the buyer has agreed
 * and the PSP waits for our capture. */
typedef struct {
    const char  *name;
    pay_fact_t   fact;
    int          must_capture; /* the buyer agreed, the money waits */
} generic_status_t;


static const generic_status_t  generic_statuses[] = {
    { "open", PAY_FACT_NONE, 0 },
    { "pending", PAY_FACT_PENDING, 0 },
    { "approved", PAY_FACT_NONE, 1 },
    { "authorized", PAY_FACT_AUTHORIZED, 0 },
    { "paid", PAY_FACT_PAID, 0 },
    { "declined", PAY_FACT_DECLINED, 0 },
    { "expired", PAY_FACT_EXPIRED, 0 },
    { "cancelled", PAY_FACT_CANCELLED, 0 },
    { NULL, PAY_FACT_NONE, 0 }
};


pay_status_t
pay_generic_set_amount(pay_arena_t *arena, pay_json_t *json, int64_t minor,
    const pay_currency_t *currency)
{
    pay_str_t  amount;

    PAY_TRY(pay_amount_format(arena, minor, currency, &amount));

    return pay_json_set_string(json, "amount", amount);
}


pay_status_t
pay_generic_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    return pay_psp_error_object(arena, root, GENERIC_REUSED, error);
}


/* The rule about the status is noted before it is read and taken back when it
 * holds, so that each early return has its reason. */
pay_status_t
pay_generic_state(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    pay_str_t    name;
    const char  *word;

    pay_psp_unread(&event->unread, "status", PAY_GENERIC_RULE_STATUS);

    if (!pay_generic_string(json, "status", &name)) {
        return PAY_INVALID;
    }

    word = pay_generic_status(name, event);
    if (word == NULL) {
        return PAY_INVALID;
    }

    pay_psp_unread(&event->unread, NULL, NULL);

    event->type = pay_str_of(word);
    PAY_TRY(pay_generic_facts(arena, json, event));

    return (event->fact == PAY_FACT_PAID || event->fact == PAY_FACT_AUTHORIZED)
           ? pay_generic_captured_in(arena, json, event) : PAY_OK;
}


/* Returns our own spelling, which outlives the answer; NULL: the word is not
 * known, and *event is as it was. */
const char *
pay_generic_status(pay_str_t name, pay_psp_event_t *event)
{
    const generic_status_t  *row;

    for (row = generic_statuses; row->name != NULL; row++) {
        if (pay_str_is(name, row->name)) {
            event->fact = row->fact;
            event->must_capture = row->must_capture;
            break;
        }
    }

    return row->name;
}


/* PAY_INVALID without a token, or when there is money without an amount. */
pay_status_t
pay_generic_facts(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, json, "token", &event->token);
    if (status == PAY_NOT_FOUND || status == PAY_INVALID) {
        pay_psp_unread(&event->unread, "token", PAY_PSP_RULE_TOKEN);
        return PAY_INVALID;
    }

    PAY_TRY(status);

    PAY_TRY(pay_psp_token_may(arena, json, "payment_id", &event->reference));
    PAY_TRY(pay_psp_word_get(arena, json, "code", &event->code));
    PAY_TRY(pay_psp_word_get(arena, json, "decline_code", &event->decline));
    PAY_TRY(pay_generic_amount_in(arena, json, "amount", event));

    if ((event->fact != PAY_FACT_PAID && event->fact != PAY_FACT_AUTHORIZED)
        || event->has_amount)
    {
        return PAY_OK;
    }

    pay_psp_unread(&event->unread, "amount", PAY_GENERIC_RULE_AMOUNT);

    return PAY_INVALID;
}


/* An amount that no order of ours can have is reported as 0, which no order
 * has: it lands in the mismatch queue. */
pay_status_t
pay_generic_amount_in(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_psp_event_t *event)
{
    int64_t                minor;
    pay_str_t              amount, code;
    const pay_currency_t  *currency;

    if (!pay_generic_string(json, member, &amount)
        || !pay_generic_string(json, "currency", &code))
    {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_amount_open(arena, code, event, &currency));

    if (currency != NULL
        && pay_amount_parse(amount, currency, &minor, NULL) == PAY_OK)
    {
        event->amount_minor = minor;
    }

    return PAY_OK;
}


/* "captured" beside "paid" with the same amount adds nothing.  Where they
 * differ the payment was captured in part, and the event is about captures;
 * ENDED when the PSP calls the payment paid, since nothing follows then. */
pay_status_t
pay_generic_captured_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    pay_psp_event_t  captured;

    memset(&captured, 0, sizeof(captured));
    PAY_TRY(pay_generic_amount_in(arena, json, "captured", &captured));

    if (captured.has_amount
        && !(event->fact == PAY_FACT_PAID
             && event->amount_minor == captured.amount_minor))
    {
        event->has_amount = 1;
        event->amount_minor = captured.amount_minor;
        event->currency = captured.currency;
        pay_psp_about(event, PAY_ABOUT_CAPTURE, event->fact == PAY_FACT_PAID
                      ? PAY_NEWS_ENDED : PAY_NEWS_SUCCEEDED);
    }

    return PAY_OK;
}


int
pay_generic_string(const pay_json_t *json, const char *member, pay_str_t *text)
{
    return pay_json_string(pay_json_get(json, member), text) == PAY_OK;
}

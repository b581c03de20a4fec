/*
 * Declined attempts to pay at Stripe: of one attempt the charge tells and the
 * payment, which carry our reference in their metadata (a charge has them from
 * its payment).  The session stays open, so that they move nothing.
 */

#include "psp/stripe.h"


static pay_status_t stripe_attempt(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_event_t *event);
static pay_status_t stripe_attempt_id(pay_arena_t *arena,
    const pay_json_t *json, const char *member, pay_str_t *id);
static pay_status_t stripe_first_word(pay_arena_t *arena,
    const pay_json_t *one, const char *member, const pay_json_t *other,
    const char *or_member, pay_str_t *word);


pay_status_t
pay_stripe_intent_failed(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t   *event = &told->events[0];
    const pay_json_t  *why = pay_json_get(object, "last_payment_error");

    /* of held money this event tells that a capture has failed */
    if (!pay_stripe_is(object, "status", "requires_payment_method")) {
        return PAY_OK;
    }

    PAY_TRY(stripe_attempt(arena, object, event));
    PAY_TRY(stripe_attempt_id(arena, why, "charge", &event->object));

    if (event->object.len == 0) {
        PAY_TRY(stripe_attempt_id(arena, object, "latest_charge",
                                  &event->object));
    }

    return stripe_first_word(arena, why, "decline_code", why, "code",
                             &event->code);
}


pay_status_t
pay_stripe_charge_failed(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t  *event = &told->events[0];

    PAY_TRY(stripe_attempt(arena, object, event));
    PAY_TRY(stripe_attempt_id(arena, object, "id", &event->object));

    return stripe_first_word(arena, pay_json_get(object, "outcome"), "reason",
                             object, "failure_code", &event->code);
}


/* One without our reference is of somebody else's making. */
static pay_status_t
stripe_attempt(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_event_t *event)
{
    PAY_TRY(stripe_attempt_id(arena, pay_json_get(object, "metadata"),
                              "payment_reference", &event->token));

    if (event->token.len != 0) {
        event->fact = PAY_FACT_ATTEMPT;
    }

    return PAY_OK;
}


/* Empty when there is none. */
static pay_status_t
stripe_attempt_id(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *id)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, json, member, id);

    return (status == PAY_NOT_FOUND) ? PAY_OK : status;
}


static pay_status_t
stripe_first_word(pay_arena_t *arena, const pay_json_t *one,
    const char *member, const pay_json_t *other, const char *or_member,
    pay_str_t *word)
{
    PAY_TRY(pay_psp_word_get(arena, one, member, word));

    return (word->len == 0)
           ? pay_psp_word_get(arena, other, or_member, word) : PAY_OK;
}

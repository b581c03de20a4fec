/*
 * What Stripe tells (docs/psp/stripe.md): the state of a session, from a query
 * or an answer, and events.  Money is believed from payment_status alone,
 * unless it is captured by us: then the payment itself says what was taken
 * (stripe_money.c, like refunds and disputes).
 */

#include "psp/stripe.h"


typedef pay_status_t (*stripe_read_pt)(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);

typedef struct {
    const char      *type;
    stripe_read_pt   read;     /* of another object than a session */
    pay_fact_t       fact;     /* NONE: payment_status decides */
} stripe_type_t;


static pay_fact_t stripe_state_fact(const pay_json_t *session);
static int stripe_is_held(const pay_json_t *session);
static pay_status_t stripe_held_state(pay_arena_t *arena,
    const pay_json_t *session, pay_psp_event_t *event);
static pay_status_t stripe_event_id(pay_arena_t *arena,
    const pay_json_t *root, pay_psp_event_t *event, pay_err_t *err);
static pay_status_t stripe_session_event(pay_arena_t *arena,
    const stripe_type_t *type, const pay_json_t *session,
    pay_psp_event_t *event);
static pay_fact_t stripe_paid_fact(const pay_json_t *session);
static pay_status_t stripe_session(pay_arena_t *arena,
    const pay_json_t *session, pay_psp_event_t *event);


static const stripe_type_t  stripe_types[] = {
    { "checkout.session.completed", NULL, PAY_FACT_NONE },
    { "checkout.session.async_payment_succeeded", NULL, PAY_FACT_PAID },
    { "checkout.session.async_payment_failed", NULL, PAY_FACT_DECLINED },
    { "checkout.session.expired", NULL, PAY_FACT_EXPIRED },
    { "payment_intent.amount_capturable_updated", pay_stripe_intent,
      PAY_FACT_NONE },
    { "payment_intent.succeeded", pay_stripe_intent, PAY_FACT_NONE },
    { "payment_intent.canceled", pay_stripe_intent, PAY_FACT_NONE },
    { "payment_intent.payment_failed", pay_stripe_intent_failed,
      PAY_FACT_NONE },
    { "charge.failed", pay_stripe_charge_failed, PAY_FACT_NONE },
    { "refund.created", pay_stripe_refund, PAY_FACT_NONE },
    { "refund.updated", pay_stripe_refund, PAY_FACT_NONE },
    { "refund.failed", pay_stripe_refund, PAY_FACT_NONE },
    { "charge.dispute.created", pay_stripe_dispute, PAY_FACT_NONE },
    { "charge.dispute.funds_withdrawn", pay_stripe_dispute, PAY_FACT_NONE },
    { "charge.dispute.funds_reinstated", pay_stripe_dispute, PAY_FACT_NONE },
    { "charge.dispute.closed", pay_stripe_dispute, PAY_FACT_NONE },
    { NULL, NULL, PAY_FACT_NONE }
};


pay_status_t
pay_stripe_state(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event)
{
    int  held = stripe_is_held(session);

    memset(event, 0, sizeof(*event));
    event->fact = held ? PAY_FACT_NONE : stripe_state_fact(session);

    PAY_TRY(stripe_session(arena, session, event));

    if (held) {
        PAY_TRY(stripe_held_state(arena, session, event));
    }

    return pay_psp_word_get(arena, session, "status", &event->type);
}


/* Money that came in counts, whatever else the session says. */
static pay_fact_t
stripe_state_fact(const pay_json_t *session)
{
    if (pay_stripe_is(session, "payment_status", "paid")) {
        return PAY_FACT_PAID;
    }

    if (pay_stripe_is(session, "status", "complete")) {
        return stripe_paid_fact(session);
    }

    if (pay_stripe_is(session, "status", "expired")) {
        return PAY_FACT_EXPIRED;
    }

    return PAY_FACT_NONE;
}


/* 1 for a session that we asked to hold the money. */
static int
stripe_is_held(const pay_json_t *session)
{
    return pay_stripe_is(pay_json_get(session, "metadata"), "capture",
                         "manual")
           || pay_stripe_is(pay_json_get(session, "payment_intent"),
                            "capture_method", "manual");
}


/* "paid" would be said of a part, too.  Without the payment, as in an answer
 * to an expiry, only the end of the page is known. */
static pay_status_t
stripe_held_state(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event)
{
    const pay_json_t  *intent = pay_json_get(session, "payment_intent");

    if (pay_stripe_is(session, "status", "expired")) {
        event->fact = PAY_FACT_EXPIRED;
    }

    return (pay_json_type(intent) == PAY_JSON_OBJECT)
           ? pay_stripe_held(arena, intent, event) : PAY_OK;
}


const char *
pay_stripe_event_type(unsigned number)
{
    return stripe_types[number].type;
}


pay_status_t
pay_stripe_webhook_events(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    (void) event_id;           /* Stripe's headers carry none */

    return pay_psp_webhook(arena, account, body, pay_stripe_event, events,
                           count, err);
}


pay_status_t
pay_stripe_event(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
{
    pay_status_t          status;
    pay_psp_event_t      *event = pay_psp_told_add(told);
    const pay_json_t     *object;
    const stripe_type_t  *type;

    (void) account;

    PAY_TRY(stripe_event_id(arena, root, event, err));

    if (pay_stripe_is(root, "object", "v2.core.event")) {
        return PAY_OK;
    }

    if (!pay_stripe_is(root, "object", "event")) {
        return pay_refuse(err, "validation-error", "not an event object");
    }

    for (type = stripe_types; type->type != NULL; type++) {
        if (pay_stripe_is(root, "type", type->type)) {
            break;
        }
    }

    if (type->type == NULL) {
        return PAY_OK;
    }

    object = pay_json_path(root, "data", "object", NULL);
    status = type->read ? type->read(arena, object, told)
                        : stripe_session_event(arena, type, object, event);

    return (status == PAY_INVALID)
           ? pay_refuse(err, "validation-error",
                        "an object has an id; where money moved, an amount")
           : status;
}


static pay_status_t
stripe_event_id(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_event_t *event, pay_err_t *err)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, root, "id", &event->event_id);
    if (status == PAY_OK) {
        status = pay_psp_word_get(arena, root, "type", &event->type);
    }

    if (status == PAY_NO_MEMORY) {
        return status;
    }

    return (status != PAY_OK || event->type.len == 0)
           ? pay_refuse(err, "validation-error", "an event has id and type")
           : PAY_OK;
}


/* Of held money a session's event is only a hint. */
static pay_status_t
stripe_session_event(pay_arena_t *arena, const stripe_type_t *type,
    const pay_json_t *session, pay_psp_event_t *event)
{
    int  held = stripe_is_held(session);

    event->fact = (type->fact != PAY_FACT_NONE) ? type->fact
                                                : stripe_paid_fact(session);

    if (held && event->fact != PAY_FACT_EXPIRED) {
        event->fact = PAY_FACT_NONE;
        event->must_ask = 1;
    }

    return stripe_session(arena, session, event);
}


/* A completed session: no_payment_required says nothing, since what we
 * register is never free. */
static pay_fact_t
stripe_paid_fact(const pay_json_t *session)
{
    if (pay_stripe_is(session, "payment_status", "paid")) {
        return PAY_FACT_PAID;
    }

    return pay_stripe_is(session, "payment_status", "unpaid")
           ? PAY_FACT_PENDING : PAY_FACT_NONE;
}


int
pay_stripe_is(const pay_json_t *json, const char *member, const char *text)
{
    pay_str_t  value;

    return pay_json_string(pay_json_get(json, member), &value) == PAY_OK
           && pay_str_is(value, text);
}


/* The session's token, payment and amount.  PAY_INVALID without a token, or
 * when paid without an amount. */
static pay_status_t
stripe_session(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, session, "id", &event->token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    PAY_TRY(pay_stripe_intent_id(arena, session, &event->reference));
    PAY_TRY(pay_stripe_amount_in(arena, session, "amount_total", event));

    return (event->fact == PAY_FACT_PAID && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


/* An amount that cannot be one of our orders' (negative, a fraction of an ISO
 * unit, an unknown currency) is told as 0, which no order has: it lands in
 * the mismatch queue instead of matching by accident. */
pay_status_t
pay_stripe_amount_in(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_psp_event_t *event)
{
    int64_t  theirs;

    return (pay_json_integer(pay_json_get(json, member), &theirs) == PAY_OK)
           ? pay_stripe_units_in(arena, json, theirs, event) : PAY_OK;
}


pay_status_t
pay_stripe_units_in(pay_arena_t *arena, const pay_json_t *json, int64_t theirs,
    pay_psp_event_t *event)
{
    size_t                 i;
    pay_str_t              text;
    unsigned char         *code;
    const pay_currency_t  *currency;

    if (pay_json_string(pay_json_get(json, "currency"), &text) != PAY_OK
        || text.len != PAY_STRIPE_CODE)
    {
        return PAY_OK;
    }

    code = pay_alloc(arena, PAY_STRIPE_CODE);
    if (code == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < PAY_STRIPE_CODE; i++) {
        code[i] = (unsigned char) (text.data[i] & ~0x20);

        if (code[i] < 'A' || code[i] > 'Z') {
            return PAY_OK;
        }
    }

    event->has_amount = 1;
    event->currency = (pay_str_t) { PAY_STRIPE_CODE, code };
    event->amount_minor = 0;

    if (pay_currency_find(event->currency, &currency, NULL) == PAY_OK) {
        event->amount_minor = pay_stripe_to_ours(currency, theirs);
    }

    return PAY_OK;
}

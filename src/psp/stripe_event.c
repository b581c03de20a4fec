/*
 * Stripe's events (docs/psp/stripe.md) about sessions, payments with manual
 * capture, refunds, disputes and declined attempts.  Payments with manual
 * capture also carry our reference in their metadata, since their id may not be
 * stored here yet.  An attempt has an event of the charge and one of the
 * payment (a charge has its metadata from its payment); the session stays open,
 * so both move nothing.
 */

#include "psp/stripe.h"


#define STRIPE_TIME_MAX  4102444800    /* 2100 */
#define STRIPE_FEES_MAX  4             /* "zero, one, or two" of a dispute */

typedef pay_status_t (*stripe_read_pt)(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);

/* A type of event.  Without `read` its object is a session, whose fact the row
 * or payment_status gives. */
typedef struct {
    const char      *type;
    stripe_read_pt   read;     /* of another object than a session */
    pay_fact_t       fact;     /* NONE: payment_status decides */
} stripe_type_t;


static pay_status_t stripe_session_event(pay_arena_t *arena,
    const stripe_type_t *type, const pay_json_t *session,
    pay_psp_event_t *event);
static pay_status_t stripe_intent(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told);
static pay_status_t stripe_refund(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told);
static pay_status_t stripe_operation(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_event_t *event);
static pay_status_t stripe_dispute(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);
static pay_status_t stripe_object(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_event_t *event);
static const pay_psp_news_row_t *stripe_dispute_news(const pay_json_t *dispute,
    const pay_psp_event_t *event);
static void stripe_deadline(const pay_json_t *dispute,
    pay_psp_event_t *event);
static pay_status_t stripe_fees(pay_arena_t *arena, const pay_json_t *dispute,
    pay_psp_told_t *told);
static pay_status_t stripe_intent_failed(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);
static pay_status_t stripe_charge_failed(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);
static pay_status_t stripe_charge_done(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);
static pay_status_t stripe_warning(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);
static pay_status_t stripe_attempt(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_event_t *event);
static pay_status_t stripe_first_word(pay_arena_t *arena,
    const pay_json_t *one, const char *member, const pay_json_t *other,
    const char *or_member, pay_str_t *word);


static const stripe_type_t  stripe_types[] = {
    { "checkout.session.completed", NULL, PAY_FACT_NONE },
    { "checkout.session.async_payment_succeeded", NULL, PAY_FACT_PAID },
    { "checkout.session.async_payment_failed", NULL, PAY_FACT_DECLINED },
    { "checkout.session.expired", NULL, PAY_FACT_EXPIRED },
    { "payment_intent.amount_capturable_updated", stripe_intent,
      PAY_FACT_NONE },
    { "payment_intent.succeeded", stripe_intent, PAY_FACT_NONE },
    { "payment_intent.canceled", stripe_intent, PAY_FACT_NONE },
    { "payment_intent.payment_failed", stripe_intent_failed,
      PAY_FACT_NONE },
    { "charge.failed", stripe_charge_failed, PAY_FACT_NONE },
    { "charge.succeeded", stripe_charge_done, PAY_FACT_NONE },
    { "radar.early_fraud_warning.created", stripe_warning, PAY_FACT_NONE },
    { "refund.created", stripe_refund, PAY_FACT_NONE },
    { "refund.updated", stripe_refund, PAY_FACT_NONE },
    { "refund.failed", stripe_refund, PAY_FACT_NONE },
    { "charge.dispute.created", stripe_dispute, PAY_FACT_NONE },
    { "charge.dispute.funds_withdrawn", stripe_dispute, PAY_FACT_NONE },
    { "charge.dispute.funds_reinstated", stripe_dispute, PAY_FACT_NONE },
    { "charge.dispute.closed", stripe_dispute, PAY_FACT_NONE },
    { NULL, NULL, PAY_FACT_NONE }
};

static const pay_psp_news_row_t  stripe_refunds[] = {
    { "pending", PAY_NEWS_PENDING },
    { "requires_action", PAY_NEWS_PENDING },
    { "succeeded", PAY_NEWS_SUCCEEDED },
    { "failed", PAY_NEWS_FAILED },
    { "canceled", PAY_NEWS_FAILED },
    { NULL, PAY_NEWS_PENDING }
};

/* An inquiry ("warning_…") takes no money. */
static const pay_psp_news_row_t  stripe_disputes[] = {
    { "needs_response", PAY_NEWS_OPENED },
    { "under_review", PAY_NEWS_OPENED },
    { "won", PAY_NEWS_WON },
    { "lost", PAY_NEWS_LOST },
    { NULL, PAY_NEWS_PENDING }
};

static const pay_psp_news_row_t  stripe_withdrawn = { "", PAY_NEWS_OPENED };
static const pay_psp_news_row_t  stripe_silent = { NULL, PAY_NEWS_PENDING };


/* NULL behind the last one, for the filter of the list. */
const char *
pay_stripe_event_type(unsigned number)
{
    return stripe_types[number].type;
}


/* A thin event (v2.core.event) has no object and says nothing; it is stored,
 * so that Stripe does not repeat it. */
pay_status_t
pay_stripe_event(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
{
    pay_status_t          status;
    const pay_json_t     *object;
    const stripe_type_t  *type;

    (void) account;

    PAY_TRY(pay_psp_told_open(arena, root, "id", "type", told, err));

    if (pay_psp_is(root, "object", "v2.core.event")) {
        return PAY_OK;
    }

    if (!pay_psp_is(root, "object", "event")) {
        return pay_refuse(err, "validation-error", "not an event object");
    }

    for (type = stripe_types; type->type != NULL; type++) {
        if (pay_psp_is(root, "type", type->type)) {
            break;
        }
    }

    if (type->type == NULL) {
        return PAY_OK;
    }

    object = pay_json_path(root, "data", "object", NULL);
    status = type->read ? type->read(arena, object, told)
                        : stripe_session_event(arena, type, object,
                                               &told->events[0]);

    return (status == PAY_INVALID)
           ? pay_refuse(err, "validation-error",
                        "an object has an id; where money moved, an amount")
           : status;
}


/* With manual capture a session's event is only a hint.  Its "paid" would be
 * said of a part, too; the query reads the payment itself. */
static pay_status_t
stripe_session_event(pay_arena_t *arena, const stripe_type_t *type,
    const pay_json_t *session, pay_psp_event_t *event)
{
    int  held = pay_stripe_is_held(session);

    event->fact = (type->fact != PAY_FACT_NONE) ? type->fact
                                                : pay_stripe_paid_fact(session);

    if (held && event->fact != PAY_FACT_EXPIRED) {
        event->fact = PAY_FACT_NONE;
        event->must_ask = 1;
    }

    return pay_stripe_session(arena, session, event);
}


/* Payments that Stripe captures by itself are reported by their session.  The
 * id is stored all the same: the kept body ends with the buyer's data. */
static pay_status_t
stripe_intent(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_status_t      status;
    pay_psp_event_t  *event = &told->events[0];

    if (!pay_psp_is(object, "capture_method", "manual")) {
        status = pay_psp_token_get(arena, object, "id", &event->reference);
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    status = pay_psp_token_get(arena, pay_json_get(object, "metadata"),
                               "payment_reference", &event->token);
    if (status == PAY_OK) {
        status = pay_psp_token_get(arena, object, "id", &event->reference);
    }

    if (status != PAY_OK) {            /* made by another system */
        event->token = PAY_STR("");
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    PAY_TRY(pay_stripe_held(arena, object, event));

    if (event->fact == PAY_FACT_PAID) {
        pay_psp_about(event, PAY_ABOUT_CAPTURE, PAY_NEWS_SUCCEEDED);
    }

    return (event->about == PAY_ABOUT_CAPTURE)
           ? stripe_operation(arena, object, event) : PAY_OK;
}


/* A refund of a charge without a PaymentIntent belongs to another system at
 * the same account. */
static pay_status_t
stripe_refund(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t           *event = &told->events[0];
    const pay_psp_news_row_t  *row = pay_psp_news_row(stripe_refunds, object,
                                                      "status");

    PAY_TRY(stripe_object(arena, object, event));

    if (row->word == NULL || event->reference.len == 0) {
        return PAY_OK;
    }

    pay_psp_about(event, PAY_ABOUT_REFUND, row->news);
    PAY_TRY(stripe_operation(arena, object, event));

    return (row->news == PAY_NEWS_FAILED)
           ? pay_psp_word_get(arena, object, "failure_reason", &event->code)
           : PAY_OK;
}


/* Our id of the change, where the metadata repeat it. */
static pay_status_t
stripe_operation(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_event_t *event)
{
    pay_str_t  operation;

    return (pay_json_string(pay_json_path(object, "metadata", "operation",
                                          NULL), &operation) == PAY_OK)
           ? pay_psp_operation(arena, operation, &event->operation) : PAY_OK;
}


/* Fees may come with an event that is no news about the dispute. */
static pay_status_t
stripe_dispute(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t           *event = &told->events[0];
    const pay_psp_news_row_t  *row = stripe_dispute_news(object, event);

    PAY_TRY(stripe_object(arena, object, event));

    if (event->reference.len == 0) {
        return PAY_OK;
    }

    if (row->word != NULL) {
        pay_psp_about(event, PAY_ABOUT_DISPUTE, row->news);
        PAY_TRY(pay_psp_word_get(arena, object, "reason", &event->code));
        stripe_deadline(object, event);
    }

    return stripe_fees(arena, object, told);
}


/* The common members of refunds and disputes.  PAY_INVALID without an id or an
 * amount. */
static pay_status_t
stripe_object(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_event_t *event)
{
    PAY_TRY(pay_psp_token_need(arena, object, "id", &event->object));
    PAY_TRY(pay_stripe_intent_id(arena, object, &event->reference));
    PAY_TRY(pay_stripe_amount_in(arena, object, "amount", event));

    return event->has_amount ? PAY_OK : PAY_INVALID;
}


/* The end of a dispute comes only with "closed", its beginning with the
 * others. */
static const pay_psp_news_row_t *
stripe_dispute_news(const pay_json_t *dispute, const pay_psp_event_t *event)
{
    int                        closed, opened;
    const pay_psp_news_row_t  *row = pay_psp_news_row(stripe_disputes, dispute,
                                                      "status");

    if (pay_str_is(event->type, "charge.dispute.funds_withdrawn")) {
        return &stripe_withdrawn;
    }

    closed = pay_str_is(event->type, "charge.dispute.closed");
    opened = pay_str_is(event->type, "charge.dispute.created");

    return ((closed && row->news != PAY_NEWS_OPENED)
            || (opened && row->news == PAY_NEWS_OPENED))
           ? row : &stripe_silent;
}


/* null where the bank lets nobody answer. */
static void
stripe_deadline(const pay_json_t *dispute, pay_psp_event_t *event)
{
    int64_t  due;

    if (pay_json_integer(pay_json_path(dispute, "evidence_details", "due_by",
                                       NULL), &due) == PAY_OK
        && due > 0 && due <= STRIPE_TIME_MAX)
    {
        event->evidence_until_s = due;
    }
}


/* Each movement on Stripe's balance has an id of its own, which names the
 * fee's event, so that the same fee in the next event of the dispute counts
 * once. */
static pay_status_t
stripe_fees(pay_arena_t *arena, const pay_json_t *dispute,
    pay_psp_told_t *told)
{
    size_t             i;
    int64_t            theirs, minor;
    pay_str_t          id;
    pay_status_t       status;
    pay_psp_event_t    fee;
    const pay_json_t  *moved, *list;

    list = pay_json_get(dispute, "balance_transactions");

    for (i = 0; i < pay_json_size(list) && i < STRIPE_FEES_MAX; i++) {
        moved = pay_json_at(list, i);
        status = pay_psp_token_get(arena, moved, "id", &id);

        if (status == PAY_NO_MEMORY) {
            return status;
        }

        memset(&fee, 0, sizeof(fee));

        if (status != PAY_OK
            || pay_json_integer(pay_json_get(moved, "fee"), &theirs) != PAY_OK
            || theirs == INT64_MIN)
        {
            continue;
        }

        PAY_TRY(pay_stripe_units_in(arena, moved,
                                    theirs < 0 ? -theirs : theirs, &fee));
        minor = (theirs < 0) ? -fee.amount_minor : fee.amount_minor;
        PAY_TRY(pay_psp_fee_add(arena, id, minor, fee.currency, told));
    }

    return PAY_OK;
}


/* The charge of the error is the attempt's own; only without one the latest is
 * taken. */
static pay_status_t
stripe_intent_failed(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t   *event = &told->events[0];
    const pay_json_t  *why = pay_json_get(object, "last_payment_error");

    /* with manual capture this event means that a capture has failed */
    if (!pay_psp_is(object, "status", "requires_payment_method")) {
        return PAY_OK;
    }

    PAY_TRY(stripe_attempt(arena, object, event));
    PAY_TRY(pay_psp_token_may(arena, why, "charge", &event->object));

    if (event->object.len == 0) {
        PAY_TRY(pay_psp_token_may(arena, object, "latest_charge",
                                  &event->object));
    }

    return stripe_first_word(arena, why, "decline_code", why, "code",
                             &event->code);
}


/* The charge is the attempt's id here and in the payment's event, so that one
 * attempt is stored once. */
static pay_status_t
stripe_charge_failed(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t  *event = &told->events[0];

    PAY_TRY(stripe_attempt(arena, object, event));
    PAY_TRY(pay_psp_token_may(arena, object, "id", &event->object));
    PAY_TRY(pay_stripe_card(arena, object, &event->card));

    return stripe_first_word(arena, pay_json_get(object, "outcome"), "reason",
                             object, "failure_code", &event->code);
}


/* Its session, or with manual capture its payment, tells of the money. */
static pay_status_t
stripe_charge_done(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t  *event = &told->events[0];

    PAY_TRY(pay_psp_token_may(arena, pay_json_get(object, "metadata"),
                              "payment_reference", &event->token));

    return (event->token.len != 0)
           ? pay_stripe_card(arena, object, &event->card) : PAY_OK;
}


/* It names the payment alone. */
static pay_status_t
stripe_warning(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t  *event = &told->events[0];

    PAY_TRY(pay_stripe_intent_id(arena, object, &event->reference));
    PAY_TRY(pay_psp_token_may(arena, object, "id", &event->card.attempt));

    return pay_psp_word_get(arena, object, "fraud_type",
                            &event->card.warning);
}


/* A payment without our reference was made by another system. */
static pay_status_t
stripe_attempt(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_event_t *event)
{
    PAY_TRY(pay_psp_token_may(arena, pay_json_get(object, "metadata"),
                              "payment_reference", &event->token));

    if (event->token.len != 0) {
        event->fact = PAY_FACT_ATTEMPT;
    }

    return PAY_OK;
}


/* The first member counts if it is there: it is the more exact one. */
static pay_status_t
stripe_first_word(pay_arena_t *arena, const pay_json_t *one,
    const char *member, const pay_json_t *other, const char *or_member,
    pay_str_t *word)
{
    PAY_TRY(pay_psp_word_get(arena, one, member, word));

    return (word->len == 0)
           ? pay_psp_word_get(arena, other, or_member, word) : PAY_OK;
}

/*
 * What Stripe tells of the money itself (docs/psp/stripe.md): payments that are
 * captured by us, refunds and disputes.  They name the PaymentIntent; those
 * that we hold also carry our reference in their metadata, since nobody may
 * know their id yet.
 */

#include "psp/stripe.h"


#define STRIPE_FEES_MAX  4             /* "zero, one, or two" of a dispute */

typedef struct {
    const char      *status;
    pay_psp_news_t   news;
} stripe_news_t;


static pay_status_t stripe_captured_in(pay_arena_t *arena,
    const pay_json_t *intent, pay_psp_event_t *event);
static const stripe_news_t *stripe_news(const stripe_news_t *rows,
    const pay_json_t *object);
static pay_status_t stripe_object(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_event_t *event);
static const stripe_news_t *stripe_dispute_news(const pay_json_t *dispute,
    const pay_psp_event_t *event);
static pay_status_t stripe_fees(pay_arena_t *arena, const pay_json_t *dispute,
    pay_psp_told_t *told);


static const stripe_news_t  stripe_refunds[] = {
    { "pending", PAY_NEWS_PENDING },
    { "requires_action", PAY_NEWS_PENDING },
    { "succeeded", PAY_NEWS_SUCCEEDED },
    { "failed", PAY_NEWS_FAILED },
    { "canceled", PAY_NEWS_FAILED },
    { NULL, PAY_NEWS_PENDING }
};

/* An inquiry ("warning_…") takes no money. */
static const stripe_news_t  stripe_disputes[] = {
    { "needs_response", PAY_NEWS_OPENED },
    { "under_review", PAY_NEWS_OPENED },
    { "won", PAY_NEWS_WON },
    { "lost", PAY_NEWS_LOST },
    { NULL, PAY_NEWS_PENDING }
};

static const stripe_news_t  stripe_withdrawn = { "", PAY_NEWS_OPENED };
static const stripe_news_t  stripe_silent = { NULL, PAY_NEWS_PENDING };


pay_status_t
pay_stripe_intent_id(pay_arena_t *arena, const pay_json_t *json, pay_str_t *id)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, json, "payment_intent", id);
    if (status == PAY_NOT_FOUND) {                     /* null or expanded */
        status = pay_psp_token_get(arena,
                                   pay_json_get(json, "payment_intent"), "id",
                                   id);
    }

    return (status == PAY_NO_MEMORY) ? status : PAY_OK;
}


pay_status_t
pay_stripe_held(pay_arena_t *arena, const pay_json_t *intent,
    pay_psp_event_t *event)
{
    int64_t  received;

    if (pay_json_integer(pay_json_get(intent, "amount_received"), &received)
        != PAY_OK)
    {
        received = 0;
    }

    if (pay_stripe_is(intent, "status", "requires_capture") && received == 0)
    {
        event->fact = PAY_FACT_AUTHORIZED;
        event->has_amount = 0;
        PAY_TRY(pay_stripe_amount_in(arena, intent, "amount_capturable",
                                     event));
        return event->has_amount ? PAY_OK : PAY_INVALID;
    }

    if (pay_stripe_is(intent, "status", "requires_capture")
        || pay_stripe_is(intent, "status", "succeeded"))
    {
        return stripe_captured_in(arena, intent, event);
    }

    if (pay_stripe_is(intent, "status", "canceled")
        && event->fact == PAY_FACT_NONE)
    {
        event->fact = PAY_FACT_CANCELLED;

    } else if (pay_stripe_is(intent, "status", "processing")) {
        event->fact = PAY_FACT_PENDING;
    }

    return PAY_OK;
}


/* We capture once, and what was not taken then is released; people may do it
 * otherwise in the dashboard.  A payment of which more may be captured still
 * is requires_capture. */
static pay_status_t
stripe_captured_in(pay_arena_t *arena, const pay_json_t *intent,
    pay_psp_event_t *event)
{
    int64_t  amount, received;

    event->has_amount = 0;
    PAY_TRY(pay_stripe_amount_in(arena, intent, "amount_received", event));

    if (!event->has_amount
        || pay_json_integer(pay_json_get(intent, "amount"), &amount) != PAY_OK
        || pay_json_integer(pay_json_get(intent, "amount_received"),
                            &received) != PAY_OK)
    {
        return PAY_INVALID;
    }

    if (amount == received) {
        event->fact = PAY_FACT_PAID;

    } else {
        pay_psp_about(event, PAY_ABOUT_CAPTURE,
                      pay_stripe_is(intent, "status", "succeeded")
                      ? PAY_NEWS_ENDED : PAY_NEWS_SUCCEEDED);
    }

    return PAY_OK;
}


/* Payments that Stripe captures by itself are told by their session. */
pay_status_t
pay_stripe_intent(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_str_t          operation;
    pay_status_t       status;
    pay_psp_event_t   *event = &told->events[0];
    const pay_json_t  *metadata = pay_json_get(object, "metadata");

    if (!pay_stripe_is(object, "capture_method", "manual")) {
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, metadata, "payment_reference",
                               &event->token);
    if (status == PAY_OK) {
        status = pay_psp_token_get(arena, object, "id", &event->reference);
    }

    if (status != PAY_OK) {            /* of somebody else's making */
        event->token = PAY_STR("");
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    PAY_TRY(pay_stripe_held(arena, object, event));

    if (event->fact == PAY_FACT_PAID) {
        pay_psp_about(event, PAY_ABOUT_CAPTURE, PAY_NEWS_SUCCEEDED);
    }

    if (event->about != PAY_ABOUT_CAPTURE
        || pay_json_string(pay_json_get(metadata, "operation"), &operation)
           != PAY_OK)
    {
        return PAY_OK;
    }

    return pay_psp_operation(arena, operation, &event->operation);
}


pay_status_t
pay_stripe_refund(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_str_t             operation;
    pay_psp_event_t      *event = &told->events[0];
    const stripe_news_t  *row = stripe_news(stripe_refunds, object);

    PAY_TRY(stripe_object(arena, object, event));

    if (row->status == NULL || event->reference.len == 0) {
        return PAY_OK;
    }

    pay_psp_about(event, PAY_ABOUT_REFUND, row->news);

    if (pay_json_string(pay_json_path(object, "metadata", "operation", NULL),
                        &operation) == PAY_OK)
    {
        PAY_TRY(pay_psp_operation(arena, operation, &event->operation));
    }

    return (row->news == PAY_NEWS_FAILED)
           ? pay_psp_word_get(arena, object, "failure_reason", &event->code)
           : PAY_OK;
}


pay_status_t
pay_stripe_dispute(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told)
{
    pay_psp_event_t      *event = &told->events[0];
    const stripe_news_t  *row = stripe_dispute_news(object, event);

    PAY_TRY(stripe_object(arena, object, event));

    if (event->reference.len == 0) {
        return PAY_OK;
    }

    if (row->status != NULL) {
        pay_psp_about(event, PAY_ABOUT_DISPUTE, row->news);
        PAY_TRY(pay_psp_word_get(arena, object, "reason", &event->code));
    }

    return stripe_fees(arena, object, told);
}


static const stripe_news_t *
stripe_news(const stripe_news_t *rows, const pay_json_t *object)
{
    while (rows->status != NULL
           && !pay_stripe_is(object, "status", rows->status))
    {
        rows++;
    }

    return rows;
}


/* What refunds and disputes have alike.  PAY_INVALID without an id or an
 * amount. */
static pay_status_t
stripe_object(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_event_t *event)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, object, "id", &event->object);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    PAY_TRY(pay_stripe_intent_id(arena, object, &event->reference));
    PAY_TRY(pay_stripe_amount_in(arena, object, "amount", event));

    return event->has_amount ? PAY_OK : PAY_INVALID;
}


/* How it ends is told by "closed" alone, that it begins by the others. */
static const stripe_news_t *
stripe_dispute_news(const pay_json_t *dispute, const pay_psp_event_t *event)
{
    int                   closed, opened;
    const stripe_news_t  *row = stripe_news(stripe_disputes, dispute);

    if (pay_str_is(event->type, "charge.dispute.funds_withdrawn")) {
        return &stripe_withdrawn;
    }

    closed = pay_str_is(event->type, "charge.dispute.closed");
    opened = pay_str_is(event->type, "charge.dispute.created");

    return ((closed && row->news != PAY_NEWS_OPENED)
            || (opened && row->news == PAY_NEWS_OPENED))
           ? row : &stripe_silent;
}


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

/*
 * Razorpay (docs/psp/razorpay.md): only its webhooks are understood.  The id in
 * its headers is not signed, so a replayed body could come under any id: event,
 * entity and created_at, all signed, are used instead.
 *
 * payment_link.paid, order.paid and payment.captured are final, the money is
 * captured.  payment.authorized is not: an authorisation that is not captured
 * goes back.  payment.failed is one attempt of the buyer, who may try again,
 * and so it has no fact.  Refunds name the payment.  A dispute takes money only
 * when it is lost, and is reported then.
 */

#include "psp/psp.h"


/* A type of event about a payment.  The amount is that of the payment beside
 * the entity. */
typedef struct {
    const char  *event;
    const char  *entity;       /* in payload; what the event is about */
    const char  *token;        /* its member that names the registration */
    pay_fact_t   fact;
} razorpay_type_t;

/* A type of event about something after the sale. */
typedef struct {
    const char       *event;
    const char       *entity;
    const char       *amount;          /* the member */
    pay_psp_about_t   about;
    pay_psp_news_t    news;
} razorpay_after_t;


static pay_status_t razorpay_event(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_told_t *told, pay_err_t *err);
static pay_status_t razorpay_event_id(pay_arena_t *arena,
    const pay_json_t *root, pay_psp_event_t *event);
static pay_status_t razorpay_first_id(pay_arena_t *arena,
    const pay_json_t *root, pay_str_t *id);
static pay_status_t razorpay_facts(pay_arena_t *arena,
    const pay_json_t *root, const razorpay_type_t *type,
    pay_psp_event_t *event);
static pay_status_t razorpay_after(pay_arena_t *arena,
    const pay_json_t *root, pay_str_t name, pay_psp_event_t *event);


static const razorpay_type_t  razorpay_types[] = {
    { "payment_link.paid", "payment_link", "id", PAY_FACT_PAID },
    { "payment_link.expired", "payment_link", "id", PAY_FACT_EXPIRED },
    { "payment_link.cancelled", "payment_link", "id", PAY_FACT_CANCELLED },
    { "order.paid", "order", "id", PAY_FACT_PAID },
    { "payment.captured", "payment", "order_id", PAY_FACT_PAID },
    { "payment.authorized", "payment", "order_id", PAY_FACT_PENDING },
    { NULL, NULL, NULL, PAY_FACT_NONE }
};

static const razorpay_after_t  razorpay_afters[] = {
    { "refund.created", "refund", "amount", PAY_ABOUT_REFUND,
      PAY_NEWS_PENDING },
    { "refund.processed", "refund", "amount", PAY_ABOUT_REFUND,
      PAY_NEWS_SUCCEEDED },
    { "refund.failed", "refund", "amount", PAY_ABOUT_REFUND,
      PAY_NEWS_FAILED },
    { "payment.dispute.lost", "dispute", "amount_deducted",
      PAY_ABOUT_DISPUTE, PAY_NEWS_LOST },
    { NULL, NULL, NULL, PAY_ABOUT_PAYMENT, PAY_NEWS_PENDING }
};


static const pay_psp_wire_t  razorpay_wire = {
    .event = razorpay_event
};

/* its change_answer is in no slot, so that it needs no calls:
 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
PAY_PSP_SLOTS(razorpay)

const pay_psp_adapter_t  pay_psp_razorpay = {
    .name = "razorpay",
    .scheme = "razorpay",
    .webhook_events = razorpay_webhook_events
};


/* The id in the headers is not signed, so a replayed body under another header
 * id must meet the same row of the inbox. */
static pay_status_t
razorpay_event(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
{
    pay_str_t               name;
    pay_status_t            status;
    pay_psp_event_t        *event = pay_psp_told_add(told);
    const razorpay_type_t  *type;

    (void) account;

    if (pay_json_string(pay_json_get(root, "entity"), &name) != PAY_OK
        || !pay_str_is(name, "event")
        || pay_json_string(pay_json_get(root, "event"), &name) != PAY_OK
        || name.len == 0)
    {
        return pay_refuse(err, "validation-error", "not an event object");
    }

    PAY_TRY(pay_psp_safe(arena, name, &event->type));

    status = razorpay_event_id(arena, root, event);
    if (status != PAY_OK) {
        return (status == PAY_NO_MEMORY)
               ? status
               : pay_refuse(err, "validation-error",
                            "an event has a time and an entity with an id");
    }

    for (type = razorpay_types; type->event != NULL; type++) {
        if (pay_str_is(name, type->event)) {
            break;
        }
    }

    status = (type->event == NULL)
             ? razorpay_after(arena, root, name, event)
             : razorpay_facts(arena, root, type, event);

    return (status == PAY_INVALID)
           ? pay_refuse(err, "validation-error",
                        "an entity has an id; a paid one an amount")
           : status;
}


/* event:entity:created_at.  PAY_INVALID without the parts. */
static pay_status_t
razorpay_event_id(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_event_t *event)
{
    int64_t       created;
    pay_str_t     id;
    pay_status_t  status;

    if (pay_json_integer(pay_json_get(root, "created_at"), &created) != PAY_OK
        || created < 0)
    {
        return PAY_INVALID;
    }

    status = razorpay_first_id(arena, root, &id);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    return pay_format(arena, &event->event_id, PAY_PSP_TOKEN_MAX,
                      "%.*s:%.*s:%lld", pay_fmt(event->type), pay_fmt(id),
                      (long long) created);
}


/* The id of the entity that `contains` names first. */
static pay_status_t
razorpay_first_id(pay_arena_t *arena, const pay_json_t *root, pay_str_t *id)
{
    pay_str_t          name;
    const char        *member;
    size_t             i;
    const pay_json_t  *contains;

    static const char *const  entities[] = {
        "payment_link", "order", "payment", "refund", "dispute",
        "settlement", "invoice", "subscription", "virtual_account",
        "qr_code", "transfer", "account", "payout", "fund_account", NULL
    };

    contains = pay_json_get(root, "contains");

    if (pay_json_string(pay_json_at(contains, 0), &name) != PAY_OK) {
        return PAY_NOT_FOUND;
    }

    for (i = 0; entities[i] != NULL; i++) {
        if (pay_str_is(name, entities[i])) {
            break;
        }
    }

    member = entities[i];

    if (member == NULL) {
        *id = PAY_STR("-");            /* of a kind that we don't know */
        return PAY_OK;
    }

    return pay_psp_token_get(arena,
                             pay_json_path(root, "payload", member, "entity",
                                           NULL), "id", id);
}


/* `payment` is beside the entity in events of links and orders, and its id is
 * the reference of refunds. */
static pay_status_t
razorpay_facts(pay_arena_t *arena, const pay_json_t *root,
    const razorpay_type_t *type, pay_psp_event_t *event)
{
    pay_status_t       status;
    const pay_json_t  *entity, *payment;

    entity = pay_json_path(root, "payload", type->entity, "entity", NULL);
    payment = pay_json_path(root, "payload", "payment", "entity", NULL);

    PAY_TRY(pay_psp_token_may(arena, payment, "id", &event->reference));

    status = pay_psp_token_get(arena, entity, type->token, &event->token);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

    if (status != PAY_OK) {

        /* a payment without an order is none of ours */
        return pay_str_is(pay_str_of(type->entity), "payment") ? PAY_OK
                                                               : PAY_INVALID;
    }

    PAY_TRY(pay_psp_minor_in(arena, payment, "amount", event));

    if (type->fact == PAY_FACT_PAID && !event->has_amount) {
        return PAY_INVALID;
    }

    event->fact = type->fact;

    return PAY_OK;
}


/* An event without a meaning here has no news.  PAY_INVALID when it is
 * incomplete. */
static pay_status_t
razorpay_after(pay_arena_t *arena, const pay_json_t *root, pay_str_t name,
    pay_psp_event_t *event)
{
    const pay_json_t        *entity;
    const razorpay_after_t  *row;

    for (row = razorpay_afters; row->event != NULL; row++) {
        if (pay_str_is(name, row->event)) {
            break;
        }
    }

    if (row->event == NULL) {
        return PAY_OK;
    }

    entity = pay_json_path(root, "payload", row->entity, "entity", NULL);

    PAY_TRY(pay_psp_token_need(arena, entity, "id", &event->object));
    PAY_TRY(pay_psp_token_need(arena, entity, "payment_id",
                               &event->reference));
    PAY_TRY(pay_psp_minor_in(arena, entity, row->amount, event));
    PAY_TRY(pay_psp_word_get(arena, entity, "reason_code", &event->code));
    pay_psp_about(event, row->about, row->news);

    return event->has_amount ? PAY_OK : PAY_INVALID;
}

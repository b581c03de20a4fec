/*
 * Mollie's webhooks.  About payments both kinds are hints: the payment is
 * queried before anything moves.
 *   legacy    a form, "id=tr_…", sent to the payment's own webhookUrl; it is
 *             not signed, so it has no event id and is not stored
 *   next-gen  a signed JSON event with an id, whose entityId is the payment's
 * Refunds, chargebacks and captures come only in the second kind, when it
 * carries them ("snapshot").  A capture has an amount of its own; Mollie
 * releases the rest, except for the methods that allow several captures.  Other
 * events are stored without a fact.
 */

#include "psp/mollie.h"


/* Bytes of a form; Mollie's has id=tr_… alone. */
#define MOLLIE_FORM_MAX  1024

/* A type of event of the newer kind, and the news that it brings. */
typedef struct {
    const char       *type;            /* of the event, made safe */
    pay_psp_about_t   about;
    pay_psp_news_t    news;
} mollie_after_t;


static pay_status_t mollie_form_event(pay_arena_t *arena, pay_str_t body,
    pay_psp_event_t *event, pay_err_t *err);
static int mollie_form_id(pay_str_t body, pay_str_t *id);
static pay_status_t mollie_json_event(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t body, pay_psp_event_t *event,
    pay_err_t *err);
static pay_status_t mollie_entity(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_event_t *event, pay_err_t *err);
static int mollie_looks_like_json(pay_str_t body);
static int mollie_starts(pay_str_t text, const char *prefix);
static pay_status_t mollie_after(pay_arena_t *arena, const pay_json_t *entity,
    pay_psp_event_t *event);
static pay_status_t mollie_names(pay_arena_t *arena, const pay_json_t *entity,
    pay_psp_event_t *event);


static const mollie_after_t  mollie_afters[] = {
    { "refund.queued", PAY_ABOUT_REFUND, PAY_NEWS_PENDING },
    { "refund.pending", PAY_ABOUT_REFUND, PAY_NEWS_PENDING },
    { "refund.processing", PAY_ABOUT_REFUND, PAY_NEWS_PENDING },
    { "refund.refunded", PAY_ABOUT_REFUND, PAY_NEWS_SUCCEEDED },
    { "refund.failed", PAY_ABOUT_REFUND, PAY_NEWS_FAILED },
    { "refund.canceled", PAY_ABOUT_REFUND, PAY_NEWS_FAILED },
    { "chargeback.received", PAY_ABOUT_DISPUTE, PAY_NEWS_OPENED },
    { "chargeback.reversed", PAY_ABOUT_DISPUTE, PAY_NEWS_WON },
    { "capture.succeeded", PAY_ABOUT_CAPTURE, PAY_NEWS_SINGLE },
    { "capture.failed", PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED },
    { NULL, PAY_ABOUT_PAYMENT, PAY_NEWS_PENDING }
};


/* The kind is recognised by the body, since the two schemes share this reader.
 * The scheme of unsigned messages lets only the form through
 * (src/sig/mollie.c). */
pay_status_t
pay_mollie_webhook_events(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    pay_psp_event_t  event;

    (void) event_id;           /* Mollie's headers carry none */

    memset(&event, 0, sizeof(event));

    if (mollie_looks_like_json(body)) {
        PAY_TRY(mollie_json_event(arena, account, body, &event, err));

    } else {
        PAY_TRY(mollie_form_event(arena, body, &event, err));
    }

    events[0] = event;
    *count = 1;

    return PAY_OK;
}


/* No event id and must_ask: such a message is applied as a hint and never
 * stored, because its sender proves nothing. */
static pay_status_t
mollie_form_event(pay_arena_t *arena, pay_str_t body, pay_psp_event_t *event,
    pay_err_t *err)
{
    pay_str_t  id;

    if (!mollie_form_id(body, &id) || !mollie_starts(id, "tr_")) {
        return pay_refuse(err, "validation-error",
                          "a form has one id, that of a payment");
    }

    event->type = PAY_STR("legacy");
    event->must_ask = 1;

    return pay_dup(arena, id, &event->token);
}


/* Other fields may stand beside it, but no second id.  Two ids would leave it
 * open which payment is meant. */
static int
mollie_form_id(pay_str_t body, pay_str_t *id)
{
    int        found;
    size_t     i, start;
    pay_str_t  field;

    found = 0;

    if (body.len > MOLLIE_FORM_MAX) {
        return 0;
    }

    for (start = 0; start < body.len; start = i + 1) {
        for (i = start; i < body.len && body.data[i] != '&'; i++) {
            /* void */
        }

        field = (pay_str_t) { i - start, body.data + start };

        if (mollie_starts(field, "id=")) {
            *id = (pay_str_t) { field.len - 3, field.data + 3 };
            found++;
        }
    }

    return found == 1 && pay_psp_token_is_valid(*id);
}


/* "resource" tells an event from an answer of the API that is posted here by
 * mistake. */
static pay_status_t
mollie_json_event(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t body, pay_psp_event_t *event, pay_err_t *err)
{
    pay_json_t    *root;
    pay_status_t   status;

    PAY_TRY(pay_psp_parse(body, &root, err));

    status = pay_psp_token_get(arena, root, "id", &event->event_id);
    if (status == PAY_OK) {
        status = pay_psp_word_get(arena, root, "type", &event->type);
    }

    if (status == PAY_OK && event->type.len != 0
        && pay_psp_is(root, "resource", "event"))
    {
        status = mollie_entity(arena, account, root, event, err);

    } else if (status != PAY_NO_MEMORY) {
        status = pay_refuse(err, "validation-error",
                            "an event has resource, id and type");
    }

    pay_json_free(root);

    return status;
}


/* About a payment the event is a hint even though it is signed: the state may
 * have moved on since, and the query's answer is the newer one.  The entity
 * may be absent; where it is there, it must not contradict the id. */
static pay_status_t
mollie_entity(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_event_t *event, pay_err_t *err)
{
    pay_str_t          type, id;
    pay_status_t       status;
    const pay_json_t  *entity;

    if (pay_json_string(pay_json_get(root, "type"), &type) != PAY_OK) {
        return PAY_OK;
    }

    entity = pay_json_path(root, "_embedded", "entity", NULL);

    if (account->live >= 0 && pay_json_get(entity, "mode") != NULL
        && !pay_psp_is(entity, "mode", account->live ? "live" : "test"))
    {
        return pay_refuse(err, "validation-error",
                          "an entity of the other mode");
    }

    if (!mollie_starts(type, "payment.")) {
        status = (entity == NULL) ? PAY_OK
                                  : mollie_after(arena, entity, event);
        return (status == PAY_INVALID)
               ? pay_refuse(err, "validation-error",
                            "an entity has id, paymentId and amount")
               : status;
    }

    status = pay_psp_token_get(arena, root, "entityId", &id);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

    if (status != PAY_OK || !mollie_starts(id, "tr_")
        || (pay_json_get(entity, "id") != NULL
            && pay_psp_echo_needed(entity, "id", id) != PAY_PSP_ECHO_RIGHT))
    {
        return pay_refuse(err, "validation-error",
                          "a payment's event names the payment");
    }

    event->must_ask = 1;
    event->token = id;

    return PAY_OK;
}


/* By its first byte that is no blank: a form begins with a letter.  Whatever
 * it is taken for, it has to be that. */
static int
mollie_looks_like_json(pay_str_t body)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < body.len; i++) {
        c = body.data[i];

        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            c |= 0x20;
            return !(c >= 'a' && c <= 'z');
        }
    }

    return 1;
}


/* Mollie's ids have their kind as a prefix; tr_ is a payment. */
static int
mollie_starts(pay_str_t text, const char *prefix)
{
    size_t  len = strlen(prefix);

    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}


/* Reads an event about a refund, a chargeback or a capture from the entity
 * that it carries.  PAY_INVALID when that is incomplete.  A capture that
 * failed took nothing, whatever amount the entity has. */
static pay_status_t
mollie_after(pay_arena_t *arena, const pay_json_t *entity,
    pay_psp_event_t *event)
{
    pay_str_t              operation;
    const mollie_after_t  *row;

    for (row = mollie_afters; row->type != NULL; row++) {
        if (pay_str_is(event->type, row->type)) {
            break;
        }
    }

    if (row->type == NULL) {
        return PAY_OK;
    }

    PAY_TRY(mollie_names(arena, entity, event));
    PAY_TRY(pay_mollie_amount_in(arena, entity, event));
    PAY_TRY(pay_psp_word_get(arena, pay_json_get(entity, "reason"), "code",
                             &event->code));
    pay_psp_about(event, row->about, row->news);

    if (row->about == PAY_ABOUT_CAPTURE && row->news == PAY_NEWS_FAILED) {
        event->amount_minor = 0;
    }

    return (pay_json_string(pay_json_path(entity, "metadata", "operation",
                                          NULL), &operation) == PAY_OK)
           ? pay_psp_operation(arena, operation, &event->operation) : PAY_OK;
}


/* The payment is our registration. */
static pay_status_t
mollie_names(pay_arena_t *arena, const pay_json_t *entity,
    pay_psp_event_t *event)
{
    pay_str_t  payment;

    PAY_TRY(pay_psp_token_need(arena, entity, "id", &event->object));
    PAY_TRY(pay_psp_token_need(arena, entity, "paymentId", &payment));

    if (!mollie_starts(payment, "tr_")) {
        return PAY_INVALID;
    }

    event->token = payment;
    event->reference = payment;

    return PAY_OK;
}

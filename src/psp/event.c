/*
 * The common part of the adapters about PSP events: one message of a PSP may
 * hold several, and not all of them are about the payment itself (captures,
 * refunds, disputes, fees).
 */

#include "psp/psp.h"
#include "pay_id.h"


static int event_is_uuid(pay_str_t text);


/* The events are handed on when all of the message is read; their slices are
 * in the arena, so they outlive the JSON tree. */
pay_status_t
pay_psp_webhook(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t body, pay_psp_listed_pt read,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    pay_json_t      *root;
    pay_status_t     status;
    pay_psp_told_t   told;

    PAY_TRY(pay_psp_parse(body, &root, err));

    memset(&told, 0, sizeof(told));
    status = read(arena, account, root, &told, err);
    pay_json_free(root);

    if (status == PAY_OK) {
        memcpy(events, told.events, told.count * sizeof(told.events[0]));
        *count = told.count;
    }

    return status;
}


/* A message of more events than the limit overwrites its last one: adapters
 * bound their lists before, so that this is a guard against a mistake of ours
 * only. */
pay_psp_event_t *
pay_psp_told_add(pay_psp_told_t *told)
{
    if (told->count < PAY_PSP_EVENTS_MAX) {
        told->count++;
    }

    return &told->events[told->count - 1];
}


/* Id and type are needed even of an event that says nothing, because the inbox
 * stores each event once by its id. */
pay_status_t
pay_psp_told_open(pay_arena_t *arena, const pay_json_t *root, const char *id,
    const char *type, pay_psp_told_t *told, pay_err_t *err)
{
    pay_status_t      status;
    pay_psp_event_t  *event = pay_psp_told_add(told);

    status = pay_psp_token_get(arena, root, id, &event->event_id);
    if (status == PAY_OK) {
        status = pay_psp_word_get(arena, root, type, &event->type);
    }

    if (status == PAY_NO_MEMORY) {
        return status;
    }

    return (status == PAY_OK && event->type.len != 0)
           ? PAY_OK : pay_refuse(err, "validation-error",
                                 "an event has its id and its type");
}


/* An event about a refund or a dispute has no fact about the payment: it never
 * moves an order's status back (docs/architecture.md#rules-of-the-design). */
void
pay_psp_about(pay_psp_event_t *event, pay_psp_about_t about,
    pay_psp_news_t news)
{
    event->fact = PAY_FACT_NONE;
    event->about = about;
    event->news = news;
}


/* A second event of the same message needs an id of its own, or the inbox
 * would take it for a repetition of the first: "<id>:fee". */
pay_status_t
pay_psp_fee_add(pay_arena_t *arena, pay_str_t id, int64_t minor,
    pay_str_t currency, pay_psp_told_t *told)
{
    pay_str_t         event_id;
    pay_psp_event_t  *fee, first = told->events[0];

    if (minor == 0 || minor == INT64_MIN || told->count == PAY_PSP_EVENTS_MAX) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_key(arena, id, ":fee", PAY_PSP_TOKEN_MAX, &event_id));

    fee = pay_psp_told_add(told);
    memset(fee, 0, sizeof(*fee));
    pay_psp_about(fee, PAY_ABOUT_FEE, minor > 0 ? PAY_NEWS_SUCCEEDED
                                                : PAY_NEWS_FAILED);
    fee->event_id = event_id;
    fee->type = first.type;
    fee->token = first.token;
    fee->reference = first.reference;
    fee->has_amount = 1;
    fee->amount_minor = minor > 0 ? minor : -minor;
    fee->currency = currency;

    return PAY_OK;
}


/* A PSP's dashboard can put any text into such a member; only a UUID can be an
 * id of a change, and SQL looks whether it is one. */
pay_status_t
pay_psp_operation(pay_arena_t *arena, pay_str_t text, pay_str_t *operation)
{
    *operation = PAY_STR("");

    return event_is_uuid(text) ? pay_dup(arena, text, operation) : PAY_OK;
}


/* As we write them: in lower case. */
static int
event_is_uuid(pay_str_t text)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if ((i == 8 || i == 13 || i == 18 || i == 23)
            ? c != '-'
            : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
        {
            return 0;
        }
    }

    return text.len == PAY_UUID_TEXT;
}

/*
 * GoCardless (docs/psp/gocardless.md): its webhooks alone are understood,
 * several events in one body.
 *
 * Bank debits end late, and its events carry no amount.  `confirmed` can still
 * turn to failed or charged_back, so it is PENDING like everything before it;
 * `paid_out`, when the money is on its way to the merchant, is only a hint
 * (must_ask), since nothing in the event says how much was paid.  failed,
 * cancelled and customer_approval_denied end a payment; a chargeback takes
 * back money that was there and says nothing about the order's payment yet.
 */

#include "psp/psp.h"


/* An action of the resource "payments", and the fact that it states. */
typedef struct {
    const char  *action;
    pay_fact_t   fact;
    int          must_ask;
} gocardless_action_t;


static pay_status_t gocardless_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err);
static pay_status_t gocardless_list(pay_arena_t *arena,
    const pay_json_t *list, pay_psp_event_t *events, pay_err_t *err);
static pay_status_t gocardless_event(pay_arena_t *arena,
    const pay_json_t *json, pay_psp_event_t *event, pay_err_t *err);
static pay_status_t gocardless_payment(pay_arena_t *arena,
    const pay_json_t *json, pay_str_t action, pay_psp_event_t *event);


static const gocardless_action_t  gocardless_actions[] = {
    { "created", PAY_FACT_PENDING, 0 },
    { "customer_approval_granted", PAY_FACT_PENDING, 0 },
    { "submitted", PAY_FACT_PENDING, 0 },
    { "confirmed", PAY_FACT_PENDING, 0 },
    { "resubmission_requested", PAY_FACT_PENDING, 0 },
    { "paid_out", PAY_FACT_NONE, 1 },
    { "failed", PAY_FACT_DECLINED, 0 },
    { "customer_approval_denied", PAY_FACT_DECLINED, 0 },
    { "cancelled", PAY_FACT_CANCELLED, 0 },
    { NULL, PAY_FACT_NONE, 0 }
};


const pay_psp_adapter_t  pay_psp_gocardless = {
    .name = "gocardless",
    .scheme = "gocardless",
    .webhook_events = gocardless_webhook_events
};


/* Every event of the message is read before any is handed on. */
static pay_status_t
gocardless_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    size_t             size;
    pay_json_t        *root;
    pay_status_t       status;
    pay_psp_event_t    made[PAY_PSP_EVENTS_MAX];
    const pay_json_t  *list;

    (void) account;
    (void) event_id;           /* of the whole body, if at all */

    PAY_TRY(pay_psp_parse(body, &root, err));

    list = pay_json_get(root, "events");
    size = (pay_json_type(list) == PAY_JSON_ARRAY) ? pay_json_size(list) : 0;

    status = (size == 0 || size > PAY_PSP_EVENTS_MAX)
             ? pay_refuse(err, "validation-error", "1 to 16 events are taken")
             : gocardless_list(arena, list, made, err);
    pay_json_free(root);

    if (status == PAY_OK) {
        memcpy(events, made, size * sizeof(made[0]));
        *count = (unsigned) size;
    }

    return status;
}


/* One event that cannot be read refuses them all: they came with one
 * signature, and will come again together. */
static pay_status_t
gocardless_list(pay_arena_t *arena, const pay_json_t *list,
    pay_psp_event_t *events, pay_err_t *err)
{
    size_t  i;

    for (i = 0; i < pay_json_size(list); i++) {
        memset(&events[i], 0, sizeof(events[i]));
        PAY_TRY(gocardless_event(arena, pay_json_at(list, i), &events[i],
                                 err));
    }

    return PAY_OK;
}


/* Events of other resources (mandates, payouts, refunds) are stored without a
 * fact, under their own id. */
static pay_status_t
gocardless_event(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event, pay_err_t *err)
{
    pay_str_t     resource, action, type;
    pay_status_t  status;

    status = pay_psp_token_get(arena, json, "id", &event->event_id);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

    if (status != PAY_OK
        || pay_json_string(pay_json_get(json, "resource_type"), &resource)
           != PAY_OK
        || pay_json_string(pay_json_get(json, "action"), &action) != PAY_OK
        || resource.len == 0 || resource.len > PAY_PSP_CODE_MAX
        || action.len == 0 || action.len > PAY_PSP_CODE_MAX)
    {
        return pay_refuse(err, "validation-error",
                          "an event has id, resource_type and action");
    }

    PAY_TRY(pay_format(arena, &type, 2 * PAY_PSP_CODE_MAX + 1, "%.*s.%.*s",
                       pay_fmt(resource), pay_fmt(action)));
    PAY_TRY(pay_psp_safe(arena, type, &event->type));

    if (!pay_str_is(resource, "payments")) {
        return PAY_OK;
    }

    status = gocardless_payment(arena, json, action, event);

    return (status == PAY_NOT_FOUND)
           ? pay_refuse(err, "validation-error", "a payment has an id")
           : status;
}


/* The payment's id is token and reference at once: nothing was registered
 * through this gateway that could have a session. */
static pay_status_t
gocardless_payment(pay_arena_t *arena, const pay_json_t *json,
    pay_str_t action, pay_psp_event_t *event)
{
    const pay_json_t           *links = pay_json_get(json, "links");
    const gocardless_action_t  *row;

    PAY_TRY(pay_psp_token_get(arena, links, "payment", &event->reference));

    for (row = gocardless_actions; row->action != NULL; row++) {
        if (pay_str_is(action, row->action)) {
            break;
        }
    }

    event->token = event->reference;
    event->fact = row->fact;
    event->must_ask = row->must_ask;

    if (row->fact == PAY_FACT_DECLINED) {
        return pay_psp_word_get(arena, pay_json_get(json, "details"),
                                "cause", &event->code);
    }

    return PAY_OK;
}

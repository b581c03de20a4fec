/*
 * Square's webhooks: payment.created and payment.updated tell how one payment
 * of an order stands; refunds and disputes: square_after.c; everything else
 * (orders, payouts) is noted without a fact.
 *   COMPLETED  paid: total_money, what a tender of the order will show.
 *   APPROVED, PENDING  the money is under way.
 *   FAILED     no fact: the link stays open and the buyer may try again with
 *              another card; the order ends when its link is deleted.
 *   CANCELED   a hint: the order tells whether anything of it is left.
 * Square sends the payments of all its tills: those without an order or of
 * another location are not ours.
 */

#include "psp/square.h"


typedef struct {
    const char  *status;
    pay_fact_t   fact;
    int          must_ask;
} square_status_t;


typedef pay_status_t (*square_read_pt)(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);

typedef struct {
    const char      *type;
    const char      *object;   /* in data.object */
    const char      *state;    /* the member that it has in any case */
    square_read_pt   read;
} square_type_t;


static pay_status_t square_event(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_told_t *told, pay_err_t *err);
static pay_status_t square_paid(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_told_t *told);
static void square_declined(pay_psp_event_t *event);
static int square_is_ours(const pay_psp_account_t *account,
    const pay_json_t *object);


static const square_status_t  square_statuses[] = {
    { "COMPLETED", PAY_FACT_PAID, 0 },
    { "APPROVED", PAY_FACT_PENDING, 0 },
    { "PENDING", PAY_FACT_PENDING, 0 },
    { "CANCELED", PAY_FACT_NONE, 1 },
    { NULL, PAY_FACT_NONE, 0 }
};

static const square_type_t  square_types[] = {
    { "payment.created", "payment", "status", square_paid },
    { "payment.updated", "payment", "status", square_paid },
    { "refund.created", "refund", "status", pay_square_refund },
    { "refund.updated", "refund", "status", pay_square_refund },
    { "dispute.created", "dispute", "state", pay_square_dispute },
    { "dispute.state.updated", "dispute", "state", pay_square_dispute },
    { NULL, NULL, NULL, NULL }
};


pay_status_t
pay_square_webhook_events(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    (void) event_id;           /* Square's headers carry none */

    return pay_psp_webhook(arena, account, body, square_event, events, count,
                           err);
}


pay_status_t
pay_square_payment(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_event_t *event)
{
    int64_t                 minor;
    pay_str_t               currency;
    pay_status_t            status;
    const pay_json_t       *errors;
    const square_status_t  *row;

    status = pay_psp_token_get(arena, payment, "id", &event->reference);
    if (status == PAY_OK) {
        status = pay_psp_token_get(arena, payment, "order_id", &event->token);
    }

    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    for (row = square_statuses; row->status != NULL; row++) {
        if (pay_square_is(payment, "status", row->status)) {
            break;
        }
    }

    errors = pay_json_path(payment, "card_details", "errors", NULL);
    PAY_TRY(pay_psp_word_get(arena, pay_json_at(errors, 0), "code",
                             &event->code));

    event->fact = row->fact;
    event->must_ask = row->must_ask;

    if (!pay_square_money(pay_json_get(payment, "total_money"), &minor,
                          &currency))
    {
        return (row->fact == PAY_FACT_PAID) ? PAY_INVALID : PAY_OK;
    }

    return pay_square_amount_in(arena, minor, currency, event);
}


static pay_status_t
square_event(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
{
    pay_status_t          status;
    pay_psp_event_t      *event = pay_psp_told_add(told);
    const pay_json_t     *object;
    const square_type_t  *type;

    status = pay_psp_token_get(arena, root, "event_id", &event->event_id);
    if (status == PAY_OK) {
        status = pay_psp_word_get(arena, root, "type", &event->type);
    }

    if (status == PAY_NO_MEMORY) {
        return status;
    }

    if (status != PAY_OK || event->type.len == 0) {
        return pay_refuse(err, "validation-error",
                          "an event has event_id and type");
    }

    for (type = square_types; type->type != NULL; type++) {
        if (pay_square_is(root, "type", type->type)) {
            break;
        }
    }

    if (type->type == NULL) {
        return PAY_OK;
    }

    object = pay_json_path(root, "data", "object", type->object, NULL);

    if (pay_json_type(pay_json_get(object, type->state)) != PAY_JSON_STRING) {
        return pay_refuse(err, "validation-error", "an object has a state");
    }

    if (!square_is_ours(account, object)) {
        return PAY_OK;
    }

    status = type->read(arena, object, told);

    return (status == PAY_INVALID)
           ? pay_refuse(err, "validation-error",
                        "an object has its id, and an amount")
           : status;
}


static pay_status_t
square_paid(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_told_t *told)
{
    pay_psp_event_t  *event = &told->events[0];

    PAY_TRY(pay_square_payment(arena, payment, event));

    if (pay_square_is(payment, "status", "FAILED") && event->token.len != 0) {
        square_declined(event);
    }

    return (event->fact == PAY_FACT_PAID)
           ? pay_square_fees(arena, payment, event->reference, told) : PAY_OK;
}


/* The page stays open, and the next attempt is another payment. */
static void
square_declined(pay_psp_event_t *event)
{
    event->fact = PAY_FACT_ATTEMPT;
    event->object = event->reference;
    event->reference = PAY_STR("");
    event->has_amount = 0;
}


static int
square_is_ours(const pay_psp_account_t *account, const pay_json_t *object)
{
    pay_str_t  location;

    return pay_json_string(pay_json_get(object, "location_id"), &location)
           != PAY_OK
           || pay_str_eq(location, account->account);
}

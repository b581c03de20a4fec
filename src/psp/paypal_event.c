/*
 * What PayPal tells: orders as queries and captures show them, and
 * webhooks.  An order's own status is not money (docs/psp/paypal.md#states),
 * its captures are.  Of a webhook's body only a CRC is signed, so every one
 * that names an order is a hint and no more: the order is asked for before
 * anything moves.
 */

#include "psp/paypal.h"


#define PAYPAL_ORDER_EVENT     "CHECKOUT.ORDER."
#define PAYPAL_APPROVAL_EVENT  "CHECKOUT.PAYMENT-APPROVAL."
#define PAYPAL_FORGOTTEN       "RESOURCE_NOT_FOUND"

/* How a capture stands; the later one says more about the order. */
typedef enum {
    PAYPAL_CAPTURE_NONE = 0,
    PAYPAL_CAPTURE_FAILED,
    PAYPAL_CAPTURE_PENDING,
    PAYPAL_CAPTURE_PAID
} paypal_capture_t;

typedef struct {
    const char        *status;
    paypal_capture_t   capture;
} paypal_status_t;

typedef struct {
    paypal_capture_t   best;
    unsigned           paid;           /* how many of them */
    const pay_json_t  *capture;        /* the best one */
} paypal_captures_t;


static pay_status_t paypal_lapsed(pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);
static paypal_captures_t paypal_captures(const pay_json_t *units);
static paypal_capture_t paypal_capture_rank(const pay_json_t *capture);
static void paypal_fact(const pay_json_t *order, paypal_capture_t best,
    pay_psp_event_t *event);
static pay_status_t paypal_captured(pay_arena_t *arena,
    const paypal_captures_t *captures, pay_psp_event_t *event);
static pay_status_t paypal_event_order(pay_arena_t *arena, pay_str_t type,
    const pay_json_t *resource, pay_str_t *token);
static int paypal_begins_with(pay_str_t text, const char *prefix);


/* A refund comes after the payment and undoes nothing of its fact. */
static const paypal_status_t  paypal_statuses[] = {
    { "COMPLETED", PAYPAL_CAPTURE_PAID },
    { "PARTIALLY_REFUNDED", PAYPAL_CAPTURE_PAID },
    { "REFUNDED", PAYPAL_CAPTURE_PAID },
    { "PENDING", PAYPAL_CAPTURE_PENDING },
    { "DECLINED", PAYPAL_CAPTURE_FAILED },
    { "FAILED", PAYPAL_CAPTURE_FAILED },
    { NULL, PAYPAL_CAPTURE_NONE }
};


pay_status_t
pay_paypal_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known)
{
    pay_json_t       *order;
    pay_status_t      status;
    pay_psp_event_t   made;

    if (answer->sent == PAY_ANSWERED && answer->status == 404) {
        return paypal_lapsed(token, answer, event, known);
    }

    PAY_TRY(pay_psp_query_open(answer, &order));

    if (order == NULL) {
        *known = 0;
        return PAY_OK;
    }

    status = pay_paypal_state(arena, order, &made);
    pay_json_free(order);

    return pay_psp_query_done(status, token, &made, event, known);
}


/* PayPal forgets orders that lapse.  That is no fact: it may be a mistake of
 * the moment, and the checkout ends by its own time. */
static pay_status_t
paypal_lapsed(pay_str_t token, const pay_http_answer_t *answer,
    pay_psp_event_t *event, int *known)
{
    pay_json_t    *error;
    pay_status_t   status;

    *known = 0;

    status = pay_psp_parse(answer->body, &error, NULL);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_OK : status;
    }

    if (pay_paypal_is(error, "name", PAYPAL_FORGOTTEN)) {
        memset(event, 0, sizeof(*event));
        event->type = PAY_STR("lapsed");
        event->token = token;
        *known = 1;
    }

    pay_json_free(error);

    return PAY_OK;
}


pay_status_t
pay_paypal_state(pay_arena_t *arena, const pay_json_t *order,
    pay_psp_event_t *event)
{
    pay_status_t        status;
    const pay_json_t   *units;
    paypal_captures_t   captures;

    memset(event, 0, sizeof(*event));

    status = pay_psp_token_get(arena, order, "id", &event->token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    PAY_TRY(pay_psp_word_get(arena, order, "status", &event->type));

    units = pay_json_get(order, "purchase_units");
    captures = paypal_captures(units);
    paypal_fact(order, captures.best, event);

    if (captures.capture != NULL) {
        PAY_TRY(paypal_captured(arena, &captures, event));
    }

    if (event->fact != PAY_FACT_PAID) {
        PAY_TRY(pay_paypal_money_in(arena,
                                    pay_json_get(pay_json_at(units, 0),
                                                 "amount"), event));
    }

    if (event->fact == PAY_FACT_ATTEMPT) {
        event->has_amount = 0;
    }

    /* we make orders of one unit, and one capture takes all of it */
    if (event->has_amount && (captures.paid > 1 || pay_json_size(units) != 1))
    {
        event->amount_minor = 0;
    }

    return (event->fact == PAY_FACT_PAID && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


static paypal_captures_t
paypal_captures(const pay_json_t *units)
{
    size_t              i, k;
    paypal_capture_t    rank;
    const pay_json_t   *list;
    paypal_captures_t   found = { PAYPAL_CAPTURE_NONE, 0, NULL };

    for (i = 0; i < pay_json_size(units); i++) {
        list = pay_json_path(pay_json_at(units, i), "payments", "captures",
                             NULL);

        for (k = 0; k < pay_json_size(list); k++) {
            rank = paypal_capture_rank(pay_json_at(list, k));
            found.paid += (rank == PAYPAL_CAPTURE_PAID);

            if (rank > found.best) {
                found.best = rank;
                found.capture = pay_json_at(list, k);
            }
        }
    }

    return found;
}


static paypal_capture_t
paypal_capture_rank(const pay_json_t *capture)
{
    const paypal_status_t  *row;

    for (row = paypal_statuses; row->status != NULL; row++) {
        if (pay_paypal_is(capture, "status", row->status)) {
            break;
        }
    }

    return row->capture;
}


/* Money that came in counts, whatever else the order says.  After a capture
 * that failed the buyer may choose another instrument and approve again, until
 * the order is completed without money.  VOIDED is somebody's act: an order
 * that lapses is not found any more. */
static void
paypal_fact(const pay_json_t *order, paypal_capture_t best,
    pay_psp_event_t *event)
{
    if (best == PAYPAL_CAPTURE_PAID) {
        event->fact = PAY_FACT_PAID;

    } else if (best == PAYPAL_CAPTURE_PENDING) {
        event->fact = PAY_FACT_PENDING;

    } else if (pay_paypal_is(order, "status", "VOIDED")) {
        event->fact = PAY_FACT_CANCELLED;

    } else if (pay_paypal_is(order, "status", "COMPLETED")) {
        event->fact = (best == PAYPAL_CAPTURE_FAILED) ? PAY_FACT_DECLINED
                                                      : PAY_FACT_NONE;

    } else {
        event->must_capture = pay_paypal_is(order, "status", "APPROVED");

        if (best == PAYPAL_CAPTURE_FAILED && !event->must_capture) {
            event->fact = PAY_FACT_ATTEMPT;
        }
    }
}


static pay_status_t
paypal_captured(pay_arena_t *arena, const paypal_captures_t *captures,
    pay_psp_event_t *event)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, captures->capture, "id",
                               &event->reference);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

    PAY_TRY(pay_paypal_why(arena, captures->capture, &event->code));

    if (captures->best == PAYPAL_CAPTURE_FAILED) {
        event->object = event->reference;
    }

    if (event->fact == PAY_FACT_ATTEMPT) {
        event->reference = PAY_STR("");
    }

    return (event->fact == PAY_FACT_PAID)
           ? pay_paypal_money_in(arena, pay_json_get(captures->capture,
                                                     "amount"), event)
           : PAY_OK;
}


pay_status_t
pay_paypal_why(pay_arena_t *arena, const pay_json_t *capture, pay_str_t *code)
{
    PAY_TRY(pay_psp_word_get(arena, pay_json_get(capture,
                                                 "processor_response"),
                             "response_code", code));

    return (code->len == 0)
           ? pay_psp_word_get(arena, pay_json_get(capture, "status_details"),
                              "reason", code)
           : PAY_OK;
}


pay_status_t
pay_paypal_webhook_events(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    (void) event_id;           /* its headers name a transmission, which each
                                  repeat of an event has its own of */

    return pay_psp_webhook(arena, account, body, pay_paypal_event, events,
                           count, err);
}


pay_status_t
pay_paypal_event(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
{
    pay_str_t          type;
    pay_status_t       status;
    pay_psp_event_t   *event = pay_psp_told_add(told);
    const pay_json_t  *resource;

    (void) account;            /* PayPal's events do not tell their mode */

    status = pay_psp_token_get(arena, root, "id", &event->event_id);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

    resource = pay_json_get(root, "resource");

    if (status != PAY_OK
        || pay_json_string(pay_json_get(root, "event_type"), &type) != PAY_OK
        || type.len == 0 || pay_json_type(resource) != PAY_JSON_OBJECT)
    {
        return pay_refuse(err, "validation-error",
                          "an event has id, event_type and resource");
    }

    PAY_TRY(pay_psp_safe(arena, type, &event->type));

    status = paypal_event_order(arena, type, resource, &event->token);
    if (status != PAY_OK && status != PAY_NOT_FOUND) {
        return status;
    }

    event->must_ask = (status == PAY_OK);

    return PAY_OK;
}


/* PAY_NOT_FOUND when it is about no order. */
static pay_status_t
paypal_event_order(pay_arena_t *arena, pay_str_t type,
    const pay_json_t *resource, pay_str_t *token)
{
    if (paypal_begins_with(type, PAYPAL_ORDER_EVENT)) {
        return pay_psp_token_get(arena, resource, "id", token);
    }

    if (paypal_begins_with(type, PAYPAL_APPROVAL_EVENT)) {
        return pay_psp_token_get(arena, resource, "order_id", token);
    }

    return pay_psp_token_get(arena, pay_json_path(resource,
                                                  "supplementary_data",
                                                  "related_ids", NULL),
                             "order_id", token);
}


static int
paypal_begins_with(pay_str_t text, const char *prefix)
{
    size_t  len = strlen(prefix);

    return text.len > len && memcmp(text.data, prefix, len) == 0;
}

/*
 * Stripe Checkout Sessions (psp.md 2): form-encoded calls, JSON answers, the
 * checkout.session.* events.  The session's id is our token, its url the
 * hosted page.  Money is believed from payment_status alone; events about
 * other objects say nothing about an order yet.
 */

#include "psp/psp.h"


#define STRIPE_VERSION     "2026-10-28.endive"
#define STRIPE_SESSIONS    "/v1/checkout/sessions"
#define STRIPE_REUSED      "idempotency_error"

typedef enum {
    STRIPE_ECHO_RIGHT = 0,     /* or absent: nothing contradicts */
    STRIPE_ECHO_WRONG,
    STRIPE_ECHO_INVALID
} stripe_echo_t;

typedef struct {
    const char  *type;
    pay_fact_t   fact;         /* NONE: payment_status decides */
} stripe_type_t;


static pay_status_t stripe_register_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t stripe_form(pay_buf_t *form, const pay_psp_order_t *order,
    pay_err_t *err);
static pay_status_t stripe_form_line(pay_buf_t *form, unsigned number,
    const pay_psp_line_t *line, const pay_currency_t *currency,
    pay_err_t *err);
static void stripe_pair(pay_buf_t *form, const char *name, pay_str_t value);
static void stripe_line_name(pay_buf_t *form, unsigned number,
    const char *name);
static pay_status_t stripe_register_answer(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_http_answer_t *answer,
    pay_psp_registered_t *result);
static stripe_echo_t stripe_echo(const pay_psp_order_t *order,
    const pay_json_t *session);
static stripe_echo_t stripe_echo_text(const pay_json_t *session,
    const char *member, pay_str_t expected);
static pay_status_t stripe_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error);
static pay_status_t stripe_query_request(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t token,
    pay_http_request_t *request);
static pay_status_t stripe_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);
static pay_fact_t stripe_query_fact(const pay_json_t *session);
static pay_status_t stripe_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err);
static pay_status_t stripe_event(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_event_t *event, pay_err_t *err);
static pay_fact_t stripe_paid_fact(const pay_json_t *session);
static int stripe_member_is(const pay_json_t *json, const char *member,
    const char *text);
static pay_status_t stripe_session(pay_arena_t *arena,
    const pay_json_t *session, pay_psp_event_t *event);
static pay_status_t stripe_amount_in(pay_arena_t *arena,
    const pay_json_t *session, pay_psp_event_t *event);


static const stripe_type_t  stripe_types[] = {
    { "checkout.session.completed", PAY_FACT_NONE },
    { "checkout.session.async_payment_succeeded", PAY_FACT_PAID },
    { "checkout.session.async_payment_failed", PAY_FACT_DECLINED },
    { "checkout.session.expired", PAY_FACT_EXPIRED },
    { NULL, PAY_FACT_NONE }
};


const pay_psp_adapter_t  pay_psp_stripe = {
    .name = "stripe",
    .scheme = "stripe",
    .key_window_hours = 24,
    .min_expiry_s = 1800,
    .max_expiry_s = 86400,
    .register_request = stripe_register_request,
    .register_answer = stripe_register_answer,
    .query_request = stripe_query_request,
    .query_answer = stripe_query_answer,
    .webhook_events = stripe_webhook_events
};


static pay_status_t
stripe_register_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_order_t *order, pay_http_request_t *request, pay_err_t *err)
{
    pay_buf_t           form;
    pay_str_t           body;
    pay_http_request_t  made;

    if (!pay_psp_order_sane(order)) {
        return PAY_BUG;
    }

    pay_buf_init(&form, arena, PAY_PSP_REQUEST_MAX);
    PAY_TRY(stripe_form(&form, order, err));
    PAY_TRY(pay_buf_done(&form, &body));
    PAY_TRY(pay_psp_request_init(arena, account, "POST", STRIPE_SESSIONS,
                                 PAY_STR(""), &made));

    pay_psp_field_add(&made, "Stripe-Version", PAY_STR(STRIPE_VERSION));
    pay_psp_field_add(&made, "Content-Type",
                      PAY_STR("application/x-www-form-urlencoded"));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));
    pay_psp_field_add(&made, "Idempotency-Key", order->nonce);
    made.body = body;

    *request = made;

    return PAY_OK;
}


static pay_status_t
stripe_form(pay_buf_t *form, const pay_psp_order_t *order, pay_err_t *err)
{
    int       has_query;
    unsigned  i;

    has_query = memchr(order->return_url.data, '?', order->return_url.len)
                != NULL;

    pay_buf_text(form, "mode=payment");
    stripe_pair(form, "success_url", order->return_url);
    stripe_pair(form, "cancel_url", order->return_url);
    pay_buf_percent(form, has_query ? PAY_STR("&cancelled=1")
                                    : PAY_STR("?cancelled=1"));
    stripe_pair(form, "client_reference_id", order->reference);
    stripe_pair(form, "metadata[payment_reference]", order->reference);
    stripe_pair(form, "expires_at", PAY_STR(""));
    pay_buf_int(form, order->expires_s);

    for (i = 0; i < order->line_count; i++) {
        PAY_TRY(stripe_form_line(form, i, &order->lines[i], order->currency,
                                 err));
    }

    return PAY_OK;
}


static pay_status_t
stripe_form_line(pay_buf_t *form, unsigned number, const pay_psp_line_t *line,
    const pay_currency_t *currency, pay_err_t *err)
{
    int64_t        amount;
    unsigned char  code[PAY_STRIPE_CODE];

    PAY_TRY(pay_stripe_to_theirs(currency, line->amount_minor, &amount, err));

    stripe_line_name(form, number, "[quantity]");
    pay_buf_int(form, 1);
    stripe_line_name(form, number, "[price_data][currency]");
    pay_buf_add(form, pay_stripe_currency(currency, code));
    stripe_line_name(form, number, "[price_data][unit_amount]");
    pay_buf_int(form, amount);
    stripe_line_name(form, number, "[price_data][product_data][name]");
    pay_buf_percent(form, line->name.len ? line->name
                                         : line->payment_order_id);

    return PAY_OK;
}


static void
stripe_pair(pay_buf_t *form, const char *name, pay_str_t value)
{
    pay_buf_text(form, "&");
    pay_buf_percent(form, pay_str_of(name));
    pay_buf_text(form, "=");
    pay_buf_percent(form, value);
}


static void
stripe_line_name(pay_buf_t *form, unsigned number, const char *name)
{
    pay_buf_text(form, "&line_items");
    pay_buf_percent(form, PAY_STR("["));
    pay_buf_int(form, number);
    pay_buf_percent(form, PAY_STR("]"));
    pay_buf_percent(form, pay_str_of(name));
    pay_buf_text(form, "=");
}


static pay_status_t
stripe_register_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    pay_json_t            *session;
    pay_status_t           status;
    stripe_echo_t          echo;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_answer_open(arena, answer, stripe_error, &session,
                                &made));

    if (session == NULL) {
        *result = made;
        return PAY_OK;
    }

    status = PAY_OK;
    echo = stripe_echo(order, session);

    if (echo == STRIPE_ECHO_RIGHT) {
        status = pay_psp_answer_done(arena, session, "id", "url", &made);

    } else if (echo == STRIPE_ECHO_WRONG) {
        made.code = PAY_STR("answer_mismatch");
    }

    pay_json_free(session);

    if (status == PAY_OK) {
        *result = made;
    }

    return status;
}


static stripe_echo_t
stripe_echo(const pay_psp_order_t *order, const pay_json_t *session)
{
    int64_t            expected, amount;
    stripe_echo_t      echo;
    unsigned char      code[PAY_STRIPE_CODE];
    const pay_json_t  *total;

    total = pay_json_get(session, "amount_total");

    if (total != NULL && pay_json_type(total) != PAY_JSON_NULL) {

        if (pay_json_integer(total, &amount) != PAY_OK) {
            return STRIPE_ECHO_INVALID;
        }

        if (pay_stripe_to_theirs(order->currency, order->amount_minor,
                                 &expected, NULL)
            != PAY_OK || amount != expected)
        {
            return STRIPE_ECHO_WRONG;
        }
    }

    echo = stripe_echo_text(session, "currency",
                            pay_stripe_currency(order->currency, code));
    if (echo != STRIPE_ECHO_RIGHT) {
        return echo;
    }

    return stripe_echo_text(session, "client_reference_id", order->reference);
}


static stripe_echo_t
stripe_echo_text(const pay_json_t *session, const char *member,
    pay_str_t expected)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(session, member);

    if (value == NULL || pay_json_type(value) == PAY_JSON_NULL) {
        return STRIPE_ECHO_RIGHT;
    }

    if (pay_json_string(value, &text) != PAY_OK) {
        return STRIPE_ECHO_INVALID;
    }

    return pay_str_eq(text, expected) ? STRIPE_ECHO_RIGHT : STRIPE_ECHO_WRONG;
}


static pay_status_t
stripe_error(pay_arena_t *arena, const pay_json_t *root, pay_psp_error_t *error)
{
    return pay_psp_error_object(arena, root, STRIPE_REUSED, error);
}


static pay_status_t
stripe_query_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t token, pay_http_request_t *request)
{
    pay_http_request_t  made;

    if (!pay_psp_token_is_valid(token)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_init(arena, account, "GET", STRIPE_SESSIONS "/",
                                 token, &made));

    pay_psp_field_add(&made, "Stripe-Version", PAY_STR(STRIPE_VERSION));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));

    *request = made;

    return PAY_OK;
}


static pay_status_t
stripe_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known)
{
    pay_json_t       *session;
    pay_status_t      status;
    pay_psp_event_t   made;

    PAY_TRY(pay_psp_query_open(answer, &session));

    if (session == NULL) {
        *known = 0;
        return PAY_OK;
    }

    memset(&made, 0, sizeof(made));
    made.fact = stripe_query_fact(session);

    status = stripe_session(arena, session, &made);
    if (status == PAY_OK) {
        status = pay_psp_word_get(arena, session, "status", &made.type);
    }

    pay_json_free(session);

    return pay_psp_query_done(status, token, &made, event, known);
}


/* Money that came in counts, whatever else the session says. */
static pay_fact_t
stripe_query_fact(const pay_json_t *session)
{
    if (stripe_member_is(session, "payment_status", "paid")) {
        return PAY_FACT_PAID;
    }

    if (stripe_member_is(session, "status", "complete")) {
        return stripe_paid_fact(session);
    }

    if (stripe_member_is(session, "status", "expired")) {
        return PAY_FACT_EXPIRED;
    }

    return PAY_FACT_NONE;
}


static pay_status_t
stripe_webhook_events(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    pay_json_t       *root;
    pay_status_t      status;
    pay_psp_event_t   event;

    (void) account;
    (void) event_id;           /* Stripe's headers carry none */

    PAY_TRY(pay_psp_parse(body, &root, err));

    memset(&event, 0, sizeof(event));
    status = stripe_event(arena, root, &event, err);
    pay_json_free(root);

    if (status == PAY_OK) {
        events[0] = event;
        *count = 1;
    }

    return status;
}


static pay_status_t
stripe_event(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_event_t *event, pay_err_t *err)
{
    pay_status_t          status;
    const pay_json_t     *session;
    const stripe_type_t  *type;

    status = pay_psp_token_get(arena, root, "id", &event->event_id);
    if (status == PAY_OK) {
        status = pay_psp_word_get(arena, root, "type", &event->type);
    }

    if (status == PAY_NO_MEMORY) {
        return status;
    }

    if (status != PAY_OK || event->type.len == 0) {
        return pay_refuse(err, "validation-error", "an event has id and type");
    }

    if (stripe_member_is(root, "object", "v2.core.event")) {
        return PAY_OK;
    }

    if (!stripe_member_is(root, "object", "event")) {
        return pay_refuse(err, "validation-error", "not an event object");
    }

    for (type = stripe_types; type->type != NULL; type++) {
        if (stripe_member_is(root, "type", type->type)) {
            break;
        }
    }

    if (type->type == NULL) {
        return PAY_OK;
    }

    session = pay_json_path(root, "data", "object", NULL);
    event->fact = (type->fact == PAY_FACT_NONE) ? stripe_paid_fact(session)
                                                : type->fact;

    status = stripe_session(arena, session, event);

    return (status == PAY_INVALID)
           ? pay_refuse(err, "validation-error",
                        "a session has an id; a paid one an amount")
           : status;
}


/* A completed session: no_payment_required says nothing, since what we
 * register is never free. */
static pay_fact_t
stripe_paid_fact(const pay_json_t *session)
{
    if (stripe_member_is(session, "payment_status", "paid")) {
        return PAY_FACT_PAID;
    }

    return stripe_member_is(session, "payment_status", "unpaid")
           ? PAY_FACT_PENDING : PAY_FACT_NONE;
}


static int
stripe_member_is(const pay_json_t *json, const char *member, const char *text)
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

    status = pay_psp_token_get(arena, session, "payment_intent",
                               &event->reference);
    if (status == PAY_NOT_FOUND) {                     /* null or expanded */
        status = pay_psp_token_get(arena,
                                   pay_json_get(session, "payment_intent"),
                                   "id", &event->reference);
    }

    if (status == PAY_NO_MEMORY) {
        return status;
    }

    PAY_TRY(stripe_amount_in(arena, session, event));

    return (event->fact == PAY_FACT_PAID && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


/* An amount that cannot be one of our orders' (negative, a fraction of an ISO
 * unit, an unknown currency) is told as 0, which no order has: it lands in
 * the mismatch queue instead of matching by accident. */
static pay_status_t
stripe_amount_in(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event)
{
    size_t                 i;
    int64_t                theirs;
    pay_str_t              text;
    unsigned char         *code;
    const pay_currency_t  *currency;

    if (pay_json_integer(pay_json_get(session, "amount_total"), &theirs)
        != PAY_OK
        || pay_json_string(pay_json_get(session, "currency"), &text) != PAY_OK
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

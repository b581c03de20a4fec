/*
 * The base of the Stripe adapter's other files: the head of a call, amounts
 * (docs/psp/stripe.md#amounts), errors, and the state of a session.  Amounts
 * are minor units as in ISO 4217 but for a few currencies.  They are checked,
 * never rounded; an amount that does not fit is refused here, before Stripe
 * could read it as another one.  Money is believed from payment_status alone,
 * except with manual capture: then the payment itself has the captured amount.
 */

#include "psp/stripe.h"


#define STRIPE_REUSED  "idempotency_error"


static const pay_psp_unit_t *stripe_unit(const pay_currency_t *currency);
static pay_fact_t stripe_state_fact(const pay_json_t *session);
static pay_status_t stripe_held_state(pay_arena_t *arena,
    const pay_json_t *session, pay_psp_event_t *event);
static pay_status_t stripe_captured_in(pay_arena_t *arena,
    const pay_json_t *intent, pay_psp_event_t *event);


/* docs/psp/stripe.md#amounts.  Currencies with two decimals in ISO 4217 and
 * here need no row; others without a row are unsupported. */
static const pay_psp_unit_t  stripe_units[] = {
    { "BIF", 1, 1, 1 }, { "CLP", 1, 1, 1 }, { "DJF", 1, 1, 1 },
    { "GNF", 1, 1, 1 }, { "JPY", 1, 1, 1 }, { "KMF", 1, 1, 1 },
    { "KRW", 1, 1, 1 }, { "PYG", 1, 1, 1 }, { "RWF", 1, 1, 1 },
    { "VND", 1, 1, 1 }, { "VUV", 1, 1, 1 }, { "XAF", 1, 1, 1 },
    { "XOF", 1, 1, 1 }, { "XPF", 1, 1, 1 },
    { "ISK", 100, 1, 100 }, { "UGX", 100, 1, 100 },
    { "MGA", 1, 100, 1 },
    { "BHD", 1, 1, 10 }, { "JOD", 1, 1, 10 }, { "KWD", 1, 1, 10 },
    { "OMR", 1, 1, 10 }, { "TND", 1, 1, 10 },
    { "", 1, 1, 1 }
};


/* Stripe-Version is pinned: without it the account's own version would decide
 * how answers look. */
pay_status_t
pay_stripe_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request)
{
    PAY_TRY(pay_psp_request_init(arena, account, method, path, last,
                                 request));

    pay_psp_field_add(request, "Stripe-Version", PAY_STR(PAY_STRIPE_VERSION));
    pay_psp_field_add(request, "Accept", PAY_STR("application/json"));

    return PAY_OK;
}


void
pay_stripe_form_add(pay_http_request_t *request, pay_str_t body)
{
    pay_psp_field_add(request, "Content-Type",
                      PAY_STR("application/x-www-form-urlencoded"));
    request->body = body;
}


/* Also for queries.  The form begins with a pair of its own, so each of these
 * has an "&" before it. */
void
pay_stripe_pair(pay_buf_t *form, const char *name, pay_str_t value)
{
    pay_buf_text(form, "&");
    pay_buf_percent(form, pay_str_of(name));
    pay_buf_text(form, "=");
    pay_buf_percent(form, value);
}


/* Other parameters under the same key are an idempotency_error: the first call
 * may have had an effect. */
pay_status_t
pay_stripe_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    return pay_psp_error_object(arena, root, STRIPE_REUSED, error);
}


/* Three decimals whose last digit is 0, and whole units of currencies that are
 * written with two: docs/psp/stripe.md#amounts. */
pay_status_t
pay_stripe_to_theirs(const pay_currency_t *currency, int64_t ours,
    int64_t *theirs, pay_err_t *err)
{
    int64_t                amount;
    const pay_psp_unit_t  *unit = stripe_unit(currency);

    if (unit == NULL) {
        return pay_refuse(err, "currency-unsupported",
                          "Stripe does not take this currency");
    }

    if (!pay_psp_unit_to_theirs(unit, ours, &amount)) {
        return pay_refuse(err, "amount-invalid",
                          "Stripe takes whole units of this currency only");
    }

    if (amount % unit->step != 0) {
        return pay_refuse(err, "amount-invalid",
                          "at Stripe the last decimal of this currency is 0");
    }

    *theirs = amount;

    return PAY_OK;
}


/* NULL when Stripe does not take the currency. */
static const pay_psp_unit_t *
stripe_unit(const pay_currency_t *currency)
{
    const pay_psp_unit_t  *unit = pay_psp_unit(stripe_units, currency);

    return (unit->code[0] != '\0' || currency->exponent == 2) ? unit : NULL;
}


/* Stripe writes currencies in lower case; | 0x20 does that to capital
 * letters. */
pay_str_t
pay_stripe_currency(const pay_currency_t *currency,
    unsigned char text[PAY_PSP_CURRENCY_LEN])
{
    size_t  i;

    for (i = 0; i < PAY_PSP_CURRENCY_LEN; i++) {
        text[i] = (unsigned char) (currency->code[i] | 0x20);
    }

    return (pay_str_t) { PAY_PSP_CURRENCY_LEN, text };
}


/* A currency without an amount is compared, too; both may be absent in an
 * answer. */
pay_psp_echo_t
pay_stripe_echo_money(const pay_json_t *json, const char *member,
    const pay_currency_t *currency, int64_t minor)
{
    int64_t        expected, amount;
    unsigned char  code[PAY_PSP_CURRENCY_LEN];

    if (pay_psp_is_there(json, member)) {

        if (pay_json_integer(pay_json_get(json, member), &amount) != PAY_OK) {
            return PAY_PSP_ECHO_INVALID;
        }

        if (pay_stripe_to_theirs(currency, minor, &expected, NULL) != PAY_OK
            || amount != expected)
        {
            return PAY_PSP_ECHO_WRONG;
        }
    }

    return pay_psp_echo_text(json, "currency",
                             pay_stripe_currency(currency, code));
}


/* An amount that no order of ours can have (negative, a fraction of an ISO
 * unit, an unknown currency) is reported as 0, which no order has: it lands in
 * the mismatch queue instead of matching by accident. */
pay_status_t
pay_stripe_amount_in(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_psp_event_t *event)
{
    int64_t  theirs;

    return (pay_json_integer(pay_json_get(json, member), &theirs) == PAY_OK)
           ? pay_stripe_units_in(arena, json, theirs, event) : PAY_OK;
}


/* Stripe writes currencies in lower case. */
pay_status_t
pay_stripe_units_in(pay_arena_t *arena, const pay_json_t *json, int64_t theirs,
    pay_psp_event_t *event)
{
    size_t                 i;
    pay_str_t              text;
    unsigned char         *code;
    const pay_currency_t  *currency;

    if (pay_json_string(pay_json_get(json, "currency"), &text) != PAY_OK
        || text.len != PAY_PSP_CURRENCY_LEN)
    {
        return PAY_OK;
    }

    code = pay_alloc(arena, PAY_PSP_CURRENCY_LEN);
    if (code == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < PAY_PSP_CURRENCY_LEN; i++) {
        code[i] = (unsigned char) (text.data[i] & ~0x20);

        if (code[i] < 'A' || code[i] > 'Z') {
            return PAY_OK;
        }
    }

    event->has_amount = 1;
    event->currency = (pay_str_t) { PAY_PSP_CURRENCY_LEN, code };
    event->amount_minor = 0;

    if (pay_currency_find(event->currency, &currency, NULL) == PAY_OK) {
        event->amount_minor = pay_psp_unit_to_ours(stripe_unit(currency),
                                                   theirs);
    }

    return PAY_OK;
}


/* `type` comes last, because an event with a type says that the session was
 * read as a whole. */
pay_status_t
pay_stripe_state(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event)
{
    int  held = pay_stripe_is_held(session);

    event->fact = held ? PAY_FACT_NONE : stripe_state_fact(session);

    PAY_TRY(pay_stripe_session(arena, session, event));

    if (held) {
        PAY_TRY(stripe_held_state(arena, session, event));
    }

    return pay_psp_word_get(arena, session, "status", &event->type);
}


/* Money that came in counts, whatever else the session says. */
static pay_fact_t
stripe_state_fact(const pay_json_t *session)
{
    if (pay_psp_is(session, "payment_status", "paid")) {
        return PAY_FACT_PAID;
    }

    if (pay_psp_is(session, "status", "complete")) {
        return pay_stripe_paid_fact(session);
    }

    if (pay_psp_is(session, "status", "expired")) {
        return PAY_FACT_EXPIRED;
    }

    return PAY_FACT_NONE;
}


/* "paid" would be said of a part, too.  Without the payment, as in an answer
 * to an expiry, only the end of the page is known. */
static pay_status_t
stripe_held_state(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event)
{
    const pay_json_t  *intent = pay_json_get(session, "payment_intent");

    if (pay_psp_is(session, "status", "expired")) {
        event->fact = PAY_FACT_EXPIRED;
    }

    return (pay_json_type(intent) == PAY_JSON_OBJECT)
           ? pay_stripe_held(arena, intent, event) : PAY_OK;
}


/* 1 for a session that we asked to hold the money. */
int
pay_stripe_is_held(const pay_json_t *session)
{
    return pay_psp_is(pay_json_get(session, "metadata"), "capture",
                         "manual")
           || pay_psp_is(pay_json_get(session, "payment_intent"),
                            "capture_method", "manual");
}


/* A completed session: no_payment_required says nothing, since what we
 * register is never free. */
pay_fact_t
pay_stripe_paid_fact(const pay_json_t *session)
{
    if (pay_psp_is(session, "payment_status", "paid")) {
        return PAY_FACT_PAID;
    }

    return pay_psp_is(session, "payment_status", "unpaid")
           ? PAY_FACT_PENDING : PAY_FACT_NONE;
}


/* The session's token, payment and amount.  PAY_INVALID without a token, or
 * when paid without an amount. */
pay_status_t
pay_stripe_session(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event)
{
    PAY_TRY(pay_psp_token_need(arena, session, "id", &event->token));
    PAY_TRY(pay_stripe_intent_id(arena, session, &event->reference));
    PAY_TRY(pay_stripe_amount_in(arena, session, "amount_total", event));

    return (event->fact == PAY_FACT_PAID && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


/* A session may have no intent yet, so a missing id is no error. */
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


/* amount_received is 0 for a hold, and more for a payment that is captured in
 * part and has more to capture; both are requires_capture. */
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

    if (pay_psp_is(intent, "status", "requires_capture") && received == 0) {
        event->fact = PAY_FACT_AUTHORIZED;
        event->has_amount = 0;
        PAY_TRY(pay_stripe_amount_in(arena, intent, "amount_capturable",
                                     event));
        return event->has_amount ? PAY_OK : PAY_INVALID;
    }

    if (pay_psp_is(intent, "status", "requires_capture")
        || pay_psp_is(intent, "status", "succeeded"))
    {
        return stripe_captured_in(arena, intent, event);
    }

    if (pay_psp_is(intent, "status", "canceled")
        && event->fact == PAY_FACT_NONE)
    {
        event->fact = PAY_FACT_CANCELLED;

    } else if (pay_psp_is(intent, "status", "processing")) {
        event->fact = PAY_FACT_PENDING;
    }

    return PAY_OK;
}


/* The gateway captures once, and the rest is released then; in the dashboard an
 * operator may do otherwise.  A payment with more to capture is
 * requires_capture. */
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
                      pay_psp_is(intent, "status", "succeeded")
                      ? PAY_NEWS_ENDED : PAY_NEWS_SUCCEEDED);
    }

    return PAY_OK;
}

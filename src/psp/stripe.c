/*
 * Stripe Checkout Sessions (docs/psp/stripe.md): form-encoded calls, JSON
 * answers.  The session's id is our token, its url the hosted page.
 *
 * Stripe's lists have the newest first.  Sessions cannot be listed by our
 * reference, so those of the time in which ours can have been made are looked
 * through.  Events are the objects that webhooks bring, under the same ids;
 * Stripe has them for 30 days.
 *
 * The life of a session here:
 *
 *    POST sessions ─▶ "open" ─▶ "complete": payment_status paid or unpaid
 *                       │           └─ capture manual: the payment decides
 *                       └─ /expire, or expires_at: "expired"
 */

#include "psp/stripe.h"


#define STRIPE_EVENTS  "/v1/events"
/* A session may take 8 KiB, in an event, too: six of them fit into an
 * answer. */
#define STRIPE_PAGE    6


static pay_status_t stripe_register(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t stripe_ask(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t token,
    pay_http_request_t *request);
static pay_status_t stripe_form(pay_buf_t *form,
    const pay_psp_checkout_t *checkout, pay_err_t *err);
static void stripe_form_held(pay_buf_t *form);
static pay_status_t stripe_form_line(pay_buf_t *form, unsigned number,
    const pay_psp_line_t *line, const pay_currency_t *currency,
    pay_err_t *err);
static void stripe_line_name(pay_buf_t *form, unsigned number,
    const char *name);
static pay_status_t stripe_registered(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *session,
    pay_psp_registered_t *result);
static pay_status_t stripe_find_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_http_request_t *request);
static pay_status_t stripe_look(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *root,
    pay_psp_registered_t *result);
static pay_status_t stripe_found(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *entry, int *ours,
    pay_psp_registered_t *result);
static pay_status_t stripe_list_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    pay_http_request_t *request);
static pay_status_t stripe_page(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_json_t *root, pay_psp_listed_t *listed);
static pay_status_t stripe_after(pay_arena_t *arena, const pay_json_t *root,
    pay_str_t *after);
static void stripe_query_int(pay_buf_t *query, const char *name,
    int64_t number);
static pay_status_t stripe_get(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *path, pay_buf_t *query,
    pay_http_request_t *request);


/* Stripe reads forms: its requests have functions of their own. */
static const pay_psp_wire_t  stripe_wire = {
    .error = pay_stripe_error,
    .change_error = pay_stripe_change_error,
    .registered = stripe_registered,
    .state = pay_stripe_state,
    .look = stripe_look,
    .page = stripe_page,
    .event = pay_stripe_event,
    .calls = pay_stripe_calls
};

PAY_PSP_SLOTS(stripe)

/* Keys live for at least 24 hours, a session for 30 minutes to 24 hours
 * (docs/psp/stripe.md).  An expiry may be repeated for ever: Stripe answers
 * with an error for a session that has ended, which is asked about then. */
const pay_psp_adapter_t  pay_psp_stripe = {
    .name = "stripe",
    .scheme = "stripe",
    .key_window_hours = 24,
    .change_window_hours = {
        [PAY_PSP_CAPTURE] = 24, [PAY_PSP_CANCEL] = 24,
        [PAY_PSP_REFUND] = 24, [PAY_PSP_EXPIRE] = PAY_PSP_ALWAYS_HOURS
    },
    .min_expiry_s = 1800,
    .max_expiry_s = 86400,
    .hold_hours = 168,
    .traits = PAY_PSP_AUTHORIZES | PAY_PSP_BY_PAYMENT
              | PAY_PSP_NAMES_REFUNDS,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
               | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE),
    .register_request = stripe_register,
    .register_answer = stripe_register_answer,
    .query_request = stripe_ask,
    .query_answer = stripe_query_answer,
    .find_request = stripe_find_request,
    .find_answer = stripe_find_answer,
    .list_request = stripe_list_request,
    .list_answer = stripe_list_answer,
    .change_request = pay_stripe_change,
    .change_answer = stripe_change_answer,
    .webhook_events = stripe_webhook_events,
    .settlements = &pay_psp_stripe_settlements
};


/* The nonce is the key without a suffix, as changes have one. */
static pay_status_t
stripe_register(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_buf_t           form;
    pay_str_t           body;
    pay_http_request_t  made;

    if (!pay_psp_checkout_sane(checkout)) {
        return PAY_BUG;
    }

    pay_buf_init(&form, arena, PAY_PSP_REQUEST_MAX);
    PAY_TRY(stripe_form(&form, checkout, err));
    PAY_TRY(pay_buf_done(&form, &body));
    PAY_TRY(pay_stripe_request(arena, account, "POST", PAY_STRIPE_SESSIONS,
                               PAY_STR(""), &made));

    pay_psp_field_add(&made, "Idempotency-Key", checkout->nonce);
    pay_stripe_form_add(&made, body);
    *request = made;

    return PAY_OK;
}


/* The reference goes into the session, its metadata and the payment's
 * metadata, because Stripe does not copy one to the other. */
static pay_status_t
stripe_form(pay_buf_t *form, const pay_psp_checkout_t *checkout, pay_err_t *err)
{
    unsigned  i;

    pay_buf_text(form, "mode=payment");
    pay_stripe_pair(form, "success_url", checkout->return_url);
    pay_stripe_pair(form, "cancel_url", checkout->return_url);
    pay_buf_percent(form,
                    pay_str_of(pay_psp_cancelled_query(checkout->return_url)));
    pay_stripe_pair(form, "client_reference_id", checkout->merchant_reference);
    pay_stripe_pair(form, "metadata[payment_reference]",
                    checkout->merchant_reference);
    pay_stripe_pair(form, "expires_at", PAY_STR(""));
    pay_buf_int(form, checkout->expires_s);
    pay_stripe_pair(form, "payment_intent_data[metadata][payment_reference]",
                    checkout->merchant_reference);

    if (checkout->capture_later) {
        stripe_form_held(form);
    }

    if (checkout->challenge) {
        pay_stripe_pair(form, "payment_method_options[card]"
                        "[request_three_d_secure]", PAY_STR("any"));
    }

    for (i = 0; i < checkout->line_count; i++) {
        PAY_TRY(stripe_form_line(form, i, &checkout->lines[i],
                                 checkout->currency, err));
    }

    return PAY_OK;
}


/* A session's own answer and events do not say how its money is taken, so
 * that its metadata do. */
static void
stripe_form_held(pay_buf_t *form)
{
    pay_stripe_pair(form, "metadata[capture]", PAY_STR("manual"));
    pay_stripe_pair(form, "payment_intent_data[capture_method]",
                    PAY_STR("manual"));
}


/* Amounts are checked line by line; their sum needs no check of its own, since
 * Stripe adds them up. */
static pay_status_t
stripe_form_line(pay_buf_t *form, unsigned number, const pay_psp_line_t *line,
    const pay_currency_t *currency, pay_err_t *err)
{
    int64_t        amount;
    unsigned char  code[PAY_PSP_CURRENCY_LEN];

    PAY_TRY(pay_stripe_to_theirs(currency, line->amount_minor, &amount, err));

    stripe_line_name(form, number, "[quantity]");
    pay_buf_int(form, 1);
    stripe_line_name(form, number, "[price_data][currency]");
    pay_buf_add(form, pay_stripe_currency(currency, code));
    stripe_line_name(form, number, "[price_data][unit_amount]");
    pay_buf_int(form, amount);
    stripe_line_name(form, number, "[price_data][product_data][name]");
    pay_buf_percent(form, pay_psp_line_name(line));

    return PAY_OK;
}


static void
stripe_line_name(pay_buf_t *form, unsigned number, const char *name)
{
    pay_buf_text(form, "&line_items%5B");
    pay_buf_int(form, number);
    pay_buf_text(form, "%5D");
    pay_buf_percent(form, pay_str_of(name));
    pay_buf_text(form, "=");
}


/* A session of the order as an answer or a list has it. */
static pay_status_t
stripe_registered(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *session, pay_psp_registered_t *result)
{
    pay_psp_echo_t  echo;

    echo = pay_stripe_echo_money(session, "amount_total", checkout->currency,
                                 checkout->amount_minor);
    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_psp_echo_text(session, "client_reference_id",
                                 checkout->merchant_reference);
    }

    if (!pay_psp_believed(echo, &result->code)) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_answer_done(arena, session, "id", "url", result));

    /* events about the payment and its charges name it by our reference */
    if (result->outcome == PAY_PSP_DONE) {
        result->alias = checkout->merchant_reference;
    }

    return PAY_OK;
}


/* The payment is expanded into the answer: with manual capture only it says
 * how much is held and captured. */
static pay_status_t
stripe_ask(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t token, pay_http_request_t *request)
{
    pay_str_t  last;

    if (!pay_psp_token_is_valid(token)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_format(arena, &last, PAY_PSP_URL_MAX,
                       "%.*s?expand%%5B0%%5D=payment_intent", pay_fmt(token)));

    return pay_stripe_request(arena, account, "GET", PAY_STRIPE_SESSIONS "/",
                              last, request);
}


/* The window of `created` bounds the search: from the earliest moment at which
 * the checkout can have been registered to its end. */
static pay_status_t
stripe_find_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_http_request_t *request)
{
    pay_buf_t  query;

    if (!pay_psp_find_sane(checkout)) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?limit=");
    pay_buf_int(&query, STRIPE_PAGE);
    stripe_query_int(&query, "created[gte]",
                     pay_psp_find_since(checkout, pay_psp_stripe.max_expiry_s));
    stripe_query_int(&query, "created[lte]", checkout->expires_s);

    if (checkout->find_from.len != 0) {
        pay_stripe_pair(&query, "starting_after", checkout->find_from);
    }

    return stripe_get(arena, account, PAY_STRIPE_SESSIONS, &query, request);
}


/* A page without a hit is followed by the next until has_more is false; only
 * then it is certain that there is none. */
static pay_status_t
stripe_look(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *root, pay_psp_registered_t *result)
{
    int        found;
    pay_str_t  after;

    PAY_TRY(stripe_after(arena, root, &after));
    PAY_TRY(pay_psp_find_in(arena, checkout, pay_json_get(root, "data"),
                            stripe_found, result, &found));

    return found ? PAY_OK : pay_psp_find_none(checkout, after, result);
}


/* Sessions of other systems have other references, or none. */
static pay_status_t
stripe_found(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *entry, int *ours, pay_psp_registered_t *result)
{
    if (pay_psp_echo_needed(entry, "client_reference_id",
                            checkout->merchant_reference)
        != PAY_PSP_ECHO_RIGHT)
    {
        return PAY_OK;
    }

    *ours = 1;

    return stripe_registered(arena, checkout, entry, result);
}


/* Only types that say something are asked for, so that a busy account's other
 * events do not fill the pages. */
static pay_status_t
stripe_list_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, pay_http_request_t *request)
{
    unsigned    i;
    pay_buf_t   query;
    const char *type;

    if (!pay_psp_list_sane(list)) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?limit=");
    pay_buf_int(&query, STRIPE_PAGE);
    stripe_query_int(&query, "created[gte]", list->since_s);
    stripe_query_int(&query, "created[lt]", list->until_s);

    for (i = 0; (type = pay_stripe_event_type(i)) != NULL; i++) {
        pay_buf_text(&query, "&types");
        pay_buf_percent(&query, PAY_STR("["));
        pay_buf_int(&query, i);
        pay_buf_percent(&query, PAY_STR("]"));
        pay_buf_text(&query, "=");
        pay_buf_percent(&query, pay_str_of(type));
    }

    if (list->cursor.len != 0) {
        pay_stripe_pair(&query, "starting_after", list->cursor);
    }

    return stripe_get(arena, account, STRIPE_EVENTS, &query, request);
}


/* Events come newest first; the position of the back-fill moves only with the
 * last page, so the sequence does not matter. */
static pay_status_t
stripe_page(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_json_t *root,
    pay_psp_listed_t *listed)
{
    pay_str_t  after;

    PAY_TRY(stripe_after(arena, root, &after));
    PAY_TRY(pay_psp_list_in(arena, account, pay_json_get(root, "data"),
                            pay_stripe_event, listed));

    return after.len ? pay_psp_list_next(arena, list, after, listed) : PAY_OK;
}


/* The id after which the next page begins; empty when this is the last one.
 * PAY_INVALID when it is no list, or when more is to come without a
 * position. */
static pay_status_t
stripe_after(pay_arena_t *arena, const pay_json_t *root, pay_str_t *after)
{
    pay_json_type_t    more;
    const pay_json_t  *data = pay_json_get(root, "data");

    more = pay_json_type(pay_json_get(root, "has_more"));

    if (pay_json_type(data) != PAY_JSON_ARRAY
        || (more != PAY_JSON_TRUE && more != PAY_JSON_FALSE))
    {
        return PAY_INVALID;
    }

    *after = PAY_STR("");

    if (more == PAY_JSON_FALSE) {
        return PAY_OK;
    }

    if (pay_json_size(data) == 0) {
        return PAY_INVALID;
    }

    return pay_psp_token_need(arena,
                              pay_json_at(data, pay_json_size(data) - 1),
                              "id", after);
}


static void
stripe_query_int(pay_buf_t *query, const char *name, int64_t number)
{
    pay_stripe_pair(query, name, PAY_STR(""));
    pay_buf_int(query, number);
}


static pay_status_t
stripe_get(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *path, pay_buf_t *query, pay_http_request_t *request)
{
    pay_str_t  text;

    PAY_TRY(pay_buf_done(query, &text));

    return pay_stripe_request(arena, account, "GET", path, text, request);
}

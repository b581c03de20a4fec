/*
 * PayPal Orders v2 (docs/psp/paypal.md): PayPal's order is our registration,
 * its id the token, its link for the buyer the hosted page.  The buyer only
 * approves there; our capture takes the money.  An order lapses by itself after
 * three hours and cannot be ended before: an order that is never captured is
 * never paid.  It has one purchase unit, captured later as a whole, with our
 * checkout's id wherever PayPal echoes one.  Access tokens are those of OAuth2
 * client credentials, of which the account's key is both halves,
 * "client:secret".  The sender of requests keeps the token; this file only
 * builds its request and reads its answer.
 *
 * The life of an order here:
 *
 *    POST orders ─▶ CREATED ─ the buyer ─▶ APPROVED: must_capture
 *                      │                       │ flow_ask.c captures
 *                      └─ lapses after 3 h     └─▶ COMPLETED, capture paid
 */

#include "psp/paypal.h"
#include "pay_crypto.h"


#define PAYPAL_NAME_MAX      127       /* bytes of an item's name */
/* The name of the error that answers a query of an order which has lapsed. */
#define PAYPAL_FORGOTTEN     "RESOURCE_NOT_FOUND"
#define PAYPAL_TOKEN_PATH    "/v1/oauth2/token"
#define PAYPAL_LIFETIME_MAX  86400     /* seconds; PayPal's have nine hours */


static pay_status_t paypal_open(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request);
static pay_status_t paypal_order(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
static pay_status_t paypal_unit(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, pay_json_t *unit, pay_err_t *err);
static int paypal_lines_fit(const pay_psp_checkout_t *checkout);
static pay_status_t paypal_items(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, pay_json_t *unit, pay_err_t *err);
static pay_str_t paypal_name(const pay_psp_line_t *line);
static pay_status_t paypal_experience(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, pay_json_t *root);
static pay_status_t paypal_registered(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *json,
    pay_psp_registered_t *result);
static pay_psp_echo_t paypal_echo(const pay_psp_checkout_t *checkout,
    const pay_json_t *json);
static const pay_json_t *paypal_link(const pay_json_t *json, const char *rel);
static pay_status_t paypal_asked(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);
static pay_status_t paypal_lapsed(pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);
static pay_status_t paypal_auth_request(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_http_request_t *request);
static int paypal_key_is_pair(pay_str_t key);
static pay_status_t paypal_auth_answer(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_auth_t *auth);
static pay_status_t paypal_auth(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_auth_t *auth);
static int paypal_access_token_is_plain(pay_str_t token);


static const pay_psp_wire_t  paypal_wire = {
    .open = paypal_open,
    .key_header = "PayPal-Request-Id",
    .key_max = 108,
    .registrations = PAY_PAYPAL_ORDERS,
    .registration = PAY_PAYPAL_ORDERS "/",
    .body = paypal_order,
    .error = pay_paypal_error,
    .registered = paypal_registered,
    .page = pay_paypal_page,
    .event = pay_paypal_event,
    .calls = pay_paypal_calls
};

PAY_PSP_SLOTS(paypal)

/* No PAY_PSP_EXPIRE: PayPal cannot close an order
 * (docs/psp/paypal.md#changes), so the longest life is the three hours after
 * which it lapses.  NAMES_REFUNDS: custom_id comes back in every event about a
 * refund. */
const pay_psp_adapter_t  pay_psp_paypal = {
    .name = "paypal",
    .scheme = "paypal",
    .key_window_hours = 6,             /* Orders API; Payments API: 45 days */
    .change_window_hours = {
        [PAY_PSP_CAPTURE] = 6, [PAY_PSP_REFUND] = 1080
    },
    .min_expiry_s = 60,
    .max_expiry_s = 10800,
    .traits = PAY_PSP_BY_PAYMENT | PAY_PSP_NAMES_REFUNDS,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_REFUND),
    .register_request = paypal_register_request,
    .register_answer = paypal_register_answer,
    .query_request = paypal_query_request,
    .query_answer = paypal_asked,
    .list_request = pay_paypal_list_request,
    .list_answer = paypal_list_answer,
    .change_request = paypal_change_request,
    .change_answer = pay_paypal_changed,
    .auth_request = paypal_auth_request,
    .auth_answer = paypal_auth_answer,
    .webhook_events = paypal_webhook_events
};


/* PayPal is to answer with the whole object.  There is no Authorization: see
 * pay_psp_adapter_t. */
static pay_status_t
paypal_open(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request)
{
    PAY_TRY(pay_psp_request_open(arena, account, method, path, last, request));

    if (strcmp(method, "POST") == 0) {
        pay_psp_field_add(request, "Prefer", PAY_STR("return=representation"));
    }

    return PAY_OK;
}


/* intent CAPTURE: this adapter has no authorisations; the approval is captured
 * as a whole. */
static pay_status_t
paypal_order(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_json_t *root, pay_err_t *err)
{
    pay_json_t  *units, *unit;

    (void) account;

    PAY_TRY(pay_json_set_string(root, "intent", PAY_STR("CAPTURE")));

    units = pay_json_array_new();
    PAY_TRY(pay_json_set(root, "purchase_units", units));
    unit = pay_json_object_new();
    PAY_TRY(pay_json_append(units, unit));
    PAY_TRY(paypal_unit(arena, checkout, unit, err));

    return paypal_experience(arena, checkout, root);
}


/* invoice_id: a setting at PayPal allows each to be paid only once.  All three
 * ids are our checkout's: reference_id and custom_id are echoed in answers,
 * events and settlement reports. */
static pay_status_t
paypal_unit(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    pay_json_t *unit, pay_err_t *err)
{
    pay_json_t  *amount, *breakdown, *total;

    PAY_TRY(pay_json_set_string(unit, "reference_id",
                                checkout->merchant_reference));
    PAY_TRY(pay_json_set_string(unit, "custom_id",
                                checkout->merchant_reference));
    PAY_TRY(pay_json_set_string(unit, "invoice_id",
                                checkout->merchant_reference));
    PAY_TRY(pay_paypal_object_add(unit, "amount", &amount));
    PAY_TRY(pay_paypal_money_set(arena, amount, checkout->currency,
                                 checkout->amount_minor, err));

    if (!paypal_lines_fit(checkout)) {
        return PAY_OK;
    }

    PAY_TRY(pay_paypal_object_add(amount, "breakdown", &breakdown));
    PAY_TRY(pay_paypal_object_add(breakdown, "item_total", &total));
    PAY_TRY(pay_paypal_money_set(arena, total, checkout->currency,
                                 checkout->amount_minor, err));

    return paypal_items(arena, checkout, unit, err);
}


/* Lines of fractions may still sum up to whole units: then the sum alone is
 * sent. */
static int
paypal_lines_fit(const pay_psp_checkout_t *checkout)
{
    unsigned  i;

    for (i = 0; i < checkout->line_count; i++) {
        if (!pay_paypal_money_fits(checkout->currency,
                                   checkout->lines[i].amount_minor))
        {
            return 0;
        }
    }

    return 1;
}


/* The sum of the items must be item_total, or PayPal refuses the order; so
 * either all lines fit PayPal's decimals or none are sent. */
static pay_status_t
paypal_items(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    pay_json_t *unit, pay_err_t *err)
{
    unsigned               i;
    pay_json_t            *items, *item, *amount;
    const pay_psp_line_t  *line;

    items = pay_json_array_new();
    PAY_TRY(pay_json_set(unit, "items", items));

    for (i = 0; i < checkout->line_count; i++) {
        line = &checkout->lines[i];
        item = pay_json_object_new();

        PAY_TRY(pay_json_append(items, item));
        PAY_TRY(pay_json_set_string(item, "name", paypal_name(line)));
        PAY_TRY(pay_json_set_string(item, "sku", line->payment_order_id));
        PAY_TRY(pay_json_set_string(item, "quantity", PAY_STR("1")));
        PAY_TRY(pay_paypal_object_add(item, "unit_amount", &amount));
        PAY_TRY(pay_paypal_money_set(arena, amount, checkout->currency,
                                     line->amount_minor, err));
    }

    return PAY_OK;
}


/* Cut between two characters of UTF-8. */
static pay_str_t
paypal_name(const pay_psp_line_t *line)
{
    pay_str_t  name = pay_psp_line_name(line);

    if (name.len > PAYPAL_NAME_MAX) {
        name.len = PAYPAL_NAME_MAX;

        while (name.len > 1 && (name.data[name.len] & 0xc0) == 0x80) {
            name.len--;
        }
    }

    return name;
}


/* Nothing is shipped by us, so the buyer is asked for no address. */
static pay_status_t
paypal_experience(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    pay_json_t *root)
{
    pay_str_t    cancel;
    pay_json_t  *source, *wallet, *context;

    PAY_TRY(pay_format(arena, &cancel, PAY_PSP_URL_MAX + 16, "%.*s%s",
                       pay_fmt(checkout->return_url),
                       pay_psp_cancelled_query(checkout->return_url)));

    PAY_TRY(pay_paypal_object_add(root, "payment_source", &source));
    PAY_TRY(pay_paypal_object_add(source, "paypal", &wallet));
    PAY_TRY(pay_paypal_object_add(wallet, "experience_context", &context));
    PAY_TRY(pay_json_set_string(context, "user_action", PAY_STR("PAY_NOW")));
    PAY_TRY(pay_json_set_string(context, "shipping_preference",
                                PAY_STR("NO_SHIPPING")));
    PAY_TRY(pay_json_set_string(context, "return_url", checkout->return_url));

    return pay_json_set_string(context, "cancel_url", cancel);
}


/* The link's name depends on how the order was made
 * (docs/psp/paypal.md#registration). */
static pay_status_t
paypal_registered(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *json, pay_psp_registered_t *result)
{
    pay_str_t          token, text, url;
    pay_status_t       status;
    const pay_json_t  *link;

    if (!pay_psp_believed(paypal_echo(checkout, json), &result->code)) {
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, json, "id", &token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    link = paypal_link(json, "payer-action");
    link = link ? link : paypal_link(json, "approve");

    if (pay_json_string(pay_json_get(link, "href"), &text) != PAY_OK
        || !pay_psp_url_is_plain(text))
    {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, text, &url));

    result->outcome = PAY_PSP_DONE;
    result->token = token;
    result->hosted_url = url;
    result->code = PAY_STR("");

    return PAY_OK;
}


/* Absent members are right here: an answer may be short, although
 * "representation" is asked for.  More than one unit cannot be ours. */
static pay_psp_echo_t
paypal_echo(const pay_psp_checkout_t *checkout, const pay_json_t *json)
{
    pay_psp_echo_t     echo;
    const pay_json_t  *units, *unit;

    echo = pay_psp_echo_text(json, "intent", PAY_STR("CAPTURE"));
    units = pay_json_get(json, "purchase_units");

    if (echo != PAY_PSP_ECHO_RIGHT
        || !pay_psp_is_there(json, "purchase_units"))
    {
        return echo;
    }

    unit = pay_json_at(units, 0);

    if (pay_json_type(unit) != PAY_JSON_OBJECT) {
        return PAY_PSP_ECHO_INVALID;
    }

    if (pay_json_size(units) != 1) {
        return PAY_PSP_ECHO_WRONG;
    }

    echo = pay_paypal_echo_money(pay_json_get(unit, "amount"),
                                 checkout->currency, checkout->amount_minor);

    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_psp_echo_text(unit, "reference_id",
                                 checkout->merchant_reference);
    }

    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_psp_echo_text(unit, "custom_id",
                                 checkout->merchant_reference);
    }

    return echo;
}


/* NULL when there is no link of that relation. */
static const pay_json_t *
paypal_link(const pay_json_t *json, const char *rel)
{
    size_t             i;
    const pay_json_t  *links, *link;

    links = pay_json_get(json, "links");

    for (i = 0; i < pay_json_size(links); i++) {
        link = pay_json_at(links, i);

        if (pay_psp_is(link, "rel", rel)) {
            return link;
        }
    }

    return NULL;
}


/* 404 is the only error of a query that says something, because PayPal forgets
 * orders. */
static pay_status_t
paypal_asked(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known)
{
    if (answer->sent == PAY_ANSWERED && answer->status == 404) {
        return paypal_lapsed(token, answer, event, known);
    }

    return pay_psp_query_answer(arena, token, answer, pay_paypal_state, event,
                                known);
}


/* PayPal forgets orders that lapse.  That is no fact: it may be a mistake of
 * the moment, and the checkout ends by its own time.  `type` without a fact
 * tells the flow that the answer was read. */
static pay_status_t
paypal_lapsed(pay_str_t token, const pay_http_answer_t *answer,
    pay_psp_event_t *event, int *known)
{
    pay_json_t   *error;
    pay_status_t  status;

    *known = 0;

    status = pay_psp_parse(answer->body, &error, NULL);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_OK : status;
    }

    if (pay_psp_is(error, "name", PAYPAL_FORGOTTEN)) {
        memset(event, 0, sizeof(*event));
        event->type = PAY_STR("lapsed");
        event->token = token;
        *known = 1;
    }

    pay_json_free(error);

    return PAY_OK;
}


/* RFC 6749, section 4.4, with the client's credentials by Basic as in section
 * 2.3.1. */
static pay_status_t
paypal_auth_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_http_request_t *request)
{
    pay_http_request_t  made;

    if (!paypal_key_is_pair(account->api_key)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_open(arena, account, "POST", PAYPAL_TOKEN_PATH,
                                 PAY_STR(""), &made));
    PAY_TRY(pay_psp_basic_add(arena, account->api_key, &made));
    pay_psp_field_add(&made, "Content-Type",
                      PAY_STR("application/x-www-form-urlencoded"));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));
    made.body = PAY_STR("grant_type=client_credentials");

    *request = made;

    return PAY_OK;
}


/* "client:secret", both printable and there.  A key without a colon would be
 * half a credential; it is a mistake of the configuration that is noticed here
 * at the latest. */
static int
paypal_key_is_pair(pay_str_t key)
{
    size_t  i, colon = 0;

    for (i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~') {
            return 0;
        }

        if (key.data[i] == ':' && colon == 0) {
            colon = i;
        }
    }

    return colon > 0 && colon + 1 < key.len && key.len <= PAY_PSP_KEY_MAX;
}


/* Any doubt is PAY_INVALID: without a token the call that waits for it is not
 * sent, which is safe. */
static pay_status_t
paypal_auth_answer(pay_arena_t *arena, const pay_http_answer_t *answer,
    pay_psp_auth_t *auth)
{
    pay_json_t   *json;
    pay_status_t  status;

    if (answer->sent != PAY_ANSWERED || answer->status != 200) {
        return PAY_INVALID;
    }

    PAY_TRY(pay_psp_parse(answer->body, &json, NULL));
    status = paypal_auth(arena, json, auth);
    pay_json_free(json);

    return status;
}


/* The lifetime is cut, so that a token with an absurd one is renewed daily all
 * the same. */
static pay_status_t
paypal_auth(pay_arena_t *arena, const pay_json_t *json, pay_psp_auth_t *auth)
{
    int64_t    lifetime_s;
    pay_str_t  token, type;

    if (pay_json_string(pay_json_get(json, "access_token"), &token) != PAY_OK
        || !paypal_access_token_is_plain(token)
        || pay_json_string(pay_json_get(json, "token_type"), &type) != PAY_OK
        || !(pay_str_is(type, "Bearer") || pay_str_is(type, "bearer"))
        || pay_json_integer(pay_json_get(json, "expires_in"), &lifetime_s)
           != PAY_OK
        || lifetime_s <= 0)
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_dup(arena, token, &auth->token));
    auth->lifetime_s = (lifetime_s < PAYPAL_LIFETIME_MAX)
                       ? lifetime_s : PAYPAL_LIFETIME_MAX;

    return PAY_OK;
}


/* Fit to stand in a header. */
static int
paypal_access_token_is_plain(pay_str_t token)
{
    size_t  i;

    for (i = 0; i < token.len; i++) {
        if (token.data[i] <= ' ' || token.data[i] > '~') {
            return 0;
        }
    }

    return token.len > 0 && token.len <= PAY_PSP_AUTH_MAX;
}

/*
 * Square payment links (docs/psp/square.md): JSON calls, the idempotency key
 * in the body, amounts in the currency's smallest unit.  A link never ends by
 * itself, so the gateway deletes it.  What the link's order says is read in
 * square_order.c, what webhooks say in square_event.c.
 */

#include "psp/square.h"


/* Square's limits in bytes (docs/psp/square.md#registration). */
#define SQUARE_KEY_MAX        192
#define SQUARE_REFERENCE_MAX  40


static pay_status_t square_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
static pay_status_t square_body_line(const pay_psp_checkout_t *checkout,
    const pay_psp_line_t *line, pay_json_t *lines);
static pay_status_t square_body_options(const pay_psp_checkout_t *checkout,
    pay_json_t *root);
static pay_status_t square_reference(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, pay_str_t *reference);
static pay_status_t square_registered(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *root,
    pay_psp_registered_t *result);
static pay_psp_echo_t square_echo(const pay_psp_checkout_t *checkout,
    pay_str_t reference, const pay_json_t *root);


/* Each would change what the buyer pays, and then no amount would match. */
static const char *const  square_switches[] = {
    "allow_tipping", "enable_coupon", "enable_loyalty", NULL
};

/* Square pays its sellers in these; an order in another currency than the
 * location's is refused.  Square's units of them are ISO's. */
static const char *const  square_currencies[] = {
    "AUD", "CAD", "EUR", "GBP", "JPY", "USD", NULL
};

static const pay_psp_wire_t  square_wire = {
    .open = pay_square_request,
    .currencies = square_currencies,
    .registrations = PAY_SQUARE_LINKS,
    .registration = PAY_SQUARE_ORDERS,
    .body = square_body,
    .error = pay_square_error,
    .registered = square_registered,
    .state = pay_square_order,
    .event = pay_square_event,
    .calls = pay_square_calls
};

PAY_PSP_SLOTS(square)

/* Square names no end of its idempotency keys' life; a day is what the
 * gateway relies on. */
const pay_psp_adapter_t  pay_psp_square = {
    .name = "square",
    .scheme = "square",
    .key_window_hours = 24,
    .change_window_hours = {
        [PAY_PSP_CAPTURE] = PAY_PSP_ALWAYS_HOURS,
        [PAY_PSP_CANCEL] = PAY_PSP_ALWAYS_HOURS,
        [PAY_PSP_REFUND] = 24,
        [PAY_PSP_EXPIRE] = PAY_PSP_ALWAYS_HOURS
    },
    .min_expiry_s = 60,
    .max_expiry_s = 86400,
    .traits = PAY_PSP_NEEDS_ACCOUNT | PAY_PSP_LINGERS | PAY_PSP_BY_PAYMENT,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
               | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE),
    .register_request = square_register_request,
    .register_answer = square_register_answer,
    .query_request = square_query_request,
    .query_answer = square_query_answer,
    .change_request = square_change_request,
    .change_answer = square_change_answer,
    .webhook_events = square_webhook_events
};


/* The idempotency key is a member of the body: without it each call would make
 * another link. */
static pay_status_t
square_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_json_t *root, pay_err_t *err)
{
    unsigned     i;
    pay_str_t    key, reference;
    pay_json_t  *json, *lines;

    (void) err;

    if (account->account.len == 0) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_key(arena, checkout->nonce, "", SQUARE_KEY_MAX, &key));
    PAY_TRY(square_reference(arena, checkout, &reference));
    PAY_TRY(pay_json_set_string(root, "idempotency_key", key));

    json = pay_json_object_new();
    PAY_TRY(pay_json_set(root, "order", json));
    PAY_TRY(pay_json_set_string(json, "location_id", account->account));
    PAY_TRY(pay_json_set_string(json, "reference_id", reference));

    lines = pay_json_array_new();
    PAY_TRY(pay_json_set(json, "line_items", lines));

    for (i = 0; i < checkout->line_count; i++) {
        PAY_TRY(square_body_line(checkout, &checkout->lines[i], lines));
    }

    return square_body_options(checkout, root);
}


/* Square sums the lines itself, so there is no amount of the whole to send. */
static pay_status_t
square_body_line(const pay_psp_checkout_t *checkout, const pay_psp_line_t *line,
    pay_json_t *lines)
{
    pay_json_t  *json;

    json = pay_json_object_new();
    PAY_TRY(pay_json_append(lines, json));
    PAY_TRY(pay_json_set_string(json, "name", pay_psp_line_name(line)));
    PAY_TRY(pay_json_set_string(json, "quantity", PAY_STR("1")));

    return pay_square_set_money(json, "base_price_money", checkout->currency,
                                line->amount_minor);
}


/* All switches are off: a tip, a coupon or a reward would change the amount
 * that the buyer pays. */
static pay_status_t
square_body_options(const pay_psp_checkout_t *checkout, pay_json_t *root)
{
    pay_json_t         *json;
    const char *const  *name;

    json = pay_json_object_new();
    PAY_TRY(pay_json_set(root, "checkout_options", json));

    for (name = square_switches; *name != NULL; name++) {
        PAY_TRY(pay_json_set(json, *name, pay_json_boolean_new(0)));
    }

    return pay_json_set_string(json, "redirect_url", checkout->return_url);
}


/* A reference that is too long for Square is replaced by its digest, which can
 * be computed again to compare an echo. */
static pay_status_t
square_reference(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    pay_str_t *reference)
{
    return pay_psp_key(arena, checkout->merchant_reference, "",
                       SQUARE_REFERENCE_MAX, reference);
}


/* Without the link's id the link could never be deleted: that is no answer.
 * The order's id is the token, since queries and webhooks name the order; the
 * link's id is the alias, which the deletion needs. */
static pay_status_t
square_registered(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *root, pay_psp_registered_t *result)
{
    pay_str_t          alias, reference;
    const char        *url;
    pay_status_t       status;
    const pay_json_t  *link;

    PAY_TRY(square_reference(arena, checkout, &reference));

    if (!pay_psp_believed(square_echo(checkout, reference, root),
                          &result->code))
    {
        return PAY_OK;
    }

    link = pay_json_get(root, "payment_link");

    status = pay_psp_token_get(arena, link, "id", &alias);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    url = (pay_json_get(link, "url") != NULL) ? "url" : "long_url";
    PAY_TRY(pay_psp_answer_done(arena, link, "order_id", url, result));

    if (result->outcome == PAY_PSP_DONE) {
        result->alias = alias;
    }

    return PAY_OK;
}


/* The order stands beside the link in related_resources and may be absent;
 * where it is there, it must be the link's order and have our amount and
 * reference. */
static pay_psp_echo_t
square_echo(const pay_psp_checkout_t *checkout, pay_str_t reference,
    const pay_json_t *root)
{
    pay_str_t          id;
    pay_psp_echo_t     echo;
    const pay_json_t  *made;

    made = pay_json_at(pay_json_path(root, "related_resources", "orders",
                                     NULL), 0);

    if (pay_json_string(pay_json_path(root, "payment_link", "order_id", NULL),
                        &id) != PAY_OK)
    {
        return PAY_PSP_ECHO_INVALID;
    }

    echo = pay_psp_echo_text(made, "id", id);

    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_square_echo_money(made, "total_money", checkout->currency,
                                     checkout->amount_minor);
    }

    return (echo == PAY_PSP_ECHO_RIGHT)
           ? pay_psp_echo_text(made, "reference_id", reference) : echo;
}

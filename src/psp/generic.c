/*
 * The generic PSP: a small JSON protocol of ours (docs/psp-generic.md) for
 * PSPs that are reached through a bridge, and for the sandbox.  Amounts are
 * decimal strings as in our own API.  Webhooks: generic_event.c; what is done
 * to a registration later: generic_change.c; lists: generic_list.c.
 */

#include "psp/generic.h"


#define GENERIC_REUSED  "nonce_reused"

typedef struct {
    const char  *name;
    pay_fact_t   fact;
    int          must_capture; /* the buyer agreed, the money waits */
} generic_status_t;


static pay_status_t generic_register_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t generic_body(pay_arena_t *arena,
    const pay_psp_order_t *order, pay_json_t *root);
static pay_status_t generic_body_line(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_psp_line_t *line,
    pay_json_t *json);
static pay_status_t generic_register_answer(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_http_answer_t *answer,
    pay_psp_registered_t *result);
static pay_status_t generic_query_request(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t token,
    pay_http_request_t *request);
static pay_status_t generic_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);
static int generic_echoes(const pay_psp_order_t *order,
    const pay_json_t *json);


static const generic_status_t  generic_statuses[] = {
    { "open", PAY_FACT_NONE, 0 },
    { "pending", PAY_FACT_PENDING, 0 },
    { "approved", PAY_FACT_NONE, 1 },
    { "authorized", PAY_FACT_AUTHORIZED, 0 },
    { "paid", PAY_FACT_PAID, 0 },
    { "declined", PAY_FACT_DECLINED, 0 },
    { "expired", PAY_FACT_EXPIRED, 0 },
    { "cancelled", PAY_FACT_CANCELLED, 0 },
    { NULL, PAY_FACT_NONE, 0 }
};


const pay_psp_adapter_t  pay_psp_generic = {
    .name = "generic",
    .scheme = "standardwebhooks",
    .key_window_hours = 24,
    .change_window_hours = {
        [PAY_PSP_CAPTURE] = 24, [PAY_PSP_CANCEL] = 24,
        [PAY_PSP_REFUND] = 24, [PAY_PSP_EXPIRE] = 24
    },
    .min_expiry_s = 60,
    .max_expiry_s = 604800,
    .traits = PAY_PSP_AUTHORIZES | PAY_PSP_MULTICAPTURE
              | PAY_PSP_NAMES_REFUNDS | PAY_PSP_IS_OURS,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
               | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE),
    .register_request = generic_register_request,
    .register_answer = generic_register_answer,
    .query_request = generic_query_request,
    .query_answer = generic_query_answer,
    .find_request = pay_generic_find_request,
    .find_answer = pay_generic_find_answer,
    .list_request = pay_generic_list_request,
    .list_answer = pay_generic_list_answer,
    .change_request = pay_generic_change_request,
    .change_answer = pay_generic_change_answer,
    .webhook_events = pay_generic_webhook_events
};


static pay_status_t
generic_register_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_order_t *order, pay_http_request_t *request, pay_err_t *err)
{
    pay_str_t            body;
    pay_json_t          *root;
    pay_status_t         status;
    pay_http_request_t   made;

    (void) err;                /* this PSP takes all that we can express */

    if (!pay_psp_order_sane(order)) {
        return PAY_BUG;
    }

    root = pay_json_object_new();
    if (root == NULL) {
        return PAY_NO_MEMORY;
    }

    status = generic_body(arena, order, root);
    if (status == PAY_OK) {
        status = pay_json_write(arena, root, &body);
    }

    pay_json_free(root);
    PAY_TRY(status);

    PAY_TRY(pay_psp_request_init(arena, account, "POST", PAY_GENERIC_PATH,
                                 PAY_STR(""), &made));

    pay_psp_field_add(&made, "Content-Type", PAY_STR("application/json"));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));
    pay_psp_field_add(&made, "Idempotency-Key", order->nonce);
    made.body = body;

    *request = made;

    return PAY_OK;
}


static pay_status_t
generic_body(pay_arena_t *arena, const pay_psp_order_t *order,
    pay_json_t *root)
{
    unsigned       i;
    pay_json_t    *lines, *line;
    pay_status_t   status;

    PAY_TRY(pay_json_set_string(root, "nonce", order->nonce));
    PAY_TRY(pay_json_set_string(root, "reference", order->reference));
    PAY_TRY(pay_generic_set_amount(arena, root, order->amount_minor,
                                   order->currency));
    PAY_TRY(pay_json_set_string(root, "currency",
                                pay_str_of(order->currency->code)));
    PAY_TRY(pay_json_set_integer(root, "expires_at", order->expires_s));
    PAY_TRY(pay_json_set_string(root, "return_url", order->return_url));

    if (order->capture_later) {
        PAY_TRY(pay_json_set_string(root, "capture", PAY_STR("manual")));
    }

    lines = pay_json_array_new();
    if (lines == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < order->line_count; i++) {
        line = pay_json_object_new();

        status = (line == NULL) ? PAY_NO_MEMORY
                                : generic_body_line(arena, order,
                                                    &order->lines[i], line);
        if (status != PAY_OK) {
            pay_json_free(line);

        } else {
            status = pay_json_append(lines, line);
        }

        if (status != PAY_OK) {
            pay_json_free(lines);
            return status;
        }
    }

    return pay_json_set(root, "lines", lines);
}


static pay_status_t
generic_body_line(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_psp_line_t *line, pay_json_t *json)
{
    PAY_TRY(pay_json_set_string(json, "payment_order_id",
                                line->payment_order_id));
    PAY_TRY(pay_json_set_string(json, "name",
                                line->name.len ? line->name
                                               : line->payment_order_id));

    return pay_generic_set_amount(arena, json, line->amount_minor,
                                  order->currency);
}


pay_status_t
pay_generic_set_amount(pay_arena_t *arena, pay_json_t *json, int64_t minor,
    const pay_currency_t *currency)
{
    pay_str_t  amount;

    PAY_TRY(pay_amount_format(arena, minor, currency, &amount));

    return pay_json_set_string(json, "amount", amount);
}


static pay_status_t
generic_register_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    pay_json_t            *json;
    pay_status_t           status;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_answer_open(arena, answer, pay_generic_error, &json,
                                &made));

    status = (json == NULL) ? PAY_OK
                            : pay_generic_registered(arena, order, json,
                                                     &made);
    pay_json_free(json);

    if (status == PAY_OK) {
        *result = made;
    }

    return status;
}


pay_status_t
pay_generic_registered(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *json, pay_psp_registered_t *result)
{
    size_t           i;
    pay_str_t        amount, text;
    pay_psp_event_t  event;

    PAY_TRY(pay_amount_format(arena, order->amount_minor, order->currency,
                              &amount));

    const struct {
        const char  *member;
        pay_str_t    sent;
    } echoes[] = {
        { "nonce", order->nonce }, { "amount", amount },
        { "currency", pay_str_of(order->currency->code) }
    };

    if (!pay_generic_string(json, "status", &text)
        || pay_generic_status(text, &event) == NULL)
    {
        pay_psp_unread(&result->unread, "status", PAY_GENERIC_RULE_STATUS);
        return PAY_OK;
    }

    for (i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++) {
        if (!pay_generic_string(json, echoes[i].member, &text)) {
            pay_psp_unread(&result->unread, echoes[i].member,
                           "must be a string that repeats what was sent");
            return PAY_OK;
        }
    }

    for (i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++) {
        (void) pay_generic_string(json, echoes[i].member, &text);

        if (!pay_str_eq(text, echoes[i].sent)) {
            result->code = PAY_STR("answer_mismatch");
            pay_psp_unread(&result->unread, echoes[i].member,
                           "must repeat what was sent");
            return PAY_OK;
        }
    }

    if (!generic_echoes(order, json)) {
        result->code = PAY_STR("answer_mismatch");
        pay_psp_unread(&result->unread, "reference, capture",
                       "must repeat what was sent");
        return PAY_OK;
    }

    return pay_psp_answer_done(arena, json, "token", "hosted_url", result);
}


/* A PSP that does not know the word `capture` would take the money at once. */
static int
generic_echoes(const pay_psp_order_t *order, const pay_json_t *json)
{
    pay_str_t  reference, capture;

    if (pay_generic_string(json, "reference", &reference)
        && !pay_str_eq(reference, order->reference))
    {
        return 0;
    }

    if (!pay_generic_string(json, "capture", &capture)) {
        capture = PAY_STR("automatic");
    }

    return pay_str_is(capture, order->capture_later ? "manual" : "automatic");
}


pay_status_t
pay_generic_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    return pay_psp_error_object(arena, root, GENERIC_REUSED, error);
}


static pay_status_t
generic_query_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t token, pay_http_request_t *request)
{
    pay_http_request_t  made;

    if (!pay_psp_token_is_valid(token)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_init(arena, account, "GET", PAY_GENERIC_PATH "/",
                                 token, &made));

    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));

    *request = made;

    return PAY_OK;
}


static pay_status_t
generic_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known)
{
    pay_json_t       *json;
    pay_status_t      status;
    pay_psp_event_t   made;

    PAY_TRY(pay_psp_query_open(answer, &json));

    if (json == NULL) {
        *known = 0;
        return PAY_OK;
    }

    status = pay_generic_state(arena, json, &made);
    pay_json_free(json);

    return pay_psp_query_done(status, token, &made, event, known);
}


pay_status_t
pay_generic_state(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    pay_str_t    name;
    const char  *word;

    memset(event, 0, sizeof(*event));

    pay_psp_unread(&event->unread, "status", PAY_GENERIC_RULE_STATUS);

    if (!pay_generic_string(json, "status", &name)) {
        return PAY_INVALID;
    }

    word = pay_generic_status(name, event);
    if (word == NULL) {
        return PAY_INVALID;
    }

    pay_psp_unread(&event->unread, NULL, NULL);

    event->type = pay_str_of(word);
    PAY_TRY(pay_generic_facts(arena, json, event));

    return (event->fact == PAY_FACT_PAID || event->fact == PAY_FACT_AUTHORIZED)
           ? pay_generic_captured_in(arena, json, event) : PAY_OK;
}


const char *
pay_generic_status(pay_str_t name, pay_psp_event_t *event)
{
    const generic_status_t  *row;

    for (row = generic_statuses; row->name != NULL; row++) {
        if (pay_str_is(name, row->name)) {
            event->fact = row->fact;
            event->must_capture = row->must_capture;
            break;
        }
    }

    return row->name;
}


/* PAY_INVALID without a token, or when there is money without an amount. */
pay_status_t
pay_generic_facts(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, json, "token", &event->token);
    if (status == PAY_NOT_FOUND || status == PAY_INVALID) {
        pay_psp_unread(&event->unread, "token", PAY_PSP_RULE_TOKEN);
        return PAY_INVALID;
    }

    PAY_TRY(status);

    status = pay_psp_token_get(arena, json, "payment_id", &event->reference);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

    PAY_TRY(pay_psp_word_get(arena, json, "code", &event->code));
    PAY_TRY(pay_psp_word_get(arena, json, "decline_code", &event->decline));
    PAY_TRY(pay_generic_amount_in(arena, json, "amount", event));

    if ((event->fact != PAY_FACT_PAID && event->fact != PAY_FACT_AUTHORIZED)
        || event->has_amount)
    {
        return PAY_OK;
    }

    pay_psp_unread(&event->unread, "amount", PAY_GENERIC_RULE_AMOUNT);

    return PAY_INVALID;
}


/* An amount that cannot be one of our orders' is told as 0, which no order
 * has: it lands in the mismatch queue. */
pay_status_t
pay_generic_amount_in(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_psp_event_t *event)
{
    int64_t                minor;
    pay_str_t              amount, code;
    const pay_currency_t  *currency;

    if (!pay_generic_string(json, member, &amount)
        || !pay_generic_string(json, "currency", &code)
        || !pay_psp_is_currency(code))
    {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, code, &event->currency));

    event->has_amount = 1;
    event->amount_minor = 0;

    if (pay_currency_find(code, &currency, NULL) == PAY_OK
        && pay_amount_parse(amount, currency, &minor, NULL) == PAY_OK)
    {
        event->amount_minor = minor;
    }

    return PAY_OK;
}


pay_status_t
pay_generic_captured_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    pay_psp_event_t  captured;

    memset(&captured, 0, sizeof(captured));
    PAY_TRY(pay_generic_amount_in(arena, json, "captured", &captured));

    if (captured.has_amount
        && !(event->fact == PAY_FACT_PAID
             && event->amount_minor == captured.amount_minor))
    {
        event->has_amount = 1;
        event->amount_minor = captured.amount_minor;
        event->currency = captured.currency;
        pay_psp_about(event, PAY_ABOUT_CAPTURE, event->fact == PAY_FACT_PAID
                      ? PAY_NEWS_ENDED : PAY_NEWS_SUCCEEDED);
    }

    return PAY_OK;
}


int
pay_generic_string(const pay_json_t *json, const char *member, pay_str_t *text)
{
    return pay_json_string(pay_json_get(json, member), text) == PAY_OK;
}

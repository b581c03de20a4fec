/*
 * Stripe Checkout Sessions (docs/psp/stripe.md): form-encoded calls, JSON
 * answers.  The session's id is our token, its url the hosted page.  What
 * sessions and events tell: stripe_event.c; lists of both: stripe_list.c; what
 * is done to them later: stripe_change.c.
 */

#include "psp/stripe.h"


#define STRIPE_REUSED      "idempotency_error"


static pay_status_t stripe_register_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t stripe_form(pay_buf_t *form, const pay_psp_order_t *order,
    pay_err_t *err);
static pay_status_t stripe_form_line(pay_buf_t *form, unsigned number,
    const pay_psp_line_t *line, const pay_currency_t *currency,
    pay_err_t *err);
static void stripe_form_held(pay_buf_t *form);
static void stripe_line_name(pay_buf_t *form, unsigned number,
    const char *name);
static pay_status_t stripe_register_answer(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_http_answer_t *answer,
    pay_psp_registered_t *result);
static pay_status_t stripe_query_request(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t token,
    pay_http_request_t *request);
static pay_status_t stripe_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);


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
    .traits = PAY_PSP_AUTHORIZES | PAY_PSP_BY_PAYMENT
              | PAY_PSP_NAMES_REFUNDS,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
               | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE),
    .register_request = stripe_register_request,
    .register_answer = stripe_register_answer,
    .query_request = stripe_query_request,
    .query_answer = stripe_query_answer,
    .find_request = pay_stripe_find_request,
    .find_answer = pay_stripe_find_answer,
    .list_request = pay_stripe_list_request,
    .list_answer = pay_stripe_list_answer,
    .change_request = pay_stripe_change_request,
    .change_answer = pay_stripe_change_answer,
    .webhook_events = pay_stripe_webhook_events
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
    PAY_TRY(pay_stripe_request(arena, account, "POST", PAY_STRIPE_SESSIONS,
                               PAY_STR(""), &made));

    pay_stripe_form_add(&made, order->nonce, body);
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
    pay_stripe_pair(form, "success_url", order->return_url);
    pay_stripe_pair(form, "cancel_url", order->return_url);
    pay_buf_percent(form, has_query ? PAY_STR("&cancelled=1")
                                    : PAY_STR("?cancelled=1"));
    pay_stripe_pair(form, "client_reference_id", order->reference);
    pay_stripe_pair(form, "metadata[payment_reference]", order->reference);
    pay_stripe_pair(form, "expires_at", PAY_STR(""));
    pay_buf_int(form, order->expires_s);
    pay_stripe_pair(form, "payment_intent_data[metadata][payment_reference]",
                    order->reference);

    if (order->capture_later) {
        stripe_form_held(form);
    }

    for (i = 0; i < order->line_count; i++) {
        PAY_TRY(stripe_form_line(form, i, &order->lines[i], order->currency,
                                 err));
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
stripe_line_name(pay_buf_t *form, unsigned number, const char *name)
{
    pay_buf_text(form, "&line_items%5B");
    pay_buf_int(form, number);
    pay_buf_text(form, "%5D");
    pay_buf_percent(form, pay_str_of(name));
    pay_buf_text(form, "=");
}


static pay_status_t
stripe_register_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    pay_json_t            *session;
    pay_status_t           status;
    pay_stripe_echo_t      echo;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_answer_open(arena, answer, pay_stripe_error, &session,
                                &made));

    if (session == NULL) {
        *result = made;
        return PAY_OK;
    }

    status = PAY_OK;
    echo = pay_stripe_echo(order, session);

    if (echo == PAY_STRIPE_ECHO_RIGHT) {
        status = pay_stripe_registered(arena, order, session, &made);

    } else if (echo == PAY_STRIPE_ECHO_WRONG) {
        made.code = PAY_STR("answer_mismatch");
    }

    pay_json_free(session);

    if (status == PAY_OK) {
        *result = made;
    }

    return status;
}


pay_status_t
pay_stripe_registered(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *session, pay_psp_registered_t *result)
{
    PAY_TRY(pay_psp_answer_done(arena, session, "id", "url", result));

    /* events about the payment and its charges name it by our reference */
    if (result->outcome == PAY_PSP_DONE) {
        result->alias = order->reference;
    }

    return PAY_OK;
}


pay_stripe_echo_t
pay_stripe_echo(const pay_psp_order_t *order, const pay_json_t *session)
{
    pay_stripe_echo_t  echo;

    echo = pay_stripe_echo_money(session, "amount_total", order->currency,
                                 order->amount_minor);
    if (echo != PAY_STRIPE_ECHO_RIGHT) {
        return echo;
    }

    return pay_stripe_echo_text(session, "client_reference_id",
                                order->reference);
}


static pay_status_t
stripe_query_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t token, pay_http_request_t *request)
{
    pay_str_t           last;
    pay_http_request_t  made;

    if (!pay_psp_token_is_valid(token)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_format(arena, &last, PAY_PSP_URL_MAX,
                       "%.*s?expand%%5B0%%5D=payment_intent", pay_fmt(token)));
    PAY_TRY(pay_stripe_request(arena, account, "GET",
                               PAY_STRIPE_SESSIONS "/", last, &made));

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

    status = pay_stripe_state(arena, session, &made);
    pay_json_free(session);

    return pay_psp_query_done(status, token, &made, event, known);
}


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
pay_stripe_form_add(pay_http_request_t *request, pay_str_t key, pay_str_t body)
{
    pay_psp_field_add(request, "Content-Type",
                      PAY_STR("application/x-www-form-urlencoded"));
    pay_psp_field_add(request, "Idempotency-Key", key);
    request->body = body;
}


void
pay_stripe_pair(pay_buf_t *form, const char *name, pay_str_t value)
{
    pay_buf_text(form, "&");
    pay_buf_percent(form, pay_str_of(name));
    pay_buf_text(form, "=");
    pay_buf_percent(form, value);
}


pay_stripe_echo_t
pay_stripe_echo_money(const pay_json_t *json, const char *member,
    const pay_currency_t *currency, int64_t minor)
{
    int64_t            expected, amount;
    unsigned char      code[PAY_STRIPE_CODE];
    const pay_json_t  *total;

    total = pay_json_get(json, member);

    if (total != NULL && pay_json_type(total) != PAY_JSON_NULL) {

        if (pay_json_integer(total, &amount) != PAY_OK) {
            return PAY_STRIPE_ECHO_INVALID;
        }

        if (pay_stripe_to_theirs(currency, minor, &expected, NULL) != PAY_OK
            || amount != expected)
        {
            return PAY_STRIPE_ECHO_WRONG;
        }
    }

    return pay_stripe_echo_text(json, "currency",
                                pay_stripe_currency(currency, code));
}


pay_stripe_echo_t
pay_stripe_echo_text(const pay_json_t *session, const char *member,
    pay_str_t expected)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(session, member);

    if (value == NULL || pay_json_type(value) == PAY_JSON_NULL) {
        return PAY_STRIPE_ECHO_RIGHT;
    }

    if (pay_json_string(value, &text) != PAY_OK) {
        return PAY_STRIPE_ECHO_INVALID;
    }

    return pay_str_eq(text, expected) ? PAY_STRIPE_ECHO_RIGHT
                                      : PAY_STRIPE_ECHO_WRONG;
}


pay_status_t
pay_stripe_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    return pay_psp_error_object(arena, root, STRIPE_REUSED, error);
}

/*
 * The generic PSP: a small JSON protocol of ours (docs/psp-generic.md) for
 * PSPs that are reached through a bridge, and for the sandbox.  Amounts are
 * decimal strings as in our own API.  Its lists have the registration of a
 * nonce, and the events of a span of time, each as its webhook's body has it.
 */

#include "psp/generic.h"


#define GENERIC_FIND    PAY_GENERIC_PATH "?nonce="
#define GENERIC_EVENTS  "/v1/events"


static pay_status_t generic_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
static pay_status_t generic_body_line(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_psp_line_t *line,
    pay_json_t *lines);
static pay_status_t generic_registered(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *json,
    pay_psp_registered_t *result);
static int generic_echoes(const pay_psp_checkout_t *checkout,
    const pay_json_t *json);
static pay_status_t generic_find_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_http_request_t *request);
static pay_status_t generic_look(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *root,
    pay_psp_registered_t *result);
static pay_status_t generic_found(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *entry, int *ours,
    pay_psp_registered_t *result);
static pay_status_t generic_list_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    pay_http_request_t *request);
static pay_status_t generic_page(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_json_t *root, pay_psp_listed_t *listed);
static pay_status_t generic_listed(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *entry,
    pay_psp_told_t *told, pay_err_t *err);


static const pay_psp_wire_t  generic_wire = {
    .open = pay_psp_request_init,
    .key_header = "Idempotency-Key",
    .key_max = PAY_GENERIC_KEY_MAX,
    .registrations = PAY_GENERIC_PATH,
    .registration = PAY_GENERIC_PATH "/",
    .body = generic_body,
    .error = pay_generic_error,
    .registered = generic_registered,
    .state = pay_generic_state,
    .look = generic_look,
    .page = generic_page,
    .calls = pay_generic_calls
};

PAY_PSP_SLOTS(generic)

/* A key lives for at least 24 hours, as docs/psp-generic.md demands. */
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
    .find_request = generic_find_request,
    .find_answer = generic_find_answer,
    .list_request = generic_list_request,
    .list_answer = generic_list_answer,
    .change_request = generic_change_request,
    .change_answer = generic_change_answer,
    .webhook_events = pay_generic_webhook_events
};


/* The nonce stands in the body, too: registrations are found by it when the
 * answer is lost. */
static pay_status_t
generic_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_json_t *root, pay_err_t *err)
{
    unsigned     i;
    pay_json_t  *lines;

    (void) account;
    (void) err;                /* this PSP takes all that we can express */

    PAY_TRY(pay_json_set_string(root, "nonce", checkout->nonce));
    PAY_TRY(pay_json_set_string(root, "reference",
                                checkout->merchant_reference));
    PAY_TRY(pay_generic_set_amount(arena, root, checkout->amount_minor,
                                   checkout->currency));
    PAY_TRY(pay_json_set_string(root, "currency",
                                pay_str_of(checkout->currency->code)));
    PAY_TRY(pay_json_set_integer(root, "expires_at", checkout->expires_s));
    PAY_TRY(pay_json_set_string(root, "return_url", checkout->return_url));

    if (checkout->capture_later) {
        PAY_TRY(pay_json_set_string(root, "capture", PAY_STR("manual")));
    }

    if (checkout->challenge) {
        PAY_TRY(pay_json_set(root, "challenge", pay_json_boolean_new(1)));
    }

    lines = pay_json_array_new();
    PAY_TRY(pay_json_set(root, "lines", lines));

    for (i = 0; i < checkout->line_count; i++) {
        PAY_TRY(generic_body_line(arena, checkout, &checkout->lines[i], lines));
    }

    return PAY_OK;
}


static pay_status_t
generic_body_line(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_psp_line_t *line, pay_json_t *lines)
{
    pay_json_t  *json;

    json = pay_json_object_new();
    PAY_TRY(pay_json_append(lines, json));
    PAY_TRY(pay_json_set_string(json, "payment_order_id",
                                line->payment_order_id));
    PAY_TRY(pay_json_set_string(json, "name", pay_psp_line_name(line)));

    return pay_generic_set_amount(arena, json, line->amount_minor,
                                  checkout->currency);
}


/* Each rule that is broken is named, member by member: the reader is the
 * developer of a bridge, who sees it in error.log (PAY_PSP_IS_OURS).  First
 * all members must be there, then all must repeat the request. */
static pay_status_t
generic_registered(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *json, pay_psp_registered_t *result)
{
    size_t           i;
    pay_str_t        amount, text;
    pay_psp_event_t  event;

    PAY_TRY(pay_amount_format(arena, checkout->amount_minor, checkout->currency,
                              &amount));

    const struct {
        const char  *member;
        pay_str_t    sent;
    } echoes[] = {
        { "nonce", checkout->nonce }, { "amount", amount },
        { "currency", pay_str_of(checkout->currency->code) }
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

    if (!generic_echoes(checkout, json)) {
        result->code = PAY_STR("answer_mismatch");
        pay_psp_unread(&result->unread, "reference, capture",
                       "must repeat what was sent");
        return PAY_OK;
    }

    return pay_psp_answer_done(arena, json, "token", "hosted_url", result);
}


/* A missing `capture` is "automatic".  A PSP that does not know the word would
 * take the money at once, so its answer to a checkout with a later capture is
 * not believed. */
static int
generic_echoes(const pay_psp_checkout_t *checkout, const pay_json_t *json)
{
    pay_str_t  reference, capture;

    if (pay_generic_string(json, "reference", &reference)
        && !pay_str_eq(reference, checkout->merchant_reference))
    {
        return 0;
    }

    if (!pay_generic_string(json, "capture", &capture)) {
        capture = PAY_STR("automatic");
    }

    return pay_str_is(capture,
                      checkout->capture_later ? "manual" : "automatic");
}


/* One answer has all of a nonce: there are no pages. */
static pay_status_t
generic_find_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_http_request_t *request)
{
    pay_buf_t  query;
    pay_str_t  text;

    if (!pay_psp_find_sane(checkout) || checkout->find_from.len != 0) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_percent(&query, checkout->nonce);
    PAY_TRY(pay_buf_done(&query, &text));

    return pay_psp_get(arena, account, GENERIC_FIND, text, request);
}


/* All registrations of a nonce fit into one answer, so an empty list proves
 * that there is none. */
static pay_status_t
generic_look(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *root, pay_psp_registered_t *result)
{
    int  found;

    PAY_TRY(pay_psp_find_in(arena, checkout, pay_json_get(root,
                                                          "registrations"),
                            generic_found, result, &found));

    return found ? PAY_OK : pay_psp_find_none(checkout, PAY_STR(""), result);
}


/* It was asked for this nonce alone: an entry of another one is an answer to
 * another question, not a foreign entry. */
static pay_status_t
generic_found(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *entry, int *ours, pay_psp_registered_t *result)
{
    *ours = 1;

    return generic_registered(arena, checkout, entry, result);
}


/* Both ends of the span are in seconds since 1970.  The cursor is repeated as
 * the last page gave it. */
static pay_status_t
generic_list_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, pay_http_request_t *request)
{
    pay_buf_t  query;
    pay_str_t  text;

    if (!pay_psp_list_sane(list)) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?since=");
    pay_buf_int(&query, list->since_s);
    pay_buf_text(&query, "&until=");
    pay_buf_int(&query, list->until_s);

    if (list->cursor.len != 0) {
        pay_buf_text(&query, "&cursor=");
        pay_buf_percent(&query, list->cursor);
    }

    PAY_TRY(pay_buf_done(&query, &text));

    return pay_psp_get(arena, account, GENERIC_EVENTS, text, request);
}


/* Without "next" the page is the last one.  A cursor of another type makes the
 * whole page unreadable, since the position must not move past pages that
 * nobody has seen. */
static pay_status_t
generic_page(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_json_t *root,
    pay_psp_listed_t *listed)
{
    pay_str_t          cursor;
    const pay_json_t  *next;

    PAY_TRY(pay_psp_list_in(arena, account, pay_json_get(root, "events"),
                            generic_listed, listed));

    next = pay_json_get(root, "next");

    if (next == NULL || pay_json_type(next) == PAY_JSON_NULL) {
        return PAY_OK;
    }

    return (pay_json_string(next, &cursor) == PAY_OK)
           ? pay_psp_list_next(arena, list, cursor, listed) : PAY_INVALID;
}


/* An entry is the body of a webhook, so that both go through one function and
 * get one id. */
static pay_status_t
generic_listed(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *entry, pay_psp_told_t *told, pay_err_t *err)
{
    (void) account;

    return pay_generic_event(arena, PAY_STR(""), entry, told, err);
}

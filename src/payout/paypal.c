/*
 * PayPal Payouts (docs/payout-providers.md#paypal): one call sends a batch.
 * PayPal dedupes by the batch's id alone, for 30 days, and refuses a repeat
 * with a link to the first: the parcel's key is that id, so a batch that was
 * made again with one item less must never get another key.  A batch that is
 * "SUCCESS" has been worked through; each item is read for itself.
 *
 * Webhooks are hints, since their signature covers a CRC of the body only: the
 * batch is asked before anything moves.
 */

#include "payout/payout.h"
#include "pay_time.h"
#include "psp/paypal.h"


#define PAYPAL_PAYOUTS  "/v1/payments/payouts"
#define PAYPAL_ITEMS    "/v1/payments/payouts-item/"
#define PAYPAL_PAGE     "20"           /* items of 2 KiB */
#define PAYPAL_PAGES    999
#define PAYPAL_HUNDRED  100


static pay_status_t paypal_send(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static void paypal_item(pay_buf_t *body, const pay_payout_item_t *item);
static pay_status_t paypal_ask(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t paypal_cancel(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t paypal_sent(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t paypal_adopt(pay_arena_t *arena, pay_payout_call_t call,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_str_t paypal_linked(const pay_json_t *links);
static pay_status_t paypal_asked(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t paypal_denied(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, pay_payout_result_t *result);
static pay_status_t paypal_next(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *links,
    pay_payout_result_t *result);
static pay_status_t paypal_cancelled(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t paypal_hook(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_json_t *root,
    pay_payout_result_t *result, pay_err_t *err);
static pay_status_t paypal_entry(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event);
static pay_status_t paypal_fee(pay_arena_t *arena, const pay_json_t *fee,
    pay_payout_event_t *event);
static pay_status_t paypal_auth_request(pay_arena_t *arena,
    const pay_payout_account_t *account, pay_http_request_t *request);
static pay_status_t paypal_auth_answer(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_auth_t *auth);


#define PAYPAL_ANY    1, PAY_AMOUNT_MAX_MINOR, 0
#define PAYPAL_WHOLE  PAYPAL_HUNDRED, PAY_AMOUNT_MAX_MINOR, PAYPAL_HUNDRED

static const pay_payout_limit_t  paypal_limits[] = {
    { "AUD", PAYPAL_ANY }, { "BRL", PAYPAL_ANY }, { "CAD", PAYPAL_ANY },
    { "CHF", PAYPAL_ANY }, { "CZK", PAYPAL_ANY }, { "DKK", PAYPAL_ANY },
    { "EUR", PAYPAL_ANY }, { "GBP", PAYPAL_ANY }, { "HKD", PAYPAL_ANY },
    { "HUF", PAYPAL_WHOLE }, { "ILS", PAYPAL_ANY }, { "JPY", PAYPAL_ANY },
    { "MXN", PAYPAL_ANY }, { "MYR", PAYPAL_ANY }, { "NOK", PAYPAL_ANY },
    { "NZD", PAYPAL_ANY }, { "PHP", PAYPAL_ANY }, { "PLN", PAYPAL_ANY },
    { "SEK", PAYPAL_ANY }, { "SGD", PAYPAL_ANY }, { "THB", PAYPAL_ANY },
    { "TWD", PAYPAL_WHOLE }, { "USD", PAYPAL_ANY }, { "", 0, 0, 0 }
};

/* UNCLAIMED has left our balance and comes back after 30 days. */
static const pay_payout_word_t  paypal_words[] = {
    { "pending", PAY_PAYOUT_SENDING },
    { "onhold", PAY_PAYOUT_SENDING },
    { "unclaimed", PAY_PAYOUT_SENT },
    { "success", PAY_PAYOUT_PAID },
    { "failed", PAY_PAYOUT_FAILED },
    { "blocked", PAY_PAYOUT_FAILED },
    { "denied", PAY_PAYOUT_FAILED },
    { "returned", PAY_PAYOUT_RETURNED },
    { "refunded", PAY_PAYOUT_RETURNED },
    { "reversed", PAY_PAYOUT_RETURNED },
    { "canceled", PAY_PAYOUT_CANCELLED },
    { NULL, PAY_PAYOUT_UNKNOWN }
};

static const char *const  paypal_ours[] = {
    "insufficient_funds", "sender_account_limited", "sender_restricted",
    "batch_denied", NULL
};

const pay_payout_adapter_t  pay_payout_paypal = {
    .name = "paypal",
    .scheme = "paypal",
    .steps = { { "batch", 720, 1 } },
    .items_max = PAY_PAYOUT_ITEMS_MAX,
    .looks = 0,
    .return_days = 60,
    .to = PAY_PAYOUT_TO(PAY_PAYOUT_TO_PAYEE)
          | PAY_PAYOUT_TO(PAY_PAYOUT_TO_EMAIL),
    .limits = paypal_limits,
    .ours = paypal_ours,
    .error = pay_paypal_error,
    .slots = {
        [PAY_PAYOUT_SEND] = { paypal_send, paypal_sent },
        [PAY_PAYOUT_ASK] = { paypal_ask, paypal_asked },
        [PAY_PAYOUT_CANCEL] = { paypal_cancel, paypal_cancelled }
    },
    .adopt = paypal_adopt,
    .hook = paypal_hook,
    .auth_request = paypal_auth_request,
    .auth_answer = paypal_auth_answer
};


/* There is no Authorization: see pay_psp_adapter_t. */
static pay_status_t
paypal_send(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    unsigned   i;
    pay_buf_t  body;

    (void) err;

    PAY_TRY(pay_psp_request_open(arena, &account->call, "POST",
                                 PAYPAL_PAYOUTS, PAY_STR(""), request));

    pay_buf_init(&body, arena, PAY_PAYOUT_ITEMS_MAX * 1024);
    pay_payout_text(&body, "{\"sender_batch_header\":{\"sender_batch_id\":",
                    parcel->key);
    pay_buf_text(&body, "},\"items\":[");

    for (i = 0; i < parcel->count; i++) {
        pay_buf_text(&body, i > 0 ? "," : "");
        paypal_item(&body, &parcel->items[i]);
    }

    pay_buf_text(&body, "]}");

    return pay_payout_body(&body, request);
}


/* Forint and Taiwan dollars have no decimals here (paypal_limits). */
static void
paypal_item(pay_buf_t *body, const pay_payout_item_t *item)
{
    int  is_whole = pay_str_is(pay_str_of(item->currency->code), "HUF")
                    || pay_str_is(pay_str_of(item->currency->code), "TWD");

    pay_payout_text(body, "{\"recipient_type\":",
                    item->to.kind == PAY_PAYOUT_TO_EMAIL
                    ? PAY_STR("EMAIL") : PAY_STR("PAYPAL_ID"));
    pay_payout_text(body, ",\"receiver\":", item->to.payee);
    pay_payout_text(body, ",\"amount\":{\"currency\":",
                    pay_str_of(item->currency->code));

    if (is_whole) {
        pay_buf_text(body, ",\"value\":\"");
        pay_buf_int(body, item->amount_minor / PAYPAL_HUNDRED);

    } else {
        pay_payout_major(body, ",\"value\":\"", item->amount_minor,
                         item->currency);
    }

    pay_payout_text(body, "\"},\"sender_item_id\":", item->key);

    if (item->text.len != 0) {
        pay_payout_text(body, ",\"note\":", item->text);
    }

    pay_buf_text(body, "}");
}


/* The cursor is the number of the page. */
static pay_status_t
paypal_ask(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_buf_t  last;
    pay_str_t  text;

    (void) err;

    if (!pay_psp_token_is_valid(parcel->ids[0])) {
        return PAY_BUG;
    }

    pay_buf_init(&last, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&last, "/");
    pay_buf_add(&last, parcel->ids[0]);
    pay_buf_text(&last, "?page_size=" PAYPAL_PAGE "&page=");
    pay_buf_percent(&last, parcel->cursor.len != 0 ? parcel->cursor
                                                   : PAY_STR("1"));
    PAY_TRY(pay_buf_done(&last, &text));
    PAY_TRY(pay_psp_request_open(arena, &account->call, "GET",
                                 PAYPAL_PAYOUTS, text, request));
    pay_psp_accept(request, NULL);

    return PAY_OK;
}


/* Cancels one item, while nobody has claimed it; its own id is ids[1]. */
static pay_status_t
paypal_cancel(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_str_t  last;

    (void) err;

    if (!pay_psp_token_is_valid(parcel->ids[1])) {
        return PAY_BUG;
    }

    PAY_TRY(pay_payout_path(arena, "", parcel->ids[1], "/cancel", &last));
    PAY_TRY(pay_psp_request_open(arena, &account->call, "POST", PAYPAL_ITEMS,
                                 last, request));
    pay_psp_accept(request, NULL);

    return PAY_OK;
}


/* The answer names the batch and none of its items. */
static pay_status_t
paypal_sent(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    const pay_json_t  *header = pay_json_get(json, "batch_header");

    return pay_psp_believed(pay_psp_echo_needed(
                                pay_json_get(header, "sender_batch_header"),
                                "sender_batch_id", parcel->key),
                            &result->code)
           ? pay_payout_made(arena, header, "payout_batch_id", result)
           : PAY_OK;
}


/* "Batch with given sender_batch_id already exists": the first call arrived.
 * Without its link the batch is there and cannot be named, which is no
 * refusal. */
static pay_status_t
paypal_adopt(pay_arena_t *arena, pay_payout_call_t call,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result)
{
    size_t             i;
    pay_str_t          id;
    const pay_json_t  *detail, *details = pay_json_get(json, "details");

    (void) parcel;

    if (call != PAY_PAYOUT_SEND) {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(details); i++) {
        detail = pay_json_at(details, i);

        if (!pay_psp_is(detail, "field", "SENDER_BATCH_ID")
            && !pay_psp_is(detail, "field", "sender_batch_id"))
        {
            continue;
        }

        result->outcome = PAY_PSP_UNKNOWN;
        id = paypal_linked(pay_json_get(detail, "link"));

        if (id.len != 0) {
            result->outcome = PAY_PSP_DONE;
            result->code = PAY_STR("");
            return pay_dup(arena, id, &result->reference);
        }
    }

    return PAY_OK;
}


/* The last part of the path; of a foreign host, too: only the id is taken. */
static pay_str_t
paypal_linked(const pay_json_t *links)
{
    size_t     at;
    pay_str_t  href;

    if (pay_json_string(pay_json_get(pay_json_at(links, 0), "href"), &href)
        != PAY_OK)
    {
        return PAY_STR("");
    }

    for (at = href.len; at > 0 && href.data[at - 1] != '/'; at--) {
        /* void */
    }

    href.data += at;
    href.len -= at;

    return pay_psp_token_is_valid(href) ? href : PAY_STR("");
}


static pay_status_t
paypal_asked(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    const pay_json_t  *header = pay_json_get(json, "batch_header");

    if (!pay_psp_believed(pay_psp_echo_needed(header, "payout_batch_id",
                                              parcel->ids[0]),
                          &result->code)
        || !pay_psp_believed(pay_psp_echo_text(
                                 pay_json_get(header, "sender_batch_header"),
                                 "sender_batch_id", parcel->key),
                             &result->code))
    {
        return PAY_OK;
    }

    if (pay_psp_is(header, "batch_status", "DENIED")
        && pay_json_size(pay_json_get(json, "items")) == 0)
    {
        return paypal_denied(arena, parcel, result);
    }

    PAY_TRY(pay_payout_list(arena, parcel, pay_json_get(json, "items"),
                            paypal_entry, result));
    result->reference = parcel->ids[0];

    return paypal_next(arena, parcel, pay_json_get(json, "links"), result);
}


/* A denied batch has not been worked through, so that it lists no item. */
static pay_status_t
paypal_denied(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    pay_payout_result_t *result)
{
    unsigned             i;
    pay_payout_event_t  *event;

    PAY_TRY(pay_payout_events(arena, parcel->count, result));

    for (i = 0; i < parcel->count; i++) {
        event = &result->events[i];
        event->key = parcel->items[i].key;
        event->parcel = parcel->ids[0];
        event->type = PAY_STR("denied");
        event->code = PAY_STR("batch_denied");
        event->state = PAY_PAYOUT_FAILED;
    }

    result->count = parcel->count;
    result->outcome = PAY_PSP_DONE;
    result->reference = parcel->ids[0];
    result->code = PAY_STR("");

    return PAY_OK;
}


/* There is a next page when a link says so; its number is counted here. */
static pay_status_t
paypal_next(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *links, pay_payout_result_t *result)
{
    size_t   i;
    int64_t  page = 1;

    if (parcel->cursor.len != 0
        && (pay_digits_parse(parcel->cursor, &page) != PAY_OK
            || page >= PAYPAL_PAGES))
    {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(links); i++) {
        if (pay_psp_is(pay_json_at(links, i), "rel", "next")) {
            return pay_format(arena, &result->next, PAY_INT_TEXT_MAX, "%d",
                              (int) page + 1);
        }
    }

    return PAY_OK;
}


static pay_status_t
paypal_cancelled(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_payout_event_t        event;
    const pay_payout_item_t  *item;

    memset(&event, 0, sizeof(event));
    PAY_TRY(paypal_entry(arena, json, &event));
    item = pay_payout_item_of(parcel, event.key);

    if (item == NULL || !pay_str_eq(event.reference, parcel->ids[1])) {
        pay_payout_mismatch(result, "payout_item_id");
        return PAY_OK;
    }

    return pay_payout_done(arena, item, &event, result);
}


static pay_status_t
paypal_hook(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_json_t *root, pay_payout_result_t *result, pay_err_t *err)
{
    pay_str_t            time;
    pay_status_t         status;
    const pay_json_t    *resource = pay_json_get(root, "resource");
    pay_payout_event_t  *event;

    (void) account;

    PAY_TRY(pay_payout_events(arena, 1, result));
    event = &result->events[0];
    event->state = PAY_PAYOUT_UNKNOWN;
    event->must_ask = 1;

    status = pay_psp_token_need(arena, root, "id", &event->event_id);

    if (status == PAY_OK && pay_psp_is_there(resource, "payout_item")) {
        status = paypal_entry(arena, resource, event);

    } else if (status == PAY_OK) {
        status = pay_psp_token_may(arena,
                                   pay_json_get(resource, "batch_header"),
                                   "payout_batch_id", &event->parcel);
    }

    if (status == PAY_INVALID || !pay_psp_is_there(root, "event_type")) {
        return pay_refuse(err, "validation-error",
                          "an event has id, event_type and resource");
    }

    if (pay_json_string(pay_json_get(root, "create_time"), &time) == PAY_OK) {
        event->occurred_us = pay_payout_time_us(time);
    }

    result->count = (event->key.len != 0 || event->parcel.len != 0);

    return status;
}


/* An item as answers and webhooks have it.  PAY_INVALID without its id. */
static pay_status_t
paypal_entry(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event)
{
    pay_str_t          text, code;
    const pay_json_t  *item = pay_json_get(json, "payout_item");
    const pay_json_t  *money = pay_json_get(item, "amount");

    PAY_TRY(pay_psp_token_need(arena, json, "payout_item_id",
                               &event->reference));
    PAY_TRY(pay_psp_token_may(arena, json, "payout_batch_id",
                              &event->parcel));
    PAY_TRY(pay_psp_word_get(arena, json, "transaction_status",
                             &event->type));
    PAY_TRY(pay_psp_word_get(arena, pay_json_get(json, "errors"), "name",
                             &event->code));
    event->state = pay_payout_word(paypal_words, event->type);

    if (pay_json_string(pay_json_get(item, "sender_item_id"), &text)
        == PAY_OK)
    {
        PAY_TRY(pay_payout_key_in(arena, text, event));
    }

    if (pay_json_string(pay_json_get(money, "value"), &text) == PAY_OK
        && pay_json_string(pay_json_get(money, "currency"), &code) == PAY_OK)
    {
        PAY_TRY(pay_payout_amount_in(arena, text, code, event));
    }

    if (pay_json_string(pay_json_get(item, "receiver"), &text) == PAY_OK
        && text.len <= PAY_PSP_TOKEN_MAX)
    {
        PAY_TRY(pay_dup(arena, text, &event->payee));
    }

    if (pay_json_string(pay_json_get(json, "time_processed"), &text)
        == PAY_OK)
    {
        event->occurred_us = pay_payout_time_us(text);
    }

    return paypal_fee(arena, pay_json_get(json, "payout_item_fee"), event);
}


/* It is 0 as long as PayPal has not computed it. */
static pay_status_t
paypal_fee(pay_arena_t *arena, const pay_json_t *fee,
    pay_payout_event_t *event)
{
    pay_str_t           text, code;
    pay_payout_event_t  made;

    memset(&made, 0, sizeof(made));

    if (pay_json_string(pay_json_get(fee, "value"), &text) == PAY_OK
        && pay_json_string(pay_json_get(fee, "currency"), &code) == PAY_OK)
    {
        PAY_TRY(pay_payout_amount_in(arena, text, code, &made));
    }

    event->has_fee = made.amount_minor > 0;
    event->fee_minor = made.amount_minor;
    event->fee_currency = event->has_fee ? made.currency : PAY_STR("");

    return PAY_OK;
}


/* The same token as for orders: client id and secret of the PSP's adapter. */
static pay_status_t
paypal_auth_request(pay_arena_t *arena, const pay_payout_account_t *account,
    pay_http_request_t *request)
{
    return pay_psp_paypal.auth_request(arena, &account->call, request);
}


static pay_status_t
paypal_auth_answer(pay_arena_t *arena, const pay_http_answer_t *answer,
    pay_psp_auth_t *auth)
{
    return pay_psp_paypal.auth_answer(arena, answer, auth);
}

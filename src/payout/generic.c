/*
 * The generic provider: a small JSON protocol of ours
 * (docs/payout-providers.md#generic) for providers that are reached through a
 * bridge, and for the sandbox.  Amounts are decimal strings.  One call pays one
 * item; the list of a key is complete, so that an empty one proves that
 * nothing was paid.
 */

#include "payout/payout.h"


#define GENERIC_PATH  "/v1/payouts"


static pay_status_t generic_send(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static void generic_to(pay_buf_t *body, const pay_payout_destination_t *to);
static pay_status_t generic_ask(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t generic_find(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t generic_cancel(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t generic_sent(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t generic_found(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t generic_hook(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_json_t *root,
    pay_payout_result_t *result, pay_err_t *err);
static pay_status_t generic_event(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event);
static pay_status_t generic_fee(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event);


static const pay_payout_limit_t  generic_limits[] = {
    { "", 1, PAY_AMOUNT_MAX_MINOR, 0 }
};

static const pay_payout_word_t  generic_words[] = {
    { "accepted", PAY_PAYOUT_SENDING },
    { "sent", PAY_PAYOUT_SENT },
    { "paid", PAY_PAYOUT_PAID },
    { "returned", PAY_PAYOUT_RETURNED },
    { "failed", PAY_PAYOUT_FAILED },
    { "cancelled", PAY_PAYOUT_CANCELLED },
    { NULL, PAY_PAYOUT_UNKNOWN }
};

static const char *const  generic_ours[] = {
    "insufficient_funds", "limit_exceeded", NULL
};

/* A key lives for at least 24 hours and the list of a key for ever, as
 * docs/payout-providers.md#generic demands. */
const pay_payout_adapter_t  pay_payout_generic = {
    .name = "generic",
    .scheme = "standardwebhooks",
    .steps = { { "payout", 24, 1 } },
    .items_max = 1,
    .looks = 1,
    .look_gap_s = 0,
    .return_days = 60,
    .to = PAY_PAYOUT_TO(PAY_PAYOUT_TO_PAYEE)
          | PAY_PAYOUT_TO(PAY_PAYOUT_TO_IBAN),
    .limits = generic_limits,
    .ours = generic_ours,
    .error = pay_psp_error_plain,
    .slots = {
        [PAY_PAYOUT_SEND] = { generic_send, generic_sent },
        [PAY_PAYOUT_ASK] = { generic_ask, generic_sent },
        [PAY_PAYOUT_FIND] = { generic_find, generic_found },
        [PAY_PAYOUT_CANCEL] = { generic_cancel, generic_sent }
    },
    .hook = generic_hook
};


/* The key stands in the body, too: payouts are found by it when the answer is
 * lost. */
static pay_status_t
generic_send(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_buf_t                 body;
    const pay_payout_item_t  *item = &parcel->items[0];

    (void) err;

    PAY_TRY(pay_psp_request_init(arena, &account->call, "POST", GENERIC_PATH,
                                 PAY_STR(""), request));
    pay_psp_field_add(request, "Idempotency-Key", item->key);

    pay_buf_init(&body, arena, PAY_PSP_REQUEST_MAX);
    pay_payout_text(&body, "{\"key\":", item->key);
    pay_payout_major(&body, ",\"amount\":\"", item->amount_minor,
                     item->currency);
    pay_payout_text(&body, "\",\"currency\":",
                    pay_str_of(item->currency->code));
    generic_to(&body, &item->to);

    if (item->text.len != 0) {
        pay_payout_text(&body, ",\"text\":", item->text);
    }

    pay_buf_text(&body, "}");

    return pay_payout_body(&body, request);
}


static void
generic_to(pay_buf_t *body, const pay_payout_destination_t *to)
{
    if (to->kind == PAY_PAYOUT_TO_IBAN) {
        pay_payout_text(body, ",\"destination\":{\"iban\":", to->iban);

    } else {
        pay_payout_text(body, ",\"destination\":{\"payee\":", to->payee);
    }

    if (to->bic.len != 0) {
        pay_payout_text(body, ",\"bic\":", to->bic);
    }

    if (to->name.len != 0) {
        pay_payout_text(body, ",\"name\":", to->name);
    }

    if (to->country.len != 0) {
        pay_payout_text(body, ",\"country\":", to->country);
    }

    pay_buf_text(body, "}");
}


static pay_status_t
generic_ask(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) err;

    return pay_psp_token_is_valid(parcel->ids[0])
           ? pay_psp_get(arena, &account->call, GENERIC_PATH "/",
                         parcel->ids[0], request)
           : PAY_BUG;
}


/* One answer has all of a key: there are no pages. */
static pay_status_t
generic_find(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) err;

    return pay_psp_get(arena, &account->call, GENERIC_PATH "?key=",
                       parcel->items[0].key, request);
}


/* A second cancellation of the same payout does nothing new, so that it has no
 * key. */
static pay_status_t
generic_cancel(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_str_t  last;

    (void) err;

    if (!pay_psp_token_is_valid(parcel->ids[0])) {
        return PAY_BUG;
    }

    PAY_TRY(pay_payout_path(arena, "", parcel->ids[0], "/cancel", &last));
    PAY_TRY(pay_psp_request_init(arena, &account->call, "POST",
                                 GENERIC_PATH "/", last, request));
    pay_psp_accept(request, NULL);

    return PAY_OK;
}


static pay_status_t
generic_sent(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_payout_event_t  event;

    memset(&event, 0, sizeof(event));
    PAY_TRY(generic_event(arena, json, &event));

    if (event.key.len == 0) {
        pay_psp_unread(&result->unread, "key", "must repeat the key");
        return PAY_OK;
    }

    return pay_payout_done(arena, &parcel->items[0], &event, result);
}


/* Two payouts of one key are a double payment at the bridge: nothing is taken
 * for the right one. */
static pay_status_t
generic_found(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    const pay_json_t  *list = pay_json_get(json, "payouts");

    if (pay_json_type(list) != PAY_JSON_ARRAY) {
        pay_psp_unread(&result->unread, "payouts", "must be a list");
        return PAY_OK;
    }

    if (pay_json_size(list) > 1) {
        result->code = PAY_STR("found_twice");
        return PAY_OK;
    }

    return pay_json_size(list) == 0
           ? pay_payout_none(arena, parcel, PAY_STR(""), result)
           : generic_sent(arena, parcel, pay_json_at(list, 0), result);
}


/* The type is "payout." and the status, which stands in the data, too. */
static pay_status_t
generic_hook(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_json_t *root, pay_payout_result_t *result, pay_err_t *err)
{
    pay_status_t         status;
    pay_payout_event_t  *event;

    (void) account;

    PAY_TRY(pay_payout_events(arena, 1, result));
    event = &result->events[0];

    status = pay_psp_token_need(arena, root, "id", &event->event_id);
    if (status == PAY_OK) {
        status = generic_event(arena, pay_json_get(root, "data"), event);
    }

    if (status == PAY_INVALID
        || (status == PAY_OK && (event->key.len == 0 || !event->has_amount)))
    {
        return pay_refuse(err, "validation-error", "an event has id and data "
                          "with id, key, status, amount and currency");
    }

    result->count = 1;

    return status;
}


/* A payout object.  PAY_INVALID without an id. */
static pay_status_t
generic_event(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event)
{
    pay_str_t  text, code;

    PAY_TRY(pay_psp_token_need(arena, json, "id", &event->reference));
    PAY_TRY(pay_psp_word_get(arena, json, "status", &event->type));
    PAY_TRY(pay_psp_word_get(arena, json, "code", &event->code));
    event->state = pay_payout_word(generic_words, event->type);

    if (pay_json_string(pay_json_get(json, "key"), &text) == PAY_OK) {
        PAY_TRY(pay_payout_key_in(arena, text, event));
    }

    if (pay_json_string(pay_json_get(json, "amount"), &text) == PAY_OK
        && pay_json_string(pay_json_get(json, "currency"), &code) == PAY_OK)
    {
        PAY_TRY(pay_payout_amount_in(arena, text, code, event));
    }

    if (pay_json_string(pay_json_get(json, "account_end"), &text) == PAY_OK) {
        PAY_TRY(pay_payout_end_in(arena, text, event));
    }

    if (pay_json_string(pay_json_get(json, "occurred_at"), &text) == PAY_OK) {
        event->occurred_us = pay_payout_time_us(text);
    }

    return generic_fee(arena, json, event);
}


/* {"amount","currency"}; anything else is no fee. */
static pay_status_t
generic_fee(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event)
{
    int64_t                minor;
    pay_str_t              text, code;
    const pay_json_t      *fee = pay_json_get(json, "fee");
    const pay_currency_t  *currency;

    if (pay_json_string(pay_json_get(fee, "amount"), &text) != PAY_OK
        || pay_json_string(pay_json_get(fee, "currency"), &code) != PAY_OK
        || pay_currency_find(code, &currency, NULL) != PAY_OK
        || !pay_payout_decimal(text, currency, &minor) || minor == 0)
    {
        return PAY_OK;
    }

    event->has_fee = 1;
    event->fee_minor = minor;

    return pay_dup(arena, code, &event->fee_currency);
}

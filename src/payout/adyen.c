/*
 * Adyen's transfers from a balance account to a bank account
 * (docs/payout-providers.md#adyen), API v4.  The item's key is the
 * Idempotency-Key and the transfer's reference.  Webhooks carry a sequence
 * number for each transfer; the highest one counts.
 *
 *    received ─▶ authorised ─▶ booked ─▶ tracking: credited
 *        │           │            └─▶ failed, returned: the money is back
 *        └───────────┴─▶ refused, error, cancelled
 */

#include "payout/payout.h"
#include "pay_time.h"
#include "psp/adyen.h"


#define ADYEN_TRANSFERS  "/transfers"
#define ADYEN_PAGE       "10"          /* transfers of up to 6 KiB; more than
                                          one of a reference is none of ours */
#define ADYEN_SKEW_S     3600
#define ADYEN_SPAN_S     (30 * 86400)  /* an executionDate lies no further
                                          ahead */
#define ADYEN_KEY_HEX    32            /* of the item's key, before the
                                          attempt */


static pay_status_t adyen_send(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static void adyen_counterparty(pay_buf_t *body,
    const pay_payout_destination_t *to);
static pay_status_t adyen_ask(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t adyen_find(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t adyen_sent(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t adyen_asked(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t adyen_found(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_str_t adyen_cursor(const pay_json_t *links);
static pay_status_t adyen_hook(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_json_t *root,
    pay_payout_result_t *result, pay_err_t *err);
static int adyen_is_transfer(const pay_json_t *root, const pay_json_t *data);
static pay_status_t adyen_entry(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event);
static pay_payout_state_t adyen_state(const pay_json_t *json, pay_str_t word,
    pay_str_t reason);
static int adyen_is_end(pay_payout_state_t state);
static pay_status_t adyen_whose(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event);


static const pay_payout_limit_t  adyen_limits[] = {
    { "", 1, PAY_AMOUNT_MAX_MINOR, 0 }
};

static const pay_payout_word_t  adyen_words[] = {
    { "received", PAY_PAYOUT_SENDING },
    { "pending", PAY_PAYOUT_SENDING },
    { "pendingapproval", PAY_PAYOUT_SENDING },
    { "approvalpending", PAY_PAYOUT_SENDING },
    { "pendingexecution", PAY_PAYOUT_SENDING },
    { "authorised", PAY_PAYOUT_SENDING },
    { "booked", PAY_PAYOUT_SENT },
    { "credited", PAY_PAYOUT_PAID },
    { "refused", PAY_PAYOUT_FAILED },
    { "error", PAY_PAYOUT_FAILED },
    { "failed", PAY_PAYOUT_FAILED },
    { "returned", PAY_PAYOUT_RETURNED },
    { "cancelled", PAY_PAYOUT_CANCELLED },
    { NULL, PAY_PAYOUT_UNKNOWN }
};

static const char *const  adyen_ours[] = {
    "notenoughbalance", "amountlimitexceeded", "approvalexpired",
    "declinedbytransactionrule", "routenotfound", NULL
};

const pay_payout_adapter_t  pay_payout_adyen = {
    .name = "adyen",
    .scheme = "adyen-platform",
    .traits = PAY_PAYOUT_NEEDS_ACCOUNT,
    .steps = { { "transfer", 168, 1 } },
    .items_max = 1,
    .looks = 2,
    .look_gap_s = 3600,
    .return_days = 60,
    .to = PAY_PAYOUT_TO(PAY_PAYOUT_TO_PAYEE)
          | PAY_PAYOUT_TO(PAY_PAYOUT_TO_IBAN),
    .limits = adyen_limits,
    .to_theirs = pay_adyen_to_theirs,
    .ours = adyen_ours,
    .error = pay_adyen_error,
    .slots = {
        [PAY_PAYOUT_SEND] = { adyen_send, adyen_sent },
        [PAY_PAYOUT_ASK] = { adyen_ask, adyen_asked },
        [PAY_PAYOUT_FIND] = { adyen_find, adyen_found }
    },
    .hook = adyen_hook
};


/* referenceForBeneficiary takes letters and digits alone, 35 of them: the key
 * without its attempt. */
static pay_status_t
adyen_send(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    int64_t                   value;
    pay_buf_t                 body;
    const pay_payout_item_t  *item = &parcel->items[0];

    PAY_TRY(pay_adyen_to_theirs(item->currency, item->amount_minor, &value,
                                err));
    PAY_TRY(pay_adyen_request(arena, &account->call, "POST", ADYEN_TRANSFERS,
                              PAY_STR(""), request));
    pay_psp_field_add(request, "Idempotency-Key", item->key);

    pay_buf_init(&body, arena, PAY_PSP_REQUEST_MAX);
    pay_buf_text(&body, "{\"amount\":{\"value\":");
    pay_buf_int(&body, value);
    pay_payout_text(&body, ",\"currency\":",
                    pay_str_of(item->currency->code));
    pay_payout_text(&body, "},\"balanceAccountId\":", account->call.account);
    pay_buf_text(&body, ",\"category\":\"bank\",\"priority\":\"regular\"");
    adyen_counterparty(&body, &item->to);
    pay_payout_text(&body, ",\"reference\":", item->key);
    pay_payout_text(&body, ",\"referenceForBeneficiary\":",
                    (pay_str_t) { ADYEN_KEY_HEX, item->key.data });

    if (item->text.len != 0) {
        pay_payout_text(&body, ",\"description\":", item->text);
    }

    pay_buf_text(&body, "}");

    return pay_payout_body(&body, request);
}


static void
adyen_counterparty(pay_buf_t *body, const pay_payout_destination_t *to)
{
    if (to->kind == PAY_PAYOUT_TO_PAYEE) {
        pay_payout_text(body, ",\"counterparty\":{\"transferInstrumentId\":",
                        to->payee);
        pay_buf_text(body, "}");
        return;
    }

    pay_payout_text(body, ",\"counterparty\":{\"bankAccount\":{"
                    "\"accountHolder\":{\"fullName\":", to->name);
    pay_payout_text(body, "},\"accountIdentification\":{\"type\":\"iban\","
                    "\"iban\":", to->iban);
    pay_buf_text(body, "}}}");
}


static pay_status_t
adyen_ask(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) err;

    if (!pay_psp_token_is_valid(parcel->ids[0])) {
        return PAY_BUG;
    }

    PAY_TRY(pay_adyen_request(arena, &account->call, "GET",
                              ADYEN_TRANSFERS "/", parcel->ids[0], request));
    pay_psp_accept(request, NULL);

    return PAY_OK;
}


/* The transfers of this reference that can have been made for the parcel.  Both
 * ends of the span are required.  adyen_found() compares the references
 * nevertheless, so that an answer which is not filtered proves as much. */
static pay_status_t
adyen_find(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_buf_t  query;
    pay_str_t  text, since, until;

    (void) err;

    PAY_TRY(pay_time_format(arena, parcel->made_s - ADYEN_SKEW_S, &since));
    PAY_TRY(pay_time_format(arena, parcel->made_s + ADYEN_SPAN_S, &until));

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?limit=" ADYEN_PAGE "&balanceAccountId=");
    pay_buf_percent(&query, account->call.account);
    pay_buf_text(&query, "&reference=");
    pay_buf_percent(&query, parcel->items[0].key);
    pay_buf_text(&query, "&createdSince=");
    pay_buf_percent(&query, since);
    pay_buf_text(&query, "&createdUntil=");
    pay_buf_percent(&query, until);

    if (parcel->cursor.len != 0) {
        pay_buf_text(&query, "&cursor=");
        pay_buf_percent(&query, parcel->cursor);
    }

    PAY_TRY(pay_buf_done(&query, &text));
    PAY_TRY(pay_adyen_request(arena, &account->call, "GET", ADYEN_TRANSFERS,
                              text, request));
    pay_psp_accept(request, NULL);

    return PAY_OK;
}


static pay_status_t
adyen_sent(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_payout_event_t  event;

    if (!pay_psp_believed(pay_psp_echo_needed(json, "reference",
                                              parcel->items[0].key),
                          &result->code))
    {
        return PAY_OK;
    }

    memset(&event, 0, sizeof(event));
    PAY_TRY(adyen_entry(arena, json, &event));

    return pay_payout_done(arena, &parcel->items[0], &event, result);
}


static pay_status_t
adyen_asked(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    if (!pay_psp_believed(pay_psp_echo_needed(json, "id", parcel->ids[0]),
                          &result->code))
    {
        return PAY_OK;
    }

    return adyen_sent(arena, parcel, json, result);
}


static pay_status_t
adyen_found(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    size_t             i;
    pay_str_t          next;
    const pay_json_t  *list = pay_json_get(json, "data");
    const pay_json_t  *links = pay_json_get(json, "links");

    if (pay_json_type(list) != PAY_JSON_ARRAY) {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(list); i++) {
        if (pay_psp_echo_needed(pay_json_at(list, i), "reference",
                                parcel->items[0].key)
            == PAY_PSP_ECHO_RIGHT)
        {
            return adyen_sent(arena, parcel, pay_json_at(list, i), result);
        }
    }

    next = adyen_cursor(links);

    return (next.len == 0 && pay_psp_is_there(links, "next"))
           ? PAY_INVALID : pay_payout_none(arena, parcel, next, result);
}


/* The value of "cursor" in the address of the next page, of which nothing else
 * is taken; empty when there is none, or when it is no plain text. */
static pay_str_t
adyen_cursor(const pay_json_t *links)
{
    size_t     at, len;
    pay_str_t  href, cursor = pay_string("");

    static const char  mark[] = "cursor=";

    if (pay_json_string(pay_json_path(links, "next", "href", NULL), &href)
        != PAY_OK)
    {
        return cursor;
    }

    for (at = 1; at + sizeof(mark) <= href.len; at++) {
        if ((href.data[at - 1] == '?' || href.data[at - 1] == '&')
            && memcmp(href.data + at, mark, sizeof(mark) - 1) == 0)
        {
            at += sizeof(mark) - 1;

            for (len = 0; at + len < href.len && href.data[at + len] != '&';
                 len++)
            {
                /* void */
            }

            cursor = (pay_str_t) { len, href.data + at };
            break;
        }
    }

    return pay_psp_token_is_valid(cursor) ? cursor : PAY_STR("");
}


static pay_status_t
adyen_hook(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_json_t *root, pay_payout_result_t *result, pay_err_t *err)
{
    pay_status_t         status;
    const pay_json_t    *data = pay_json_get(root, "data");
    pay_payout_event_t  *event;

    if (pay_json_type(data) != PAY_JSON_OBJECT
        || !pay_psp_is_there(root, "type")
        || (account->call.live >= 0
            && pay_psp_is(root, "environment", "live") != account->call.live))
    {
        return pay_refuse(err, "validation-error",
                          "a message has type and data, and is of this mode");
    }

    PAY_TRY(pay_payout_events(arena, 1, result));
    event = &result->events[0];

    if (!adyen_is_transfer(root, data)) {
        return PAY_OK;
    }

    status = adyen_entry(arena, data, event);

    if (status == PAY_INVALID
        || (status == PAY_OK && event->key.len != 0 && !event->has_amount))
    {
        return pay_refuse(err, "validation-error",
                          "a transfer has id, amount and currency");
    }

    PAY_TRY(status);
    PAY_TRY(pay_format(arena, &event->event_id, PAY_PSP_TOKEN_MAX,
                       "%.*s:%lld", pay_fmt(event->reference),
                       (long long) event->sequence));

    result->count = (event->key.len != 0);

    return PAY_OK;
}


/* Money that comes in, and cards, have the same messages. */
static int
adyen_is_transfer(const pay_json_t *root, const pay_json_t *data)
{
    return (pay_psp_is(root, "type", "balancePlatform.transfer.created")
            || pay_psp_is(root, "type", "balancePlatform.transfer.updated"))
           && !pay_psp_is(data, "direction", "incoming");
}


/* A transfer in answers, lists and webhooks.  PAY_INVALID without an id. */
static pay_status_t
adyen_entry(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event)
{
    pay_str_t        text, reason;
    pay_psp_event_t  money;

    PAY_TRY(pay_psp_token_need(arena, json, "id", &event->reference));
    PAY_TRY(pay_psp_word_get(arena, json, "status", &event->type));
    PAY_TRY(pay_psp_word_get(arena, json, "reason", &reason));

    event->state = adyen_state(json, event->type, reason);

    if (adyen_is_end(event->state) && !pay_str_is(reason, "approved")) {
        event->code = reason;
    }

    if (pay_json_string(pay_json_get(json, "reference"), &text) == PAY_OK) {
        PAY_TRY(pay_payout_key_in(arena, text, event));
    }

    memset(&money, 0, sizeof(money));
    PAY_TRY(pay_adyen_amount_in(arena, json, &money));
    event->has_amount = money.has_amount;
    event->amount_minor = money.amount_minor;
    event->currency = money.currency;

    if (pay_json_integer(pay_json_get(json, "sequenceNumber"),
                         &event->sequence) != PAY_OK || event->sequence < 0)
    {
        event->sequence = 0;
    }

    return adyen_whose(arena, json, event);
}


/* A time-out at the seller's bank decides nothing.  "booked" becomes final when
 * the bank says "credited", which most never do. */
static pay_payout_state_t
adyen_state(const pay_json_t *json, pay_str_t word, pay_str_t reason)
{
    const pay_json_t  *tracking = pay_json_get(json, "tracking");

    if (pay_str_is(reason, "counterpartybanktimedout")) {
        return PAY_PAYOUT_UNKNOWN;
    }

    if (pay_str_is(word, "booked")
        && pay_psp_is(tracking, "type", "confirmation")
        && pay_psp_is(tracking, "status", "credited"))
    {
        return PAY_PAYOUT_PAID;
    }

    return pay_payout_word(adyen_words, word);
}


/* A transfer on its way has a reason, too ("pending", "approved",
 * "pendingExecution"), which says nothing went wrong. */
static int
adyen_is_end(pay_payout_state_t state)
{
    return state == PAY_PAYOUT_FAILED || state == PAY_PAYOUT_CANCELLED
           || state == PAY_PAYOUT_RETURNED || state == PAY_PAYOUT_UNKNOWN;
}


/* The account that the transfer goes to, as far as it is named. */
static pay_status_t
adyen_whose(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event)
{
    pay_str_t          iban;
    const pay_json_t  *to = pay_json_get(json, "counterparty");

    if (pay_json_string(pay_json_path(to, "bankAccount",
                                      "accountIdentification", "iban", NULL),
                        &iban)
        == PAY_OK)
    {
        PAY_TRY(pay_payout_end_in(arena, iban, event));
    }

    return pay_psp_token_may(arena, to, "transferInstrumentId",
                             &event->payee);
}

/*
 * Stripe Connect (docs/payout-providers.md#stripe): a transfer moves the money
 * from the platform's balance to the connected account, a payout from there to
 * the seller's bank.  Each has an Idempotency-Key of its own; the item's key
 * stands in the transfer's transfer_group and in the metadata of both.
 *
 * A payout that fails leaves the money on the connected account, where nobody
 * may take it for the seller's: the transfer is reversed (CANCEL of step 0)
 * before the item counts as failed.
 */

#include "payout/payout.h"
#include "psp/stripe.h"


#define STRIPE_TRANSFERS    "/v1/transfers"
#define STRIPE_PAYOUTS      "/v1/payouts"
#define STRIPE_TRANSFER     0
#define STRIPE_PAYOUT       1
#define STRIPE_PAGE         "20"       /* objects of 2 KiB: an answer takes
                                          64 KiB */
#define STRIPE_SKEW_S       3600       /* their clock may be behind ours */
#define STRIPE_STATEMENT    22         /* bytes of statement_descriptor */
#define STRIPE_KEY_MAX      255
#define STRIPE_REVERSED     "already fully reversed"
#define STRIPE_US           INT64_C(1000000)


static pay_status_t stripe_send(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t stripe_head(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request);
static pay_status_t stripe_form(pay_buf_t *form,
    const pay_payout_parcel_t *parcel, int64_t amount);
static pay_status_t stripe_ask(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t stripe_find(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t stripe_cancel(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t stripe_sent(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t stripe_asked(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t stripe_found(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t stripe_last(pay_arena_t *arena, const pay_json_t *json,
    const pay_json_t *list, pay_str_t *next);
static pay_status_t stripe_cancelled(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t stripe_adopt(pay_arena_t *arena, pay_payout_call_t call,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static int stripe_holds(pay_str_t text, pay_str_t part);
static pay_status_t stripe_hook(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_json_t *root,
    pay_payout_result_t *result, pay_err_t *err);
static pay_status_t stripe_hooked(pay_arena_t *arena, const pay_json_t *root,
    const pay_json_t *object, pay_payout_event_t *event);
static pay_status_t stripe_transfer(pay_arena_t *arena,
    const pay_json_t *json, pay_payout_event_t *event);
static pay_status_t stripe_payout(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event);
static pay_status_t stripe_money(pay_arena_t *arena, const pay_json_t *json,
    const char *name, pay_payout_event_t *event);


/* Whole hundreds of forint and Taiwan dollars: charges may have others. */
static const pay_payout_limit_t  stripe_limits[] = {
    { "HUF", 100, PAY_AMOUNT_MAX_MINOR, 100 },
    { "TWD", 100, PAY_AMOUNT_MAX_MINOR, 100 },
    { "", 1, PAY_AMOUNT_MAX_MINOR, 0 }
};

static const pay_payout_word_t  stripe_words[] = {
    { "pending", PAY_PAYOUT_SENDING },
    { "in_transit", PAY_PAYOUT_SENT },
    { "paid", PAY_PAYOUT_PAID },
    { "failed", PAY_PAYOUT_FAILED },
    { "canceled", PAY_PAYOUT_CANCELLED },
    { NULL, PAY_PAYOUT_UNKNOWN }
};

static const char *const  stripe_ours[] = {
    "insufficient_funds", "balance_insufficient", "transfers_not_allowed",
    "payouts_not_allowed", NULL
};

const pay_payout_adapter_t  pay_payout_stripe = {
    .name = "stripe",
    .scheme = "stripe",
    .traits = PAY_PAYOUT_TAKES_BACK,
    .steps = { { "transfer", 24, 1 }, { "payout", 24, 1 } },
    .items_max = 1,
    .looks = 2,
    .look_gap_s = 3600,
    .return_days = 30,
    .to = PAY_PAYOUT_TO(PAY_PAYOUT_TO_PAYEE),
    .limits = stripe_limits,
    .to_theirs = pay_stripe_to_theirs,
    .ours = stripe_ours,
    .error = pay_stripe_error,
    .slots = {
        [PAY_PAYOUT_SEND] = { stripe_send, stripe_sent },
        [PAY_PAYOUT_ASK] = { stripe_ask, stripe_asked },
        [PAY_PAYOUT_FIND] = { stripe_find, stripe_found },
        [PAY_PAYOUT_CANCEL] = { stripe_cancel, stripe_cancelled }
    },
    .adopt = stripe_adopt,
    .hook = stripe_hook
};


static pay_status_t
stripe_send(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    int                       is_payout = parcel->step == STRIPE_PAYOUT;
    int64_t                   amount;
    pay_buf_t                 form;
    pay_str_t                 key, body;
    const pay_payout_item_t  *item = &parcel->items[0];

    PAY_TRY(pay_stripe_to_theirs(item->currency, item->amount_minor, &amount,
                                 err));
    PAY_TRY(stripe_head(arena, account, parcel, "POST",
                        is_payout ? STRIPE_PAYOUTS : STRIPE_TRANSFERS,
                        PAY_STR(""), request));
    PAY_TRY(pay_psp_key(arena, item->key, is_payout ? ":payout" : ":transfer",
                        STRIPE_KEY_MAX, &key));
    pay_psp_field_add(request, "Idempotency-Key", key);

    pay_buf_init(&form, arena, PAY_PSP_REQUEST_MAX);
    PAY_TRY(stripe_form(&form, parcel, amount));
    PAY_TRY(pay_buf_done(&form, &body));
    pay_stripe_form_add(request, body);

    return PAY_OK;
}


/* A payout is the connected account's own: it is named in a header. */
static pay_status_t
stripe_head(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request)
{
    PAY_TRY(pay_stripe_request(arena, &account->call, method, path, last,
                               request));

    if (parcel->step == STRIPE_PAYOUT) {
        pay_psp_field_add(request, "Stripe-Account",
                          parcel->items[0].to.payee);
    }

    return PAY_OK;
}


/* The text goes to the statement as a whole or not at all: Stripe refuses a
 * longer one, and an apostrophe. */
static pay_status_t
stripe_form(pay_buf_t *form, const pay_payout_parcel_t *parcel, int64_t amount)
{
    const pay_payout_item_t  *item = &parcel->items[0];
    unsigned char             code[PAY_PSP_CURRENCY_LEN];

    pay_buf_text(form, "amount=");
    pay_buf_int(form, amount);
    pay_stripe_pair(form, "currency",
                    pay_stripe_currency(item->currency, code));
    pay_stripe_pair(form, "metadata[payout]", item->key);

    if (parcel->step == STRIPE_TRANSFER) {
        pay_stripe_pair(form, "destination", item->to.payee);
        pay_stripe_pair(form, "transfer_group", item->key);
        return PAY_OK;
    }

    pay_stripe_pair(form, "method", PAY_STR("standard"));

    if (item->text.len != 0 && item->text.len <= STRIPE_STATEMENT
        && memchr(item->text.data, '\'', item->text.len) == NULL)
    {
        pay_stripe_pair(form, "statement_descriptor", item->text);
    }

    return PAY_OK;
}


/* Asks for the object of the step. */
static pay_status_t
stripe_ask(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_str_t  id = parcel->ids[parcel->step];

    (void) err;

    return pay_psp_token_is_valid(id)
           ? stripe_head(arena, account, parcel, "GET",
                         parcel->step == STRIPE_PAYOUT
                         ? STRIPE_PAYOUTS "/" : STRIPE_TRANSFERS "/", id,
                         request)
           : PAY_BUG;
}


/* Transfers are listed by their group.  Payouts have none: all that can have
 * been made since the parcel are looked through. */
static pay_status_t
stripe_find(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_buf_t  query;
    pay_str_t  text;

    (void) err;

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?limit=" STRIPE_PAGE);

    if (parcel->step == STRIPE_TRANSFER) {
        pay_stripe_pair(&query, "transfer_group", parcel->items[0].key);

    } else {
        pay_stripe_pair(&query, "created[gte]", PAY_STR(""));
        pay_buf_int(&query, parcel->made_s - STRIPE_SKEW_S);
    }

    if (parcel->cursor.len != 0) {
        pay_stripe_pair(&query, "starting_after", parcel->cursor);
    }

    PAY_TRY(pay_buf_done(&query, &text));

    return stripe_head(arena, account, parcel, "GET",
                       parcel->step == STRIPE_PAYOUT ? STRIPE_PAYOUTS
                                                     : STRIPE_TRANSFERS,
                       text, request);
}


/* Step 1: cancels the payout, while it is pending.  Step 0: takes the
 * transfer back as a whole; a second reversal is refused, since nothing is left
 * to reverse (stripe_adopt). */
static pay_status_t
stripe_cancel(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    int        is_payout = parcel->step == STRIPE_PAYOUT;
    int64_t    amount;
    pay_buf_t  form;
    pay_str_t  key, last, body, id = parcel->ids[parcel->step];

    if (!pay_psp_token_is_valid(id)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_stripe_to_theirs(parcel->items[0].currency,
                                 parcel->items[0].amount_minor, &amount,
                                 err));
    PAY_TRY(pay_payout_path(arena, "/", id,
                            is_payout ? "/cancel" : "/reversals", &last));
    PAY_TRY(stripe_head(arena, account, parcel, "POST",
                        is_payout ? STRIPE_PAYOUTS : STRIPE_TRANSFERS, last,
                        request));
    PAY_TRY(pay_psp_key(arena, parcel->items[0].key,
                        is_payout ? ":cancel" : ":reversal", STRIPE_KEY_MAX,
                        &key));
    pay_psp_field_add(request, "Idempotency-Key", key);

    pay_buf_init(&form, arena, PAY_PSP_REQUEST_MAX);

    if (!is_payout) {
        pay_buf_text(&form, "amount=");
        pay_buf_int(&form, amount);
    }

    PAY_TRY(pay_buf_done(&form, &body));
    pay_stripe_form_add(request, body);

    return PAY_OK;
}


static pay_status_t
stripe_sent(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_payout_event_t  event;

    memset(&event, 0, sizeof(event));

    if (parcel->step == STRIPE_PAYOUT) {
        PAY_TRY(stripe_payout(arena, json, &event));

    } else {
        PAY_TRY(stripe_transfer(arena, json, &event));
    }

    return pay_payout_done(arena, &parcel->items[0], &event, result);
}


/* An answer about another object is none. */
static pay_status_t
stripe_asked(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    if (!pay_psp_believed(pay_psp_echo_needed(json, "id",
                                              parcel->ids[parcel->step]),
                          &result->code))
    {
        return PAY_OK;
    }

    return stripe_sent(arena, parcel, json, result);
}


/* Objects of other keys are passed over; the list ends with has_more false. */
static pay_status_t
stripe_found(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    size_t             i;
    pay_str_t          next;
    const pay_json_t  *entry, *list = pay_json_get(json, "data");

    PAY_TRY(stripe_last(arena, json, list, &next));

    for (i = 0; i < pay_json_size(list); i++) {
        entry = pay_json_at(list, i);

        if (pay_psp_echo_needed(pay_json_get(entry, "metadata"), "payout",
                                parcel->items[0].key)
            == PAY_PSP_ECHO_RIGHT
            || pay_psp_echo_needed(entry, "transfer_group",
                                   parcel->items[0].key)
               == PAY_PSP_ECHO_RIGHT)
        {
            return stripe_sent(arena, parcel, entry, result);
        }
    }

    return pay_payout_none(arena, parcel, next, result);
}


/* PAY_INVALID when it is no list, or more is to come without a position. */
static pay_status_t
stripe_last(pay_arena_t *arena, const pay_json_t *json, const pay_json_t *list,
    pay_str_t *next)
{
    pay_json_type_t  more = pay_json_type(pay_json_get(json, "has_more"));

    *next = PAY_STR("");

    if (pay_json_type(list) != PAY_JSON_ARRAY
        || (more != PAY_JSON_TRUE && more != PAY_JSON_FALSE)
        || (more == PAY_JSON_TRUE && pay_json_size(list) == 0))
    {
        return PAY_INVALID;
    }

    return (more == PAY_JSON_FALSE)
           ? PAY_OK : pay_psp_token_need(arena,
                                         pay_json_at(list,
                                                     pay_json_size(list) - 1),
                                         "id", next);
}


/* A reversal is an object of its own, which names its transfer. */
static pay_status_t
stripe_cancelled(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_payout_event_t  event;

    if (parcel->step == STRIPE_PAYOUT) {
        return stripe_asked(arena, parcel, json, result);
    }

    if (!pay_psp_believed(pay_psp_echo_needed(json, "transfer",
                                              parcel->ids[0]),
                          &result->code))
    {
        return PAY_OK;
    }

    memset(&event, 0, sizeof(event));
    PAY_TRY(pay_psp_token_need(arena, json, "id", &event.reference));
    PAY_TRY(stripe_money(arena, json, "amount", &event));
    event.parcel = parcel->ids[0];
    event.type = PAY_STR("reversed");
    event.state = PAY_PAYOUT_RETURNED;

    return pay_payout_done(arena, &parcel->items[0], &event, result);
}


/* A reversal whose answer was lost is refused when its key has run out.  Stripe
 * has no code for that, its text names the transfer: github stripe/stripe-ruby
 * #1058.  With another text the refusal stays one, for an operator. */
static pay_status_t
stripe_adopt(pay_arena_t *arena, pay_payout_call_t call,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result)
{
    pay_str_t                 text;
    pay_payout_event_t        event;
    const pay_payout_item_t  *item = &parcel->items[0];

    if (call != PAY_PAYOUT_CANCEL || parcel->step != STRIPE_TRANSFER
        || pay_json_string(pay_json_path(json, "error", "message", NULL),
                           &text) != PAY_OK
        || !pay_psp_token_is_valid(parcel->ids[0])
        || !stripe_holds(text, PAY_STR(STRIPE_REVERSED))
        || !stripe_holds(text, parcel->ids[0]))
    {
        return PAY_INVALID;
    }

    memset(&event, 0, sizeof(event));
    event.reference = parcel->ids[0];
    event.parcel = parcel->ids[0];
    event.type = PAY_STR("reversed");
    event.state = PAY_PAYOUT_RETURNED;
    event.has_amount = 1;
    event.amount_minor = item->amount_minor;
    event.currency = pay_str_of(item->currency->code);

    return pay_payout_done(arena, item, &event, result);
}


/* As whole words: "tr_1" is not in "tr_12". */
static int
stripe_holds(pay_str_t text, pay_str_t part)
{
    size_t         at;
    unsigned char  next;

    for (at = 0; at + part.len <= text.len; at++) {
        next = (at + part.len < text.len) ? text.data[at + part.len] : ' ';

        if (memcmp(text.data + at, part.data, part.len) == 0
            && (at == 0 || text.data[at - 1] == ' ')
            && (next == ' ' || next == '.'))
        {
            return 1;
        }
    }

    return 0;
}


/* Events of a connected account come to a Connect endpoint and carry its id;
 * those of the platform's own payouts have none and are not ours. */
static pay_status_t
stripe_hook(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_json_t *root, pay_payout_result_t *result, pay_err_t *err)
{
    int                live;
    pay_status_t       status;
    const pay_json_t  *object = pay_json_path(root, "data", "object", NULL);

    live = pay_json_is_true(pay_json_get(root, "livemode"));

    if (!pay_psp_is(root, "object", "event")
        || (account->call.live >= 0 && account->call.live != live))
    {
        return pay_refuse(err, "validation-error",
                          "not an event of this account's mode");
    }

    PAY_TRY(pay_payout_events(arena, 1, result));

    status = stripe_hooked(arena, root, object, &result->events[0]);
    if (status == PAY_INVALID) {
        return pay_refuse(err, "validation-error",
                          "an event has id and type, its object id, amount "
                          "and currency");
    }

    result->count = (result->events[0].key.len != 0);

    return status;
}


/* Objects without our key are another system's.  The owner of a connected
 * account can make payouts with our key, too, so that an event about one is
 * only a hint: our own payout is asked for by its id, as that account.  Of a
 * transfer, which the platform alone reverses, a part may come back: its amount
 * is not the item's, which is a contradiction. */
static pay_status_t
stripe_hooked(pay_arena_t *arena, const pay_json_t *root,
    const pay_json_t *object, pay_payout_event_t *event)
{
    int64_t    created;
    pay_str_t  type;

    PAY_TRY(pay_psp_token_need(arena, root, "id", &event->event_id));
    PAY_TRY(pay_psp_word_get(arena, root, "type", &type));

    if (pay_psp_is(object, "object", "payout")) {
        PAY_TRY(stripe_payout(arena, object, event));
        PAY_TRY(pay_psp_token_may(arena, root, "account", &event->payee));
        event->must_ask = 1;
        event->reference = (pay_str_t) { 0, NULL };

    } else if (pay_str_is(type, "transfer.reversed")) {
        PAY_TRY(stripe_transfer(arena, object, event));
        PAY_TRY(stripe_money(arena, object, "amount_reversed", event));
        event->state = PAY_PAYOUT_RETURNED;
        event->parcel = event->reference;
    }

    if (pay_json_integer(pay_json_get(root, "created"), &created) == PAY_OK
        && created > 0 && created < INT64_MAX / STRIPE_US)
    {
        event->occurred_us = created * STRIPE_US;
    }

    return (type.len == 0 || (event->key.len != 0 && !event->has_amount))
           ? PAY_INVALID : PAY_OK;
}


static pay_status_t
stripe_transfer(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event)
{
    pay_str_t  group;

    PAY_TRY(pay_psp_token_need(arena, json, "id", &event->reference));
    PAY_TRY(pay_psp_token_may(arena, json, "destination", &event->payee));

    if (pay_json_string(pay_json_get(json, "transfer_group"), &group)
        == PAY_OK)
    {
        PAY_TRY(pay_payout_key_in(arena, group, event));
    }

    event->type = PAY_STR("transferred");
    event->state = pay_json_is_true(pay_json_get(json, "reversed"))
                   ? PAY_PAYOUT_RETURNED : PAY_PAYOUT_SENDING;

    return stripe_money(arena, json, "amount", event);
}


static pay_status_t
stripe_payout(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event)
{
    pay_str_t  key, word;

    PAY_TRY(pay_psp_token_need(arena, json, "id", &event->reference));
    PAY_TRY(pay_psp_word_get(arena, json, "status", &word));
    PAY_TRY(pay_psp_word_get(arena, json, "failure_code", &event->code));

    if (pay_json_string(pay_json_path(json, "metadata", "payout", NULL), &key)
        == PAY_OK)
    {
        PAY_TRY(pay_payout_key_in(arena, key, event));
    }

    event->type = word;
    event->state = pay_payout_word(stripe_words, word);

    return stripe_money(arena, json, "amount", event);
}


/* The member of that name in Stripe's unit, "currency" in small letters. */
static pay_status_t
stripe_money(pay_arena_t *arena, const pay_json_t *json, const char *name,
    pay_payout_event_t *event)
{
    pay_psp_event_t  money;

    memset(&money, 0, sizeof(money));
    PAY_TRY(pay_stripe_amount_in(arena, json, name, &money));

    event->has_amount = money.has_amount;
    event->amount_minor = money.amount_minor;
    event->currency = money.currency;

    return PAY_OK;
}

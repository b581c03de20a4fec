/*
 * Wise (docs/payout-providers.md#wise): a quote, a recipient, a transfer, and
 * the payment that funds it from our balance.  Only the last one moves money.
 * customerTransactionId makes the creation of a transfer repeatable; a transfer
 * is funded once, and how it stands shows whether it was: that is the proof
 * behind a lost answer (FIND).
 *
 * States may go back ("rollback"): of two reports the later counts
 * (occurred_at).  A webhook (docs.wise.com/api-reference/webhook-event) tells a
 * state and no amount, so that the transfer is asked behind each.
 */

#include "payout/payout.h"


#define WISE_TRANSFERS  "/v1/transfers"
#define WISE_ACCOUNTS   "/v1/accounts"
#define WISE_REFERENCE  18             /* bytes that any route takes */

typedef enum {
    WISE_QUOTE = 0,
    WISE_RECIPIENT,
    WISE_TRANSFER,
    WISE_FUND
} wise_step_t;


static pay_status_t wise_send(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t wise_quote(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request);
static pay_status_t wise_recipient(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request);
static pay_status_t wise_transfer(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request);
static pay_status_t wise_fund(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request);
static pay_status_t wise_ask(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t wise_cancel(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t wise_sent(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t wise_quoted(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t wise_known(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t wise_funded(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t wise_stands(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t wise_asked(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t wise_found(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t wise_hook(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_json_t *root,
    pay_payout_result_t *result, pay_err_t *err);
static pay_status_t wise_hooked(pay_arena_t *arena, const pay_json_t *data,
    pay_payout_event_t *event);
static pay_status_t wise_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error);
static pay_status_t wise_id(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *id);


static const pay_payout_limit_t  wise_limits[] = {
    { "", 1, PAY_AMOUNT_MAX_MINOR, 0 }
};

/* bounced_back says nothing yet: Wise sends again, or refunds. */
static const pay_payout_word_t  wise_words[] = {
    { "incoming_payment_waiting", PAY_PAYOUT_SENDING },
    { "incoming_payment_initiated", PAY_PAYOUT_SENDING },
    { "processing", PAY_PAYOUT_SENDING },
    { "funds_converted", PAY_PAYOUT_SENDING },
    { "outgoing_payment_sent", PAY_PAYOUT_PAID },
    { "cancelled", PAY_PAYOUT_CANCELLED },
    { "funds_refunded", PAY_PAYOUT_RETURNED },
    { NULL, PAY_PAYOUT_UNKNOWN }
};

static const char *const  wise_unfunded[] = {
    "incoming_payment_waiting", "incoming_payment_initiated", NULL
};

static const char *const  wise_ours[] = {
    "transfer.insufficient_funds", "insufficient_funds",
    "balance.payment-option-unavailable", NULL
};

const pay_payout_adapter_t  pay_payout_wise = {
    .name = "wise",
    .scheme = "wise",
    .traits = PAY_PAYOUT_MAY_ROLL | PAY_PAYOUT_NEEDS_ACCOUNT
              | PAY_PAYOUT_MAY_POLL,
    .steps = {
        [WISE_QUOTE] = { "quote", 0, 0 },
        [WISE_RECIPIENT] = { "recipient", 0, 0 },
        [WISE_TRANSFER] = { "transfer", 24, 0 },
        [WISE_FUND] = { "fund", 0, 1 }
    },
    .items_max = 1,
    .looks = 2,
    .look_gap_s = 3600,
    .return_days = 60,
    .to = PAY_PAYOUT_TO(PAY_PAYOUT_TO_PAYEE)
          | PAY_PAYOUT_TO(PAY_PAYOUT_TO_IBAN),
    .limits = wise_limits,
    .ours = wise_ours,
    .error = wise_error,
    .slots = {
        [PAY_PAYOUT_SEND] = { wise_send, wise_sent },
        [PAY_PAYOUT_ASK] = { wise_ask, wise_asked },
        [PAY_PAYOUT_FIND] = { wise_ask, wise_found },
        [PAY_PAYOUT_CANCEL] = { wise_cancel, wise_asked }
    },
    .hook = wise_hook
};


static pay_status_t
wise_send(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) err;

    switch ((wise_step_t) parcel->step) {
    case WISE_QUOTE:
        return wise_quote(arena, account, parcel, request);

    case WISE_RECIPIENT:
        return wise_recipient(arena, account, parcel, request);

    case WISE_TRANSFER:
        return wise_transfer(arena, account, parcel, request);

    default:
        return wise_fund(arena, account, parcel, request);
    }
}


/* targetAmount: the seller gets the item's amount, and the fee is ours. */
static pay_status_t
wise_quote(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request)
{
    pay_buf_t                 body;
    pay_str_t                 last;
    const pay_payout_item_t  *item = &parcel->items[0];

    PAY_TRY(pay_payout_path(arena, "/v3/profiles/", account->call.account,
                            "/quotes", &last));
    PAY_TRY(pay_psp_request_init(arena, &account->call, "POST", "", last,
                                 request));

    pay_buf_init(&body, arena, PAY_PSP_REQUEST_MAX);
    pay_payout_text(&body, "{\"sourceCurrency\":",
                    pay_str_of(item->currency->code));
    pay_payout_text(&body, ",\"targetCurrency\":",
                    pay_str_of(item->currency->code));
    pay_payout_major(&body, ",\"targetAmount\":", item->amount_minor,
                     item->currency);
    pay_buf_text(&body, ",\"payOut\":\"BANK_TRANSFER\"}");

    return pay_payout_body(&body, request);
}


/* A recipient that Wise knows already is looked at, so that the next step pays
 * to one that exists. */
static pay_status_t
wise_recipient(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request)
{
    pay_buf_t                        body;
    pay_str_t                        last;
    const pay_payout_destination_t  *to = &parcel->items[0].to;

    if (to->kind == PAY_PAYOUT_TO_PAYEE) {
        PAY_TRY(pay_payout_path(arena, "/", to->payee, "", &last));

        return pay_psp_get(arena, &account->call, WISE_ACCOUNTS, last,
                           request);
    }

    PAY_TRY(pay_psp_request_init(arena, &account->call, "POST",
                                 WISE_ACCOUNTS, PAY_STR(""), request));

    pay_buf_init(&body, arena, PAY_PSP_REQUEST_MAX);
    pay_payout_text(&body, "{\"profile\":", account->call.account);
    pay_payout_text(&body, ",\"accountHolderName\":", to->name);
    pay_payout_text(&body, ",\"currency\":",
                    pay_str_of(parcel->items[0].currency->code));
    pay_payout_text(&body, ",\"type\":\"iban\",\"details\":{\"IBAN\":",
                    to->iban);
    pay_buf_text(&body, "}}");

    return pay_payout_body(&body, request);
}


/* A longer text is left out: its limit is that of the route, and Wise would
 * refuse the transfer. */
static pay_status_t
wise_transfer(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request)
{
    pay_buf_t                 body;
    pay_str_t                 uuid;
    const pay_payout_item_t  *item = &parcel->items[0];

    PAY_TRY(pay_payout_uuid(arena, item->key, ":transfer", &uuid));
    PAY_TRY(pay_psp_request_init(arena, &account->call, "POST",
                                 WISE_TRANSFERS, PAY_STR(""), request));

    pay_buf_init(&body, arena, PAY_PSP_REQUEST_MAX);
    pay_buf_text(&body, "{\"targetAccount\":");
    pay_buf_add(&body, parcel->ids[WISE_RECIPIENT]);
    pay_payout_text(&body, ",\"quoteUuid\":", parcel->ids[WISE_QUOTE]);
    pay_payout_text(&body, ",\"customerTransactionId\":", uuid);
    pay_payout_text(&body, ",\"details\":{\"reference\":",
                    item->text.len <= WISE_REFERENCE ? item->text
                                                     : PAY_STR(""));
    pay_buf_text(&body, "}}");

    return pay_payout_body(&body, request);
}


static pay_status_t
wise_fund(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request)
{
    pay_buf_t  body, last;
    pay_str_t  text;

    pay_buf_init(&last, arena, PAY_PSP_URL_MAX);
    pay_buf_percent(&last, account->call.account);
    pay_buf_text(&last, "/transfers/");
    pay_buf_percent(&last, parcel->ids[WISE_TRANSFER]);
    pay_buf_text(&last, "/payments");
    PAY_TRY(pay_buf_done(&last, &text));
    PAY_TRY(pay_psp_request_init(arena, &account->call, "POST",
                                 "/v3/profiles/", text, request));

    pay_buf_init(&body, arena, PAY_PSP_REQUEST_MAX);
    pay_buf_text(&body, "{\"type\":\"BALANCE\"}");

    return pay_payout_body(&body, request);
}


static pay_status_t
wise_ask(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) err;

    return pay_psp_token_is_valid(parcel->ids[WISE_TRANSFER])
           ? pay_psp_get(arena, &account->call, WISE_TRANSFERS "/",
                         parcel->ids[WISE_TRANSFER], request)
           : PAY_BUG;
}


static pay_status_t
wise_cancel(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_str_t  last;

    (void) err;

    if (!pay_psp_token_is_valid(parcel->ids[WISE_TRANSFER])) {
        return PAY_BUG;
    }

    PAY_TRY(pay_payout_path(arena, "/", parcel->ids[WISE_TRANSFER],
                            "/cancel", &last));
    PAY_TRY(pay_psp_request_init(arena, &account->call, "PUT",
                                 WISE_TRANSFERS, last, request));
    pay_psp_accept(request, NULL);

    return PAY_OK;
}


static pay_status_t
wise_sent(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    switch ((wise_step_t) parcel->step) {
    case WISE_QUOTE:
        return wise_quoted(arena, parcel, json, result);

    case WISE_RECIPIENT:
        return wise_known(arena, parcel, json, result);

    case WISE_TRANSFER:
        return wise_stands(arena, parcel, json, result);

    default:
        return wise_funded(arena, parcel, json, result);
    }
}


static pay_status_t
wise_quoted(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_str_t           code;
    pay_payout_event_t  event;

    memset(&event, 0, sizeof(event));

    if (pay_json_string(pay_json_get(json, "targetCurrency"), &code)
        != PAY_OK)
    {
        return PAY_OK;
    }

    PAY_TRY(pay_payout_number_in(arena, pay_json_get(json, "targetAmount"),
                                 code, &event));

    if (pay_payout_contradicts(&parcel->items[0], &event)) {
        pay_payout_mismatch(result, "targetAmount");
        return PAY_OK;
    }

    return pay_payout_made(arena, json, "id", result);
}


/* The IBAN that Wise has stored must be the one that was approved. */
static pay_status_t
wise_known(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_str_t                 id;
    pay_psp_echo_t            echo;
    const pay_payout_item_t  *item = &parcel->items[0];

    PAY_TRY(wise_id(arena, json, "id", &id));

    echo = pay_psp_echo_needed(json, "currency",
                               pay_str_of(item->currency->code));

    if (echo == PAY_PSP_ECHO_RIGHT && item->to.kind == PAY_PAYOUT_TO_IBAN) {
        echo = pay_psp_echo_text(pay_json_get(json, "details"), "iban",
                                 item->to.iban);

    } else if (echo == PAY_PSP_ECHO_RIGHT
               && !pay_str_eq(id, item->to.payee))
    {
        echo = PAY_PSP_ECHO_WRONG;
    }

    if (!pay_psp_believed(echo, &result->code)) {
        return PAY_OK;
    }

    result->outcome = PAY_PSP_DONE;
    result->reference = id;
    result->code = PAY_STR("");
    pay_psp_unread(&result->unread, NULL, NULL);

    return PAY_OK;
}


/* A transfer: its recipient and its customerTransactionId are ours. */
static pay_status_t
wise_stands(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_str_t           uuid, account, code;
    pay_payout_event_t  event;

    memset(&event, 0, sizeof(event));
    PAY_TRY(wise_id(arena, json, "id", &event.reference));
    PAY_TRY(wise_id(arena, json, "targetAccount", &account));
    PAY_TRY(pay_payout_uuid(arena, parcel->items[0].key, ":transfer", &uuid));

    if (!pay_psp_believed(pay_psp_echo_needed(json, "customerTransactionId",
                                              uuid), &result->code))
    {
        return PAY_OK;
    }

    if (!pay_str_eq(account, parcel->ids[WISE_RECIPIENT])) {
        pay_payout_mismatch(result, "targetAccount");
        return PAY_OK;
    }

    PAY_TRY(pay_psp_word_get(arena, json, "status", &event.type));
    event.state = pay_payout_word(wise_words, event.type);

    if (pay_json_string(pay_json_get(json, "targetCurrency"), &code)
        == PAY_OK)
    {
        PAY_TRY(pay_payout_number_in(arena,
                                     pay_json_get(json, "targetValue"), code,
                                     &event));
    }

    return pay_payout_done(arena, &parcel->items[0], &event, result);
}


/* REJECTED leaves the transfer unfunded; the amount was compared when it was
 * made. */
static pay_status_t
wise_funded(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_payout_event_t  event;

    memset(&event, 0, sizeof(event));
    PAY_TRY(pay_psp_word_get(arena, json, "status", &event.type));
    PAY_TRY(pay_psp_word_get(arena, json, "errorCode", &event.code));

    if (pay_str_is(event.type, "completed")) {
        event.state = PAY_PAYOUT_SENDING;

    } else if (pay_str_is(event.type, "rejected")) {
        event.state = PAY_PAYOUT_FAILED;

    } else {
        pay_psp_unread(&result->unread, "status",
                       "must be COMPLETED or REJECTED");
        return PAY_OK;
    }

    event.reference = parcel->ids[WISE_TRANSFER];
    event.has_amount = 1;
    event.amount_minor = parcel->items[0].amount_minor;
    event.currency = pay_str_of(parcel->items[0].currency->code);

    return pay_payout_done(arena, &parcel->items[0], &event, result);
}


static pay_status_t
wise_asked(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_str_t  id;

    PAY_TRY(wise_id(arena, json, "id", &id));

    if (!pay_str_eq(id, parcel->ids[WISE_TRANSFER])) {
        pay_payout_mismatch(result, "id");
        return PAY_OK;
    }

    return wise_stands(arena, parcel, json, result);
}


/* A transfer that waits for its funding has not been funded. */
static pay_status_t
wise_found(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    pay_payout_result_t  made = *result;

    PAY_TRY(wise_asked(arena, parcel, json, &made));

    if (made.outcome == PAY_PSP_DONE
        && pay_psp_is(json, "status", "incoming_payment_waiting"))
    {
        return pay_payout_none(arena, parcel, PAY_STR(""), result);
    }

    *result = made;

    return PAY_OK;
}


/* The id of the delivery stands in a header field, which is not signed, and
 * each subscription has its own; this one is made of the transfer, its state
 * and the time, so that a repeat has the same. */
static pay_status_t
wise_hook(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_json_t *root, pay_payout_result_t *result, pay_err_t *err)
{
    pay_str_t            type, profile;
    pay_status_t         status;
    const pay_json_t    *data = pay_json_get(root, "data");
    pay_payout_event_t  *event;

    PAY_TRY(pay_psp_word_get(arena, root, "event_type", &type));

    if (type.len == 0 || pay_json_type(data) != PAY_JSON_OBJECT) {
        return pay_refuse(err, "validation-error",
                          "a message has event_type and data");
    }

    PAY_TRY(pay_payout_events(arena, 1, result));
    event = &result->events[0];
    event->type = type;
    event->must_ask = 1;

    status = wise_hooked(arena, data, event);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_OK : status;
    }

    status = wise_id(arena, pay_json_get(data, "resource"), "profile_id",
                     &profile);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

    result->count = (status != PAY_OK
                     || pay_str_eq(profile, account->call.account));

    return PAY_OK;
}


/* PAY_INVALID for a message about something else than a transfer. */
static pay_status_t
wise_hooked(pay_arena_t *arena, const pay_json_t *data,
    pay_payout_event_t *event)
{
    pay_str_t          time, word;
    pay_status_t       status;
    const pay_json_t  *resource = pay_json_get(data, "resource");

    status = pay_psp_is(resource, "type", "transfer")
             ? wise_id(arena, resource, "id", &event->reference)
             : wise_id(arena, data, "transfer_id", &event->reference);
    PAY_TRY(status);

    PAY_TRY(pay_psp_word_get(arena, data, "current_state", &word));
    PAY_TRY(pay_psp_word_get(arena, data, "failure_reason_code",
                             &event->code));
    event->state = pay_payout_word(wise_words, word);

    /* it does not prove that the transfer has been funded */
    if (pay_psp_is_one_of(word, wise_unfunded)) {
        event->state = PAY_PAYOUT_UNKNOWN;
    }

    if (pay_json_string(pay_json_get(data, "occurred_at"), &time) == PAY_OK) {
        event->occurred_us = pay_payout_time_us(time);
    }

    return pay_format(arena, &event->event_id, PAY_PSP_TOKEN_MAX,
                      "%.*s:%.*s:%lld", pay_fmt(event->reference),
                      pay_fmt(word), (long long) event->occurred_us);
}


/* {"errors":[{"code"}]}, or {"error"}. */
static pay_status_t
wise_error(pay_arena_t *arena, const pay_json_t *root, pay_psp_error_t *error)
{
    const pay_json_t  *errors = pay_json_get(root, "errors");

    error->found = pay_json_size(errors) != 0
                   || pay_psp_is_there(root, "error");

    PAY_TRY(pay_psp_word_get(arena, pay_json_at(errors, 0), "code",
                             &error->code));

    if (error->code.len == 0) {
        PAY_TRY(pay_psp_word_get(arena, root, "error", &error->code));
    }

    error->unsure = error->code.len == 0;

    return PAY_OK;
}


/* Ids of recipients and transfers are numbers, those of quotes are texts.
 * PAY_INVALID for anything else. */
static pay_status_t
wise_id(pay_arena_t *arena, const pay_json_t *json, const char *member,
    pay_str_t *id)
{
    int64_t  number;

    if (pay_json_integer(pay_json_get(json, member), &number) == PAY_OK) {
        return (number > 0) ? pay_format(arena, id, PAY_INT_TEXT_MAX, "%lld",
                                         (long long) number) : PAY_INVALID;
    }

    return pay_psp_token_need(arena, json, member, id);
}

/*
 * Tipalti, REST (docs/payout-providers.md#tipalti): a batch of one payment
 * instruction to a payee that Tipalti knows.  The item's key is the refCode, by
 * which payments are listed: it answers how a payment stands, and whether there
 * is one.  Tipalti states no end of its protection against a second payment of
 * one refCode, so that a lost answer is looked for and nothing is sent again.
 *
 * Messages are IPNs, forms that Tipalti confirms (src/sig/tipalti.c): the
 * public clients github peek-travel/tipalti-elixir and riipen/tipalti-ruby have
 * their types and where they are posted back.
 *
 *    SUBMITTED ─▶ SCHEDULED, FRAUD_REVIEW … ─▶ PAID ─▶ CLEARED
 *        └─▶ DEFERRED, CANCELED                  └─▶ REJECTED
 */

#include "pay_form.h"

#include "payout/payout.h"


#define TIPALTI_TOKEN     "/oauth2/token"
#define TIPALTI_BATCHES   "/api/v1/payment-batches"
#define TIPALTI_PAYMENTS  "/api/v1/payments"

#define TIPALTI_FIELDS_MAX  64         /* of an IPN */
#define TIPALTI_ID_MAX      64         /* bytes of an IPN's key */


static pay_status_t tipalti_send(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t tipalti_find(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
static pay_status_t tipalti_sent(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t tipalti_asked(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t tipalti_found(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
static pay_status_t tipalti_only(const pay_payout_parcel_t *parcel,
    const pay_json_t *json, const pay_json_t **payment, size_t *count);
static pay_status_t tipalti_hook(pay_arena_t *arena,
    const pay_payout_account_t *account, pay_str_t body,
    pay_payout_result_t *result, pay_err_t *err);
static pay_status_t tipalti_field(pay_arena_t *arena, pay_str_t body,
    const char *name, pay_str_t *value);
static pay_status_t tipalti_single(pay_arena_t *arena, pay_str_t body,
    pay_str_t id, pay_payout_result_t *result);
static pay_status_t tipalti_group(pay_arena_t *arena, pay_str_t text,
    pay_str_t id, pay_payout_result_t *result, pay_err_t *err);
static pay_status_t tipalti_told(pay_arena_t *arena, pay_str_t id,
    pay_str_t key, pay_str_t word, pay_payout_result_t *result);
static pay_status_t tipalti_entry(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event);
static pay_status_t tipalti_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error);
static pay_status_t tipalti_auth_request(pay_arena_t *arena,
    const pay_payout_account_t *account, pay_http_request_t *request);
static int tipalti_key_is_pair(pay_str_t key);
static pay_status_t tipalti_auth_answer(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_auth_t *auth);


static const pay_payout_limit_t  tipalti_limits[] = {
    { "", 1, PAY_AMOUNT_MAX_MINOR, 0 }
};

/* PAID is not final: REJECTED may follow it by days.  A deferred payment is
 * never sent and never tried again. */
static const pay_payout_word_t  tipalti_words[] = {
    { "submitted", PAY_PAYOUT_SENDING },
    { "scheduled", PAY_PAYOUT_SENDING },
    { "pending_payer_funds", PAY_PAYOUT_SENDING },
    { "fraud_review", PAY_PAYOUT_SENDING },
    { "paid", PAY_PAYOUT_SENT },
    { "cleared", PAY_PAYOUT_PAID },
    { "rejected", PAY_PAYOUT_FAILED },
    { "deferred", PAY_PAYOUT_FAILED },
    { "deferred_internal", PAY_PAYOUT_FAILED },
    { "canceled", PAY_PAYOUT_CANCELLED },
    { NULL, PAY_PAYOUT_UNKNOWN }
};

/* The types of IPNs, and the states that a group's payments have in one. */
static const pay_payout_word_t  tipalti_told_words[] = {
    { "payment_submitted", PAY_PAYOUT_SENDING },
    { "submitted", PAY_PAYOUT_SENDING },
    { "scheduled", PAY_PAYOUT_SENDING },
    { "completed", PAY_PAYOUT_SENT },
    { "error", PAY_PAYOUT_FAILED },
    { "deferred", PAY_PAYOUT_FAILED },
    { "payment_cancelled", PAY_PAYOUT_CANCELLED },
    { NULL, PAY_PAYOUT_UNKNOWN }
};

const pay_payout_adapter_t  pay_payout_tipalti = {
    .name = "tipalti",
    .scheme = "tipalti",
    .traits = PAY_PAYOUT_MAY_POLL,
    .steps = { { "batch", 0, 1 } },
    .items_max = 1,
    .looks = 0,                        /* no list proves that none will be */
    .look_gap_s = 3600,
    .return_days = 60,
    .to = PAY_PAYOUT_TO(PAY_PAYOUT_TO_PAYEE),
    .limits = tipalti_limits,
    .error = tipalti_error,
    .slots = {
        [PAY_PAYOUT_SEND] = { tipalti_send, tipalti_sent },
        [PAY_PAYOUT_ASK] = { tipalti_find, tipalti_asked },
        [PAY_PAYOUT_FIND] = { tipalti_find, tipalti_found }
    },
    .form_hook = tipalti_hook,
    .auth_request = tipalti_auth_request,
    .auth_answer = tipalti_auth_answer
};


/* There is no Authorization: see pay_psp_adapter_t.  The text is not sent: the
 * payee's statement is Tipalti's affair. */
static pay_status_t
tipalti_send(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_buf_t                 body;
    const pay_payout_item_t  *item = &parcel->items[0];

    (void) err;

    PAY_TRY(pay_psp_request_open(arena, &account->call, "POST",
                                 TIPALTI_BATCHES, PAY_STR(""), request));

    pay_buf_init(&body, arena, PAY_PSP_REQUEST_MAX);
    pay_payout_text(&body, "{\"paymentInstructions\":[{\"payeeId\":",
                    item->to.payee);
    pay_payout_major(&body, ",\"amountSubmitted\":{\"amount\":",
                     item->amount_minor, item->currency);
    pay_payout_text(&body, ",\"currency\":",
                    pay_str_of(item->currency->code));
    pay_payout_text(&body, "},\"refCode\":", item->key);
    pay_buf_text(&body, "}]}");

    return pay_payout_body(&body, request);
}


/* Payments of the item's refCode; how one stands is asked in the same way. */
static pay_status_t
tipalti_find(pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_buf_t  query;
    pay_str_t  filter, text;

    (void) err;

    PAY_TRY(pay_format(arena, &filter, PAY_PSP_TOKEN_MAX, "refCode==\"%.*s\"",
                       pay_fmt(parcel->items[0].key)));

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?filter=");
    pay_buf_percent(&query, filter);
    PAY_TRY(pay_buf_done(&query, &text));
    PAY_TRY(pay_psp_request_open(arena, &account->call, "GET",
                                 TIPALTI_PAYMENTS, text, request));
    pay_psp_accept(request, NULL);

    return PAY_OK;
}


/* The answer names the batch and nothing of its payment. */
static pay_status_t
tipalti_sent(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    (void) parcel;

    return pay_payout_made(arena, json, "id", result);
}


/* A batch is worked through behind its answer: a payment that is not listed yet
 * says nothing. */
static pay_status_t
tipalti_asked(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    size_t               count;
    pay_payout_event_t   event;
    const pay_json_t    *payment;

    PAY_TRY(tipalti_only(parcel, json, &payment, &count));

    if (count != 1) {
        result->code = (count == 0) ? PAY_STR("not_found")
                                    : PAY_STR("found_twice");
        return PAY_OK;
    }

    memset(&event, 0, sizeof(event));
    PAY_TRY(tipalti_entry(arena, payment, &event));
    PAY_TRY(pay_payout_done(arena, &parcel->items[0], &event, result));

    /* the step's reference is the batch's */
    if (result->outcome == PAY_PSP_DONE && event.parcel.len != 0) {
        result->reference = event.parcel;
    }

    return PAY_OK;
}


static pay_status_t
tipalti_found(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result)
{
    size_t             count;
    const pay_json_t  *payment;

    PAY_TRY(tipalti_only(parcel, json, &payment, &count));

    return (count == 0) ? pay_payout_none(arena, parcel, PAY_STR(""), result)
                        : tipalti_asked(arena, parcel, json, result);
}


/* The payments of this refCode in a list that is complete, and the last of
 * them.  PAY_INVALID for a list that is none, or is a part of one. */
static pay_status_t
tipalti_only(const pay_payout_parcel_t *parcel, const pay_json_t *json,
    const pay_json_t **payment, size_t *count)
{
    size_t             i;
    int64_t            total;
    const pay_json_t  *list = pay_json_get(json, "items");

    if (pay_json_type(list) != PAY_JSON_ARRAY
        || pay_json_integer(pay_json_get(json, "totalCount"), &total)
           != PAY_OK
        || total < 0 || (uint64_t) total != pay_json_size(list))
    {
        return PAY_INVALID;
    }

    *payment = NULL;
    *count = 0;

    for (i = 0; i < pay_json_size(list); i++) {
        if (pay_psp_echo_needed(pay_json_at(list, i), "refCode",
                                parcel->items[0].key)
            == PAY_PSP_ECHO_RIGHT)
        {
            *payment = pay_json_at(list, i);
            (*count)++;
        }
    }

    return PAY_OK;
}


/* An IPN has no state that distinguishes a payment that is final from one that
 * may be rejected, so that Tipalti is asked behind each.  A group's
 * message names several payments; one about a payee names none. */
static pay_status_t
tipalti_hook(pay_arena_t *arena, const pay_payout_account_t *account,
    pay_str_t body, pay_payout_result_t *result, pay_err_t *err)
{
    pay_str_t     id, text;
    pay_status_t  status;

    (void) account;

    status = tipalti_field(arena, body, "type", &text);

    if (status == PAY_OK) {
        status = tipalti_field(arena, body, "key", &id);
    }

    if (status == PAY_OK
        && (id.len > TIPALTI_ID_MAX || !pay_psp_token_is_valid(id)))
    {
        status = PAY_INVALID;
    }

    if (status == PAY_INVALID || status == PAY_NOT_FOUND) {
        return pay_refuse(err, "validation-error",
                          "an IPN is a form with type and key");
    }

    PAY_TRY(status);
    status = tipalti_field(arena, body, "group_payments", &text);

    if (status == PAY_OK) {
        return tipalti_group(arena, text, id, result, err);
    }

    if (status == PAY_NOT_FOUND) {
        PAY_TRY(pay_payout_events(arena, 1, result));
        return tipalti_single(arena, body, id, result);
    }

    return status == PAY_INVALID
           ? pay_refuse(err, "validation-error", "group_payments is malformed")
           : status;
}


/* A field of the form, once, and not empty. */
static pay_status_t
tipalti_field(pay_arena_t *arena, pay_str_t body, const char *name,
    pay_str_t *value)
{
    PAY_TRY(pay_form_get(arena, body, TIPALTI_FIELDS_MAX, name, value));

    return value->len != 0 ? PAY_OK : PAY_NOT_FOUND;
}


static pay_status_t
tipalti_single(pay_arena_t *arena, pay_str_t body, pay_str_t id,
    pay_payout_result_t *result)
{
    pay_str_t     key, type;
    pay_status_t  status;

    status = tipalti_field(arena, body, "ref_code", &key);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    PAY_TRY(tipalti_field(arena, body, "type", &type));

    return tipalti_told(arena, id, key, type, result);
}


/* [{"ref_code","payment_status"}] */
static pay_status_t
tipalti_group(pay_arena_t *arena, pay_str_t text, pay_str_t id,
    pay_payout_result_t *result, pay_err_t *err)
{
    size_t             i;
    pay_str_t          key, word;
    pay_json_t        *root;
    pay_status_t       status;
    const pay_json_t  *each;

    static const pay_json_limits_t  limits = {
        .max_size = PAY_PSP_BODY_MAX,
        .max_depth = 3,
        .max_width = PAY_PAYOUT_EVENTS_MAX,
        .max_values = PAY_PSP_VALUES_MAX
    };

    status = pay_json_parse(text, &limits, &root, NULL);

    if (status == PAY_OK && pay_json_type(root) != PAY_JSON_ARRAY) {
        pay_json_free(root);
        status = PAY_INVALID;
    }

    if (status != PAY_OK) {
        return (status == PAY_INVALID)
               ? pay_refuse(err, "validation-error",
                            "group_payments is a list of at most 250 payments")
               : status;
    }

    status = pay_payout_events(arena, pay_json_size(root), result);

    for (i = 0; status == PAY_OK && i < pay_json_size(root); i++) {
        each = pay_json_at(root, i);

        if (pay_json_string(pay_json_get(each, "ref_code"), &key) == PAY_OK) {
            word = PAY_STR("");
            (void) !pay_json_string(pay_json_get(each, "payment_status"),
                                    &word);
            status = tipalti_told(arena, id, key, word, result);
        }
    }

    pay_json_free(root);

    return status;
}


/* A payment without a key of ours is another system's.  The message's key is
 * the same one when it comes again. */
static pay_status_t
tipalti_told(pay_arena_t *arena, pay_str_t id, pay_str_t key, pay_str_t word,
    pay_payout_result_t *result)
{
    pay_payout_event_t  *event = &result->events[result->count];

    memset(event, 0, sizeof(*event));
    PAY_TRY(pay_payout_key_in(arena, key, event));

    if (event->key.len == 0) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_safe(arena, word, &event->type));
    event->state = pay_payout_word(tipalti_told_words, event->type);
    event->must_ask = 1;
    PAY_TRY(pay_format(arena, &event->event_id, PAY_PSP_TOKEN_MAX,
                       "%.*s:%.*s", pay_fmt(id), pay_fmt(event->key)));
    result->count++;

    return PAY_OK;
}


/* A payment of a list.  PAY_INVALID without its id.  A payment tells no reason:
 * its word is the code of an end. */
static pay_status_t
tipalti_entry(pay_arena_t *arena, const pay_json_t *json,
    pay_payout_event_t *event)
{
    pay_str_t          text;
    const pay_json_t  *money = pay_json_get(json, "amountSubmitted");

    PAY_TRY(pay_psp_token_need(arena, json, "id", &event->reference));
    PAY_TRY(pay_psp_token_may(arena, json, "batchId", &event->parcel));
    PAY_TRY(pay_psp_token_may(arena, json, "payeeId", &event->payee));
    PAY_TRY(pay_psp_word_get(arena, json, "status", &event->type));
    event->state = pay_payout_word(tipalti_words, event->type);

    if (event->state == PAY_PAYOUT_FAILED) {
        event->code = event->type;
    }

    if (pay_json_string(pay_json_get(json, "refCode"), &text) == PAY_OK) {
        PAY_TRY(pay_payout_key_in(arena, text, event));
    }

    if (pay_json_string(pay_json_get(money, "currency"), &text) == PAY_OK) {
        PAY_TRY(pay_payout_number_in(arena, pay_json_get(money, "amount"),
                                     text, event));
    }

    return PAY_OK;
}


/* {"errors":[{"code"}]} */
static pay_status_t
tipalti_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    const pay_json_t  *errors = pay_json_get(root, "errors");

    error->found = pay_json_size(errors) != 0;

    PAY_TRY(pay_psp_word_get(arena, pay_json_at(errors, 0), "code",
                             &error->code));

    error->unsure = error->code.len == 0;

    return PAY_OK;
}


/* RFC 6749, section 4.4: the key is "client:secret". */
static pay_status_t
tipalti_auth_request(pay_arena_t *arena, const pay_payout_account_t *account,
    pay_http_request_t *request)
{
    pay_http_request_t  made;

    if (!tipalti_key_is_pair(account->call.api_key)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_open(arena, &account->call, "POST", TIPALTI_TOKEN,
                                 PAY_STR(""), &made));
    PAY_TRY(pay_psp_basic_add(arena, account->call.api_key, &made));
    pay_psp_field_add(&made, "Content-Type",
                      PAY_STR("application/x-www-form-urlencoded"));
    pay_psp_accept(&made, NULL);
    made.body = PAY_STR("grant_type=client_credentials");

    *request = made;

    return PAY_OK;
}


/* nginx -t refuses any other key. */
static int
tipalti_key_is_pair(pay_str_t key)
{
    const unsigned char  *colon;

    colon = (key.len != 0) ? memchr(key.data, ':', key.len) : NULL;

    return colon != NULL && colon != key.data
           && colon + 1 < key.data + key.len;
}


/* The answer has the same form as PayPal's. */
static pay_status_t
tipalti_auth_answer(pay_arena_t *arena, const pay_http_answer_t *answer,
    pay_psp_auth_t *auth)
{
    return pay_psp_paypal.auth_answer(arena, answer, auth);
}

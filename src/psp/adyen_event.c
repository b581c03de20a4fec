/*
 * What Adyen tells (psp.md 3.3, 3.5): the state of a link, and the items of
 * Standard webhooks.  An AUTHORISATION that succeeded is the money, unless we
 * asked to capture it ourselves, as the end of our reference tells; accounts
 * that capture all by hand are not supported.  A failed one is one try, the
 * link stays open.  OFFER_CLOSED is about a try, too, so it only makes us ask.
 * Captures, refunds, disputes: adyen_after.c.  All other codes say nothing
 * about an order yet.
 */

#include "psp/adyen.h"
#include "pay_crypto.h"
#include "pay_id.h"


#define ADYEN_CODE_MAX  64             /* letters of an eventCode */

typedef struct {
    const char  *name;
    pay_fact_t   fact;
} adyen_status_t;


static pay_status_t adyen_items(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_event_t *events, unsigned *count, pay_err_t *err);
static pay_status_t adyen_item(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *item,
    pay_psp_event_t *event, pay_err_t *err);
static pay_status_t adyen_item_id(pay_arena_t *arena, const pay_json_t *item,
    int success, pay_psp_event_t *event, pay_err_t *err);
static pay_status_t adyen_item_names(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *item, int success,
    pay_psp_event_t *event);
static pay_status_t adyen_item_ours(pay_arena_t *arena, pay_str_t reference,
    pay_psp_event_t *event);
static pay_status_t adyen_item_fact(const pay_json_t *item, int success,
    pay_psp_event_t *event, pay_err_t *err);
static void adyen_item_held(const pay_json_t *item, pay_psp_event_t *event);
static int adyen_is_held(pay_str_t reference);
static pay_status_t adyen_item_code(pay_arena_t *arena,
    const pay_json_t *item, int success, pay_psp_event_t *event);
static pay_status_t adyen_digest(pay_arena_t *arena, pay_str_t text,
    pay_str_t *hex);
static int adyen_code_is_valid(pay_str_t code);
static int adyen_flag(const pay_json_t *json, const char *member, int *flag);
static pay_status_t adyen_amount_in(pay_arena_t *arena,
    const pay_json_t *json, pay_psp_event_t *event);


/* "completed": the shopper has completed the payment (CheckoutService-v72,
 * PaymentLinkResponse). */
static const adyen_status_t  adyen_statuses[] = {
    { "active", PAY_FACT_NONE },
    { "paymentPending", PAY_FACT_PENDING },
    { "paid", PAY_FACT_PAID },
    { "completed", PAY_FACT_PAID },
    { "expired", PAY_FACT_EXPIRED },
    { NULL, PAY_FACT_NONE }
};


pay_status_t
pay_adyen_state(pay_arena_t *arena, const pay_json_t *link,
    pay_psp_event_t *event)
{
    pay_str_t              reference;
    pay_status_t           status;
    const adyen_status_t  *row;

    for (row = adyen_statuses; row->name != NULL; row++) {
        if (pay_adyen_is(link, "status", row->name)) {
            break;
        }
    }

    if (row->name == NULL) {
        return PAY_INVALID;
    }

    memset(event, 0, sizeof(*event));
    event->fact = row->fact;

    if (row->fact == PAY_FACT_PAID
        && pay_json_string(pay_json_get(link, "reference"), &reference)
           == PAY_OK
        && adyen_is_held(reference))
    {
        event->fact = PAY_FACT_AUTHORIZED;
    }

    status = pay_psp_token_get(arena, link, "id", &event->token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    PAY_TRY(pay_psp_word_get(arena, link, "status", &event->type));
    PAY_TRY(adyen_amount_in(arena, link, event));

    return ((event->fact == PAY_FACT_PAID
             || event->fact == PAY_FACT_AUTHORIZED) && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


pay_status_t
pay_adyen_webhook_events(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    unsigned          made_count = 0;
    pay_json_t       *root;
    pay_status_t      status;
    pay_psp_event_t   made[PAY_PSP_EVENTS_MAX];

    (void) event_id;           /* Adyen's headers carry none */

    PAY_TRY(pay_psp_parse(body, &root, err));

    status = adyen_items(arena, account, root, made, &made_count, err);
    pay_json_free(root);

    if (status == PAY_OK) {
        memcpy(events, made, made_count * sizeof(made[0]));
        *count = made_count;
    }

    return status;
}


/* `live` is not signed: what keeps test and live apart is the key.  Where the
 * block says its mode, a message of the other one is refused all the same. */
static pay_status_t
adyen_items(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_event_t *events, unsigned *count,
    pay_err_t *err)
{
    int                live;
    size_t             i, size;
    const pay_json_t  *items;

    if (!adyen_flag(root, "live", &live)
        || (account->live >= 0 && live != account->live))
    {
        return pay_refuse(err, "validation-error",
                          "live is not the mode of this account");
    }

    items = pay_json_get(root, "notificationItems");
    size = (pay_json_type(items) == PAY_JSON_ARRAY) ? pay_json_size(items)
                                                    : 0;
    if (size == 0 || size > PAY_PSP_EVENTS_MAX) {
        return pay_refuse(err, "validation-error",
                          "1 to 16 notificationItems are taken");
    }

    for (i = 0; i < size; i++) {
        memset(&events[i], 0, sizeof(events[i]));
        PAY_TRY(adyen_item(arena, account,
                           pay_json_get(pay_json_at(items, i),
                                        "NotificationRequestItem"),
                           &events[i], err));
    }

    *count = (unsigned) size;

    return PAY_OK;
}


static pay_status_t
adyen_item(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *item, pay_psp_event_t *event, pay_err_t *err)
{
    int           success;
    pay_status_t  status;

    if (!adyen_flag(item, "success", &success)) {
        return pay_refuse(err, "validation-error",
                          "an item says whether it is a success");
    }

    PAY_TRY(adyen_item_id(arena, item, success, event, err));
    PAY_TRY(pay_psp_word_get(arena, item, "eventCode", &event->type));
    PAY_TRY(adyen_item_names(arena, account, item, success, event));
    PAY_TRY(adyen_amount_in(arena, item, event));
    PAY_TRY(adyen_item_code(arena, item, success, event));

    status = pay_adyen_after(arena, item, success, event);
    if (status == PAY_INVALID) {
        return pay_refuse(err, "validation-error",
                          "what moved money has an amount");
    }

    return (status != PAY_OK || event->token.len == 0)
           ? status : adyen_item_fact(item, success, event, err);
}


/* Adyen repeats an event under the same eventCode and pspReference; `success`
 * is added since a result may be taken back under both.  Of a report the
 * pspReference is a file's name, which may be any text. */
static pay_status_t
adyen_item_id(pay_arena_t *arena, const pay_json_t *item, int success,
    pay_psp_event_t *event, pay_err_t *err)
{
    pay_str_t  code, reference;

    if (pay_json_string(pay_json_get(item, "eventCode"), &code) != PAY_OK
        || pay_json_string(pay_json_get(item, "pspReference"), &reference)
           != PAY_OK
        || !adyen_code_is_valid(code) || reference.len == 0)
    {
        return pay_refuse(err, "validation-error",
                          "an item has eventCode and pspReference");
    }

    if (!pay_id_is_valid(reference)) {
        PAY_TRY(adyen_digest(arena, reference, &reference));
    }

    return pay_format(arena, &event->event_id, 255, "%.*s:%.*s:%s",
                      pay_fmt(code), pay_fmt(reference),
                      success ? "true" : "false");
}


static pay_status_t
adyen_digest(pay_arena_t *arena, pay_str_t text, pay_str_t *hex)
{
    unsigned char  sha256[PAY_SHA256_SIZE];

    PAY_TRY(pay_sha256(text, sha256));

    return pay_hex_encode(arena, (pay_str_t) { sizeof(sha256), sha256 }, hex);
}


/* The registration, by our reference, and the payment: in what is done to one
 * later it is the originalReference; a try that failed has made none.  A
 * company's endpoint hears of accounts that are not ours, too; refusing those
 * would stop its queue. */
static pay_status_t
adyen_item_names(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *item, int success, pay_psp_event_t *event)
{
    pay_str_t     reference;
    const char   *member;
    pay_status_t  status;

    if (pay_adyen_echo_text(item, "merchantAccountCode", account->account)
        != PAY_ADYEN_ECHO_RIGHT)
    {
        return PAY_OK;
    }

    member = (success && pay_adyen_is(item, "eventCode", "AUTHORISATION"))
             ? "pspReference" : "originalReference";
    status = pay_psp_token_get(arena, item, member, &event->reference);

    if (status == PAY_NO_MEMORY
        || pay_json_string(pay_json_get(item, "merchantReference"),
                           &reference) != PAY_OK
        || !pay_id_is_valid(reference))
    {
        return (status == PAY_NO_MEMORY) ? status : PAY_OK;
    }

    return adyen_item_ours(arena, reference, event);
}


static pay_status_t
adyen_item_ours(pay_arena_t *arena, pay_str_t reference,
    pay_psp_event_t *event)
{
    if (pay_adyen_cut(&reference, PAY_ADYEN_CAPTURE)
        || pay_adyen_cut(&reference, PAY_ADYEN_REFUND))
    {
        return pay_psp_operation(arena, reference, &event->operation);
    }

    return pay_dup(arena, reference, &event->token);
}


int
pay_adyen_cut(pay_str_t *text, const char *end)
{
    size_t  len = strlen(end);

    if (text->len <= len
        || memcmp(text->data + text->len - len, end, len) != 0)
    {
        return 0;
    }

    text->len -= len;

    return 1;
}


static pay_status_t
adyen_item_fact(const pay_json_t *item, int success, pay_psp_event_t *event,
    pay_err_t *err)
{
    if (pay_adyen_is(item, "eventCode", "OFFER_CLOSED")) {
        event->must_ask = 1;
        return PAY_OK;
    }

    if (!success || event->about != PAY_ABOUT_PAYMENT) {
        return PAY_OK;
    }

    if (!pay_adyen_is(item, "eventCode", "AUTHORISATION")) {
        adyen_item_held(item, event);
        return PAY_OK;
    }

    if (!event->has_amount) {
        return pay_refuse(err, "validation-error",
                          "an authorisation has an amount");
    }

    event->fact = adyen_is_held(event->token) ? PAY_FACT_AUTHORIZED
                                              : PAY_FACT_PAID;

    return PAY_OK;
}


/* The end of a hold, of all that was not captured. */
static void
adyen_item_held(const pay_json_t *item, pay_psp_event_t *event)
{
    if (!adyen_is_held(event->token)) {
        return;
    }

    if (pay_adyen_is(item, "eventCode", "CANCELLATION")
        || pay_adyen_is(item, "eventCode", "TECHNICAL_CANCEL"))
    {
        event->fact = PAY_FACT_CANCELLED;

    } else if (pay_adyen_is(item, "eventCode", "EXPIRE")) {
        event->fact = PAY_FACT_EXPIRED;
    }
}


static int
adyen_is_held(pay_str_t reference)
{
    return pay_adyen_cut(&reference, PAY_ADYEN_HELD);
}


/* Of failures only: the reason of a good authorisation holds digits of the
 * card. */
static pay_status_t
adyen_item_code(pay_arena_t *arena, const pay_json_t *item, int success,
    pay_psp_event_t *event)
{
    if (success) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_word_get(arena, item, "reason", &event->code));

    if (event->code.len == 0 || pay_str_is(event->code, "null")) {
        event->code = PAY_STR("failed");
    }

    return PAY_OK;
}


/* [A-Z0-9_]{1,64} */
static int
adyen_code_is_valid(pay_str_t code)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < code.len; i++) {
        c = code.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
            return 0;
        }
    }

    return code.len > 0 && code.len <= ADYEN_CODE_MAX;
}


/* Adyen writes its booleans as strings.  1 when *flag is set. */
static int
adyen_flag(const pay_json_t *json, const char *member, int *flag)
{
    pay_json_type_t  type;

    type = pay_json_type(pay_json_get(json, member));
    *flag = type == PAY_JSON_TRUE || pay_adyen_is(json, member, "true");

    return *flag || type == PAY_JSON_FALSE
           || pay_adyen_is(json, member, "false");
}


/* An amount that cannot be one of our orders' is told as 0, which no order
 * has: it lands in the mismatch queue. */
static pay_status_t
adyen_amount_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    size_t                 i;
    int64_t                value;
    pay_str_t              code;
    const pay_json_t      *amount;
    const pay_currency_t  *currency;

    amount = pay_json_get(json, "amount");

    if (pay_json_integer(pay_json_get(amount, "value"), &value) != PAY_OK
        || pay_json_string(pay_json_get(amount, "currency"), &code) != PAY_OK
        || code.len != 3)
    {
        return PAY_OK;
    }

    for (i = 0; i < code.len; i++) {
        if (code.data[i] < 'A' || code.data[i] > 'Z') {
            return PAY_OK;
        }
    }

    PAY_TRY(pay_dup(arena, code, &event->currency));

    event->has_amount = 1;
    event->amount_minor = 0;

    if (pay_currency_find(code, &currency, NULL) == PAY_OK) {
        event->amount_minor = pay_adyen_to_ours(currency, value);
    }

    return PAY_OK;
}


int
pay_adyen_is(const pay_json_t *json, const char *member, const char *text)
{
    pay_str_t  value;

    return pay_json_string(pay_json_get(json, member), &value) == PAY_OK
           && pay_str_is(value, text);
}

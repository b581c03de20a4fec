/*
 * Adyen's Standard webhooks, item by item (docs/psp/adyen.md#webhooks).  An
 * AUTHORISATION that succeeded is the money, unless the capture is ours, which
 * the end of our reference shows; accounts with manual capture of everything
 * are not supported.  A failed one is an attempt, the link stays open.
 * OFFER_CLOSED is about an attempt, too, so it only causes a query.
 *
 * The merchantReference of a capture, refund or dispute is that of the payment,
 * as Adyen describes it, or that of the call that it answers: our id of the
 * change then.  All items of a dispute have the same pspReference; the second
 * chargeback, which takes the money again after the first was won, is reported
 * as a dispute of its own.  Adyen's documents disagree about the money of an
 * arbitration, so that moves none here.
 */

#include "psp/adyen.h"
#include "pay_crypto.h"
#include "pay_id.h"


/* The other reports that Adyen announces are no settlements. */
#define ADYEN_REPORT      "settlement_detail_report_batch_"
#define ADYEN_REPORT_MAX  128          /* bytes of its name */

/* The code becomes a part of the event's id, which is bounded. */
#define ADYEN_CODE_MAX  64             /* letters of an eventCode */

static pay_status_t adyen_items(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_event_t *events, unsigned *count, pay_err_t *err);
static int adyen_flag(const pay_json_t *json, const char *member, int *flag);
static pay_status_t adyen_item(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *item,
    pay_psp_event_t *event, pay_err_t *err);
static pay_status_t adyen_item_id(pay_arena_t *arena, const pay_json_t *item,
    int success, pay_psp_event_t *event, pay_err_t *err);
static pay_status_t adyen_digest(pay_arena_t *arena, pay_str_t text,
    pay_str_t *hex);
static int adyen_code_is_valid(pay_str_t code);
static pay_status_t adyen_item_report(pay_arena_t *arena,
    const pay_json_t *item, int success, pay_psp_event_t *event);
static int adyen_report_is_valid(pay_str_t name);
static pay_status_t adyen_item_names(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *item, int success,
    pay_psp_event_t *event);
static pay_status_t adyen_item_ours(pay_arena_t *arena, pay_str_t reference,
    pay_psp_event_t *event);
static pay_status_t adyen_item_code(pay_arena_t *arena, const pay_json_t *item,
    int success, pay_psp_event_t *event);
static pay_status_t adyen_item_refused(pay_arena_t *arena,
    const pay_json_t *item, pay_psp_event_t *event);
static pay_status_t adyen_item_fact(const pay_json_t *item, int success,
    pay_psp_event_t *event, pay_err_t *err);
static void adyen_item_held(const pay_json_t *item, pay_psp_event_t *event);
static pay_status_t adyen_card(pay_arena_t *arena, const pay_json_t *item,
    pay_psp_card_t *said);


static const pay_psp_said_t  adyen_fundings[] = {
    { "CREDIT", "credit" }, { "DEBIT", "debit" }, { "PREPAID", "prepaid" },
    { NULL, NULL }
};

static const pay_psp_said_t  adyen_levels[] = {
    { "GREEN", "normal" }, { "AMBER", "elevated" }, { "RED", "highest" },
    { NULL, NULL }
};

static const pay_psp_said_t  adyen_three_d[] = {
    { "true", "authenticated" }, { NULL, NULL }
};


/* All items of a message are read before any is handed on: a message that is
 * half readable is refused as a whole, and Adyen sends it again. */
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


/* Adyen writes its booleans as strings.  `success` is signed, `live` is not;
 * both come as "true" or "false", in newer messages as booleans.  Returns 0
 * for anything else. */
static int
adyen_flag(const pay_json_t *json, const char *member, int *flag)
{
    pay_json_type_t  type;

    type = pay_json_type(pay_json_get(json, member));
    *flag = type == PAY_JSON_TRUE || pay_psp_is(json, member, "true");

    return *flag || type == PAY_JSON_FALSE
           || pay_psp_is(json, member, "false");
}


/* Every item gets an id and a type, even one about nothing that matters, so
 * that it is stored and answered like the others.  Without a token of ours
 * there is no fact. */
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
    PAY_TRY(pay_adyen_amount_in(arena, item, event));
    PAY_TRY(adyen_item_code(arena, item, success, event));
    PAY_TRY(adyen_card(arena, item, &event->card));

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


/* The hexadecimal SHA-256 stands for a text that fits no id. */
static pay_status_t
adyen_digest(pay_arena_t *arena, pay_str_t text, pay_str_t *hex)
{
    unsigned char  sha256[PAY_SHA256_SIZE];

    PAY_TRY(pay_sha256(text, sha256));

    return pay_hex_encode(arena, (pay_str_t) { sizeof(sha256), sha256 }, hex);
}


/* [A-Z0-9_]{1,64}: the code becomes part of the event's id, so its alphabet is
 * bounded here. */
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

    if (pay_psp_echo_needed(item, "merchantAccountCode", account->account)
        != PAY_PSP_ECHO_RIGHT)
    {
        return PAY_OK;
    }

    PAY_TRY(adyen_item_report(arena, item, success, event));

    member = (success && pay_psp_is(item, "eventCode", "AUTHORISATION"))
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


/* pspReference is the report's name and reason its URL, which is compared with
 * the configured one before anything is done with it. */
static pay_status_t
adyen_item_report(pay_arena_t *arena, const pay_json_t *item, int success,
    pay_psp_event_t *event)
{
    pay_str_t  name, url;

    if (!success || !pay_psp_is(item, "eventCode", "REPORT_AVAILABLE")
        || pay_json_string(pay_json_get(item, "pspReference"), &name) != PAY_OK
        || !adyen_report_is_valid(name))
    {
        return PAY_OK;
    }

    if (pay_json_string(pay_json_get(item, "reason"), &url) == PAY_OK
        && url.len <= PAY_PSP_URL_MAX && pay_psp_url_is_plain(url))
    {
        PAY_TRY(pay_dup(arena, url, &event->report_url));
    }

    return pay_dup(arena, name, &event->report);
}


/* It becomes the end of a URL: no slash, no escape, nothing to climb with. */
static int
adyen_report_is_valid(pay_str_t name)
{
    size_t         i;
    pay_str_t      head = name;
    unsigned char  c;

    head.len = sizeof(ADYEN_REPORT) - 1;

    if (name.len <= head.len || name.len > ADYEN_REPORT_MAX
        || !pay_str_is(head, ADYEN_REPORT))
    {
        return 0;
    }

    for (i = head.len; i < name.len; i++) {
        c = name.data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-')
        {
            return 0;
        }
    }

    return 1;
}


/* The end of the reference says whether it is our id of a change or that of
 * the payment; an operation that is no UUID is not ours and is left out. */
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


/* Keeps the reason of failures only: that of a good authorisation holds digits
 * of the card. */
static pay_status_t
adyen_item_code(pay_arena_t *arena, const pay_json_t *item, int success,
    pay_psp_event_t *event)
{
    if (success) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_word_get(arena, item, "reason", &event->code));

    if (pay_psp_is(item, "eventCode", "AUTHORISATION")) {
        PAY_TRY(adyen_item_refused(arena, item, event));
    }

    if (event->code.len == 0 || pay_str_is(event->code, "null")) {
        event->code = PAY_STR("failed");
    }

    return PAY_OK;
}


/* "Refused" is what Adyen says of most: where the issuer's answer comes along,
 * as in "51 : Insufficient funds", its code says more. */
static pay_status_t
adyen_item_refused(pay_arena_t *arena, const pay_json_t *item,
    pay_psp_event_t *event)
{
    pay_str_t          raw;
    const pay_json_t  *more = pay_json_get(item, "additionalData");

    PAY_TRY(pay_psp_token_may(arena, item, "pspReference", &event->object));

    if (event->code.len != 0 && !pay_str_is(event->code, "refused")
        && !pay_str_is(event->code, "null"))
    {
        return PAY_OK;
    }

    if (pay_json_string(pay_json_get(more, "refusalReasonRaw"), &raw)
        != PAY_OK || raw.len < 2
        || (raw.len > 2 && raw.data[2] != ' ' && raw.data[2] != ':'))
    {
        return PAY_OK;
    }

    raw.len = 2;

    return pay_psp_safe(arena, raw, &event->code);
}


/* Only a successful AUTHORISATION is a fact about money.  A failed one is an
 * attempt: the buyer may try again on the same link, so its amount says
 * nothing about the order. */
static pay_status_t
adyen_item_fact(const pay_json_t *item, int success, pay_psp_event_t *event,
    pay_err_t *err)
{
    if (pay_psp_is(item, "eventCode", "OFFER_CLOSED")) {
        event->must_ask = 1;
        return PAY_OK;
    }

    if (event->about != PAY_ABOUT_PAYMENT) {
        return PAY_OK;
    }

    if (!success) {
        if (pay_psp_is(item, "eventCode", "AUTHORISATION")) {
            event->fact = PAY_FACT_ATTEMPT;
            event->has_amount = 0;
        }

        return PAY_OK;
    }

    if (!pay_psp_is(item, "eventCode", "AUTHORISATION")) {
        adyen_item_held(item, event);
        return PAY_OK;
    }

    if (!event->has_amount) {
        return pay_refuse(err, "validation-error",
                          "an authorisation has an amount");
    }

    event->fact = pay_adyen_is_held(event->token) ? PAY_FACT_AUTHORIZED
                                              : PAY_FACT_PAID;

    return PAY_OK;
}


/* The end of a hold, of all that was not captured. */
static void
adyen_item_held(const pay_json_t *item, pay_psp_event_t *event)
{
    if (!pay_adyen_is_held(event->token)) {
        return;
    }

    if (pay_adyen_says(item, "CANCELLATION")
        || pay_adyen_says(item, "TECHNICAL_CANCEL"))
    {
        event->fact = PAY_FACT_CANCELLED;

    } else if (pay_psp_is(item, "eventCode", "EXPIRE")) {
        event->fact = PAY_FACT_EXPIRED;
    }
}


/* additionalData is not signed: a hint in any case. */
static pay_status_t
adyen_card(pay_arena_t *arena, const pay_json_t *item, pay_psp_card_t *said)
{
    const pay_json_t  *more = pay_json_get(item, "additionalData");

    if (!pay_psp_is(item, "eventCode", "AUTHORISATION")) {
        return PAY_OK;
    }

    said->is_hint = 1;
    PAY_TRY(pay_psp_token_may(arena, item, "pspReference", &said->attempt));
    PAY_TRY(pay_psp_card_name(arena, more, "alias", &said->card));
    PAY_TRY(pay_psp_card_bin(arena, more, "cardBin", &said->bin));
    PAY_TRY(pay_psp_card_country(arena, more, "issuerCountry",
                                 &said->country));
    pay_psp_card_word(adyen_fundings, more, "fundingSource", &said->funding);
    pay_psp_card_word(adyen_three_d, more, "threeDAuthenticated",
                      &said->three_d);
    pay_psp_card_word(adyen_levels, more, "fraudResultType", &said->level);
    pay_psp_card_score(more, "totalFraudScore", said);

    return PAY_OK;
}

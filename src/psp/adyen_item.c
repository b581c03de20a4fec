/*
 * One item of an Adyen Standard webhook (docs/psp/adyen.md#webhooks): which
 * event it is, whom it is about, and what it says of the payment.  An
 * AUTHORISATION that succeeded is the money, unless we asked to capture it
 * ourselves, as the end of our reference tells.  A failed one is an attempt,
 * the link stays open.  OFFER_CLOSED is about a try, too, so it only makes us
 * ask.  Captures, refunds, disputes: adyen_after.c.  All other codes say
 * nothing about an order yet.
 */

#include "psp/adyen.h"
#include "pay_crypto.h"
#include "pay_id.h"


#define ADYEN_CODE_MAX  64             /* letters of an eventCode */


static pay_status_t adyen_item_id(pay_arena_t *arena, const pay_json_t *item,
    int success, pay_psp_event_t *event, pay_err_t *err);
static pay_status_t adyen_digest(pay_arena_t *arena, pay_str_t text,
    pay_str_t *hex);
static int adyen_code_is_valid(pay_str_t code);
static pay_status_t adyen_item_names(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *item, int success,
    pay_psp_event_t *event);
static pay_status_t adyen_item_ours(pay_arena_t *arena, pay_str_t reference,
    pay_psp_event_t *event);
static pay_status_t adyen_item_code(pay_arena_t *arena,
    const pay_json_t *item, int success, pay_psp_event_t *event);
static pay_status_t adyen_item_refused(pay_arena_t *arena,
    const pay_json_t *item, pay_psp_event_t *event);
static pay_status_t adyen_item_fact(const pay_json_t *item, int success,
    pay_psp_event_t *event, pay_err_t *err);
static void adyen_item_held(const pay_json_t *item, pay_psp_event_t *event);


pay_status_t
pay_adyen_item(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *item, pay_psp_event_t *event, pay_err_t *err)
{
    int           success;
    pay_status_t  status;

    if (!pay_adyen_flag(item, "success", &success)) {
        return pay_refuse(err, "validation-error",
                          "an item says whether it is a success");
    }

    PAY_TRY(adyen_item_id(arena, item, success, event, err));
    PAY_TRY(pay_psp_word_get(arena, item, "eventCode", &event->type));
    PAY_TRY(adyen_item_names(arena, account, item, success, event));
    PAY_TRY(pay_adyen_amount_in(arena, item, event));
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

    if (pay_adyen_is(item, "eventCode", "AUTHORISATION")) {
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
    pay_status_t       status;
    const pay_json_t  *more = pay_json_get(item, "additionalData");

    status = pay_psp_token_get(arena, item, "pspReference", &event->object);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

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


static pay_status_t
adyen_item_fact(const pay_json_t *item, int success, pay_psp_event_t *event,
    pay_err_t *err)
{
    if (pay_adyen_is(item, "eventCode", "OFFER_CLOSED")) {
        event->must_ask = 1;
        return PAY_OK;
    }

    if (event->about != PAY_ABOUT_PAYMENT) {
        return PAY_OK;
    }

    if (!success) {
        if (pay_adyen_is(item, "eventCode", "AUTHORISATION")) {
            event->fact = PAY_FACT_ATTEMPT;
            event->has_amount = 0;
        }

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

    if (pay_adyen_is(item, "eventCode", "CANCELLATION")
        || pay_adyen_is(item, "eventCode", "TECHNICAL_CANCEL"))
    {
        event->fact = PAY_FACT_CANCELLED;

    } else if (pay_adyen_is(item, "eventCode", "EXPIRE")) {
        event->fact = PAY_FACT_EXPIRED;
    }
}

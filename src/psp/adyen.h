/*
 * The common part of the Adyen adapter's files.  adyen.c (payment links) uses
 * adyen_change.c (modifications) and adyen_event.c (PSP events) with
 * adyen_after.c (those after the sale), and all use adyen_link.c.
 * src/payout/adyen.c includes this, too, for its amounts and errors, and no
 * other file does.
 */

#ifndef PAY_SRC_PSP_ADYEN_H
#define PAY_SRC_PSP_ADYEN_H

#include "psp/psp.h"


#define PAY_ADYEN_LINKS    "/v72/paymentLinks"
#define PAY_ADYEN_HELD     "-held"     /* appended to our reference if the
                                          merchant captures: no other signed
                                          member of a webhook shows that */
#define PAY_ADYEN_CAPTURE  "-capture"  /* behind our id of a change */
#define PAY_ADYEN_REFUND   "-refund"

/* The changes of a payment or a link. */
extern const pay_psp_call_t  pay_adyen_calls[PAY_PSP_CHANGE_COUNT];

/* A call with X-API-Key; PAY_BUG for a key that would break out of its
 * header. */
pay_status_t pay_adyen_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request) PAY_MUST_CHECK;
/* {"value","currency"} as the member "amount".  PAY_INVALID as
 * pay_adyen_to_theirs(). */
pay_status_t pay_adyen_set_amount(pay_json_t *json,
    const pay_currency_t *currency, int64_t minor, pay_err_t *err)
    PAY_MUST_CHECK;
/* How the amount in an answer stands to what was sent. */
pay_psp_echo_t pay_adyen_echo_amount(const pay_json_t *json,
    const pay_currency_t *currency, int64_t minor);
/* A pay_psp_error_pt: {"status","errorCode","errorType","message"} */
pay_status_t pay_adyen_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;


/* Cuts `end` off; 0 when the text has another one, or nothing else. */
int pay_adyen_cut(pay_str_t *text, const char *end);
/* 1 for a reference of a payment that is captured by us. */
int pay_adyen_is_held(pay_str_t reference);
/* How a link stands, a pay_psp_state_pt.  PAY_INVALID without an id, with a
 * status we do not know, or when paid without an amount. */
pay_status_t pay_adyen_state(pay_arena_t *arena, const pay_json_t *link,
    pay_psp_event_t *event) PAY_MUST_CHECK;
pay_status_t pay_adyen_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err) PAY_MUST_CHECK;
/* 1 when the item has this eventCode, or is the result of a reversal that Adyen
 * has made such a one: CANCELLATION or REFUND. */
int pay_adyen_says(const pay_json_t *item, const char *code);
/* Reads an item about a capture, a refund or a dispute into *event, which is
 * left as it is when the item is about none of them.  PAY_INVALID without an
 * amount. */
pay_status_t pay_adyen_after(pay_arena_t *arena, const pay_json_t *item,
    int success, pay_psp_event_t *event) PAY_MUST_CHECK;

/* ISO 4217 minor units to Adyen's.  PAY_INVALID with "currency-unsupported",
 * or "amount-invalid" when Adyen has no spelling for that amount. */
pay_status_t pay_adyen_to_theirs(const pay_currency_t *currency, int64_t ours,
    int64_t *theirs, pay_err_t *err) PAY_MUST_CHECK;
/* The member "amount", into *event; left as it is without one. */
pay_status_t pay_adyen_amount_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event) PAY_MUST_CHECK;


#endif /* PAY_SRC_PSP_ADYEN_H */

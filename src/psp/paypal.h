/*
 * The common part of the PayPal adapter's files.  paypal.c (orders, access
 * tokens) uses paypal_change.c (capture and refund) and paypal_event.c (PSP
 * events and their list), and all three use paypal_order.c.
 * src/payout/paypal.c includes this, too, for its errors, and no other file
 * does.
 */

#ifndef PAY_SRC_PSP_PAYPAL_H
#define PAY_SRC_PSP_PAYPAL_H

#include "psp/psp.h"


#define PAY_PAYPAL_ORDERS  "/v2/checkout/orders"


/* The changes of an order. */
extern const pay_psp_call_t  pay_paypal_calls[PAY_PSP_CHANGE_COUNT];

/* A new object as a member; *child is the parent's, as long as that lives. */
pay_status_t pay_paypal_object_add(pay_json_t *parent, const char *member,
    pay_json_t **child) PAY_MUST_CHECK;

/* Reads {"name", "details": [{"issue"}]} or OAuth's {"error"}; fails for
 * PAY_NO_MEMORY alone. */
pay_status_t pay_paypal_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;

/* The members of {"currency_code", "value"}.  PAY_INVALID with
 * "currency-unsupported", or "amount-invalid" when PayPal has no spelling for
 * that amount (a fraction of a yen, forint or Taiwan dollar). */
pay_status_t pay_paypal_money_set(pay_arena_t *arena, pay_json_t *money,
    const pay_currency_t *currency, int64_t minor, pay_err_t *err)
    PAY_MUST_CHECK;
/* 1 when PayPal has a spelling for that amount. */
int pay_paypal_money_fits(const pay_currency_t *currency, int64_t minor);
/* How an untrusted {"currency_code", "value"} (NULL: absent) stands to what
 * was sent; "30", "30.0" and "30.000" are 30.00, too. */
pay_psp_echo_t pay_paypal_echo_money(const pay_json_t *money,
    const pay_currency_t *currency, int64_t minor);
/* Copies the amount into the event, when it is there.  An amount that no order
 * of ours can have is reported as 0. */
pay_status_t pay_paypal_money_in(pay_arena_t *arena, const pay_json_t *money,
    pay_psp_event_t *event) PAY_MUST_CHECK;
/* An untrusted time, RFC 3339 in UTC, in seconds since 1970; 0: there is none
 * that can be read. */
int64_t pay_paypal_time(const pay_json_t *of, const char *member);

/* Why a capture was declined: the processor's code, or PayPal's reason; empty
 * when it does not say. */
pay_status_t pay_paypal_why(pay_arena_t *arena, const pay_json_t *capture,
    pay_str_t *code) PAY_MUST_CHECK;
/* An order as it stands, a pay_psp_state_pt.  PAY_INVALID without an id, or
 * when money came in without an amount. */
pay_status_t pay_paypal_state(pay_arena_t *arena, const pay_json_t *order,
    pay_psp_event_t *event) PAY_MUST_CHECK;

/* A page of events, a pay_psp_page_pt. */
pay_status_t pay_paypal_page(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_json_t *root, pay_psp_listed_t *listed) PAY_MUST_CHECK;
/* An event object as a webhook tells it, a pay_psp_listed_pt. */
pay_status_t pay_paypal_event(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_told_t *told, pay_err_t *err) PAY_MUST_CHECK;

/* The slots of the adapter that are not in paypal.c, see pay_psp.h. */
pay_status_t pay_paypal_changed(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_http_answer_t *answer,
    pay_psp_changed_t *result) PAY_MUST_CHECK;
pay_status_t pay_paypal_list_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    pay_http_request_t *request) PAY_MUST_CHECK;


#endif /* PAY_SRC_PSP_PAYPAL_H */

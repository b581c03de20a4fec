/*
 * The common part of the Square adapter's files (docs/psp/square.md).  The
 * order behind a payment link is our registration: its id is the token, the
 * link's id the alias by which the link is deleted.  square.c (links) uses
 * square_change.c (modifications) and square_event.c (PSP events), and all
 * three use square_order.c.  No other file includes this.
 */

#ifndef PAY_SRC_SQUARE_H
#define PAY_SRC_SQUARE_H

#include "psp/psp.h"


#define PAY_SQUARE_VERSION   "2025-08-20"
#define PAY_SQUARE_LINKS     "/v2/online-checkout/payment-links"
#define PAY_SQUARE_ORDERS    "/v2/orders/"
#define PAY_SQUARE_PAYMENTS  "/v2/payments/"
#define PAY_SQUARE_REFUNDS   "/v2/refunds"


/* Head of a call with Square's version. */
pay_status_t pay_square_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request) PAY_MUST_CHECK;
/* Adds {"amount","currency"}; PAY_INVALID "currency-unsupported" for a
 * currency in which no Square seller is paid. */
pay_status_t pay_square_set_money(pay_json_t *parent, const char *member,
    const pay_currency_t *currency, int64_t minor, pay_err_t *err)
    PAY_MUST_CHECK;

/* A pay_psp_error_pt for {"errors":[{"category","code"}]}. */
pay_status_t pay_square_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;

/* How a Money in `member` stands to what was sent; absent is right. */
pay_psp_echo_t pay_square_echo_money(const pay_json_t *json,
    const char *member, const pay_currency_t *currency, int64_t minor);

/* 1 when it is a Money: an integer and three capital letters. */
int pay_square_money(const pay_json_t *json, int64_t *minor,
    pay_str_t *currency);
/* A Money's amount into the event; 0 when no order of ours can have it. */
pay_status_t pay_square_amount_in(pay_arena_t *arena, int64_t minor,
    pay_str_t currency, pay_psp_event_t *event) PAY_MUST_CHECK;
/* A Payment's status, order, id and amount.  PAY_INVALID when it is completed
 * without an amount. */
pay_status_t pay_square_payment(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_event_t *event) PAY_MUST_CHECK;

/* The order in a query's answer, a pay_psp_state_pt. */
pay_status_t pay_square_order(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_event_t *event) PAY_MUST_CHECK;

/* Functions of the adapter: see pay_psp.h. */
pay_status_t pay_square_change_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request, pay_err_t *err);
pay_status_t pay_square_change_answer(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_http_answer_t *answer,
    pay_psp_changed_t *result);
pay_status_t pay_square_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err);


#endif /* PAY_SRC_SQUARE_H */

/*
 * The common part of the Mollie adapter's files (docs/psp/mollie.md).  The
 * payment (tr_…) is our registration, and the object of modifications. mollie.c
 * uses mollie_change.c (modifications) and mollie_event.c (PSP events), and all
 * three use mollie_payment.c.  No other file includes this.
 */

#ifndef PAY_SRC_MOLLIE_H
#define PAY_SRC_MOLLIE_H

#include "psp/psp.h"


#define PAY_MOLLIE_PAYMENTS  "/v2/payments"


/* Adds {"currency","value"}; PAY_INVALID "currency-unsupported". */
pay_status_t pay_mollie_set_amount(pay_arena_t *arena, pay_json_t *parent,
    const char *member, const pay_currency_t *currency, int64_t minor,
    pay_err_t *err) PAY_MUST_CHECK;
/* A pay_psp_error_pt for {"status","title","detail"}. */
pay_status_t pay_mollie_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;
/* json.amount against ours, in *echo. */
pay_status_t pay_mollie_echo_amount(pay_arena_t *arena, const pay_json_t *json,
    const pay_currency_t *currency, int64_t minor, pay_psp_echo_t *echo)
    PAY_MUST_CHECK;
/* json.amount; PAY_INVALID without one.  An amount that no order of ours can
 * have is reported as 0. */
pay_status_t pay_mollie_amount_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event) PAY_MUST_CHECK;
/* A Payment's id, status and amount.  PAY_INVALID when it is none, has a
 * status that we don't know, or is paid without an amount. */
pay_status_t pay_mollie_payment(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_event_t *event) PAY_MUST_CHECK;

/* Mollie's document offers application/hal+json and nothing else. */
void pay_mollie_accept(pay_http_request_t *request);

/* Functions of the adapter: see pay_psp.h. */
pay_status_t pay_mollie_change_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request, pay_err_t *err);
pay_status_t pay_mollie_change_answer(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_http_answer_t *answer,
    pay_psp_changed_t *result);
pay_status_t pay_mollie_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err);


#endif /* PAY_SRC_MOLLIE_H */

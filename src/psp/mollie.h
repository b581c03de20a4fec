/*
 * What the files of the Mollie adapter share (docs/psp/mollie.md).  The
 * payment (tr_…) is our registration and what changes go to.
 */

#ifndef PAY_SRC_MOLLIE_H
#define PAY_SRC_MOLLIE_H

#include "psp/psp.h"


#define PAY_MOLLIE_PAYMENTS  "/v2/payments"

typedef enum {
    PAY_MOLLIE_RIGHT = 0,
    PAY_MOLLIE_WRONG,
    PAY_MOLLIE_INVALID         /* absent or of another type */
} pay_mollie_echo_t;


/* Adds {"currency","value"}; PAY_INVALID "currency-unsupported". */
pay_status_t pay_mollie_set_amount(pay_arena_t *arena, pay_json_t *parent,
    const char *member, const pay_currency_t *currency, int64_t minor,
    pay_err_t *err) PAY_MUST_CHECK;
/* A pay_psp_error_pt for {"status","title","detail"}. */
pay_status_t pay_mollie_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;
/* json.amount against ours, in *echo. */
pay_status_t pay_mollie_echo_amount(pay_arena_t *arena, const pay_json_t *json,
    const pay_currency_t *currency, int64_t minor, pay_mollie_echo_t *echo)
    PAY_MUST_CHECK;
pay_mollie_echo_t pay_mollie_echo_text(const pay_json_t *value,
    pay_str_t expected);
int pay_mollie_is(const pay_json_t *json, const char *member,
    const char *text);

/* A payment of the order as an answer or a list has it, into *result; left as
 * it is when it has no page. */
pay_status_t pay_mollie_registered(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *root,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
/* json.amount; PAY_INVALID without one.  What no order of ours can have is told
 * as 0. */
pay_status_t pay_mollie_amount_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event) PAY_MUST_CHECK;
/* A Payment's id, status and amount.  PAY_INVALID when it is none, has a
 * status that we don't know, or is paid without an amount. */
pay_status_t pay_mollie_payment(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_event_t *event) PAY_MUST_CHECK;

/* What an event about a refund, a chargeback or a capture tells, by the entity
 * that it carries.  PAY_INVALID when that is not whole. */
pay_status_t pay_mollie_after(pay_arena_t *arena, const pay_json_t *entity,
    pay_psp_event_t *event) PAY_MUST_CHECK;
int pay_mollie_starts(pay_str_t text, const char *prefix);

/* Mollie's document offers application/hal+json and nothing else. */
void pay_mollie_accept(pay_http_request_t *request);

/* Functions of the adapter: see pay_psp.h. */
pay_status_t pay_mollie_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);
pay_status_t pay_mollie_find_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_http_request_t *request);
pay_status_t pay_mollie_find_answer(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_http_answer_t *answer,
    pay_psp_registered_t *result);
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

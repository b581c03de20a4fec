/*
 * What the files of the Stripe adapter share: stripe.c (sessions),
 * stripe_event.c (what Stripe tells), stripe_money.c (of payments, refunds and
 * disputes), stripe_attempt.c (of declined attempts), stripe_list.c (lists of
 * both), stripe_change.c (what is done later).  Nobody else includes this.
 */

#ifndef PAY_SRC_PSP_STRIPE_H
#define PAY_SRC_PSP_STRIPE_H

#include "psp/psp.h"


#define PAY_STRIPE_VERSION   "2026-10-28.endive"
#define PAY_STRIPE_SESSIONS  "/v1/checkout/sessions"

typedef enum {
    PAY_STRIPE_ECHO_RIGHT = 0, /* or absent: nothing contradicts */
    PAY_STRIPE_ECHO_WRONG,
    PAY_STRIPE_ECHO_INVALID
} pay_stripe_echo_t;


/* The head of a call, as pay_psp_request_init, with the pinned version. */
pay_status_t pay_stripe_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request) PAY_MUST_CHECK;
/* A form as its body, under that idempotency key. */
void pay_stripe_form_add(pay_http_request_t *request, pay_str_t key,
    pay_str_t body);
/* "&name=value", both percent-encoded. */
void pay_stripe_pair(pay_buf_t *form, const char *name, pay_str_t value);

/* Reads an error; fails for PAY_NO_MEMORY alone. */
pay_status_t pay_stripe_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;
/* How what the answer repeats stands to what was sent. */
pay_stripe_echo_t pay_stripe_echo_text(const pay_json_t *json,
    const char *member, pay_str_t expected);
/* The same of an amount in `member` and of "currency". */
pay_stripe_echo_t pay_stripe_echo_money(const pay_json_t *json,
    const char *member, const pay_currency_t *currency, int64_t minor);
/* The same of a session: amount, currency, our reference. */
pay_stripe_echo_t pay_stripe_echo(const pay_psp_order_t *order,
    const pay_json_t *session);
/* A session of the order as an answer or a list has it, into *result; left as
 * it is when it has no page. */
pay_status_t pay_stripe_registered(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *session,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
/* 1 when the member is that text. */
int pay_stripe_is(const pay_json_t *json, const char *member,
    const char *text);

/* A session as it stands.  PAY_INVALID without a token, or when paid without
 * an amount; *event is written in any case. */
pay_status_t pay_stripe_state(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event) PAY_MUST_CHECK;
/* The amount in `member` and "currency", when both are there.  One that cannot
 * be our orders' is told as 0. */
pay_status_t pay_stripe_amount_in(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_psp_event_t *event) PAY_MUST_CHECK;

/* The id of the payment in "payment_intent", which may stand there as a whole;
 * empty when there is none. */
pay_status_t pay_stripe_intent_id(pay_arena_t *arena, const pay_json_t *json,
    pay_str_t *id) PAY_MUST_CHECK;
/* How a payment stands that is captured by us: its fact, or what was captured
 * of it.  Another status says nothing. */
pay_status_t pay_stripe_held(pay_arena_t *arena, const pay_json_t *intent,
    pay_psp_event_t *event) PAY_MUST_CHECK;
/* The objects of events, into told->events[0] and further ones; PAY_INVALID
 * when what they need is missing. */
pay_status_t pay_stripe_intent(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told) PAY_MUST_CHECK;
pay_status_t pay_stripe_refund(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told) PAY_MUST_CHECK;
/* Declined attempts to pay, by the payment and by its charge. */
pay_status_t pay_stripe_intent_failed(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told) PAY_MUST_CHECK;
pay_status_t pay_stripe_charge_failed(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told) PAY_MUST_CHECK;
/* What a dispute has cost is told under the id of what took it, so that each
 * event of the dispute may tell it. */
pay_status_t pay_stripe_dispute(pay_arena_t *arena, const pay_json_t *object,
    pay_psp_told_t *told) PAY_MUST_CHECK;

/* The same for an amount that is there. */
pay_status_t pay_stripe_units_in(pay_arena_t *arena, const pay_json_t *json,
    int64_t theirs, pay_psp_event_t *event) PAY_MUST_CHECK;

/* An event object, a pay_psp_listed_pt. */
pay_status_t pay_stripe_event(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_told_t *told, pay_err_t *err) PAY_MUST_CHECK;
/* The types of events that say something, NULL behind the last one. */
const char *pay_stripe_event_type(unsigned number);

/* The slots of the adapter that are not in stripe.c, see pay_psp.h. */
pay_status_t pay_stripe_find_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_http_request_t *request) PAY_MUST_CHECK;
pay_status_t pay_stripe_find_answer(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_http_answer_t *answer,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
pay_status_t pay_stripe_list_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    pay_http_request_t *request) PAY_MUST_CHECK;
pay_status_t pay_stripe_list_answer(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_http_answer_t *answer, pay_psp_listed_t *listed) PAY_MUST_CHECK;
pay_status_t pay_stripe_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err) PAY_MUST_CHECK;
pay_status_t pay_stripe_change_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request, pay_err_t *err) PAY_MUST_CHECK;
pay_status_t pay_stripe_change_answer(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_http_answer_t *answer,
    pay_psp_changed_t *result) PAY_MUST_CHECK;


#endif /* PAY_SRC_PSP_STRIPE_H */

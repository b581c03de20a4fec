/*
 * The common part of the Stripe adapter's files.  stripe.c (sessions, lists)
 * uses stripe_change.c (modifications) and stripe_event.c (PSP events), and all
 * three use stripe_session.c.  src/payout/stripe.c includes this, too, for its
 * amounts and errors, and no other file does.
 */

#ifndef PAY_SRC_PSP_STRIPE_H
#define PAY_SRC_PSP_STRIPE_H

#include "psp/psp.h"


#define PAY_STRIPE_VERSION   "2026-10-28.endive"
#define PAY_STRIPE_SESSIONS  "/v1/checkout/sessions"


/* The head of a call, as pay_psp_request_init, with the pinned version. */
pay_status_t pay_stripe_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request) PAY_MUST_CHECK;
/* A form as its body. */
void pay_stripe_form_add(pay_http_request_t *request, pay_str_t body);
/* "&name=value", both percent-encoded. */
void pay_stripe_pair(pay_buf_t *form, const char *name, pay_str_t value);

/* Reads an error; fails for PAY_NO_MEMORY alone. */
pay_status_t pay_stripe_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;
/* How an amount in `member` and "currency" stand to what was
 * sent. */
pay_psp_echo_t pay_stripe_echo_money(const pay_json_t *json,
    const char *member, const pay_currency_t *currency, int64_t minor);
/* ISO 4217 minor units to Stripe's (docs/psp/stripe.md#amounts).  PAY_INVALID
 * with "currency-unsupported", or "amount-invalid" when Stripe has no spelling
 * for that amount. */
pay_status_t pay_stripe_to_theirs(const pay_currency_t *currency,
    int64_t ours, int64_t *theirs, pay_err_t *err) PAY_MUST_CHECK;
/* The code in lower case, as Stripe writes it, in `text`. */
pay_str_t pay_stripe_currency(const pay_currency_t *currency,
    unsigned char text[PAY_PSP_CURRENCY_LEN]);

/* A session as it stands, a pay_psp_state_pt.  PAY_INVALID without a token, or
 * when paid without an amount. */
pay_status_t pay_stripe_state(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event) PAY_MUST_CHECK;
/* The amount in `member` and "currency", when both are there.  An amount that
 * no order of ours can have is reported as 0. */
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
/* The session's token, payment and amount into *event.  PAY_INVALID without a
 * token, or when event->fact is paid and there is no amount. */
pay_status_t pay_stripe_session(pay_arena_t *arena, const pay_json_t *session,
    pay_psp_event_t *event) PAY_MUST_CHECK;
/* 1 for a session that we asked to hold the money. */
int pay_stripe_is_held(const pay_json_t *session);
/* The meaning of a completed session's payment_status. */
pay_fact_t pay_stripe_paid_fact(const pay_json_t *session);

/* pay_stripe_amount_in() for an amount in Stripe's unit. */
pay_status_t pay_stripe_units_in(pay_arena_t *arena, const pay_json_t *json,
    int64_t theirs, pay_psp_event_t *event) PAY_MUST_CHECK;

/* An event object, a pay_psp_listed_pt. */
pay_status_t pay_stripe_event(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_told_t *told, pay_err_t *err) PAY_MUST_CHECK;
/* The types of events that say something, NULL behind the last one. */
const char *pay_stripe_event_type(unsigned number);

/* pay_stripe_error() for a change: some errors leave open whether it has
 * happened. */
pay_status_t pay_stripe_change_error(pay_arena_t *arena,
    const pay_json_t *root, pay_psp_error_t *error) PAY_MUST_CHECK;
/* The changes of a payment or a session. */
extern const pay_psp_call_t  pay_stripe_calls[PAY_PSP_CHANGE_COUNT];
/* The slot change_request, see pay_psp.h. */
pay_status_t pay_stripe_change(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request, pay_err_t *err) PAY_MUST_CHECK;
/* psp/stripe_card.c: the card of a charge, into *said. */
pay_status_t pay_stripe_card(pay_arena_t *arena, const pay_json_t *charge,
    pay_psp_card_t *said) PAY_MUST_CHECK;


#endif /* PAY_SRC_PSP_STRIPE_H */

/*
 * Small words that every flow uses: effects, replies, backoff.  Private to
 * src/flow.
 */

#ifndef PAY_FLOW_UTIL_H
#define PAY_FLOW_UTIL_H

#include "pay_flow.h"


/* The next event goes to `step`. */
void pay_do_db(pay_flow_t *flow, pay_effect_t *effect, pay_op_id_t op,
    const pay_value_t *args, pay_flow_step_pt step);

/* Ends the flow; `reply` may be NULL when nobody waits. */
void pay_do_done(pay_effect_t *effect, const pay_reply_t *reply);

/* A fresh reply with everything unset. */
pay_status_t pay_reply_new(pay_flow_t *flow, pay_reply_kind_t kind,
    unsigned status, pay_reply_t **reply) PAY_MUST_CHECK;

/* Ends the flow with a problem. */
pay_status_t pay_done_problem(pay_flow_t *flow, pay_effect_t *effect,
    const char *slug, const char *detail) PAY_MUST_CHECK;

/* Ends the flow with what a failed operation means to a caller. */
pay_status_t pay_done_db_failed(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* Takes the ids of `checkout` over into the flow, for logs. */
void pay_flow_note(pay_flow_t *flow, const pay_checkout_t *checkout);

/* The PSP of a registration; NULL when none of that name is configured, or
 * one that only sends webhooks is (the block's adapter has been changed). */
const pay_psp_t *pay_flow_psp(const pay_flow_t *flow, pay_str_t name);

/* Milliseconds until attempt `attempt` + 1: 1 s doubled up to 60 s, at least
 * what the PSP asked for (seconds, -1 none), spread by `seed`. */
int64_t pay_backoff_ms(int64_t attempt, int64_t retry_after_s,
    pay_str_t seed);

/* Registration (flow_register.c).  The request is a pure function of the
 * stored checkout: the same bytes on every attempt. */
pay_status_t pay_register_build(pay_flow_t *flow, const pay_psp_t *psp,
    const pay_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err) PAY_MUST_CHECK;

/* A sub-flow: call → keep what came of it, at the next PSP when nothing can
 * have happened at this one → `done` takes the row of store_token or
 * store_no_token (or that there is none). */
typedef struct {
    pay_checkout_t        checkout;
    const pay_psp_t      *psp;
    pay_psp_registered_t  result;      /* of the last call */
    int                   had_page;    /* it was accepted; then not by us */
    unsigned              moves;
    pay_flow_step_pt      done;
} pay_register_t;

pay_status_t pay_register_start(pay_flow_t *flow, pay_register_t *reg,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* A sub-flow (flow_ask.c): how does a registration stand at its PSP?  Takes
 * an approved payment's money on the way when `may_capture`.  `done` gets the
 * last HTTP event, and finds known and fact set. */
typedef struct {
    const pay_checkout_t  *checkout;
    const pay_psp_t       *psp;
    int                    buyer_waits;
    int                    may_capture;
    int                    known;
    pay_psp_event_t        fact;
    pay_psp_change_t       change;     /* the last one asked for */
    pay_flow_step_pt       done;
} pay_ask_t;

pay_status_t pay_ask_start(pay_flow_t *flow, pay_ask_t *ask,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* Ends the hosted page at the PSP; `done` and the rest as above. */
pay_status_t pay_ask_expire(pay_flow_t *flow, pay_ask_t *ask,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* The arguments of apply_event for one fact of a PSP. */
pay_status_t pay_event_args(pay_flow_t *flow, const pay_psp_t *psp,
    const char *source, const pay_psp_event_t *event, pay_str_t digest,
    const pay_value_t **args) PAY_MUST_CHECK;


#endif /* PAY_FLOW_UTIL_H */

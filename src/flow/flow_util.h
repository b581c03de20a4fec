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

/* Milliseconds until attempt `attempt` + 1: 1 s doubled up to 60 s, at least
 * what the PSP asked for (seconds, -1 none), spread by `seed`. */
int64_t pay_backoff_ms(int64_t attempt, int64_t retry_after_s,
    pay_str_t seed);

/* Registration (flow_register.c).  The request is a pure function of the
 * stored checkout: the same bytes on every attempt. */
pay_status_t pay_register_build(pay_flow_t *flow, const pay_psp_t *psp,
    const pay_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err) PAY_MUST_CHECK;

/* The PSP's answer → the operation that keeps it; next event to `step`. */
pay_status_t pay_register_store(pay_flow_t *flow, const pay_psp_t *psp,
    const pay_checkout_t *checkout, const pay_http_answer_t *answer,
    pay_effect_t *effect, pay_flow_step_pt step) PAY_MUST_CHECK;

/* The arguments of apply_event for one fact of a PSP. */
pay_status_t pay_event_args(pay_flow_t *flow, const pay_psp_t *psp,
    const char *source, const pay_psp_event_t *event, pay_str_t digest,
    const pay_value_t **args) PAY_MUST_CHECK;


#endif /* PAY_FLOW_UTIL_H */

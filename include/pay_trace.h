/*
 * Trace Context (https://www.w3.org/TR/trace-context/): the trace of a
 * storefront that a payment belongs to.
 */

#ifndef PAY_TRACE_H
#define PAY_TRACE_H

#include "pay_arena.h"


#define PAY_TRACE_TEXT  55             /* bytes of a traceparent */
#define PAY_TRACE_ID    32             /* of the id in it, hex */


/* *trace: the value of a header traceparent in the form of version 00, with no
 * flag but "sampled"; it has room for PAY_TRACE_TEXT bytes.  PAY_INVALID: the
 * value is none, and has to be ignored.  Untrusted. */
pay_status_t pay_trace_parse(pay_str_t text,
    unsigned char trace[PAY_TRACE_TEXT]) PAY_MUST_CHECK;

/* The hex id of such a value; empty for the empty one. */
pay_str_t pay_trace_id(pay_str_t trace);

/* The traceparent of a call of ours in that trace: another id of the parent,
 * which follows from `seed`. */
pay_status_t pay_trace_child(pay_arena_t *arena, pay_str_t trace,
    pay_str_t seed, pay_str_t *text) PAY_MUST_CHECK;


#endif /* PAY_TRACE_H */

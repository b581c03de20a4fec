/*
 * Parts of the flows of a call to a pay-out provider and of a question to a
 * screening provider.  Private to src/flow.
 */

#ifndef PAY_FLOW_PROVIDER_H
#define PAY_FLOW_PROVIDER_H

#include "flow_util.h"


#define PROVIDER_RETRY_MAX_S  86400
#define PROVIDER_CODE_MAX     64       /* bytes that PostgreSQL takes */
#define PROVIDER_TEXT_MAX     255      /* of a reference or a cursor */

/* Whether the claim of a call, asked for at started_s, came too late to act on
 * it: the call would reach into the time when another worker takes it for
 * lost. */
int provider_is_late(const pay_input_t *input, int64_t started_s);

/* Copies a text into the arguments of the next operation, or nothing of one
 * that is longer than max: a part of a reference is another reference. */
pay_status_t provider_text(pay_flow_t *flow, pay_str_t text, size_t max,
    pay_str_t *to) PAY_MUST_CHECK;

/* Ends the flow behind the operation that stored the call's end; the outcome
 * stays as it is when the operation took it.  An operation that failed leaves a
 * call without an end: its lease sees to it. */
pay_status_t provider_stored(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect) PAY_MUST_CHECK;


#endif /* PAY_FLOW_PROVIDER_H */

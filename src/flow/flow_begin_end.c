/*
 * Refusals of begin_payment as problems: nothing was stored.
 */

#include "flow_util.h"


/* Retry-After in seconds of an order whose currency has no rate at the
 * moment. */
#define RATE_RETRY_S  60


static pay_status_t done_no_rate(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t done_nothing_to_replace(pay_flow_t *flow,
    pay_effect_t *effect);


pay_status_t
pay_begin_refused(pay_flow_t *flow, pay_outcome_t outcome,
    unsigned in_progress_status, pay_effect_t *effect)
{
    switch (outcome) {

    case PAY_OUTCOME_KEY_REUSED:
        return pay_done_problem(flow, effect, "idempotency-key-reused", NULL);

    case PAY_OUTCOME_IN_PROGRESS:
        return pay_done_in_progress(flow, effect, in_progress_status);

    case PAY_OUTCOME_RATE_MISSING:
        return done_no_rate(flow, effect);

    case PAY_OUTCOME_CREDIT_TOO_LARGE:
        return pay_done_problem(flow, effect, "amount-invalid",
                                "In its credit_currency an order would be "
                                "larger than one order may be.");

    case PAY_OUTCOME_NOTHING_TO_REPLACE:
        return done_nothing_to_replace(flow, effect);

    case PAY_OUTCOME_RECOVERING:
        return pay_done_recovering(flow, effect);

    case PAY_OUTCOME_MOVING:
    case PAY_OUTCOME_MOVED:
        return pay_done_moving(flow, effect);

    default:
        return PAY_BUG;
    }
}


/* Nothing was stored; a rate comes with the next round of its sources. */
static pay_status_t
done_no_rate(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem_reply(flow, effect, "rate-unavailable", NULL,
                                   &reply));

    reply->retry_after_s = RATE_RETRY_S;

    return PAY_OK;
}


/* No 404: there is something at the address, and a member of the body is
 * wrong. */
static pay_status_t
done_nothing_to_replace(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_err_t  err;

    memset(&err, 0, sizeof(err));
    (void) pay_refuse_at(&err, "validation-error",
                         "there is no checkout that it could replace",
                         "/replaces");

    return pay_done_refused(flow, effect, &err);
}

/*
 * The answers to POST /v1/payments: refusals of begin_payment as problems, and
 * the checkout as it is stored.
 */

#include "flow_util.h"


/* Retry-After in seconds of an order whose currency has no rate at the
 * moment. */
#define RATE_RETRY_S  60


static pay_status_t done_no_rate(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t done_nothing_to_replace(pay_flow_t *flow,
    pay_effect_t *effect);
static pay_status_t checkout_url(pay_flow_t *flow,
    const pay_checkout_t *checkout, pay_str_t checkout_id, pay_str_t *url);


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


pay_status_t
pay_done_not_replaced(pay_flow_t *flow, const pay_checkout_t *checkout,
    pay_str_t replaces, int replayed, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem_reply(flow, effect, "payment-state-conflict",
                                   "the checkout that is to be replaced was "
                                   "paid, may have been paid, was replaced "
                                   "before, or its page cannot be closed",
                                   &reply));

    reply->replayed = replayed;

    return checkout_url(flow, checkout, replaces, &reply->order_url);
}


/* Another key, the same checkout id: the answer leads to the checkout. */
pay_status_t
pay_done_exists(pay_flow_t *flow, const pay_checkout_t *checkout,
    pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem_reply(flow, effect, "order-exists", NULL,
                                   &reply));

    return checkout_url(flow, checkout, checkout->checkout_id,
                        &reply->order_url);
}


/* Most answers are made here, of the stored row alone.  REFUSED by reason of a
 * replacement is a conflict (409), REFUSED by every PSP is 502; anything else
 * is a checkout, whose page may not be there yet (202). */
pay_status_t
pay_done_begun(pay_flow_t *flow, const pay_checkout_t *c, pay_str_t replaces,
    int replayed, pay_effect_t *effect)
{
    int           pending;
    pay_reply_t  *reply;

    if (pay_str_is(c->registration, "REFUSED")
        && pay_str_is(c->code, "not_replaced"))
    {
        return pay_done_not_replaced(flow, c, replaces, replayed, effect);
    }

    if (pay_str_is(c->registration, "REFUSED")
        && pay_str_is(c->orders[0].reason, "rejected"))
    {
        PAY_TRY(pay_done_problem_reply(flow, effect, "psp-refused", NULL,
                                       &reply));
        reply->replayed = replayed;

        return checkout_url(flow, c, c->checkout_id, &reply->order_url);
    }

    pending = pay_str_is(c->registration, "REGISTERING");

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, pending ? 202 : 201, &reply));
    PAY_TRY(pay_checkout_render(flow->arena, c, &reply->body));
    PAY_TRY(checkout_url(flow, c, c->checkout_id, &reply->location));

    reply->replayed = replayed;
    flow->outcome = replayed ? "replayed" : pending ? "pending" : "created";

    if (pending) {
        reply->retry_after_s = 2;
    }

    pay_do_done(effect, reply);

    return PAY_OK;
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


static pay_status_t
checkout_url(pay_flow_t *flow, const pay_checkout_t *checkout,
    pay_str_t checkout_id, pay_str_t *url)
{
    return pay_format(flow->arena, url, 4096, "%.*s/v1/checkouts/%.*s",
                      pay_fmt(checkout->base_url), pay_fmt(checkout_id));
}

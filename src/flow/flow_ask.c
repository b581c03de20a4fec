/*
 * How does a registration stand at its PSP?  One question, shared by jobs and
 * by the buyer's way back.  Where the buyer's approval is not yet the money
 * (PayPal), the money is taken on the way, under a key made of the nonce:
 * whoever asks twice takes it once.
 */

#include "flow_util.h"


static pay_status_t ask_answered(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static int is_another_amount(const pay_ask_t *ask);
static pay_status_t ask_change(pay_flow_t *flow, pay_ask_t *ask,
    pay_psp_change_kind_t kind, pay_effect_t *effect);
static pay_status_t ask_changed(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);


static const char  *const change_names[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = "capture", [PAY_PSP_CANCEL] = "cancel",
    [PAY_PSP_REFUND] = "refund", [PAY_PSP_EXPIRE] = "expire"
};


pay_status_t
pay_ask_start(pay_flow_t *flow, pay_ask_t *ask, pay_effect_t *effect)
{
    const pay_psp_t  *psp = ask->psp;

    flow->sub = ask;
    ask->known = 0;

    PAY_TRY(psp->adapter->query_request(flow->arena, &psp->account,
                                        ask->checkout->token, &effect->http));
    effect->kind = PAY_DO_HTTP;
    effect->psp = psp;
    effect->what = "query";
    effect->buyer_waits = ask->buyer_waits;
    flow->step = ask_answered;

    return PAY_OK;
}


pay_status_t
pay_ask_expire(pay_flow_t *flow, pay_ask_t *ask, pay_effect_t *effect)
{
    flow->sub = ask;
    ask->known = 0;

    return ask_change(flow, ask, PAY_PSP_EXPIRE, effect);
}


static pay_status_t
ask_answered(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_ask_t        *ask = flow->sub;
    const pay_psp_t  *psp = ask->psp;

    memset(&ask->fact, 0, sizeof(ask->fact));

    PAY_TRY(psp->adapter->query_answer(flow->arena, ask->checkout->token,
                                       event->answer, &ask->fact,
                                       &ask->known));

    if (ask->known && ask->fact.must_capture && ask->may_capture
        && (psp->adapter->changes & PAY_PSP_CAN(PAY_PSP_CAPTURE)))
    {
        if (!is_another_amount(ask)) {
            return ask_change(flow, ask, PAY_PSP_CAPTURE, effect);
        }

        /* a fact with that amount goes where mismatches go */
        ask->fact.fact = PAY_FACT_PENDING;
    }

    return ask->done(flow, event, effect);
}


/* A capture may name no amount (PayPal's): what was approved is taken. */
static int
is_another_amount(const pay_ask_t *ask)
{
    const pay_psp_event_t  *fact = &ask->fact;

    return fact->has_amount
           && (fact->amount_minor != ask->checkout->total_minor
               || !pay_str_is(fact->currency, ask->checkout->currency->code));
}


static pay_status_t
ask_change(pay_flow_t *flow, pay_ask_t *ask, pay_psp_change_kind_t kind,
    pay_effect_t *effect)
{
    pay_status_t           status;
    pay_psp_change_t      *change = &ask->change;
    const pay_psp_t       *psp = ask->psp;
    const pay_checkout_t  *c = ask->checkout;

    memset(change, 0, sizeof(*change));
    change->kind = kind;
    change->key = c->nonce;
    change->token = c->token;
    change->alias = c->alias;
    change->merchant_reference = c->checkout_uuid;
    change->currency = c->currency;
    change->amount_minor = c->total_minor;

    status = psp->adapter->change_request(flow->arena, &psp->account, change,
                                          &effect->http, NULL);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_BUG : status;
    }

    effect->kind = PAY_DO_HTTP;
    effect->psp = psp;
    effect->what = change_names[kind];
    effect->buyer_waits = ask->buyer_waits;
    flow->step = ask_changed;

    return PAY_OK;
}


static pay_status_t
ask_changed(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_ask_t          *ask = flow->sub;
    pay_psp_changed_t   result;

    memset(&result, 0, sizeof(result));

    PAY_TRY(ask->psp->adapter->change_answer(flow->arena, &ask->change,
                                             event->answer, &result));
    ask->known = result.known;
    ask->fact = result.event;

    return ask->done(flow, event, effect);
}

/*
 * A query: the state of a registration at its PSP.  One sub-flow, shared by
 * jobs and by the buyer's way back.  Where the buyer's approval is not yet the
 * money (PayPal), the money is captured on the way, under a key made of the
 * nonce, so that two queries capture it once.  With manual capture the approval
 * is an authorisation.
 *
 *    query ─▶ answer ─┬─ a fact, or nothing ─────────────▶ done
 *                     └─ must_capture ─┐
 *    expire ───────────────────────────┴▶ begin_dispatch ─▶ the call
 *                                           ─▶ end_dispatch ─▶ done
 */

#include "flow_util.h"


static pay_status_t ask_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static int is_another_amount(const pay_ask_t *ask);
static pay_status_t ask_change(pay_flow_t *flow, pay_ask_t *ask,
    pay_psp_change_kind_t kind, pay_effect_t *effect);
static pay_status_t ask_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t ask_send(pay_flow_t *flow, pay_ask_t *ask,
    pay_effect_t *effect);
static pay_status_t ask_changed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


/* Queries the PSP.  The caller has set ask->checkout, ->psp, ->done and
 * ->may_capture; ask->done is the step after the answer, and finds ask->fact
 * if ask->known.  The registration must have a token.  A query changes nothing
 * at a PSP, so it is not journaled and may be repeated at will. */
pay_status_t
pay_ask_start(pay_flow_t *flow, pay_ask_t *ask, pay_effect_t *effect)
{
    const pay_psp_conf_t  *psp = ask->psp;

    flow->sub = ask;
    ask->known = 0;

    PAY_TRY(psp->adapter->query_request(flow->scratch, &psp->account,
                                        ask->checkout->token, &effect->http));
    pay_do_call(flow, effect, psp, PAY_CALL_QUERY, ask_answered);
    effect->buyer_waits = ask->buyer_waits;

    return PAY_OK;
}


/* Closes the hosted page; ask->fact is the state of the registration after it.
 * It follows an answer to pay_ask_start() and needs the same members.
 * The answer to the expiry says, too, if the buyer has paid in the meantime:
 * the page is the PSP's, and only the PSP can decide the race. */
pay_status_t
pay_ask_expire(pay_flow_t *flow, pay_ask_t *ask, pay_effect_t *effect)
{
    flow->sub = ask;
    ask->known = 0;

    return ask_change(flow, ask, PAY_PSP_EXPIRE, effect);
}


/* An approval that is not yet the money (must_capture) is captured at once,
 * unless the merchant captures, the time is over, or the amount differs.
 * `fact` is in the flow's arena, because the next step, which applies it,
 * comes after the answer is freed. */
static pay_status_t
ask_answered(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_ask_t             *ask = flow->sub;
    const pay_psp_conf_t  *psp = ask->psp;

    memset(&ask->fact, 0, sizeof(ask->fact));

    PAY_TRY(psp->adapter->query_answer(flow->arena, ask->checkout->token,
                                       input->answer, &ask->fact,
                                       &ask->known));
    pay_flow_unread(flow, "query", &ask->fact.unread);

    if (ask->known && ask->fact.must_capture && ask->checkout->manual) {
        /* the money is held; only the merchant captures it */
        ask->fact.must_capture = 0;
        ask->fact.fact = PAY_FACT_AUTHORIZED;

        return ask->done(flow, input, effect);
    }

    if (ask->known && ask->fact.must_capture && ask->may_capture
        && (psp->adapter->changes & PAY_PSP_CAN(PAY_PSP_CAPTURE)))
    {
        if (!is_another_amount(ask)) {
            return ask_change(flow, ask, PAY_PSP_CAPTURE, effect);
        }

        /* a fact with that amount goes where mismatches go */
        ask->fact.fact = PAY_FACT_PENDING;
    }

    return ask->done(flow, input, effect);
}


/* A capture may name no amount (PayPal's): what was approved is taken.  So an
 * amount that differs from ours must be noticed before, not after. */
static int
is_another_amount(const pay_ask_t *ask)
{
    const pay_psp_event_t  *fact = &ask->fact;

    return fact->has_amount
           && (fact->amount_minor != ask->checkout->total_minor
               || !pay_str_is(fact->currency, ask->checkout->currency->code));
}


/* The journal first: it says whether, and when, this was sent before.  The key
 * of both kinds is the nonce of the registration: two workers that find the
 * same approval send the same capture, and the PSP does it once.  The amount
 * is that of the whole checkout, as it is stored. */
static pay_status_t
ask_change(pay_flow_t *flow, pay_ask_t *ask, pay_psp_change_kind_t kind,
    pay_effect_t *effect)
{
    pay_psp_change_t      *change = &ask->change;
    const pay_checkout_t  *c = ask->checkout;

    memset(change, 0, sizeof(*change));
    change->kind = kind;
    change->key = c->nonce;
    change->token = c->token;
    change->alias = c->alias;
    change->merchant_reference = c->checkout_uuid;
    change->currency = c->currency;
    change->amount_minor = c->total_minor;

    ask->dispatch.checkout = c;
    ask->dispatch.psp = ask->psp;
    ask->dispatch.kind = kind;
    ask->dispatch.operation = pay_psp_change_name(kind);
    ask->dispatch.operation_id = c->nonce;

    return pay_dispatch_begin(flow, &ask->dispatch, effect, ask_begun);
}


/* A capture that is under way elsewhere, or was done and is not visible yet,
 * is queried again (known 0); for one that may never be repeated the result is
 * that of the query, which stands in ask->fact. */
static pay_status_t
ask_begun(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_ask_t  *ask = flow->sub;

    switch (pay_dispatch_begun(&ask->dispatch, input)) {

    case PAY_DISPATCH_SEND:
        return ask_send(flow, ask, effect);

    case PAY_DISPATCH_ASK:
        return ask->done(flow, input, effect);

    default:
        ask->known = 0;
        return ask->done(flow, input, effect);
    }
}


/* The journal permits the call. A request that an adapter cannot build here
 * is a bug, since its arguments are stored values of a registration. */
static pay_status_t
ask_send(pay_flow_t *flow, pay_ask_t *ask, pay_effect_t *effect)
{
    pay_status_t           status;
    const pay_psp_conf_t  *psp = ask->psp;

    status = psp->adapter->change_request(flow->scratch, &psp->account,
                                          &ask->change, &effect->http, NULL);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_BUG : status;
    }

    pay_do_call(flow, effect, psp, pay_psp_change_call(ask->dispatch.kind),
                ask_changed);
    effect->buyer_waits = ask->buyer_waits;

    return PAY_OK;
}


/* The answer's outcome goes into the journal; its fact, if any, is for
 * ask->done.  The copy is needed because `event` points into the answer, which
 * ends with this step. */
static pay_status_t
ask_changed(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_ask_t         *ask = flow->sub;
    pay_psp_changed_t  result;

    memset(&result, 0, sizeof(result));

    PAY_TRY(ask->psp->adapter->change_answer(flow->arena, &ask->change,
                                             input->answer, &result));
    pay_flow_unread(flow, pay_psp_change_name(ask->dispatch.kind),
                    &result.unread);
    pay_dispatch_doubt(input->answer, &result.outcome, &result.code);
    ask->known = result.known;
    PAY_TRY(pay_psp_event_keep(flow, &result.event, &ask->fact));

    return pay_dispatch_end(flow, &ask->dispatch, &result, input->answer,
                            effect, ask->done);
}

/*
 * A checkout that takes the place of another one: the old page is closed at
 * its PSP, through the journal, before the new one is registered anywhere.
 * Whether it is closed is PostgreSQL's to say (release_replacement); what is
 * left open the jobs of both checkouts go on with.
 *
 *    get_change ─▶ journal ─▶ expire ─▶ journal ─▶ release_replacement ─▶ done
 */

#include "flow_util.h"


static pay_status_t replace_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t replace_sent(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


/* The cancellation was written by begin_payment in the commit of the new
 * checkout; here it is only carried out. */
pay_status_t
pay_replace_start(pay_flow_t *flow, pay_replace_t *replace,
    pay_effect_t *effect)
{
    pay_get_change_in_t  in = {
        .merchant_id = replace->checkout->merchant_id,
        .change_id = replace->change_id
    };

    flow->sub = replace;

    return pay_do_get_change(flow, effect, &in, replace_found);
}


/* If the call cannot be sent now, its job sends it, or gives up.
 * release_replacement is asked in any case: it judges by the stored change and
 * by the money that has come, not by this call. */
static pay_status_t
replace_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_send_t              *send;
    pay_status_t             status;
    pay_replace_t           *replace = flow->sub;
    const pay_change_row_t  *row = pay_row_change(&input->result);

    if (input->result.outcome != PAY_OUTCOME_FOUND) {
        return pay_release(flow, replace->checkout, effect, replace->done);
    }

    PAY_TRY(pay_change_decode(flow->arena, row, &replace->change));
    PAY_TRY(pay_checkout_decode(flow->arena, &row->checkout, &replace->old));

    send = &replace->send;
    send->checkout = &replace->old;
    send->psp = pay_flow_psp(flow, replace->old.psp);
    send->done = replace_sent;

    status = pay_change_prepare(flow, &replace->change, send);

    if (status == PAY_INVALID || status == PAY_NOT_FOUND) {
        return pay_release(flow, replace->checkout, effect, replace->done);
    }

    PAY_TRY(status);

    return pay_send_start(flow, send, effect);
}


/* However the call ended: the decision is the database's, by the stored
 * change. */
static pay_status_t
replace_sent(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_replace_t  *replace = flow->sub;

    (void) input;

    return pay_release(flow, replace->checkout, effect, replace->done);
}


/* RELEASED journals the new checkout's first call in the same commit: from
 * then on the caller may register it, and nobody else does while the lease
 * lasts. */
pay_status_t
pay_release(pay_flow_t *flow, const pay_checkout_t *checkout,
    pay_effect_t *effect, pay_flow_step_pt step)
{
    pay_release_replacement_in_t  in = {
        .merchant_id = checkout->merchant_id,
        .checkout_id = checkout->checkout_id,
        .lease_ms = flow->env->lease_ms,
        .request_id = flow->request_id
    };

    return pay_do_release_replacement(flow, effect, &in, step);
}

/*
 * A payment that came too late is paid back (payments_late_success refund):
 * journaled, sent under the refund's own key, and repeated with the same key
 * only while the PSP knows it.  If that does not settle it, a dead letter is
 * opened.  Such a job ends as the job of any change does.
 */

#include "flow_util.h"


static pay_status_t refund_sent(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


/* The whole checkout is paid back: a late success is one payment, whatever its
 * orders are.  The key is the id of the refund, which claim_jobs hands out with
 * the job and which never changes. */
pay_status_t
pay_refund_start(pay_flow_t *flow, pay_job_t *job, pay_effect_t *effect)
{
    pay_psp_change_t         *change = &job->send.change;
    const pay_checkout_t     *c = &job->reg.checkout;
    const pay_psp_adapter_t  *adapter = job->reg.psp->adapter;

    if (!(adapter->changes & PAY_PSP_CAN(PAY_PSP_REFUND))) {
        return pay_job_finish(flow, job, &(pay_job_end_t) {
            -1, "not_supported", PAY_DEAD_REFUSED }, effect);
    }

    /* a poll or a webhook may still bring the id; when the attempts are over, a
     * dead letter is opened */
    if ((adapter->traits & PAY_PSP_BY_PAYMENT) && job->reference.len == 0) {
        job->send.retry_after_s = -1;

        return pay_send_again(flow, job, "no_reference", effect);
    }

    memset(change, 0, sizeof(*change));
    change->kind = PAY_PSP_REFUND;
    change->key = job->operation_id;
    change->token = c->token;
    change->alias = c->alias;
    change->reference = job->reference;
    change->merchant_reference = c->checkout_uuid;
    change->currency = c->currency;
    change->amount_minor = c->total_minor;
    change->reason = PAY_STR("paid after the checkout had expired");

    job->send.checkout = c;
    job->send.psp = job->reg.psp;
    job->send.operation = pay_psp_change_name(PAY_PSP_REFUND);
    job->send.done = refund_sent;

    return pay_send_start(flow, &job->send, effect);
}


/* end_dispatch has stored the result; only the job is left. */
static pay_status_t
refund_sent(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    (void) input;

    return pay_send_finish(flow, flow->state, "refunded", effect);
}

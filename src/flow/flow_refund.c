/*
 * A payment that came too late is paid back (payments_late_success refund):
 * journaled, sent under the refund's own key, and repeated with the same key
 * only while the PSP knows it.  What cannot be settled so is for people.
 */

#include "flow_util.h"


#define BUSY_MS  5000


static pay_status_t refund_begun(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t refund_send(pay_flow_t *flow, pay_job_t *job,
    pay_effect_t *effect);
static pay_status_t refund_answered(pay_flow_t *flow,
    const pay_event_t *event, pay_effect_t *effect);
static pay_status_t refund_ended(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t refund_again(pay_flow_t *flow, pay_job_t *job,
    const char *code, pay_effect_t *effect);
static pay_status_t refund_dead(pay_flow_t *flow, pay_job_t *job,
    const char *code, const char *dead, pay_effect_t *effect);


pay_status_t
pay_refund_start(pay_flow_t *flow, pay_job_t *job, pay_effect_t *effect)
{
    pay_psp_change_t         *change = &job->change;
    const pay_checkout_t     *c = &job->reg.checkout;
    const pay_psp_adapter_t  *adapter = job->reg.psp->adapter;

    flow->sub = job;

    if (!(adapter->changes & PAY_PSP_CAN(PAY_PSP_REFUND))) {
        return refund_dead(flow, job, "not_supported", PAY_DEAD_REFUSED,
                           effect);
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

    job->dispatch.checkout = c;
    job->dispatch.psp = job->reg.psp;
    job->dispatch.kind = PAY_PSP_REFUND;
    job->dispatch.operation_id = job->operation_id;

    return pay_dispatch_begin(flow, &job->dispatch, effect, refund_begun);
}


static pay_status_t
refund_begun(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_job_t  *job = flow->sub;

    switch (pay_dispatch_begun(&job->dispatch, event)) {

    case PAY_DISPATCH_SEND:
        return refund_send(flow, job, effect);

    case PAY_DISPATCH_ENDED:
        return pay_job_finish(flow, job, &(pay_job_end_t) { -1, "refunded",
                                                            NULL }, effect);

    case PAY_DISPATCH_ASK:
        return refund_dead(flow, job, "unknown", PAY_DEAD_KEY_WINDOW, effect);

    default:
        return pay_job_finish(flow, job, &(pay_job_end_t) { BUSY_MS, "busy",
                                                            NULL }, effect);
    }
}


static pay_status_t
refund_send(pay_flow_t *flow, pay_job_t *job, pay_effect_t *effect)
{
    pay_status_t       status;
    pay_http_answer_t  none;
    pay_psp_changed_t  result;
    const pay_psp_t   *psp = job->reg.psp;

    status = psp->adapter->change_request(flow->arena, &psp->account,
                                          &job->change, &effect->http, NULL);

    if (status == PAY_INVALID) {
        memset(&none, 0, sizeof(none));
        memset(&result, 0, sizeof(result));
        result.outcome = PAY_PSP_REFUSED;
        result.code = PAY_STR("request_refused");
        job->outcome = PAY_PSP_REFUSED;

        return pay_dispatch_end(flow, &job->dispatch, &result, &none, effect,
                                refund_ended);
    }

    PAY_TRY(status);

    effect->kind = PAY_DO_HTTP;
    effect->psp = psp;
    effect->what = pay_change_name(PAY_PSP_REFUND);
    flow->step = refund_answered;

    return PAY_OK;
}


static pay_status_t
refund_answered(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    pay_job_t          *job = flow->sub;
    pay_psp_changed_t   result;

    memset(&result, 0, sizeof(result));

    PAY_TRY(job->reg.psp->adapter->change_answer(flow->arena, &job->change,
                                                 event->answer, &result));
    job->outcome = result.outcome;
    job->retry_after_s = result.retry_after_s;

    return pay_dispatch_end(flow, &job->dispatch, &result, event->answer,
                            effect, refund_ended);
}


/* Without a row the journal still says OPEN: the lease runs out, and the
 * same refund goes out again under the same key. */
static pay_status_t
refund_ended(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_job_t  *job = flow->sub;

    if (event->kind != PAY_EVENT_ROW) {
        return refund_again(flow, job, "not_stored", effect);
    }

    switch (job->outcome) {

    case PAY_PSP_DONE:
    case PAY_PSP_PENDING:
        return pay_job_finish(flow, job, &(pay_job_end_t) { -1, "refunded",
                                                            NULL }, effect);

    case PAY_PSP_REFUSED:
        return refund_dead(flow, job, "refused", PAY_DEAD_REFUSED, effect);

    case PAY_PSP_NOT_SENT:
        return refund_again(flow, job, "not_sent", effect);

    default:
        return refund_again(flow, job, "unknown", effect);
    }
}


static pay_status_t
refund_again(pay_flow_t *flow, pay_job_t *job, const char *code,
    pay_effect_t *effect)
{
    pay_job_end_t  end;

    end.code = code;
    end.dead = pay_retry_dead(job->reg.psp, PAY_RETRY_REFUND, job->attempts);
    end.delay_ms = pay_retry_ms(job->reg.psp, PAY_RETRY_REFUND, job->attempts,
                                job->retry_after_s, job->operation_id);

    return pay_job_finish(flow, job, &end, effect);
}


static pay_status_t
refund_dead(pay_flow_t *flow, pay_job_t *job, const char *code,
    const char *dead, pay_effect_t *effect)
{
    return pay_job_finish(flow, job, &(pay_job_end_t) { -1, code, dead },
                          effect);
}

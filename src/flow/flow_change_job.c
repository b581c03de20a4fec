/*
 * The request of a capture, a cancellation or a refund to its PSP, and the job
 * that repeats one that did not arrive: the same change, under the same key,
 * while the PSP knows that.
 */

#include "flow_util.h"


#define REASON_MAX  100                /* bytes that PSPs take */


static pay_status_t job_change_found(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t job_change_waits(pay_flow_t *flow, pay_job_t *job,
    pay_effect_t *effect);
static const char *page_is_over(const pay_job_t *job);
static pay_status_t job_change_sent(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_psp_change_kind_t kind_at_psp(const pay_checkout_t *checkout,
    pay_change_kind_t kind);
static int can_send(const pay_change_t *change, const pay_send_t *send);
static int is_captured(const pay_checkout_t *checkout);
static pay_status_t plain_reason(pay_flow_t *flow, pay_str_t reason,
    pay_str_t *plain);


/* Looks for a token that is not there yet: most registrations take seconds. */
static const pay_retry_t  page_retry = {
    PAY_RETRY_EXPONENTIAL, 5000, 60000, 0, 100
};


/* The PSP knows one payment, so a cancellation is of all of the checkout. */
static const pay_psp_change_kind_t  kinds[] = {
    [PAY_CHANGE_CAPTURE] = PAY_PSP_CAPTURE,
    [PAY_CHANGE_CANCEL] = PAY_PSP_CANCEL,
    [PAY_CHANGE_REFUND] = PAY_PSP_REFUND
};
PAY_ROWS(kinds, PAY_CHANGE_KINDS);


/* Fills send->change from stored values alone, so that each attempt sends the
 * same bytes under the same key (change->id).  A `closes` change, made for a
 * checkout that is replaced, is always an expiry of the page, whatever its
 * kind would be at this PSP. */
pay_status_t
pay_change_prepare(pay_flow_t *flow, const pay_change_t *change,
    pay_send_t *send)
{
    pay_psp_change_t      *to = &send->change;
    pay_psp_change_kind_t  kind;
    const pay_checkout_t  *c = send->checkout;

    if (!can_send(change, send)) {
        return PAY_INVALID;
    }

    kind = change->closes ? PAY_PSP_EXPIRE : kind_at_psp(c, change->kind);

    if (c->token.len == 0
        || (change->payment_reference.len == 0
            && (send->psp->adapter->traits & PAY_PSP_BY_PAYMENT)
            && kind != PAY_PSP_EXPIRE))
    {
        return PAY_NOT_FOUND;
    }

    memset(to, 0, sizeof(*to));
    to->kind = kind;
    to->key = change->id;
    to->token = c->token;
    to->alias = c->alias;
    to->reference = change->payment_reference;
    to->merchant_reference = c->checkout_uuid;
    to->currency = change->currency;
    to->amount_minor = change->amount_minor;
    /* the PSP would give back what is held for other orders, too */
    to->is_final = change->is_final && c->order_count == 1;
    send->operation = pay_change_word(change->kind);

    return plain_reason(flow, change->reason, &to->reason);
}


/* Looked at again at each attempt: the configuration may have changed since
 * the change was stored. */
static int
can_send(const pay_change_t *change, const pay_send_t *send)
{
    return change->closes
           ? pay_psp_closes(send->psp)
           : pay_change_is_supported(send->psp, send->checkout, change->kind);
}


/* Without it no checkout can be replaced: the old page would stay open beside
 * the new one, and a buyer could pay both. */
int
pay_psp_closes(const pay_psp_conf_t *psp)
{
    return psp != NULL
           && (psp->adapter->changes & PAY_PSP_CAN(PAY_PSP_EXPIRE)) != 0;
}


/* A PSP that takes one capture cannot serve a checkout of several orders: the
 * first order captured would end the authorisation of all.  For the same
 * reason it cannot give up the rest after a capture, because its capture has
 * released that already. */
int
pay_change_is_supported(const pay_psp_conf_t *psp,
    const pay_checkout_t *checkout, pay_change_kind_t kind)
{
    const pay_psp_adapter_t  *adapter;

    if (psp == NULL) {
        return 0;
    }

    adapter = psp->adapter;

    if (kind == PAY_CHANGE_CAPTURE
        && (!(adapter->traits & PAY_PSP_AUTHORIZES)
            || (checkout->order_count > 1
                && !(adapter->traits & PAY_PSP_MULTICAPTURE))))
    {
        return 0;
    }

    /* the rest of what was captured in part */
    if (kind == PAY_CHANGE_CANCEL && is_captured(checkout)
        && !(adapter->traits & PAY_PSP_MULTICAPTURE))
    {
        return 0;
    }

    return (adapter->changes & PAY_PSP_CAN(kind_at_psp(checkout, kind))) != 0;
}


/* For the metrics of changes; both words are literals. */
void
pay_change_note(pay_flow_t *flow, const pay_change_t *change)
{
    flow->change_kind = pay_change_word(change->kind);
    flow->change_status = pay_state_name(change->status);
}


/* The change is read anew: between the claim of the job and this moment a
 * webhook may have ended it. */
pay_status_t
pay_change_job_start(pay_flow_t *flow, pay_job_t *job, pay_effect_t *effect)
{
    pay_get_change_in_t  in = {
        .merchant_id = job->reg.checkout.merchant_id,
        .change_id = job->operation_id
    };

    return pay_do_get_change(flow, effect, &in, job_change_found);
}


/* Without a row the lease runs out, and another worker looks again.  A change
 * that has ended needs no call; one that the PSP cannot do any more becomes a
 * dead letter, because the merchant has been promised an outcome. */
static pay_status_t
job_change_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_job_t               *job = flow->state;
    pay_status_t             status;
    const pay_change_row_t  *row = pay_row_change(&input->result);

    if (input->kind != PAY_INPUT_ROW) {
        flow->outcome = "not-stored";
        pay_do_done(effect, NULL);
        return PAY_OK;
    }

    if (input->result.outcome != PAY_OUTCOME_FOUND) {
        return PAY_BUG;
    }

    PAY_TRY(pay_change_decode(flow->arena, row, &job->change));
    PAY_TRY(pay_checkout_decode(flow->arena, &row->checkout,
                                &job->reg.checkout));
    flow->order_id = job->change.order_id;

    job->reg.psp = pay_flow_psp(flow, job->reg.checkout.psp);
    job->send.checkout = &job->reg.checkout;
    job->send.psp = job->reg.psp;
    job->send.done = job_change_sent;
    job->send.end = PAY_SENT_ENDED;

    if (job->change.status == PAY_SUCCESS
        || job->change.status == PAY_FAILED)
    {
        return pay_send_finish(flow, job, "changed", effect);
    }

    status = pay_change_prepare(flow, &job->change, &job->send);

    if (status == PAY_NOT_FOUND) {
        return job_change_waits(flow, job, effect);
    }

    if (status == PAY_INVALID) {
        return pay_job_finish(flow, job, &(pay_job_end_t) {
            -1, "not_supported", PAY_DEAD_REFUSED }, effect);
    }

    PAY_TRY(status);

    return pay_send_start(flow, &job->send, effect);
}


/* The payment's id may come with a webhook at any time, which makes the job run
 * at once; when its attempts are over, a dead letter is opened. */
static pay_status_t
job_change_waits(pay_flow_t *flow, pay_job_t *job, pay_effect_t *effect)
{
    if (job->reg.checkout.token.len == 0) {
        return pay_job_finish(flow, job, &(pay_job_end_t) {
            pay_retry_delay_ms(&page_retry, job->attempts, -1,
                               job->operation_id),
            "no_token", page_is_over(job) }, effect);
    }

    job->send.retry_after_s = -1;

    return pay_send_again(flow, job, "no_reference", effect);
}


/* A page comes with the registration or ends with the checkout.  While an
 * operator has to decide about the registration neither happens: a dead letter
 * is opened, but not before the registration's own retries are over. */
static const char *
page_is_over(const pay_job_t *job)
{
    return pay_retry_is_over(&page_retry, job->attempts)
           ? pay_retry_dead(job->reg.psp, PAY_RETRY_REGISTER, job->attempts)
           : NULL;
}


/* The state that the metrics get is concluded from the end of the call; SQL's
 * own is not read back.  Ends behind the table (busy, over, ended, not stored)
 * brought nothing new and count as nothing. */
static pay_status_t
job_change_sent(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_job_t  *job = flow->state;

    (void) input;

    static const pay_state_t  states[] = {
        [PAY_SENT_DONE] = PAY_SUCCESS, [PAY_SENT_PENDING] = PAY_EXECUTING,
        [PAY_SENT_REFUSED] = PAY_FAILED,
        [PAY_SENT_NOT_SENT] = PAY_NOT_STARTED,
        [PAY_SENT_UNKNOWN] = PAY_EXECUTING
    };

    if ((size_t) job->send.end < sizeof(states) / sizeof(states[0])) {
        job->change.status = states[job->send.end];
        pay_change_note(flow, &job->change);
    }

    return pay_send_finish(flow, job, "changed", effect);
}


/* Before the buyer has paid there is only the page to be closed, so a
 * cancellation is an expiry at the PSP.  A FAILED order is the exception:
 * money that is held for it arrived after it had failed, and is released by a
 * cancellation. */
static pay_psp_change_kind_t
kind_at_psp(const pay_checkout_t *checkout, pay_change_kind_t kind)
{
    return (kind == PAY_CHANGE_CANCEL && !pay_checkout_holds(checkout)
            && pay_checkout_state(checkout) != PAY_FAILED)
           ? PAY_PSP_EXPIRE : kinds[kind];
}


/* True when any order has a capture: the PSP knows one payment. */
static int
is_captured(const pay_checkout_t *checkout)
{
    unsigned  i;

    for (i = 0; i < checkout->order_count; i++) {
        if (checkout->orders[i].captured_minor > 0) {
            return 1;
        }
    }

    return 0;
}


/* A storefront's text may be in any alphabet; PSPs get ASCII.  A character
 * outside ASCII becomes one question mark, whatever its length in UTF-8, and
 * the text is cut at REASON_MAX bytes. */
static pay_status_t
plain_reason(pay_flow_t *flow, pay_str_t reason, pay_str_t *plain)
{
    size_t     i;
    pay_buf_t  buf;

    pay_buf_init(&buf, flow->arena, REASON_MAX);

    for (i = 0; i < reason.len && buf.len < REASON_MAX; i++) {
        if (reason.data[i] >= 0x80 && reason.data[i] < 0xc0) {
            continue;                  /* of the character before */
        }

        pay_buf_add(&buf, reason.data[i] < 0x80
                          ? (pay_str_t) { 1, &reason.data[i] }
                          : PAY_STR("?"));
    }

    return pay_buf_done(&buf, plain);
}

/*
 * A change on its way to a PSP: journaled, sent under its own key, and the
 * end of the call journaled, too.  Knows neither requests nor jobs; both go
 * through here, so that they cannot differ.
 *
 *    begin_dispatch ─┬─ send ─▶ the call ─▶ end_dispatch ─▶ news ─▶ done
 *                    └─ busy, over, ended ──────────────────────▶ done
 */

#include "flow_util.h"


static pay_status_t send_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t send_now(pay_flow_t *flow, pay_send_t *send,
    pay_effect_t *effect);
static pay_status_t send_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static void read_page(pay_psp_changed_t *result);
static pay_status_t send_ended(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_sent_end_t end_of(pay_psp_outcome_t outcome);


/* The caller has set checkout, psp, operation, change and done.  `end` is BUSY
 * until something is known, which is the only end that is always safe: the job
 * comes again. */
pay_status_t
pay_send_start(pay_flow_t *flow, pay_send_t *send, pay_effect_t *effect)
{
    flow->sub = send;
    send->end = PAY_SENT_BUSY;
    send->retry_after_s = -1;
    memset(&send->fact, 0, sizeof(send->fact));

    send->dispatch.checkout = send->checkout;
    send->dispatch.psp = send->psp;
    send->dispatch.kind = send->change.kind;
    send->dispatch.operation = send->operation;
    send->dispatch.operation_id = send->change.key;

    return pay_dispatch_begin(flow, &send->dispatch, effect, send_begun);
}


/* The journal's verdict: only PAY_DISPATCH_SEND permits the call. */
static pay_status_t
send_begun(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_send_t  *send = flow->sub;

    switch (pay_dispatch_begun(&send->dispatch, input)) {

    case PAY_DISPATCH_SEND:
        return send_now(flow, send, effect);

    case PAY_DISPATCH_ENDED:
        send->end = PAY_SENT_ENDED;
        break;

    case PAY_DISPATCH_ASK:
        send->end = PAY_SENT_OVER;
        break;

    default:
        send->end = PAY_SENT_BUSY;
    }

    return send->done(flow, input, effect);
}


/* A change that the adapter cannot express was not sent and never will be.  It
 * is journaled as REFUSED with a reach of "nothing", so that operators see
 * that no byte went out. */
static pay_status_t
send_now(pay_flow_t *flow, pay_send_t *send, pay_effect_t *effect)
{
    pay_status_t           status;
    pay_http_answer_t      none;
    pay_psp_changed_t      result;
    const pay_psp_conf_t  *psp = send->psp;

    status = psp->adapter->change_request(flow->scratch, &psp->account,
                                          &send->change, &effect->http, NULL);

    if (status == PAY_INVALID) {
        memset(&none, 0, sizeof(none));
        memset(&result, 0, sizeof(result));
        result.outcome = PAY_PSP_REFUSED;
        result.code = PAY_STR("request_refused");
        send->end = PAY_SENT_REFUSED;

        return pay_dispatch_end(flow, &send->dispatch, &result, &none, effect,
                                send_ended);
    }

    PAY_TRY(status);

    pay_do_call(flow, effect, psp, pay_psp_change_call(send->change.kind),
                send_answered);

    return PAY_OK;
}


/* The answer's outcome goes into the journal first. A page that could not be
 * closed because it was paid brings a fact with it, which is applied after
 * that. */
static pay_status_t
send_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_send_t        *send = flow->sub;
    pay_psp_changed_t  result;

    memset(&result, 0, sizeof(result));

    PAY_TRY(send->psp->adapter->change_answer(flow->arena, &send->change,
                                              input->answer, &result));
    pay_flow_unread(flow, pay_psp_change_name(send->dispatch.kind),
                    &result.unread);
    pay_dispatch_doubt(input->answer, &result.outcome, &result.code);

    if (send->change.kind == PAY_PSP_EXPIRE && result.known) {
        read_page(&result);

        if (result.outcome == PAY_PSP_REFUSED) {
            PAY_TRY(pay_psp_event_keep(flow, &result.event, &send->fact));
        }
    }

    send->end = end_of(result.outcome);
    send->retry_after_s = result.retry_after_s;

    return pay_dispatch_end(flow, &send->dispatch, &result, input->answer,
                            effect, send_ended);
}


/* Closing succeeds for a page that is closed already.  A page on which the
 * buyer has paid or approved cannot be closed any more.  After a refused card
 * only the adapter knows whether the page takes another one. */
static void
read_page(pay_psp_changed_t *result)
{
    if (result->event.about == PAY_ABOUT_CAPTURE) {
        result->outcome = PAY_PSP_REFUSED;
        result->code = PAY_STR("already_paid");
        return;
    }

    switch (result->event.fact) {

    case PAY_FACT_PAID:
    case PAY_FACT_AUTHORIZED:
    case PAY_FACT_PENDING:
        result->outcome = PAY_PSP_REFUSED;
        result->code = PAY_STR("already_paid");
        return;

    case PAY_FACT_EXPIRED:
    case PAY_FACT_CANCELLED:
        result->outcome = PAY_PSP_DONE;
        result->code = PAY_STR("");
        return;

    default:
        return;
    }
}


/* Without a row the journal still says OPEN: the lease runs out, and the same
 * change goes out again under the same key.  The news of a page is applied
 * only after the journal has the outcome; after a crash between the two a
 * webhook or the checkout's poll brings the same news. */
static pay_status_t
send_ended(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_send_t       *send = flow->sub;
    pay_psp_event_t  *fact = &send->fact;

    if (input->kind != PAY_INPUT_ROW) {
        send->end = PAY_SENT_NOT_STORED;

    } else if (pay_psp_event_says(fact)) {
        return pay_do_event(flow, send->psp, "query", fact, PAY_STR(""),
                            effect, send->done);
    }

    return send->done(flow, input, effect);
}


/* The end of the sub-flow for an outcome; one outside the enum counts as
 * unknown. */
static pay_sent_end_t
end_of(pay_psp_outcome_t outcome)
{
    switch (outcome) {

    case PAY_PSP_DONE:
        return PAY_SENT_DONE;

    case PAY_PSP_PENDING:
        return PAY_SENT_PENDING;

    case PAY_PSP_REFUSED:
        return PAY_SENT_REFUSED;

    case PAY_PSP_NOT_SENT:
        return PAY_SENT_NOT_SENT;

    default:
        return PAY_SENT_UNKNOWN;
    }
}

/*
 * The dispatch journal around a change at a PSP: what is about to be sent is
 * committed before, how far it came after.  Registrations are journaled by
 * the operations that they make anyway (begin_payment, claim_jobs, reroute,
 * store_token, store_no_token).
 *
 *    begin_dispatch ─┬─ send ─▶ the call ─▶ end_dispatch
 *                    ├─ busy ─▶ another worker has it
 *                    ├─ ask ──▶ never again by itself: the key may be forgotten
 *                    └─ done ─▶ nothing is left to do
 */

#include "flow_util.h"


#define HOUR_S  3600


static pay_psp_outcome_t sane_outcome(pay_psp_outcome_t outcome);


/* Words of the columns `reach`, `operation` and `state`.  SQL checks them, so a
 * new one belongs there, too. */
static const char  *const reaches[] = {
    [PAY_REACH_NOTHING] = "nothing", [PAY_REACH_RESOLVED] = "resolved",
    [PAY_REACH_CONNECTED] = "connected", [PAY_REACH_TLS] = "tls",
    [PAY_REACH_WRITTEN] = "written", [PAY_REACH_STATUS] = "status",
    [PAY_REACH_COMPLETE] = "complete"
};
PAY_ROWS(reaches, PAY_REACH_COUNT);

static const char  *const change_names[] = {
    [PAY_PSP_CAPTURE] = "capture", [PAY_PSP_CANCEL] = "cancel",
    [PAY_PSP_REFUND] = "refund", [PAY_PSP_EXPIRE] = "expire"
};
PAY_ROWS(change_names, PAY_PSP_CHANGE_COUNT);

static const pay_call_t  change_calls[] = {
    [PAY_PSP_CAPTURE] = PAY_CALL_CAPTURE, [PAY_PSP_CANCEL] = PAY_CALL_CANCEL,
    [PAY_PSP_REFUND] = PAY_CALL_REFUND, [PAY_PSP_EXPIRE] = PAY_CALL_EXPIRE
};
PAY_ROWS(change_calls, PAY_PSP_CHANGE_COUNT);

static const char  *const states[] = {
    [PAY_PSP_DONE] = "DONE", [PAY_PSP_PENDING] = "PENDING",
    [PAY_PSP_REFUSED] = "REFUSED", [PAY_PSP_NOT_SENT] = "NOT_SENT",
    [PAY_PSP_UNKNOWN] = "UNKNOWN"
};
PAY_ROWS(states, PAY_PSP_OUTCOME_COUNT);


/* A value outside the enum comes from the glue; it counts as the least that
 * can be said. */
const char *
pay_reach_name(pay_reach_t reach)
{
    return ((size_t) reach < sizeof(reaches) / sizeof(reaches[0]))
           ? reaches[reach] : "nothing";
}


const char *
pay_psp_change_name(pay_psp_change_kind_t kind)
{
    return change_names[kind];
}


pay_call_t
pay_psp_change_call(pay_psp_change_kind_t kind)
{
    return change_calls[kind];
}


/* Judges an answer after earlier copies of the call had none.  A refusal of
 * the last copy proves nothing about the earlier ones ("already refunded" is a
 * refusal).  A success counts for all of them, since they have one key.  See
 * docs/reliability.md#copies-of-one-call. */
void
pay_dispatch_doubt(const pay_http_answer_t *answer,
    pay_psp_outcome_t *outcome, pay_str_t *code)
{
    if (answer->unheard > 0
        && (*outcome == PAY_PSP_NOT_SENT || *outcome == PAY_PSP_REFUSED))
    {
        *outcome = PAY_PSP_UNKNOWN;
        *code = PAY_STR("copy_unanswered");
    }
}


/* The window is in seconds, as SQL compares it with its own clock; 0 means
 * that the PSP remembers no key, so an open call is never repeated. */
pay_status_t
pay_dispatch_begin(pay_flow_t *flow, pay_dispatch_t *dispatch,
    pay_effect_t *effect, pay_flow_step_pt step)
{
    const pay_psp_adapter_t  *adapter = dispatch->psp->adapter;

    pay_begin_dispatch_in_t  in = {
        .merchant_id = dispatch->checkout->merchant_id,
        .checkout_id = dispatch->checkout->checkout_id,
        .operation = pay_str_of(dispatch->operation),
        .operation_id = dispatch->operation_id,
        .psp = dispatch->psp->name,
        .key_window_s = (int64_t) HOUR_S
                        * adapter->change_window_hours[dispatch->kind],
        .lease_ms = flow->env->lease_ms,
        .request_id = flow->request_id
    };

    return pay_do_begin_dispatch(flow, effect, &in, step);
}


/* Without a row it is not certain that the call is journaled, so it is not
 * sent.  not_found and invalid are treated the same way: a call without a row
 * in the journal is never made. */
pay_dispatch_verdict_t
pay_dispatch_begun(pay_dispatch_t *dispatch, const pay_input_t *input)
{
    const pay_dispatch_row_t  *row = pay_row_dispatch(&input->result);

    switch (input->result.outcome) {

    case PAY_OUTCOME_SEND:
        if (row == NULL) {
            return PAY_DISPATCH_LATER;
        }

        dispatch->attempt = row->attempt.number;
        return PAY_DISPATCH_SEND;

    case PAY_OUTCOME_ASK:
        return PAY_DISPATCH_ASK;

    case PAY_OUTCOME_DONE:
        return PAY_DISPATCH_ENDED;

    default:
        return PAY_DISPATCH_LATER;
    }
}


/* Code and reference are copied, because they point into an answer that ends
 * with this step.  An HTTP status of 0 means that no status line came. */
pay_status_t
pay_dispatch_end(pay_flow_t *flow, const pay_dispatch_t *dispatch,
    const pay_psp_changed_t *result, const pay_http_answer_t *answer,
    pay_effect_t *effect, pay_flow_step_pt step)
{
    pay_end_dispatch_in_t  in = {
        .merchant_id = dispatch->checkout->merchant_id,
        .checkout_id = dispatch->checkout->checkout_id,
        .operation = pay_str_of(dispatch->operation),
        .operation_id = dispatch->operation_id,
        .attempt = dispatch->attempt,
        .state = pay_str_of(states[sane_outcome(result->outcome)]),
        .reach = pay_str_of(pay_reach_name(answer->reach)),
        .http_status = pay_maybe(answer->status != 0, answer->status),
        .request_id = flow->request_id
    };

    PAY_TRY(pay_dup(flow->args, result->code, &in.code));
    PAY_TRY(pay_dup(flow->args, result->reference, &in.reference));

    return pay_do_end_dispatch(flow, effect, &in, step);
}


/* An outcome outside the enum, a bug of an adapter, counts as unknown. */
static pay_psp_outcome_t
sane_outcome(pay_psp_outcome_t outcome)
{
    return ((size_t) outcome < sizeof(states) / sizeof(states[0]))
           ? outcome : PAY_PSP_UNKNOWN;
}

/*
 * The dispatch journal around a change at a PSP: what is about to be sent is
 * committed before, how far it came after.  Registrations are journaled by
 * the operations that they make anyway (begin_payment, claim_jobs, reroute,
 * store_token, store_no_token).
 */

#include "flow_util.h"


#define HOUR_S  3600


static pay_psp_outcome_t sane_outcome(pay_psp_outcome_t outcome);


static const char  *const reaches[] = {
    [PAY_REACH_NOTHING] = "nothing", [PAY_REACH_RESOLVED] = "resolved",
    [PAY_REACH_CONNECTED] = "connected", [PAY_REACH_TLS] = "tls",
    [PAY_REACH_WRITTEN] = "written", [PAY_REACH_STATUS] = "status",
    [PAY_REACH_COMPLETE] = "complete"
};

static const char  *const change_names[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = "capture", [PAY_PSP_CANCEL] = "cancel",
    [PAY_PSP_REFUND] = "refund", [PAY_PSP_EXPIRE] = "expire"
};

static const char  *const states[] = {
    [PAY_PSP_DONE] = "DONE", [PAY_PSP_PENDING] = "PENDING",
    [PAY_PSP_REFUSED] = "REFUSED", [PAY_PSP_NOT_SENT] = "NOT_SENT",
    [PAY_PSP_UNKNOWN] = "UNKNOWN"
};


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


/* What a refusal of the last copy says of those before it: nothing.  That it
 * was done says it of all, since they are one to the PSP by their key. */
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


pay_status_t
pay_dispatch_begin(pay_flow_t *flow, pay_dispatch_t *dispatch,
    pay_effect_t *effect, pay_flow_step_pt step)
{
    pay_value_t              *v;
    const pay_psp_adapter_t  *adapter = dispatch->psp->adapter;

    v = pay_calloc(flow->arena, 8 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(dispatch->checkout->merchant_id);
    v[1] = pay_value_text(dispatch->checkout->checkout_id);
    v[2] = pay_value_text(pay_str_of(dispatch->operation));
    v[3] = pay_value_text(dispatch->operation_id);
    v[4] = pay_value_text(dispatch->psp->name);
    v[5] = pay_value_int((int64_t) HOUR_S
                         * adapter->change_window_hours[dispatch->kind]);
    v[6] = pay_value_int(flow->env->lease_ms);
    v[7] = pay_value_text(flow->request_id);

    pay_do_db(flow, effect, PAY_OP_BEGIN_DISPATCH, v, step);

    return PAY_OK;
}


/* Without a row nobody knows whether it is journaled: it is not sent. */
pay_dispatch_verdict_t
pay_dispatch_begun(pay_dispatch_t *dispatch, const pay_event_t *event)
{
    if (event->kind != PAY_EVENT_ROW) {
        return PAY_DISPATCH_LATER;
    }

    if (pay_str_is(event->row[0].bytes, "send")) {
        dispatch->attempt = event->row[1].number;
        return PAY_DISPATCH_SEND;
    }

    if (pay_str_is(event->row[0].bytes, "ask")) {
        return PAY_DISPATCH_ASK;
    }

    return pay_str_is(event->row[0].bytes, "done") ? PAY_DISPATCH_ENDED
                                                   : PAY_DISPATCH_LATER;
}


pay_status_t
pay_dispatch_end(pay_flow_t *flow, const pay_dispatch_t *dispatch,
    const pay_psp_changed_t *result, const pay_http_answer_t *answer,
    pay_effect_t *effect, pay_flow_step_pt step)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 11 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(dispatch->checkout->merchant_id);
    v[1] = pay_value_text(dispatch->checkout->checkout_id);
    v[2] = pay_value_text(pay_str_of(dispatch->operation));
    v[3] = pay_value_text(dispatch->operation_id);
    v[4] = pay_value_int(dispatch->attempt);
    v[5] = pay_value_text(pay_str_of(states[sane_outcome(result->outcome)]));
    v[6] = pay_value_text(pay_str_of(pay_reach_name(answer->reach)));
    v[7] = (answer->status != 0) ? pay_value_int(answer->status)
                                 : pay_value_null();
    v[8] = pay_value_opt(result->code);
    PAY_TRY(pay_dup(flow->arena, result->code, &v[8].bytes));
    v[9] = pay_value_opt(result->reference);
    PAY_TRY(pay_dup(flow->arena, result->reference, &v[9].bytes));
    v[10] = pay_value_text(flow->request_id);

    pay_do_db(flow, effect, PAY_OP_END_DISPATCH, v, step);

    return PAY_OK;
}


/* What is none of ours is not known. */
static pay_psp_outcome_t
sane_outcome(pay_psp_outcome_t outcome)
{
    return ((size_t) outcome < sizeof(states) / sizeof(states[0]))
           ? outcome : PAY_PSP_UNKNOWN;
}

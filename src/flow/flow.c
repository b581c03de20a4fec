/*
 * The engine under all flows: one step at a time, and the words in
 * flow_util.h.  It knows no flow.
 */

#include "flow_util.h"


#define NO_PSP_MS            60000
#define OVERLOADED_RETRY_S   1
#define UNAVAILABLE_RETRY_S  2
#define IN_PROGRESS_RETRY_S  1


const pay_psp_conf_t *
pay_env_psp(const pay_env_t *env, pay_str_t name)
{
    size_t  i;

    for (i = 0; i < env->psp_count; i++) {
        if (pay_str_eq(env->psps[i].name, name)) {
            return &env->psps[i];
        }
    }

    return NULL;
}


const pay_merchant_t *
pay_env_merchant(const pay_env_t *env, pay_str_t id)
{
    size_t  i;

    for (i = 0; i < env->merchant_count; i++) {
        if (pay_str_eq(env->merchants[i].id, id)) {
            return &env->merchants[i];
        }
    }

    return NULL;
}


const char *
pay_call_name(pay_call_t call)
{
    static const char  *const  names[] = {
        [PAY_CALL_REGISTER] = "register", [PAY_CALL_FIND] = "find",
        [PAY_CALL_QUERY] = "query", [PAY_CALL_CAPTURE] = "capture",
        [PAY_CALL_CANCEL] = "cancel", [PAY_CALL_REFUND] = "refund",
        [PAY_CALL_EXPIRE] = "expire", [PAY_CALL_LIST] = "list",
        [PAY_CALL_CERTIFICATE] = "certificate", [PAY_CALL_AUTH] = "auth",
        [PAY_CALL_RATES] = "rates"
    };
    PAY_ROWS(names, PAY_CALL_COUNT);

    return names[call];
}


void
pay_flow_begin(pay_flow_t *flow, const pay_flow_type_t *type, void *state)
{
    flow->type = type;
    flow->state = state;
    flow->step = type->start;
}


const char *
pay_flow_label(const pay_flow_t *flow)
{
    return flow->label != NULL ? flow->label : flow->outcome;
}


void
pay_flow_run(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    static pay_reply_t  broken = {
        .kind = PAY_REPLY_PROBLEM, .status = 500, .retry_after_s = -1,
        .version = -1
    };

    memset(effect, 0, sizeof(*effect));

    if (flow->step(flow, input, effect) == PAY_OK) {
        return;
    }

    memset(effect, 0, sizeof(*effect));
    flow->outcome = "internal-error";
    broken.problem = pay_problem_of_status(500);
    pay_do_done(effect, &broken);
}


pay_status_t
pay_do_db(pay_flow_t *flow, pay_effect_t *effect, pay_op_id_t op,
    const void *in, pay_flow_step_pt step)
{
    void  *args;

    args = pay_alloc(flow->args, pay_op(op)->in_size);
    if (args == NULL) {
        return PAY_NO_MEMORY;
    }

    memcpy(args, in, pay_op(op)->in_size);

    effect->kind = PAY_DO_DB;
    effect->op = op;
    effect->args = args;
    flow->step = step;

    return PAY_OK;
}


void
pay_do_call(pay_flow_t *flow, pay_effect_t *effect, const pay_psp_conf_t *psp,
    pay_call_t call, pay_flow_step_pt step)
{
    effect->kind = PAY_DO_HTTP;
    effect->psp = psp;
    effect->call = call;
    flow->step = step;
}


void
pay_do_done(pay_effect_t *effect, const pay_reply_t *reply)
{
    effect->kind = PAY_DO_DONE;
    effect->reply = reply;
}


pay_status_t
pay_done_stored(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        flow->outcome = "not_stored";
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}


pay_status_t
pay_reply_new(pay_flow_t *flow, pay_reply_kind_t kind, unsigned status,
    pay_reply_t **reply)
{
    *reply = pay_calloc(flow->arena, sizeof(pay_reply_t));
    if (*reply == NULL) {
        return PAY_NO_MEMORY;
    }

    (*reply)->kind = kind;
    (*reply)->status = status;
    (*reply)->retry_after_s = -1;
    (*reply)->version = -1;

    return PAY_OK;
}


pay_status_t
pay_done_problem(pay_flow_t *flow, pay_effect_t *effect, const char *slug,
    const char *detail)
{
    pay_reply_t  *reply;

    return pay_done_problem_reply(flow, effect, slug, detail, &reply);
}


pay_status_t
pay_done_problem_reply(pay_flow_t *flow, pay_effect_t *effect,
    const char *slug, const char *detail, pay_reply_t **reply)
{
    const pay_problem_t  *problem;

    problem = pay_problem_find(pay_str_of(slug));
    if (problem == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_PROBLEM, problem->status, reply));

    (*reply)->problem = problem;
    (*reply)->detail = detail;
    flow->outcome = problem->slug;
    pay_do_done(effect, *reply);

    return PAY_OK;
}


pay_status_t
pay_done_refused(pay_flow_t *flow, pay_effect_t *effect, const pay_err_t *err)
{
    return pay_done_refused_all(flow, effect, err, NULL);
}


void
pay_flow_unread(pay_flow_t *flow, const char *call,
    const pay_psp_unread_t *unread)
{
    if (unread->rule == NULL) {
        return;
    }

    flow->unread = call;
    flow->unread_rule = unread->rule;
    flow->unread_member = pay_str_of(unread->member);
}


pay_status_t
pay_done_refused_all(pay_flow_t *flow, pay_effect_t *effect,
    const pay_err_t *err, const pay_errors_t *errors)
{
    pay_str_t     detail;
    pay_reply_t  *reply;

    PAY_TRY(pay_dup(flow->arena, pay_str_of(err->detail), &detail));
    PAY_TRY(pay_done_problem_reply(flow, effect, err->slug,
                                   (err->detail == NULL)
                                   ? NULL : (const char *) detail.data,
                                   &reply));

    reply->errors = errors;

    return pay_dup(flow->arena, pay_str_of(err->pointer), &reply->pointer);
}


pay_status_t
pay_done_in_progress(pay_flow_t *flow, pay_effect_t *effect, unsigned status)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem_reply(flow, effect, "idempotency-in-progress",
                                   NULL, &reply));

    reply->status = status;
    reply->retry_after_s = IN_PROGRESS_RETRY_S;

    return PAY_OK;
}


pay_status_t
pay_done_db_failed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_reply_t  *reply;

    switch (input->db_failure) {

    case PAY_DB_ERROR:
        return pay_done_problem(flow, effect, "internal-error", NULL);

    case PAY_DB_OVERLOADED:
        PAY_TRY(pay_done_problem_reply(flow, effect, "overloaded", NULL,
                                       &reply));
        reply->retry_after_s = (input->retry_after_s > 0)
                               ? input->retry_after_s : OVERLOADED_RETRY_S;
        return PAY_OK;

    default:
        PAY_TRY(pay_done_problem_reply(flow, effect, "dependency-unavailable",
                                       NULL, &reply));
        reply->retry_after_s = UNAVAILABLE_RETRY_S;
        return PAY_OK;
    }
}


void
pay_flow_note(pay_flow_t *flow, const pay_checkout_t *checkout)
{
    flow->merchant_id = checkout->merchant_id;
    flow->checkout_id = checkout->checkout_id;
    flow->order_id = checkout->orders[0].id;
    flow->psp_name = checkout->psp;
}


const pay_psp_conf_t *
pay_flow_psp(const pay_flow_t *flow, pay_str_t name)
{
    const pay_psp_conf_t  *psp;

    psp = pay_env_psp(flow->env, name);

    return (psp != NULL && psp->adapter->register_request != NULL) ? psp
                                                                   : NULL;
}


int64_t
pay_retry_ms(const pay_psp_conf_t *psp, pay_retry_what_t what, int64_t attempt,
    int64_t retry_after_s, pay_str_t seed)
{
    return (psp == NULL) ? NO_PSP_MS
                         : pay_retry_delay_ms(&psp->retry[what], attempt,
                                              retry_after_s, seed);
}


const char *
pay_retry_dead(const pay_psp_conf_t *psp, pay_retry_what_t what,
    int64_t attempt)
{
    const pay_retry_t  *retry;

    if (psp == NULL) {
        return NULL;
    }

    retry = &psp->retry[what];

    if (!pay_retry_is_over(retry, attempt)) {
        return NULL;
    }

    return (retry->by == PAY_RETRY_CANCEL) ? PAY_DEAD_CANCELLED
                                           : PAY_DEAD_LIMIT;
}

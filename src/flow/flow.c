/*
 * The engine under all flows: one step at a time, and the words in
 * flow_util.h.  It knows no flow.
 *
 * A flow, as the engine sees it:
 *
 *    start ─▶ step ─▶ effect (DB, HTTP, RATES) ─ carried out by the caller ─┐
 *              ▲                                                             │
 *              └─────────────── input (row, failure, answer) ◀───────────────┘
 *             step ─▶ DONE, with or without a reply
 */

#include "flow_util.h"
#include "pay_sorted.h"


/* Milliseconds until a job looks again whose PSP is not in the configuration:
 * an operator has to put it back, so the pace matters little. */
#define NO_PSP_MS            60000
/* Retry-After of replies, in seconds.  They differ by what has to happen first:
 * the queue empties, PostgreSQL comes back, the twin request ends, the PSPs are
 * searched and an operator has looked at the findings. */
#define OVERLOADED_RETRY_S   1
#define UNAVAILABLE_RETRY_S  2
#define IN_PROGRESS_RETRY_S  1
#define RECOVERING_RETRY_S   30


/* A configuration may have ten thousand merchants, and each request asks for
 * some: both arrays are sorted. */
const pay_psp_conf_t *
pay_env_psp(const pay_env_t *env, pay_str_t name)
{
    size_t  i;

    i = pay_sorted_find(env->psps, env->psp_count, sizeof(pay_psp_conf_t),
                        offsetof(pay_psp_conf_t, name), name);

    return i < env->psp_count ? &env->psps[i] : NULL;
}


/* NULL when a merchant has left the configuration since its checkout was
 * stored: callers must be able to go on without one. */
const pay_merchant_t *
pay_env_merchant(const pay_env_t *env, pay_str_t id)
{
    size_t  i;

    i = pay_sorted_find(env->merchants, env->merchant_count,
                        sizeof(pay_merchant_t), offsetof(pay_merchant_t, id),
                        id);

    return i < env->merchant_count ? &env->merchants[i] : NULL;
}


const pay_payout_provider_t *
pay_env_payout(const pay_env_t *env, pay_str_t name)
{
    size_t  i;

    for (i = 0; i < env->payout_count; i++) {
        if (pay_str_eq(env->payouts[i].name, name)) {
            return &env->payouts[i];
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
        [PAY_CALL_CERTIFICATE] = "certificate",
        [PAY_CALL_CONFIRM] = "confirm", [PAY_CALL_AUTH] = "auth",
        [PAY_CALL_RATES] = "rates", [PAY_CALL_SETTLEMENT] = "settlement",
        [PAY_CALL_PAYOUT_SEND] = "payout_send",
        [PAY_CALL_PAYOUT_ASK] = "payout_ask",
        [PAY_CALL_PAYOUT_FIND] = "payout_find",
        [PAY_CALL_PAYOUT_CANCEL] = "payout_cancel",
        [PAY_CALL_SCREENING] = "screening", [PAY_CALL_RISK] = "risk",
        [PAY_CALL_DELIVERY] = "delivery"
    };
    PAY_ROWS(names, PAY_CALL_COUNT);

    return names[call];
}


int
pay_call_is_aside(pay_call_t call)
{
    return call == PAY_CALL_CERTIFICATE || call == PAY_CALL_CONFIRM
           || call == PAY_CALL_DELIVERY;
}


void
pay_flow_begin(pay_flow_t *flow, const pay_flow_type_t *type, void *state)
{
    flow->type = type;
    flow->state = state;
    flow->step = type->start;
}


/* Metrics have fewer words than logs: a flow that sets `label` counts under a
 * coarser word than its outcome. */
const char *
pay_flow_label(const pay_flow_t *flow)
{
    return flow->label != NULL ? flow->label : flow->outcome;
}


/* The reply of a broken flow is static, because the cause may be that the
 * arena is empty.  It has the same content for all flows, so that sharing it
 * is safe.  The effect is cleared a second time: a step that fails half-way
 * may have filled in a call that must not be made. */
void
pay_flow_run(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    static pay_reply_t  broken = {
        .kind = PAY_REPLY_PROBLEM, .status = 500, .retry_after_s = -1,
        .version = -1
    };

    memset(effect, 0, sizeof(*effect));

    if (flow->step(flow, input, effect) != PAY_OK) {
        memset(effect, 0, sizeof(*effect));
        flow->outcome = "internal-error";
        broken.problem = pay_problem_of_status(500);
        pay_do_done(effect, &broken);
    }

    if (effect->kind == PAY_DO_DONE && flow->type != NULL
        && flow->type->end != NULL)
    {
        flow->type->end(flow);
    }
}


/* The struct is copied into `args` by the size that the operation's list
 * gives; the slices in it still point to bytes of the caller, which have to
 * live until the row comes. */
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


/* The request in effect->http may lie in the scratch: the caller carries the
 * effect out before it frees that. */
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


/* Replies are in the flow's arena, since the glue reads them after the step. */
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


/* PAY_BUG for a slug that the table of problems does not have: a typing
 * mistake in a flow, which the tests of the flow find.  `detail` is kept as a
 * pointer, so it is a literal or lies in the flow's arena. */
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


/* Detail and pointer of `err` are copied: parsers put them where they end with
 * the step.  `errors` is not copied. */
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


/* The status is the operator's choice: 429 or 409 (payments_idempotency
 * in_progress). */
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


/* The storefront insists with its key until an operator has ended the
 * recovery. */
pay_status_t
pay_done_recovering(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem_reply(flow, effect, "dependency-unavailable",
                                   "The database was restored, and the payment "
                                   "providers are being searched for what it "
                                   "has lost. This request did nothing.",
                                   &reply));
    reply->retry_after_s = RECOVERING_RETRY_S;

    return PAY_OK;
}


/* UNAVAILABLE and UNKNOWN get the same answer: the storefront repeats its
 * request with its key, and that finds out whether the commit happened.  An
 * ERROR was rolled back by PostgreSQL and would fail again, so it has no
 * Retry-After. */
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


/* The ids stay valid as long as the checkout does, so it has to be in the
 * flow's arena.  Of several orders the first stands for all in the log. */
void
pay_flow_note(pay_flow_t *flow, const pay_checkout_t *checkout)
{
    flow->merchant_id = checkout->merchant_id;
    flow->checkout_id = checkout->checkout_id;
    flow->order_id = checkout->orders[0].id;
    flow->psp_name = checkout->psp;
    flow->trace = checkout->trace;
}


/* An adapter without a page cannot be asked about a registration either: its
 * slots for requests are NULL, and a flow that called them would crash. */
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


/* A PSP that is not configured never makes a dead letter: the configuration
 * may be on its way, and nothing was tried. */
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

/*
 * An act of staff on the console: one operation, which judges the right to it,
 * does it and writes it down, in one transaction.  A proof is signed here, with
 * the key of the event log's seals.
 */

#include "flow_util.h"
#include "pay_flow_console.h"
#include "pay_proof.h"


#define DETAIL_MAX  512


static pay_status_t act_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t act_fill(pay_flow_t *flow,
    const pay_console_act_input_t *input, const pay_console_act_t *act,
    pay_make_act_in_t *in);
static pay_status_t act_made(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t act_done(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t act_refused(pay_flow_t *flow, const char *slug,
    const pay_page_row_t *row, pay_effect_t *effect);


static const pay_flow_type_t  act_type = {
    .name = "console_act", .start = act_start
};

/* The problem of each outcome that is no answer. */
static const struct {
    pay_outcome_t   outcome;
    const char     *slug;
} refusals[] = {
    { PAY_OUTCOME_REFUSED, "forbidden" },
    { PAY_OUTCOME_OWN, "second-person-needed" },
    { PAY_OUTCOME_STALE, "login-too-old" },
    { PAY_OUTCOME_BLOCKED, "limit-exceeded" },
    { PAY_OUTCOME_GONE, "act-not-possible" },
    { PAY_OUTCOME_UNCHANGED, "act-not-possible" },
    { PAY_OUTCOME_KEY_REUSED, "idempotency-key-reused" },
    { PAY_OUTCOME_NOT_FOUND, "not-found" },
    { PAY_OUTCOME_INVALID, "validation-error" }
};


pay_status_t
pay_flow_console_act(pay_flow_t *flow, const pay_console_act_input_t *input)
{
    pay_console_act_input_t  *state;

    state = pay_calloc(flow->arena, sizeof(pay_console_act_input_t));
    if (state == NULL) {
        return PAY_NO_MEMORY;
    }

    *state = *input;
    pay_flow_begin(flow, &act_type, state);

    return PAY_OK;
}


/* Where nothing signs, no proof is asked for: it would be a row about a file
 * that nobody has got. */
static pay_status_t
act_start(pay_flow_t *flow, const pay_input_t *start, pay_effect_t *effect)
{
    pay_err_t                 err;
    pay_status_t              status;
    pay_errors_t             *errors;
    pay_console_act_t         act;
    pay_make_act_in_t         in;
    pay_console_act_input_t  *input = flow->state;

    (void) start;

    errors = pay_alloc(flow->arena, sizeof(pay_errors_t));
    if (errors == NULL) {
        return PAY_NO_MEMORY;
    }

    if (strcmp(input->act, "proof") == 0 && input->key == NULL) {
        return pay_done_problem(flow, effect, "act-not-possible",
                                "No key signs here (payments_audit): payctl "
                                "proof makes the file.");
    }

    status = pay_console_act_parse(flow->arena, input->act, input->body, &act,
                                   errors, &err);

    if (status == PAY_INVALID) {
        return pay_done_refused_all(flow, effect, &err, errors);
    }

    PAY_TRY(status);
    PAY_TRY(act_fill(flow, input, &act, &in));

    return pay_do_make_act(flow, effect, &in, act_made);
}


static pay_status_t
act_fill(pay_flow_t *flow, const pay_console_act_input_t *input,
    const pay_console_act_t *act, pay_make_act_in_t *in)
{
    memset(in, 0, sizeof(*in));
    in->act = pay_str_of(act->name);
    in->staff = input->staff.subject;
    in->merchants = input->staff.merchants;
    in->login_age_s = input->login_age_s;
    in->body = act->body;
    in->terms = input->terms;
    in->request_id = flow->request_id;

    return pay_roles_write(flow->arena, input->staff.roles, &in->roles);
}


static pay_status_t
act_made(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    size_t  i;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (input->result.outcome == refusals[i].outcome) {
            return act_refused(flow, refusals[i].slug,
                               pay_row_page(&input->result), effect);
        }
    }

    return act_done(flow, input, effect);
}


static pay_status_t
act_done(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t                    *reply;
    const pay_page_row_t           *row = pay_row_page(&input->result);
    const pay_console_act_input_t  *state = flow->state;

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    reply->replayed = input->result.outcome == PAY_OUTCOME_REPLAYED;
    flow->outcome = reply->replayed ? "replayed" : "done";

    if (strcmp(state->act, "proof") == 0) {
        PAY_TRY(pay_proof_sign(flow->arena, row->page, state->key,
                               &reply->body));

    } else {
        PAY_TRY(pay_dup(flow->arena, row->page, &reply->body));
    }

    pay_do_done(effect, reply);

    return PAY_OK;
}


/* In the place of an answer stands the sentence, if there is one. */
static pay_status_t
act_refused(pay_flow_t *flow, const char *slug, const pay_page_row_t *row,
    pay_effect_t *effect)
{
    pay_str_t  detail;

    if (row == NULL || row->page.len == 0) {
        return pay_done_problem(flow, effect, slug, NULL);
    }

    PAY_TRY(pay_format(flow->arena, &detail, DETAIL_MAX, "%.*s",
                       pay_fmt(row->page)));

    return pay_done_problem(flow, effect, slug, (const char *) detail.data);
}

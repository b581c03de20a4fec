/*
 * POST of an operator's act on an exception: one operation, which books it or
 * notes that a second operator has to agree.  A repetition finds the act done
 * and is answered as the first time, so that it needs no Idempotency-Key.
 */

#include "flow_util.h"
#include "pay_jwt.h"


typedef struct {
    pay_finance_act_input_t  in;
    pay_finance_query_t      query;    /* its id alone */
    pay_finance_act_t        act;
} act_t;

typedef struct {
    pay_outcome_t  outcome;
    const char    *slug;
    const char    *detail;
} refusal_t;


static pay_status_t act_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t act_done(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


static const pay_flow_type_t  act_type = {
    .name = "act", .start = act_start
};

static const refusal_t  refusals[] = {
    { PAY_OUTCOME_NOT_FOUND, "not-found", NULL },
    { PAY_OUTCOME_ALREADY, "payment-state-conflict",
      "the exception is closed" },
    { PAY_OUTCOME_EXCEEDS, "payment-state-conflict",
      "nobody writes off more than the limit in a day: another operator can" },
    { PAY_OUTCOME_REFUSED, "payment-state-conflict",
      "there is nothing to accept as it stands: say as what kind of entry" },
    { PAY_OUTCOME_HELD, "payment-state-conflict",
      "its money is in suspense: it ends with an exception that cancels it "
      "out, or in another way" },
    { PAY_OUTCOME_INVALID, "validation-error",
      "as must be a kind that such a row can be, with an exception that "
      "cancels it out" }
};


pay_status_t
pay_flow_finance_act(pay_flow_t *flow, const pay_finance_act_input_t *input)
{
    act_t  *act;

    act = pay_calloc(flow->arena, sizeof(act_t));
    if (act == NULL) {
        return PAY_NO_MEMORY;
    }

    act->in = *input;
    pay_flow_begin(flow, &act_type, act);
    flow->merchant_id = input->merchant_id;

    return PAY_OK;
}


/* The subjects of tokens distinguish two persons: a token without
 * one cannot act. */
static pay_status_t
act_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    act_t                *act = flow->state;
    pay_err_t             err;
    pay_finance_asked_t   asked = {
        .list = PAY_FINANCE_EXCEPTIONS, .id = act->in.id
    };
    pay_act_on_exception_in_t  in = {
        .merchant_id = flow->merchant_id, .who = act->in.subject,
        .act = pay_str_of(pay_finance_act_word(act->in.kind))
    };

    (void) input;

    if (pay_finance_parse(&asked, &act->query, &err) != PAY_OK) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    if (!pay_jwt_subject_is_fit(act->in.subject)) {
        return pay_done_problem(flow, effect, "validation-error",
                                "the token must have a subject (sub), which "
                                "is kept as the name of the operator");
    }

    switch (pay_finance_act_parse(flow->arena, act->in.kind, act->in.body,
                                  &act->act, &err))
    {
    case PAY_OK:
        break;

    case PAY_INVALID:
        return pay_done_refused_all(flow, effect, &err, &act->act.errors);

    default:
        return PAY_NO_MEMORY;
    }

    in.exception_id = act->query.id.number;
    in.why = act->act.why;
    in.as_kind = act->act.as;
    in.with_id = act->act.with;

    return pay_do_act_on_exception(flow, effect, &in, act_done);
}


static pay_status_t
act_done(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    size_t                 i;
    pay_reply_t           *reply;
    const pay_page_row_t  *row = pay_row_page(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (input->result.outcome == refusals[i].outcome) {
            return pay_done_problem(flow, effect, refusals[i].slug,
                                    refusals[i].detail);
        }
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON,
                          input->result.outcome == PAY_OUTCOME_ASKED
                          ? 202 : 200, &reply));
    PAY_TRY(pay_dup(flow->arena, row->page, &reply->body));
    flow->outcome = "acted";
    pay_do_done(effect, reply);

    return PAY_OK;
}

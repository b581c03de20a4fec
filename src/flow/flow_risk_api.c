/*
 * Requests about a merchant's lists and reviews of risk: one operation each.  A
 * value of a list that names a buyer is hashed here, in the arena that is gone
 * when the row comes, and goes no further.  A repetition finds its act done, so
 * that none needs an Idempotency-Key.
 */

#include "flow_util.h"
#include "pay_json.h"
#include "pay_jwt.h"
#include "pay_risk_api.h"


#define LOCATION_MAX  4096
#define CONFLICT      "risk-state-conflict"

typedef struct {
    pay_risk_act_input_t  in;
    pay_risk_act_t        act;
    int64_t               id;
} risk_act_t;

typedef struct {
    pay_outcome_t  outcome;
    const char    *slug;
    const char    *detail;
} refusal_t;


static pay_status_t list_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t list_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t act_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t begin(pay_flow_t *flow, risk_act_t *act,
    pay_effect_t *effect);
static pay_status_t add_entry(pay_flow_t *flow, risk_act_t *act,
    pay_effect_t *effect);
static pay_status_t refuse_member(pay_flow_t *flow, const char *rule,
    const char *pointer, pay_effect_t *effect);
static pay_status_t act_done(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t done_invalid(pay_flow_t *flow, const risk_act_t *act,
    pay_effect_t *effect);
static pay_status_t done_with(pay_flow_t *flow, const risk_act_t *act,
    pay_outcome_t outcome, pay_str_t page, pay_effect_t *effect);
static pay_status_t locate(pay_flow_t *flow, const risk_act_t *act,
    pay_str_t page, pay_reply_t *reply);


static const pay_flow_type_t  list_type = {
    .name = "read", .start = list_start, .may_be_late = 1
};

static const pay_flow_type_t  act_type = {
    .name = "risk_act", .start = act_start
};

static const refusal_t  refusals[] = {
    { PAY_OUTCOME_NOT_FOUND, "not-found", NULL },
    { PAY_OUTCOME_BUSY, CONFLICT, "busy: another reviewer has claimed it" },
    { PAY_OUTCOME_ALREADY, CONFLICT, "ended: the review has ended" }
};


pay_status_t
pay_flow_risk_list(pay_flow_t *flow, pay_str_t merchant_id,
    const pay_risk_query_t *query)
{
    pay_risk_query_t  *copy;

    copy = pay_alloc(flow->arena, sizeof(pay_risk_query_t));
    if (copy == NULL) {
        return PAY_NO_MEMORY;
    }

    *copy = *query;
    pay_flow_begin(flow, &list_type, copy);
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


static pay_status_t
list_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    const pay_risk_query_t      *query = flow->state;
    pay_list_risk_entries_in_t   entries = {
        .merchant_id = flow->merchant_id, .entry_id = query->id,
        .effect = query->effect, .kind = query->kind, .after = query->after,
        .limit = query->limit
    };
    pay_list_reviews_in_t        reviews = {
        .merchant_id = flow->merchant_id, .review_id = query->id,
        .state = query->state, .after = query->after, .limit = query->limit
    };

    (void) input;

    return query->list == PAY_RISK_READ_ENTRIES
           ? pay_do_list_risk_entries(flow, effect, &entries, list_found)
           : pay_do_list_reviews(flow, effect, &reviews, list_found);
}


static pay_status_t
list_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t           *reply;
    const pay_page_row_t  *row = pay_row_page(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome == PAY_OUTCOME_NOT_FOUND) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_dup(flow->arena, row->page, &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


pay_status_t
pay_flow_risk_act(pay_flow_t *flow, const pay_risk_act_input_t *input)
{
    risk_act_t  *act;

    act = pay_calloc(flow->arena, sizeof(risk_act_t));
    if (act == NULL) {
        return PAY_NO_MEMORY;
    }

    act->in = *input;
    pay_flow_begin(flow, &act_type, act);
    flow->merchant_id = input->merchant_id;

    return PAY_OK;
}


/* The subjects of tokens distinguish two reviewers: a token without one cannot
 * act. */
static pay_status_t
act_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_err_t    err;
    risk_act_t  *act = flow->state;

    (void) input;

    if (act->in.kind != PAY_RISK_ACT_ADD
        && pay_risk_id(act->in.id, &act->id) != PAY_OK)
    {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    if (!pay_jwt_subject_is_fit(act->in.subject)) {
        return pay_done_problem(flow, effect, "validation-error",
                                "the token must have a subject (sub), which "
                                "is kept as the name of the reviewer");
    }

    memset(&err, 0, sizeof(err));

    switch (pay_risk_act_parse(flow->arena, act->in.kind, act->in.body,
                               &act->act, &err))
    {
    case PAY_OK:
        return begin(flow, act, effect);

    case PAY_INVALID:
        return pay_done_refused_all(flow, effect, &err, &act->act.errors);

    default:
        return PAY_NO_MEMORY;
    }
}


static pay_status_t
begin(pay_flow_t *flow, risk_act_t *act, pay_effect_t *effect)
{
    pay_remove_risk_entry_in_t  end = {
        .merchant_id = flow->merchant_id, .entry_id = act->id,
        .who = act->in.subject, .why = act->act.why
    };
    pay_act_on_review_in_t      review = {
        .merchant_id = flow->merchant_id, .review_id = act->id,
        .act = pay_str_of(pay_risk_act_word(act->in.kind)),
        .reason = act->act.reason, .note = act->act.note,
        .blocks = act->act.blocks, .lease_s = act->act.lease_s,
        .who = act->in.subject
    };

    switch (act->in.kind) {

    case PAY_RISK_ACT_ADD:
        return add_entry(flow, act, effect);

    case PAY_RISK_ACT_REMOVE:
        return pay_do_remove_risk_entry(flow, effect, &end, act_done);

    default:
        return pay_do_act_on_review(flow, effect, &review, act_done);
    }
}


/* Without payments_risk there is no key for a hash; PAY_BUG says so of a kind
 * that needs one. */
static pay_status_t
add_entry(pay_flow_t *flow, risk_act_t *act, pay_effect_t *effect)
{
    static const pay_risk_t      no_keys;
    const pay_risk_t            *risk = flow->env->risk;
    pay_store_risk_entry_in_t    in = {
        .merchant_id = flow->merchant_id, .effect = act->act.effect,
        .kind = act->act.kind, .until_us = act->act.until_us,
        .who = act->in.subject, .why = act->act.why
    };

    switch (pay_risk_list_value(flow->args, risk != NULL ? risk : &no_keys, 0,
                                act->act.kind, act->act.value, &in.value))
    {
    case PAY_OK:
        return pay_do_store_risk_entry(flow, effect, &in, act_done);

    case PAY_INVALID:
        return refuse_member(flow, "value is none of this kind", "/value",
                             effect);

    case PAY_BUG:
        return pay_done_problem(flow, effect, CONFLICT,
                                "no_key: values of this kind are kept as "
                                "hashes, and this gateway has no key for them "
                                "(payments_risk)");

    default:
        return PAY_NO_MEMORY;
    }
}


static pay_status_t
refuse_member(pay_flow_t *flow, const char *rule, const char *pointer,
    pay_effect_t *effect)
{
    pay_err_t  err;

    memset(&err, 0, sizeof(err));
    (void) pay_refuse_at(&err, "validation-error", rule, "%s", pointer);

    return pay_done_refused(flow, effect, &err);
}


static pay_status_t
act_done(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    size_t                 i;
    pay_outcome_t          outcome = input->result.outcome;
    const risk_act_t      *act = flow->state;
    const pay_page_row_t  *row = pay_row_page(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (outcome == refusals[i].outcome) {
            return pay_done_problem(flow, effect, refusals[i].slug,
                                    refusals[i].detail);
        }
    }

    if (outcome == PAY_OUTCOME_INVALID) {
        return done_invalid(flow, act, effect);
    }

    return row == NULL ? PAY_BUG
                       : done_with(flow, act, outcome, row->page, effect);
}


/* The rest of a body has been checked here. */
static pay_status_t
done_invalid(pay_flow_t *flow, const risk_act_t *act, pay_effect_t *effect)
{
    const char  *reasons = pay_risk_act_reasons(act->in.kind);

    return reasons != NULL
           ? refuse_member(flow, reasons, "/reason", effect)
           : refuse_member(flow, "until must be later than now", "/until",
                           effect);
}


static pay_status_t
done_with(pay_flow_t *flow, const risk_act_t *act, pay_outcome_t outcome,
    pay_str_t page, pay_effect_t *effect)
{
    unsigned      status = outcome == PAY_OUTCOME_CREATED ? 201
                           : outcome == PAY_OUTCOME_ASKED ? 202 : 200;
    pay_reply_t  *reply;

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, status, &reply));
    PAY_TRY(pay_dup(flow->arena, page, &reply->body));

    if (status == 201) {
        PAY_TRY(locate(flow, act, page, reply));
    }

    flow->outcome = "acted";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
locate(pay_flow_t *flow, const risk_act_t *act, pay_str_t page,
    pay_reply_t *reply)
{
    int64_t        id;
    pay_json_t    *object;
    pay_status_t   status;

    if (pay_json_parse(page, NULL, &object, NULL) != PAY_OK) {
        return PAY_BUG;
    }

    status = pay_json_integer(pay_json_get(object, "entry_id"), &id);
    pay_json_free(object);

    return status != PAY_OK ? PAY_BUG
           : pay_format(flow->arena, &reply->location, LOCATION_MAX,
                        "%.*s/v1/risk/lists/%lld", pay_fmt(act->in.base_url),
                        (long long) id);
}

/*
 * The part of a create that looks at risk:
 *
 *     facts ─▶ PAY_DO_COUNT ─▶ rules, counts ─▶ begin_payment ─▶ new: it stays
 *                                                  └▶ else: taken back
 *
 * A replay of an idempotency key is known only behind begin_payment, so that it
 * is counted first and taken back then.
 */

#include "flow_util.h"


/* - facts: in flow->args, gone when begin_payment's row comes. */
struct pay_risk_check_s {
    pay_risk_facts_t   *facts;
    pay_risk_counts_t   counts;
};


static int is_new(const pay_input_t *input);


pay_status_t
pay_risk_check(pay_flow_t *flow, const pay_create_input_t *in,
    pay_risk_check_t **check, pay_effect_t *effect, pay_flow_step_pt counted)
{
    const pay_risk_t  *risk = flow->env->risk;

    *check = pay_calloc(flow->arena, sizeof(pay_risk_check_t));
    if (*check == NULL) {
        return PAY_NO_MEMORY;
    }

    (*check)->facts = pay_alloc(flow->args, sizeof(pay_risk_facts_t));
    if ((*check)->facts == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_risk_facts(flow->args, in->merchant->id, in->request,
                           in->now_s, (*check)->facts));
    PAY_TRY(pay_risk_count(flow->arena, risk, (*check)->facts,
                           &(*check)->counts));

    effect->kind = PAY_DO_COUNT;
    effect->counts = &(*check)->counts;
    flow->step = counted;

    return PAY_OK;
}


pay_status_t
pay_risk_judged(pay_flow_t *flow, const pay_risk_check_t *check,
    pay_str_t *json)
{
    return check == NULL
           ? PAY_OK
           : pay_risk_document(flow->args, flow->env->risk, check->facts,
                               &check->counts, json);
}


/* The decision of a replay has been counted before. */
void
pay_risk_ended(pay_flow_t *flow, const pay_risk_check_t *check,
    const pay_input_t *input, pay_effect_t *effect)
{
    pay_risk_action_t          decision;
    const pay_checkout_row_t  *row;

    if (check == NULL) {
        return;
    }

    if (!is_new(input)) {
        effect->uncounts = &check->counts;
        return;
    }

    row = pay_row_checkout(&input->result);

    if (row != NULL
        && pay_risk_action_find(row->risk, &decision) == PAY_OK)
    {
        flow->risk = pay_risk_action_name(decision);
    }
}


/* An attempt that may have been stored counts. */
static int
is_new(const pay_input_t *input)
{
    if (input->kind == PAY_INPUT_DB_FAILED) {
        return input->db_failure == PAY_DB_UNKNOWN;
    }

    switch (input->result.outcome) {

    case PAY_OUTCOME_CREATED:
    case PAY_OUTCOME_WAITING:
    case PAY_OUTCOME_BLOCKED:
        return 1;

    default:
        return 0;
    }
}

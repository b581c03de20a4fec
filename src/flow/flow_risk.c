/*
 * The part of a create that looks at risk:
 *
 *     facts ─▶ PAY_DO_COUNT ─▶ a model scores it: get_buyer_history ─┐
 *                         ┌────────────────────────────────────────────┘
 *                         ▼
 *                   rules, counts ─▶ begin_payment ─▶ new: it stays
 *                         │   ▲           └▶ else: taken back
 *    a provider is to be  ▼   │
 *    asked: get_checkout ─┴─▶ PAY_DO_HTTP
 *                    known   new
 *
 * A replay of an idempotency key is known only behind begin_payment, so that it
 * is counted first and taken back then.  A provider bills each question
 * and takes its time: before it is asked PostgreSQL says whether the checkout
 * is stored, as that of each replay is, and the provider is not asked then.
 */

#include "flow_util.h"

#include <math.h>


/* - facts: in flow->args, gone when begin_payment's row comes.
 * - provider, next: of pay_risk_ask(); next is that of the whole look. */
struct pay_risk_check_s {
    pay_risk_facts_t           *facts;
    pay_risk_counts_t           counts;
    const pay_risk_provider_t  *provider;
    pay_flow_step_pt            next;
};


static pay_status_t look_back(pay_flow_t *flow, pay_risk_check_t *check,
    pay_effect_t *effect);
static pay_status_t risk_looked_back(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static double number_of(pay_int_t number);
static pay_status_t ask_provider(pay_flow_t *flow, pay_risk_check_t *check,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t risk_looked_up(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t risk_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t hits_of(pay_arena_t *arena,
    const pay_risk_findings_t *found, pay_begin_payment_in_t *in);
static pay_status_t keys_of(pay_arena_t *arena,
    const pay_risk_findings_t *found, pay_begin_payment_in_t *in);
static pay_status_t windows_of(pay_arena_t *arena,
    const pay_risk_findings_t *found, pay_begin_payment_in_t *in);
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
pay_risk_ask(pay_flow_t *flow, pay_risk_check_t *check,
    const pay_input_t *input, pay_effect_t *effect, pay_flow_step_pt next)
{
    /* nothing could be counted, which the caller says as of PostgreSQL */
    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    check->next = next;
    flow->sub = check;

    return pay_risk_looks_back(flow->env->risk, check->facts)
           ? look_back(flow, check, effect)
           : ask_provider(flow, check, input, effect);
}


/* One round trip more, for the checkouts that a model scores alone. */
static pay_status_t
look_back(pay_flow_t *flow, pay_risk_check_t *check, pay_effect_t *effect)
{
    const pay_risk_t             *risk = flow->env->risk;
    const pay_risk_facts_t       *facts = check->facts;
    pay_get_buyer_history_in_t    in = {
        .merchant_id = facts->merchant_id,
        .country = facts->request->buyer.shipping_country,
        .currency = pay_str_of(facts->request->currency->code),
        .total_minor = facts->request->total_minor
    };

    PAY_TRY(pay_risk_buyer(flow->args, risk, 0, facts, &in.buyer));
    PAY_TRY(pay_risk_buyer(flow->args, risk, 1, facts, &in.buyer_before));
    PAY_TRY(pay_risk_device(flow->args, risk, 0, facts, &in.device));
    PAY_TRY(pay_risk_device(flow->args, risk, 1, facts, &in.device_before));
    flow->keeps_args = 1;

    return pay_do_get_buyer_history(flow, effect, &in, risk_looked_back);
}


/* begin_payment would hardly fare better than a look-up that failed. */
static pay_status_t
risk_looked_back(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_risk_check_t               *check = flow->sub;
    pay_risk_history_t             *history;
    const pay_buyer_history_row_t  *row;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        effect->uncounts = &check->counts;
        return pay_done_db_failed(flow, input, effect);
    }

    row = pay_row_buyer_history(&input->result);
    history = pay_alloc(flow->args, sizeof(pay_risk_history_t));

    if (row == NULL || history == NULL) {
        return row == NULL ? PAY_BUG : PAY_NO_MEMORY;
    }

    history->orders = (double) row->orders;
    history->failures = (double) row->failures;
    history->disputes = (double) row->disputes;
    history->ships = number_of(row->ships);
    history->psp_risk = number_of(row->psp_risk);
    history->cents = number_of(row->cents);
    history->devices = (double) row->devices;
    history->device_s = number_of(row->device_at);
    check->facts->history = history;

    return ask_provider(flow, check, input, effect);
}


static double
number_of(pay_int_t number)
{
    return number.is_set ? (double) number.number : NAN;
}


static pay_status_t
ask_provider(pay_flow_t *flow, pay_risk_check_t *check,
    const pay_input_t *input, pay_effect_t *effect)
{
    int                    is_decided = 0;
    const pay_risk_t      *risk = flow->env->risk;
    pay_get_checkout_in_t  in = {
        .merchant_id = check->facts->merchant_id,
        .checkout_id = check->facts->request->checkout_id
    };

    check->provider = pay_risk_provider_of(risk, check->facts);

    if (check->provider != NULL) {
        PAY_TRY(pay_risk_is_decided(flow->scratch, risk, check->facts,
                                    &check->counts, &is_decided));
    }

    if (check->provider == NULL || is_decided) {
        return check->next(flow, input, effect);
    }

    flow->keeps_args = 1;

    return pay_do_get_checkout(flow, effect, &in, risk_looked_up);
}


/* begin_payment would hardly fare better than a look-up that failed, and would
 * store a checkout about which nobody was asked. */
static pay_status_t
risk_looked_up(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_risk_check_t  *check = flow->sub;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        effect->uncounts = &check->counts;
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome == PAY_OUTCOME_FOUND) {
        return check->next(flow, input, effect);
    }

    PAY_TRY(pay_risk_provider_request(flow->scratch, flow->env->risk,
                                      check->provider, check->facts,
                                      &effect->http));

    effect->kind = PAY_DO_HTTP;
    effect->risk_provider = check->provider;
    effect->call = PAY_CALL_RISK;
    flow->step = risk_answered;

    return PAY_OK;
}


static pay_status_t
risk_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_risk_word_t   *word;
    pay_risk_check_t  *check = flow->sub;

    word = pay_alloc(flow->args, sizeof(pay_risk_word_t));
    if (word == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_risk_provider_answer(flow->args, check->provider,
                                     check->facts, input->answer, word));

    check->facts->word = word;
    flow->risk_provider = check->provider;
    flow->risk_failed = word->failed != NULL;
    flow->risk_said = word->failed != NULL ? word->failed
                                           : pay_risk_action_name(word->then);
    flow->risk_ms = input->answer->took_ms;

    return check->next(flow, input, effect);
}


pay_status_t
pay_risk_judged(pay_flow_t *flow, const pay_risk_check_t *check,
    pay_begin_payment_in_t *in)
{
    pay_risk_findings_t  found;

    if (check == NULL) {
        return PAY_OK;
    }

    PAY_TRY(pay_risk_find(flow->args, flow->env->risk, check->facts,
                          &check->counts, &found));
    in->risk = found.json;
    PAY_TRY(hits_of(flow->args, &found, in));
    PAY_TRY(keys_of(flow->args, &found, in));

    return windows_of(flow->args, &found, in);
}


static pay_status_t
hits_of(pay_arena_t *arena, const pay_risk_findings_t *found,
    pay_begin_payment_in_t *in)
{
    size_t                 i;
    pay_risk_hit_row_t    *rows;
    const pay_risk_hit_t  *hit;

    rows = pay_calloc(arena, (found->hit_count + 1) * sizeof(*rows));
    if (rows == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < found->hit_count; i++) {
        hit = &found->hits[i];
        rows[i].name = hit->name;
        rows[i].word = pay_str_of(pay_risk_action_name(hit->then));
        rows[i].is_shadow = hit->is_shadow;
    }

    in->risk_hits = rows;
    in->risk_hits_count = found->hit_count;

    return PAY_OK;
}


static pay_status_t
keys_of(pay_arena_t *arena, const pay_risk_findings_t *found,
    pay_begin_payment_in_t *in)
{
    size_t                 i;
    pay_risk_value_row_t  *rows;

    rows = pay_calloc(arena, (found->key_count + 1) * sizeof(*rows));
    if (rows == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < found->key_count; i++) {
        rows[i].kind = pay_str_of(found->keys[i].kind);
        rows[i].value = found->keys[i].value;
    }

    in->risk_keys = rows;
    in->risk_keys_count = found->key_count;

    return PAY_OK;
}


static pay_status_t
windows_of(pay_arena_t *arena, const pay_risk_findings_t *found,
    pay_begin_payment_in_t *in)
{
    size_t                      i;
    const pay_risk_window_t    *window;
    pay_risk_window_row_t      *row, *rows;
    const pay_risk_velocity_t  *velocity;

    rows = pay_calloc(arena, (found->window_count + 1) * sizeof(*rows));
    if (rows == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < found->window_count; i++) {
        window = &found->windows[i];
        velocity = window->velocity;
        row = &rows[i];
        row->name = velocity->name;
        row->key = pay_str_of(pay_risk_key_name(velocity->key));
        row->hash = window->hash;
        row->hours = window->hours;
        row->measure = pay_str_of(pay_risk_of_name(velocity->of));
        row->threshold = velocity->limit;
        row->currency = velocity->currency != NULL
                        ? pay_str_of(velocity->currency->code) : PAY_STR("");
        row->word = pay_str_of(pay_risk_action_name(velocity->then));
        row->is_shadow = window->is_shadow;
    }

    in->risk_windows = rows;
    in->risk_windows_count = found->window_count;

    return PAY_OK;
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

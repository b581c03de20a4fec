/*
 * Rates of exchange: when a source is due its document is fetched, and what
 * it says is kept, or that it says nothing fit to be kept.  Then what it has
 * said before stays for as long as its max_age allows.
 *
 *    begin_rates ─ not due ─▶ end
 *      │ due, lease
 *      ▼
 *    document (HTTP or file) ─▶ read ─▶ end_rates (rates, or a failure)
 */

#include "flow_util.h"
#include "pay_rates.h"


#define LEASE_MS   60000               /* longer than any fetch */
#define STATUS_OK  200


/* The state of one look.  age_ms is the age of a file in milliseconds, 0 for a
 * document that came by HTTP. */
typedef struct {
    const pay_rate_source_t  *source;
    pay_str_t                 owner;
    pay_str_t                 rates;   /* NULL data: it failed */
    int64_t                   age_ms;
} rates_t;


static pay_status_t rates_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t rates_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t rates_came(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t rates_read(pay_flow_t *flow, const pay_input_t *input,
    const char **code);
static pay_status_t rates_end(pay_flow_t *flow, rates_t *rates,
    const char *code, pay_effect_t *effect);


static const pay_flow_type_t  rates_type = {
    .name = "rates", .start = rates_start
};


pay_status_t
pay_flow_rates(pay_flow_t *flow, const pay_rate_source_t *source,
    pay_str_t owner)
{
    rates_t  *rates;

    rates = pay_calloc(flow->arena, sizeof(rates_t));
    if (rates == NULL) {
        return PAY_NO_MEMORY;
    }

    rates->source = source;
    rates->owner = owner;
    pay_flow_begin(flow, &rates_type, rates);

    return PAY_OK;
}


/* PostgreSQL decides which of all workers of all nodes looks: the stored rates
 * are the cache that they share. */
static pay_status_t
rates_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    rates_t              *rates = flow->state;
    pay_begin_rates_in_t  in = {
        .source = rates->source->name,
        .owner = rates->owner,
        .interval_ms = rates->source->interval_ms,
        .lease_ms = LEASE_MS
    };

    (void) input;

    return pay_do_begin_rates(flow, effect, &in, rates_begun);
}


static pay_status_t
rates_begun(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    rates_t  *rates = flow->state;

    if (input->result.outcome != PAY_OUTCOME_DUE) {
        flow->outcome = "not-due";
        pay_do_done(effect, NULL);
        return PAY_OK;
    }

    effect->kind = PAY_DO_RATES;
    effect->rates = rates->source;
    flow->step = rates_came;

    return PAY_OK;
}


static pay_status_t
rates_came(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    rates_t     *rates = flow->state;
    const char  *code = NULL;

    PAY_TRY(rates_read(flow, input, &code));

    return rates_end(flow, rates, code, effect);
}


/* Sets *code to a literal when nothing came that can be kept.  PAY_OK in
 * either case: a source that fails is an ordinary outcome, stored beside the
 * rates that it gave before. */
static pay_status_t
rates_read(pay_flow_t *flow, const pay_input_t *input, const char **code)
{
    rates_t                  *rates = flow->state;
    pay_err_t                 err;
    pay_status_t              status;
    const pay_http_answer_t  *answer = input->answer;

    if (answer->sent != PAY_ANSWERED) {
        *code = answer->failure != PAY_FAILURE_NONE
                ? pay_failure_name(answer->failure) : "broken";
        return PAY_OK;
    }

    if (answer->status != STATUS_OK) {
        *code = "http-error";
        return PAY_OK;
    }

    if (input->age_ms > rates->source->max_age_ms) {
        *code = "stale";
        return PAY_OK;
    }

    rates->age_ms = input->age_ms;
    status = pay_rates_parse(flow->arena, answer->body, rates->source->base,
                             &rates->rates, &err);

    if (status == PAY_INVALID) {
        *code = err.slug;
        return PAY_OK;
    }

    return status;
}


/* max_age_ms goes along, so that SQL knows how long these rates are good,
 * however the configuration changes. */
static pay_status_t
rates_end(pay_flow_t *flow, rates_t *rates, const char *code,
    pay_effect_t *effect)
{
    pay_end_rates_in_t  in = {
        .source = rates->source->name,
        .owner = rates->owner,
        .base = rates->source->base,
        .rates = code == NULL ? rates->rates : PAY_STR(""),
        .code = pay_str_of(code),
        .age_ms = rates->age_ms,
        .max_age_ms = rates->source->max_age_ms
    };

    flow->outcome = code == NULL ? "read" : code;

    return pay_do_end_rates(flow, effect, &in, pay_done_stored);
}

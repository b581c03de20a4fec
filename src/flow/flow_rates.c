/*
 * Rates of exchange: when a source is due its document is fetched, and what
 * it says is kept, or that it says nothing fit to be kept.  Then what it has
 * said before stays for as long as its max_age allows.
 */

#include "flow_util.h"
#include "pay_rates.h"


#define LEASE_MS   60000               /* longer than any fetch */
#define STATUS_OK  200


typedef struct {
    const pay_rate_source_t  *source;
    pay_str_t                 owner;
    pay_str_t                 rates;   /* NULL data: it failed */
    int64_t                   age_ms;
} rates_t;


static pay_status_t rates_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t rates_begun(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t rates_came(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t rates_read(pay_flow_t *flow, const pay_event_t *event,
    const char **code);
static pay_status_t rates_end(pay_flow_t *flow, rates_t *rates,
    const char *code, pay_effect_t *effect);
static pay_status_t rates_ended(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);


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
    flow->name = "rates";
    flow->state = rates;
    flow->step = rates_start;

    return PAY_OK;
}


static pay_status_t
rates_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    rates_t      *rates = flow->state;
    pay_value_t  *v;

    (void) event;

    v = pay_calloc(flow->arena, 4 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(rates->source->name);
    v[1] = pay_value_text(rates->owner);
    v[2] = pay_value_int(rates->source->interval_ms);
    v[3] = pay_value_int(LEASE_MS);

    pay_do_db(flow, effect, PAY_OP_BEGIN_RATES, v, rates_begun);

    return PAY_OK;
}


static pay_status_t
rates_begun(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    rates_t  *rates = flow->state;

    if (event->kind != PAY_EVENT_ROW
        || !pay_str_is(event->row[0].bytes, "due"))
    {
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
rates_came(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    rates_t     *rates = flow->state;
    const char  *code = NULL;

    PAY_TRY(rates_read(flow, event, &code));

    return rates_end(flow, rates, code, effect);
}


/* A literal in *code: it has not said anything that can be kept. */
static pay_status_t
rates_read(pay_flow_t *flow, const pay_event_t *event, const char **code)
{
    rates_t                  *rates = flow->state;
    pay_err_t                 err;
    pay_status_t              status;
    const pay_http_answer_t  *answer = event->answer;

    if (answer->sent != PAY_ANSWERED) {
        *code = answer->failure != NULL ? answer->failure : "broken";
        return PAY_OK;
    }

    if (answer->status != STATUS_OK) {
        *code = "http-error";
        return PAY_OK;
    }

    if (event->age_ms > rates->source->max_age_ms) {
        *code = "stale";
        return PAY_OK;
    }

    rates->age_ms = event->age_ms;
    status = pay_rates_parse(flow->arena, answer->body, rates->source->base,
                             &rates->rates, &err);

    if (status == PAY_INVALID) {
        *code = err.slug;
        return PAY_OK;
    }

    return status;
}


static pay_status_t
rates_end(pay_flow_t *flow, rates_t *rates, const char *code,
    pay_effect_t *effect)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 7 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(rates->source->name);
    v[1] = pay_value_text(rates->owner);
    v[2] = pay_value_text(rates->source->base);
    v[3] = code == NULL ? pay_value_text(rates->rates) : pay_value_null();
    v[4] = code == NULL ? pay_value_null() : pay_value_text(pay_str_of(code));
    v[5] = pay_value_int(rates->age_ms);
    v[6] = pay_value_int(rates->source->max_age_ms);

    flow->outcome = code == NULL ? "read" : code;
    pay_do_db(flow, effect, PAY_OP_END_RATES, v, rates_ended);

    return PAY_OK;
}


static pay_status_t
rates_ended(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    if (event->kind != PAY_EVENT_ROW) {
        flow->outcome = "not_stored";
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}

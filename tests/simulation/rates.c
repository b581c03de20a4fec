/*
 * Sources of rates, which workers read, and what follows for sellers that are
 * owed another currency: the median, quotes, amounts by a rate.  An arithmetic
 * of its own, in integers: SQL has another, in decimals.
 */

#include <jansson.h>

#include "sim.h"
#include "../answer.h"


#define LOOKS_MAX   8
#define MILLION     1000000
#define DIGITS      12                   /* of a rate */


typedef struct {
    sim_flow_t        *flow;
    pay_http_answer_t  answer;
} look_t;


static void plan_source(sim_t *sim, unsigned i);
static void look_due(sim_t *sim, void *data);
static pay_str_t document(sim_t *sim, const sim_source_t *source);
static int64_t draw(sim_t *sim, unsigned currency);
static void look_heard(sim_t *sim, void *data);
static int64_t millionths(const char *text);
static int pair(const sim_source_t *source, unsigned currency,
    sim_wide_t *rate);
static sim_wide_t round_rate(sim_wide_t n, sim_wide_t d);


/* What a buyer pays in, and what sellers may be owed: its decimals, and
 * about how much of it is one euro, in millionths. */
const sim_currency_t  sim_currencies[SIM_CURRENCIES] = {
    { "EUR", 2, MILLION }, { "USD", 2, 1084300 }, { "JPY", 0, 163250000 },
    { "KWD", 3, 332100 }
};


void
sim_rates_plan(sim_t *sim)
{
    unsigned  i, n;

    if ((!sim_chance(sim, 400) && !sim_steered(sim, SIM_STEER_RATES))
        || sim_has_cells(sim))
    {
        return;
    }

    sim->source_count = 1 + (unsigned) sim_below(sim, SIM_SOURCES);

    for (i = 0; i < sim->source_count; i++) {
        plan_source(sim, i);
        n = (unsigned) sim_below(sim, LOOKS_MAX);

        if (!sim_chance(sim, 150)) {
            sim_after(sim, 0, look_due, &sim->sources[i]);
        }

        while (n-- > 0) {
            sim_after(sim, sim_between(sim, 0, sim_chance(sim, 500)
                                               ? SIM_MIN : 2 * SIM_HOUR),
                      look_due, &sim->sources[i]);
        }
    }

    sim->env.rates = sim->rate_sources;
    sim->env.rate_count = sim->source_count;
    sim->env.quote_ttl_s = sim_between(sim, 10, 900);
    sim->env.rate_age_s = sim_between(sim, 5, 3600);
}


static void
plan_source(sim_t *sim, unsigned i)
{
    sim_source_t       *source = &sim->sources[i];
    pay_rate_source_t  *rates = &sim->rate_sources[i];

    source->rates = rates;
    source->base = sim_chance(sim, 650) ? 0 : 1;
    rates->name = sim_format(sim, "rates%" PRIu64 "-%u", sim->scenario, i);
    rates->base = pay_str_of(sim_currencies[source->base].code);
    rates->interval_ms = 1000;
    rates->max_age_ms = 1000 * sim_between(sim, 20, 3600);
    rates->index = i;
}


static void
look_due(sim_t *sim, void *data)
{
    unsigned             worker;
    sim_flow_t          *flow;
    const sim_source_t  *source = data;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    flow = sim_flow_new(sim, worker, NULL, NULL);

    if (pay_flow_rates(&flow->core, source->rates,
                       sim->workers[worker].owner) != PAY_OK)
    {
        sim_die("no flow of rates");
    }

    sim_flow_start(flow);
}


/* As a call to a PSP, but nobody minds how often, or when it fails. */
void
sim_rates_get(sim_flow_t *flow)
{
    sim_t               *sim = flow->sim;
    look_t              *look = sim_alloc(sim, sizeof(look_t));
    const sim_faults_t  *faults = &sim->faults;
    pay_http_answer_t   *answer = &look->answer;

    look->flow = flow;
    *answer = answer_blank(PAY_SENT_NOTHING);

    if (sim_fault(sim, faults->net_refused)) {
        answer->sent = PAY_SENT_NOTHING;
        answer->failure = PAY_FAILURE_CONNECT;

    } else if (sim_fault(sim, faults->net_lost)) {
        answer->sent = PAY_SENT_SOME;
        answer->failure = PAY_FAILURE_TIMEOUT;

    } else {
        answer->sent = PAY_ANSWERED;
        answer->reach = PAY_REACH_COMPLETE;
        answer->status = sim_fault(sim, faults->psp_error) ? 500 : 200;
        answer->body = sim_fault(sim, faults->psp_malformed)
            ? PAY_STR("{\"base\":\"EUR\",\"rates\":{\"USD\":\"-1\"}}")
            : document(sim, &sim->sources[flow->effect.rates->index]);
    }

    sim_after(sim, sim_between(sim, 5 * SIM_MS, sim_fault(sim,
                       faults->net_late) ? SIM_MIN : SIM_S), look_heard,
              look);
}


static pay_str_t
document(sim_t *sim, const sim_source_t *source)
{
    int64_t    rate;
    unsigned   i;
    pay_str_t  rates = PAY_STR("");

    for (i = 0; i < SIM_CURRENCIES; i++) {
        if (i == source->base) {
            continue;
        }

        rate = draw(sim, i) * MILLION / sim_currencies[source->base].about;
        rates = sim_format(sim, "%.*s%s\"%s\":\"%" PRId64 ".%06d\"",
                           pay_fmt(rates), rates.len ? "," : "",
                           sim_currencies[i].code, rate / MILLION,
                           (int) (rate % MILLION));
    }

    return sim_format(sim, "{\"base\":\"%s\",\"rates\":{%.*s}}",
                      sim_currencies[source->base].code, pay_fmt(rates));
}


/* Near what it is about; or one by which amounts end on a half. */
static int64_t
draw(sim_t *sim, unsigned currency)
{
    int64_t  about = sim_currencies[currency].about;

    static const int64_t  halves[] = { 500000, 1500000, 50000, 125000 };

    return sim_chance(sim, 300) ? halves[sim_below(sim, 4)]
           : sim_between(sim, about * 9 / 10, about * 11 / 10);
}


static void
look_heard(sim_t *sim, void *data)
{
    look_t        *look = data;
    sim_flow_t    *flow = look->flow;
    pay_input_t    input = { .kind = PAY_INPUT_HTTP };
    sim_worker_t  *worker = &sim->workers[flow->worker];

    if (flow->life == worker->life && sim->now < worker->paused_until) {
        sim_at(sim, worker->paused_until + sim_between(sim, 0, 1000),
               look_heard, look);
        return;
    }

    input.answer = &look->answer;
    sim_flow_event(flow, &input);
}


/* end_rates was committed: a later quote goes by it. */
void
sim_rates_stored(sim_t *sim, const sim_call_t *call)
{
    json_t                    *rates;
    unsigned                   i, k;
    sim_source_t              *source;
    const pay_end_rates_in_t  *args = call->args;

    if (call->result.outcome != PAY_OUTCOME_STORED || args->rates.len == 0) {
        return;
    }

    for (i = 0; i < sim->source_count; i++) {
        source = &sim->sources[i];

        if (!pay_str_eq(source->rates->name, args->source)) {
            continue;
        }

        source->fetched_at = sim->now + sim->db_off;
        rates = json_loadb((const char *) args->rates.data, args->rates.len, 0,
                           NULL);

        for (k = 0; k < SIM_CURRENCIES; k++) {
            source->said[k] = k == source->base ? MILLION
                : millionths(json_string_value(json_object_get(rates,
                                 sim_currencies[k].code)));
        }

        json_decref(rates);
    }
}


static int64_t
millionths(const char *text)
{
    int64_t  n = 0;
    int      decimals = -1;

    for ( ; text != NULL && *text != '\0'; text++) {
        if (*text == '.') {
            decimals = 0;
            continue;
        }

        n = 10 * n + (*text - '0');
        decimals += decimals >= 0;
    }

    for (decimals = decimals < 0 ? 0 : decimals; decimals < 6; decimals++) {
        n *= 10;
    }

    return n;
}


/* Of those whose rates are fresh at this moment; 0: none is.  age: beside
 * what each source allows; INT64_MAX: any. */
sim_wide_t
sim_rates_median(const sim_t *sim, unsigned currency, int64_t age)
{
    int64_t              max, now = sim->now + sim->db_off;
    unsigned             i, k, n = 0;
    sim_wide_t           rate, rates[SIM_SOURCES];
    const sim_source_t  *source;

    for (i = 0; i < sim->source_count; i++) {
        source = &sim->sources[i];
        max = source->rates->max_age_ms * SIM_MS;
        max = age < max ? age : max;

        if (source->fetched_at <= now - max
            || source->fetched_at >= now + SIM_MIN
            || !pair(source, currency, &rate))
        {
            continue;
        }

        for (k = n++; k > 0 && rates[k - 1] > rate; k--) {
            rates[k] = rates[k - 1];
        }

        rates[k] = rate;
    }

    return n == 0 ? 0 : round_rate(rates[(n - 1) / 2] + rates[n / 2], 2);
}


/* How much of a currency one euro is, by this source. */
static int
pair(const sim_source_t *source, unsigned currency, sim_wide_t *rate)
{
    if (source->fetched_at == 0) {
        return 0;
    }

    *rate = round_rate(SIM_RATE_ONE * source->said[currency],
                       source->said[0]);

    return 1;
}


/* 12 significant digits of n/d. */
static sim_wide_t
round_rate(sim_wide_t n, sim_wide_t d)
{
    unsigned    digits = 0;
    sim_wide_t  unit = 1, rest;

    for (rest = n / d; rest > 0; rest /= 10) {
        digits++;
    }

    for ( ; digits > DIGITS; digits--) {
        unit *= 10;
    }

    return sim_half_even(n, d * unit) * unit;
}


/* n/d as a whole number: halves go to the even one. */
sim_wide_t
sim_half_even(sim_wide_t n, sim_wide_t d)
{
    sim_wide_t  whole = n / d, twice = 2 * (n % d);

    return whole + (twice > d || (twice == d && whole % 2 != 0));
}


/* Cents of a euro in minor units of a currency. */
int64_t
sim_rates_convert(int64_t minor, unsigned currency, sim_wide_t rate)
{
    unsigned    i;
    sim_wide_t  n = rate * minor;

    for (i = 0; i < sim_currencies[currency].decimals; i++) {
        n *= 10;
    }

    return (int64_t) sim_half_even(n, SIM_RATE_ONE * 100);
}

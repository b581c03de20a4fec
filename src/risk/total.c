/*
 * The total of a checkout: the champion's probability, rules, windows and the
 * device, weighed, and the decision that it asks for.  docs/risk-score.md
 * defines the parts.  Challengers are scored beside it and act never.
 */

#include <math.h>

#include "risk.h"


#define SIGNALS  3                     /* of a device */


static const pay_risk_scale_t *scale_of(const pay_risk_t *risk,
    const pay_risk_facts_t *facts);
static const pay_risk_scorer_t *champion_of(const pay_risk_t *risk,
    const pay_risk_facts_t *facts);
static void score_models(const pay_risk_t *risk,
    const pay_risk_facts_t *facts, pay_risk_total_t *total);
static int64_t millionths(double number);
static int64_t velocity_part(const pay_risk_counts_t *counts);
static int64_t device_part(const pay_risk_facts_t *facts);
static void weigh(const pay_risk_scale_t *scale, pay_risk_total_t *total);
static void add_features(const pay_risk_total_t *total, pay_buf_t *buf);
static void add_parts(const pay_risk_total_t *total, pay_buf_t *buf);
static void add_model(const pay_risk_scorer_t *scorer, int64_t probability,
    pay_buf_t *buf);
static void add_reasons(const pay_risk_score_t *score, pay_buf_t *buf);
static void add_number(pay_buf_t *buf, int64_t number);


typedef struct {
    const char  *name;
    unsigned     weight;
} part_t;

static const part_t  parts[] = {
    [PAY_RISK_PART_MODEL] = { "model", 400 },
    [PAY_RISK_PART_RULES] = { "rules", 300 },
    [PAY_RISK_PART_VELOCITY] = { "velocity", 200 },
    [PAY_RISK_PART_DEVICE] = { "device", 100 }
};
PAY_ROWS(parts, PAY_RISK_PARTS);

/* The part of rules, by the most severe live one. */
static const int64_t  severities[] = {
    [PAY_RISK_ALLOW] = 0, [PAY_RISK_CHALLENGE] = 333333,
    [PAY_RISK_REVIEW] = 666667, [PAY_RISK_BLOCK] = PAY_RISK_MILLION
};
PAY_ROWS(severities, PAY_RISK_ACTIONS);

static const pay_risk_scale_t  usual = { .weights = { 400, 300, 200, 100 } };


const char *
pay_risk_part_name(pay_risk_part_t part)
{
    return parts[part].name;
}


unsigned
pay_risk_part_weight(pay_risk_part_t part)
{
    return parts[part].weight;
}


int
pay_risk_has_model(const pay_risk_t *risk, const pay_risk_facts_t *facts)
{
    unsigned  i;

    for (i = 0; i < risk->scorer_count; i++) {
        if (pay_risk_is_of(risk->scorers[i].merchant_id, facts)) {
            return 1;
        }
    }

    return 0;
}


int
pay_risk_looks_back(const pay_risk_t *risk, const pay_risk_facts_t *facts)
{
    return pay_risk_has_model(risk, facts)
           && (facts->values[PAY_RISK_buyer].is_known
               || facts->values[PAY_RISK_email].is_known
               || !pay_risk_is_dollar(facts));
}


void
pay_risk_total(const pay_risk_t *risk, const pay_risk_facts_t *facts,
    const pay_risk_counts_t *counts, pay_risk_action_t rules,
    pay_risk_total_t *total)
{
    const pay_risk_scale_t  *scale = scale_of(risk, facts);

    memset(total, 0, sizeof(*total));
    total->then = PAY_RISK_ALLOW;
    total->is_scored = scale != NULL || pay_risk_has_model(risk, facts);

    if (!total->is_scored) {
        return;
    }

    pay_risk_vector(facts, counts, total->features);
    score_models(risk, facts, total);
    total->parts[PAY_RISK_PART_RULES] = severities[rules];
    total->parts[PAY_RISK_PART_VELOCITY] = velocity_part(counts);
    total->parts[PAY_RISK_PART_DEVICE] = device_part(facts);
    weigh(scale != NULL ? scale : &usual, total);
    total->is_shadow |= risk->is_shadow;
}


/* The merchant's own one, else that of all. */
static const pay_risk_scale_t *
scale_of(const pay_risk_t *risk, const pay_risk_facts_t *facts)
{
    unsigned                 i;
    const pay_risk_scale_t  *scale, *found = NULL;

    for (i = 0; i < risk->scale_count; i++) {
        scale = &risk->scales[i];

        if (pay_risk_is_of(scale->merchant_id, facts)
            && (found == NULL || scale->merchant_id.len != 0))
        {
            found = scale;
        }
    }

    return found;
}


static const pay_risk_scorer_t *
champion_of(const pay_risk_t *risk, const pay_risk_facts_t *facts)
{
    unsigned                  i;
    const pay_risk_scorer_t  *scorer, *found = NULL;

    for (i = 0; i < risk->scorer_count; i++) {
        scorer = &risk->scorers[i];

        if (!scorer->is_challenger && pay_risk_is_of(scorer->merchant_id, facts)
            && (found == NULL || scorer->merchant_id.len != 0))
        {
            found = scorer;
        }
    }

    return found;
}


static void
score_models(const pay_risk_t *risk, const pay_risk_facts_t *facts,
    pay_risk_total_t *total)
{
    unsigned                  i, n;
    pay_risk_score_t          score;
    const pay_risk_scorer_t  *scorer;

    total->champion = champion_of(risk, facts);

    if (total->champion != NULL) {
        pay_risk_model_score(total->champion->model, total->features,
                             &total->score);
        total->parts[PAY_RISK_PART_MODEL] =
            millionths(total->score.probability);
    }

    for (i = 0; i < risk->scorer_count; i++) {
        scorer = &risk->scorers[i];
        n = total->challenger_count;

        if (scorer->is_challenger && n < PAY_RISK_MODELS_MAX
            && pay_risk_is_of(scorer->merchant_id, facts))
        {
            pay_risk_model_score(scorer->model, total->features, &score);
            total->challengers[n] = scorer;
            total->probabilities[n] = millionths(score.probability);
            total->challenger_count++;
        }
    }
}


static int64_t
millionths(double number)
{
    return (int64_t) nearbyint(number * (double) PAY_RISK_MILLION);
}


/* How full the fullest live window in memory is. */
static int64_t
velocity_part(const pay_risk_counts_t *counts)
{
    int64_t                     full, fullest = 0;
    unsigned                    i;
    const pay_risk_velocity_t  *velocity;

    for (i = 0; i < counts->count; i++) {
        velocity = counts->items[i].velocity;

        if (velocity->is_shadow || velocity->limit <= 0) {
            continue;
        }

        full = counts->items[i].count >= velocity->limit
               ? PAY_RISK_MILLION
               : counts->items[i].count * PAY_RISK_MILLION / velocity->limit;
        fullest = full > fullest ? full : fullest;
    }

    return fullest;
}


/* The share of a device's signals that the storefront has not sent. */
static int64_t
device_part(const pay_risk_facts_t *facts)
{
    int64_t  missing = !facts->values[PAY_RISK_ip].is_known
                       + !facts->values[PAY_RISK_user_agent].is_known
                       + !facts->values[PAY_RISK_device].is_known;

    return (missing * PAY_RISK_MILLION + SIGNALS / 2) / SIGNALS;
}


static void
weigh(const pay_risk_scale_t *scale, pay_risk_total_t *total)
{
    int       action;
    int64_t   sum = 0;
    unsigned  i;

    for (i = 0; i < PAY_RISK_PARTS; i++) {
        sum += scale->weights[i] * total->parts[i];
    }

    total->total = (sum + PAY_RISK_ONE / 2) / PAY_RISK_ONE;
    total->is_shadow = scale->is_shadow;

    for (action = PAY_RISK_CHALLENGE; action < PAY_RISK_ACTIONS; action++) {
        if (scale->thresholds[action] != 0
            && total->total >= (int64_t) scale->thresholds[action]
                               * (PAY_RISK_MILLION / PAY_RISK_ONE))
        {
            total->then = (pay_risk_action_t) action;
        }
    }
}


void
pay_risk_total_write(const pay_risk_total_t *total, pay_buf_t *buf)
{
    unsigned  i;

    if (!total->is_scored) {
        return;
    }

    add_features(total, buf);
    add_parts(total, buf);

    if (total->champion != NULL) {
        pay_buf_text(buf, ",\"model\":");
        add_model(total->champion, total->parts[PAY_RISK_PART_MODEL], buf);
        add_reasons(&total->score, buf);
        pay_buf_text(buf, "}");
    }

    pay_buf_text(buf, ",\"challengers\":[");

    for (i = 0; i < total->challenger_count; i++) {
        pay_buf_text(buf, i == 0 ? "" : ",");
        add_model(total->challengers[i], total->probabilities[i], buf);
        pay_buf_text(buf, "}");
    }

    pay_buf_text(buf, "]");

    if (total->then != PAY_RISK_ALLOW) {
        pay_buf_text(buf, ",\"then\":\"");
        pay_buf_text(buf, pay_risk_action_name(total->then));
        pay_buf_text(buf, total->is_shadow ? "\",\"shadow\":true"
                                           : "\",\"shadow\":false");
    }

    pay_buf_text(buf, "}");
}


static void
add_features(const pay_risk_total_t *total, pay_buf_t *buf)
{
    unsigned                    i;
    const pay_risk_features_t  *features = pay_risk_features();

    pay_buf_text(buf, ",\"features\":");

    for (i = 0; i < features->count; i++) {
        pay_buf_text(buf, i == 0 ? "{\"" : ",\"");
        pay_buf_text(buf, features->names[i]);
        pay_buf_text(buf, "\":");

        if (isnan(total->features[i])) {
            pay_buf_text(buf, "null");

        } else {
            add_number(buf, millionths(total->features[i]));
        }
    }

    pay_buf_text(buf, "}");
}


static void
add_parts(const pay_risk_total_t *total, pay_buf_t *buf)
{
    unsigned  i;

    pay_buf_text(buf, ",\"score\":{\"total\":");
    add_number(buf, total->total);
    pay_buf_text(buf, ",\"parts\":");

    for (i = 0; i < PAY_RISK_PARTS; i++) {
        pay_buf_text(buf, i == 0 ? "{\"" : ",\"");
        pay_buf_text(buf, parts[i].name);
        pay_buf_text(buf, "\":");
        add_number(buf, total->parts[i]);
    }

    pay_buf_text(buf, "}");
}


/* Its brace stays open. */
static void
add_model(const pay_risk_scorer_t *scorer, int64_t probability, pay_buf_t *buf)
{
    pay_buf_text(buf, "{\"name\":\"");
    pay_buf_json(buf, scorer->name);
    pay_buf_text(buf, "\",\"sha256\":\"");
    pay_buf_text(buf, scorer->sha256);
    pay_buf_text(buf, "\",\"probability\":");
    add_number(buf, probability);
}


static void
add_reasons(const pay_risk_score_t *score, pay_buf_t *buf)
{
    unsigned                    i;
    const pay_risk_features_t  *features = pay_risk_features();

    pay_buf_text(buf, ",\"reasons\":[");

    for (i = 0; i < score->reason_count; i++) {
        pay_buf_text(buf, i == 0 ? "[\"" : ",[\"");
        pay_buf_text(buf, features->names[score->reasons[i].feature]);
        pay_buf_text(buf, "\",");
        add_number(buf, millionths(score->reasons[i].share));
        pay_buf_text(buf, "]");
    }

    pay_buf_text(buf, "]");
}


/* Writes millionths that are not negative, with as many decimals as needed. */
static void
add_number(pay_buf_t *buf, int64_t number)
{
    char      digits[7];
    int64_t   rest = number % PAY_RISK_MILLION;
    unsigned  i, count = 6;

    pay_buf_int(buf, number / PAY_RISK_MILLION);

    if (rest == 0) {
        return;
    }

    for (i = 6; i > 0; i--) {
        digits[i - 1] = (char) ('0' + rest % 10);
        rest /= 10;
    }

    while (digits[count - 1] == '0') {
        count--;
    }

    digits[count] = '\0';
    pay_buf_text(buf, ".");
    pay_buf_text(buf, digits);
}

/*
 * A decision of risk made anew, from its stored facts, hits, features and parts
 * of its score.  Lists, the provider and modes have decided as they did then.
 */

#include <math.h>

#include "risk.h"
#include "pay_json.h"
#include "pay_risk_trial.h"


#define MILLION    INT64_C(1000000)
#define THOUSAND   1000

/* - known, possible: the most severe decision that is asked for, and that may
 *   be; is_allowed: whether an allow is known.
 * - rules, maybe: the most severe live rule that hits, and that may. */
typedef struct {
    const pay_risk_trial_t   *trial;
    const pay_risk_stored_t  *stored;
    pay_risk_tried_t         *tried;
    pay_payment_request_t     request;
    pay_risk_facts_t          facts;
    pay_json_t               *documents[4];
    pay_risk_action_t         known;
    pay_risk_action_t         possible;
    pay_risk_truth_t          is_allowed;
    pay_risk_action_t         rules;
    pay_risk_action_t         maybe;
} attempt_t;

enum { HITS = 0, FACTS, FEATURES, SCORE };


static pay_status_t read_documents(attempt_t *attempt);
static pay_status_t read_facts(attempt_t *attempt);
static pay_status_t read_fact(pay_str_t name, const pay_json_t *value,
    void *data);
static void set_known(attempt_t *attempt);
static void set_number(attempt_t *attempt, pay_risk_attribute_t attribute,
    int64_t number);
static pay_status_t keep_hits(attempt_t *attempt);
static pay_risk_truth_t kept(const attempt_t *attempt, const pay_json_t *hit);
static pay_risk_truth_t truth_of(int is_so);
static int64_t count_of(const attempt_t *attempt, pay_str_t name);
static void try_rules(attempt_t *attempt);
static void try_velocities(attempt_t *attempt);
static pay_risk_truth_t velocity_truth(const attempt_t *attempt,
    const pay_risk_velocity_t *velocity);
static void count_hit(attempt_t *attempt, pay_risk_truth_t hits,
    pay_risk_action_t then);
static const pay_risk_trial_scale_t *scale_of(const attempt_t *attempt);
static void try_score(attempt_t *attempt);
static int read_parts(const attempt_t *attempt,
    int64_t parts[PAY_RISK_TRIAL_PARTS]);
static int score_model(const attempt_t *attempt, int64_t *part);
static pay_risk_action_t action_of(const pay_risk_trial_scale_t *scale,
    int64_t parts[PAY_RISK_TRIAL_PARTS], pay_risk_action_t rules);
static int number_of(const pay_json_t *json, double *number);
static void decide(attempt_t *attempt);


static const char *const  part_names[PAY_RISK_TRIAL_PARTS] = {
    "model", "rules", "velocity", "device"
};

/* The part of the most severe live rule that hits, in millionths. */
static const int64_t  severities[] = {
    [PAY_RISK_ALLOW] = 0, [PAY_RISK_CHALLENGE] = 333333,
    [PAY_RISK_REVIEW] = 666667, [PAY_RISK_BLOCK] = MILLION
};
PAY_ROWS(severities, PAY_RISK_ACTIONS);


pay_status_t
pay_risk_try(const pay_risk_trial_t *trial, const pay_risk_stored_t *stored,
    pay_risk_tried_t *tried)
{
    size_t        i;
    attempt_t     attempt;
    pay_status_t  status;

    memset(&attempt, 0, sizeof(attempt));
    memset(tried, 0, sizeof(*tried));
    attempt.trial = trial;
    attempt.stored = stored;
    attempt.tried = tried;

    status = read_documents(&attempt);

    if (status == PAY_OK) {
        status = read_facts(&attempt);
    }

    if (status == PAY_OK) {
        status = keep_hits(&attempt);
    }

    if (status == PAY_OK) {
        try_rules(&attempt);
        try_velocities(&attempt);
        try_score(&attempt);
        decide(&attempt);

    } else if (status == PAY_NOT_FOUND) {
        /* a member that is missing, or of another type */
        status = PAY_INVALID;
    }

    for (i = 0; i < sizeof(attempt.documents) / sizeof(attempt.documents[0]);
         i++)
    {
        pay_json_free(attempt.documents[i]);
    }

    return status;
}


static pay_status_t
read_documents(attempt_t *attempt)
{
    size_t     i;
    pay_err_t  unused;

    const pay_str_t  texts[] = {
        attempt->stored->hits, attempt->stored->facts,
        attempt->stored->features, attempt->stored->score
    };

    const pay_json_limits_t  limits = { .max_width = 1024 };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].len == 0) {
            continue;
        }

        PAY_TRY(pay_json_parse(texts[i], &limits, &attempt->documents[i],
                               &unused));

        if (pay_json_type(attempt->documents[i])
            != (i == HITS ? PAY_JSON_ARRAY : PAY_JSON_OBJECT))
        {
            return PAY_INVALID;
        }
    }

    return pay_currency_find(attempt->stored->currency,
                             &attempt->request.currency, &unused);
}


/* Facts that were purged are lost, but for those that the checkout has. */
static pay_status_t
read_facts(attempt_t *attempt)
{
    unsigned  i;

    attempt->facts.request = &attempt->request;
    attempt->facts.merchant_id = attempt->stored->merchant_id;
    attempt->facts.now_s = attempt->stored->at_s;

    if (attempt->documents[FACTS] == NULL) {
        for (i = 0; i < PAY_RISK_ATTRIBUTES; i++) {
            attempt->facts.values[i].is_lost = 1;
        }

    } else {
        PAY_TRY(pay_json_each(attempt->documents[FACTS], read_fact, attempt));
    }

    set_known(attempt);

    return PAY_OK;
}


/* An attribute of a later version of the gateway is passed over. */
static pay_status_t
read_fact(pay_str_t name, const pay_json_t *value, void *data)
{
    unsigned           i;
    attempt_t         *attempt = data;
    pay_risk_value_t  *fact;

    for (i = 0; i < PAY_RISK_ATTRIBUTES; i++) {
        if (!pay_str_is(name, pay_risk_attributes[i].name)) {
            continue;
        }

        fact = &attempt->facts.values[i];
        fact->is_known = 1;
        fact->is_hidden = pay_json_type(value) == PAY_JSON_TRUE;

        if (fact->is_hidden) {
            return PAY_OK;
        }

        return pay_risk_attributes[i].type == PAY_RISK_TEXT
               ? pay_json_string(value, &fact->text)
               : pay_json_integer(value, &fact->number);
    }

    return PAY_OK;
}


static void
set_known(attempt_t *attempt)
{
    int64_t  at_s = attempt->stored->at_s, day = at_s / 86400;

    set_number(attempt, PAY_RISK_amount, attempt->stored->amount_minor);
    set_number(attempt, PAY_RISK_hour, at_s % 86400 / 3600);
    set_number(attempt, PAY_RISK_weekday, (day + 3) % 7 + 1);
    set_number(attempt, PAY_RISK_currency, 0);
    attempt->facts.values[PAY_RISK_currency].text = attempt->stored->currency;
}


/* The value of the facts stands, where there is one. */
static void
set_number(attempt_t *attempt, pay_risk_attribute_t attribute, int64_t number)
{
    pay_risk_value_t  *value = &attempt->facts.values[attribute];

    if (!value->is_known) {
        memset(value, 0, sizeof(*value));
        value->is_known = 1;
        value->number = number;
    }
}


static pay_status_t
keep_hits(attempt_t *attempt)
{
    size_t             i;
    pay_str_t          then;
    const pay_json_t  *hit;
    pay_risk_action_t  action;

    for (i = 0; i < pay_json_size(attempt->documents[HITS]); i++) {
        hit = pay_json_at(attempt->documents[HITS], i);
        PAY_TRY(pay_json_string(pay_json_get(hit, "then"), &then));
        PAY_TRY(pay_risk_action_find(then, &action));

        if (!pay_json_is_true(pay_json_get(hit, "shadow"))) {
            count_hit(attempt, kept(attempt, hit), action);
        }
    }

    return PAY_OK;
}


/* Rules and thresholds are tried anew.  A window in memory is stored as a hit
 * of a rule, and is one by its name among the counts; without the facts nobody
 * can say which of both it was. */
static pay_risk_truth_t
kept(const attempt_t *attempt, const pay_json_t *hit)
{
    pay_str_t  by = { 0, NULL }, name;

    if (pay_json_string(pay_json_get(hit, "by"), &by) != PAY_OK
        || pay_str_is(by, "score"))
    {
        return PAY_RISK_NO;
    }

    if (pay_str_is(by, "window")) {
        return truth_of(attempt->trial->keeps_windows);
    }

    if (!pay_str_is(by, "rule")) {
        return PAY_RISK_YES;
    }

    if (!attempt->trial->keeps_windows
        || pay_json_string(pay_json_get(hit, "name"), &name) != PAY_OK)
    {
        return PAY_RISK_NO;
    }

    return attempt->documents[FACTS] == NULL
           ? PAY_RISK_UNKNOWN : truth_of(count_of(attempt, name) >= 0);
}


static pay_risk_truth_t
truth_of(int is_so)
{
    return is_so ? PAY_RISK_YES : PAY_RISK_NO;
}


/* The greatest count in memory that is stored under this name; -1: none. */
static int64_t
count_of(const attempt_t *attempt, pay_str_t name)
{
    size_t             i;
    int64_t            count, most = -1;
    pay_str_t          stored;
    const pay_json_t  *item, *counts;

    counts = pay_json_get(attempt->documents[FACTS], "counts");

    for (i = 0; i < pay_json_size(counts); i++) {
        item = pay_json_at(counts, i);

        if (pay_json_string(pay_json_at(item, 0), &stored) == PAY_OK
            && pay_json_integer(pay_json_at(item, 1), &count) == PAY_OK
            && pay_str_eq(stored, name))
        {
            most = count > most ? count : most;
        }
    }

    return most;
}


static void
try_rules(attempt_t *attempt)
{
    unsigned                i;
    pay_risk_truth_t        hits;
    const pay_risk_rule_t  *rule;

    for (i = 0; i < attempt->trial->rule_count; i++) {
        rule = &attempt->trial->rules[i];

        hits = pay_risk_is_of(rule->merchant_id, &attempt->facts)
               ? pay_risk_rule_truth(rule, &attempt->facts) : PAY_RISK_NO;
        attempt->tried->lines[i] = hits;

        if (rule->is_shadow) {
            continue;
        }

        count_hit(attempt, hits, rule->then);

        if (hits == PAY_RISK_YES && rule->then > attempt->rules) {
            attempt->rules = rule->then;
        }

        if (hits != PAY_RISK_NO && rule->then > attempt->maybe) {
            attempt->maybe = rule->then;
        }
    }
}


static void
try_velocities(attempt_t *attempt)
{
    unsigned                    i;
    pay_risk_truth_t            hits;
    const pay_risk_trial_t     *trial = attempt->trial;
    const pay_risk_velocity_t  *velocity;

    for (i = 0; i < trial->velocity_count && !trial->keeps_windows; i++) {
        velocity = &trial->velocities[i];

        hits = pay_risk_is_of(velocity->merchant_id, &attempt->facts)
               ? velocity_truth(attempt, velocity) : PAY_RISK_NO;
        attempt->tried->lines[trial->rule_count + i] = hits;

        if (!velocity->is_shadow) {
            count_hit(attempt, hits, velocity->then);
        }
    }
}


/* Counts of memory are stored with the facts, by name; those of PostgreSQL are
 * not.  A window by a key that the checkout has not counts nothing. */
static pay_risk_truth_t
velocity_truth(const attempt_t *attempt, const pay_risk_velocity_t *velocity)
{
    int64_t                  count;
    const pay_risk_value_t  *key;

    key = &attempt->facts.values[pay_risk_key_rows[velocity->key].attribute];

    if (!key->is_known && !key->is_lost) {
        return PAY_RISK_NO;
    }

    count = pay_risk_in_memory(velocity) ? count_of(attempt, velocity->name)
                                         : -1;

    return count < 0 ? PAY_RISK_UNKNOWN : truth_of(count > velocity->limit);
}


static void
count_hit(attempt_t *attempt, pay_risk_truth_t hits, pay_risk_action_t then)
{
    if (hits == PAY_RISK_NO) {
        return;
    }

    if (then == PAY_RISK_ALLOW && hits > attempt->is_allowed) {
        attempt->is_allowed = hits;
    }

    if (hits == PAY_RISK_YES && then > attempt->known) {
        attempt->known = then;
    }

    if (then > attempt->possible) {
        attempt->possible = then;
    }
}


/* The merchant's own one, else that of all. */
static const pay_risk_trial_scale_t *
scale_of(const attempt_t *attempt)
{
    unsigned                       i;
    const pay_risk_trial_scale_t  *scale, *found = NULL;

    for (i = 0; i < attempt->trial->scale_count; i++) {
        scale = &attempt->trial->scales[i];

        if (pay_risk_is_of(scale->merchant_id, &attempt->facts)
            && (found == NULL || scale->merchant_id.len != 0))
        {
            found = scale;
        }
    }

    return found;
}


/* Without the parts of then, each threshold may have been reached. */
static void
try_score(attempt_t *attempt)
{
    int                            action;
    int64_t                        parts[PAY_RISK_TRIAL_PARTS];
    pay_risk_action_t              least = PAY_RISK_ALLOW, most = least;
    const pay_risk_trial_scale_t  *scale = scale_of(attempt);

    if (scale == NULL) {
        return;
    }

    if (read_parts(attempt, parts)) {
        least = action_of(scale, parts, attempt->rules);
        most = action_of(scale, parts, attempt->maybe);

    } else {
        for (action = PAY_RISK_CHALLENGE; action < PAY_RISK_ACTIONS; action++) {
            most = scale->thresholds[action] != 0 ? (pay_risk_action_t) action
                                                  : most;
        }
    }

    attempt->tried->score = least != PAY_RISK_ALLOW ? PAY_RISK_YES
                            : most != PAY_RISK_ALLOW ? PAY_RISK_UNKNOWN
                            : PAY_RISK_NO;

    if (!scale->is_shadow && most != PAY_RISK_ALLOW) {
        count_hit(attempt, PAY_RISK_UNKNOWN, most);
    }

    if (!scale->is_shadow && least != PAY_RISK_ALLOW) {
        count_hit(attempt, PAY_RISK_YES, least);
    }
}


/* 0: one is not stored. */
static int
read_parts(const attempt_t *attempt, int64_t parts[PAY_RISK_TRIAL_PARTS])
{
    double             number;
    unsigned           i;
    const pay_json_t  *stored;

    stored = pay_json_get(attempt->documents[SCORE], "parts");

    for (i = 0; i < PAY_RISK_TRIAL_PARTS; i++) {
        if (!number_of(pay_json_get(stored, part_names[i]), &number)
            || !(number >= 0 && number <= 1))
        {
            return 0;
        }

        parts[i] = (int64_t) nearbyint(number * (double) MILLION);
    }

    return attempt->trial->model == NULL || score_model(attempt, &parts[0]);
}


/* A vector of another list of features cannot be scored. */
static int
score_model(const attempt_t *attempt, int64_t *part)
{
    double                      values[PAY_RISK_FEATURES_MAX];
    unsigned                    i;
    pay_risk_score_t            score;
    const pay_json_t           *stored = attempt->documents[FEATURES], *value;
    const pay_risk_features_t  *features = pay_risk_features();

    if (pay_json_size(stored) != features->count) {
        return 0;
    }

    for (i = 0; i < features->count; i++) {
        value = pay_json_get(stored, features->names[i]);
        values[i] = NAN;

        if (value == NULL || (pay_json_type(value) != PAY_JSON_NULL
                              && !number_of(value, &values[i])))
        {
            return 0;
        }
    }

    pay_risk_model_score(attempt->trial->model, values, &score);
    *part = (int64_t) nearbyint(score.probability * (double) MILLION);

    return 1;
}


static pay_risk_action_t
action_of(const pay_risk_trial_scale_t *scale,
    int64_t parts[PAY_RISK_TRIAL_PARTS], pay_risk_action_t rules)
{
    int                action;
    int64_t            total = 0;
    unsigned           i;
    pay_risk_action_t  then = PAY_RISK_ALLOW;

    parts[1] = severities[rules];

    for (i = 0; i < PAY_RISK_TRIAL_PARTS; i++) {
        total += scale->weights[i] * parts[i];
    }

    total = (total + THOUSAND / 2) / THOUSAND;

    for (action = PAY_RISK_CHALLENGE; action < PAY_RISK_ACTIONS; action++) {
        if (scale->thresholds[action] != 0
            && total >= scale->thresholds[action] * (MILLION / THOUSAND))
        {
            then = (pay_risk_action_t) action;
        }
    }

    return then;
}


static int
number_of(const pay_json_t *json, double *number)
{
    int64_t  whole;

    if (pay_json_integer(json, &whole) == PAY_OK) {
        *number = (double) whole;
        return 1;
    }

    return pay_json_real(json, number) == PAY_OK;
}


/* An allow ends all, else the most severe word counts.  Where one that is not
 * known could change that, the decision is not known. */
static void
decide(attempt_t *attempt)
{
    pay_risk_tried_t  *tried = attempt->tried;

    tried->decision = attempt->is_allowed == PAY_RISK_YES ? PAY_RISK_ALLOW
                                                          : attempt->known;
    tried->is_known = attempt->is_allowed == PAY_RISK_YES
                      || (attempt->possible == attempt->known
                          && (attempt->is_allowed == PAY_RISK_NO
                              || attempt->known == PAY_RISK_ALLOW));
}

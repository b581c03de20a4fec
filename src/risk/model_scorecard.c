/*
 * Scorecards and logistic regressions as JSON:
 *
 *   {"form":"scorecard", "features_hash":"…", "intercept":-3.1, "features":[
 *     {"name":"hour", "bins":[6,22], "points":[0.4,-0.1,0.2],
 *      "missing":0, "average":0.1},
 *     {"name":"amount_log", "mean":4.1, "scale":1.2, "weight":0.3,
 *      "missing":0, "average":0}]}
 *
 * The sum of the points and the intercept is a log odds.
 */

#include <math.h>

#include "pay_json.h"
#include "risk/model.h"


#define CARD_WIDTH    256              /* members, or bins of a feature */
#define CARD_VALUES   65536
#define CARD_MEMBERS  6
#define CARD_Z_MAX    20               /* of (value - mean) / scale */

typedef struct {
    pay_arena_t       *arena;
    pay_risk_model_t  *model;
    pay_err_t         *err;
} card_reader_t;


static int scorecard_fits(pay_str_t bytes);
static pay_status_t scorecard_read(pay_arena_t *arena, pay_str_t bytes,
    pay_risk_model_t *model, pay_err_t *err);
static pay_status_t top_read(card_reader_t *reader, const pay_json_t *json);
static pay_status_t top_member(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t cards_read(card_reader_t *reader, const pay_json_t *json);
static pay_status_t card_read(card_reader_t *reader, const pay_json_t *json,
    unsigned n);
static pay_status_t card_member(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t card_name(card_reader_t *reader, const pay_json_t *json,
    unsigned n);
static pay_status_t card_line(card_reader_t *reader, const pay_json_t *json,
    unsigned n);
static pay_status_t card_bins(card_reader_t *reader, const pay_json_t *json,
    unsigned n);
static pay_status_t card_list(card_reader_t *reader, const pay_json_t *list,
    const char *name, unsigned n, double *numbers);
static pay_status_t card_number(card_reader_t *reader, const pay_json_t *json,
    const char *name, unsigned n, double *number);
static int card_value(const pay_json_t *json, double *number);
static pay_status_t card_refuse(card_reader_t *reader, unsigned n,
    const char *name, const char *why);
static void scorecard_score(const pay_risk_model_t *model,
    const double *values, pay_risk_score_t *score);
static double card_points(const pay_risk_card_t *card, double value);


const pay_risk_form_t  pay_risk_scorecard = {
    "scorecard", scorecard_fits, scorecard_read, scorecard_score
};


static int
scorecard_fits(pay_str_t bytes)
{
    return bytes.len > 0 && bytes.data[0] == '{';
}


static pay_status_t
scorecard_read(pay_arena_t *arena, pay_str_t bytes, pay_risk_model_t *model,
    pay_err_t *err)
{
    pay_json_t         *json;
    pay_status_t        status;
    card_reader_t       reader = { arena, model, err };
    pay_json_limits_t   limits = {
        PAY_RISK_MODEL_MAX, 4, CARD_WIDTH, CARD_VALUES
    };

    status = pay_json_parse(bytes, &limits, &json, err);

    if (status == PAY_INVALID && err != NULL) {
        err->slug = "risk-model-invalid";
    }

    PAY_TRY(status);
    status = top_read(&reader, json);
    pay_json_free(json);

    return status;
}


static pay_status_t
top_read(card_reader_t *reader, const pay_json_t *json)
{
    pay_str_t          text;
    pay_risk_model_t  *model = reader->model;

    model->sigmoid = 1;
    PAY_TRY(pay_json_each(json, top_member, reader));

    if (pay_json_string(pay_json_get(json, "form"), &text) != PAY_OK
        || !pay_str_is(text, "scorecard"))
    {
        return card_refuse(reader, 0, "form", "is not scorecard");
    }

    if (pay_json_string(pay_json_get(json, "features_hash"), &text) != PAY_OK) {
        return card_refuse(reader, 0, "features_hash", "is missing");
    }

    PAY_TRY(pay_risk_feature_check(model->features, text, reader->err));
    PAY_TRY(card_number(reader, json, "intercept", 0, &model->intercept));

    return cards_read(reader, pay_json_get(json, "features"));
}


static pay_status_t
top_member(pay_str_t name, const pay_json_t *value, void *data)
{
    (void) value;

    return pay_str_is(name, "form") || pay_str_is(name, "features_hash")
           || pay_str_is(name, "intercept") || pay_str_is(name, "features")
           ? PAY_OK : card_refuse(data, 0, "", "a member is unknown");
}


static pay_status_t
cards_read(card_reader_t *reader, const pay_json_t *json)
{
    unsigned           i, k;
    pay_risk_model_t  *model = reader->model;

    if (pay_json_type(json) != PAY_JSON_ARRAY || pay_json_size(json) == 0
        || pay_json_size(json) > model->features->count)
    {
        return card_refuse(reader, 0, "features",
                           "is no list of features that are compiled in");
    }

    model->card_count = (unsigned) pay_json_size(json);
    model->cards = pay_calloc(reader->arena, model->card_count
                              * sizeof(*model->cards));
    if (model->cards == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < model->card_count; i++) {
        PAY_TRY(card_read(reader, pay_json_at(json, i), i));

        for (k = 0; k < i; k++) {
            if (model->cards[k].feature == model->cards[i].feature) {
                return card_refuse(reader, i + 1, "name", "stands here twice");
            }
        }
    }

    return PAY_OK;
}


/* CARD_MEMBERS of a line, one less with bins: a count and the members that are
 * required leave no room for unknown ones. */
static pay_status_t
card_read(card_reader_t *reader, const pay_json_t *json, unsigned n)
{
    pay_risk_card_t  *card = &reader->model->cards[n];
    int               has_bins = pay_json_get(json, "bins") != NULL;

    PAY_TRY(pay_json_each(json, card_member, reader));

    if (pay_json_size(json) != CARD_MEMBERS - (unsigned) has_bins) {
        return card_refuse(reader, n + 1, "",
                           "has not name, missing, average and either bins "
                           "and points or mean, scale and weight");
    }

    PAY_TRY(card_name(reader, json, n));
    PAY_TRY(card_number(reader, json, "missing", n + 1, &card->missing));
    PAY_TRY(card_number(reader, json, "average", n + 1, &card->average));

    return has_bins ? card_bins(reader, json, n) : card_line(reader, json, n);
}


static pay_status_t
card_member(pay_str_t name, const pay_json_t *value, void *data)
{
    size_t  i;

    static const char *const  names[] = {
        "name", "missing", "average", "bins", "points", "mean", "scale",
        "weight"
    };

    (void) value;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (pay_str_is(name, names[i])) {
            return PAY_OK;
        }
    }

    return card_refuse(data, 0, "features", "a member is unknown");
}


static pay_status_t
card_name(card_reader_t *reader, const pay_json_t *json, unsigned n)
{
    pay_str_t          name;
    pay_risk_model_t  *model = reader->model;

    if (pay_json_string(pay_json_get(json, "name"), &name) != PAY_OK
        || pay_risk_feature_find(model->features, name,
                                 &model->cards[n].feature) != PAY_OK)
    {
        return card_refuse(reader, n + 1, "name", "no such feature");
    }

    return PAY_OK;
}


static pay_status_t
card_line(card_reader_t *reader, const pay_json_t *json, unsigned n)
{
    pay_risk_card_t  *card = &reader->model->cards[n];

    PAY_TRY(card_number(reader, json, "mean", n + 1, &card->mean));
    PAY_TRY(card_number(reader, json, "scale", n + 1, &card->scale));
    PAY_TRY(card_number(reader, json, "weight", n + 1, &card->weight));

    return card->scale > 0
           ? PAY_OK : card_refuse(reader, n + 1, "scale", "is not above 0");
}


static pay_status_t
card_bins(card_reader_t *reader, const pay_json_t *json, unsigned n)
{
    size_t             i, count;
    pay_risk_card_t   *card = &reader->model->cards[n];
    const pay_json_t  *bins = pay_json_get(json, "bins");
    const pay_json_t  *points = pay_json_get(json, "points");

    count = pay_json_size(bins);

    if (pay_json_type(bins) != PAY_JSON_ARRAY || count == 0
        || pay_json_type(points) != PAY_JSON_ARRAY
        || pay_json_size(points) != count + 1)
    {
        return card_refuse(reader, n + 1, "points",
                           "is not one more than bins");
    }

    card->bin_count = (unsigned) count;
    card->bins = pay_alloc(reader->arena, count * sizeof(double));
    card->points = pay_alloc(reader->arena, (count + 1) * sizeof(double));
    if (card->bins == NULL || card->points == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(card_list(reader, bins, "bins", n, card->bins));
    PAY_TRY(card_list(reader, points, "points", n, card->points));

    for (i = 1; i < count; i++) {
        if (!(card->bins[i] > card->bins[i - 1])) {
            return card_refuse(reader, n + 1, "bins", "is not ascending");
        }
    }

    return PAY_OK;
}


static pay_status_t
card_list(card_reader_t *reader, const pay_json_t *list, const char *name,
    unsigned n, double *numbers)
{
    size_t  i;

    for (i = 0; i < pay_json_size(list); i++) {
        if (!card_value(pay_json_at(list, i), &numbers[i])) {
            return card_refuse(reader, n + 1, name,
                               "has no number within the limits");
        }
    }

    return PAY_OK;
}


static pay_status_t
card_number(card_reader_t *reader, const pay_json_t *json, const char *name,
    unsigned n, double *number)
{
    return card_value(pay_json_get(json, name), number)
           ? PAY_OK : card_refuse(reader, n, name,
                                  "is no number within the limits");
}


static int
card_value(const pay_json_t *json, double *number)
{
    int64_t  integer;

    if (pay_json_integer(json, &integer) == PAY_OK) {
        *number = (double) integer;

    } else if (pay_json_real(json, number) != PAY_OK) {
        return 0;
    }

    return fabs(*number) <= PAY_RISK_VALUE_MAX;
}


/* The n-th feature, the first is 1; 0: the model as a whole. */
static pay_status_t
card_refuse(card_reader_t *reader, unsigned n, const char *name,
    const char *why)
{
    (void) pay_refuse(reader->err, "risk-model-invalid",
                      "The model cannot be read.");

    if (n == 0) {
        pay_err_say(reader->err, "%s: %s", name, why);
    } else {
        pay_err_say(reader->err, "feature %u: %s: %s", n, name, why);
    }

    return PAY_INVALID;
}


/* A feature is a reason when it adds more than it does to most scores. */
static void
scorecard_score(const pay_risk_model_t *model, const double *values,
    pay_risk_score_t *score)
{
    double                  points;
    unsigned                i;
    const pay_risk_card_t  *card;

    score->raw = model->intercept;
    score->base = model->intercept;

    for (i = 0; i < model->card_count; i++) {
        card = &model->cards[i];
        points = card_points(card, values[card->feature]);
        score->raw += points;
        score->base += card->average;
        score->contributions[card->feature] = points - card->average;
    }
}


/* Bounded, so that one absurd value does not outweigh all others. */
static double
card_points(const pay_risk_card_t *card, double value)
{
    double    z;
    unsigned  i;

    if (isnan(value)) {
        return card->missing;
    }

    if (card->bin_count == 0) {
        z = (value - card->mean) / card->scale;
        z = fmin(fmax(z, -CARD_Z_MAX), CARD_Z_MAX);
        return z * card->weight;
    }

    i = 0;

    while (i < card->bin_count && value > card->bins[i]) {
        i++;
    }

    return card->points[i];
}

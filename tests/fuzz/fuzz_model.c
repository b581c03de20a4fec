/*
 * Fuzz target: learned scores of risk, as LightGBM's text and as scorecards,
 * for the features a, b and c.  Whatever the bytes: a model that is read scores
 * every vector, its parts add up to the score, and its reasons are sorted; a
 * model that is not read says why and leaves nothing behind.
 */

#include "fuzz.h"

#include <float.h>
#include <math.h>

#include "pay_risk_model.h"


#define must  FUZZ_CHECK
#define FEATURES  3

static void check_scores(const pay_risk_model_t *model);
static void check_score(const pay_risk_model_t *model, const double *values);
static void check_reasons(const pay_risk_score_t *score);


static const char *const  names[] = { "a", "b", "c" };

static const double  values[] = {
    0, -0.0, 1, -1, 0.5, 31, 32, 63.9, 1e-36, -1e-35, 1e300, -1e300, DBL_MIN,
    2147483647.0, 2147483648.0, NAN, INFINITY, -INFINITY
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pay_err_t                err = { .slug = NULL };
    pay_str_t                text = { size, data };
    pay_heap_t              *heap = pay_heap_create();
    pay_status_t             status;
    pay_risk_features_t      features = { names, FEATURES };
    const pay_risk_model_t  *model = NULL;

    must(heap != NULL);
    status = pay_risk_model_read(pay_heap_arena(heap), text, &features,
                                 &model, &err);
    must(status == PAY_OK || status == PAY_INVALID);

    if (status == PAY_OK) {
        check_scores(model);
    } else {
        must(model == NULL);
        fuzz_refused(&err);
    }

    pay_heap_destroy(heap);

    return 0;
}


static void
check_scores(const pay_risk_model_t *model)
{
    double  vector[FEATURES];
    size_t  i, count = sizeof(values) / sizeof(values[0]);

    must(pay_risk_model_form(model)[0] != '\0');
    must(pay_risk_model_trees(model) <= PAY_RISK_MODEL_TREES_MAX);

    for (i = 0; i < count; i++) {
        vector[0] = values[i];
        vector[1] = values[(i * 5 + 1) % count];
        vector[2] = values[(i * 7 + 3) % count];
        check_score(model, vector);
    }
}


/* Leaves are at most 1e9 each, so that rounding stays below 1 by far. */
static void
check_score(const pay_risk_model_t *model, const double *vector)
{
    double            sum;
    unsigned          i;
    pay_risk_score_t  score, again;

    pay_risk_model_score(model, vector, &score);
    pay_risk_model_score(model, vector, &again);
    must(memcmp(&score, &again, sizeof(score)) == 0);
    must(isfinite(score.raw) && isfinite(score.base));
    must(score.probability >= 0 && score.probability <= 1);

    sum = score.base;

    for (i = 0; i < FEATURES; i++) {
        must(isfinite(score.contributions[i]));
        sum += score.contributions[i];
    }

    must(fabs(sum - score.raw) <= 1);

    for ( ; i < PAY_RISK_FEATURES_MAX; i++) {
        must(score.contributions[i] == 0);
    }

    check_reasons(&score);
}


static void
check_reasons(const pay_risk_score_t *score)
{
    double    sum = 0;
    unsigned  i, seen = 0;

    must(score->reason_count <= FEATURES);

    for (i = 0; i < score->reason_count; i++) {
        must(score->reasons[i].feature < FEATURES);
        must(score->contributions[score->reasons[i].feature] > 0);
        must(!(seen & 1u << score->reasons[i].feature));
        must(i == 0 || score->reasons[i].share <= score->reasons[i - 1].share);
        seen |= 1u << score->reasons[i].feature;
        sum += score->reasons[i].share;
    }

    must(sum <= 1 + 1e-9);
}

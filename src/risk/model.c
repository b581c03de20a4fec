/*
 * The learned score: finds the form of a model's text, and makes probability
 * and reasons of any form's sum.
 */

#include <math.h>

#include "risk/model.h"


#define SHARE_MIN  0.01                /* a smaller part is no reason */


static void score_reasons(pay_risk_score_t *score, unsigned count);
static void score_reason(pay_risk_score_t *score, unsigned feature,
    double share);


static const pay_risk_form_t *const  forms[] = {
    &pay_risk_lightgbm, &pay_risk_scorecard
};


pay_status_t
pay_risk_model_read(pay_arena_t *arena, pay_str_t text,
    const pay_risk_features_t *features, const pay_risk_model_t **model,
    pay_err_t *err)
{
    size_t             i;
    pay_risk_model_t  *made;

    if (features->count == 0 || features->count > PAY_RISK_FEATURES_MAX) {
        return PAY_BUG;
    }

    if (text.len > PAY_RISK_MODEL_MAX) {
        return pay_refuse(err, "risk-model-invalid",
                          "The model has more than 16 MB.");
    }

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (!forms[i]->fits(text)) {
            continue;
        }

        made = pay_calloc(arena, sizeof(*made));
        if (made == NULL) {
            return PAY_NO_MEMORY;
        }

        made->form = forms[i];
        made->features = features;
        PAY_TRY(forms[i]->read(arena, text, made, err));
        *model = made;

        return PAY_OK;
    }

    return pay_refuse(err, "risk-model-invalid",
                      "This is neither a text of LightGBM nor a scorecard.");
}


void
pay_risk_model_score(const pay_risk_model_t *model, const double *values,
    pay_risk_score_t *score)
{
    memset(score, 0, sizeof(*score));
    model->form->score(model, values, score);
    score->probability = 1.0 / (1.0 + exp(-model->sigmoid * score->raw));
    score_reasons(score, model->features->count);
}


const char *
pay_risk_model_form(const pay_risk_model_t *model)
{
    return model->form->name;
}


unsigned
pay_risk_model_trees(const pay_risk_model_t *model)
{
    return model->tree_count;
}


static void
score_reasons(pay_risk_score_t *score, unsigned count)
{
    double    all = 0;
    unsigned  i;

    for (i = 0; i < count; i++) {
        all += fmax(score->contributions[i], 0);
    }

    for (i = 0; i < count && all > 0; i++) {
        if (score->contributions[i] / all >= SHARE_MIN) {
            score_reason(score, i, score->contributions[i] / all);
        }
    }
}


/* Sorted in; of equal shares the first feature of the list stays in front. */
static void
score_reason(pay_risk_score_t *score, unsigned feature, double share)
{
    unsigned            at = score->reason_count;
    pay_risk_reason_t  *reasons = score->reasons;

    if (at == PAY_RISK_REASONS_MAX) {
        if (share <= reasons[--at].share) {
            return;
        }
    } else {
        score->reason_count++;
    }

    for (; at > 0 && share > reasons[at - 1].share; at--) {
        reasons[at] = reasons[at - 1];
    }

    reasons[at].feature = feature;
    reasons[at].share = share;
}

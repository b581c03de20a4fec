/*
 * Risk: the learned score of a checkout.  A model is a text that an operator
 * has trained elsewhere (tools/risk/train.py); it is read once, checked
 * throughout, and from then on scored without memory, I/O or failure.
 *
 * Two forms are read, which the text itself tells apart:
 * - LightGBM's text (Booster.save_model(), version v4) with one line more in
 *   its head, features_hash=…, which LightGBM ignores.  Scores are those of
 *   LightGBM to the last bit: the rules are those of its class Tree.
 * - a scorecard or logistic regression as JSON, "form": "scorecard"
 *   (docs/risk-score.md#the-scorecard).
 */

#ifndef PAY_RISK_MODEL_H
#define PAY_RISK_MODEL_H

#include "pay_crypto.h"


#define PAY_RISK_MODEL_MAX         (16 << 20)  /* bytes of a text */
#define PAY_RISK_MODEL_TREES_MAX   5000
#define PAY_RISK_MODEL_LEAVES_MAX  4096        /* of a tree */
#define PAY_RISK_MODEL_NODES_MAX   (1 << 19)   /* of all trees: 20 MB */
#define PAY_RISK_MODEL_DEPTH_MAX   64          /* nodes on the way to a leaf */
#define PAY_RISK_MODEL_WORDS_MAX   (1 << 20)   /* of 32 categories, in all */
#define PAY_RISK_VALUE_MAX         1e9         /* of a leaf, weight or point */
#define PAY_RISK_FEATURES_MAX      64
#define PAY_RISK_REASONS_MAX       4
#define PAY_RISK_HASH_SIZE         (2 * PAY_SHA256_SIZE + 1)

/* The features that are compiled in, in the order of a vector. */
typedef enum {
#define FEATURE(name)  PAY_RISK_F_##name,
#include "risk/feature.list"
#undef FEATURE
    PAY_RISK_FEATURES
} pay_risk_feature_t;

/* Names of features, each once, of letters, digits and `_`; at most
 * PAY_RISK_FEATURES_MAX. */
typedef struct {
    const char *const  *names;
    unsigned            count;
} pay_risk_features_t;

/* Read-only; lives as long as its arena, and any number of threads may score
 * with it. */
typedef struct pay_risk_model_s  pay_risk_model_t;

/* A feature that raised the score, and its part of all that raised it: above 0,
 * at most 1. */
typedef struct {
    unsigned  feature;
    double    share;
} pay_risk_reason_t;

/* raw is on the scale of log odds, probability its sigmoid.  base and the
 * contributions of the features add up to raw.  A contribution is how far a
 * feature moved the score on the way of this vector: of trees, by the
 * internal_value of their nodes, which the text has with 6 digits.  The reason
 * with the greatest share comes first; a share below 0.01 is none. */
typedef struct {
    double             raw;
    double             probability;
    double             base;
    double             contributions[PAY_RISK_FEATURES_MAX];
    pay_risk_reason_t  reasons[PAY_RISK_REASONS_MAX];
    unsigned           reason_count;
} pay_risk_score_t;


/* The compiled list; static. */
const pay_risk_features_t *pay_risk_features(void);
/* The digest that a model of these features has to name: SHA-256 of the names
 * in their order, each with a line end behind it, in hex with a NUL.
 * PAY_NO_MEMORY: trouble in libcrypto. */
pay_status_t pay_risk_features_hash(const pay_risk_features_t *features,
    char hash[PAY_RISK_HASH_SIZE]) PAY_MUST_CHECK;

/* Reads an untrusted text; no locale changes how its numbers are read.  The
 * model copies all it needs into the arena (about as much as the text has) and
 * borrows `features` alone.  PAY_INVALID: err->slug is "risk-model-invalid" or
 * "risk-model-features" (it was trained with another list), err->detail says
 * where and why; *model is not written. */
pay_status_t pay_risk_model_read(pay_arena_t *arena, pay_str_t text,
    const pay_risk_features_t *features, const pay_risk_model_t **model,
    pay_err_t *err) PAY_MUST_CHECK;

/* Scores a vector of as many values as the model's features.  Each is in the
 * unit of its feature, and NAN is missing; there is no value that fails. */
void pay_risk_model_score(const pay_risk_model_t *model, const double *values,
    pay_risk_score_t *score);

/* "lightgbm" or "scorecard". */
const char *pay_risk_model_form(const pay_risk_model_t *model);
/* 0 for a scorecard. */
unsigned pay_risk_model_trees(const pay_risk_model_t *model);


#endif /* PAY_RISK_MODEL_H */

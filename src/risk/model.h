/*
 * Types and functions that the files of the learned score share.  Private to
 * src/risk.
 */

#ifndef PAY_SRC_RISK_MODEL_H
#define PAY_SRC_RISK_MODEL_H

#include <locale.h>

#include "pay_risk_model.h"


/* decision_type of LightGBM's class Tree. */
#define PAY_RISK_IS_CATEGORICAL  0x01
#define PAY_RISK_DEFAULT_LEFT    0x02
#define PAY_RISK_MISSING_SHIFT   2
#define PAY_RISK_DECISION_MAX    0x0b

enum { PAY_RISK_MISSING_NONE = 0, PAY_RISK_MISSING_ZERO, PAY_RISK_MISSING_NAN };

/* left, right: a node, or a leaf as ~leaf; a child stands behind its parent. */
typedef struct {
    double    threshold;               /* of a numerical split */
    double    value;                   /* internal_value */
    int32_t   left;
    int32_t   right;
    uint32_t  words;                   /* of a categorical split: its first
                                          word in the tree's, … */
    uint16_t  word_count;
    uint8_t   feature;
    uint8_t   decision;
} pay_risk_node_t;

/* One leaf more than nodes. */
typedef struct {
    unsigned          leaf_count;
    pay_risk_node_t  *nodes;
    double           *leaves;
    uint32_t         *words;           /* sets of categories, 32 in each */
} pay_risk_tree_t;

/* A feature of a scorecard: (value - mean) / scale * weight, or the points of
 * the first of `bins` that is not less than the value, of the last one behind
 * them. */
typedef struct {
    unsigned   feature;
    double     average;                /* its points in most scores */
    double     missing;                /* points when there is no value */
    double     mean;
    double     scale;
    double     weight;
    unsigned   bin_count;              /* 0: mean, scale and weight count */
    double    *bins;                   /* ascending */
    double    *points;                 /* one more */
} pay_risk_card_t;

/* One row for each form of model. */
typedef struct {
    const char    *name;
    int          (*fits)(pay_str_t text);
    pay_status_t (*read)(pay_arena_t *arena, pay_str_t text,
                         pay_risk_model_t *model, pay_err_t *err);
    /* raw, base and contributions; the score comes with zeros */
    void         (*score)(const pay_risk_model_t *model, const double *values,
                          pay_risk_score_t *score);
} pay_risk_form_t;

struct pay_risk_model_s {
    const pay_risk_form_t      *form;
    const pay_risk_features_t  *features;
    double                      sigmoid;
    unsigned                    tree_count;
    unsigned                    node_count;
    unsigned                    word_count;
    pay_risk_tree_t            *trees;
    double                      intercept;
    unsigned                    card_count;
    pay_risk_card_t            *cards;
};

/* A value of a member, and its line; text.data is NULL: there is none. */
typedef struct {
    pay_str_t  text;
    unsigned   line;
} pay_risk_field_t;

typedef struct {
    const char  *name;
    int          is_required;
} pay_risk_member_t;

#define PAY_RISK_MEMBERS_MAX  24

/* A text of LightGBM while it is read. */
typedef struct {
    pay_arena_t       *arena;
    pay_err_t         *err;
    locale_t           locale;         /* that of C */
    int                has_inf;        /* the number may be "inf" */
    pay_str_t          rest;
    unsigned           line;           /* the last one that was read */
    pay_risk_field_t   fields[PAY_RISK_MEMBERS_MAX];
    double            *numbers;        /* PAY_RISK_MODEL_LEAVES_MAX of each */
    int64_t           *integers;
} pay_risk_text_t;


extern const pay_risk_form_t  pay_risk_lightgbm;
extern const pay_risk_form_t  pay_risk_scorecard;

/* The index of a name; PAY_NOT_FOUND: it is not in the list. */
pay_status_t pay_risk_feature_find(const pay_risk_features_t *features,
    pay_str_t name, unsigned *feature) PAY_MUST_CHECK;
/* PAY_INVALID "risk-model-features": the hash is not that of the features. */
pay_status_t pay_risk_feature_check(const pay_risk_features_t *features,
    pay_str_t hash, pay_err_t *err) PAY_MUST_CHECK;

/* PAY_NO_MEMORY; else pay_risk_text_close() ends it. */
pay_status_t pay_risk_text_open(pay_risk_text_t *text, pay_arena_t *arena,
    pay_str_t bytes, pay_err_t *err) PAY_MUST_CHECK;
void pay_risk_text_close(pay_risk_text_t *text);
/* Returns PAY_INVALID: "line N: NAME: WHY"; a name may be empty. */
pay_status_t pay_risk_text_refuse(const pay_risk_text_t *text, unsigned line,
    const char *name, const char *why);
/* The next line, without its end; PAY_INVALID: the text ends before it, or
 * within it. */
pay_status_t pay_risk_text_line(pay_risk_text_t *text, pay_str_t *line)
    PAY_MUST_CHECK;
/* The same, behind empty ones. */
pay_status_t pay_risk_text_filled(pay_risk_text_t *text, pay_str_t *line)
    PAY_MUST_CHECK;
/* PAY_INVALID: the next line that is not empty has other words. */
pay_status_t pay_risk_text_expect(pay_risk_text_t *text, const char *words)
    PAY_MUST_CHECK;
/* Lines of NAME=VALUE up to an empty one, into text->fields.  The members end
 * with a NULL name; PAY_INVALID: one is unknown, doubled or missing. */
pay_status_t pay_risk_text_fields(pay_risk_text_t *text,
    const pay_risk_member_t *members) PAY_MUST_CHECK;
/* The next of words with one blank between them; 0: there is none. */
int pay_risk_text_word(pay_str_t *rest, pay_str_t *word);
/* PAY_INVALID: no number, or not finite, but for "inf" where that may stand. */
pay_status_t pay_risk_text_number(const pay_risk_text_t *text, pay_str_t word,
    double *number) PAY_MUST_CHECK;
pay_status_t pay_risk_text_integer(pay_str_t word, int64_t min, int64_t max,
    int64_t *integer) PAY_MUST_CHECK;
/* Exactly `count` of them (at most PAY_RISK_MODEL_LEAVES_MAX), into
 * text->numbers or text->integers; PAY_INVALID: refused, with the name of the
 * member. */
pay_status_t pay_risk_text_numbers(pay_risk_text_t *text,
    const pay_risk_field_t *field, const char *name, unsigned count)
    PAY_MUST_CHECK;
pay_status_t pay_risk_text_integers(pay_risk_text_t *text,
    const pay_risk_field_t *field, const char *name, unsigned count,
    int64_t min, int64_t max) PAY_MUST_CHECK;

/* Reads the members of a tree behind its first line, and adds to the counts of
 * the model. */
pay_status_t pay_risk_tree_read(pay_risk_text_t *text,
    pay_risk_model_t *model, pay_risk_tree_t *tree) PAY_MUST_CHECK;
/* The value of the leaf that the values lead to. */
double pay_risk_tree_score(const pay_risk_tree_t *tree, const double *values,
    pay_risk_score_t *score);


#endif /* PAY_SRC_RISK_MODEL_H */

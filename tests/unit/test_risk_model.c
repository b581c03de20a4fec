/*
 * Learned scores: each rule of LightGBM's trees on a tree of its own, reasons,
 * and refusals.  tests/risk/test_model.py compares whole models with LightGBM.
 */

#include <math.h>

#include "torture.h"
#include "pay_risk_model.h"


ARENA_SUITE(pay_risk_model);

#define HASH  "880553fca8fcea94e325ee2cfb48e5a985cc797f39a14cc6d3cedecfeb2ae4d2"

#define HEAD                                                                  \
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\n"               \
    "label_index=0\nmax_feature_idx=2\nobjective=binary sigmoid:1\n"          \
    "feature_names=a b c\nfeature_infos=none none none\n"                     \
    "features_hash=" HASH "\n"

#define TAIL                                                                  \
    "end of trees\n\nfeature_importances:\na=1\n\nparameters:\n"              \
    "[boosting: gbdt]\n\nend of parameters\n\npandas_categorical:null\n"

/* One split of feature a: left leaf -1, right leaf 2, between them 0.5. */
#define STUMP(number, threshold, decision, sets)                              \
    "Tree=" number "\nnum_leaves=2\n" sets "split_feature=0\n"                \
    "threshold=" threshold "\ndecision_type=" decision "\nleft_child=-1\n"    \
    "right_child=-2\nleaf_value=-1 2\ninternal_value=0.5\nis_linear=0\n"      \
    "shrinkage=1\n\n\n"

#define NO_SETS  "num_cat=0\n"
#define ONE(threshold, decision, sets)                                        \
    HEAD "tree_sizes=100\n\n" STUMP("0", threshold, decision, sets) TAIL

static const char *const          names[] = { "a", "b", "c" };
static const pay_risk_features_t  features = { names, 3 };


static const pay_risk_model_t *
model_of(const char *text)
{
    pay_err_t                err = { .detail = "" };
    const pay_risk_model_t  *model = NULL;

    cr_assert_eq(pay_risk_model_read(arena, pay_str_of(text), &features,
                                     &model, &err), PAY_OK, "%s", err.detail);

    return model;
}


static double
raw_of(const char *text, double a)
{
    double            values[] = { a, NAN, NAN };
    pay_risk_score_t  score;

    pay_risk_model_score(model_of(text), values, &score);

    return score.raw;
}


static void
assert_refused(const char *text, const char *slug, const char *why)
{
    pay_err_t                err = { .slug = NULL };
    const pay_risk_model_t  *model = NULL;

    cr_assert_eq(pay_risk_model_read(arena, pay_str_of(text), &features,
                                     &model, &err), PAY_INVALID, "%s", why);
    cr_assert_null(model);
    cr_assert_str_eq(err.slug, slug);
    cr_assert_not_null(strstr(err.detail, why), "%s", err.detail);
}


Test(pay_risk_model, digest_is_of_the_names_in_their_order)
{
    char  hash[PAY_RISK_HASH_SIZE];

    cr_assert_eq(pay_risk_features_hash(&features, hash), PAY_OK);
    cr_assert_str_eq(hash, HASH);
}


Test(pay_risk_model, compiled_list_has_each_name_once)
{
    unsigned                    i, k;
    const pay_risk_features_t  *compiled = pay_risk_features();

    cr_assert_eq(compiled->count, PAY_RISK_FEATURES);
    cr_assert_str_eq(compiled->names[PAY_RISK_F_hour], "hour");

    for (i = 0; i < compiled->count; i++) {
        for (k = 0; k < i; k++) {
            cr_assert_str_neq(compiled->names[i], compiled->names[k]);
        }
    }
}


/* decision 0: nothing is missing, so that NAN is 0 */
Test(pay_risk_model, number_that_is_equal_goes_left)
{
    const char  *text = ONE("1.5", "0", NO_SETS);

    cr_assert_eq(raw_of(text, 1.5), -1);
    cr_assert_eq(raw_of(text, nextafter(1.5, 2)), 2);
    cr_assert_eq(raw_of(text, NAN), -1);
    cr_assert_eq(raw_of(text, INFINITY), 2);
    cr_assert_eq(raw_of(ONE("-0.5", "0", NO_SETS), NAN), 2);
}


/* decisions 4 and 6: 0 is missing, and goes right or left */
Test(pay_risk_model, zero_may_be_missing)
{
    cr_assert_eq(raw_of(ONE("1.5", "4", NO_SETS), 0), 2);
    cr_assert_eq(raw_of(ONE("1.5", "4", NO_SETS), -0.0), 2);
    cr_assert_eq(raw_of(ONE("1.5", "4", NO_SETS), NAN), 2);
    cr_assert_eq(raw_of(ONE("1.5", "4", NO_SETS), (double) 1e-35f), 2);
    cr_assert_eq(raw_of(ONE("1.5", "4", NO_SETS), 1.1e-35), -1);
    cr_assert_eq(raw_of(ONE("-1.5", "6", NO_SETS), 0), -1);
}


/* decisions 8 and 10: NAN is missing, and goes right or left; 0 is a number */
Test(pay_risk_model, nan_may_be_missing)
{
    cr_assert_eq(raw_of(ONE("1.5", "8", NO_SETS), NAN), 2);
    cr_assert_eq(raw_of(ONE("1.5", "8", NO_SETS), 0), -1);
    cr_assert_eq(raw_of(ONE("-1.5", "10", NO_SETS), NAN), -1);
    cr_assert_eq(raw_of(ONE("-1.5", "10", NO_SETS), 0), 2);
}


/* LightGBM writes this for "is there a number?" */
Test(pay_risk_model, threshold_may_be_infinite)
{
    cr_assert_eq(raw_of(ONE("inf", "8", NO_SETS), 1e300), -1);
    cr_assert_eq(raw_of(ONE("inf", "8", NO_SETS), NAN), 2);
}


/* categories 1 and 33 */
Test(pay_risk_model, category_of_the_set_goes_left)
{
    size_t       i;
    const char  *text = ONE("0", "1", "num_cat=1\ncat_boundaries=0 2\n"
                            "cat_threshold=2 2\n");

    static const double  others[] = {
        0, -0.5, 2, 32, 34, 65, 1e9, 2147483648.0, 4294967297.0, -1, -3e9,
        NAN, INFINITY, -INFINITY
    };

    cr_assert_eq(raw_of(text, 1), -1);
    cr_assert_eq(raw_of(text, 1.9), -1);
    cr_assert_eq(raw_of(text, 33), -1);

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        cr_assert_eq(raw_of(text, others[i]), 2, "%g", others[i]);
    }
}


Test(pay_risk_model, tree_of_one_leaf_is_a_constant)
{
    double            values[] = { 0, 0, 0 };
    pay_risk_score_t  score;

    pay_risk_model_score(
        model_of(HEAD "tree_sizes=100\n\nTree=0\nnum_leaves=1\nnum_cat=0\n"
                 "split_feature=\nthreshold=\ndecision_type=\nleft_child=\n"
                 "right_child=\nleaf_value=-0.25\nleaf_weight=\n"
                 "internal_value=\nis_linear=0\nshrinkage=1\n\n" TAIL),
        values, &score);
    cr_assert_eq(score.raw, -0.25);
    cr_assert_eq(score.base, -0.25);
    cr_assert_eq(score.reason_count, 0);
}


Test(pay_risk_model, probability_is_the_sigmoid_of_the_sum)
{
    double                   values[] = { 2, 0, 0 };
    pay_risk_score_t         score;
    const pay_risk_model_t  *model;

    model = model_of(HEAD "tree_sizes=1 1\n\n" STUMP("0", "1", "0", NO_SETS)
                     STUMP("1", "3", "0", NO_SETS) TAIL);
    pay_risk_model_score(model, values, &score);

    cr_assert_eq(pay_risk_model_trees(model), 2);
    cr_assert_str_eq(pay_risk_model_form(model), "lightgbm");
    cr_assert_eq(score.raw, 1);
    cr_assert_eq(score.probability, 1.0 / (1.0 + exp(-1)));
    cr_assert_eq(score.base, 1);
    cr_assert_eq(score.contributions[0], 0);
}


#define CARD(text)                                                            \
    "{\"form\":\"scorecard\",\"features_hash\":\"" HASH "\","                 \
    "\"intercept\":-1,\"features\":[" text "]}"
#define BINS(name, points)                                                    \
    "{\"name\":\"" name "\",\"bins\":[0],\"points\":[0," points "],"          \
    "\"missing\":0.25,\"average\":0}"


Test(pay_risk_model, reasons_are_sorted_by_their_share)
{
    double            values[] = { 1, 1, 1 };
    pay_risk_score_t  score;

    pay_risk_model_score(model_of(CARD(BINS("a", "1") "," BINS("b", "3") ","
                                       BINS("c", "-2"))), values, &score);
    cr_assert_eq(score.raw, 1);
    cr_assert_eq(score.reason_count, 2);
    cr_assert_eq(score.reasons[0].feature, 1);
    cr_assert_eq(score.reasons[0].share, 0.75);
    cr_assert_eq(score.reasons[1].feature, 0);
    cr_assert_eq(score.reasons[1].share, 0.25);
}


/* six features, two of which weigh too little or have no room */
Test(pay_risk_model, reasons_are_four_at_most)
{
    double                   values[] = { 1, 1, 1, 1, 1, 1 };
    char                     hash[PAY_RISK_HASH_SIZE];
    pay_str_t                text;
    pay_risk_score_t         score;
    const pay_risk_model_t  *model;

    static const char *const          six[] = { "a", "b", "c", "d", "e", "f" };
    static const pay_risk_features_t  list = { six, 6 };

    cr_assert_eq(pay_risk_features_hash(&list, hash), PAY_OK);
    cr_assert_eq(pay_format(arena, &text, 4096, "{\"form\":\"scorecard\","
                            "\"features_hash\":\"%s\",\"intercept\":0,"
                            "\"features\":[%s]}", hash,
                            BINS("f", "9") "," BINS("e", "1") ","
                            BINS("d", "2") "," BINS("c", "3") ","
                            BINS("b", "3") "," BINS("a", "0.1")), PAY_OK);
    cr_assert_eq(pay_risk_model_read(arena, text, &list, &model, NULL),
                 PAY_OK);
    pay_risk_model_score(model, values, &score);
    cr_assert_eq(score.reason_count, 4);
    cr_assert_eq(score.reasons[0].feature, 5);
    cr_assert_eq(score.reasons[1].feature, 1);
    cr_assert_eq(score.reasons[2].feature, 2);
    cr_assert_eq(score.reasons[3].feature, 3);

    values[0] = values[1] = values[2] = values[3] = values[4] = -1;
    pay_risk_model_score(model, values, &score);
    cr_assert_eq(score.reason_count, 1);
    cr_assert_eq(score.reasons[0].share, 1);
}


Test(pay_risk_model, scorecard_is_bounded_and_knows_missing_values)
{
    const char  *text = CARD("{\"name\":\"a\",\"mean\":2,\"scale\":0.5,"
                             "\"weight\":1.5,\"missing\":7,\"average\":0}");

    cr_assert_eq(raw_of(text, 3), -1 + 3);
    cr_assert_eq(raw_of(text, NAN), -1 + 7);
    cr_assert_eq(raw_of(text, INFINITY), -1 + 30);
    cr_assert_eq(raw_of(text, -1e300), -1 - 30);
    cr_assert_eq(raw_of(CARD(BINS("a", "4")), 0), -1);
    cr_assert_eq(raw_of(CARD(BINS("a", "4")), 1e-300), 3);
}


Test(pay_risk_model, refuses_with_line_and_reason)
{
    assert_refused("", "risk-model-invalid", "neither");
    assert_refused("<xml/>", "risk-model-invalid", "neither");
    assert_refused("tree\n", "risk-model-invalid", "line 2: the text ends");
    assert_refused(ONE("nan", "0", NO_SETS), "risk-model-invalid",
                   "line 17: threshold: not a number");
    assert_refused(ONE("1", "12", NO_SETS), "risk-model-invalid",
                   "line 18: decision_type: an index");
    assert_refused(ONE("0", "1", NO_SETS), "risk-model-invalid",
                   "num_cat: not the number");
    assert_refused(ONE("1", "1", "num_cat=1\ncat_boundaries=0 1\n"
                       "cat_threshold=2\n"), "risk-model-invalid",
                   "threshold: an index");
    assert_refused("{\"form\":", "risk-model-invalid", "JSON");
    assert_refused(CARD(BINS("d", "1")), "risk-model-invalid",
                   "feature 1: name: no such feature");
}


Test(pay_risk_model, refuses_a_model_of_other_features)
{
    char                     text[] = ONE("1", "0", NO_SETS);
    char                    *hash = strstr(text, HASH);

    hash[0] = '9';
    assert_refused(text, "risk-model-features", HASH);
}


Test(pay_risk_model, refuses_every_cut)
{
    size_t                   len;
    pay_err_t                err;
    const char              *text = ONE("1", "0", NO_SETS);
    const pay_risk_model_t  *model;

    for (len = 0; len < strlen(text); len++) {
        cr_assert_eq(pay_risk_model_read(arena, (pay_str_t) {
            len, (const unsigned char *) text
        }, &features, &model, &err), PAY_INVALID, "%zu", len);
    }
}


/* three nodes, each child named by one parent, two in a circle */
Test(pay_risk_model, refuses_a_circle)
{
    assert_refused(HEAD "tree_sizes=1\n\nTree=0\nnum_leaves=4\nnum_cat=0\n"
                   "split_feature=0 0 0\nthreshold=1 1 1\n"
                   "decision_type=0 0 0\nleft_child=-1 2 1\n"
                   "right_child=-2 -3 -4\nleaf_value=1 1 1 1\n"
                   "internal_value=1 1 1\nis_linear=0\nshrinkage=1\n\n" TAIL,
                   "risk-model-invalid", "not reached once");
}


/* a chain one node longer than the limit */
Test(pay_risk_model, refuses_a_tree_that_is_too_deep)
{
    unsigned      i, depth;
    pay_buf_t     buf;
    pay_str_t     text;
    pay_status_t  status;

    const pay_risk_model_t  *model;

    static const struct {
        const char  *name;
        const char  *value;
    } lines[] = {
        { "\nsplit_feature=", "0" }, { "\nthreshold=", "1" },
        { "\ndecision_type=", "0" }, { "\ninternal_value=", "1" }
    };

    for (depth = 64; depth <= 65; depth++) {
        pay_buf_init(&buf, arena, 1 << 16);
        pay_buf_text(&buf, HEAD "tree_sizes=1\n\nTree=0\nnum_leaves=");
        pay_buf_int(&buf, depth + 1);
        pay_buf_text(&buf, "\nnum_cat=0");

        for (i = 0; i < 4 * depth; i++) {
            pay_buf_text(&buf, i % depth ? " " : lines[i / depth].name);
            pay_buf_text(&buf, lines[i / depth].value);
        }

        for (i = 0; i < depth; i++) {
            pay_buf_text(&buf, i ? " " : "\nleft_child=");
            pay_buf_int(&buf, -(int64_t) i - 1);
        }

        for (i = 0; i < depth; i++) {
            pay_buf_text(&buf, i ? " " : "\nright_child=");
            pay_buf_int(&buf, i + 1 < depth ? (int64_t) i + 1
                                            : -(int64_t) depth - 1);
        }

        for (i = 0; i <= depth; i++) {
            pay_buf_text(&buf, i ? " " : "\nleaf_value=");
            pay_buf_int(&buf, i);
        }

        pay_buf_text(&buf, "\nis_linear=0\nshrinkage=1\n\n" TAIL);
        cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);
        status = pay_risk_model_read(arena, text, &features, &model, NULL);
        cr_assert_eq(status, depth > PAY_RISK_MODEL_DEPTH_MAX ? PAY_INVALID
                                                              : PAY_OK);
    }
}


static pay_status_t
read_tree(pay_arena_t *in, void *result)
{
    const char  *text = ONE("0", "1", "num_cat=1\ncat_boundaries=0 2\n"
                            "cat_threshold=2 2\n");

    return pay_risk_model_read(in, pay_str_of(text), &features, result, NULL);
}


static pay_status_t
read_card(pay_arena_t *in, void *result)
{
    return pay_risk_model_read(in, pay_str_of(CARD(BINS("a", "1"))),
                               &features, result, NULL);
}


Test(pay_risk_model, survives_every_failed_allocation)
{
    cr_assert_gt(torture(read_tree, sizeof(pay_risk_model_t *)), 4);
    cr_assert_gt(torture(read_card, sizeof(pay_risk_model_t *)), 3);
}

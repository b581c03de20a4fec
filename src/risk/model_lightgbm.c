/*
 * LightGBM's text of a model, version v4: the head, the trees one by one, and
 * the sections behind them, all of which must be there.  Read are binary
 * classifiers with constant leaves alone; whatever else LightGBM can write
 * changes the score, and is refused by its name.
 */

#include "risk/model.h"


enum {
    HEAD_VERSION = 0, HEAD_NUM_CLASS, HEAD_PER_ITERATION, HEAD_LABEL_INDEX,
    HEAD_MAX_FEATURE_IDX, HEAD_OBJECTIVE, HEAD_FEATURE_NAMES, HEAD_MONOTONE,
    HEAD_FEATURE_INFOS, HEAD_TREE_SIZES, HEAD_FEATURES_HASH, HEAD_MEMBERS
};


static int lightgbm_fits(pay_str_t bytes);
static pay_status_t lightgbm_read(pay_arena_t *arena, pay_str_t bytes,
    pay_risk_model_t *model, pay_err_t *err);
static pay_status_t head_read(pay_risk_text_t *text, pay_risk_model_t *model);
static pay_status_t head_features(pay_risk_text_t *text,
    const pay_risk_features_t *features);
static pay_status_t head_objective(pay_risk_text_t *text,
    pay_risk_model_t *model);
static pay_status_t head_trees(pay_risk_text_t *text, pay_risk_model_t *model);
static pay_status_t trees_read(pay_risk_text_t *text, pay_risk_model_t *model);
static pay_status_t tail_read(pay_risk_text_t *text);
static pay_status_t tail_parameters(pay_risk_text_t *text);
static void lightgbm_score(const pay_risk_model_t *model,
    const double *values, pay_risk_score_t *score);


const pay_risk_form_t  pay_risk_lightgbm = {
    "lightgbm", lightgbm_fits, lightgbm_read, lightgbm_score
};

static const pay_risk_member_t  head_members[] = {
    { "version", 1 }, { "num_class", 1 }, { "num_tree_per_iteration", 1 },
    { "label_index", 1 }, { "max_feature_idx", 1 }, { "objective", 1 },
    { "feature_names", 1 }, { "monotone_constraints", 0 },
    { "feature_infos", 1 }, { "tree_sizes", 1 }, { "features_hash", 1 },
    { NULL, 0 }
};

PAY_ROWS(head_members, HEAD_MEMBERS + 1);
_Static_assert((int) HEAD_MEMBERS <= PAY_RISK_MEMBERS_MAX, "too many members");


static int
lightgbm_fits(pay_str_t bytes)
{
    return bytes.len > 0 && bytes.data[0] == 't';
}


static pay_status_t
lightgbm_read(pay_arena_t *arena, pay_str_t bytes, pay_risk_model_t *model,
    pay_err_t *err)
{
    pay_status_t     status;
    pay_risk_text_t  text;

    PAY_TRY(pay_risk_text_open(&text, arena, bytes, err));

    status = head_read(&text, model);
    status = status == PAY_OK ? trees_read(&text, model) : status;
    status = status == PAY_OK ? tail_read(&text) : status;
    pay_risk_text_close(&text);

    return status;
}


/* The first line has no blank line behind it and is alone of its kind. */
static pay_status_t
head_read(pay_risk_text_t *text, pay_risk_model_t *model)
{
    pay_risk_field_t  *fields = text->fields;

    PAY_TRY(pay_risk_text_expect(text, "tree"));
    PAY_TRY(pay_risk_text_fields(text, head_members));
    PAY_TRY(pay_risk_feature_check(model->features,
                                   fields[HEAD_FEATURES_HASH].text,
                                   text->err));

    if (!pay_str_is(fields[HEAD_VERSION].text, "v4")) {
        return pay_risk_text_refuse(text, fields[HEAD_VERSION].line,
                                    "version", "only v4 is read");
    }

    PAY_TRY(pay_risk_text_integers(text, &fields[HEAD_NUM_CLASS], "num_class",
                                   1, 1, 1));
    PAY_TRY(pay_risk_text_integers(text, &fields[HEAD_PER_ITERATION],
                                   "num_tree_per_iteration", 1, 1, 1));
    PAY_TRY(pay_risk_text_integers(text, &fields[HEAD_LABEL_INDEX],
                                   "label_index", 1, 0, INT32_MAX));
    PAY_TRY(head_objective(text, model));
    PAY_TRY(head_features(text, model->features));

    return head_trees(text, model);
}


/* The same names in the same order: the hash promises it, and LightGBM's own
 * line has to say it, too. */
static pay_status_t
head_features(pay_risk_text_t *text, const pay_risk_features_t *features)
{
    unsigned           n = 0;
    pay_str_t          word, rest;
    pay_risk_field_t  *fields = text->fields;

    PAY_TRY(pay_risk_text_integers(text, &fields[HEAD_MAX_FEATURE_IDX],
                                   "max_feature_idx", 1,
                                   (int64_t) features->count - 1,
                                   (int64_t) features->count - 1));

    rest = fields[HEAD_FEATURE_NAMES].text;

    while (pay_risk_text_word(&rest, &word)) {
        if (n == features->count || !pay_str_is(word, features->names[n])) {
            n = features->count + 1;
            break;
        }

        n++;
    }

    return n == features->count
           ? PAY_OK : pay_risk_text_refuse(text,
                                           fields[HEAD_FEATURE_NAMES].line,
                                           "feature_names",
                                           "not the features of the hash, in "
                                           "their order");
}


static pay_status_t
head_objective(pay_risk_text_t *text, pay_risk_model_t *model)
{
    pay_str_t          word;
    pay_risk_field_t  *field = &text->fields[HEAD_OBJECTIVE];

    static const pay_str_t  binary = pay_string("binary sigmoid:");

    if (field->text.len > binary.len
        && memcmp(field->text.data, binary.data, binary.len) == 0)
    {
        word = (pay_str_t) {
            field->text.len - binary.len, field->text.data + binary.len
        };

        if (pay_risk_text_number(text, word, &model->sigmoid) == PAY_OK
            && model->sigmoid > 0 && model->sigmoid <= PAY_RISK_VALUE_MAX)
        {
            return PAY_OK;
        }
    }

    return pay_risk_text_refuse(text, field->line, "objective",
                                "only \"binary sigmoid:N\" is read");
}


/* tree_sizes has the bytes of each tree; only how many there are counts. */
static pay_status_t
head_trees(pay_risk_text_t *text, pay_risk_model_t *model)
{
    int64_t            size;
    unsigned           n = 0;
    pay_str_t          word, rest;
    pay_risk_field_t  *field = &text->fields[HEAD_TREE_SIZES];

    rest = field->text;

    while (pay_risk_text_word(&rest, &word)) {
        if (n == PAY_RISK_MODEL_TREES_MAX) {
            return pay_risk_text_refuse(text, field->line, "tree_sizes",
                                        "the model has too many trees");
        }

        if (pay_risk_text_integer(word, 1, PAY_RISK_MODEL_MAX, &size)
            != PAY_OK)
        {
            return pay_risk_text_refuse(text, field->line, "tree_sizes",
                                        "an index or integer out of range");
        }

        n++;
    }

    model->tree_count = n;
    model->trees = pay_calloc(text->arena, n * sizeof(*model->trees));

    return model->trees != NULL ? PAY_OK : PAY_NO_MEMORY;
}


static pay_status_t
trees_read(pay_risk_text_t *text, pay_risk_model_t *model)
{
    int64_t    number;
    unsigned   i;
    pay_str_t  line;

    static const pay_str_t  tree = pay_string("Tree=");

    for (i = 0; i < model->tree_count; i++) {
        PAY_TRY(pay_risk_text_filled(text, &line));

        if (line.len < tree.len
            || memcmp(line.data, tree.data, tree.len) != 0
            || pay_risk_text_integer((pay_str_t) { line.len - tree.len,
                                                   line.data + tree.len },
                                     i, i, &number) != PAY_OK)
        {
            return pay_risk_text_refuse(text, text->line, "Tree",
                                        "the next tree is missing here");
        }

        PAY_TRY(pay_risk_tree_read(text, model, &model->trees[i]));
    }

    return pay_risk_text_expect(text, "end of trees");
}


/* Nothing in these sections is needed, but a file that lacks them was cut.
 * Codes that pandas had given to categories would be unknown to the
 * gateway. */
static pay_status_t
tail_read(pay_risk_text_t *text)
{
    pay_str_t  line;

    PAY_TRY(pay_risk_text_expect(text, "feature_importances:"));

    do {
        PAY_TRY(pay_risk_text_line(text, &line));
    } while (line.len != 0);

    PAY_TRY(tail_parameters(text));
    PAY_TRY(pay_risk_text_filled(text, &line));

    if (!pay_str_is(line, "pandas_categorical:null")
        && !pay_str_is(line, "pandas_categorical:[]"))
    {
        return pay_risk_text_refuse(text, text->line, "pandas_categorical",
                                    "only null is read: give numbers to "
                                    "categories before training");
    }

    return text->rest.len == 0
           ? PAY_OK : pay_risk_text_refuse(text, text->line + 1, "",
                                           "bytes behind the end of the model");
}


static pay_status_t
tail_parameters(pay_risk_text_t *text)
{
    pay_str_t  line;

    PAY_TRY(pay_risk_text_expect(text, "parameters:"));
    PAY_TRY(pay_risk_text_filled(text, &line));

    while (!pay_str_is(line, "end of parameters")) {
        if (line.data[0] != '[' || line.data[line.len - 1] != ']') {
            return pay_risk_text_refuse(text, text->line, "parameters",
                                        "no [NAME: VALUE]");
        }

        PAY_TRY(pay_risk_text_filled(text, &line));
    }

    return PAY_OK;
}


/* In the order of the trees, as LightGBM adds them: another order would round
 * to another sum. */
static void
lightgbm_score(const pay_risk_model_t *model, const double *values,
    pay_risk_score_t *score)
{
    unsigned  i;

    for (i = 0; i < model->tree_count; i++) {
        score->raw += pay_risk_tree_score(&model->trees[i], values, score);
    }
}

/*
 * One tree of a LightGBM model: read, checked, walked.  A tree that passes is
 * walked without any further check: each node and leaf has one parent, which
 * stands before it, so that every way ends in a leaf.
 */

#include <math.h>

#include "risk/model.h"


/* kZeroThreshold of LightGBM, which is a float there */
#define ZERO_MAX  ((double) 1e-35f)

enum {
    TREE_NUM_LEAVES = 0, TREE_NUM_CAT, TREE_SPLIT_FEATURE, TREE_SPLIT_GAIN,
    TREE_THRESHOLD, TREE_DECISION_TYPE, TREE_LEFT_CHILD, TREE_RIGHT_CHILD,
    TREE_LEAF_VALUE, TREE_LEAF_WEIGHT, TREE_LEAF_COUNT, TREE_INTERNAL_VALUE,
    TREE_INTERNAL_WEIGHT, TREE_INTERNAL_COUNT, TREE_CAT_BOUNDARIES,
    TREE_CAT_THRESHOLD, TREE_IS_LINEAR, TREE_SHRINKAGE, TREE_MEMBERS
};


static pay_status_t tree_counts(pay_risk_text_t *text, unsigned *leaves,
    unsigned *categorical);
static pay_status_t tree_extras(pay_risk_text_t *text, unsigned nodes,
    unsigned leaves);
static pay_status_t tree_make(pay_risk_text_t *text, pay_risk_model_t *model,
    pay_risk_tree_t *tree);
static pay_status_t tree_values(pay_risk_text_t *text, unsigned member,
    unsigned count);
static pay_status_t tree_nodes(pay_risk_text_t *text,
    const pay_risk_model_t *model, pay_risk_tree_t *tree);
static pay_status_t tree_links(pay_risk_text_t *text, pay_risk_tree_t *tree);
static pay_status_t tree_once(pay_risk_text_t *text,
    const pay_risk_tree_t *tree);
static int tree_child(const pay_risk_tree_t *tree, unsigned parent,
    int32_t child, uint8_t *depth, uint8_t *leaves);
static pay_status_t tree_categories(pay_risk_text_t *text,
    pay_risk_model_t *model, pay_risk_tree_t *tree, unsigned count);
static pay_status_t tree_sets(pay_risk_text_t *text, pay_risk_model_t *model,
    pay_risk_tree_t *tree, unsigned count);
static pay_status_t tree_split_sets(pay_risk_text_t *text,
    pay_risk_tree_t *tree, unsigned count);
static int node_goes_left(const pay_risk_tree_t *tree,
    const pay_risk_node_t *node, double value);
static int node_has_category(const pay_risk_tree_t *tree,
    const pay_risk_node_t *node, double value);


static const pay_risk_member_t  tree_members[] = {
    { "num_leaves", 1 }, { "num_cat", 1 }, { "split_feature", 1 },
    { "split_gain", 0 }, { "threshold", 1 }, { "decision_type", 1 },
    { "left_child", 1 }, { "right_child", 1 }, { "leaf_value", 1 },
    { "leaf_weight", 0 }, { "leaf_count", 0 }, { "internal_value", 1 },
    { "internal_weight", 0 }, { "internal_count", 0 },
    { "cat_boundaries", 0 }, { "cat_threshold", 0 }, { "is_linear", 1 },
    { "shrinkage", 1 }, { NULL, 0 }
};

PAY_ROWS(tree_members, TREE_MEMBERS + 1);
_Static_assert((int) TREE_MEMBERS <= PAY_RISK_MEMBERS_MAX, "too many members");


pay_status_t
pay_risk_tree_read(pay_risk_text_t *text, pay_risk_model_t *model,
    pay_risk_tree_t *tree)
{
    unsigned  i, leaves, categorical;

    PAY_TRY(pay_risk_text_fields(text, tree_members));
    PAY_TRY(tree_counts(text, &leaves, &categorical));
    PAY_TRY(tree_extras(text, leaves - 1, leaves));

    tree->leaf_count = leaves;
    PAY_TRY(tree_make(text, model, tree));
    PAY_TRY(tree_values(text, TREE_LEAF_VALUE, leaves));

    for (i = 0; i < leaves; i++) {
        tree->leaves[i] = text->numbers[i];
    }

    PAY_TRY(tree_nodes(text, model, tree));
    PAY_TRY(tree_links(text, tree));
    PAY_TRY(tree_once(text, tree));

    return tree_categories(text, model, tree, categorical);
}


static pay_status_t
tree_counts(pay_risk_text_t *text, unsigned *leaves, unsigned *categorical)
{
    const pay_risk_field_t  *fields = text->fields;

    PAY_TRY(pay_risk_text_integers(text, &fields[TREE_IS_LINEAR], "is_linear",
                                   1, 0, 0));
    PAY_TRY(pay_risk_text_integers(text, &fields[TREE_NUM_LEAVES],
                                   "num_leaves", 1, 1,
                                   PAY_RISK_MODEL_LEAVES_MAX));
    *leaves = (unsigned) text->integers[0];
    PAY_TRY(pay_risk_text_integers(text, &fields[TREE_NUM_CAT], "num_cat", 1,
                                   0, *leaves - 1));
    *categorical = (unsigned) text->integers[0];

    return pay_risk_text_numbers(text, &fields[TREE_SHRINKAGE], "shrinkage",
                                 1);
}


/* Statistics of the training, which LightGBM leaves empty for a tree of one
 * leaf; nothing here needs them but that the file is whole. */
static pay_status_t
tree_extras(pay_risk_text_t *text, unsigned nodes, unsigned leaves)
{
    size_t                   i;
    const pay_risk_field_t  *field;

    static const struct {
        unsigned  member;
        int       is_leaf;
    } extras[] = {
        { TREE_SPLIT_GAIN, 0 }, { TREE_LEAF_WEIGHT, 1 },
        { TREE_LEAF_COUNT, 1 }, { TREE_INTERNAL_WEIGHT, 0 },
        { TREE_INTERNAL_COUNT, 0 }
    };

    for (i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
        field = &text->fields[extras[i].member];

        if (field->text.len != 0) {
            PAY_TRY(pay_risk_text_numbers(text, field,
                                          tree_members[extras[i].member].name,
                                          extras[i].is_leaf ? leaves : nodes));
        }
    }

    return PAY_OK;
}


static pay_status_t
tree_make(pay_risk_text_t *text, pay_risk_model_t *model,
    pay_risk_tree_t *tree)
{
    unsigned  leaves = tree->leaf_count;

    if (leaves - 1 > PAY_RISK_MODEL_NODES_MAX - model->node_count) {
        return pay_risk_text_refuse(text, text->line, "",
                                    "the model has too many nodes");
    }

    model->node_count += leaves - 1;
    tree->leaves = pay_alloc(text->arena, leaves * sizeof(*tree->leaves));
    tree->nodes = pay_calloc(text->arena, leaves * sizeof(*tree->nodes));

    return tree->leaves != NULL && tree->nodes != NULL ? PAY_OK
                                                       : PAY_NO_MEMORY;
}


/* Into text->numbers; none is so great that a sum could become infinite. */
static pay_status_t
tree_values(pay_risk_text_t *text, unsigned member, unsigned count)
{
    unsigned                 i;
    const char              *name = tree_members[member].name;
    const pay_risk_field_t  *field = &text->fields[member];

    PAY_TRY(pay_risk_text_numbers(text, field, name, count));

    for (i = 0; i < count; i++) {
        if (fabs(text->numbers[i]) > PAY_RISK_VALUE_MAX) {
            return pay_risk_text_refuse(text, field->line, name,
                                        "a value is too great");
        }
    }

    return PAY_OK;
}


/* LightGBM writes "inf" for a split of all numbers from those that are
 * missing. */
static pay_status_t
tree_nodes(pay_risk_text_t *text, const pay_risk_model_t *model,
    pay_risk_tree_t *tree)
{
    unsigned                 i, nodes = tree->leaf_count - 1;
    const pay_risk_field_t  *fields = text->fields;

    text->has_inf = 1;
    PAY_TRY(pay_risk_text_numbers(text, &fields[TREE_THRESHOLD], "threshold",
                                  nodes));
    text->has_inf = 0;

    for (i = 0; i < nodes; i++) {
        tree->nodes[i].threshold = text->numbers[i];
    }

    PAY_TRY(tree_values(text, TREE_INTERNAL_VALUE, nodes));

    for (i = 0; i < nodes; i++) {
        tree->nodes[i].value = text->numbers[i];
    }

    PAY_TRY(pay_risk_text_integers(text, &fields[TREE_SPLIT_FEATURE],
                                   "split_feature", nodes, 0,
                                   (int64_t) model->features->count - 1));

    for (i = 0; i < nodes; i++) {
        tree->nodes[i].feature = (uint8_t) text->integers[i];
    }

    PAY_TRY(pay_risk_text_integers(text, &fields[TREE_DECISION_TYPE],
                                   "decision_type", nodes, 0,
                                   PAY_RISK_DECISION_MAX));

    for (i = 0; i < nodes; i++) {
        tree->nodes[i].decision = (uint8_t) text->integers[i];
    }

    return PAY_OK;
}


static pay_status_t
tree_links(pay_risk_text_t *text, pay_risk_tree_t *tree)
{
    unsigned                 i, nodes = tree->leaf_count - 1;
    const pay_risk_field_t  *fields = text->fields;

    PAY_TRY(pay_risk_text_integers(text, &fields[TREE_LEFT_CHILD],
                                   "left_child", nodes,
                                   -(int64_t) tree->leaf_count,
                                   (int64_t) nodes - 1));

    for (i = 0; i < nodes; i++) {
        tree->nodes[i].left = (int32_t) text->integers[i];
    }

    PAY_TRY(pay_risk_text_integers(text, &fields[TREE_RIGHT_CHILD],
                                   "right_child", nodes,
                                   -(int64_t) tree->leaf_count,
                                   (int64_t) nodes - 1));

    for (i = 0; i < nodes; i++) {
        tree->nodes[i].right = (int32_t) text->integers[i];
    }

    return PAY_OK;
}


/* LightGBM numbers the nodes as it makes them, so that a child always stands
 * behind its parent.  With that, and with one parent for each, no node can lie
 * in a circle, nor out of reach. */
static pay_status_t
tree_once(pay_risk_text_t *text, const pay_risk_tree_t *tree)
{
    unsigned  i, nodes = tree->leaf_count - 1;

    uint8_t  depth[PAY_RISK_MODEL_LEAVES_MAX] = { 1 };
    uint8_t  leaves[PAY_RISK_MODEL_LEAVES_MAX] = { 0 };

    for (i = 0; i < nodes; i++) {
        if (!tree_child(tree, i, tree->nodes[i].left, depth, leaves)
            || !tree_child(tree, i, tree->nodes[i].right, depth, leaves))
        {
            return pay_risk_text_refuse(text,
                                        text->fields[TREE_LEFT_CHILD].line,
                                        "left_child, right_child",
                                        "a node or leaf is not reached once, "
                                        "from a node before it, or lies too "
                                        "deep");
        }
    }

    return PAY_OK;
}


/* depth is 0 of a node that no parent has named yet. */
static int
tree_child(const pay_risk_tree_t *tree, unsigned parent, int32_t child,
    uint8_t *depth, uint8_t *leaves)
{
    if (depth[parent] == 0) {
        return 0;
    }

    if (child < 0) {
        return (unsigned) ~child < tree->leaf_count && !leaves[~child]++;
    }

    if ((unsigned) child <= parent || depth[child] != 0
        || depth[parent] == PAY_RISK_MODEL_DEPTH_MAX)
    {
        return 0;
    }

    depth[child] = (uint8_t) (depth[parent] + 1);

    return 1;
}


/* A tree without categorical splits has no sets, one with them has a set for
 * each. */
static pay_status_t
tree_categories(pay_risk_text_t *text, pay_risk_model_t *model,
    pay_risk_tree_t *tree, unsigned count)
{
    unsigned                 i, splits = 0;
    const pay_risk_field_t  *fields = text->fields;

    for (i = 0; i + 1 < tree->leaf_count; i++) {
        splits += tree->nodes[i].decision & PAY_RISK_IS_CATEGORICAL;
    }

    if (splits != count
        || (count == 0) != (fields[TREE_CAT_BOUNDARIES].text.data == NULL)
        || (count == 0) != (fields[TREE_CAT_THRESHOLD].text.data == NULL))
    {
        return pay_risk_text_refuse(text, fields[TREE_NUM_CAT].line, "num_cat",
                                    "not the number of categorical splits");
    }

    if (count == 0) {
        return PAY_OK;
    }

    PAY_TRY(pay_risk_text_integers(text, &fields[TREE_CAT_BOUNDARIES],
                                   "cat_boundaries", count + 1, 0,
                                   PAY_RISK_MODEL_WORDS_MAX));
    PAY_TRY(tree_split_sets(text, tree, count));

    return tree_sets(text, model, tree, (unsigned) text->integers[count]);
}


/* `threshold` of a categorical split is the index of its set. */
static pay_status_t
tree_split_sets(pay_risk_text_t *text, pay_risk_tree_t *tree, unsigned count)
{
    unsigned          i;
    int64_t           words, *from = text->integers;
    pay_risk_node_t  *node;

    for (i = 0; i < count; i++) {
        words = from[i + 1] - from[i];

        if (from[0] != 0 || words < 1 || words > UINT16_MAX) {
            return pay_risk_text_refuse(text,
                                        text->fields[TREE_CAT_BOUNDARIES].line,
                                        "cat_boundaries", "not ascending");
        }
    }

    for (i = 0; i + 1 < tree->leaf_count; i++) {
        node = &tree->nodes[i];

        if (!(node->decision & PAY_RISK_IS_CATEGORICAL)) {
            continue;
        }

        if (node->threshold < 0 || node->threshold >= count
            || node->threshold != floor(node->threshold))
        {
            return pay_risk_text_refuse(text,
                                        text->fields[TREE_THRESHOLD].line,
                                        "threshold",
                                        "an index or integer out of range");
        }

        words = (int64_t) node->threshold;
        node->words = (uint32_t) from[words];
        node->word_count = (uint16_t) (from[words + 1] - from[words]);
    }

    return PAY_OK;
}


static pay_status_t
tree_sets(pay_risk_text_t *text, pay_risk_model_t *model,
    pay_risk_tree_t *tree, unsigned count)
{
    int64_t                  set;
    unsigned                 n = 0;
    pay_str_t                word, rest;
    const pay_risk_field_t  *field = &text->fields[TREE_CAT_THRESHOLD];

    if (count > PAY_RISK_MODEL_WORDS_MAX - model->word_count) {
        return pay_risk_text_refuse(text, field->line, "cat_threshold",
                                    "the model has too many categories");
    }

    model->word_count += count;
    tree->words = pay_alloc(text->arena, count * sizeof(*tree->words));
    if (tree->words == NULL) {
        return PAY_NO_MEMORY;
    }

    rest = field->text;

    while (pay_risk_text_word(&rest, &word)) {
        if (n == count
            || pay_risk_text_integer(word, 0, UINT32_MAX, &set) != PAY_OK)
        {
            n = count + 1;
            break;
        }

        tree->words[n++] = (uint32_t) set;
    }

    return n == count
           ? PAY_OK : pay_risk_text_refuse(text, field->line, "cat_threshold",
                                           "not as many integers of 32 bits "
                                           "as cat_boundaries says");
}


/* Each step moves the value from that of a node to that of its child: by the
 * feature of the node. */
double
pay_risk_tree_score(const pay_risk_tree_t *tree, const double *values,
    pay_risk_score_t *score)
{
    double                  value, next;
    int32_t                 at;
    const pay_risk_node_t  *node;

    if (tree->leaf_count == 1) {
        score->base += tree->leaves[0];
        return tree->leaves[0];
    }

    at = 0;
    value = tree->nodes[0].value;
    score->base += value;

    do {
        node = &tree->nodes[at];
        at = node_goes_left(tree, node, values[node->feature]) ? node->left
                                                               : node->right;
        next = at >= 0 ? tree->nodes[at].value : tree->leaves[~at];
        score->contributions[node->feature] += next - value;
        value = next;
    } while (at >= 0);

    return value;
}


static int
node_goes_left(const pay_risk_tree_t *tree, const pay_risk_node_t *node,
    double value)
{
    int  missing = node->decision >> PAY_RISK_MISSING_SHIFT;
    int  is_nan = isnan(value) != 0;

    if (node->decision & PAY_RISK_IS_CATEGORICAL) {
        return node_has_category(tree, node, value);
    }

    if (is_nan && missing != PAY_RISK_MISSING_NAN) {
        value = 0;
        is_nan = 0;
    }

    if (is_nan || (missing == PAY_RISK_MISSING_ZERO && value >= -ZERO_MAX
                   && value <= ZERO_MAX))
    {
        return (node->decision & PAY_RISK_DEFAULT_LEFT) != 0;
    }

    return value <= node->threshold;
}


/* LightGBM casts to int, towards zero; it has no category for a value beyond
 * int either. */
static int
node_has_category(const pay_risk_tree_t *tree, const pay_risk_node_t *node,
    double value)
{
    uint32_t  category;

    if (!(value > -1 && value < (double) INT32_MAX)) {
        return 0;
    }

    category = (uint32_t) (int32_t) value;

    return category / 32 < node->word_count
           && (tree->words[node->words + category / 32] >> category % 32 & 1);
}

/*
 * One learned score of TREES full trees of depth DEPTH, over vectors that lead
 * elsewhere each time, in µs of CPU; beside it how long the model takes to be
 * read.  Fails when a score costs more than BOUND_US in proportion to the core
 * (measure.h).
 */

#include "measure.h"

#include "pay_risk_model.h"


#define TREES     300
#define DEPTH     6
#define LEAVES    (1 << DEPTH)
#define NODES     (LEAVES - 1)
#define VECTORS   512
#define BOUND_US  300.0
#define TEXT_MAX  (8 << 20)

typedef struct {
    const pay_risk_model_t  *model;
    unsigned                 next;
    double                   values[VECTORS][PAY_RISK_FEATURES];
} bench_score_t;


static uint32_t         state = 1;
static volatile double  sink;


static unsigned
draw(unsigned below)
{
    state = state * 1664525u + 1013904223u;

    return (state >> 8) % below;
}


static void
list(pay_buf_t *buf, const char *name, unsigned count, unsigned below)
{
    unsigned  i;

    pay_buf_text(buf, name);

    for (i = 0; i < count; i++) {
        pay_buf_text(buf, i ? " " : "=");
        pay_buf_int(buf, draw(below));
        pay_buf_text(buf, ".");
        pay_buf_int(buf, 1 + draw(99998));
    }

    pay_buf_text(buf, "\n");
}


/* Node n has the children 2n + 1 and 2n + 2; behind the nodes come leaves. */
static void
children(pay_buf_t *buf, const char *name, unsigned side)
{
    unsigned  i, child;

    pay_buf_text(buf, name);

    for (i = 0; i < NODES; i++) {
        child = 2 * i + side;
        pay_buf_text(buf, i ? " " : "=");
        pay_buf_int(buf, child < NODES ? (int64_t) child
                                       : -(int64_t) (child - NODES) - 1);
    }

    pay_buf_text(buf, "\n");
}


static void
tree(pay_buf_t *buf, unsigned number)
{
    unsigned  i;

    pay_buf_text(buf, "Tree=");
    pay_buf_int(buf, number);
    pay_buf_text(buf, "\nnum_leaves=");
    pay_buf_int(buf, LEAVES);
    pay_buf_text(buf, "\nnum_cat=0\nis_linear=0\nshrinkage=1\nsplit_feature");

    for (i = 0; i < NODES; i++) {
        pay_buf_text(buf, i ? " " : "=");
        pay_buf_int(buf, draw(PAY_RISK_FEATURES));
    }

    pay_buf_text(buf, "\ndecision_type");

    for (i = 0; i < NODES; i++) {
        pay_buf_text(buf, i ? " " : "=");
        pay_buf_int(buf, draw(6) * 2);
    }

    pay_buf_text(buf, "\n");
    list(buf, "threshold", NODES, 100);
    list(buf, "internal_value", NODES, 2);
    list(buf, "leaf_value", LEAVES, 2);
    children(buf, "left_child", 1);
    children(buf, "right_child", 2);
    pay_buf_text(buf, "\n\n");
}


static pay_str_t
text_of(pay_arena_t *arena)
{
    char        hash[PAY_RISK_HASH_SIZE];
    unsigned    i;
    pay_buf_t   buf;
    pay_str_t   text;

    if (pay_risk_features_hash(pay_risk_features(), hash) != PAY_OK) {
        abort();
    }

    pay_buf_init(&buf, arena, TEXT_MAX);
    pay_buf_text(&buf, "tree\nversion=v4\nnum_class=1\n"
                 "num_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=");
    pay_buf_int(&buf, PAY_RISK_FEATURES - 1);
    pay_buf_text(&buf, "\nobjective=binary sigmoid:1\nfeature_names");

    for (i = 0; i < PAY_RISK_FEATURES; i++) {
        pay_buf_text(&buf, i ? " " : "=");
        pay_buf_text(&buf, pay_risk_features()->names[i]);
    }

    pay_buf_text(&buf, "\nfeature_infos=none\nfeatures_hash=");
    pay_buf_text(&buf, hash);
    pay_buf_text(&buf, "\ntree_sizes");

    for (i = 0; i < TREES; i++) {
        pay_buf_text(&buf, i ? " 1" : "=1");
    }

    pay_buf_text(&buf, "\n\n");

    for (i = 0; i < TREES; i++) {
        tree(&buf, i);
    }

    pay_buf_text(&buf, "end of trees\n\nfeature_importances:\n\nparameters:\n"
                 "end of parameters\n\npandas_categorical:null\n");

    if (pay_buf_done(&buf, &text) != PAY_OK) {
        abort();
    }

    return text;
}


static void
score_one(pay_str_t text, void *data)
{
    bench_score_t     *bench = data;
    pay_risk_score_t   score;

    (void) text;
    pay_risk_model_score(bench->model,
                         bench->values[bench->next++ % VECTORS], &score);
    sink += score.probability;
}


static void
read_one(pay_str_t text, void *data)
{
    pay_err_t      err = { .detail = "" };
    pay_heap_t    *heap = pay_heap_create();
    bench_score_t  *bench = data;

    if (heap == NULL
        || pay_risk_model_read(pay_heap_arena(heap), text, pay_risk_features(),
                               &bench->model, &err) != PAY_OK)
    {
        fprintf(stderr, "%s\n", err.detail);
        abort();
    }

    pay_heap_destroy(heap);
}


int
main(void)
{
    double                us, bound;
    unsigned              i, k;
    pay_str_t             text;
    pay_heap_t           *heap = pay_heap_create();
    static bench_score_t  bench;

    if (heap == NULL) {
        abort();
    }

    text = text_of(pay_heap_arena(heap));

    for (i = 0; i < VECTORS; i++) {
        for (k = 0; k < PAY_RISK_FEATURES; k++) {
            bench.values[i][k] = draw(1000) / 10.0;
        }
    }

    printf("read: %.1f ms of %zu KB\n",
           bench_ns(read_one, text, &bench) / 1e6, text.len / 1024);

    if (pay_risk_model_read(pay_heap_arena(heap), text, pay_risk_features(),
                            &bench.model, NULL) != PAY_OK)
    {
        abort();
    }

    us = bench_ns(score_one, text, &bench) / 1e3;
    bound = bench_bound(BOUND_US, bench_repeat("x", 65536));
    printf("score: %.1f us of %d trees, at most %.0f\n", us, TREES, bound);
    pay_heap_destroy(heap);

    return us > bound;
}

/*
 * A model behind a pipe, for tests/risk: `risk-model MODEL [NAME,NAME…]` reads
 * the model for these features, without them for the compiled list, and scores
 * vectors of doubles from its input.  For each it writes doubles: raw,
 * probability, base, a contribution for each feature, and four reasons as
 * feature and share (-1 and 0: no more).  A model that is refused: exit 3, with
 * the slug and the reason on stderr.  It takes the locale of its environment,
 * which must change nothing.  No network.
 */

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "pay_risk_model.h"


#define REFUSED  3
#define OUT_MAX  (3 + PAY_RISK_FEATURES_MAX + 2 * PAY_RISK_REASONS_MAX)


static pay_str_t file_read(const char *path);
static pay_risk_features_t names_of(char *list);
static void score_write(const pay_risk_model_t *model, unsigned count,
    const double *values);


int
main(int argc, char **argv)
{
    double                   values[PAY_RISK_FEATURES_MAX];
    pay_err_t                err = { .slug = "", .detail = "" };
    pay_heap_t              *heap = pay_heap_create();
    pay_status_t             status;
    pay_risk_features_t      features = *pay_risk_features();
    const pay_risk_model_t  *model;

    setlocale(LC_ALL, "");

    if (argc < 2 || argc > 3 || heap == NULL) {
        return 2;
    }

    if (argc == 3) {
        features = names_of(argv[2]);
    }

    status = pay_risk_model_read(pay_heap_arena(heap), file_read(argv[1]),
                                 &features, &model, &err);
    if (status != PAY_OK) {
        fprintf(stderr, "%s: %s\n", err.slug, err.detail);
        return status == PAY_INVALID ? REFUSED : 1;
    }

    fprintf(stderr, "%s %u\n", pay_risk_model_form(model),
            pay_risk_model_trees(model));

    while (fread(values, sizeof(double), features.count, stdin)
           == features.count)
    {
        score_write(model, features.count, values);
    }

    pay_heap_destroy(heap);

    return 0;
}


static pay_str_t
file_read(const char *path)
{
    FILE           *file = fopen(path, "rb");
    size_t          len;
    unsigned char  *bytes = malloc(PAY_RISK_MODEL_MAX + 1);

    if (file == NULL || bytes == NULL) {
        exit(2);
    }

    len = fread(bytes, 1, PAY_RISK_MODEL_MAX + 1, file);
    fclose(file);

    return (pay_str_t) { len, bytes };
}


static pay_risk_features_t
names_of(char *list)
{
    char                *end;
    pay_risk_features_t  features = { NULL, 0 };

    static const char  *names[PAY_RISK_FEATURES_MAX];

    while (features.count < PAY_RISK_FEATURES_MAX) {
        names[features.count++] = list;
        end = strchr(list, ',');
        if (end == NULL) {
            break;
        }

        *end = '\0';
        list = end + 1;
    }

    features.names = names;

    return features;
}


static void
score_write(const pay_risk_model_t *model, unsigned count,
    const double *values)
{
    double             out[OUT_MAX];
    unsigned           i, n = 3;
    pay_risk_score_t   score;

    pay_risk_model_score(model, values, &score);
    out[0] = score.raw;
    out[1] = score.probability;
    out[2] = score.base;

    for (i = 0; i < count; i++) {
        out[n++] = score.contributions[i];
    }

    for (i = 0; i < PAY_RISK_REASONS_MAX; i++) {
        out[n++] = i < score.reason_count ? (double) score.reasons[i].feature
                                          : -1;
        out[n++] = i < score.reason_count ? score.reasons[i].share : 0;
    }

    if (fwrite(out, sizeof(double), n, stdout) != n) {
        exit(1);
    }
}

/*
 * Lists of features: the compiled one, and the digest by which a model says
 * for which list it was trained.
 */

#include "risk/model.h"


static const char *const  feature_names[] = {
#define FEATURE(name)  #name,
#include "risk/feature.list"
#undef FEATURE
};

PAY_ROWS(feature_names, PAY_RISK_FEATURES);
_Static_assert(PAY_RISK_FEATURES <= PAY_RISK_FEATURES_MAX,
               "a vector has no room for so many features");


const pay_risk_features_t *
pay_risk_features(void)
{
    static const pay_risk_features_t  features = {
        feature_names, PAY_RISK_FEATURES
    };

    return &features;
}


pay_status_t
pay_risk_features_hash(const pay_risk_features_t *features,
    char hash[PAY_RISK_HASH_SIZE])
{
    unsigned       i;
    pay_str_t      parts[2 * PAY_RISK_FEATURES_MAX];
    unsigned char  digest[PAY_SHA256_SIZE];

    static const char  digits[] = "0123456789abcdef";

    if (features->count == 0 || features->count > PAY_RISK_FEATURES_MAX) {
        return PAY_BUG;
    }

    for (i = 0; i < features->count; i++) {
        parts[2 * i] = pay_str_of(features->names[i]);
        parts[2 * i + 1] = PAY_STR("\n");
    }

    PAY_TRY(pay_sha256_parts(parts, 2 * features->count, digest));

    for (i = 0; i < PAY_SHA256_SIZE; i++) {
        hash[2 * i] = digits[digest[i] >> 4];
        hash[2 * i + 1] = digits[digest[i] & 15];
    }

    hash[2 * PAY_SHA256_SIZE] = '\0';

    return PAY_OK;
}


pay_status_t
pay_risk_feature_find(const pay_risk_features_t *features, pay_str_t name,
    unsigned *feature)
{
    unsigned  i;

    for (i = 0; i < features->count; i++) {
        if (pay_str_is(name, features->names[i])) {
            *feature = i;
            return PAY_OK;
        }
    }

    return PAY_NOT_FOUND;
}


pay_status_t
pay_risk_feature_check(const pay_risk_features_t *features, pay_str_t hash,
    pay_err_t *err)
{
    char  ours[PAY_RISK_HASH_SIZE];

    PAY_TRY(pay_risk_features_hash(features, ours));

    if (!pay_str_is(hash, ours)) {
        (void) pay_refuse(err, "risk-model-features",
                          "The model was trained with other features.");
        pay_err_say(err, "the model was trained with other features: its "
                    "features_hash is not %s", ours);
        return PAY_INVALID;
    }

    return PAY_OK;
}

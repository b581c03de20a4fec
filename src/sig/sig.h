/*
 * What the webhook schemes share: the rows of the registry, the check of a
 * signed time and the comparison of every key with every signature.  Nothing
 * outside src/sig includes this.
 */

#ifndef PAY_SRC_SIG_H
#define PAY_SRC_SIG_H

#include "pay_sig.h"


typedef struct {
    unsigned       count;
    unsigned char  mac[PAY_SIG_VALUES_MAX][PAY_SHA256_SIZE];
} pay_sig_values_t;


extern const pay_sig_scheme_t  pay_sig_standardwebhooks;
extern const pay_sig_scheme_t  pay_sig_stripe;
extern const pay_sig_scheme_t  pay_sig_svix;


/* PAY_SIG_VALID and *timestamp_s when `text` is plain digits not further than
 * the tolerance from now, in either direction; else PAY_SIG_TIMESTAMP.  A
 * tolerance of 0 asks for this very second, a negative one refuses all. */
pay_sig_verdict_t pay_sig_time_check(const pay_sig_input_t *input,
    pay_str_t text, int64_t *timestamp_s);

/* PAY_SIG_VALID when the HMAC-SHA-256 of `parts` under any key equals any of
 * the values, PAY_SIG_MISMATCH when none does, PAY_SIG_ERROR when libcrypto
 * fails or there are more keys than PAY_SIG_KEYS_MAX.  Looks at all pairs,
 * so the time tells nothing about which of them fits. */
pay_sig_verdict_t pay_sig_match(const pay_sig_input_t *input,
    const pay_str_t *parts, unsigned part_count,
    const pay_sig_values_t *values);

/* Takes the text before the first `separator` off *rest.  *more is 0 when
 * there was none left and the whole of *rest was taken. */
pay_str_t pay_sig_cut(pay_str_t *rest, unsigned char separator, int *more);


#endif /* PAY_SRC_SIG_H */

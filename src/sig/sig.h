/*
 * The common part of the webhook schemes: the rows of the registry, the check
 * of a signed time, the comparison of every key with every signature and the
 * form of a single signature in a header.  Nothing outside src/sig includes
 * this.
 */

#ifndef PAY_SRC_SIG_H
#define PAY_SRC_SIG_H

#include "pay_sig.h"


typedef struct {
    /* Signatures that a message carries, decoded, for pay_sig_match().  Values
     * that are malformed are not in it: they fit nothing. */
    unsigned       count;
    unsigned char  mac[PAY_SIG_VALUES_MAX][PAY_SHA256_SIZE];
} pay_sig_values_t;


/* How schemes with one signature in one header write it. */
typedef struct {
    const char  *header;
    const char  *prefix;       /* written; may be missing when read */
    int          is_base64;    /* else lower-case hex */
} pay_sig_form_t;


/* Makes the functions <name>_verify and <name>_sign of a scheme whose one
 * header, written as the table <name>_form says, is the MAC of the raw body
 * and of nothing else. */
#define PAY_SIG_FORM_SLOTS(name)                                              \
    static pay_sig_verdict_t                                                  \
    name##_verify(pay_arena_t *arena, const pay_sig_input_t *input,           \
        pay_sig_result_t *result)                                             \
    {                                                                         \
        return pay_sig_form_verify(arena, input, &name##_form, &input->body,  \
                                   1, result);                                \
    }                                                                         \
    static pay_status_t                                                       \
    name##_sign(pay_arena_t *arena, const pay_sig_message_t *message,         \
        pay_header_t headers[4], size_t *count)                               \
    {                                                                         \
        return pay_sig_form_sign(arena, &name##_form, message,                \
                                 &message->body, 1, headers, count);          \
    }


extern const pay_sig_scheme_t  pay_sig_adyen;
extern const pay_sig_scheme_t  pay_sig_adyen_platform;
extern const pay_sig_scheme_t  pay_sig_braintree;
extern const pay_sig_scheme_t  pay_sig_gocardless;
extern const pay_sig_scheme_t  pay_sig_mollie;
extern const pay_sig_scheme_t  pay_sig_mollie_legacy;
extern const pay_sig_scheme_t  pay_sig_paypal;
extern const pay_sig_scheme_t  pay_sig_razorpay;
extern const pay_sig_scheme_t  pay_sig_square;
extern const pay_sig_scheme_t  pay_sig_standardwebhooks;
extern const pay_sig_scheme_t  pay_sig_stripe;
extern const pay_sig_scheme_t  pay_sig_svix;
extern const pay_sig_scheme_t  pay_sig_tipalti;
extern const pay_sig_scheme_t  pay_sig_wise;


/* PAY_SIG_VALID and *timestamp_s when `text` is plain digits not further than
 * the tolerance from now, in either direction; else PAY_SIG_TIMESTAMP, and
 * *ahead says in which.  A tolerance of 0 asks for this very second, a
 * negative one refuses all. */
pay_sig_verdict_t pay_sig_time_check(const pay_sig_input_t *input,
    pay_str_t text, int64_t *timestamp_s, int *ahead);

/* PAY_SIG_VALID when the HMAC-SHA-256 of `parts` under any key equals any of
 * the values, PAY_SIG_MISMATCH when none does, PAY_SIG_ERROR when libcrypto
 * fails or there are more keys than PAY_SIG_KEYS_MAX.  Compares all pairs, so
 * the time does not reveal which of them fits. */
pay_sig_verdict_t pay_sig_match(const pay_sig_input_t *input,
    const pay_str_t *parts, unsigned part_count,
    const pay_sig_values_t *values);
/* Notes in input->fits whether that key fits. */
void pay_sig_note(const pay_sig_input_t *input, size_t key, int fits);

/* A key that is the text itself: 16 to PAY_SECRET_MAX printable ASCII
 * characters without blanks, else PAY_INVALID with a detail. */
pay_status_t pay_sig_key_text(pay_str_t text, pay_secret_t *key,
    pay_err_t *err) PAY_MUST_CHECK;

/* Appends the HMAC-SHA-256 that untrusted `text` spells, base64 or lower-case
 * hex, to *values.  PAY_SIG_HEADER_INVALID for any other spelling or length,
 * PAY_SIG_ERROR without memory. */
pay_sig_verdict_t pay_sig_value_read(pay_arena_t *arena, pay_str_t text,
    int is_base64, pay_sig_values_t *values);

/* The `verify` of such a scheme: the one header of `form` must be the
 * HMAC-SHA-256 of `parts` under any of the keys.  Every verdict but those of
 * time and certificate. */
pay_sig_verdict_t pay_sig_form_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, const pay_sig_form_t *form,
    const pay_str_t *parts, unsigned part_count, pay_sig_result_t *result);

/* The `sign` of such a scheme: writes that one header as a sender would. */
pay_status_t pay_sig_form_sign(pay_arena_t *arena, const pay_sig_form_t *form,
    const pay_sig_message_t *message, const pay_str_t *parts,
    unsigned part_count, pay_header_t headers[4], size_t *count)
    PAY_MUST_CHECK;
/* The `sign` of a scheme whose signature we cannot make: PAY_INVALID, and
 * nothing is written. */
pay_status_t pay_sig_sign_never(pay_arena_t *arena,
    const pay_sig_message_t *message, pay_header_t headers[4], size_t *count)
    PAY_MUST_CHECK;

/* Takes the text before the first `separator` off *rest.  *more is 0 when
 * there was none left and the whole of *rest was taken. */
pay_str_t pay_sig_cut(pay_str_t *rest, unsigned char separator, int *more);


#endif /* PAY_SRC_SIG_H */

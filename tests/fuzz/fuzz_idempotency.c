/*
 * The Idempotency-Key field's value.  What is accepted has the alphabet and
 * the length, lies in the input, and is the same key bare and quoted.
 */

#include "fuzz.h"

#include "pay_idempotency.h"


static void
same_bare_and_quoted(pay_str_t key)
{
    pay_str_t      again;
    unsigned char  quoted[PAY_IDEMPOTENCY_KEY_MAX + 2];

    FUZZ_CHECK(pay_idempotency_key_parse(key, &again, NULL) == PAY_OK);
    FUZZ_CHECK(pay_str_eq(again, key));

    quoted[0] = '"';
    memcpy(quoted + 1, key.data, key.len);
    quoted[key.len + 1] = '"';

    FUZZ_CHECK(pay_idempotency_key_parse((pay_str_t) { key.len + 2, quoted },
                                         &again, NULL) == PAY_OK);
    FUZZ_CHECK(pay_str_eq(again, key));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         i;
    pay_err_t      err = { .slug = NULL };
    pay_str_t      key, text = { size, data };
    unsigned char  a[PAY_SHA256_SIZE], b[PAY_SHA256_SIZE];

    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";

    if (pay_idempotency_key_parse(text, &key, &err) != PAY_OK) {
        fuzz_refused(&err);

    } else {
        FUZZ_CHECK(key.len >= PAY_IDEMPOTENCY_KEY_MIN);
        FUZZ_CHECK(key.len <= PAY_IDEMPOTENCY_KEY_MAX);
        FUZZ_CHECK(key.data >= data && key.data + key.len <= data + size);

        for (i = 0; i < key.len; i++) {
            FUZZ_CHECK(memchr(alphabet, key.data[i], sizeof(alphabet) - 1)
                       != NULL);
        }

        same_bare_and_quoted(key);
    }

    /* where merchant ends and body begins makes two requests */

    FUZZ_CHECK(pay_idempotency_fingerprint(PAY_STR("POST"), PAY_STR("/r"),
                                           PAY_STR(""), text, a) == PAY_OK);
    FUZZ_CHECK(pay_idempotency_fingerprint(PAY_STR("POST"), PAY_STR("/r"),
                                           text, PAY_STR(""), b) == PAY_OK);
    FUZZ_CHECK((memcmp(a, b, sizeof(a)) == 0) == (size == 0));

    return 0;
}

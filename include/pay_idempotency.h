/*
 * The Idempotency-Key field (draft-ietf-httpapi-idempotency-key-header-07;
 * docs/security.md IK1-IK3, IK9).
 */

#ifndef PAY_IDEMPOTENCY_H
#define PAY_IDEMPOTENCY_H

#include "pay_crypto.h"


#define PAY_IDEMPOTENCY_KEY_MIN  16
#define PAY_IDEMPOTENCY_KEY_MAX  64


/* One field line's value → the key.  Accepts a structured-field String
 * ("8e03…", RFC 9651 3.3.3; parameters refused) or the bare spelling;
 * both must be [A-Za-z0-9._~-]{16,64} and give the same key.  *key points
 * into `value`.  Else PAY_INVALID "idempotency-key-invalid". */
pay_status_t pay_idempotency_key_parse(pay_str_t value, pay_str_t *key,
    pay_err_t *err) PAY_MUST_CHECK;

/* SHA-256 over method, route template, merchant and the raw body, each with
 * its length in front so that no two inputs run together. */
pay_status_t pay_idempotency_fingerprint(pay_str_t method, pay_str_t route,
    pay_str_t merchant, pay_str_t body, unsigned char out[PAY_SHA256_SIZE])
    PAY_MUST_CHECK;


#endif /* PAY_IDEMPOTENCY_H */

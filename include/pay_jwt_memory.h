/*
 * Bearer tokens that were good a moment ago, by the SHA-256 of their bytes: a
 * storefront sends the same one with each request, and to verify it anew takes
 * longer than the rest of the request.  Holds no token and no secret.
 */

#ifndef PAY_JWT_MEMORY_H
#define PAY_JWT_MEMORY_H

#include "pay_crypto.h"
#include "pay_jwt.h"


#define PAY_JWT_MEMORY_SETS  256
#define PAY_JWT_MEMORY_WAYS  4

typedef struct {
    unsigned char         digest[PAY_SHA256_SIZE];
    const pay_jwt_key_t  *key;         /* NULL: free */
    int64_t               verified_s;
    int64_t               expires_s;
    unsigned              scopes;
    unsigned              subject_len;
    unsigned char         subject[PAY_JWT_SUB_MAX];
} pay_jwt_known_t;

/* All zero: empty.  Not shared: one for each process. */
typedef struct {
    pay_jwt_known_t       known[PAY_JWT_MEMORY_SETS][PAY_JWT_MEMORY_WAYS];
    const pay_jwt_key_t  *keys;        /* that they were good by */
    unsigned              next;        /* the way that gives place */
} pay_jwt_memory_t;


/* As pay_jwt_verify(), but a token that was good before by the same keys is
 * good until it expires, unless the clock has gone back behind that moment;
 * its subject is empty in each answer unless pay_jwt_subject_is_fit().  A
 * token that is refused is verified anew each time.  The caller clears the
 * memory whenever the policy's keys, audience or lifetime may have changed. */
pay_status_t pay_jwt_verify_known(pay_jwt_memory_t *memory,
    pay_arena_t *arena, pay_str_t token, const pay_jwt_policy_t *policy,
    pay_claims_t *claims, pay_jwt_why_t *why) PAY_MUST_CHECK;

/* Forgets all tokens. */
void pay_jwt_memory_clear(pay_jwt_memory_t *memory);


#endif /* PAY_JWT_MEMORY_H */

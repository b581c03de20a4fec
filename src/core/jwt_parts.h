/* The common part of the jwt*.c files; private to src/core. */

#ifndef PAY_JWT_PARTS_H
#define PAY_JWT_PARTS_H

#include "pay_jwt.h"
#include "pay_json.h"

#include <openssl/evp.h>


#define PAY_PEM_MAX  8192      /* of a key's text */


/* A token taken apart by jwt.c; all bytes are the arena's. */
typedef struct {
    pay_str_t    text;         /* the whole token */
    pay_str_t    signed_text;  /* header.payload as they were signed */
    pay_str_t    signature;    /* decoded */
    pay_str_t    kid;          /* empty: the header names none */
    pay_alg_t    alg;
    pay_json_t  *header;
    pay_json_t  *payload;
    const char  *why;          /* it is refused, when it is */
    pay_str_t    issuer;       /* of the key of ours that it names, or empty */
} pay_jwt_t;


/* Keeps the reason; PAY_INVALID. */
static inline pay_status_t
pay_jwt_refuse(pay_jwt_t *jwt, const char *why)
{
    jwt->why = why;

    return PAY_INVALID;
}


/* PAY_OK when the signature is right under that key and its algorithm;
 * PAY_BUG when the key is empty. */
pay_status_t pay_jwt_signature_check(const pay_jwt_t *jwt,
    const pay_jwt_key_t *key) PAY_MUST_CHECK;

/* Judges aud, exp, nbf, iat, sub and scope of a verified payload; fills all
 * of *claims but the key, or jwt->why. */
pay_status_t pay_jwt_claims_read(pay_arena_t *arena, pay_jwt_t *jwt,
    const pay_jwt_policy_t *policy, pay_claims_t *claims) PAY_MUST_CHECK;

/* As pay_jwt_judge(), and `more` judges further claims of the verified payload
 * when all others are good: it keeps nothing that points into the payload, and
 * says in jwt->why why it refuses. */
typedef pay_status_t (*pay_jwt_more_pt)(pay_arena_t *arena, pay_jwt_t *jwt,
    void *data);
pay_status_t pay_jwt_judge_more(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, pay_claims_t *claims, pay_jwt_why_t *why,
    pay_jwt_more_pt more, void *data) PAY_MUST_CHECK;

/* A claim that is a whole number of seconds since 1970: PAY_NOT_FOUND when it
 * is absent, PAY_INVALID when it is something else. */
pay_status_t pay_jwt_time(const pay_json_t *payload, const char *member,
    int64_t *time_s) PAY_MUST_CHECK;

/* The check of one algorithm, by libcrypto. */
pay_status_t pay_hs256_verify(const pay_jwt_t *jwt, pay_str_t key)
    PAY_MUST_CHECK;
pay_status_t pay_rs256_verify(const pay_jwt_t *jwt, pay_str_t key)
    PAY_MUST_CHECK;
pay_status_t pay_es256_verify(const pay_jwt_t *jwt, pay_str_t key)
    PAY_MUST_CHECK;

/* The public key of the first block of a PEM, the caller's to free; NULL when
 * it is none.  Never asks for a pass phrase. */
EVP_PKEY *pay_pem_read(pay_str_t key);
/* Equal keys have equal digests, however they were written.  An EC key is one
 * on P-256. */
pay_status_t pay_pkey_digest(EVP_PKEY *pkey,
    unsigned char out[PAY_JWT_DIGEST_SIZE]) PAY_MUST_CHECK;


#endif /* PAY_JWT_PARTS_H */

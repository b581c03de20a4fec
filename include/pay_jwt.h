/*
 * Bearer tokens of storefronts (RFC 7519, RFC 8725;
 * docs/security.md#rules-of-tokens).  A strict parser of our own stands in
 * front of libcrypto, which checks the signature.  libjwt 1.10 signs
 * (docs/security.md#what-libjwt-checks says why it does not verify); only
 * src/core/jwt_key.c knows it.
 */

#ifndef PAY_JWT_H
#define PAY_JWT_H

#include "pay_arena.h"


#define PAY_JWT_MAX          8192
#define PAY_JWT_LEEWAY_S     60
#define PAY_JWT_KID_MAX      64
#define PAY_JWT_SUB_MAX      128
#define PAY_JWT_DIGEST_SIZE  32

typedef enum {
    PAY_ALG_RS256, PAY_ALG_ES256, PAY_ALG_HS256
} pay_alg_t;

/* A verification key, bound to one algorithm and one issuer. */
typedef struct {
    pay_str_t   kid;           /* [A-Za-z0-9._-]{1,64} */
    pay_alg_t   alg;
    pay_str_t   key;           /* PEM public key, or the HS256 secret bytes */
    pay_str_t   issuer;        /* the merchant's id: `iss` must equal it */
    void       *owner;         /* whatever the caller wants back */
    unsigned char  digest[PAY_JWT_DIGEST_SIZE];    /* for the caller */
} pay_jwt_key_t;

typedef struct {
    const pay_jwt_key_t  *keys;        /* all merchants' keys, sorted by issuer
                                          in the order of pay_str_cmp() */
    size_t                count;
    pay_str_t             audience;
    int64_t               now_s;
    int64_t               max_lifetime_s;   /* exp - iat (or exp - now) */
} pay_jwt_policy_t;

/* Bits of pay_claims_t.scopes */
#define PAY_SCOPE_PAYMENTS_WRITE   0x01
#define PAY_SCOPE_PAYMENTS_READ    0x02
#define PAY_SCOPE_REFUNDS_WRITE    0x04
#define PAY_SCOPE_PAYOUTS_READ     0x08
#define PAY_SCOPE_BALANCE_READ     0x10
#define PAY_SCOPE_FINANCE_READ     0x20
#define PAY_SCOPE_FINANCE_WRITE    0x40
#define PAY_SCOPE_PAYOUTS_CREATE   0x80
#define PAY_SCOPE_PAYOUTS_APPROVE  0x100
#define PAY_SCOPE_PAYOUTS_SEND     0x200
#define PAY_SCOPE_DESTINATIONS     0x400
#define PAY_SCOPE_EVENTS_READ      0x800
#define PAY_SCOPE_EVENTS_WRITE     0x1000
#define PAY_SCOPE_RISK_READ        0x2000
#define PAY_SCOPE_RISK_WRITE       0x4000

typedef struct {
    const pay_jwt_key_t  *key;
    pay_str_t             subject;     /* may be empty; arena's */
    int64_t               expires_s;
    unsigned              scopes;      /* unknown scope words are ignored */
} pay_claims_t;


/* Why a token was refused: for the operator and the merchant's developer, never
 * for the sender of the token (J18). */
typedef struct {
    const char  *reason;       /* a literal */
    char         kid[PAY_JWT_KID_MAX + 1];    /* as the token says: of
                                  A-Z a-z 0-9 . _ - alone, "" for none */
    pay_str_t    issuer;       /* the key's, when its merchant is known; else
                                  empty */
} pay_jwt_why_t;


/* "RS256", "ES256", "HS256", exact case; else PAY_INVALID. */
pay_status_t pay_alg_parse(pay_str_t text, pay_alg_t *alg) PAY_MUST_CHECK;

/* Checks at configuration time that `key` is good for `alg`: RSA public key PEM
 * of 2048 bits or more; EC public key PEM on P-256; HS256 secret of 32 bytes or
 * more that is not one repeated byte and not a PEM.  A private key PEM is
 * refused.  On PAY_INVALID err->detail says why, and how to mend it (slug
 * "configuration").  On PAY_OK `digest`, unless it is NULL, gets 32 bytes that
 * are equal exactly when two keys are, however their files are written (line
 * ends, compressed points): SHA-256 of the public key as a
 * SubjectPublicKeyInfo, or of the HS256 secret. */
pay_status_t pay_jwt_key_check(pay_alg_t alg, pay_str_t key,
    unsigned char digest[PAY_JWT_DIGEST_SIZE], pay_err_t *err) PAY_MUST_CHECK;

/* Verifies the token (without "Bearer ").  PAY_INVALID is always slug
 * "invalid-token" with one and the same detail (J18).  Order: length,
 * alphabet, two dots, canonical base64url, header and payload as strict JSON
 * objects of depth <= 4, no crit/jku/jwk/x5u/x5c/b64/zip, typ absent, "JWT"
 * or "at+jwt", alg exact, key by (kid, iss) - kid may be absent only when the
 * issuer has one key -, signature by libcrypto under the key's own algorithm,
 * aud string or array contains ours, exp integer and required, nbf,
 * iat, lifetime, sub a string if any, scope (space separated string `scope`;
 * another type is refused).
 * PAY_BUG: the policy has no audience, now_s is no time of this era, or the
 * key that the token names has no bytes. */
pay_status_t pay_jwt_verify(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, pay_claims_t *claims, pay_err_t *err)
    PAY_MUST_CHECK;

/* The same; fills *why, unless it is NULL, when the answer is PAY_INVALID. */
pay_status_t pay_jwt_judge(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, pay_claims_t *claims, pay_jwt_why_t *why)
    PAY_MUST_CHECK;

/* Returns 1 when the subject is fit for the event log: 1 to PAY_JWT_SUB_MAX
 * bytes of printable ASCII, without a card number. */
int pay_jwt_subject_is_fit(pay_str_t subject);

/* {"kid":"…","sub":"…"}: who asks, for the event log.  Without "sub" when the
 * subject is empty or not fit. */
pay_status_t pay_jwt_asker(pay_arena_t *arena, pay_str_t kid, pay_str_t subject,
    pay_str_t *json) PAY_MUST_CHECK;

/* Signs a flat payload (JSON object text) with HS256 through libjwt; for the
 * signed result of the return leg.  A key under 32 bytes is PAY_BUG; a payload
 * that is no strict JSON object is PAY_INVALID. */
pay_status_t pay_jwt_sign_hs256(pay_arena_t *arena, pay_str_t key,
    pay_str_t payload, pay_str_t *token) PAY_MUST_CHECK;


#endif /* PAY_JWT_H */

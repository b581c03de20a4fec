/*
 * Mints tokens for the tests, good and bad ones, with keys that are made at
 * run time.  Knows nothing of libjwt, so that it can disagree with it.
 */

#ifndef JWT_MINT_H
#define JWT_MINT_H

#include <openssl/evp.h>

#include "pay_jwt.h"


#define MINT_NOW       INT64_C(1800000000)
#define MINT_AUDIENCE  "https://gw.example"
#define MINT_GOOD                                                             \
    "{\"iss\":\"acme\",\"aud\":\"" MINT_AUDIENCE "\",\"sub\":\"till-7\","     \
    "\"iat\":1799999990,\"exp\":1800000600,"                                  \
    "\"scope\":\"payments:write payments:read\"}"

/* The keys of the policy; acme has three of them, other and solo one each. */
enum {
    MINT_ACME_EC, MINT_ACME_RSA, MINT_ACME_HS, MINT_OTHER_EC, MINT_SOLO_HS,
    MINT_KEYS
};

typedef enum {
    MINT_RS256, MINT_PS256, MINT_ES256, MINT_ES256_DER, MINT_HS256, MINT_HS512
} mint_how_t;


/* Made at the first call in a process: the RSA pair takes a while. */
EVP_PKEY *mint_rsa(void);
EVP_PKEY *mint_ec(void);
EVP_PKEY *mint_other_ec(void);
pay_str_t mint_secret(void);           /* 32 bytes */
pay_str_t mint_solo_secret(void);
/* PEM of the public or the private half. */
pay_str_t mint_pem(EVP_PKEY *pkey, int private_half);

/* The policy over the keys above; acme's RSA key only when `rsa`. */
const pay_jwt_policy_t *mint_policy(int rsa);

pay_arena_t *mint_arena(void);         /* lives as long as the process */
pay_str_t mint_b64(pay_str_t bytes);   /* base64url */
pay_str_t mint_join(pay_str_t a, const char *between, pay_str_t b);

/* Signs `text` as it stands and appends "." and the signature. */
pay_str_t mint_sign(pay_str_t text, mint_how_t how, EVP_PKEY *pkey,
    pay_str_t secret);
/* A token of header and payload as they stand, under the key with that
 * number and its own algorithm. */
pay_str_t mint(const char *header, const char *payload, unsigned key);

/* Fails the test unless the token is accepted / refused; a refusal must look
 * like every other one and leave the claims alone. */
pay_claims_t mint_accepted(pay_str_t token);
void mint_refused(pay_str_t token, const char *what);


#endif /* JWT_MINT_H */

/*
 * Verification keys, and the only door to libjwt: checking a key when the
 * configuration is read, which verifier a key has, and signing.  Trusts jwt.c
 * to have read the token strictly before; reads no claim.
 */

#include <errno.h>
#include <stdlib.h>

#include <jwt.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "jwt_parts.h"

#include "pay_crypto.h"


#define PAY_HS256_KEY_MIN    32
#define PAY_RSA_BITS_MIN     2048
#define PAY_RSA_BITS_MAX     8192

#define PAY_PEM_BEGIN        "-----BEGIN "
#define PAY_PEM_PUBLIC       "-----BEGIN PUBLIC KEY-----"


typedef struct {
    /* One row for each algorithm: how the configuration's key is checked, and
     * how a token is verified.  An algorithm without a row does not exist for
     * the gateway. */
    const char    *name;
    pay_status_t  (*check)(pay_str_t key, unsigned char *digest,
        pay_err_t *err);
    pay_status_t  (*verify)(const pay_jwt_t *jwt, pay_str_t key);
} pay_jwt_alg_t;


static pay_status_t pay_hs256_check(pay_str_t key, unsigned char *digest,
    pay_err_t *err);
static pay_status_t pay_rs256_check(pay_str_t key, unsigned char *digest,
    pay_err_t *err);
static pay_status_t pay_es256_check(pay_str_t key, unsigned char *digest,
    pay_err_t *err);
static pay_status_t pay_pem_check(pay_str_t key, EVP_PKEY **pkey,
    pay_err_t *err);
static pay_status_t pay_pkey_end(EVP_PKEY *pkey, int good,
    unsigned char *digest, pay_err_t *err, const char *lack);
static int pay_pkey_is_sound(EVP_PKEY *pkey);
static int pay_pkey_is_p256(EVP_PKEY *pkey);
static size_t pay_text_count(pay_str_t text, const char *needle);
static pay_status_t pay_libjwt_sign(jwt_t *jwt, pay_str_t key,
    pay_str_t payload, char **token);


static const pay_jwt_alg_t  pay_jwt_algs[] = {
    [PAY_ALG_RS256] =
        { "RS256", pay_rs256_check, pay_rs256_verify },
    [PAY_ALG_ES256] =
        { "ES256", pay_es256_check, pay_es256_verify },
    [PAY_ALG_HS256] =
        { "HS256", pay_hs256_check, pay_hs256_verify }
};

#define PAY_JWT_ALGS  (sizeof(pay_jwt_algs) / sizeof(pay_jwt_algs[0]))


/* Exact case (docs/security.md J3); "none" is no row and thus no algorithm. */
pay_status_t
pay_alg_parse(pay_str_t text, pay_alg_t *alg)
{
    size_t  i;

    for (i = 0; i < PAY_JWT_ALGS; i++) {
        if (pay_str_is(text, pay_jwt_algs[i].name)) {
            *alg = (pay_alg_t) i;
            return PAY_OK;
        }
    }

    return PAY_INVALID;
}


/* Equal keys in two files of different spelling (line ends, compressed point)
 * get one digest: the configuration refuses a key that two merchants share.
 * Reading a PEM takes most of the time, so it is read once for both. */
pay_status_t
pay_jwt_key_check(pay_alg_t alg, pay_str_t key,
    unsigned char digest[PAY_JWT_DIGEST_SIZE], pay_err_t *err)
{
    if ((unsigned) alg >= PAY_JWT_ALGS) {
        return PAY_BUG;
    }

    if (key.len == 0) {
        return pay_refuse(err, "configuration", "the key file is empty");
    }

    return pay_jwt_algs[alg].check(key, digest, err);
}


/* An empty key is a bug of ours and stops here: a MAC with no key would be one
 * that everybody can compute (docs/security.md J2). */
pay_status_t
pay_jwt_signature_check(const pay_jwt_t *jwt, const pay_jwt_key_t *key)
{
    if ((unsigned) key->alg >= PAY_JWT_ALGS || key->alg != jwt->alg
        || key->key.data == NULL || key->key.len == 0
        || key->key.len > PAY_PEM_MAX)
    {
        return PAY_BUG;
    }

    return pay_jwt_algs[key->alg].verify(jwt, key->key);
}


/* The payload is parsed before it is signed, so that nothing but a strict JSON
 * object ever gets a signature of ours. */
pay_status_t
pay_jwt_sign_hs256(pay_arena_t *arena, pay_str_t key, pay_str_t payload,
    pay_str_t *token)
{
    char          *text;
    jwt_t         *jwt;
    pay_str_t      copy;
    pay_json_t    *json;
    pay_status_t   status;

    if (key.len < PAY_HS256_KEY_MIN || key.len > PAY_PEM_MAX) {
        return PAY_BUG;
    }

    PAY_TRY(pay_json_parse(payload, NULL, &json, NULL));

    status = pay_json_type(json) == PAY_JSON_OBJECT ? PAY_OK : PAY_INVALID;
    pay_json_free(json);
    PAY_TRY(status);

    /* libjwt takes a terminated string, which a slice is not. */
    PAY_TRY(pay_dup(arena, payload, &copy));

    if (jwt_new(&jwt) != 0) {
        return PAY_NO_MEMORY;
    }

    text = NULL;
    status = pay_libjwt_sign(jwt, key, copy, &text);
    jwt_free(jwt);

    if (status == PAY_OK) {
        status = pay_dup(arena, pay_str_of(text), token);
    }

    free(text);

    return status;
}


/* A PEM as HS256 secret is the mistake behind the attack of RFC 8725 section
 * 2.1: a public key is known to everybody. */
static pay_status_t
pay_hs256_check(pay_str_t key, unsigned char *digest, pay_err_t *err)
{
    size_t  i;

    if (pay_text_count(key, PAY_PEM_BEGIN) > 0) {
        return pay_refuse(err, "configuration", "HS256 needs a shared secret, "
                          "this is a PEM; set alg to the key's own kind");
    }

    if (key.len < PAY_HS256_KEY_MIN || key.len > PAY_SECRET_MAX) {
        return pay_refuse(err, "configuration", "an HS256 secret has 32 to "
                          "512 bytes; make one with openssl rand 32");
    }

    for (i = 1; i < key.len; i++) {
        if (key.data[i] != key.data[0]) {
            return digest == NULL || pay_sha256(key, digest) == PAY_OK
                   ? PAY_OK
                   : pay_refuse(err, "configuration",
                                "libcrypto gives no digest of the key");
        }
    }

    return pay_refuse(err, "configuration", "the secret is one byte repeated; "
                      "make one with openssl rand 32");
}


/* 8192 bits at most: verifying costs the square of the length, and a token is
 * a stranger's. */
static pay_status_t
pay_rs256_check(pay_str_t key, unsigned char *digest, pay_err_t *err)
{
    int        good;
    EVP_PKEY  *pkey = NULL;

    PAY_TRY(pay_pem_check(key, &pkey, err));

    good = EVP_PKEY_is_a(pkey, "RSA")
           && EVP_PKEY_get_bits(pkey) >= PAY_RSA_BITS_MIN
           && EVP_PKEY_get_bits(pkey) <= PAY_RSA_BITS_MAX
           && pay_pkey_is_sound(pkey);

    return pay_pkey_end(pkey, good, digest, err,
                        "RS256 needs an RSA public key of 2048 to 8192 bits");
}


/* ES256 is P-256 alone (RFC 7518 section 3.4). */
static pay_status_t
pay_es256_check(pay_str_t key, unsigned char *digest, pay_err_t *err)
{
    int        good;
    EVP_PKEY  *pkey = NULL;

    PAY_TRY(pay_pem_check(key, &pkey, err));

    good = EVP_PKEY_is_a(pkey, "EC") && pay_pkey_is_p256(pkey)
           && pay_pkey_is_sound(pkey);

    return pay_pkey_end(pkey, good, digest, err,
                        "ES256 needs an EC public key on P-256 "
                        "(prime256v1)");
}


/* Frees the key; its digest is wanted when it is good. */
static pay_status_t
pay_pkey_end(EVP_PKEY *pkey, int good, unsigned char *digest, pay_err_t *err,
    const char *lack)
{
    pay_status_t  status;

    status = !good ? pay_refuse(err, "configuration", lack) : PAY_OK;

    if (good && digest != NULL && pay_pkey_digest(pkey, digest) != PAY_OK) {
        status = pay_refuse(err, "configuration",
                            "libcrypto gives no digest of the key");
    }

    EVP_PKEY_free(pkey);
    ERR_clear_error();

    return status;
}


/* One block, a SubjectPublicKeyInfo, without headers: a header could ask for
 * a pass phrase, on the terminal. */
static pay_status_t
pay_pem_check(pay_str_t key, EVP_PKEY **pkey, pay_err_t *err)
{
    if (pay_text_count(key, "PRIVATE KEY") > 0) {
        return pay_refuse(err, "configuration", "this is a private key; put "
                          "in the public one (openssl pkey -pubout)");
    }

    if (key.len > PAY_PEM_MAX
        || key.len < sizeof(PAY_PEM_PUBLIC) - 1
        || memcmp(key.data, PAY_PEM_PUBLIC, sizeof(PAY_PEM_PUBLIC) - 1) != 0
        || pay_text_count(key, PAY_PEM_BEGIN) != 1
        || pay_text_count(key, ":") > 0)
    {
        return pay_refuse(err, "configuration", "the file must hold one "
                          "BEGIN PUBLIC KEY block and nothing else");
    }

    *pkey = pay_pem_read(key);

    if (*pkey == NULL) {
        return pay_refuse(err, "configuration", "the PEM is damaged; export "
                          "it again (openssl pkey -pubout)");
    }

    return PAY_OK;
}


/* libcrypto's own check of public keys: the point lies on the curve, the
 * modulus has no small factors.  nginx -t refuses a key that fails it.  "Quick"
 * leaves out that the point has the order of the group, which on P-256 all
 * points have (its cofactor is 1), and which takes most of the time. */
static int
pay_pkey_is_sound(EVP_PKEY *pkey)
{
    int            sound;
    EVP_PKEY_CTX  *ctx;

    ctx = EVP_PKEY_CTX_new(pkey, NULL);
    sound = ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();

    return sound;
}


/* libcrypto calls the curve P-256 prime256v1. */
static int
pay_pkey_is_p256(EVP_PKEY *pkey)
{
    char    name[32];
    int     found;
    size_t  len;

    found = EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
                                           name, sizeof(name), &len) == 1;
    ERR_clear_error();

    return found && pay_str_is(pay_str_of(name), "prime256v1");
}


/* Not in constant time: this reads configuration, before any request. */
static size_t
pay_text_count(pay_str_t text, const char *needle)
{
    size_t  i, len, count;

    len = strlen(needle);
    count = 0;

    for (i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, needle, len) == 0) {
            count++;
        }
    }

    return count;
}


/* libjwt adds {"typ":"JWT","alg":"HS256"} itself.  *token is malloc's, the
 * caller frees it. */
static pay_status_t
pay_libjwt_sign(jwt_t *jwt, pay_str_t key, pay_str_t payload, char **token)
{
    int  rc;

    rc = jwt_set_alg(jwt, JWT_ALG_HS256, key.data, (int) key.len);

    if (rc == 0) {
        rc = jwt_add_grants_json(jwt, (const char *) payload.data);
    }

    if (rc != 0) {
        return rc == ENOMEM ? PAY_NO_MEMORY : PAY_INVALID;
    }

    *token = jwt_encode_str(jwt);

    return *token != NULL ? PAY_OK : PAY_NO_MEMORY;
}

/*
 * Digests, MACs, comparison and secrets over libcrypto.  Algorithms are
 * fetched once per process: an implicit fetch at each call costs more than
 * hashing a small body.  The first fetch happens before any thread starts
 * (nginx workers have none), so there is no lock.
 */

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "pay_crypto.h"


typedef struct {
    const char  *name;
    size_t       size;
} pay_hash_t;


static pay_status_t pay_hmac(const pay_hash_t *hash, pay_str_t key,
    const pay_str_t *parts, unsigned count, unsigned char *out);
static int pay_hmac_run(EVP_MAC_CTX *ctx, const pay_hash_t *hash,
    pay_str_t key, const pay_str_t *parts, unsigned count,
    unsigned char *out);
static EVP_MD *pay_sha256_md(void);
static EVP_MAC *pay_hmac_mac(void);


static const pay_hash_t  pay_hash_sha1 = { "SHA1", PAY_SHA1_SIZE };
static const pay_hash_t  pay_hash_sha256 = { "SHA256", PAY_SHA256_SIZE };

/* Fetched once and never freed; they live as long as the process. */
static EVP_MD   *pay_fetched_sha256;
static EVP_MAC  *pay_fetched_hmac;


/* `bytes` may lie within the secret itself, hence memmove(). */
pay_status_t
pay_secret_set(pay_secret_t *secret, pay_str_t bytes)
{
    if (bytes.len == 0 || bytes.len > PAY_SECRET_MAX) {
        return PAY_INVALID;
    }

    /* the bytes of a longer old secret behind the new one are wiped, too */
    memmove(secret->data, bytes.data, bytes.len);
    OPENSSL_cleanse(secret->data + bytes.len, PAY_SECRET_MAX - bytes.len);
    secret->len = bytes.len;

    return PAY_OK;
}


/* OPENSSL_cleanse() is not optimised away, as a memset() of a dying struct
 * is. */
void
pay_secret_wipe(pay_secret_t *secret)
{
    OPENSSL_cleanse(secret, sizeof(*secret));
}


/* Borrows from the secret; use it before the secret is wiped. */
pay_str_t
pay_secret_str(const pay_secret_t *secret)
{
    return (pay_str_t) { secret->len, secret->data };
}


pay_status_t
pay_sha256(pay_str_t bytes, unsigned char out[PAY_SHA256_SIZE])
{
    return pay_sha256_parts(&bytes, 1, out);
}


/* Parts are fed one after the other, so that no caller joins texts in memory.
 * The result is written only when all of it succeeded. */
pay_status_t
pay_sha256_parts(const pay_str_t *parts, unsigned count,
    unsigned char out[PAY_SHA256_SIZE])
{
    int             ok;
    EVP_MD         *md = pay_sha256_md();
    unsigned        i;
    EVP_MD_CTX     *ctx;
    unsigned char   digest[PAY_SHA256_SIZE];

    ctx = md != NULL ? EVP_MD_CTX_new() : NULL;
    ok = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;

    for (i = 0; ok && i < count; i++) {
        ok = parts[i].len == 0
             || EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1;
    }

    ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);

    if (!ok) {
        ERR_clear_error();
        return PAY_NO_MEMORY;
    }

    memcpy(out, digest, sizeof(digest));

    return PAY_OK;
}


/* Not cached like SHA-256: one PSP's keys and webhooks are all that needs it
 * (Braintree). */
pay_status_t
pay_sha1(pay_str_t bytes, unsigned char out[PAY_SHA1_SIZE])
{
    size_t          len;
    unsigned char   digest[PAY_SHA1_SIZE];

    if (EVP_Q_digest(NULL, pay_hash_sha1.name, NULL,
                     bytes.len != 0 ? (const void *) bytes.data : "",
                     bytes.len, digest, &len) != 1)
    {
        return PAY_NO_MEMORY;
    }

    memcpy(out, digest, sizeof(digest));
    OPENSSL_cleanse(digest, sizeof(digest));

    return PAY_OK;
}


pay_status_t
pay_hmac_sha256(pay_str_t key, const pay_str_t *parts, unsigned count,
    unsigned char out[PAY_SHA256_SIZE])
{
    return pay_hmac(&pay_hash_sha256, key, parts, count, out);
}


pay_status_t
pay_hmac_sha1(pay_str_t key, const pay_str_t *parts, unsigned count,
    unsigned char out[PAY_SHA1_SIZE])
{
    return pay_hmac(&pay_hash_sha1, key, parts, count, out);
}


/* The lengths of MACs and digests are public, so that an early return tells
 * nothing. */
int
pay_equal_ct(pay_str_t a, pay_str_t b)
{
    if (a.len != b.len) {
        return 0;
    }

    return a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0;
}


/* One function for both digests; the digest on the stack has room for the
 * larger. */
static pay_status_t
pay_hmac(const pay_hash_t *hash, pay_str_t key, const pay_str_t *parts,
    unsigned count, unsigned char *out)
{
    int             done;
    EVP_MAC        *mac;
    EVP_MAC_CTX    *ctx;
    unsigned char   digest[PAY_SHA256_SIZE];

    /* an empty key is a key that was not loaded: never MAC with it */
    if (key.len == 0) {
        return PAY_BUG;
    }

    mac = pay_hmac_mac();
    ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    if (ctx == NULL) {
        return PAY_NO_MEMORY;
    }

    done = pay_hmac_run(ctx, hash, key, parts, count, digest);
    EVP_MAC_CTX_free(ctx);

    if (!done) {
        return PAY_NO_MEMORY;
    }

    memcpy(out, digest, hash->size);
    OPENSSL_cleanse(digest, sizeof(digest));

    return PAY_OK;
}


/* 1 when every step succeeded and the MAC has the digest's length. */
static int
pay_hmac_run(EVP_MAC_CTX *ctx, const pay_hash_t *hash, pay_str_t key,
    const pay_str_t *parts, unsigned count, unsigned char *out)
{
    size_t       len;
    unsigned     i;
    OSSL_PARAM   params[2];

    /* libcrypto takes it without const and only reads it */
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 (char *) hash->name, 0);
    params[1] = OSSL_PARAM_construct_end();

    if (EVP_MAC_init(ctx, key.data, key.len, params) != 1) {
        return 0;
    }

    for (i = 0; i < count; i++) {
        if (parts[i].len != 0
            && EVP_MAC_update(ctx, parts[i].data, parts[i].len) != 1)
        {
            return 0;
        }
    }

    return EVP_MAC_final(ctx, out, &len, PAY_SHA256_SIZE) == 1
           && len == hash->size;
}


static EVP_MD *
pay_sha256_md(void)
{
    if (pay_fetched_sha256 == NULL) {
        pay_fetched_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    }

    return pay_fetched_sha256;
}


static EVP_MAC *
pay_hmac_mac(void)
{
    if (pay_fetched_hmac == NULL) {
        pay_fetched_hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    }

    return pay_fetched_hmac;
}

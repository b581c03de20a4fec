/*
 * RSA public keys of PEM text, which an operator configures, and the check of
 * signatures, which strangers send.  Called by the Wise scheme and where the
 * configuration is read; x509.c has its keys from certificates.
 */

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "pay_rsa.h"
#include "core/rsa.h"


#define RSA_BITS_MIN  2048
#define RSA_BITS_MAX  8192

typedef struct {
    EVP_PKEY  *keys[PAY_RSA_KEYS_MAX];
    unsigned   count;
} rsa_ring_t;


static pay_status_t rsa_read(pay_str_t pem, rsa_ring_t *ring);
static pay_status_t rsa_read_all(BIO *bio, rsa_ring_t *ring);
static EVP_PKEY *rsa_block(const char *name, const char *head,
    const unsigned char *der, long len);
static int rsa_ring_is_good(const rsa_ring_t *ring);
static void rsa_free(rsa_ring_t *ring);


/* The result is thrown away: a text is read again for each message, which
 * takes a small part of the time that the signature takes. */
pay_status_t
pay_rsa_check(pay_str_t pem, pay_err_t *err)
{
    int           good;
    rsa_ring_t    ring;
    pay_status_t  status;

    status = rsa_read(pem, &ring);

    if (status == PAY_OK) {
        good = rsa_ring_is_good(&ring);
        rsa_free(&ring);
        status = good ? PAY_OK : PAY_INVALID;
    }

    return (status == PAY_INVALID)
           ? pay_refuse(err, "configuration",
                        "it holds 1 to 4 different RSA public keys of 2048 to "
                        "8192 bits as PEM text, which begins with -----BEGIN "
                        "PUBLIC KEY-----: copy the key that the provider "
                        "publishes")
           : status;
}


/* All keys are tried, so that messages verify while the provider changes its
 * key. */
pay_status_t
pay_rsa_verify(pay_str_t pem, pay_str_t text, pay_str_t signature)
{
    int           fits = 0;
    unsigned      i;
    rsa_ring_t    ring;
    EVP_MD_CTX   *md;
    pay_status_t  status;

    PAY_TRY(rsa_read(pem, &ring));

    for (i = 0, status = PAY_INVALID; i < ring.count && !fits; i++) {
        md = EVP_MD_CTX_new();
        if (md == NULL) {
            status = PAY_NO_MEMORY;
            break;
        }

        fits = pay_rsa_fits(ring.keys[i], md, text, signature);
        EVP_MD_CTX_free(md);
    }

    rsa_free(&ring);
    ERR_clear_error();

    return fits ? PAY_OK : status;
}


int
pay_rsa_key_is_good(EVP_PKEY *key)
{
    int  bits = EVP_PKEY_get_bits(key);

    return EVP_PKEY_is_a(key, "RSA")
           && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
}


/* 2048 bits are 112 bits of strength; the upper bound limits the CPU that a
 * message can cost. */
int
pay_rsa_fits(EVP_PKEY *key, EVP_MD_CTX *md, pay_str_t text,
    pay_str_t signature)
{
    return pay_rsa_key_is_good(key)
           && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1
           && EVP_DigestVerify(md, signature.data, signature.len, text.data,
                               text.len)
              == 1;
}


/* The caller frees the ring. */
static pay_status_t
rsa_read(pay_str_t pem, rsa_ring_t *ring)
{
    BIO           *bio;
    pay_status_t   status;

    memset(ring, 0, sizeof(*ring));

    if (pem.len == 0 || pem.len > PAY_RSA_PEM_MAX) {
        return PAY_INVALID;
    }

    bio = BIO_new_mem_buf(pem.data, (int) pem.len);
    if (bio == NULL) {
        return PAY_NO_MEMORY;
    }

    status = rsa_read_all(bio, ring);
    BIO_free(bio);
    ERR_clear_error();

    if (status != PAY_OK) {
        rsa_free(ring);
    }

    return status;
}


/* A block of another kind, or one that cannot be read, condemns the text: it is
 * not the file that the operator meant. */
static pay_status_t
rsa_read_all(BIO *bio, rsa_ring_t *ring)
{
    long            len;
    char           *name, *head;
    EVP_PKEY       *key;
    unsigned char  *der;
    unsigned long   trouble;

    for ( ;; ) {
        ERR_clear_error();

        if (PEM_read_bio(bio, &name, &head, &der, &len) != 1) {
            break;
        }

        key = rsa_block(name, head, der, len);
        OPENSSL_free(name);
        OPENSSL_free(head);
        OPENSSL_clear_free(der, (size_t) len);

        if (key == NULL || ring->count == PAY_RSA_KEYS_MAX) {
            EVP_PKEY_free(key);
            return PAY_INVALID;
        }

        ring->keys[ring->count++] = key;
    }

    trouble = ERR_peek_last_error();

    return (ERR_GET_LIB(trouble) == ERR_LIB_PEM
            && ERR_GET_REASON(trouble) == PEM_R_NO_START_LINE
            && ring->count > 0)
           ? PAY_OK : PAY_INVALID;
}


/* NULL when it is no public key, or is encrypted, or has bytes behind it. */
static EVP_PKEY *
rsa_block(const char *name, const char *head, const unsigned char *der,
    long len)
{
    EVP_PKEY             *key;
    const unsigned char  *end = der;

    if (strcmp(name, PEM_STRING_PUBLIC) != 0 || head[0] != '\0') {
        return NULL;
    }

    key = d2i_PUBKEY(NULL, &end, len);

    if (key != NULL && end != der + len) {
        EVP_PKEY_free(key);
        key = NULL;
    }

    return key;
}


/* Equal keys are a rotation that was not finished. */
static int
rsa_ring_is_good(const rsa_ring_t *ring)
{
    unsigned  i, k;

    for (i = 0; i < ring->count; i++) {
        if (!pay_rsa_key_is_good(ring->keys[i])) {
            return 0;
        }

        for (k = 0; k < i; k++) {
            if (EVP_PKEY_eq(ring->keys[i], ring->keys[k]) == 1) {
                return 0;
            }
        }
    }

    return 1;
}


static void
rsa_free(rsa_ring_t *ring)
{
    unsigned  i;

    for (i = 0; i < ring->count; i++) {
        EVP_PKEY_free(ring->keys[i]);
    }

    ring->count = 0;
}

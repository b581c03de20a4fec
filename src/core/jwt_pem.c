/*
 * Public keys of tokens as they stand in files: reading one, and its digest.
 * Nearly all keys of ES256 are written in one way, byte for byte, by which they
 * are recognised here: libcrypto 3.0 looks for a decoder anew for each key,
 * which takes twenty times as long, and a gateway may have ten thousand keys.
 *
 *     PEM ─▶ DER ─┬ P-256, uncompressed ─▶ point ─▶ key
 *                 └ any other ─▶ libcrypto's decoders ─▶ key
 */

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "jwt_parts.h"

#include "pay_crypto.h"


#define PAY_P256_HEAD   26
#define PAY_P256_POINT  65     /* 4, x, y: SEC 1, 2.3.3 */
#define PAY_P256_SIZE   (PAY_P256_HEAD + PAY_P256_POINT)


static EVP_PKEY *pay_der_read(pay_str_t der);
static EVP_PKEY *pay_p256_read(pay_str_t der);
static pay_status_t pay_p256_digest(EVP_PKEY *pkey,
    unsigned char out[PAY_JWT_DIGEST_SIZE]);


/* A SubjectPublicKeyInfo (RFC 5480) of id-ecPublicKey and prime256v1, up to the
 * point. */
static const unsigned char  pay_p256_head[PAY_P256_HEAD] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
    0x42, 0x00
};


/* A block that is encrypted has a header, and libcrypto would ask for its pass
 * phrase on the terminal: nginx would hang at its start. */
EVP_PKEY *
pay_pem_read(pay_str_t key)
{
    BIO            *bio;
    char           *name = NULL, *header = NULL;
    long            len;
    EVP_PKEY       *pkey = NULL;
    unsigned char  *der = NULL;

    bio = BIO_new_mem_buf(key.data, (int) key.len);

    if (bio != NULL
        && PEM_read_bio(bio, &name, &header, &der, &len) == 1
        && pay_str_is(pay_str_of(name), PEM_STRING_PUBLIC)
        && header[0] == '\0')
    {
        pkey = pay_der_read((pay_str_t) { (size_t) len, der });
    }

    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
    ERR_clear_error();

    return pkey;
}


static EVP_PKEY *
pay_der_read(pay_str_t der)
{
    EVP_PKEY             *pkey;
    const unsigned char  *p = der.data;

    if (der.len == PAY_P256_SIZE
        && memcmp(der.data, pay_p256_head, PAY_P256_HEAD) == 0
        && der.data[PAY_P256_HEAD] == POINT_CONVERSION_UNCOMPRESSED)
    {
        return pay_p256_read(der);
    }

    pkey = d2i_PUBKEY(NULL, &p, (long) der.len);

    if (pkey != NULL && p != der.data + der.len) {
        EVP_PKEY_free(pkey);
        return NULL;
    }

    return pkey;
}


/* libcrypto refuses a point that is not on the curve. */
static EVP_PKEY *
pay_p256_read(pay_str_t der)
{
    EVP_PKEY       *pkey = NULL;
    EVP_PKEY_CTX   *ctx;
    char            group[] = "prime256v1";
    unsigned char   point[PAY_P256_POINT];
    OSSL_PARAM      params[3];

    memcpy(point, der.data + PAY_P256_HEAD, PAY_P256_POINT);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                 group, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                  point, PAY_P256_POINT);
    params[2] = OSSL_PARAM_construct_end();

    ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
        pkey = NULL;
    }

    EVP_PKEY_CTX_free(ctx);

    return pkey;
}


/* Hashes the DER of the SubjectPublicKeyInfo, which has one spelling. */
pay_status_t
pay_pkey_digest(EVP_PKEY *pkey, unsigned char out[PAY_JWT_DIGEST_SIZE])
{
    int             len;
    pay_status_t    status;
    unsigned char  *der = NULL;

    if (EVP_PKEY_is_a(pkey, "EC")) {
        return pay_p256_digest(pkey, out);
    }

    len = i2d_PUBKEY(pkey, &der);

    if (len <= 0) {
        return PAY_NO_MEMORY;
    }

    status = pay_sha256((pay_str_t) { (size_t) len, der }, out);

    OPENSSL_free(der);

    return status;
}


/* An EC point can be written compressed or not, and a curve by name or by its
 * parameters: the digest is of one form. */
static pay_status_t
pay_p256_digest(EVP_PKEY *pkey, unsigned char out[PAY_JWT_DIGEST_SIZE])
{
    size_t         len;
    unsigned char  der[PAY_P256_SIZE];

    memcpy(der, pay_p256_head, PAY_P256_HEAD);

    if (EVP_PKEY_set_utf8_string_param(pkey,
                                 OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                 "uncompressed") != 1
        || EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
                                           der + PAY_P256_HEAD,
                                           PAY_P256_POINT, &len) != 1
        || len != PAY_P256_POINT)
    {
        return PAY_INVALID;
    }

    return pay_sha256((pay_str_t) { PAY_P256_SIZE, der }, out);
}

/*
 * The check of a token's signature by libcrypto, one function an algorithm.
 * libjwt 1.10 cannot do it for all tokens: its one public function that
 * verifies, jwt_decode(), refuses the access tokens of RFC 9068 (typ
 * "at+jwt"), and the header that says so is signed.  Called by jwt_key.c only.
 */

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "jwt_parts.h"

#include "pay_crypto.h"


#define PAY_ES256_HALF     32
/* A SEQUENCE of two INTEGERs of at most 33 bytes: 72 bytes. */
#define PAY_ES256_DER_MAX  80


static pay_status_t pay_evp_verify(const pay_jwt_t *jwt, pay_str_t key,
    const char *type, pay_str_t signature);
static int pay_es256_der(pay_str_t raw, unsigned char der[PAY_ES256_DER_MAX]);


/* Compared in constant time: memcmp() would tell a MAC byte by byte. */
pay_status_t
pay_hs256_verify(const pay_jwt_t *jwt, pay_str_t key)
{
    unsigned char  mac[PAY_SHA256_SIZE];
    pay_str_t      expected = { PAY_SHA256_SIZE, mac };

    PAY_TRY(pay_hmac_sha256(key, &jwt->signed_text, 1, mac));

    return pay_equal_ct(expected, jwt->signature) ? PAY_OK : PAY_INVALID;
}


pay_status_t
pay_rs256_verify(const pay_jwt_t *jwt, pay_str_t key)
{
    return pay_evp_verify(jwt, key, "RSA", jwt->signature);
}


/* libcrypto takes ECDSA signatures in DER only, JOSE has them raw. */
pay_status_t
pay_es256_verify(const pay_jwt_t *jwt, pay_str_t key)
{
    int            len;
    pay_str_t      signature;
    unsigned char  der[PAY_ES256_DER_MAX];

    len = pay_es256_der(jwt->signature, der);

    if (len <= 0) {
        return PAY_INVALID;
    }

    signature.data = der;
    signature.len = (size_t) len;

    return pay_evp_verify(jwt, key, "EC", signature);
}


/* Every failure of libcrypto is "wrong signature" here: a key that cannot be
 * read was refused by nginx -t.  The error queue is emptied, since nginx finds
 * leftovers there and logs them as stale errors of TLS. */
static pay_status_t
pay_evp_verify(const pay_jwt_t *jwt, pay_str_t key, const char *type,
    pay_str_t signature)
{
    int          right;
    EVP_PKEY    *pkey;
    EVP_MD_CTX  *md;

    md = EVP_MD_CTX_new();

    if (md == NULL) {
        return PAY_NO_MEMORY;
    }

    pkey = pay_pem_read(key);

    right = pkey != NULL && EVP_PKEY_is_a(pkey, type)
            && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, pkey) == 1
            && EVP_DigestVerify(md, signature.data, signature.len,
                                jwt->signed_text.data, jwt->signed_text.len)
               == 1;

    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    ERR_clear_error();

    return right ? PAY_OK : PAY_INVALID;
}


/* JOSE writes r and s in 32 bytes each (RFC 7518 section 3.4), libcrypto reads
 * DER. Returns the length, or 0.  A text of another length is refused here,
 * since BN functions would take any. */
static int
pay_es256_der(pay_str_t raw, unsigned char der[PAY_ES256_DER_MAX])
{
    int             len;
    BIGNUM         *r, *s;
    ECDSA_SIG      *sig;
    unsigned char  *end;

    if (raw.len != 2 * PAY_ES256_HALF) {
        return 0;
    }

    sig = ECDSA_SIG_new();
    r = BN_bin2bn(raw.data, PAY_ES256_HALF, NULL);
    s = BN_bin2bn(raw.data + PAY_ES256_HALF, PAY_ES256_HALF, NULL);

    if (sig == NULL || r == NULL || s == NULL
        || ECDSA_SIG_set0(sig, r, s) != 1)
    {
        /* ECDSA_SIG_set0() takes r and s over only when it succeeds. */
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        ERR_clear_error();
        return 0;
    }

    end = der;
    len = i2d_ECDSA_SIG(sig, &end);

    ECDSA_SIG_free(sig);

    return len;
}

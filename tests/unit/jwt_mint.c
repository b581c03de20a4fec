/*
 * Tokens for the tests; see jwt_mint.h.
 */

#include "jwt_mint.h"

#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "pay_crypto.h"


static void  release(void);
static EVP_PKEY  *kept(EVP_PKEY **slot, EVP_PKEY *made);


static pay_heap_t  *heap;
static EVP_PKEY    *pairs[3];


pay_arena_t *
mint_arena(void)
{
    if (heap == NULL) {
        heap = pay_heap_create();
        cr_assert_not_null(heap);
        atexit(release);
    }

    return pay_heap_arena(heap);
}


EVP_PKEY *
mint_rsa(void)
{
    return pairs[0] ? pairs[0] : kept(&pairs[0], EVP_RSA_gen(2048));
}


EVP_PKEY *
mint_ec(void)
{
    return pairs[1] ? pairs[1] : kept(&pairs[1], EVP_EC_gen("P-256"));
}


EVP_PKEY *
mint_other_ec(void)
{
    return pairs[2] ? pairs[2] : kept(&pairs[2], EVP_EC_gen("P-256"));
}


static EVP_PKEY *
kept(EVP_PKEY **slot, EVP_PKEY *made)
{
    cr_assert_not_null(made);
    (void) mint_arena();
    *slot = made;

    return made;
}


static void
release(void)
{
    size_t  i;

    for (i = 0; i < 3; i++) {
        EVP_PKEY_free(pairs[i]);
    }

    pay_heap_destroy(heap);
}


static pay_str_t
random_bytes(unsigned char bytes[32])
{
    if (bytes[0] == 0) {
        do {
            cr_assert_eq(RAND_bytes(bytes, 32), 1);
        } while (bytes[0] == 0);
    }

    return (pay_str_t) { 32, bytes };
}


pay_str_t
mint_secret(void)
{
    static unsigned char  bytes[32];

    return random_bytes(bytes);
}


pay_str_t
mint_solo_secret(void)
{
    static unsigned char  bytes[32];

    return random_bytes(bytes);
}


pay_str_t
mint_pem(EVP_PKEY *pkey, int private_half)
{
    int        ok;
    BIO       *bio;
    char      *data;
    long       len;
    pay_str_t  pem;

    bio = BIO_new(BIO_s_mem());
    cr_assert_not_null(bio);

    ok = private_half
         ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
         : PEM_write_bio_PUBKEY(bio, pkey);
    cr_assert_eq(ok, 1);

    len = BIO_get_mem_data(bio, &data);
    cr_assert_eq(pay_dup(mint_arena(),
                         (pay_str_t) { (size_t) len, (unsigned char *) data },
                         &pem), PAY_OK);
    BIO_free(bio);

    return pem;
}


static pay_jwt_key_t
key(const char *kid, pay_alg_t alg, pay_str_t bytes, const char *issuer)
{
    pay_jwt_key_t  k;

    k.kid = pay_str_of(kid);
    k.alg = alg;
    k.key = bytes;
    k.issuer = pay_str_of(issuer);
    k.owner = NULL;

    return k;
}


const pay_jwt_policy_t *
mint_policy(int rsa)
{
    static pay_jwt_key_t     keys[MINT_KEYS];
    static pay_jwt_policy_t  policy;

    keys[MINT_ACME_EC] = key("ec1", PAY_ALG_ES256, mint_pem(mint_ec(), 0),
                             "acme");
    keys[MINT_ACME_RSA] = key("rsa1", PAY_ALG_RS256,
                              mint_pem(rsa ? mint_rsa() : mint_ec(), 0),
                              "acme");
    keys[MINT_ACME_HS] = key("hs1", PAY_ALG_HS256, mint_secret(), "acme");
    keys[MINT_OTHER_EC] = key("o1", PAY_ALG_ES256,
                              mint_pem(mint_other_ec(), 0), "other");
    keys[MINT_SOLO_HS] = key("s1", PAY_ALG_HS256, mint_solo_secret(), "solo");

    policy.keys = keys;
    policy.count = MINT_KEYS;
    policy.audience = PAY_STR(MINT_AUDIENCE);
    policy.now_s = MINT_NOW;
    policy.max_lifetime_s = 3600;

    return &policy;
}


pay_str_t
mint_b64(pay_str_t bytes)
{
    pay_str_t  text;

    cr_assert_eq(pay_base64url_encode(mint_arena(), bytes, &text), PAY_OK);

    return text;
}


pay_str_t
mint_join(pay_str_t a, const char *between, pay_str_t b)
{
    pay_buf_t  buf;
    pay_str_t  joined;

    pay_buf_init(&buf, mint_arena(), 1 << 20);
    pay_buf_add(&buf, a);
    pay_buf_text(&buf, between);
    pay_buf_add(&buf, b);
    cr_assert_eq(pay_buf_done(&buf, &joined), PAY_OK);

    return joined;
}


static size_t
sign_pkey(pay_str_t text, EVP_PKEY *pkey, int pss, unsigned char *out,
    size_t size)
{
    EVP_MD_CTX    *md;
    EVP_PKEY_CTX  *ctx;

    md = EVP_MD_CTX_new();
    cr_assert_eq(EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL, pkey), 1);

    if (pss) {
        cr_assert_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING),
                     1);
    }

    cr_assert_eq(EVP_DigestSign(md, out, &size, text.data, text.len), 1);
    EVP_MD_CTX_free(md);

    return size;
}


/* DER to the 64 bytes of r and s. */
static size_t
flatten(unsigned char *sig, size_t len)
{
    ECDSA_SIG            *parsed;
    const unsigned char  *p;

    p = sig;
    parsed = d2i_ECDSA_SIG(NULL, &p, (long) len);
    cr_assert_not_null(parsed);
    cr_assert_eq(BN_bn2binpad(ECDSA_SIG_get0_r(parsed), sig, 32), 32);
    cr_assert_eq(BN_bn2binpad(ECDSA_SIG_get0_s(parsed), sig + 32, 32), 32);
    ECDSA_SIG_free(parsed);

    return 64;
}


pay_str_t
mint_sign(pay_str_t text, mint_how_t how, EVP_PKEY *pkey, pay_str_t secret)
{
    size_t         len;
    unsigned       maclen;
    unsigned char  sig[512];

    if (how == MINT_HS256 || how == MINT_HS512) {
        HMAC(how == MINT_HS256 ? EVP_sha256() : EVP_sha512(), secret.data,
             (int) secret.len, text.data, text.len, sig, &maclen);
        len = maclen;

    } else {
        len = sign_pkey(text, pkey, how == MINT_PS256, sig, sizeof(sig));
    }

    if (how == MINT_ES256) {
        len = flatten(sig, len);
    }

    return mint_join(text, ".", mint_b64((pay_str_t) { len, sig }));
}


pay_str_t
mint(const char *header, const char *payload, unsigned number)
{
    pay_str_t  text, none = { 0, NULL };

    text = mint_join(mint_b64(pay_str_of(header)), ".",
                     mint_b64(pay_str_of(payload)));

    switch (number) {

    case MINT_ACME_EC:
        return mint_sign(text, MINT_ES256, mint_ec(), none);

    case MINT_ACME_RSA:
        return mint_sign(text, MINT_RS256, mint_rsa(), none);

    case MINT_ACME_HS:
        return mint_sign(text, MINT_HS256, NULL, mint_secret());

    case MINT_OTHER_EC:
        return mint_sign(text, MINT_ES256, mint_other_ec(), none);

    default:
        return mint_sign(text, MINT_HS256, NULL, mint_solo_secret());
    }
}


pay_claims_t
mint_accepted(pay_str_t token)
{
    pay_err_t     err = { .slug = "none", .detail = "none" };
    pay_claims_t  claims;

    memset(&claims, 0, sizeof(claims));
    cr_assert_eq(pay_jwt_verify(mint_arena(), token,
                                mint_policy(pairs[0] != NULL), &claims, &err),
                 PAY_OK, "refused: %.*s", pay_fmt(token));
    cr_assert_not_null(claims.key);

    return claims;
}


void
mint_refused(pay_str_t token, const char *what)
{
    pay_err_t     err = { .slug = NULL };
    pay_status_t  status;
    pay_claims_t  claims;

    claims.scopes = 4711;

    status = pay_jwt_verify(mint_arena(), token, mint_policy(pairs[0] != NULL),
                            &claims, &err);

    cr_assert_eq(status, PAY_INVALID, "status %d: %s", status, what);
    cr_expect_eq(claims.scopes, 4711);
    cr_assert_not_null(err.slug);
    cr_assert_str_eq(err.slug, "invalid-token", "%s", what);
    cr_assert_str_eq(err.detail,
                     "The bearer token is not valid for this gateway.",
                     "%s", what);
    cr_assert_str_eq(err.pointer, "", "%s", what);
}

/*
 * Bearer tokens.  An input that starts with "s" is a header and a payload,
 * one line each, that the target signs rightly, so that the fuzzer gets past
 * the signature; any other input is a token as it stands, which nobody who
 * lacks the keys can have signed.
 */

#include "fuzz.h"

#include <openssl/evp.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "pay_crypto.h"
#include "pay_jwt.h"


#define FUZZ_NOW  INT64_C(1800000000)


static unsigned char     secret[32];
static char              ec_pem[512];
static pay_jwt_key_t     keys[3];
static pay_jwt_policy_t  policy;


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


static pay_str_t
make_ec(void)
{
    BIO       *bio;
    int        n;
    EVP_PKEY  *pkey;

    pkey = EVP_EC_gen("P-256");
    bio = BIO_new(BIO_s_mem());
    FUZZ_CHECK(pkey != NULL && bio != NULL);
    FUZZ_CHECK(PEM_write_bio_PUBKEY(bio, pkey) == 1);
    n = BIO_read(bio, ec_pem, sizeof(ec_pem));
    FUZZ_CHECK(n > 0);
    BIO_free(bio);
    EVP_PKEY_free(pkey);

    return (pay_str_t) { (size_t) n, (unsigned char *) ec_pem };
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    size_t     i;
    pay_str_t  pem;

    (void) argc;
    (void) argv;

    for (i = 0; i < sizeof(secret); i++) {
        secret[i] = (unsigned char) (i * 37 + 11);
    }

    pem = make_ec();
    keys[0] = key("hs1", PAY_ALG_HS256,
                  (pay_str_t) { sizeof(secret), secret }, "acme");
    keys[1] = key("ec1", PAY_ALG_ES256, pem, "acme");
    keys[2] = key("ec2", PAY_ALG_ES256, pem, "solo");

    policy.keys = keys;
    policy.count = 3;
    policy.audience = PAY_STR("gw");
    policy.now_s = FUZZ_NOW;
    policy.max_lifetime_s = 3600;

    return 0;
}


static pay_str_t
sign(pay_arena_t *arena, pay_str_t rest)
{
    pay_buf_t      buf;
    pay_str_t      header, payload, text, token;
    unsigned char  mac[PAY_SHA256_SIZE];

    header = fuzz_line(&rest);

    FUZZ_CHECK(pay_base64url_encode(arena, header, &header) == PAY_OK);
    FUZZ_CHECK(pay_base64url_encode(arena, rest, &payload) == PAY_OK);

    pay_buf_init(&buf, arena, 1 << 20);
    pay_buf_add(&buf, header);
    pay_buf_text(&buf, ".");
    pay_buf_add(&buf, payload);
    FUZZ_CHECK(pay_buf_done(&buf, &text) == PAY_OK);
    FUZZ_CHECK(pay_hmac_sha256(keys[0].key, &text, 1, mac) == PAY_OK);

    FUZZ_CHECK(pay_base64url_encode(arena,
                                    (pay_str_t) { sizeof(mac), mac }, &token)
               == PAY_OK);

    pay_buf_init(&buf, arena, 1 << 20);
    pay_buf_add(&buf, text);
    pay_buf_text(&buf, ".");
    pay_buf_add(&buf, token);
    FUZZ_CHECK(pay_buf_done(&buf, &token) == PAY_OK);

    return token;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            signed_here;
    pay_err_t      err = { .slug = NULL };
    pay_str_t      token;
    pay_heap_t    *heap;
    pay_claims_t   claims;
    pay_status_t   status;

    heap = pay_heap_create();
    FUZZ_CHECK(heap != NULL);

    token = (pay_str_t) { size, data };
    signed_here = size > 0 && data[0] == 's';

    if (signed_here) {
        token = sign(pay_heap_arena(heap), (pay_str_t) { size - 1, data + 1 });
    }

    status = pay_jwt_verify(pay_heap_arena(heap), token, &policy, &claims,
                            &err);

    if (status == PAY_OK) {
        FUZZ_CHECK(signed_here);
        FUZZ_CHECK(token.len <= PAY_JWT_MAX);
        FUZZ_CHECK(claims.key == &keys[0]);
        FUZZ_CHECK(claims.expires_s > FUZZ_NOW - PAY_JWT_LEEWAY_S);
        FUZZ_CHECK(claims.expires_s
                   <= FUZZ_NOW + PAY_JWT_LEEWAY_S + policy.max_lifetime_s);
        FUZZ_CHECK(claims.scopes <= 0x1f);
        FUZZ_CHECK(claims.subject.data[claims.subject.len] == '\0');

    } else {
        FUZZ_CHECK(status == PAY_INVALID);
        fuzz_refused(&err);
        FUZZ_CHECK(strcmp(err.slug, "invalid-token") == 0);
    }

    pay_heap_destroy(heap);

    return 0;
}

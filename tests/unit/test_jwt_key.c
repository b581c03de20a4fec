/*
 * Keys at configuration time (docs/security.md J4), and tokens that we sign.
 */

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>

#include "jwt_mint.h"
#include "torture.h"
#include "core/jwt_parts.h"
#include "pay_crypto.h"
#include "pay_json.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

static const pay_str_t  none = { 0, NULL };


static void
good(pay_alg_t alg, pay_str_t key)
{
    pay_err_t  err = { .slug = "", .detail = "" };

    cr_expect_eq(pay_jwt_key_check(alg, key, NULL, &err), PAY_OK, "%s",
                 err.detail);
}


static void
bad(pay_alg_t alg, pay_str_t key, const char *what)
{
    pay_err_t  err = { .slug = NULL };

    cr_assert_eq(pay_jwt_key_check(alg, key, NULL, &err), PAY_INVALID, "%s",
                 what);
    cr_expect_str_eq(err.slug, "configuration");
    cr_assert_not_null(err.detail, "%s", what);
    cr_expect(strlen(err.detail) > 10);
}


static void
bad_pair(pay_alg_t alg, EVP_PKEY *pkey, const char *what)
{
    cr_assert_not_null(pkey);
    bad(alg, mint_pem(pkey, 0), what);
    EVP_PKEY_free(pkey);
}


static EVP_PKEY *
pss_pair(void)
{
    EVP_PKEY      *pkey;
    EVP_PKEY_CTX  *ctx;

    pkey = NULL;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    cr_assert_eq(EVP_PKEY_keygen_init(ctx), 1);
    cr_assert_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    cr_assert_eq(EVP_PKEY_generate(ctx, &pkey), 1);
    EVP_PKEY_CTX_free(ctx);

    return pkey;
}


Test(pay_jwt_key, algorithm_names_are_exact)
{
    size_t     i;
    pay_alg_t  alg;

    static const char *const  wrong[] = {
        "", "rs256", "Rs256", "RS256 ", " RS256", "RS25", "RS2566", "none",
        "HS384", "HS512", "RS384", "RS512", "ES384", "PS256", "EdDSA", "RS256\n"
    };

    cr_assert_eq(pay_alg_parse(PAY_STR("RS256"), &alg), PAY_OK);
    cr_expect_eq(alg, PAY_ALG_RS256);
    cr_assert_eq(pay_alg_parse(PAY_STR("HS256"), &alg), PAY_OK);
    cr_expect_eq(alg, PAY_ALG_HS256);
    cr_assert_eq(pay_alg_parse(PAY_STR("ES256"), &alg), PAY_OK);
    cr_expect_eq(alg, PAY_ALG_ES256);

    for (i = 0; i < COUNT(wrong); i++) {
        cr_expect_eq(pay_alg_parse(pay_str_of(wrong[i]), &alg), PAY_INVALID,
                     "%s", wrong[i]);
    }

    cr_expect_eq(pay_alg_parse((pay_str_t) pay_string("RS256\0"), &alg),
                 PAY_INVALID);
    cr_expect_eq(alg, PAY_ALG_ES256);
}


Test(pay_jwt_key, keys_of_the_right_kind_are_good)
{
    good(PAY_ALG_RS256, mint_pem(mint_rsa(), 0));
    good(PAY_ALG_ES256, mint_pem(mint_ec(), 0));
    good(PAY_ALG_HS256, mint_secret());
}


Test(pay_jwt_key, empty_keys_are_refused)
{
    bad(PAY_ALG_RS256, none, "empty");
    bad(PAY_ALG_ES256, none, "empty");
    bad(PAY_ALG_HS256, none, "empty");
    bad(PAY_ALG_HS256, PAY_STR(""), "empty");
}


Test(pay_jwt_key, private_keys_are_refused)
{
    bad(PAY_ALG_RS256, mint_pem(mint_rsa(), 1), "private RSA");
    bad(PAY_ALG_ES256, mint_pem(mint_ec(), 1), "private EC");
    bad(PAY_ALG_ES256, mint_join(mint_pem(mint_ec(), 0), "",
                                 mint_pem(mint_ec(), 1)), "both");
    bad(PAY_ALG_HS256, mint_pem(mint_ec(), 1), "private EC as secret");
}


Test(pay_jwt_key, keys_of_another_algorithm_are_refused)
{
    bad(PAY_ALG_RS256, mint_pem(mint_ec(), 0), "EC for RS256");
    bad(PAY_ALG_ES256, mint_pem(mint_rsa(), 0), "RSA for ES256");
    bad(PAY_ALG_HS256, mint_pem(mint_rsa(), 0), "RSA for HS256");
    bad(PAY_ALG_HS256, mint_pem(mint_ec(), 0), "EC for HS256");
    bad(PAY_ALG_RS256, mint_secret(), "bytes for RS256");
    bad(PAY_ALG_ES256, mint_secret(), "bytes for ES256");
}


Test(pay_jwt_key, weak_or_foreign_key_pairs_are_refused)
{
    bad_pair(PAY_ALG_RS256, EVP_RSA_gen(1024), "RSA of 1024");
    bad_pair(PAY_ALG_RS256, EVP_RSA_gen(2040), "RSA of 2040");
    bad_pair(PAY_ALG_RS256, pss_pair(), "RSA-PSS");
    bad_pair(PAY_ALG_ES256, EVP_EC_gen("P-384"), "P-384");
    bad_pair(PAY_ALG_ES256, EVP_EC_gen("secp256k1"), "secp256k1");
    bad_pair(PAY_ALG_ES256, EVP_EC_gen("P-224"), "P-224");
    bad_pair(PAY_ALG_ES256, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
             "Ed25519");
    bad_pair(PAY_ALG_ES256, EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
             "X25519");
}


Test(pay_jwt_key, damaged_pems_are_refused)
{
    pay_str_t  pem;

    pem = mint_pem(mint_ec(), 0);

    bad(PAY_ALG_ES256, (pay_str_t) { pem.len - 40, pem.data }, "cut");
    bad(PAY_ALG_ES256, (pay_str_t) { pem.len - 1, pem.data + 1 }, "no dash");
    bad(PAY_ALG_ES256, mint_join(pem, "", pem), "twice");
    bad(PAY_ALG_ES256, mint_join(PAY_STR("x\n"), "", pem), "text in front");
    bad(PAY_ALG_ES256, PAY_STR("-----BEGIN PUBLIC KEY-----\n"
                               "-----END PUBLIC KEY-----\n"), "hollow");
    bad(PAY_ALG_ES256, PAY_STR("-----BEGIN PUBLIC KEY-----\nAAAA\n"
                               "-----END PUBLIC KEY-----\n"), "no key");
    bad(PAY_ALG_ES256, PAY_STR("-----BEGIN CERTIFICATE-----\nAAAA\n"
                               "-----END CERTIFICATE-----\n"), "certificate");
    bad(PAY_ALG_ES256, PAY_STR("ssh-rsa AAAAB3NzaC1yc2E= me"), "ssh");
}


/* The usual spelling is read without libcrypto's decoders, which would refuse
 * such a point, too. */
Test(pay_jwt_key, points_off_the_curve_are_refused)
{
#define POINT(a, b)                                                           \
    PAY_STR("-----BEGIN PUBLIC KEY-----\n"                                    \
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" a "\n" b "\n"              \
            "-----END PUBLIC KEY-----")

    bad(PAY_ALG_ES256,
        POINT("AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
              "AAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ=="),
        "x = y = 1");
    bad(PAY_ALG_ES256,
        POINT("AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="),
        "x = y = 0");
    bad(PAY_ALG_ES256,
        POINT("////////////////////////////",
              "/////////////////////////////////////////////////////////w=="),
        "beyond the field");

#undef POINT
}


/* Such a header would have libcrypto ask for a pass phrase on the terminal
 * that nginx was started from. */
Test(pay_jwt_key, pem_with_headers_is_refused)
{
    bad(PAY_ALG_ES256,
        PAY_STR("-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
                "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                "AAAA\n-----END PUBLIC KEY-----\n"), "encrypted");
}


/* J4. */
Test(pay_jwt_key, weak_secrets_are_refused)
{
    unsigned char  bytes[PAY_SECRET_MAX + 1];

    memset(bytes, 'a', sizeof(bytes));
    bad(PAY_ALG_HS256, (pay_str_t) { 32, bytes }, "one byte repeated");
    bad(PAY_ALG_HS256, (pay_str_t) { 512, bytes }, "one byte repeated");

    bytes[31] = 'b';
    good(PAY_ALG_HS256, (pay_str_t) { 32, bytes });
    bytes[0] = 'c';
    bad(PAY_ALG_HS256, (pay_str_t) { 31, bytes }, "31 bytes");
    bad(PAY_ALG_HS256, (pay_str_t) { 1, bytes }, "1 byte");
    good(PAY_ALG_HS256, (pay_str_t) { PAY_SECRET_MAX, bytes });
    bad(PAY_ALG_HS256, (pay_str_t) { PAY_SECRET_MAX + 1, bytes }, "too long");
}


Test(pay_jwt_key, unknown_algorithm_is_a_bug)
{
    cr_expect_eq(pay_jwt_key_check((pay_alg_t) 9, mint_secret(), NULL, NULL),
                 PAY_BUG);
}


/* The PEM again with CR LF at its line ends. */
static pay_str_t
crlf(pay_str_t pem)
{
    size_t     i;
    pay_str_t  text;
    pay_buf_t  buf;

    pay_buf_init(&buf, mint_arena(), 2 * pem.len);

    for (i = 0; i < pem.len; i++) {
        if (pem.data[i] == '\n') {
            pay_buf_text(&buf, "\r");
        }

        pay_buf_add(&buf, (pay_str_t) { 1, pem.data + i });
    }

    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);

    return text;
}


/* The same public key, its point or its curve spelt otherwise. */
static pay_str_t
spelt(EVP_PKEY *pkey, const char *param, const char *value)
{
    EVP_PKEY   *copy;
    pay_str_t   pem;

    copy = pay_pem_read(mint_pem(pkey, 0));
    cr_assert_not_null(copy);
    cr_assert_eq(EVP_PKEY_set_utf8_string_param(copy, param, value), 1);
    pem = mint_pem(copy, 0);
    EVP_PKEY_free(copy);

    return pem;
}


static void
digest(pay_alg_t alg, pay_str_t key, unsigned char out[PAY_JWT_DIGEST_SIZE])
{
    cr_assert_eq(pay_jwt_key_check(alg, key, out, NULL), PAY_OK);
}


static void
same(pay_alg_t alg, pay_str_t a, pay_str_t b, int yes, const char *what)
{
    unsigned char  one[PAY_JWT_DIGEST_SIZE], two[PAY_JWT_DIGEST_SIZE];

    cr_assert_not(pay_str_eq(a, b), "%s", what);
    digest(alg, a, one);
    digest(alg, b, two);
    cr_expect_eq(memcmp(one, two, sizeof(one)) == 0, yes, "%s", what);
}


/* itapi-7h: a file with other line ends let two merchants share one key. */
Test(pay_jwt_key, one_key_has_one_digest_however_it_is_spelt)
{
    pay_str_t  ec, rsa;

    ec = mint_pem(mint_ec(), 0);
    rsa = mint_pem(mint_rsa(), 0);

    same(PAY_ALG_ES256, ec, crlf(ec), 1, "line ends, EC");
    same(PAY_ALG_RS256, rsa, crlf(rsa), 1, "line ends, RSA");
    same(PAY_ALG_ES256, ec, mint_join(ec, "", PAY_STR("\n \n")), 1, "blanks");
    same(PAY_ALG_ES256, ec,
         spelt(mint_ec(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
               "compressed"), 1, "compressed point");
    same(PAY_ALG_ES256, ec,
         spelt(mint_ec(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
               "hybrid"), 1, "hybrid point");
    same(PAY_ALG_ES256, ec,
         spelt(mint_ec(), OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1,
         "explicit curve");
}


Test(pay_jwt_key, keys_that_differ_have_digests_that_differ)
{
    pay_str_t  ec;

    ec = mint_pem(mint_ec(), 0);

    same(PAY_ALG_ES256, ec, mint_pem(mint_other_ec(), 0), 0, "two keys");
    same(PAY_ALG_HS256, mint_secret(), mint_solo_secret(), 0, "two secrets");
    same(PAY_ALG_HS256, mint_secret(),
         mint_join(mint_secret(), "", PAY_STR("x")), 0, "one more byte");
}


Test(pay_jwt_key, what_is_refused_has_no_digest)
{
    size_t         i;
    pay_str_t      pem;
    unsigned char  out[PAY_JWT_DIGEST_SIZE], long_key[9000];

    pem = mint_pem(mint_ec(), 0);
    memset(out, 7, sizeof(out));
    memset(long_key, 'k', sizeof(long_key));

    cr_expect_eq(pay_jwt_key_check(PAY_ALG_ES256, none, out, NULL),
                 PAY_INVALID);
    cr_expect_eq(pay_jwt_key_check(PAY_ALG_HS256, none, out, NULL),
                 PAY_INVALID);
    cr_expect_eq(pay_jwt_key_check(PAY_ALG_RS256, mint_secret(), out, NULL),
                 PAY_INVALID);
    cr_expect_eq(pay_jwt_key_check(PAY_ALG_ES256,
                                   (pay_str_t) { pem.len - 40, pem.data },
                                   out, NULL), PAY_INVALID);
    cr_expect_eq(pay_jwt_key_check(PAY_ALG_HS256,
                                    (pay_str_t) { sizeof(long_key),
                                                  long_key }, out, NULL),
                 PAY_INVALID);
    cr_expect_eq(pay_jwt_key_check((pay_alg_t) 9, pem, out, NULL), PAY_BUG);

    for (i = 0; i < sizeof(out); i++) {
        cr_expect_eq(out[i], 7);
    }
}


static pay_str_t
part(pay_str_t token, unsigned number)
{
    size_t     i;
    pay_str_t  p;

    for (i = 0, p = (pay_str_t) { 0, token.data }; i < token.len; i++) {
        if (token.data[i] != '.') {
            p.len++;
            continue;
        }

        if (number-- == 0) {
            break;
        }

        p = (pay_str_t) { 0, token.data + i + 1 };
    }

    return p;
}


/* The check that a storefront would write: HMAC over the first two parts. */
Test(pay_jwt_key, signed_result_verifies_with_an_independent_hmac)
{
    unsigned       len;
    pay_str_t      token, text, secret, mac;
    unsigned char  expected[EVP_MAX_MD_SIZE];

    secret = mint_secret();
    cr_assert_eq(pay_jwt_sign_hs256(mint_arena(), secret,
                                    PAY_STR("{\"checkout_id\":\"c-1\","
                                            "\"status\":\"SUCCESS\","
                                            "\"exp\":1800000600}"),
                                    &token), PAY_OK);

    text.data = token.data;
    text.len = part(token, 0).len + 1 + part(token, 1).len;
    HMAC(EVP_sha256(), secret.data, (int) secret.len, text.data, text.len,
         expected, &len);
    mac = mint_b64((pay_str_t) { len, expected });

    cr_expect(pay_str_eq(part(token, 2), mac));
    cr_expect_eq(token.len, text.len + 1 + mac.len);
}


Test(pay_jwt_key, signed_result_says_hs256_and_holds_the_payload)
{
    pay_str_t    token, bytes, value;
    pay_json_t  *json;

    cr_assert_eq(pay_jwt_sign_hs256(mint_arena(), mint_secret(),
                                    PAY_STR("{\"b\":\"\xc3\xa9\",\"a\":1}"),
                                    &token), PAY_OK);

    cr_assert_eq(pay_base64url_decode(mint_arena(), part(token, 0), &bytes),
                 PAY_OK);
    cr_assert_eq(pay_json_parse(bytes, NULL, &json, NULL), PAY_OK);
    cr_assert_eq(pay_json_string(pay_json_get(json, "alg"), &value), PAY_OK);
    cr_expect(pay_str_is(value, "HS256"));
    pay_json_free(json);

    cr_assert_eq(pay_base64url_decode(mint_arena(), part(token, 1), &bytes),
                 PAY_OK);
    cr_assert_eq(pay_json_parse(bytes, NULL, &json, NULL), PAY_OK);
    cr_expect_eq(pay_json_size(json), 2);
    cr_assert_eq(pay_json_string(pay_json_get(json, "b"), &value), PAY_OK);
    cr_expect(pay_str_is(value, "\xc3\xa9"));
    pay_json_free(json);
}


Test(pay_jwt_key, what_we_sign_we_accept)
{
    pay_str_t  token;

    cr_assert_eq(pay_jwt_sign_hs256(mint_arena(), mint_solo_secret(),
                                    PAY_STR("{\"iss\":\"solo\",\"aud\":\""
                                            MINT_AUDIENCE "\","
                                            "\"exp\":1800000600}"), &token),
                 PAY_OK);
    mint_accepted(token);
}


Test(pay_jwt_key, payloads_that_are_no_object_are_not_signed)
{
    size_t     i;
    pay_str_t  token = { 4711, NULL };

    static const char *const  wrong[] = {
        "", "[]", "[1]", "1", "\"x\"", "null", "{", "{}x", "{\"a\":1,\"a\":2}"
    };

    for (i = 0; i < COUNT(wrong); i++) {
        cr_expect_eq(pay_jwt_sign_hs256(mint_arena(), mint_secret(),
                                        pay_str_of(wrong[i]), &token),
                     PAY_INVALID, "%s", wrong[i]);
    }

    cr_expect_eq(token.len, 4711);
}


Test(pay_jwt_key, short_signing_key_is_a_bug)
{
    pay_str_t  token, key;

    key = mint_secret();
    key.len = 31;
    cr_expect_eq(pay_jwt_sign_hs256(mint_arena(), key, PAY_STR("{}"), &token),
                 PAY_BUG);
    cr_expect_eq(pay_jwt_sign_hs256(mint_arena(), none, PAY_STR("{}"),
                                    &token), PAY_BUG);
}


static pay_status_t
sign_once(pay_arena_t *arena, void *result)
{
    return pay_jwt_sign_hs256(arena, mint_secret(), PAY_STR("{\"a\":1}"),
                              result);
}


Test(pay_jwt_key, sign_survives_each_failing_allocation)
{
    cr_expect_eq(torture(sign_once, sizeof(pay_str_t)), 2);
}

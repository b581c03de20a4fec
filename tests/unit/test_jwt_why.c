/*
 * Why a token was refused: each rule has a reason of its own, and nothing of a
 * stranger's text gets out but a kid of safe characters.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "jwt_mint.h"


#define HS    "{\"alg\":\"HS256\",\"kid\":\"hs1\"}"
#define AUD   "\"aud\":\"" MINT_AUDIENCE "\""
#define ACME  "{\"iss\":\"acme\","
#define EXP   "\"exp\":1800000600}"


static void
expect(pay_str_t token, const char *reason, const char *kid,
    const char *issuer)
{
    pay_claims_t   claims;
    pay_jwt_why_t  why;

    memset(&why, 0xff, sizeof(why));

    cr_assert_eq(pay_jwt_judge(mint_arena(), token, mint_policy(0), &claims,
                               &why), PAY_INVALID, "%s", reason);
    cr_expect_str_eq(why.reason, reason);
    cr_expect_str_eq(why.kid, kid, "%s", reason);
    cr_expect(pay_str_is(why.issuer, issuer), "%s", reason);
}


static void
minted(const char *header, const char *payload, const char *reason)
{
    expect(mint(header, payload, MINT_ACME_HS), reason, "hs1", "acme");
}


Test(pay_jwt_why, each_claim_has_a_reason_of_its_own)
{
    static const struct {
        const char  *payload;
        const char  *reason;
    } cases[] = {
        { ACME EXP, "aud is missing, or is not the gateway's "
                    "payments_audience" },
        { ACME "\"aud\":\"other\"," EXP,
          "aud is missing, or is not the gateway's payments_audience" },
        { ACME AUD "}", "exp is missing, or is no whole number of seconds "
                        "since 1970" },
        { ACME AUD ",\"exp\":\"1800000600\"}",
          "exp is missing, or is no whole number of seconds since 1970" },
        { ACME AUD ",\"exp\":1799990000}", "exp has passed" },
        { ACME AUD ",\"nbf\":1800000100," EXP, "nbf is in the future" },
        { ACME AUD ",\"nbf\":1.5," EXP,
          "nbf is no whole number of seconds since 1970" },
        { ACME AUD ",\"iat\":1800000100," EXP, "iat is in the future" },
        { ACME AUD ",\"iat\":\"x\"," EXP,
          "iat is no whole number of seconds since 1970" },
        { ACME AUD ",\"iat\":1800000010,\"exp\":1800000000}",
          "iat is later than exp" },
        { ACME AUD ",\"exp\":1800009999}",
          "its lifetime, exp minus iat, is longer than "
          "payments_jwt_max_lifetime" },
        { ACME AUD ",\"scope\":[]," EXP, "scope is not a string" },
        { ACME AUD ",\"sub\":7," EXP, "sub is not a string" }
    };
    size_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        minted(HS, cases[i].payload, cases[i].reason);
    }
}


Test(pay_jwt_why, each_member_of_the_header_has_a_reason_of_its_own)
{
    expect(mint("{\"kid\":\"hs1\",\"alg\":\"none\"}", MINT_GOOD, MINT_ACME_HS),
           "alg is not RS256, ES256 or HS256", "hs1", "");
    expect(mint("{\"kid\":\"hs1\",\"alg\":\"HS256\",\"typ\":\"JWE\"}",
                MINT_GOOD, MINT_ACME_HS),
           "typ is not JWT or at+jwt", "hs1", "");
    expect(mint("{\"kid\":\"hs1\",\"alg\":\"HS256\",\"jku\":\"x\"}",
                MINT_GOOD, MINT_ACME_HS),
           "its header has one of crit, jku, jwk, x5u, x5c, b64 and zip", "",
           "");
    expect(mint("{\"alg\":\"HS256\"}", MINT_GOOD, MINT_ACME_HS),
           "kid is missing, and iss has several keys", "", "acme");
    expect(mint("{\"alg\":\"HS256\",\"kid\":\"hs2\"}", MINT_GOOD,
                MINT_ACME_HS),
           "kid is none of the keys of iss", "hs2", "acme");
    expect(mint("{\"alg\":\"HS256\",\"kid\":\"ec1\"}", MINT_GOOD,
                MINT_ACME_HS),
           "alg is another than the key's", "ec1", "acme");
}


Test(pay_jwt_why, a_wrong_signature_names_kid_and_merchant)
{
    expect(mint(HS, MINT_GOOD, MINT_SOLO_HS), "the signature is not of this "
           "key", "hs1", "acme");
}


Test(pay_jwt_why, an_issuer_that_is_not_ours_is_not_repeated)
{
    expect(mint(HS, "{" AUD "," EXP, MINT_ACME_HS), "iss is missing", "hs1",
           "");
    expect(mint(HS, "{\"iss\":\"evil\\nline\"," AUD "," EXP, MINT_ACME_HS),
           "iss is no merchant here", "hs1", "");
}


Test(pay_jwt_why, what_is_no_token_has_a_reason)
{
    char  a[9000];

    memset(a, 'a', sizeof(a));

    expect(PAY_STR(""), "it is empty or longer than 8192 bytes", "", "");
    expect((pay_str_t) { sizeof(a), (unsigned char *) a },
           "it is empty or longer than 8192 bytes", "", "");
    expect(PAY_STR("abc"), "it is not three parts of base64url with dots "
                           "between", "", "");
    expect(PAY_STR("e30.e30.!"), "it is not three parts of base64url with "
                                 "dots between", "", "");
    expect(PAY_STR("bm8.e30.YWJj"), "its header is not a JSON object in "
                                    "strict base64url", "", "");
}


Test(pay_jwt_why, a_kid_with_other_characters_does_not_get_out)
{
    static const char  *const headers[] = {
        "{\"alg\":\"HS256\",\"kid\":\"a\\nb\"}",
        "{\"alg\":\"HS256\",\"kid\":\"a b\"}",
        "{\"alg\":\"HS256\",\"kid\":\"\\u001b[31m\"}",
        "{\"alg\":\"HS256\",\"kid\":\"\"}",
        "{\"alg\":\"HS256\",\"kid\":7}",
        "{\"alg\":\"HS256\",\"kid\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaa\"}"
    };
    size_t  i;

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        expect(mint(headers[i], MINT_GOOD, MINT_ACME_HS),
               "kid is not 1 to 64 of A-Z a-z 0-9 . _ -", "", "");
    }
}

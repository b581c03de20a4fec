/*
 * A token's header and the key that it picks: docs/security.md J1-J9.
 * Its form and signature: test_jwt.c.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "jwt_mint.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define EC   "\"alg\":\"ES256\",\"kid\":\"ec1\""
#define HS   "\"alg\":\"HS256\",\"kid\":\"hs1\""

static const pay_str_t  none = { 0, NULL };


/* Signed text of header and MINT_GOOD. */
static pay_str_t
text_of(const char *header)
{
    return mint_join(mint_b64(pay_str_of(header)), ".",
                     mint_b64(pay_str_of(MINT_GOOD)));
}


/* MACed rightly with acme's HS256 key: only the header can be at fault. */
static void
header_refused(const char *header)
{
    mint_refused(mint(header, MINT_GOOD, MINT_ACME_HS), header);
}


Test(pay_jwt, unknown_header_members_are_ignored)
{
    mint_accepted(mint("{" HS ",\"x5t\":\"abc\",\"made_by\":[1,{}]}",
                       MINT_GOOD, MINT_ACME_HS));
}


/* J2, J3, J14: one spelling, one member, one algorithm a key. */
Test(pay_jwt, other_algorithms_are_refused)
{
    size_t  i;

    static const char *const  headers[] = {
        "{\"kid\":\"hs1\"}",
        "{\"alg\":\"none\",\"kid\":\"hs1\"}",
        "{\"alg\":\"None\",\"kid\":\"hs1\"}",
        "{\"alg\":\"NONE\",\"kid\":\"hs1\"}",
        "{\"alg\":\"nOnE\",\"kid\":\"hs1\"}",
        "{\"alg\":\"\",\"kid\":\"hs1\"}",
        "{\"alg\":null,\"kid\":\"hs1\"}",
        "{\"alg\":256,\"kid\":\"hs1\"}",
        "{\"alg\":[\"HS256\"],\"kid\":\"hs1\"}",
        "{\"alg\":\"hs256\",\"kid\":\"hs1\"}",
        "{\"alg\":\"Hs256\",\"kid\":\"hs1\"}",
        "{\"alg\":\"HS256 \",\"kid\":\"hs1\"}",
        "{\"alg\":\"HS256\\n\",\"kid\":\"hs1\"}",
        "{\"alg\":\"HS256\\u0000\",\"kid\":\"hs1\"}",
        "{\"alg\":\"HS384\",\"kid\":\"hs1\"}",
        "{\"alg\":\"HS512\",\"kid\":\"hs1\"}",
        "{\"alg\":\"RS256\",\"kid\":\"hs1\"}",
        "{\"alg\":\"ES256\",\"kid\":\"hs1\"}",
        "{\"alg\":\"PS256\",\"kid\":\"hs1\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"hs1\"}",
        "{\"ALG\":\"HS256\",\"kid\":\"hs1\"}",
        "{\"alg\":\"none\",\"alg\":\"HS256\",\"kid\":\"hs1\"}",
        "{\"alg\":\"HS256\",\"alg\":\"HS256\",\"kid\":\"hs1\"}",
        "{\"\\u0061lg\":\"none\",\"alg\":\"HS256\",\"kid\":\"hs1\"}"
    };

    for (i = 0; i < COUNT(headers); i++) {
        header_refused(headers[i]);
    }
}


Test(pay_jwt, unsigned_tokens_are_refused)
{
    size_t     i;
    pay_str_t  text;

    static const char *const  headers[] = {
        "{\"alg\":\"none\"}", "{\"alg\":\"none\",\"kid\":\"ec1\"}",
        "{\"alg\":\"None\",\"typ\":\"at+jwt\"}", "{" HS "}", "{" EC "}",
        "{" EC ",\"typ\":\"at+jwt\"}", "{\"typ\":\"JWT\"}"
    };

    for (i = 0; i < COUNT(headers); i++) {
        text = text_of(headers[i]);
        mint_refused(text, headers[i]);
        mint_refused(mint_join(text, ".", none), headers[i]);
        mint_refused(mint_join(text, ".", PAY_STR("AA")), headers[i]);
    }
}


Test(pay_jwt, rs256_in_small_letters_is_refused)
{
    mint_refused(mint_sign(text_of("{\"alg\":\"rs256\",\"kid\":\"rsa1\"}"),
                           MINT_RS256, mint_rsa(), none), "rs256");
}


Test(pay_jwt, other_types_are_refused)
{
    size_t  i;

    static const char *const  headers[] = {
        "{" HS ",\"typ\":\"logout+jwt\"}", "{" HS ",\"typ\":\"dpop+jwt\"}",
        "{" HS ",\"typ\":\"jwt\"}", "{" HS ",\"typ\":\"Jwt\"}",
        "{" HS ",\"typ\":\"AT+JWT\"}", "{" HS ",\"typ\":\"at+jwt \"}",
        "{" HS ",\"typ\":\"\"}", "{" HS ",\"typ\":null}",
        "{" HS ",\"typ\":1}", "{" HS ",\"typ\":[\"JWT\"]}",
        "{" HS ",\"typ\":\"JWT\",\"typ\":\"JWT\"}", "{" HS ",\"typ\":\"JOSE\"}"
    };

    for (i = 0; i < COUNT(headers); i++) {
        header_refused(headers[i]);
    }
}


/* J6, J7. */
Test(pay_jwt, members_that_name_a_key_or_an_extension_are_refused)
{
    size_t  i;

    static const char *const  headers[] = {
        "{" HS ",\"crit\":[\"x\"],\"x\":1}", "{" HS ",\"crit\":[]}",
        "{" HS ",\"crit\":null}", "{" HS ",\"crit\":[\"exp\"]}",
        "{" HS ",\"jku\":\"http://127.0.0.1/jwks\"}",
        "{" HS ",\"jku\":\"\"}", "{" HS ",\"j\\u006bu\":\"x\"}",
        "{" HS ",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}",
        "{" HS ",\"x5u\":\"https://evil.example/\"}",
        "{" HS ",\"x5c\":[\"MIIB\"]}", "{" HS ",\"b64\":false}",
        "{" HS ",\"b64\":true}", "{" HS ",\"zip\":\"DEF\"}"
    };

    for (i = 0; i < COUNT(headers); i++) {
        header_refused(headers[i]);
    }
}


Test(pay_jwt, headers_that_are_no_plain_object_are_refused)
{
    size_t  i;

    static const char *const  headers[] = {
        "", "[]", "[{" HS "}]", "\"HS256\"", "null", "1", "{", "{" HS "}x",
        "{" HS "} {}", "\xef\xbb\xbf{" HS "}", "{" HS ",}", "{'alg':'HS256'}",
        "{" HS ",\"x\":\"\xff\"}", "{" HS ",\"x\":[[[[[]]]]]}",
        "{" HS ",\"x\":{\"a\":{\"b\":{\"c\":{}}}}}", "{" HS ",\"x\":1e999}"
    };

    for (i = 0; i < COUNT(headers); i++) {
        header_refused(headers[i]);
    }
}


/* J5. */
Test(pay_jwt, key_ids_that_pick_no_key_are_refused)
{
    size_t  i;

    static const char *const  headers[] = {
        "{\"alg\":\"HS256\"}",                 /* acme has three keys */
        "{\"alg\":\"HS256\",\"kid\":\"\"}",
        "{\"alg\":\"HS256\",\"kid\":\"hs2\"}",
        "{\"alg\":\"HS256\",\"kid\":\"HS1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"hs1 \"}",
        "{\"alg\":\"HS256\",\"kid\":\"hs\"}",
        "{\"alg\":\"HS256\",\"kid\":\"s1\"}",  /* solo's */
        "{\"alg\":\"HS256\",\"kid\":\"o1\"}",  /* other's */
        "{\"alg\":\"HS256\",\"kid\":1}",
        "{\"alg\":\"HS256\",\"kid\":null}",
        "{\"alg\":\"HS256\",\"kid\":[\"hs1\"]}",
        "{\"alg\":\"HS256\",\"kid\":\"hs1\\u0000\"}",
        "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}",
        "{\"alg\":\"HS256\",\"kid\":\"' or '1'='1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"hs1\",\"kid\":\"hs1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaa\"}"
    };

    for (i = 0; i < COUNT(headers); i++) {
        header_refused(headers[i]);
    }
}


Test(pay_jwt, kid_may_be_missing_when_the_issuer_has_one_key)
{
    static const char  payload[] =
        "{\"iss\":\"solo\",\"aud\":\"" MINT_AUDIENCE "\",\"exp\":1800000600}";
    pay_claims_t       claims;

    claims = mint_accepted(mint("{\"alg\":\"HS256\"}", payload,
                                MINT_SOLO_HS));
    cr_expect(pay_str_is(claims.key->issuer, "solo"));
    cr_expect_eq(claims.subject.len, 0);

    mint_refused(mint("{\"alg\":\"HS256\",\"kid\":\"s2\"}", payload,
                      MINT_SOLO_HS), "unknown kid beside one key");
    mint_refused(mint("{\"alg\":\"HS256\"}", payload, MINT_ACME_HS),
                 "another's secret");
}


/* J9: the key belongs to the issuer. */
Test(pay_jwt, key_of_another_merchant_is_refused)
{
    static const char  as_other[] =
        "{\"iss\":\"other\",\"aud\":\"" MINT_AUDIENCE "\",\"exp\":1800000600}";

    mint_accepted(mint("{\"alg\":\"ES256\",\"kid\":\"o1\"}", as_other,
                       MINT_OTHER_EC));

    mint_refused(mint("{\"alg\":\"ES256\",\"kid\":\"o1\"}", MINT_GOOD,
                      MINT_OTHER_EC), "other signs as acme, own kid");
    mint_refused(mint("{" EC "}", MINT_GOOD, MINT_OTHER_EC),
                 "other signs as acme, acme's kid");
    mint_refused(mint("{" EC "}", as_other, MINT_ACME_EC),
                 "acme signs as other, own kid");
    mint_refused(mint("{\"alg\":\"ES256\"}", as_other, MINT_ACME_EC),
                 "acme signs as other, no kid");
}


Test(pay_jwt, issuers_that_are_no_merchant_are_refused)
{
    size_t  i;
    char    payload[200];

    static const char *const  issuers[] = {
        "", "\"iss\":\"\",", "\"iss\":\"ACME\",", "\"iss\":\"acme \",",
        "\"iss\":\"acm\",", "\"iss\":\"acme\\u0000\",", "\"iss\":null,",
        "\"iss\":1,", "\"iss\":[\"acme\"],", "\"iss\":{},",
        "\"iss\":\"acme\",\"iss\":\"acme\",", "\"Iss\":\"acme\","
    };

    for (i = 0; i < COUNT(issuers); i++) {
        snprintf(payload, sizeof(payload), "{%s\"aud\":\"%s\",\"exp\":%s}",
                 issuers[i], MINT_AUDIENCE, "1800000600");
        mint_refused(mint("{" HS "}", payload, MINT_ACME_HS), payload);
    }
}

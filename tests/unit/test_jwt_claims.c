/*
 * The claims of rightly signed tokens: docs/security.md J9-J15 and what
 * libjwt lets through (docs/security.md#what-libjwt-checks).
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "jwt_mint.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define HEADER  "{\"alg\":\"HS256\",\"kid\":\"hs1\"}"
#define AUD     "\"aud\":\"" MINT_AUDIENCE "\""
#define EXP     "\"exp\":1800000600"


/* {"iss":"acme", members}, signed rightly. */
static pay_str_t
with(const char *members)
{
    static char  payload[6000];

    snprintf(payload, sizeof(payload), "{\"iss\":\"acme\",%s}", members);

    return mint(HEADER, payload, MINT_ACME_HS);
}


static void
refused(const char *members)
{
    mint_refused(with(members), members);
}


static pay_claims_t
accepted(const char *members)
{
    return mint_accepted(with(members));
}


/* {"iss":"acme", aud, "<name>": <number>} */
static pay_str_t
with_number(const char *name, int64_t number, const char *more)
{
    char  members[200];

    snprintf(members, sizeof(members), AUD ",\"%s\":%lld%s", name,
             (long long) number, more);

    return with(members);
}


Test(pay_jwt_claims, audience_as_string_or_in_an_array_is_accepted)
{
    accepted(AUD "," EXP);
    accepted("\"aud\":[\"" MINT_AUDIENCE "\"]," EXP);
    accepted("\"aud\":[\"a\",\"" MINT_AUDIENCE "\",\"b\"]," EXP);
    accepted("\"aud\":[\"" MINT_AUDIENCE "\",\"" MINT_AUDIENCE "\"]," EXP);
}


/* J10. */
Test(pay_jwt_claims, other_audiences_are_refused)
{
    refused(EXP);
    refused("\"aud\":\"\"," EXP);
    refused("\"aud\":\"https://other.example\"," EXP);
    refused("\"aud\":\"" MINT_AUDIENCE "/\"," EXP);
    refused("\"aud\":\"HTTPS://gw.example\"," EXP);
    refused("\"aud\":\" " MINT_AUDIENCE "\"," EXP);
    refused("\"aud\":\"a " MINT_AUDIENCE "\"," EXP);
    refused("\"aud\":null," EXP);
    refused("\"aud\":true," EXP);
    refused("\"aud\":1," EXP);
    refused("\"aud\":[]," EXP);
    refused("\"aud\":[\"a\",\"b\"]," EXP);
    refused("\"aud\":[[\"" MINT_AUDIENCE "\"]]," EXP);
    refused("\"aud\":{\"" MINT_AUDIENCE "\":1}," EXP);
    refused("\"aud\":[1,\"" MINT_AUDIENCE "\"]," EXP);
    refused("\"aud\":[\"" MINT_AUDIENCE "\",null]," EXP);
    refused(AUD "," AUD "," EXP);
}


Test(pay_jwt_claims, audience_of_a_hundred_is_refused)
{
    char      members[4000];
    size_t    used;
    unsigned  i;

    used = (size_t) snprintf(members, sizeof(members), EXP ",\"aud\":[");

    for (i = 0; i < 99; i++) {
        used += (size_t) snprintf(members + used, sizeof(members) - used,
                                  "\"a%u\",", i);
    }

    snprintf(members + used, sizeof(members) - used, "\"%s\"]", MINT_AUDIENCE);
    refused(members);
}


Test(pay_jwt_claims, audience_of_sixty_four_is_accepted)
{
    char      members[4000];
    size_t    used;
    unsigned  i;

    used = (size_t) snprintf(members, sizeof(members), EXP ",\"aud\":[");

    for (i = 0; i < 63; i++) {
        used += (size_t) snprintf(members + used, sizeof(members) - used,
                                  "\"a%u\",", i);
    }

    snprintf(members + used, sizeof(members) - used, "\"%s\"]", MINT_AUDIENCE);
    accepted(members);
}


/* J11: leeway 60 s. */
Test(pay_jwt_claims, expiry_has_a_leeway_of_a_minute)
{
    mint_accepted(with_number("exp", MINT_NOW + 1, ""));
    mint_accepted(with_number("exp", MINT_NOW, ""));
    mint_accepted(with_number("exp", MINT_NOW - 59, ""));
    mint_refused(with_number("exp", MINT_NOW - 60, ""), "60 s ago");
    mint_refused(with_number("exp", MINT_NOW - 61, ""), "61 s ago");
    mint_refused(with_number("exp", MINT_NOW - 1000, ""), "1000 s ago");
    mint_refused(with_number("exp", 0, ""), "1970");
}


Test(pay_jwt_claims, expiry_that_is_no_time_is_refused)
{
    size_t  i;

    static const char *const  wrong[] = {
        AUD, AUD ",\"exp\":null", AUD ",\"exp\":true", AUD ",\"exp\":\"\"",
        AUD ",\"exp\":\"1800000600\"", AUD ",\"exp\":\"9999999999\"",
        AUD ",\"exp\":1800000600.0", AUD ",\"exp\":1800000600.5",
        AUD ",\"exp\":1.8000006e9", AUD ",\"exp\":1e308",
        AUD ",\"exp\":1e309", AUD ",\"exp\":18000006e2",
        AUD ",\"exp\":12345678901234567890",
        AUD ",\"exp\":99999999999999999999",
        AUD ",\"exp\":9223372036854775807",
        AUD ",\"exp\":9223372036854775808",
        AUD ",\"exp\":-9223372036854775808", AUD ",\"exp\":-1",
        AUD ",\"exp\":-0", AUD ",\"exp\":01800000600", AUD ",\"exp\":+1",
        AUD ",\"exp\":0x6b49d458", AUD ",\"exp\":[1800000600]",
        AUD ",\"exp\":{}", AUD ",\"exp\":NaN", AUD ",\"exp\":Infinity",
        AUD ",\"EXP\":1800000600", AUD "," EXP "," EXP,
        AUD "," EXP ",\"\\u0065xp\":1800000600", AUD ",\"exp\":253402300800"
    };

    for (i = 0; i < COUNT(wrong); i++) {
        refused(wrong[i]);
    }
}


Test(pay_jwt_claims, not_before_has_a_leeway_of_a_minute)
{
    mint_accepted(with_number("nbf", MINT_NOW + 60, "," EXP));
    mint_accepted(with_number("nbf", MINT_NOW - 9999999, "," EXP));
    mint_accepted(with_number("nbf", 0, "," EXP));
    mint_refused(with_number("nbf", MINT_NOW + 61, "," EXP), "61 s ahead");
    mint_refused(with_number("nbf", MINT_NOW + 600, "," EXP), "600 s ahead");

    refused(AUD "," EXP ",\"nbf\":\"0\"");
    refused(AUD "," EXP ",\"nbf\":null");
    refused(AUD "," EXP ",\"nbf\":1.5");
    refused(AUD "," EXP ",\"nbf\":-1");
    refused(AUD "," EXP ",\"nbf\":-9223372036854775808");
    refused(AUD "," EXP ",\"nbf\":1e308");
}


Test(pay_jwt_claims, issued_at_ahead_of_time_is_refused)
{
    mint_accepted(with_number("iat", MINT_NOW + 60, "," EXP));
    mint_accepted(with_number("iat", MINT_NOW, "," EXP));
    mint_refused(with_number("iat", MINT_NOW + 61, "," EXP), "61 s ahead");

    refused(AUD "," EXP ",\"iat\":\"1800000000\"");
    refused(AUD "," EXP ",\"iat\":null");
    refused(AUD "," EXP ",\"iat\":1800000000.0");
    refused(AUD "," EXP ",\"iat\":-1");
    refused(AUD "," EXP ",\"iat\":-9223372036854775808");
    refused(AUD "," EXP ",\"iat\":[]");
}


Test(pay_jwt_claims, issued_after_its_own_expiry_is_refused)
{
    refused(AUD ",\"exp\":1799999990,\"iat\":1800000000");
}


/* HOUSE in J11: an hour in this policy. */
Test(pay_jwt_claims, lifetime_is_limited)
{
    mint_accepted(with_number("exp", MINT_NOW + 3600, ""));
    mint_refused(with_number("exp", MINT_NOW + 3601, ""), "no iat");
    mint_refused(with_number("exp", INT64_C(253402300799), ""), "year 9999");

    mint_accepted(with_number("exp", MINT_NOW + 1000,
                              ",\"iat\":1799997400"));
    mint_refused(with_number("exp", MINT_NOW + 1000,
                             ",\"iat\":1799997399"), "3601 s from iat");
    mint_refused(with_number("exp", MINT_NOW + 10, ",\"iat\":0"), "since 1970");
}


/* J14; libjwt takes the last. */
Test(pay_jwt_claims, duplicate_members_are_refused)
{
    refused(AUD "," EXP ",\"sub\":\"m1\",\"sub\":\"m2\"");
    refused(AUD "," EXP ",\"sub\":\"m1\",\"sub\":\"m1\"");
    refused(AUD "," EXP ",\"sub\":\"m1\",\"\\u0073ub\":\"m2\"");
    refused(AUD "," EXP ",\"\\u0073\\u0075\\u0062\":\"m1\",\"sub\":\"m2\"");
    refused(AUD "," EXP ",\"iss\":\"other\"");
    refused(AUD "," EXP ",\"scope\":\"\",\"scope\":\"payments:write\"");
    refused(AUD "," EXP ",\"x\":{\"a\":1,\"a\":2}");
}


Test(pay_jwt_claims, subject_is_a_string_or_absent)
{
    pay_claims_t  claims;

    claims = accepted(AUD "," EXP);
    cr_expect_eq(claims.subject.len, 0);

    claims = accepted(AUD "," EXP ",\"sub\":\"\xc3\xa9\\u00e9\"");
    cr_expect(pay_str_is(claims.subject, "\xc3\xa9\xc3\xa9"));

    refused(AUD "," EXP ",\"sub\":1");
    refused(AUD "," EXP ",\"sub\":null");
    refused(AUD "," EXP ",\"sub\":[\"m1\"]");
    refused(AUD "," EXP ",\"sub\":{\"id\":\"m1\"}");
    refused(AUD "," EXP ",\"sub\":\"m1\\u0000\"");
    refused(AUD "," EXP ",\"sub\":\"\xff\"");
    refused(AUD "," EXP ",\"sub\":\"\\ud800\"");
}


/* J15. */
Test(pay_jwt_claims, payloads_that_are_no_plain_object_are_refused)
{
    size_t  i;

    static const char *const  wrong[] = {
        "{}", "[]", "[1]", "[" MINT_GOOD "]", "\"x\"", "1", "null", "true",
        " ", "{", "x", MINT_GOOD "x", MINT_GOOD MINT_GOOD, MINT_GOOD ",",
        "\xef\xbb\xbf" MINT_GOOD, "eyJhbGciOiJub25lIn0.e30.", "<xml/>"
    };

    for (i = 0; i < COUNT(wrong); i++) {
        mint_refused(mint(HEADER, wrong[i], MINT_ACME_HS), wrong[i]);
    }
}


Test(pay_jwt_claims, depth_is_limited_to_four)
{
    char    members[4200];
    size_t  i;

    accepted(AUD "," EXP ",\"x\":[[[]]]");
    refused(AUD "," EXP ",\"x\":[[[[]]]]");
    refused(AUD "," EXP ",\"x\":{\"a\":{\"b\":{\"c\":{}}}}");

    i = (size_t) snprintf(members, sizeof(members), AUD "," EXP ",\"x\":");
    memset(members + i, '[', 1900);
    memset(members + i + 1900, ']', 1900);
    members[i + 3800] = '\0';
    refused(members);

    members[i + 1900] = '\0';
    refused(members);
}


Test(pay_jwt_claims, escaped_nul_is_refused_anywhere)
{
    refused(AUD "," EXP ",\"x\":\"a\\u0000b\"");
    refused(AUD "," EXP ",\"x\\u0000\":1");
    refused("\"aud\":\"" MINT_AUDIENCE "\\u0000\"," EXP);
    refused("\"aud\":[\"" MINT_AUDIENCE "\",\"\\u0000\"]," EXP);
}


Test(pay_jwt_claims, too_many_members_are_refused)
{
    char      members[4000];
    size_t    used;
    unsigned  i;

    used = (size_t) snprintf(members, sizeof(members), AUD "," EXP);

    for (i = 0; i < 62; i++) {
        used += (size_t) snprintf(members + used, sizeof(members) - used,
                                  ",\"a%u\":%u", i, i);
    }

    refused(members);
}


static unsigned
scopes(const char *scope)
{
    char  members[600];

    snprintf(members, sizeof(members), AUD "," EXP ",\"scope\":%s", scope);

    return accepted(members).scopes;
}


Test(pay_jwt_claims, each_scope_word_is_one_bit)
{
    cr_expect_eq(scopes("\"payments:write\""), PAY_SCOPE_PAYMENTS_WRITE);
    cr_expect_eq(scopes("\"payments:read\""), PAY_SCOPE_PAYMENTS_READ);
    cr_expect_eq(scopes("\"refunds:write\""), PAY_SCOPE_REFUNDS_WRITE);
    cr_expect_eq(scopes("\"payouts:read\""), PAY_SCOPE_PAYOUTS_READ);
    cr_expect_eq(scopes("\"payouts:create\""), PAY_SCOPE_PAYOUTS_CREATE);
    cr_expect_eq(scopes("\"payouts:approve\""), PAY_SCOPE_PAYOUTS_APPROVE);
    cr_expect_eq(scopes("\"payouts:send\""), PAY_SCOPE_PAYOUTS_SEND);
    cr_expect_eq(scopes("\"payouts:destinations\""),
                 PAY_SCOPE_DESTINATIONS);
    cr_expect_eq(scopes("\"balance:read\""), PAY_SCOPE_BALANCE_READ);
    cr_expect_eq(scopes("\"balance:read payouts:read refunds:write "
                        "payments:read payments:write\""), 0x1f);
}


Test(pay_jwt_claims, scope_words_match_whole_and_in_case)
{
    cr_expect_eq(accepted(AUD "," EXP).scopes, 0);
    cr_expect_eq(scopes("\"\""), 0);
    cr_expect_eq(scopes("\" \""), 0);
    cr_expect_eq(scopes("\"Payments:Write\""), 0);
    cr_expect_eq(scopes("\"payments:write2 xpayments:write payments\""), 0);
    cr_expect_eq(scopes("\"payments:write,payments:read\""), 0);
    cr_expect_eq(scopes("\"payments:write\\tpayments:read\""), 0);
    cr_expect_eq(scopes("\"payments:*\""), 0);
    cr_expect_eq(scopes("\"*\""), 0);
    cr_expect_eq(scopes("\"admin openid\""), 0);
    cr_expect_eq(scopes("\"  payments:read   x  payments:read \""),
                 PAY_SCOPE_PAYMENTS_READ);
}


Test(pay_jwt_claims, scope_that_is_no_string_is_refused)
{
    refused(AUD "," EXP ",\"scope\":[\"payments:write\"]");
    refused(AUD "," EXP ",\"scope\":null");
    refused(AUD "," EXP ",\"scope\":31");
    refused(AUD "," EXP ",\"scope\":true");
    refused(AUD "," EXP ",\"scope\":{\"payments:write\":true}");
}

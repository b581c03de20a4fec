/*
 * Tokens that were good are good until they expire; all others are verified.
 * That a token was not verified shows in that its key has no bytes any more,
 * which pay_jwt_verify() answers with PAY_BUG.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "jwt_mint.h"
#include "pay_jwt_memory.h"


#define HEADER  "{\"alg\":\"HS256\",\"kid\":\"hs1\"}"

static pay_jwt_memory_t  memory;
static pay_jwt_key_t     keys[MINT_KEYS];
static pay_jwt_policy_t  policy;


static void
begin(void)
{
    policy = *mint_policy(0);
    memcpy(keys, policy.keys, policy.count * sizeof(pay_jwt_key_t));
    policy.keys = keys;
    pay_jwt_memory_clear(&memory);
}


/* From now on only what is remembered is good. */
static void
forget_keys(void)
{
    size_t  i;

    for (i = 0; i < policy.count; i++) {
        keys[i].key.len = 0;
    }
}


static pay_status_t
verify(pay_str_t token, pay_claims_t *claims)
{
    pay_jwt_why_t  why;

    memset(claims, 0xff, sizeof(*claims));

    return pay_jwt_verify_known(&memory, mint_arena(), token, &policy, claims,
                                &why);
}


static pay_str_t
token_of(int number)
{
    char  payload[256];

    snprintf(payload, sizeof(payload),
             "{\"iss\":\"acme\",\"aud\":\"" MINT_AUDIENCE "\","
             "\"exp\":1800000600,\"jti\":\"%d\","
             "\"scope\":\"payments:read\"}", number);

    return mint(HEADER, payload, MINT_ACME_HS);
}


Test(pay_jwt_memory, a_good_token_is_verified_once, .init = begin)
{
    pay_str_t     token = token_of(1);
    pay_claims_t  first, again;

    cr_assert_eq(verify(token, &first), PAY_OK);
    forget_keys();
    cr_assert_eq(verify(token, &again), PAY_OK);
    cr_assert_eq(again.key, first.key);
    cr_assert_eq(again.scopes, PAY_SCOPE_PAYMENTS_READ);
    cr_assert_eq(again.expires_s, first.expires_s);
    cr_assert_eq(first.subject.len, 0);
    cr_assert_eq(again.subject.len, 0);
    cr_assert_eq(verify(token_of(2), &again), PAY_BUG);
}


static pay_str_t
token_with(const char *subject)
{
    char  payload[512];

    snprintf(payload, sizeof(payload),
             "{\"iss\":\"acme\",\"aud\":\"" MINT_AUDIENCE "\","
             "\"exp\":1800000600,\"sub\":\"%s\"}", subject);

    return mint(HEADER, payload, MINT_ACME_HS);
}


Test(pay_jwt_memory, a_fit_subject_is_kept, .init = begin)
{
    pay_str_t     token = token_with("till \\\"7\\\"");
    pay_claims_t  first, again;

    cr_assert_eq(verify(token, &first), PAY_OK);
    forget_keys();
    cr_assert_eq(verify(token, &again), PAY_OK);
    cr_expect(pay_str_is(first.subject, "till \"7\""));
    cr_expect(pay_str_is(again.subject, "till \"7\""));

    pay_jwt_memory_clear(&memory);
    cr_expect(pay_str_is(again.subject, "till \"7\""));
}


/* What is not fit is empty the first time, too. */
Test(pay_jwt_memory, another_subject_is_not_kept, .init = begin)
{
    size_t        i;
    char          longer[PAY_JWT_SUB_MAX + 2];
    pay_claims_t  first, again;
    const char   *subjects[] = {
        "", "  ", "a\\nb", "\xc3\xa9", "4111 1111 1111 1111", "\\u007f", longer
    };

    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';

    for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        cr_assert_eq(verify(token_with(subjects[i]), &first), PAY_OK);
        cr_assert_eq(verify(token_with(subjects[i]), &again), PAY_OK);
        cr_expect_eq(first.subject.len, 0, "%zu", i);
        cr_expect_eq(again.subject.len, 0, "%zu", i);
    }

    cr_assert_eq(verify(token_with(longer + 1), &first), PAY_OK);
    cr_assert_eq(verify(token_with(longer + 1), &again), PAY_OK);
    cr_expect_eq(first.subject.len, PAY_JWT_SUB_MAX);
    cr_expect_eq(again.subject.len, PAY_JWT_SUB_MAX);
}


Test(pay_jwt_memory, who_asks_is_json)
{
    pay_str_t  json;

    cr_assert_eq(pay_jwt_asker(mint_arena(), PAY_STR("k.1"),
                               PAY_STR("till \"7\"\\"), &json), PAY_OK);
    cr_expect(pay_str_is(json, "{\"kid\":\"k.1\","
                               "\"sub\":\"till \\\"7\\\"\\\\\"}"));
    cr_assert_eq(pay_jwt_asker(mint_arena(), PAY_STR("k.1"),
                               PAY_STR("4111111111111111"), &json), PAY_OK);
    cr_expect(pay_str_is(json, "{\"kid\":\"k.1\"}"));
}


Test(pay_jwt_memory, it_is_good_until_it_expires, .init = begin)
{
    pay_str_t     token = token_of(1);
    pay_claims_t  claims;

    cr_assert_eq(verify(token, &claims), PAY_OK);
    policy.now_s = claims.expires_s + PAY_JWT_LEEWAY_S - 1;
    cr_expect_eq(verify(token, &claims), PAY_OK);
    policy.now_s++;
    cr_expect_eq(verify(token, &claims), PAY_INVALID);
    cr_expect_eq(verify(token, &claims), PAY_INVALID);
}


Test(pay_jwt_memory, a_clock_that_went_back_is_not_believed, .init = begin)
{
    pay_str_t     token = token_of(1);
    pay_claims_t  claims;

    cr_assert_eq(verify(token, &claims), PAY_OK);
    forget_keys();
    policy.now_s--;
    cr_expect_eq(verify(token, &claims), PAY_BUG);
    policy.now_s++;
    cr_expect_eq(verify(token, &claims), PAY_OK);
}


Test(pay_jwt_memory, one_byte_more_or_less_is_another_token, .init = begin)
{
    char          text[2048];
    pay_str_t     token = token_of(1), other;
    pay_claims_t  claims;

    cr_assert_eq(verify(token, &claims), PAY_OK);
    memcpy(text, token.data, token.len);
    text[token.len] = 'A';
    other = (pay_str_t) { token.len + 1, (unsigned char *) text };
    cr_expect_eq(verify(other, &claims), PAY_INVALID);
    other.len = token.len - 1;
    cr_expect_eq(verify(other, &claims), PAY_INVALID);
    cr_expect_eq(verify(PAY_STR(""), &claims), PAY_INVALID);
}


Test(pay_jwt_memory, a_refused_token_is_not_kept, .init = begin)
{
    pay_str_t     token;
    pay_claims_t  claims;

    token = mint(HEADER, "{\"iss\":\"acme\",\"aud\":\"" MINT_AUDIENCE "\","
                 "\"nbf\":1800000300,\"exp\":1800000600}", MINT_ACME_HS);

    cr_assert_eq(verify(token, &claims), PAY_INVALID);
    policy.now_s = 1800000300;
    cr_expect_eq(verify(token, &claims), PAY_OK);
}


Test(pay_jwt_memory, other_keys_are_another_memory, .init = begin)
{
    pay_str_t             token = token_of(1);
    pay_claims_t          claims;
    static pay_jwt_key_t  fresh[MINT_KEYS];

    cr_assert_eq(verify(token, &claims), PAY_OK);
    memcpy(fresh, keys, sizeof(fresh));
    policy.keys = fresh;
    policy.count = 0;                  /* the merchant is gone */
    cr_expect_eq(verify(token, &claims), PAY_INVALID);
}


Test(pay_jwt_memory, more_than_it_holds_are_good_all_the_same, .init = begin)
{
    int           i, known;
    pay_claims_t  claims;

    for (i = 0; i < 2 * PAY_JWT_MEMORY_SETS * PAY_JWT_MEMORY_WAYS; i++) {
        cr_assert_eq(verify(token_of(i), &claims), PAY_OK);
        cr_assert_eq(verify(token_of(i), &claims), PAY_OK);
    }

    forget_keys();
    known = 0;

    while (i-- > 0) {
        known += verify(token_of(i), &claims) == PAY_OK;
    }

    cr_expect_gt(known, PAY_JWT_MEMORY_SETS * PAY_JWT_MEMORY_WAYS / 2);
    cr_expect_leq(known, PAY_JWT_MEMORY_SETS * PAY_JWT_MEMORY_WAYS);
}

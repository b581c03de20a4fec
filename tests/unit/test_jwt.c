/*
 * Bearer tokens: every line of docs/security.md#rules-of-tokens and
 * #what-libjwt-checks that is about a token's form and signature.  Its
 * header: test_jwt_header.c, its claims: test_jwt_claims.c.
 */

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <stdio.h>

#include "jwt_mint.h"
#include "torture.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define EC   "\"alg\":\"ES256\",\"kid\":\"ec1\""
#define RSA  "\"alg\":\"RS256\",\"kid\":\"rsa1\""
#define HS   "\"alg\":\"HS256\",\"kid\":\"hs1\""

static const pay_str_t  none = { 0, NULL };


/* Signed text of header and MINT_GOOD. */
static pay_str_t
text_of(const char *header)
{
    return mint_join(mint_b64(pay_str_of(header)), ".",
                     mint_b64(pay_str_of(MINT_GOOD)));
}


static pay_str_t
replaced(pay_str_t token, size_t at, char c)
{
    pay_str_t       copy;
    unsigned char  *bytes;

    cr_assert_eq(pay_dup(mint_arena(), token, &copy), PAY_OK);
    bytes = (unsigned char *) copy.data;
    bytes[at] = (unsigned char) c;

    return copy;
}


static size_t
signature_at(pay_str_t token)
{
    size_t  i;

    for (i = token.len; token.data[i - 1] != '.'; i--) { /* void */ }

    return i;
}


Test(pay_jwt, es256_is_accepted)
{
    pay_claims_t  claims;

    claims = mint_accepted(mint("{" EC ",\"typ\":\"JWT\"}", MINT_GOOD,
                                MINT_ACME_EC));
    cr_expect(pay_str_is(claims.key->kid, "ec1"));
    cr_expect(pay_str_is(claims.subject, "till-7"));
    cr_expect_eq(claims.expires_s, 1800000600);
    cr_expect_eq(claims.scopes,
                 PAY_SCOPE_PAYMENTS_WRITE | PAY_SCOPE_PAYMENTS_READ);
}


Test(pay_jwt, rs256_is_accepted)
{
    pay_claims_t  claims;

    (void) mint_rsa();
    claims = mint_accepted(mint("{" RSA "}", MINT_GOOD, MINT_ACME_RSA));
    cr_expect(pay_str_is(claims.key->kid, "rsa1"));
}


Test(pay_jwt, hs256_is_accepted)
{
    pay_claims_t  claims;

    claims = mint_accepted(mint("{" HS "}", MINT_GOOD, MINT_ACME_HS));
    cr_expect(pay_str_is(claims.key->kid, "hs1"));
}


/* J8: libjwt refuses this typ. */
Test(pay_jwt, access_tokens_are_accepted)
{
    (void) mint_rsa();
    mint_accepted(mint("{" EC ",\"typ\":\"at+jwt\"}", MINT_GOOD,
                       MINT_ACME_EC));
    mint_accepted(mint("{" RSA ",\"typ\":\"at+jwt\"}", MINT_GOOD,
                       MINT_ACME_RSA));
    mint_accepted(mint("{" HS ",\"typ\":\"at+jwt\"}", MINT_GOOD,
                       MINT_ACME_HS));
}


/* J1: the attack that libjwt lets through. */
Test(pay_jwt, hs256_maced_with_the_public_key_is_refused)
{
    size_t     i;
    pay_str_t  rsa, ec;

    static const char *const  headers[] = {
        "{\"alg\":\"HS256\",\"kid\":\"rsa1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"rsa1\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"ec1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"ec1\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"hs1\"}", "{\"alg\":\"HS256\"}"
    };

    rsa = mint_pem(mint_rsa(), 0);
    ec = mint_pem(mint_ec(), 0);

    for (i = 0; i < COUNT(headers); i++) {
        mint_refused(mint_sign(text_of(headers[i]), MINT_HS256, NULL, rsa),
                     headers[i]);
        mint_refused(mint_sign(text_of(headers[i]), MINT_HS256, NULL, ec),
                     headers[i]);
    }
}


Test(pay_jwt, pss_signature_under_rs256_is_refused)
{
    mint_refused(mint_sign(text_of("{" RSA "}"), MINT_PS256, mint_rsa(),
                           none), "PSS");
    mint_refused(mint_sign(text_of("{" RSA ",\"typ\":\"at+jwt\"}"),
                           MINT_PS256, mint_rsa(), none), "PSS, at+jwt");
}


/* Appendix A, last line but one. */
Test(pay_jwt, hs512_with_the_hs256_key_is_refused)
{
    size_t  i;

    static const char *const  headers[] = {
        "{\"alg\":\"HS512\",\"kid\":\"hs1\"}", "{" HS "}",
        "{" HS ",\"typ\":\"at+jwt\"}"
    };

    for (i = 0; i < COUNT(headers); i++) {
        mint_refused(mint_sign(text_of(headers[i]), MINT_HS512, NULL,
                               mint_secret()), headers[i]);
    }
}


/* J13, J16: exactly two dots and three parts. */
Test(pay_jwt, other_numbers_of_parts_are_refused)
{
    pay_str_t  good, text;

    good = mint("{" HS "}", MINT_GOOD, MINT_ACME_HS);
    text = text_of("{" HS "}");

    mint_refused(none, "empty");
    mint_refused(PAY_STR("."), "a dot");
    mint_refused(PAY_STR(".."), "two dots");
    mint_refused(PAY_STR("..."), "three dots");
    mint_refused(PAY_STR("...."), "four dots");
    mint_refused(PAY_STR("a"), "a letter");
    mint_refused(PAY_STR("a.b.c"), "letters");
    mint_refused(text, "two parts");
    mint_refused(mint_join(good, ".", none), "a dot behind");
    mint_refused(mint_join(none, ".", good), "a dot in front");
    mint_refused(mint_join(good, ".", PAY_STR("AAAA")), "four parts");
    mint_refused(mint_join(good, ".AAAA.", PAY_STR("AAAA")), "five parts");
    mint_refused(mint_join(good, ".", good), "twice");
    mint_refused(mint_sign(mint_join(mint_b64(PAY_STR("{" HS "}")), ".", none),
                           MINT_HS256, NULL, mint_secret()), "detached");
    mint_refused(mint_sign(mint_join(none, ".",
                                     mint_b64(PAY_STR(MINT_GOOD))),
                           MINT_HS256, NULL, mint_secret()), "no header");
}


Test(pay_jwt, bytes_outside_the_alphabet_are_refused_everywhere)
{
    size_t     at, i;
    pay_str_t  good;

    static const char  bytes[] = " \t\r\n\0=+/%~,;:\"'\\\x7f\x80\xff";

    good = mint("{" HS "}", MINT_GOOD, MINT_ACME_HS);

    for (at = 0; at < good.len; at += 7) {
        for (i = 0; i < sizeof(bytes) - 1; i++) {
            mint_refused(replaced(good, at, bytes[i]), "replaced");
        }
    }
}


Test(pay_jwt, spaces_around_and_within_are_refused)
{
    size_t     i;
    pay_str_t  good;

    static const char *const  extra[] = { " ", "\t", "\r", "\n", "\r\n", "," };

    good = mint("{" EC "}", MINT_GOOD, MINT_ACME_EC);

    for (i = 0; i < COUNT(extra); i++) {
        mint_refused(mint_join(good, extra[i], none), "behind");
        mint_refused(mint_join(none, extra[i], good), "in front");
        mint_refused(mint_join((pay_str_t) { good.len - 5, good.data },
                               extra[i],
                               (pay_str_t) { 5, good.data + good.len - 5 }),
                     "inside the signature");
        mint_refused(mint_join(PAY_STR("Bearer"), extra[i], good), "scheme");
    }
}


Test(pay_jwt, padding_is_refused)
{
    pay_str_t  good;

    good = mint("{" EC "}", MINT_GOOD, MINT_ACME_EC);
    mint_accepted(good);
    mint_refused(mint_join(good, "=", none), "=");
    mint_refused(mint_join(good, "==", none), "==");
    mint_refused(mint_join(good, "====", none), "====");
}


Test(pay_jwt, standard_base64_alphabet_is_refused)
{
    size_t     i, from;
    unsigned   tries, seen;
    pay_str_t  token, good;

    seen = 0;

    for (tries = 0; tries < 50; tries++) {
        good = mint("{" EC "}", MINT_GOOD, MINT_ACME_EC);
        token = good;
        from = signature_at(good);

        for (i = from; i < good.len; i++) {
            if (good.data[i] == '-') {
                token = replaced(token, i, '+');

            } else if (good.data[i] == '_') {
                token = replaced(token, i, '/');
            }
        }

        if (!pay_str_eq(token, good)) {
            seen++;
            mint_refused(token, "standard alphabet");
        }
    }

    cr_assert(seen > 0);
}


/* The last character of 64 bytes has four spare bits, of 32 bytes two. */
static void
only_one_last_letter_passes(pay_str_t good)
{
    size_t    i;
    unsigned  passed;

    static const char  alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
                                    "pqrstuvwxyz0123456789-_";

    passed = 0;

    for (i = 0; i < sizeof(alphabet) - 1; i++) {
        if (good.data[good.len - 1] == (unsigned char) alphabet[i]) {
            mint_accepted(replaced(good, good.len - 1, alphabet[i]));
            passed++;

        } else {
            mint_refused(replaced(good, good.len - 1, alphabet[i]),
                         "last letter");
        }
    }

    cr_expect_eq(passed, 1);
}


Test(pay_jwt, non_canonical_signature_is_refused)
{
    only_one_last_letter_passes(mint("{" EC "}", MINT_GOOD, MINT_ACME_EC));
    only_one_last_letter_passes(mint("{" HS "}", MINT_GOOD, MINT_ACME_HS));
    only_one_last_letter_passes(mint("{" HS ",\"typ\":\"at+jwt\"}", MINT_GOOD,
                                     MINT_ACME_HS));
}


/* Base64url of the text and as many spaces as leave one byte in the last
 * group: its last letter then has four spare bits, all zero. */
static pay_str_t
with_spare_bits(const char *text)
{
    pay_str_t  padded;

    padded = pay_str_of(text);

    while (padded.len % 3 != 1) {
        padded = mint_join(padded, " ", none);
    }

    return mint_b64(padded);
}


/* Signed as it stands, so that nothing but the spare bits is wrong. */
Test(pay_jwt, non_canonical_header_or_payload_is_refused)
{
    pay_str_t  header, payload, odd;

    header = with_spare_bits("{" HS "}");
    payload = with_spare_bits(MINT_GOOD);

    mint_accepted(mint_sign(mint_join(header, ".", payload), MINT_HS256, NULL,
                            mint_secret()));

    odd = replaced(header, header.len - 1,
                   (char) (header.data[header.len - 1] + 1));
    mint_refused(mint_sign(mint_join(odd, ".", payload), MINT_HS256, NULL,
                           mint_secret()), "header");

    odd = replaced(payload, payload.len - 1,
                   (char) (payload.data[payload.len - 1] + 1));
    mint_refused(mint_sign(mint_join(header, ".", odd), MINT_HS256, NULL,
                           mint_secret()), "payload");
}


Test(pay_jwt, cr_inside_the_signature_is_refused)
{
    pay_str_t  good, head, tail;

    good = mint("{" EC "}", MINT_GOOD, MINT_ACME_EC);
    head = (pay_str_t) { good.len - 10, good.data };
    tail = (pay_str_t) { 10, good.data + good.len - 10 };

    mint_accepted(mint_join(head, "", tail));
    mint_refused(mint_join(head, "\r", tail), "CR");
    mint_refused(mint_join(head, "\r\n", tail), "CR LF");
}


Test(pay_jwt, each_changed_letter_of_the_token_is_refused)
{
    size_t     i;
    unsigned   h;
    pay_str_t  good;

    static const char *const  headers[] = {
        "{" EC "}", "{" EC ",\"typ\":\"at+jwt\"}", "{" HS "}",
        "{" HS ",\"typ\":\"at+jwt\"}"
    };

    for (h = 0; h < COUNT(headers); h++) {
        good = mint(headers[h], MINT_GOOD, h < 2 ? MINT_ACME_EC
                                                 : MINT_ACME_HS);
        mint_accepted(good);

        for (i = 0; i < good.len; i++) {
            mint_refused(replaced(good, i, good.data[i] == 'A' ? 'B' : 'A'),
                         headers[h]);
        }
    }
}


/* RFC 7518 3.4: 64 bytes, nothing else; r and s of zero once passed in
 * other libraries (CVE-2022-21449). */
Test(pay_jwt, es256_signatures_of_other_forms_are_refused)
{
    size_t     h, i;
    pay_str_t  text;

    static const unsigned char  zero[132];
    static const size_t         sizes[] = { 1, 32, 63, 64, 65, 96, 128, 132 };
    static const char *const    headers[] = {
        "{" EC "}", "{" EC ",\"typ\":\"at+jwt\"}"
    };

    for (h = 0; h < COUNT(headers); h++) {
        text = text_of(headers[h]);
        mint_refused(mint_sign(text, MINT_ES256_DER, mint_ec(), none), "DER");

        for (i = 0; i < COUNT(sizes); i++) {
            mint_refused(mint_join(text, ".",
                                   mint_b64((pay_str_t) { sizes[i], zero })),
                         headers[h]);
        }
    }
}


Test(pay_jwt, signature_with_bytes_behind_or_missing_is_refused)
{
    size_t     h, i;
    pay_str_t  text, mac;

    static const char *const  headers[] = {
        "{" HS "}", "{" HS ",\"typ\":\"at+jwt\"}"
    };

    for (h = 0; h < COUNT(headers); h++) {
        text = text_of(headers[h]);
        mac = mint_sign(text, MINT_HS256, NULL, mint_secret());
        i = signature_at(mac);
        mint_refused(mint_join(mac, "AAAA", none), "longer");
        mint_refused((pay_str_t) { mac.len - 4, mac.data }, "shorter");
        mint_refused((pay_str_t) { i + 4, mac.data }, "three bytes");
    }
}


Test(pay_jwt, key_of_the_wrong_kind_is_refused)
{
    (void) mint_rsa();
    mint_refused(mint_sign(text_of("{" EC "}"), MINT_RS256, mint_rsa(), none),
                 "RSA under ES256");
    mint_refused(mint_sign(text_of("{" RSA "}"), MINT_ES256, mint_ec(), none),
                 "EC under RS256");
    mint_refused(mint_sign(text_of("{\"alg\":\"RS256\",\"kid\":\"ec1\"}"),
                           MINT_RS256, mint_rsa(), none), "RS256 for ec1");
    mint_refused(mint_sign(text_of("{\"alg\":\"ES256\",\"kid\":\"rsa1\"}"),
                           MINT_ES256, mint_ec(), none), "ES256 for rsa1");
}


static pay_str_t
token_of_size(size_t size)
{
    size_t       filled;
    pay_str_t    token;
    static char  payload[PAY_JWT_MAX + 200];

    for (filled = 5000; filled < PAY_JWT_MAX; filled++) {
        snprintf(payload, sizeof(payload), "{\"iss\":\"acme\",\"aud\":\"%s\","
                 "\"exp\":1800000600,\"sub\":\"%0*d\"}", MINT_AUDIENCE,
                 (int) filled, 0);
        token = mint("{" HS "}", payload, MINT_ACME_HS);

        if (token.len >= size) {
            return token;
        }
    }

    cr_assert_fail("no token of %zu bytes", size);

    return none;
}


Test(pay_jwt, length_limit_is_8_kib)
{
    pay_str_t  token;

    token = token_of_size(PAY_JWT_MAX - 1);
    cr_assert(token.len <= PAY_JWT_MAX);
    mint_accepted(token);

    token = token_of_size(PAY_JWT_MAX + 1);
    mint_refused(token, "right but too long");
}


/* With a NULL key libjwt accepts anything: such a policy is our own bug. */
Test(pay_jwt, policy_without_key_bytes_or_audience_is_a_bug)
{
    size_t            i;
    pay_str_t         token;
    pay_claims_t      claims;
    pay_jwt_key_t     keys[MINT_KEYS];
    pay_jwt_policy_t  policy;

    static const unsigned char  byte = 0;
    static const pay_str_t      empty[] = { { 0, NULL }, { 0, &byte },
                                            { 32, NULL }, { 9000, &byte } };

    policy = *mint_policy(0);
    memcpy(keys, policy.keys, sizeof(keys));
    policy.keys = keys;
    token = mint("{" HS "}", MINT_GOOD, MINT_ACME_HS);

    for (i = 0; i < COUNT(empty); i++) {
        keys[MINT_ACME_HS].key = empty[i];
        cr_expect_eq(pay_jwt_verify(mint_arena(), token, &policy, &claims,
                                    NULL), PAY_BUG, "%zu", i);
    }

    policy = *mint_policy(0);
    policy.audience.len = 0;
    cr_expect_eq(pay_jwt_verify(mint_arena(), token, &policy, &claims, NULL),
                 PAY_BUG);

    policy = *mint_policy(0);
    policy.now_s = -1;
    cr_expect_eq(pay_jwt_verify(mint_arena(), token, &policy, &claims, NULL),
                 PAY_BUG);
}


Test(pay_jwt, policy_without_keys_refuses)
{
    pay_claims_t      claims;
    pay_jwt_policy_t  policy;

    policy = *mint_policy(0);
    policy.keys = NULL;
    policy.count = 0;
    cr_expect_eq(pay_jwt_verify(mint_arena(), mint("{" HS "}", MINT_GOOD,
                                                   MINT_ACME_HS),
                                &policy, &claims, NULL), PAY_INVALID);
}


/* A key that is damaged after its check gives a refusal, not a crash. */
Test(pay_jwt, damaged_key_refuses)
{
    size_t            i;
    pay_str_t         token;
    pay_claims_t      claims;
    pay_jwt_key_t     keys[MINT_KEYS];
    pay_jwt_policy_t  policy;

    static const char *const  headers[] = {
        "{" EC "}", "{" EC ",\"typ\":\"at+jwt\"}"
    };

    policy = *mint_policy(0);
    memcpy(keys, policy.keys, sizeof(keys));
    policy.keys = keys;

    for (i = 0; i < COUNT(headers); i++) {
        token = mint(headers[i], MINT_GOOD, MINT_ACME_EC);
        keys[MINT_ACME_EC].key = PAY_STR("-----BEGIN PUBLIC KEY-----\nAA\n");
        cr_expect_eq(pay_jwt_verify(mint_arena(), token, &policy, &claims,
                                    NULL), PAY_INVALID);
        keys[MINT_ACME_EC].key = mint_pem(mint_ec(), 0);
        cr_expect_eq(pay_jwt_verify(mint_arena(), token, &policy, &claims,
                                    NULL), PAY_OK);
    }
}


/* nginx takes what is left in the queue for an error of the next TLS call. */
Test(pay_jwt, openssl_error_queue_is_left_empty)
{
    pay_str_t  good;

    good = mint("{" EC "}", MINT_GOOD, MINT_ACME_EC);
    mint_refused(replaced(good, good.len - 5,
                          good.data[good.len - 5] == 'A' ? 'B' : 'A'),
                 "signature");
    cr_expect_eq(ERR_peek_error(), 0);

    mint_refused(mint_sign(text_of("{" EC ",\"typ\":\"at+jwt\"}"),
                           MINT_ES256, mint_other_ec(), none), "at+jwt");
    cr_expect_eq(ERR_peek_error(), 0);
}


Test(pay_jwt, claims_outlive_the_token)
{
    pay_str_t     token;
    pay_claims_t  claims;

    token = mint("{" HS "}", MINT_GOOD, MINT_ACME_HS);
    claims = mint_accepted(token);
    memset((void *) (uintptr_t) token.data, 'x', token.len);

    cr_expect(pay_str_is(claims.subject, "till-7"));
    cr_expect_eq(claims.subject.data[claims.subject.len], '\0');
}


static pay_status_t
verify_once(pay_arena_t *arena, void *result)
{
    static pay_str_t               token;
    static const pay_jwt_policy_t *policy;

    if (policy == NULL) {
        policy = mint_policy(0);
        token = mint("{" HS "}", MINT_GOOD, MINT_ACME_HS);
    }

    return pay_jwt_verify(arena, token, policy, result, NULL);
}


Test(pay_jwt, verify_survives_each_failing_allocation)
{
    cr_expect(torture(verify_once, sizeof(pay_claims_t)) >= 5);
}

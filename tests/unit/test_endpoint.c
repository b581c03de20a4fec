/*
 * Endpoints of storefronts: addresses, sealed secrets, signatures.  The vector
 * of v1 is that of the libraries of Standard Webhooks
 * (https://github.com/standard-webhooks/standard-webhooks).
 */

#include <criterion/criterion.h>

#include "pay_endpoint.h"


#define RING     "old AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define ENTROPY  "nonce-nonce-0123456789abcdef0123456789abcdef"
#define SECRET   "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID       "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY     "{\"test\": 2432232314}"
#define V1       "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


static void
secret_of(const char *base64, pay_secret_t *secret)
{
    pay_str_t    bytes;
    pay_heap_t  *heap = pay_heap_create();

    cr_assert_eq(pay_base64_decode(pay_heap_arena(heap), pay_str_of(base64),
                                   &bytes), PAY_OK);
    cr_assert_eq(pay_secret_set(secret, bytes), PAY_OK);
    pay_heap_destroy(heap);
}


static void
expect_text(pay_str_t text, const char *expected)
{
    cr_expect(pay_str_is(text, expected), "%.*s", pay_fmt(text));
}


Test(pay_endpoint, signs_as_the_specification_does)
{
    pay_str_t               timestamp, signature;
    pay_heap_t             *heap = pay_heap_create();
    pay_secret_t            secrets[2];
    pay_endpoint_message_t  message = { PAY_STR(ID), 1614265330,
                                        PAY_STR(BODY) };

    secret_of(SECRET, &secrets[0]);
    secret_of(SECRET, &secrets[1]);

    cr_assert_eq(pay_endpoint_sign(pay_heap_arena(heap), PAY_ENDPOINT_V1,
                                   secrets, 1, &message, &timestamp,
                                   &signature), PAY_OK);
    expect_text(timestamp, "1614265330");
    expect_text(signature, V1);

    cr_assert_eq(pay_endpoint_sign(pay_heap_arena(heap), PAY_ENDPOINT_V1,
                                   secrets, 2, &message, &timestamp,
                                   &signature), PAY_OK);
    expect_text(signature, V1 " " V1);
    pay_heap_destroy(heap);
}


/* RFC 8032 says how; the verifier is the one of the event log's seals. */
Test(pay_endpoint, signs_with_ed25519)
{
    unsigned char           key[PAY_ED25519_KEY];
    pay_str_t               timestamp, signature, bytes;
    pay_heap_t             *heap = pay_heap_create();
    pay_arena_t            *arena = pay_heap_arena(heap);
    pay_secret_t            secret;
    pay_endpoint_message_t  message = { PAY_STR(ID), 1614265330,
                                        PAY_STR(BODY) };

    secret_of("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", &secret);
    cr_assert_eq(pay_endpoint_sign(arena, PAY_ENDPOINT_V1A, &secret, 1,
                                   &message, &timestamp, &signature), PAY_OK);
    cr_assert(signature.len == 4 + 88
              && memcmp(signature.data, "v1a,", 4) == 0);
    signature.data += 4;
    signature.len -= 4;
    cr_assert_eq(pay_base64_decode(arena, signature, &bytes), PAY_OK);
    cr_assert_eq(pay_ed25519_public(&secret, key), PAY_OK);
    cr_expect_eq(pay_ed25519_verify(key, PAY_STR(ID ".1614265330." BODY),
                                    bytes), PAY_OK);
    cr_expect_eq(pay_ed25519_verify(key, PAY_STR(ID ".1614265331." BODY),
                                    bytes), PAY_INVALID);
    pay_heap_destroy(heap);
}


Test(pay_endpoint, signs_with_one_secret_at_least_and_three_at_most)
{
    pay_str_t               timestamp, signature;
    pay_heap_t             *heap = pay_heap_create();
    pay_secret_t            secrets[4];
    pay_endpoint_message_t  message = { PAY_STR(ID), 1, PAY_STR("") };

    memset(secrets, 0, sizeof(secrets));
    cr_expect_eq(pay_endpoint_sign(pay_heap_arena(heap), PAY_ENDPOINT_V1,
                                   secrets, 0, &message, &timestamp,
                                   &signature), PAY_BUG);
    cr_expect_eq(pay_endpoint_sign(pay_heap_arena(heap), PAY_ENDPOINT_V1,
                                   secrets, 4, &message, &timestamp,
                                   &signature), PAY_BUG);
    pay_heap_destroy(heap);
}


Test(pay_endpoint, a_secret_is_shown_as_its_scheme_wants)
{
    pay_str_t      text;
    pay_heap_t    *heap = pay_heap_create();
    pay_secret_t   secret;

    /* RFC 8032, 7.1, test 1 */
    secret_of("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", &secret);
    cr_assert_eq(pay_endpoint_key_text(pay_heap_arena(heap), PAY_ENDPOINT_V1,
                                       &secret, &text), PAY_OK);
    expect_text(text, "whsec_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
    cr_assert_eq(pay_endpoint_key_text(pay_heap_arena(heap), PAY_ENDPOINT_V1A,
                                       &secret, &text), PAY_OK);
    expect_text(text, "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    pay_heap_destroy(heap);
}


Test(pay_endpoint, a_secret_opens_for_its_endpoint_alone)
{
    const char     *why = "";
    pay_str_t       sealed, cut;
    pay_heap_t     *heap = pay_heap_create();
    pay_arena_t    *arena = pay_heap_arena(heap);
    pay_secret_t    secret;
    pay_keyring_t   ring;

    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);
    cr_assert_eq(pay_endpoint_seal(arena, &ring, PAY_STR("acme"),
                                   PAY_STR("e-1"),
                                   (const unsigned char *) ENTROPY, &sealed),
                 PAY_OK);

    cr_assert_eq(pay_endpoint_open(arena, &ring, PAY_STR("acme"),
                                   PAY_STR("e-1"), PAY_STR("old"), sealed,
                                   &secret, &why), PAY_OK);
    expect_text(pay_secret_str(&secret), ENTROPY + PAY_KEYRING_NONCE);

    cr_expect_eq(pay_endpoint_open(arena, &ring, PAY_STR("acme"),
                                   PAY_STR("e-2"), PAY_STR("old"), sealed,
                                   &secret, &why), PAY_INVALID);
    cr_expect_str_eq(why, "secret_unreadable");
    cr_expect_eq(pay_endpoint_open(arena, &ring, PAY_STR("globex"),
                                   PAY_STR("e-1"), PAY_STR("old"), sealed,
                                   &secret, &why), PAY_INVALID);
    cr_expect_eq(pay_endpoint_open(arena, &ring, PAY_STR("acme"),
                                   PAY_STR("e-1"), PAY_STR("new"), sealed,
                                   &secret, &why), PAY_INVALID);
    cr_expect_str_eq(why, "key_missing");
    cr_expect_eq(pay_endpoint_open(arena, NULL, PAY_STR("acme"),
                                   PAY_STR("e-1"), PAY_STR("old"), sealed,
                                   &secret, &why), PAY_INVALID);
    cr_expect_str_eq(why, "key_missing");

    cut = (pay_str_t) { sealed.len - 1, sealed.data };
    cr_expect_eq(pay_endpoint_open(arena, &ring, PAY_STR("acme"),
                                   PAY_STR("e-1"), PAY_STR("old"), cut,
                                   &secret, &why), PAY_INVALID);
    cr_expect_str_eq(why, "secret_unreadable");
    pay_heap_destroy(heap);
}


Test(pay_endpoint, schemes_have_names)
{
    pay_endpoint_scheme_t  scheme;

    cr_expect_str_eq(pay_endpoint_scheme_name(PAY_ENDPOINT_V1A), "v1a");
    cr_assert_eq(pay_endpoint_scheme_find(PAY_STR("v1"), &scheme), PAY_OK);
    cr_expect_eq(scheme, PAY_ENDPOINT_V1);
    cr_expect_eq(pay_endpoint_scheme_find(PAY_STR("v2"), &scheme),
                 PAY_NOT_FOUND);
}


/* The columns are PUBLIC, LOOPBACK and ANY. */
Test(pay_endpoint, an_url_leads_where_the_directive_allows_it)
{
    size_t     i;
    unsigned   hosts;
    pay_err_t  err;

    static const struct {
        const char  *url;
        int          ok[3];
    } cases[] = {
        { "https://shop.example.com/hooks?a=b", { 1, 1, 1 } },
        { "https://shop.example.com:8443", { 1, 1, 1 } },
        { "https://8.8.8.8/", { 1, 1, 1 } },
        { "http://shop.example.com/hooks", { 0, 0, 0 } },
        { "http://127.0.0.1:3000/hooks", { 0, 1, 1 } },
        { "https://localhost/hooks", { 0, 1, 1 } },
        { "http://localhost:3000/", { 0, 1, 1 } },
        { "https://10.0.0.7/", { 0, 0, 1 } },
        { "http://10.0.0.7/", { 0, 0, 0 } },
        { "https://169.254.169.254/", { 0, 0, 1 } },
        { "https://0x7f.1/", { 0, 0, 0 } },
        { "https://2130706433/", { 0, 0, 0 } },
        { "https://127.1/", { 0, 0, 0 } },
        { "https://user@shop.example.com/", { 0, 0, 0 } },
        { "https://shop.example.com/#part", { 0, 0, 0 } },
        { "https://[::1]/", { 0, 0, 0 } },
        { "ftp://shop.example.com/", { 0, 0, 0 } },
        { "shop.example.com", { 0, 0, 0 } },
        { "https://shop.example.com/a b", { 0, 0, 0 } },
        { "", { 0, 0, 0 } }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (hosts = 0; hosts < 3; hosts++) {
            memset(&err, 0, sizeof(err));
            cr_expect_eq(pay_endpoint_url_check(pay_str_of(cases[i].url),
                                                (pay_hosts_t) hosts, &err)
                         == PAY_OK, cases[i].ok[hosts], "%s, %u",
                         cases[i].url, hosts);
            cr_expect_eq(err.detail != NULL, !cases[i].ok[hosts]);
        }
    }
}

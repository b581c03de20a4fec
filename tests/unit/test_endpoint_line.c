/*
 * Endpoints that stand in nginx.conf: their ids, the digests of their secrets,
 * their types, and secrets of other lengths than the gateway's own.
 */

#include "pay_endpoint.h"
#include "torture.h"


#define RING   "old AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define NONCE  "nonce-nonce-"
#define URL    "https://shop.example/hook"

ARENA_SUITE(pay_endpoint_line);


static void
secret_of(size_t size, int letter, pay_secret_t *secret)
{
    unsigned char  bytes[PAY_SECRET_MAX];

    memset(bytes, letter, sizeof(bytes));
    cr_assert_eq(pay_secret_set(secret, (pay_str_t) { size, bytes }), PAY_OK);
}


static pay_str_t
id_of(const char *merchant, const char *url)
{
    pay_str_t  id;

    cr_assert_eq(pay_endpoint_line_id(arena, pay_str_of(merchant),
                                      pay_str_of(url), &id), PAY_OK);

    return id;
}


Test(pay_endpoint_line, an_id_follows_from_merchant_and_url)
{
    pay_str_t  id = id_of("acme", URL);

    cr_expect_eq(id.len, 36);
    cr_expect_eq(id.data[14], '8');
    cr_expect_not_null(strchr("89ab", id.data[19]));
    cr_expect(pay_str_eq(id, id_of("acme", URL)));
    cr_expect(!pay_str_eq(id, id_of("globex", URL)));
    cr_expect(!pay_str_eq(id, id_of("acme", URL "s")));
    cr_expect(!pay_str_eq(id, id_of("acmeh", URL + 1)));
}


Test(pay_endpoint_line, an_id_has_no_more_parts_than_it_says)
{
    pay_str_t  id, parts[PAY_ENDPOINT_ID_PARTS + 1] = { { 0, NULL } };

    cr_expect_eq(pay_endpoint_id(arena, parts, PAY_ENDPOINT_ID_PARTS + 1, &id),
                 PAY_BUG);
}


Test(pay_endpoint_line, a_fingerprint_is_of_one_secret_at_one_place)
{
    size_t         i, j;
    pay_secret_t   one, two;
    unsigned char  all[4][PAY_SHA256_SIZE], again[PAY_SHA256_SIZE];

    secret_of(32, 'a', &one);
    secret_of(32, 'b', &two);
    cr_assert_eq(pay_endpoint_fingerprint(PAY_STR("acme"), PAY_STR("e-1"),
                                          &one, all[0]), PAY_OK);
    cr_assert_eq(pay_endpoint_fingerprint(PAY_STR("acme"), PAY_STR("e-1"),
                                          &two, all[1]), PAY_OK);
    cr_assert_eq(pay_endpoint_fingerprint(PAY_STR("acme"), PAY_STR("e-2"),
                                          &one, all[2]), PAY_OK);
    cr_assert_eq(pay_endpoint_fingerprint(PAY_STR("globex"), PAY_STR("e-1"),
                                          &one, all[3]), PAY_OK);
    cr_assert_eq(pay_endpoint_fingerprint(PAY_STR("acme"), PAY_STR("e-1"),
                                          &one, again), PAY_OK);
    cr_expect_arr_eq(again, all[0], sizeof(again));

    for (i = 0; i < 4; i++) {
        for (j = 0; j < i; j++) {
            cr_expect_neq(memcmp(all[i], all[j], PAY_SHA256_SIZE), 0);
        }
    }
}


Test(pay_endpoint_line, secrets_of_24_to_64_bytes_are_sealed_and_opened)
{
    size_t         size;
    pay_str_t      sealed;
    const char    *why = "";
    pay_secret_t   secret, opened;
    pay_keyring_t  ring;

    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);

    for (size = 1; size <= 80; size++) {
        secret_of(size, 's', &secret);

        if (size < PAY_ENDPOINT_SECRET_MIN || size > PAY_ENDPOINT_SECRET_MAX) {
            cr_expect_eq(pay_endpoint_seal_own(arena, &ring, PAY_STR("acme"),
                                               PAY_STR("e-1"),
                                               (const unsigned char *) NONCE,
                                               &secret, &sealed), PAY_INVALID);
            continue;
        }

        cr_assert_eq(pay_endpoint_seal_own(arena, &ring, PAY_STR("acme"),
                                           PAY_STR("e-1"),
                                           (const unsigned char *) NONCE,
                                           &secret, &sealed), PAY_OK);
        cr_assert_eq(pay_endpoint_open(arena, &ring, PAY_STR("acme"),
                                       PAY_STR("e-1"), PAY_STR("old"), sealed,
                                       &opened, &why), PAY_OK);
        cr_expect(pay_equal_ct(pay_secret_str(&secret),
                               pay_secret_str(&opened)));
    }
}


/* Nothing is read in front of a seal that is too short to be one. */
Test(pay_endpoint_line, a_seal_of_another_length_is_none)
{
    size_t         size;
    const char    *why;
    pay_secret_t   secret;
    pay_keyring_t  ring;
    unsigned char  bytes[128] = { 0 };

    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);

    for (size = 0; size < sizeof(bytes); size++) {
        why = "";
        cr_expect_eq(pay_endpoint_open(arena, &ring, PAY_STR("acme"),
                                       PAY_STR("e-1"), PAY_STR("old"),
                                       (pay_str_t) { size, bytes }, &secret,
                                       &why), PAY_INVALID);
        cr_expect_str_eq(why, "secret_unreadable");
        cr_expect_eq(secret.len, 0);
    }
}


Test(pay_endpoint_line, types_become_json)
{
    size_t     i;
    pay_str_t  json, wrong;

    static const char  *const cases[][2] = {
        { "", "[]" },
        { "payment.succeeded", "[\"payment.succeeded\"]" },
        { "payment.*", "[\"payment.*\"]" },
        { "refund.failed,payment.*,endpoint.test",
          "[\"refund.failed\",\"payment.*\",\"endpoint.test\"]" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(pay_endpoint_types_read(arena, pay_str_of(cases[i][0]),
                                             &json, &wrong), PAY_OK);
        cr_expect(pay_str_is(json, cases[i][1]), "%.*s", pay_fmt(json));
    }
}


Test(pay_endpoint_line, a_type_that_no_event_has_is_named)
{
    size_t     i;
    pay_str_t  json, wrong;

    static const char  *const cases[][2] = {
        { "payment.done", "payment.done" },
        { "payment.*,refunds.*", "refunds.*" },
        { "payment", "payment" },
        { "payment.", "payment." },
        { "*", "*" },
        { ".*", ".*" },
        { "*.*", "*.*" },
        { "payment.**", "payment.**" },
        { "payment.suc*", "payment.suc*" },
        { "Payment.*", "Payment.*" },
        { "payment.* ", "payment.* " },
        { ",", "" },
        { "payment.*,", "" },
        { ",payment.*", "" },
        { "payment.*,,refund.*", "" },
        { "payment.*,refund.*,payment.*", "payment.*" },
        { "payment.*\"", "payment.*\"" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(pay_endpoint_types_read(arena, pay_str_of(cases[i][0]),
                                             &json, &wrong), PAY_INVALID,
                     "%s", cases[i][0]);
        cr_expect(pay_str_is(wrong, cases[i][1]), "%s: %.*s", cases[i][0],
                  pay_fmt(wrong));
    }
}


static pay_status_t
line_run(pay_arena_t *memory, void *result)
{
    pay_str_t      json, id, sealed, wrong;
    pay_status_t   status;
    pay_secret_t   secret;
    pay_keyring_t  ring;

    secret_of(32, 's', &secret);
    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);

    PAY_TRY(pay_endpoint_types_read(memory, PAY_STR("payment.*"), &json,
                                    &wrong));
    PAY_TRY(pay_endpoint_line_id(memory, PAY_STR("acme"), PAY_STR(URL), &id));
    status = pay_endpoint_seal_own(memory, &ring, PAY_STR("acme"), id,
                                   (const unsigned char *) NONCE, &secret,
                                   &sealed);
    PAY_TRY(status);
    memcpy(result, sealed.data, sealed.len);

    return PAY_OK;
}


Test(pay_endpoint_line, a_failed_allocation_is_an_ordinary_error)
{
    cr_expect_gt(torture(line_run, 60), 3);
}

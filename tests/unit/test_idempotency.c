/*
 * Idempotency keys as clients really send them, and as attackers do; the
 * fingerprint's length prefixes.
 */

#include <criterion/criterion.h>
#include <openssl/evp.h>

#include "pay_idempotency.h"


#define UUID  "8e03978e-40d5-43dd-bc93-6894a57f9324"


static void
accepts(const char *value, const char *expected)
{
    pay_str_t  key = { 0, NULL };
    pay_err_t  err;

    cr_assert_eq(pay_idempotency_key_parse(pay_str_of(value), &key, &err),
                 PAY_OK, "%s", value);
    cr_expect(pay_str_is(key, expected), "%s", value);
    cr_expect(key.data >= (const unsigned char *) value
              && key.data + key.len
                 <= (const unsigned char *) value + strlen(value));
}


static void
refuses_bytes(pay_str_t value)
{
    pay_str_t  key = { 7, (const unsigned char *) "as it was" };
    pay_err_t  err = { .slug = NULL };

    cr_expect_eq(pay_idempotency_key_parse(value, &key, &err), PAY_INVALID,
                 "%.*s", pay_fmt(value));
    cr_expect_eq(key.len, 7);
    cr_assert_not_null(err.slug);
    cr_expect_str_eq(err.slug, "idempotency-key-invalid");
    cr_expect_not_null(err.detail);
}


static void
refuses(const char *value)
{
    refuses_bytes(pay_str_of(value));
}


static void
fingerprint(const char *method, const char *route, const char *merchant,
    const char *body, unsigned char out[PAY_SHA256_SIZE])
{
    cr_assert_eq(pay_idempotency_fingerprint(pay_str_of(method),
                                             pay_str_of(route),
                                             pay_str_of(merchant),
                                             pay_str_of(body), out),
                 PAY_OK);
}


Test(pay_idempotency, bare_and_quoted_spelling_are_one_key)
{
    accepts(UUID, UUID);
    accepts("\"" UUID "\"", UUID);
}


Test(pay_idempotency, all_letters_of_the_alphabet_are_accepted)
{
    accepts("ABCDEFGHIJKLMNOPQRSTUVWXYZ._~-", "ABCDEFGHIJKLMNOPQRSTUVWXYZ._~-");
    accepts("abcdefghijklmnopqrstuvwxyz0123456789",
            "abcdefghijklmnopqrstuvwxyz0123456789");
}


Test(pay_idempotency, lengths_are_16_to_64)
{
    char  text[80];

    memset(text, 'a', sizeof(text));

    text[16] = '\0';
    accepts(text, text);
    text[15] = '\0';
    refuses(text);

    memset(text, 'a', sizeof(text));
    text[64] = '\0';
    accepts(text, text);
    text[64] = 'a';
    text[65] = '\0';
    refuses(text);
}


Test(pay_idempotency, quotes_do_not_count_as_length)
{
    refuses("\"aaaaaaaaaaaaaaa\"");                /* 15 within */
    accepts("\"aaaaaaaaaaaaaaaa\"", "aaaaaaaaaaaaaaaa");
}


Test(pay_idempotency, short_and_empty_are_refused)
{
    refuses("");
    refuses("1");
    refuses("\"");
    refuses("\"\"");
    refuses("\"1\"");
    refuses_bytes((pay_str_t) { 0, NULL });
}


Test(pay_idempotency, broken_quotes_are_refused)
{
    refuses("\"" UUID);
    refuses(UUID "\"");
    refuses("\"\"" UUID "\"\"");
    refuses("'" UUID "'");
    refuses("\"aaaaaaaaaaaaaaaa\"aaaaaaaaaaaaaaaa\"");
}


Test(pay_idempotency, parameters_are_refused)
{
    refuses("\"" UUID "\";a=1");
    refuses("\"" UUID "\";a");
    refuses("\"" UUID "\"; q=\"" UUID "\"");
    refuses(UUID ";a=1");
}


/* IK1: an Item whose value is a String, nothing else. */
Test(pay_idempotency, lists_numbers_bytes_and_booleans_are_refused)
{
    refuses("\"" UUID "\", \"" UUID "\"");
    refuses("(\"" UUID "\")");
    refuses(":OGUwMzk3OGUtNDBkNS00M2Rk:");
    refuses("?1");
    refuses("1234567890.12,4567");
    refuses("key=\"" UUID "\"");
}


Test(pay_idempotency, escapes_in_a_string_are_refused)
{
    refuses("\"aaaaaaaaaaaaaaaa\\\"\"");
    refuses("\"aaaaaaaaaaaaaaaa\\\\\"");
    refuses("\"aaaaaaaaaaaaaaaa\\\"");
}


Test(pay_idempotency, spaces_and_control_bytes_are_refused)
{
    unsigned       c;
    unsigned char  text[20];

    for (c = 0; c <= 0x20; c++) {
        memset(text, 'a', sizeof(text));
        text[10] = (unsigned char) c;
        refuses_bytes((pay_str_t) { sizeof(text), text });
    }

    refuses(" " UUID);
    refuses(UUID " ");
    refuses("\t" UUID);
    refuses("\" " UUID "\"");
}


Test(pay_idempotency, bytes_outside_ascii_are_refused)
{
    unsigned       c;
    unsigned char  text[20];

    for (c = 0x7f; c <= 0xff; c++) {
        memset(text, 'a', sizeof(text));
        text[19] = (unsigned char) c;
        refuses_bytes((pay_str_t) { sizeof(text), text });
    }
}


Test(pay_idempotency, sql_html_and_paths_are_refused)
{
    refuses("'; drop table orders; --");
    refuses("<script>alert(1)</script>");
    refuses("../../../../etc/passwd");
    refuses("aaaaaaaaaaaaaaaa%00");
    refuses("aaaaaaaaaaaaaaaa:b");
    refuses("aaaaaaaaaaaaaaaa*");
    refuses("${jndi:ldap://a.example/}");
    refuses("aaaaaaaaaaaaaaaa/b");
    refuses("aaaaaaaaaaaaaaaa+b");
    refuses("aaaaaaaaaaaaaaaa=");
}


Test(pay_idempotency, error_may_be_null)
{
    pay_str_t  key;

    cr_expect_eq(pay_idempotency_key_parse(PAY_STR("1"), &key, NULL),
                 PAY_INVALID);
}


/* Written out once more by hand, so that the stored fingerprints of one
 * release are those of the next. */
Test(pay_idempotency, fingerprint_is_sha256_of_length_prefixed_parts)
{
    unsigned char         out[PAY_SHA256_SIZE], expected[PAY_SHA256_SIZE];
    static const char     text[] =
        "\0\0\0\0\0\0\0\x04" "POST"
        "\0\0\0\0\0\0\0\x0c" "/v1/payments"
        "\0\0\0\0\0\0\0\x04" "acme"
        "\0\0\0\0\0\0\0\x02" "{}";

    fingerprint("POST", "/v1/payments", "acme", "{}", out);

    cr_assert_eq(EVP_Digest(text, sizeof(text) - 1, expected, NULL,
                            EVP_sha256(), NULL), 1);
    cr_expect_arr_eq(out, expected, sizeof(out));
}


Test(pay_idempotency, each_part_changes_the_fingerprint)
{
    size_t         i;
    unsigned char  base[PAY_SHA256_SIZE], other[4][PAY_SHA256_SIZE];

    fingerprint("POST", "/v1/payments", "acme", "{}", base);
    fingerprint("PUT", "/v1/payments", "acme", "{}", other[0]);
    fingerprint("POST", "/v1/payment", "acme", "{}", other[1]);
    fingerprint("POST", "/v1/payments", "acm", "{}", other[2]);
    fingerprint("POST", "/v1/payments", "acme", "{ }", other[3]);

    for (i = 0; i < 4; i++) {
        cr_expect_arr_neq(base, other[i], sizeof(base), "%zu", i);
    }
}


Test(pay_idempotency, parts_do_not_run_together)
{
    unsigned char  a[PAY_SHA256_SIZE], b[PAY_SHA256_SIZE];

    fingerprint("POST", "/v1/payments", "acme", "x", a);
    fingerprint("POST", "/v1/payments", "acm", "ex", b);
    cr_expect_arr_neq(a, b, sizeof(a));

    fingerprint("POST", "/v1/payments", "", "acmex", b);
    cr_expect_arr_neq(a, b, sizeof(a));

    fingerprint("POST/v1", "/payments", "acme", "x", b);
    cr_expect_arr_neq(a, b, sizeof(a));
}


Test(pay_idempotency, empty_parts_have_a_fingerprint)
{
    unsigned char  a[PAY_SHA256_SIZE], b[PAY_SHA256_SIZE];

    fingerprint(NULL, NULL, NULL, NULL, a);
    fingerprint("", "", "", "", b);

    cr_expect_arr_eq(a, b, sizeof(a));
}


/* IK9: reordered members are another request. */
Test(pay_idempotency, equal_json_in_other_bytes_is_another_request)
{
    unsigned char  a[PAY_SHA256_SIZE], b[PAY_SHA256_SIZE];

    fingerprint("POST", "/v1/payments", "acme", "{\"a\":1,\"b\":2}", a);
    fingerprint("POST", "/v1/payments", "acme", "{\"b\":2,\"a\":1}", b);

    cr_expect_arr_neq(a, b, sizeof(a));
}

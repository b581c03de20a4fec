/*
 * Digests and MACs against published vectors; secrets and comparison.
 */

#include "torture.h"
#include "pay_crypto.h"


static void
assert_hex(const unsigned char *bytes, const char *expected)
{
    pay_str_t    text;

    cr_assert_eq(pay_hex_encode(test_arena(),
                                (pay_str_t) { PAY_SHA256_SIZE, bytes }, &text),
                 PAY_OK);
    cr_assert(pay_str_is(text, expected), "%.*s", pay_fmt(text));
}


Test(pay_crypto, sha256_gives_the_fips_180_vectors)
{
    unsigned char  digest[PAY_SHA256_SIZE];

    cr_assert_eq(pay_sha256(PAY_STR("abc"), digest), PAY_OK);
    assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223"
                       "b00361a396177a9cb410ff61f20015ad");

    cr_assert_eq(pay_sha256((pay_str_t) { 0, NULL }, digest), PAY_OK);
    assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb924"
                       "27ae41e4649b934ca495991b7852b855");
}


Test(pay_crypto, hmac_gives_the_rfc_4231_vectors)
{
    unsigned char  mac[PAY_SHA256_SIZE];
    unsigned char  key[131];
    pay_str_t      parts[1] = { pay_string("what do ya want for nothing?") };

    cr_assert_eq(pay_hmac_sha256(PAY_STR("Jefe"), parts, 1, mac), PAY_OK);
    assert_hex(mac, "5bdcc146bf60754e6a042426089575c7"
                    "5a003f089d2739839dec58b964ec3843");

    memset(key, 0xaa, sizeof(key));
    parts[0] = PAY_STR("Test Using Larger Than Block-Size Key - "
                       "Hash Key First");

    cr_assert_eq(pay_hmac_sha256((pay_str_t) { sizeof(key), key }, parts, 1,
                                 mac), PAY_OK);
    assert_hex(mac, "60e431591ee0b67f0d8a26aacbf5b77f"
                    "8e0bc6213728c5140546040f0ee37f54");
}


static void
assert_hex_sha1(const unsigned char *bytes, const char *expected)
{
    pay_str_t    text;

    cr_assert_eq(pay_hex_encode(test_arena(),
                                (pay_str_t) { PAY_SHA1_SIZE, bytes }, &text),
                 PAY_OK);
    cr_assert(pay_str_is(text, expected), "%.*s", pay_fmt(text));
}


Test(pay_crypto, sha1_gives_the_fips_180_vectors)
{
    unsigned char  digest[PAY_SHA1_SIZE];

    cr_assert_eq(pay_sha1(PAY_STR("abc"), digest), PAY_OK);
    assert_hex_sha1(digest, "a9993e364706816aba3e25717850c26c9cd0d89d");

    cr_assert_eq(pay_sha1((pay_str_t) { 0, NULL }, digest), PAY_OK);
    assert_hex_sha1(digest, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}


Test(pay_crypto, hmac_sha1_gives_the_rfc_2202_vectors_in_any_cut)
{
    unsigned char  mac[PAY_SHA1_SIZE];
    pay_str_t      whole[1] = { pay_string("what do ya want for nothing?") };
    pay_str_t      cut[3] = { pay_string("what do ya "), pay_string(""),
                              pay_string("want for nothing?") };

    cr_assert_eq(pay_hmac_sha1(PAY_STR("Jefe"), whole, 1, mac), PAY_OK);
    assert_hex_sha1(mac, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");

    cr_assert_eq(pay_hmac_sha1(PAY_STR("Jefe"), cut, 3, mac), PAY_OK);
    assert_hex_sha1(mac, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}


Test(pay_crypto, hmac_sha1_writes_20_bytes_and_refuses_an_empty_key)
{
    unsigned char  mac[PAY_SHA1_SIZE + 1];
    pay_str_t      part = pay_string("x");

    memset(mac, 0xa5, sizeof(mac));
    cr_assert_eq(pay_hmac_sha1(PAY_STR(""), &part, 1, mac), PAY_BUG);
    cr_expect_eq(mac[0], 0xa5);
    cr_assert_eq(pay_hmac_sha1(PAY_STR("k"), &part, 1, mac), PAY_OK);
    cr_expect_eq(mac[PAY_SHA1_SIZE], 0xa5);
}


Test(pay_crypto, hmac_of_parts_is_that_of_the_whole)
{
    unsigned char  mac[PAY_SHA256_SIZE];
    pay_str_t      parts[4] = {
        pay_string("what do "), { 0, NULL }, pay_string("ya want for "),
        pay_string("nothing?")
    };

    cr_assert_eq(pay_hmac_sha256(PAY_STR("Jefe"), parts, 4, mac), PAY_OK);
    assert_hex(mac, "5bdcc146bf60754e6a042426089575c7"
                    "5a003f089d2739839dec58b964ec3843");
}


Test(pay_crypto, hmac_takes_an_empty_message)
{
    unsigned char  mac[PAY_SHA256_SIZE];

    cr_assert_eq(pay_hmac_sha256(PAY_STR("key"), NULL, 0, mac), PAY_OK);
    assert_hex(mac, "5d5d139563c95b5967b9bd9a8c9b233a"
                    "9dedb45072794cd232dc1b74832607d0");
}


/* a key that was never loaded must not verify anything */
Test(pay_crypto, hmac_refuses_an_empty_key_and_writes_nothing)
{
    pay_str_t      part = pay_string("text");
    unsigned char  mac[PAY_SHA256_SIZE] = "untouched";

    cr_assert_eq(pay_hmac_sha256((pay_str_t) { 0, NULL }, &part, 1, mac),
                 PAY_BUG);
    cr_assert_eq(pay_hmac_sha256(PAY_STR(""), &part, 1, mac), PAY_BUG);
    cr_assert_str_eq((char *) mac, "untouched");
}


Test(pay_crypto, calls_after_the_first_give_the_same)
{
    unsigned       i;
    unsigned char  first[PAY_SHA256_SIZE], mac[PAY_SHA256_SIZE];
    pay_str_t      part = pay_string("text");

    cr_assert_eq(pay_hmac_sha256(PAY_STR("k"), &part, 1, first), PAY_OK);

    for (i = 0; i < 100; i++) {
        cr_assert_eq(pay_hmac_sha256(PAY_STR("k"), &part, 1, mac), PAY_OK);
        cr_assert_eq(memcmp(first, mac, sizeof(mac)), 0);
    }
}


Test(pay_crypto, equal_ct_tells_each_flipped_bit_and_length)
{
    unsigned       i;
    unsigned char  a[32], b[32];

    memset(a, 0x5a, sizeof(a));

    for (i = 0; i < 256; i++) {
        memcpy(b, a, sizeof(b));
        b[i / 8] ^= (unsigned char) (1u << i % 8);
        cr_assert_not(pay_equal_ct((pay_str_t) { 32, a },
                                   (pay_str_t) { 32, b }));
    }

    memcpy(b, a, sizeof(b));
    cr_assert(pay_equal_ct((pay_str_t) { 32, a }, (pay_str_t) { 32, b }));
    cr_assert_not(pay_equal_ct((pay_str_t) { 32, a }, (pay_str_t) { 31, b }));
    cr_assert_not(pay_equal_ct((pay_str_t) { 0, a }, (pay_str_t) { 32, b }));
    cr_assert(pay_equal_ct((pay_str_t) { 0, NULL }, (pay_str_t) { 0, b }));
}


Test(pay_crypto, secret_refuses_empty_and_too_long)
{
    pay_secret_t   secret;
    unsigned char  bytes[PAY_SECRET_MAX + 1];

    memset(bytes, 'k', sizeof(bytes));
    cr_assert_eq(pay_secret_set(&secret, PAY_STR("old")), PAY_OK);

    cr_assert_eq(pay_secret_set(&secret, PAY_STR("")), PAY_INVALID);
    cr_assert_eq(pay_secret_set(&secret, (pay_str_t) { sizeof(bytes), bytes }),
                 PAY_INVALID);
    cr_assert(pay_str_is(pay_secret_str(&secret), "old"));

    cr_assert_eq(pay_secret_set(&secret, (pay_str_t) { PAY_SECRET_MAX,
                                                       bytes }), PAY_OK);
    cr_assert_eq(pay_secret_str(&secret).len, PAY_SECRET_MAX);
}


Test(pay_crypto, a_shorter_secret_leaves_nothing_of_the_longer_one)
{
    size_t         i;
    pay_secret_t   secret;

    cr_assert_eq(pay_secret_set(&secret, PAY_STR("a long secret of old")),
                 PAY_OK);
    cr_assert_eq(pay_secret_set(&secret, PAY_STR("new")), PAY_OK);

    for (i = 3; i < PAY_SECRET_MAX; i++) {
        cr_assert_eq(secret.data[i], 0);
    }
}


Test(pay_crypto, wipe_leaves_zeros)
{
    size_t         i;
    pay_secret_t   secret;

    cr_assert_eq(pay_secret_set(&secret, PAY_STR("secret")), PAY_OK);
    pay_secret_wipe(&secret);

    for (i = 0; i < sizeof(secret); i++) {
        cr_assert_eq(((unsigned char *) &secret)[i], 0);
    }
}

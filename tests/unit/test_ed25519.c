/*
 * Ed25519: the vectors of RFC 8032 section 7.1, keys as PEM text, and
 * signatures that are none.
 */

#include "torture.h"
#include "pay_ed25519.h"


typedef struct {
    const char  *seed;
    const char  *public_key;
    const char  *message;
    const char  *signature;
    const char  *id;           /* of the public key; not the RFC's */
} vector_t;


static const vector_t  vectors[] = {
    { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8"
      "821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
      "21fe31dfa154a261" },
    { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085a"
      "c1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
      "39f713d0a644253f" },
    { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff"
      "9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
      "dac073e0123bdea5" }
};

static const char  rfc_private[] =
    "-----BEGIN " "PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END " "PRIVATE KEY-----\n";

static const char  rfc_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n";


static void
unhex(const char *text, unsigned char *out)
{
    cr_assert_eq(pay_hex_decode(pay_str_of(text), out, strlen(text) / 2),
                 PAY_OK);
}


static void
key_of(const vector_t *vector, pay_secret_t *key)
{
    unsigned char  seed[PAY_ED25519_KEY];

    unhex(vector->seed, seed);
    cr_assert_eq(pay_secret_set(key, (pay_str_t) { sizeof(seed), seed }),
                 PAY_OK);
}


Test(pay_ed25519, signs_as_rfc_8032_does)
{
    size_t          i;
    pay_secret_t    key;
    unsigned char   message[2], signature[PAY_ED25519_SIGNATURE];
    unsigned char   expected[PAY_ED25519_SIGNATURE];
    pay_str_t       text;

    for (i = 0; i < 3; i++) {
        key_of(&vectors[i], &key);
        unhex(vectors[i].message, message);
        unhex(vectors[i].signature, expected);
        text = (pay_str_t) { strlen(vectors[i].message) / 2, message };

        cr_assert_eq(pay_ed25519_sign(&key, text, signature), PAY_OK);
        cr_expect_arr_eq(signature, expected, sizeof(expected));
    }
}


Test(pay_ed25519, public_keys_and_ids_belong_to_the_private_ones)
{
    char            id[PAY_ED25519_KEY_ID + 1];
    size_t          i;
    pay_secret_t    key;
    unsigned char   made[PAY_ED25519_KEY], expected[PAY_ED25519_KEY];

    for (i = 0; i < 3; i++) {
        key_of(&vectors[i], &key);
        unhex(vectors[i].public_key, expected);

        cr_assert_eq(pay_ed25519_public(&key, made), PAY_OK);
        cr_expect_arr_eq(made, expected, sizeof(expected));
        cr_assert_eq(pay_ed25519_key_id(made, id), PAY_OK);
        cr_expect_str_eq(id, vectors[i].id);
    }
}


Test(pay_ed25519, verifies_what_is_signed_and_nothing_else)
{
    size_t          i;
    pay_str_t       text = pay_string("\x72"), signature;
    unsigned char   key[PAY_ED25519_KEY], bytes[PAY_ED25519_SIGNATURE];

    unhex(vectors[1].public_key, key);
    unhex(vectors[1].signature, bytes);
    signature = (pay_str_t) { sizeof(bytes), bytes };

    cr_assert_eq(pay_ed25519_verify(key, text, signature), PAY_OK);
    cr_expect_eq(pay_ed25519_verify(key, PAY_STR("\x73"), signature),
                 PAY_INVALID);
    cr_expect_eq(pay_ed25519_verify(key, PAY_STR(""), signature), PAY_INVALID);
    cr_expect_eq(pay_ed25519_verify(key, PAY_STR("\x72\x72"), signature),
                 PAY_INVALID);

    for (i = 0; i < 8 * sizeof(bytes); i++) {
        bytes[i / 8] ^= (unsigned char) (1u << i % 8);
        cr_expect_eq(pay_ed25519_verify(key, text, signature), PAY_INVALID,
                     "bit %zu", i);
        bytes[i / 8] ^= (unsigned char) (1u << i % 8);
    }
}


Test(pay_ed25519, verifies_no_signature_of_another_length_or_key)
{
    pay_str_t       text = pay_string("\x72");
    unsigned char   key[PAY_ED25519_KEY], bytes[PAY_ED25519_SIGNATURE + 1];

    unhex(vectors[1].public_key, key);
    unhex(vectors[1].signature, bytes);
    bytes[PAY_ED25519_SIGNATURE] = 0;

    cr_expect_eq(pay_ed25519_verify(key, text, (pay_str_t) { 0, NULL }),
                 PAY_INVALID);
    cr_expect_eq(pay_ed25519_verify(key, text, (pay_str_t) { 63, bytes }),
                 PAY_INVALID);
    cr_expect_eq(pay_ed25519_verify(key, text, (pay_str_t) { 65, bytes }),
                 PAY_INVALID);

    unhex(vectors[2].public_key, key);
    cr_expect_eq(pay_ed25519_verify(key, text, (pay_str_t) { 64, bytes }),
                 PAY_INVALID);

    memset(key, 0, sizeof(key));
    cr_expect_eq(pay_ed25519_verify(key, text, (pay_str_t) { 64, bytes }),
                 PAY_INVALID);
}


Test(pay_ed25519, signing_twice_gives_the_same_bytes)
{
    pay_secret_t    key;
    unsigned char   one[PAY_ED25519_SIGNATURE], other[PAY_ED25519_SIGNATURE];

    key_of(&vectors[2], &key);
    cr_assert_eq(pay_ed25519_sign(&key, PAY_STR("seal"), one), PAY_OK);
    cr_assert_eq(pay_ed25519_sign(&key, PAY_STR("seal"), other), PAY_OK);
    cr_expect_arr_eq(one, other, sizeof(one));
}


Test(pay_ed25519, a_key_of_another_length_is_our_mistake)
{
    pay_secret_t    key = { 31, { 1 } };
    unsigned char   out[PAY_ED25519_SIGNATURE];

    cr_expect_eq(pay_ed25519_sign(&key, PAY_STR("x"), out), PAY_BUG);
    cr_expect_eq(pay_ed25519_public(&key, out), PAY_BUG);
    cr_expect_eq(pay_ed25519_write_private(PAY_STR("short"), &key), PAY_BUG);
}


Test(pay_ed25519, reads_and_writes_pem_as_openssl_does)
{
    pay_str_t       pem;
    pay_err_t       err;
    pay_secret_t    key, text;
    unsigned char   public_key[PAY_ED25519_KEY], expected[PAY_ED25519_KEY];

    cr_assert_eq(pay_ed25519_read_private(pay_str_of(rfc_private), &key, &err),
                 PAY_OK);
    unhex(vectors[0].seed, expected);
    cr_expect_eq(key.len, PAY_ED25519_KEY);
    cr_expect_arr_eq(key.data, expected, sizeof(expected));

    cr_assert_eq(pay_ed25519_write_private(pay_secret_str(&key), &text),
                 PAY_OK);
    cr_expect(pay_str_is(pay_secret_str(&text), rfc_private));

    cr_assert_eq(pay_ed25519_read_public(pay_str_of(rfc_public), public_key,
                                         &err), PAY_OK);
    unhex(vectors[0].public_key, expected);
    cr_expect_arr_eq(public_key, expected, sizeof(expected));

    cr_assert_eq(pay_ed25519_write_public(test_arena(), public_key,
                                          &pem), PAY_OK);
    cr_expect(pay_str_is(pem, rfc_public));
}


#define BEGIN_PRIVATE  "-----BEGIN " "PRIVATE KEY-----\n"
#define END_PRIVATE    "-----END " "PRIVATE KEY-----\n"
#define SEED           "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJp" \
                       "GXA7rAMcrn9g\n"

static const char *const  no_private_keys[] = {
    "",
    "x",
    BEGIN_PRIVATE,
    BEGIN_PRIVATE END_PRIVATE,
    /* cut, changed in its type (X25519), with a byte too many */
    BEGIN_PRIVATE "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLs\n" END_PRIVATE,
    BEGIN_PRIVATE "MC4CAQAwBQYDK2VuBCIEIDDrjdrI/SpY1tR+o7bQu/q0uACz6Gws1zsSHEm"
    "rXbFZ\n" END_PRIVATE,
    BEGIN_PRIVATE "!!!!\n" END_PRIVATE,
    /* something before, two of them, a header, a pass phrase */
    "key:\n" BEGIN_PRIVATE SEED END_PRIVATE,
    BEGIN_PRIVATE SEED END_PRIVATE BEGIN_PRIVATE SEED END_PRIVATE,
    BEGIN_PRIVATE "Proc-Type: 4,ENCRYPTED\n\n" SEED END_PRIVATE,
    "-----BEGIN ENCRYPTED " "PRIVATE KEY-----\n" SEED
    "-----END ENCRYPTED " "PRIVATE KEY-----\n",
    "-----BEGIN EC " "PRIVATE KEY-----\n" SEED "-----END EC "
    "PRIVATE KEY-----\n",
    rfc_public
};


Test(pay_ed25519, takes_nothing_else_for_a_private_key)
{
    size_t        i;
    pay_err_t     err;
    pay_secret_t  key;

    for (i = 0; i < sizeof(no_private_keys) / sizeof(no_private_keys[0]); i++) {
        memset(&err, 0, sizeof(err));
        key.len = 7;
        cr_expect_eq(pay_ed25519_read_private(pay_str_of(no_private_keys[i]),
                                              &key, &err),
                     PAY_INVALID, "%s", no_private_keys[i]);
        cr_expect_not_null(err.detail);
        cr_expect_eq(key.len, 7);
    }
}


Test(pay_ed25519, takes_nothing_else_for_a_public_key)
{
    size_t          i;
    pay_err_t       err;
    unsigned char   key[PAY_ED25519_KEY];

    static const char *const  texts[] = {
        "", "-----BEGIN PUBLIC KEY-----", rfc_private,
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n"
        "-----END PUBLIC KEY-----\n",
        /* X25519 */
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
        "-----END PUBLIC KEY-----\n"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        memset(&err, 0, sizeof(err));
        memset(key, 0xa5, sizeof(key));
        cr_expect_eq(pay_ed25519_read_public(pay_str_of(texts[i]), key, &err),
                     PAY_INVALID, "%s", texts[i]);
        cr_expect_not_null(err.detail);
        cr_expect_eq(key[0], 0xa5);
    }
}


static pay_status_t
write_public(pay_arena_t *arena, void *result)
{
    unsigned char  key[PAY_ED25519_KEY];

    unhex(vectors[0].public_key, key);

    return pay_ed25519_write_public(arena, key, result);
}


Test(pay_ed25519, survives_a_failing_arena)
{
    cr_expect_geq(torture(write_public, sizeof(pay_str_t)), 1);
}

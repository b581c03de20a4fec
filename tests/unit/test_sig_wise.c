/*
 * Wise's webhook scheme and the keys that it takes: which texts are keys, which
 * messages are believed.  tests/fixtures/webhooks/wise.json has more messages,
 * for test_conformance_sig.c.
 */

#include "cert_mint.h"
#include "torture.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "pay_rsa.h"
#include "pay_sig.h"


#define BODY                                                                  \
    "{\"data\":{\"resource\":{\"id\":111}},"                                  \
    "\"event_type\":\"transfers#state-change\"}"

enum { H_SIGNATURE, H_DELIVERY, H_TEST, H_COUNT };

static pay_heap_t          *heap;
static pay_arena_t         *arena;
static pay_header_t         headers[H_COUNT + 1];
static pay_sig_input_t      input;
static pay_sig_result_t     result;
static pay_sig_settings_t   settings;


static pay_str_t
pem_of(EVP_PKEY *key, int is_private)
{
    BIO        *bio = BIO_new(BIO_s_mem());
    char       *text;
    pay_str_t   pem, copy;

    cr_assert_eq(is_private
                 ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
                                            NULL)
                 : PEM_write_bio_PUBKEY(bio, key), 1);
    pem.len = (size_t) BIO_get_mem_data(bio, &text);
    pem.data = (unsigned char *) text;
    cr_assert_eq(pay_dup(arena, pem, &copy), PAY_OK);
    BIO_free(bio);

    return copy;
}


static pay_str_t
made_pem(EVP_PKEY *key)
{
    pay_str_t  pem = pem_of(key, 0);

    EVP_PKEY_free(key);

    return pem;
}


static pay_str_t
signature(EVP_PKEY *key, pay_str_t body)
{
    pay_str_t  text;

    cr_assert_eq(pay_base64_encode(arena,
                                   cert_sign(arena, key, EVP_sha256(), body),
                                   &text), PAY_OK);

    return text;
}


static void
setup(void)
{
    heap = pay_heap_create();
    cr_assert_not_null(heap);
    arena = pay_heap_arena(heap);

    memset(&settings, 0, sizeof(settings));
    settings.rsa_pem = pem_of(cert_leaf_key(), 0);

    headers[H_SIGNATURE].name = PAY_STR("x-signature-sha256");
    headers[H_SIGNATURE].value = signature(cert_leaf_key(), PAY_STR(BODY));
    headers[H_DELIVERY].name = PAY_STR("X-Delivery-Id");
    headers[H_DELIVERY].value = PAY_STR("5d8a0a5e");
    headers[H_TEST].name = PAY_STR("X-Test-Notification");
    headers[H_TEST].value = PAY_STR("true");

    input.headers = headers;
    input.header_count = H_TEST;
    input.body = PAY_STR(BODY);
    input.settings = &settings;
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_sig_wise, .init = setup, .fini = teardown);


#define expect_verdict(expected, what)                                        \
    do {                                                                      \
        memset(&result, 0xa5, sizeof(result));                                \
        cr_expect_eq(pay_sig_find(PAY_STR("wise"))->verify(arena, &input,     \
                                                           &result),          \
                     expected, "%s: %s", what,                                \
                     pay_sig_verdict_name(result.verdict));                   \
        cr_expect_eq(result.event_id.len, 0, "%s: an unsigned id", what);     \
    } while (0)


Test(pay_sig_wise, a_message_of_the_configured_key_is_valid)
{
    expect_verdict(PAY_SIG_VALID, "good");
    cr_expect_not(result.is_test);

    settings.rsa_pem = pem_of(cert_root_key(), 0);
    expect_verdict(PAY_SIG_MISMATCH, "another key");

    settings.rsa_pem = cert_join(arena, settings.rsa_pem,
                                 pem_of(cert_leaf_key(), 0));
    expect_verdict(PAY_SIG_VALID, "the second of two");
}


Test(pay_sig_wise, headers_that_are_wrong_are_named_so)
{
    pay_str_t  good = headers[H_SIGNATURE].value;

    input.header_count = 0;
    expect_verdict(PAY_SIG_HEADER_MISSING, "none");
    input.header_count = H_TEST;

    headers[H_DELIVERY].name = PAY_STR("X-Signature-Sha256");
    headers[H_DELIVERY].value = good;
    expect_verdict(PAY_SIG_HEADER_INVALID, "twice");
    headers[H_DELIVERY].name = PAY_STR("X-Delivery-Id");

    headers[H_SIGNATURE].value = PAY_STR("");
    expect_verdict(PAY_SIG_HEADER_INVALID, "empty");
    headers[H_SIGNATURE].value = PAY_STR("no base64");
    expect_verdict(PAY_SIG_HEADER_INVALID, "no base64");
    headers[H_SIGNATURE].value.len = 1401;
    headers[H_SIGNATURE].value.data = pay_calloc(arena, 1401);
    expect_verdict(PAY_SIG_HEADER_INVALID, "longer than any");
    headers[H_SIGNATURE].value = (pay_str_t) { good.len - 4, good.data };
    expect_verdict(PAY_SIG_MISMATCH, "truncated");
}


Test(pay_sig_wise, without_a_key_nothing_is_valid)
{
    settings.rsa_pem = PAY_STR("");
    expect_verdict(PAY_SIG_ERROR, "no key");
}


/* The header is not signed: alone it makes nothing valid, and a message that
 * has it is about nothing. */
Test(pay_sig_wise, a_test_notification_is_one_when_it_is_signed)
{
    input.header_count = H_COUNT;
    expect_verdict(PAY_SIG_VALID, "a test");
    cr_expect(result.is_test);

    headers[H_TEST].value = PAY_STR("false");
    expect_verdict(PAY_SIG_VALID, "none");
    cr_expect_not(result.is_test);

    headers[H_TEST].value = PAY_STR("true");
    headers[H_COUNT] = headers[H_TEST];
    input.header_count = H_COUNT + 1;
    expect_verdict(PAY_SIG_VALID, "twice");
    cr_expect(result.is_test, "of two opinions the careful one");

    input.body = PAY_STR("{}");
    expect_verdict(PAY_SIG_MISMATCH, "a forged test");
    cr_expect_not(result.is_test);
}


Test(pay_sig_wise, texts_that_are_no_keys_are_refused)
{
    size_t     i;
    pay_err_t  err;
    pay_str_t  good = pem_of(cert_leaf_key(), 0);
    pay_str_t  five = cert_join(arena, good, pem_of(cert_root_key(), 0));

    for (i = 2; i <= PAY_RSA_KEYS_MAX; i++) {
        five = cert_join(arena, five, made_pem(EVP_RSA_gen(2048)));
    }

    const pay_str_t  texts[] = {
        pay_string(""), pay_string("whsec_0123456789abcdef"),
        pay_string("-----BEGIN PUBLIC KEY-----\nAA==\n"
                   "-----END PUBLIC KEY-----\n"),
        { good.len - 40, good.data }, made_pem(EVP_RSA_gen(1024)),
        made_pem(EVP_EC_gen("P-256")), pem_of(cert_leaf_key(), 1),
        cert_pem_of(arena, cert_root()), cert_join(arena, good, good),
        cert_join(arena, good, made_pem(EVP_RSA_gen(1024))),
        cert_join(arena, good, (pay_str_t) { good.len - 40, good.data }),
        five, { PAY_RSA_PEM_MAX + 1, pay_calloc(arena, PAY_RSA_PEM_MAX + 1) }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        err.detail = "";
        cr_expect_eq(pay_rsa_check(texts[i], &err), PAY_INVALID, "%zu", i);
        cr_expect(strstr(err.detail, "BEGIN PUBLIC KEY") != NULL, "%zu: %s",
                  i, err.detail);
    }

    cr_expect_eq(pay_rsa_check(good, &err), PAY_OK);
    cr_expect_eq(pay_rsa_check(cert_join(arena, good,
                                         pem_of(cert_root_key(), 0)), &err),
                 PAY_OK);
}

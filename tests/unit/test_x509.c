/*
 * Certificates of strangers: chains, dates, names, keys, and what is signed
 * with them.
 */

#include "cert_mint.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "pay_x509.h"


#define TEXT  "id|2026-11-24T06:00:37Z|WEBHOOK|4229242059"

static pay_heap_t   *heap;
static pay_arena_t  *arena;
static pay_str_t     trusted;


static void
setup(void)
{
    heap = pay_heap_create();
    cr_assert_not_null(heap);
    arena = pay_heap_arena(heap);
    trusted = cert_pem_of(arena, cert_root());
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_x509, .init = setup, .fini = teardown);


static pay_status_t
opened(pay_str_t pem, pay_str_t ca, int64_t now_s)
{
    pay_x509_t    *leaf = (pay_x509_t *) &heap;
    pay_status_t   status;

    status = pay_x509_open(pem, ca, now_s, &leaf);

    if (status == PAY_OK) {
        pay_x509_close(leaf);

    } else {
        cr_expect_eq((void *) leaf, (void *) &heap, "written by a refusal");
    }

    return status;
}


static pay_x509_t *
leaf_of(const cert_mint_t *mint)
{
    pay_x509_t  *leaf;

    cr_assert_eq(pay_x509_open(cert_pem(arena, mint), trusted, CERT_NOW,
                               &leaf), PAY_OK);

    return leaf;
}


Test(pay_x509, a_leaf_of_the_pinned_root_is_believed)
{
    cert_mint_t  mint = cert_leaf(CERT_NAME);

    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW), PAY_OK);
    mint.usage = "serverAuth,clientAuth";
    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW), PAY_OK);
}


Test(pay_x509, dates_are_those_of_the_given_time)
{
    pay_str_t    pem;
    cert_mint_t  mint = cert_leaf(CERT_NAME);

    mint.from_s = CERT_NOW - 100;
    mint.until_s = CERT_NOW + 100;
    pem = cert_pem(arena, &mint);

    cr_expect_eq(opened(pem, trusted, CERT_NOW - 100), PAY_OK);
    cr_expect_eq(opened(pem, trusted, CERT_NOW + 99), PAY_OK);
    cr_expect_eq(opened(pem, trusted, CERT_NOW - 101), PAY_INVALID);
    cr_expect_eq(opened(pem, trusted, CERT_NOW + 101), PAY_INVALID);
    cr_expect_eq(opened(pem, trusted, 0), PAY_INVALID);
    cr_expect_eq(opened(pem, trusted, -1), PAY_INVALID);
    cr_expect_eq(opened(pem, trusted, INT64_MAX / 2), PAY_INVALID);
}


/* The root's own dates count as well. */
Test(pay_x509, an_expired_root_vouches_for_nothing)
{
    cert_mint_t  mint = cert_leaf(CERT_NAME);

    mint.from_s = CERT_NOW;
    mint.until_s = CERT_NOW + 1000 * CERT_DAY;
    cr_expect_eq(opened(cert_pem(arena, &mint), trusted,
                        CERT_NOW + 200 * CERT_DAY), PAY_INVALID);
}


Test(pay_x509, a_stranger_of_the_same_name_is_not_the_root)
{
    X509         *other;
    EVP_PKEY     *key = EVP_RSA_gen(2048);
    cert_mint_t   root = { .subject = PAY_STR("Root of the tests"),
                           .key = key, .ca = 1 };
    cert_mint_t   mint = cert_leaf(CERT_NAME);
    pay_str_t     chain;

    other = cert_make(&root);
    mint.issuer = other;
    mint.issuer_key = key;
    chain = cert_join(arena, cert_pem(arena, &mint),
                      cert_pem_of(arena, other));

    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW),
                 PAY_INVALID);
    cr_expect_eq(opened(chain, trusted, CERT_NOW), PAY_INVALID,
                 "what the stranger sends along is no anchor");
    cr_expect_eq(opened(chain, cert_pem_of(arena, other), CERT_NOW), PAY_OK);

    X509_free(other);
    EVP_PKEY_free(key);
}


Test(pay_x509, a_self_signed_leaf_is_not_believed)
{
    cert_mint_t  mint = cert_leaf(CERT_NAME);

    mint.issuer = NULL;
    mint.issuer_key = NULL;
    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW),
                 PAY_INVALID);
    mint.ca = 1;
    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW),
                 PAY_INVALID);
}


Test(pay_x509, a_chain_by_way_of_an_intermediate)
{
    X509         *middle;
    pay_str_t     leaf, middle_pem;
    cert_mint_t   mint = cert_leaf("Intermediate");

    mint.key = cert_leaf_key();
    mint.ca = 1;
    middle = cert_make(&mint);
    middle_pem = cert_pem_of(arena, middle);

    mint = cert_leaf(CERT_NAME);
    mint.issuer = middle;
    mint.issuer_key = cert_leaf_key();
    leaf = cert_pem(arena, &mint);

    cr_expect_eq(opened(leaf, trusted, CERT_NOW), PAY_INVALID);
    cr_expect_eq(opened(cert_join(arena, leaf, middle_pem), trusted,
                        CERT_NOW), PAY_OK);
    cr_expect_eq(opened(leaf, middle_pem, CERT_NOW), PAY_OK,
                 "an intermediate is pinned");
    cr_expect_eq(opened(cert_join(arena, middle_pem, leaf), trusted,
                        CERT_NOW), PAY_OK, "then it is the one judged");
    X509_free(middle);
}


/* Anyone with a certificate of the root would be a CA otherwise. */
Test(pay_x509, a_leaf_vouches_for_nobody)
{
    X509         *middle;
    pay_str_t     chain;
    cert_mint_t   mint = cert_leaf("www.shop.example");

    middle = cert_make(&mint);
    mint = cert_leaf(CERT_NAME);
    mint.issuer = middle;
    mint.issuer_key = cert_leaf_key();
    chain = cert_join(arena, cert_pem(arena, &mint),
                      cert_pem_of(arena, middle));

    cr_expect_eq(opened(chain, trusted, CERT_NOW), PAY_INVALID);
    X509_free(middle);
}


/* A mail certificate's name may be any text. */
Test(pay_x509, a_certificate_for_other_uses_is_not_believed)
{
    cert_mint_t  mint = cert_leaf(CERT_NAME);

    mint.usage = "emailProtection";
    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW),
                 PAY_INVALID);
    mint.usage = "codeSigning,clientAuth";
    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW),
                 PAY_INVALID);
}


Test(pay_x509, weak_keys_and_digests_are_refused)
{
    EVP_PKEY     *weak = EVP_RSA_gen(1024);
    cert_mint_t   mint = cert_leaf(CERT_NAME);

    mint.digest = EVP_sha1();
    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW),
                 PAY_INVALID);

    mint = cert_leaf(CERT_NAME);
    mint.key = weak;
    cr_expect_eq(opened(cert_pem(arena, &mint), trusted, CERT_NOW),
                 PAY_INVALID);
    EVP_PKEY_free(weak);
}


Test(pay_x509, each_flipped_byte_of_the_leaf_is_refused_or_harmless)
{
    int              len;
    size_t           i;
    X509            *cert;
    BIO             *bio;
    char            *data;
    pay_str_t        pem;
    cert_mint_t      mint = cert_leaf(CERT_NAME);
    unsigned char   *der = NULL;

    cert = cert_make(&mint);
    len = i2d_X509(cert, &der);
    cr_assert_gt(len, 0);

    for (i = 0; i < (size_t) len; i += 3) {
        der[i] ^= 1;
        bio = BIO_new(BIO_s_mem());
        cr_assert_eq(PEM_write_bio(bio, "CERTIFICATE", "", der, len) > 0, 1);
        pem.len = (size_t) BIO_get_mem_data(bio, &data);
        pem.data = (const unsigned char *) data;
        cr_expect_eq(opened(pem, trusted, CERT_NOW), PAY_INVALID, "byte %zu",
                     i);
        BIO_free(bio);
        der[i] ^= 1;
    }

    OPENSSL_free(der);
    X509_free(cert);
}


Test(pay_x509, texts_that_are_no_certificates)
{
    size_t       i;
    pay_str_t    pem, huge;
    cert_mint_t  mint = cert_leaf(CERT_NAME);

    static const pay_str_t  texts[] = {
        pay_string(""), pay_string("\0"), pay_string("{}"),
        pay_string("-----BEGIN CERTIFICATE-----"),
        pay_string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        pay_string("-----BEGIN CERTIFICATE-----\nAAAA\n"
                   "-----END CERTIFICATE-----\n"),
        pay_string("-----BEGIN CERTIFICATE-----\n!!!!\n"
                   "-----END CERTIFICATE-----\n"),
        pay_string("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                   "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"
                   "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n"),
        pay_string("-----BEGIN PRIVATE KEY-----\nAAAA\n"
                   "-----END PRIVATE KEY-----\n"),
        pay_string("<html><body>502 Bad Gateway</body></html>")
    };

    pem = cert_pem(arena, &mint);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_eq(opened(texts[i], trusted, CERT_NOW), PAY_INVALID, "%zu",
                     i);
        cr_expect_eq(opened(pem, texts[i], CERT_NOW), PAY_INVALID, "%zu", i);
        cr_expect_eq(pay_x509_ca_check(texts[i], NULL), PAY_INVALID, "%zu",
                     i);
    }

    huge.len = PAY_X509_CA_MAX + 1;
    huge.data = pay_calloc(arena, huge.len);
    cr_expect_eq(opened(huge, trusted, CERT_NOW), PAY_INVALID);
    cr_expect_eq(opened(pem, huge, CERT_NOW), PAY_INVALID);

    for (i = 0; i + 2 < pem.len; i += 7) {
        cr_expect_eq(opened((pay_str_t) { i, pem.data }, trusted, CERT_NOW),
                     PAY_INVALID, "cut at %zu", i);
    }
}


Test(pay_x509, more_certificates_than_allowed_are_refused)
{
    unsigned     i;
    pay_str_t    chain, cas, leaf;
    cert_mint_t  mint = cert_leaf(CERT_NAME);

    leaf = cert_pem(arena, &mint);
    chain = leaf;

    for (i = 1; i < PAY_X509_CHAIN_MAX; i++) {
        chain = cert_join(arena, chain, trusted);
    }

    cr_expect_eq(opened(chain, trusted, CERT_NOW), PAY_OK);
    cr_expect_eq(opened(cert_join(arena, chain, trusted), trusted, CERT_NOW),
                 PAY_INVALID);

    cas = trusted;

    for (i = 1; i < PAY_X509_TRUSTED_MAX; i *= 2) {
        cas = cert_join(arena, cas, cas);
    }

    cr_expect_eq(pay_x509_ca_check(cas, NULL), PAY_OK);
    cr_expect_eq(opened(leaf, cas, CERT_NOW), PAY_OK);
    cas = cert_join(arena, cas, trusted);
    cr_expect_eq(pay_x509_ca_check(cas, NULL), PAY_INVALID);
    cr_expect_eq(opened(leaf, cas, CERT_NOW), PAY_INVALID);
}


/* More texts than are kept, in turn: each is judged by its own. */
Test(pay_x509, what_is_kept_of_one_ca_file_is_not_used_for_another)
{
    unsigned      i, k;
    X509         *root;
    EVP_PKEY     *key = EVP_EC_gen("P-256");
    pay_str_t     cas[7], leaves[7];
    cert_mint_t   mint;

    for (i = 0; i < 7; i++) {
        mint = (cert_mint_t) { .subject = PAY_STR("Root of the tests"),
                               .key = key, .ca = 1 };
        EVP_PKEY_free(key);
        key = mint.key = EVP_EC_gen("P-256");
        root = cert_make(&mint);
        mint = cert_leaf(CERT_NAME);
        mint.issuer = root;
        mint.issuer_key = key;
        cas[i] = cert_pem_of(arena, root);
        leaves[i] = cert_pem(arena, &mint);
        X509_free(root);
    }

    EVP_PKEY_free(key);

    for (i = 0; i < 7 * 7 * 2; i++) {
        k = i % 7;
        cr_expect_eq(opened(leaves[k], cas[i / 7 % 7], CERT_NOW),
                     k == i / 7 % 7 ? PAY_OK : PAY_INVALID, "%u", i);
    }
}


/* Half a file of trusted certificates is a mistake worth a word. */
Test(pay_x509, a_ca_file_with_one_broken_certificate_is_refused)
{
    pay_err_t  err = { .slug = "" };

    cr_expect_eq(pay_x509_ca_check(cert_join(arena, trusted,
                     PAY_STR("-----BEGIN CERTIFICATE-----\nAAAA\n"
                             "-----END CERTIFICATE-----\n")), &err),
                 PAY_INVALID);
    cr_expect_str_eq(err.slug, "configuration");
    cr_expect_eq(pay_x509_ca_check(cert_join(arena,
                     PAY_STR("# PayPal's issuer\n"), trusted), NULL), PAY_OK);
}


Test(pay_x509, names_are_matched_at_both_ends)
{
    size_t        i;
    pay_x509_t   *leaf;
    cert_mint_t   mint;

    static const struct {
        pay_str_t  name;
        int        right;
    } rows[] = {
        { pay_string("messageverificationcerts.paypal.com"), 1 },
        { pay_string("messageverificationcerts.sandbox.paypal.com"), 1 },
        { pay_string("messageverificationcerts-2.paypal.com"), 1 },
        { pay_string("messageverificationcert.paypal.com"), 0 },
        { pay_string("www.paypal.com"), 0 },
        { pay_string("xmessageverificationcerts.paypal.com"), 0 },
        { pay_string("messageverificationcerts.paypal.com.evil.example"), 0 },
        { pay_string("messageverificationcerts.evilpaypal.com"), 0 },
        { pay_string("messageverificationcerts.paypal.com\0.evil.example"),
          0 },
        { pay_string("messageverificationcerts\0.paypal.com"), 0 },
        { pay_string("messageverificationcerts.evil.example/.paypal.com"),
          0 },
        { pay_string("messageverificationcerts *.paypal.com"), 0 },
        { pay_string("messageverificationcertspaypal.com"), 0 },
        { pay_string("messageverificationcerts.p\xc3\xa4ypal.com"), 0 },
        { pay_string("*.paypal.com"), 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mint = cert_leaf("");
        mint.subject = rows[i].name;
        leaf = leaf_of(&mint);
        cr_expect_eq(pay_x509_name_is(leaf, "messageverificationcerts",
                                      ".paypal.com"), rows[i].right, "%s",
                     (const char *) rows[i].name.data);
        pay_x509_close(leaf);
    }
}


/* A CA checks the alternative names; an intermediate that may vouch for one
 * customer's hosts alone is held to those only. */
Test(pay_x509, a_common_name_that_is_no_alternative_name_is_none)
{
    size_t        i;
    pay_x509_t   *leaf;
    cert_mint_t   mint;

    static const struct {
        const char  *names;
        int          right;
    } rows[] = {
        { "DNS:" CERT_NAME, 1 },
        { "DNS:www.paypal.com,DNS:" CERT_NAME, 1 },
        { "email:pki@evil.example", 1 },       /* names no host */
        { "DNS:www.evil.example", 0 },
        { "DNS:www.paypal.com", 0 },
        { "DNS:x." CERT_NAME, 0 },
        { "DNS:" CERT_NAME ".evil.example", 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mint = cert_leaf(CERT_NAME);
        mint.names = rows[i].names;
        leaf = leaf_of(&mint);
        cr_expect_eq(pay_x509_name_is(leaf, "messageverificationcerts",
                                      ".paypal.com"), rows[i].right, "%s",
                     rows[i].names);
        pay_x509_close(leaf);
    }
}


Test(pay_x509, two_names_or_none_are_no_name)
{
    pay_x509_t   *leaf;
    cert_mint_t   mint = cert_leaf("www.evil.example");

    mint.second = PAY_STR("messageverificationcerts.paypal.com");
    leaf = leaf_of(&mint);
    cr_expect_not(pay_x509_name_is(leaf, "messageverificationcerts",
                                   ".paypal.com"));
    cr_expect_not(pay_x509_name_is(leaf, "", ""));
    pay_x509_close(leaf);

    mint = cert_leaf(NULL);
    leaf = leaf_of(&mint);
    cr_expect_not(pay_x509_name_is(leaf, "", ""));
    pay_x509_close(leaf);
}


Test(pay_x509, prefix_and_suffix_do_not_share_bytes)
{
    pay_x509_t   *leaf;
    cert_mint_t   mint = cert_leaf("abcba");

    leaf = leaf_of(&mint);
    cr_expect(pay_x509_name_is(leaf, "abc", "ba"));
    cr_expect_not(pay_x509_name_is(leaf, "abc", "cba"));
    pay_x509_close(leaf);
}


Test(pay_x509, a_signature_fits_its_text_and_key_alone)
{
    size_t           i;
    pay_str_t        right, empty = pay_string("");
    pay_x509_t      *leaf;
    cert_mint_t      mint = cert_leaf(CERT_NAME);
    unsigned char   *bytes;

    leaf = leaf_of(&mint);
    right = cert_sign(arena, cert_leaf_key(), EVP_sha256(), PAY_STR(TEXT));
    cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT), right), PAY_OK);

    cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT "\n"), right),
                 PAY_INVALID);
    cr_expect_eq(pay_x509_rsa_verify(leaf, empty, right), PAY_INVALID);
    cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT), empty),
                 PAY_INVALID);
    cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT),
                     cert_sign(arena, cert_leaf_key(), EVP_sha1(),
                               PAY_STR(TEXT))), PAY_INVALID, "SHA-1");
    cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT),
                     cert_sign(arena, cert_root_key(), EVP_sha256(),
                               PAY_STR(TEXT))), PAY_INVALID, "another key");

    bytes = pay_calloc(arena, right.len + 1);
    memcpy(bytes, right.data, right.len);

    for (i = 0; i < right.len; i++) {
        bytes[i] ^= 1;
        cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT),
                                         (pay_str_t) { right.len, bytes }),
                     PAY_INVALID, "%zu", i);
        bytes[i] ^= 1;
        cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT),
                                         (pay_str_t) { i, bytes }),
                     PAY_INVALID, "%zu", i);
    }

    cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT),
                                     (pay_str_t) { right.len + 1, bytes }),
                 PAY_INVALID);
    pay_x509_close(leaf);
}


Test(pay_x509, other_padding_and_other_keys_are_no_rsa_signature)
{
    size_t           len = 512;
    EVP_PKEY        *ec = EVP_EC_gen("P-256");
    pay_x509_t      *leaf;
    EVP_MD_CTX      *md = EVP_MD_CTX_new();
    cert_mint_t      mint = cert_leaf(CERT_NAME);
    EVP_PKEY_CTX    *ctx;
    unsigned char    pss[512];

    leaf = leaf_of(&mint);
    cr_assert(EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL,
                                 cert_leaf_key()) == 1
              && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
              && EVP_DigestSign(md, pss, &len,
                                (const unsigned char *) TEXT,
                                sizeof(TEXT) - 1) == 1);
    cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT),
                                     (pay_str_t) { len, pss }), PAY_INVALID);
    EVP_MD_CTX_free(md);
    pay_x509_close(leaf);

    mint.key = ec;
    leaf = leaf_of(&mint);
    cr_expect_eq(pay_x509_rsa_verify(leaf, PAY_STR(TEXT),
                     cert_sign(arena, ec, EVP_sha256(), PAY_STR(TEXT))),
                 PAY_INVALID, "a good ECDSA signature");
    pay_x509_close(leaf);
    EVP_PKEY_free(ec);
}

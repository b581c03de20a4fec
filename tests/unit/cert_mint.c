/*
 * Certificates for the tests; see cert_mint.h.
 */

#include "cert_mint.h"

#include <criterion/criterion.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>


static void release(void);
static void extend(X509 *cert, X509 *issuer, int nid, const char *value);
static void name_add(X509_NAME *name, pay_str_t text);


static EVP_PKEY  *root_key;
static EVP_PKEY  *leaf_key;
static X509      *root;


EVP_PKEY *
cert_root_key(void)
{
    if (root_key == NULL) {
        root_key = EVP_RSA_gen(2048);
        cr_assert_not_null(root_key);
        atexit(release);
    }

    return root_key;
}


EVP_PKEY *
cert_leaf_key(void)
{
    if (leaf_key == NULL) {
        (void) cert_root_key();
        leaf_key = EVP_RSA_gen(2048);
        cr_assert_not_null(leaf_key);
    }

    return leaf_key;
}


X509 *
cert_root(void)
{
    cert_mint_t  mint;

    if (root == NULL) {
        memset(&mint, 0, sizeof(mint));
        mint.subject = PAY_STR("Root of the tests");
        mint.key = cert_root_key();
        mint.ca = 1;
        root = cert_make(&mint);
    }

    return root;
}


cert_mint_t
cert_leaf(const char *subject)
{
    cert_mint_t  mint;

    memset(&mint, 0, sizeof(mint));
    mint.subject = pay_str_of(subject);
    mint.key = cert_leaf_key();
    mint.issuer = cert_root();
    mint.issuer_key = cert_root_key();

    return mint;
}


X509 *
cert_make(const cert_mint_t *mint)
{
    X509         *cert, *issuer;
    int64_t       from_s, until_s;
    const EVP_MD *digest;

    static long  serial = 1;

    cert = X509_new();
    cr_assert_not_null(cert);
    issuer = mint->issuer ? mint->issuer : cert;
    from_s = mint->until_s ? mint->from_s : CERT_NOW - 180 * CERT_DAY;
    until_s = mint->until_s ? mint->until_s : CERT_NOW + 180 * CERT_DAY;
    digest = mint->digest ? mint->digest : EVP_sha256();

    cr_assert(X509_set_version(cert, X509_VERSION_3) == 1
              && ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++) == 1
              && ASN1_TIME_set(X509_getm_notBefore(cert), (time_t) from_s)
              && ASN1_TIME_set(X509_getm_notAfter(cert), (time_t) until_s)
              && X509_set_pubkey(cert, mint->key) == 1);

    if (mint->subject.data != NULL) {
        name_add(X509_get_subject_name(cert), mint->subject);
    }

    if (mint->second.data != NULL) {
        name_add(X509_get_subject_name(cert), mint->second);
    }

    cr_assert_eq(X509_set_issuer_name(cert, X509_get_subject_name(issuer)), 1);
    extend(cert, issuer, NID_basic_constraints,
           mint->ca ? "critical,CA:TRUE" : "CA:FALSE");

    if (mint->usage != NULL) {
        extend(cert, issuer, NID_ext_key_usage, mint->usage);
    }

    if (mint->names != NULL) {
        extend(cert, issuer, NID_subject_alt_name, mint->names);
    }

    cr_assert_gt(X509_sign(cert, mint->issuer_key ? mint->issuer_key
                                                  : mint->key, digest), 0);

    return cert;
}


pay_str_t
cert_pem(pay_arena_t *arena, const cert_mint_t *mint)
{
    X509       *cert = cert_make(mint);
    pay_str_t   pem = cert_pem_of(arena, cert);

    X509_free(cert);

    return pem;
}


pay_str_t
cert_pem_of(pay_arena_t *arena, X509 *cert)
{
    BIO        *bio = BIO_new(BIO_s_mem());
    char       *data;
    long        len;
    pay_str_t   pem;

    cr_assert(bio != NULL && PEM_write_bio_X509(bio, cert) == 1);
    len = BIO_get_mem_data(bio, &data);
    cr_assert_eq(pay_dup(arena, (pay_str_t) { (size_t) len,
                                    (const unsigned char *) data }, &pem),
                 PAY_OK);
    BIO_free(bio);

    return pem;
}


pay_str_t
cert_join(pay_arena_t *arena, pay_str_t a, pay_str_t b)
{
    pay_str_t  joined;

    cr_assert_eq(pay_format(arena, &joined, 1 << 20, "%.*s%.*s", pay_fmt(a),
                            pay_fmt(b)), PAY_OK);

    return joined;
}


pay_str_t
cert_sign(pay_arena_t *arena, EVP_PKEY *key, const EVP_MD *digest,
    pay_str_t text)
{
    size_t          len = (size_t) EVP_PKEY_get_size(key);
    EVP_MD_CTX     *md = EVP_MD_CTX_new();
    unsigned char  *out = pay_alloc(arena, len);

    cr_assert(md != NULL && out != NULL
              && EVP_DigestSignInit(md, NULL, digest, NULL, key) == 1
              && EVP_DigestSign(md, out, &len, text.data, text.len) == 1);
    EVP_MD_CTX_free(md);

    return (pay_str_t) { len, out };
}


static void
release(void)
{
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(leaf_key);
    X509_free(root);
}


static void
extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX       ctx;
    X509_EXTENSION  *extension;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    cr_assert(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}


static void
name_add(X509_NAME *name, pay_str_t text)
{
    cr_assert_eq(X509_NAME_add_entry_by_NID(name, NID_commonName,
                     V_ASN1_UTF8STRING, text.data, (int) text.len, -1, 0), 1);
}

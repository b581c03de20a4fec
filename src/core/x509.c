/*
 * The only file that judges certificates.  Everything but the trusted texts
 * comes from strangers; libcrypto parses it, bounded by size and number.
 * Called by the PayPal scheme and where the configuration is read.
 */

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "pay_crypto.h"
#include "pay_x509.h"
#include "core/rsa.h"


#define X509_DEPTH         5           /* intermediates between leaf and CA */
#define X509_AUTH_LEVEL    2           /* 112 bits: RSA 2048, no SHA-1 */
#define X509_KEPT          4           /* texts of trusted certificates */

typedef struct {
    X509_STORE     *store;             /* NULL: a free place */
    unsigned char   digest[PAY_SHA256_SIZE];
} x509_kept_t;


static pay_status_t x509_trusted(pay_str_t ca_pem, X509_STORE **store);
static pay_status_t x509_read(pay_str_t pem, size_t size, int max,
    STACK_OF(X509) **certs);
static pay_status_t x509_read_all(BIO *bio, int max, STACK_OF(X509) *certs);
static void x509_free(STACK_OF(X509) *certs);
static pay_status_t x509_store(STACK_OF(X509) *trusted, X509_STORE **store);
static pay_status_t x509_judge(X509_STORE *store, STACK_OF(X509) *chain,
    int64_t now_s);
static int x509_is_host(const pay_x509_t *leaf, const char *name,
    size_t len);
static int x509_is_host_byte(unsigned char c);


/* Reading a bundle takes longer than all the rest.  By digest: the text's
 * address says nothing after a reload.  No lock, as in crypto.c. */
static x509_kept_t  x509_kept[X509_KEPT];
static unsigned     x509_next;


/* Called when the configuration is read; the result is thrown away, because
 * each worker keeps parsed stores of its own. */
pay_status_t
pay_x509_ca_check(pay_str_t ca_pem, pay_err_t *err)
{
    pay_status_t     status;
    STACK_OF(X509)  *trusted;

    status = x509_read(ca_pem, PAY_X509_CA_MAX, PAY_X509_TRUSTED_MAX,
                       &trusted);

    if (status == PAY_OK) {
        x509_free(trusted);
    }

    return (status == PAY_INVALID)
           ? pay_refuse(err, "configuration",
                        "a CA file holds 1 to 512 certificates as PEM text")
           : status;
}


/* The whole judgement of a stranger's certificate; see x509_judge() for its
 * rules. */
pay_status_t
pay_x509_open(pay_str_t cert_pem, pay_str_t ca_pem, int64_t now_s,
    pay_x509_t **leaf)
{
    X509_STORE      *store;
    pay_status_t     status;
    STACK_OF(X509)  *chain;

    PAY_TRY(x509_read(cert_pem, PAY_X509_PEM_MAX, PAY_X509_CHAIN_MAX,
                      &chain));

    status = x509_trusted(ca_pem, &store);

    if (status == PAY_OK) {
        status = x509_judge(store, chain, now_s);
    }

    if (status == PAY_OK) {
        /* The leaf leaves the stack, which would free it. */
        *leaf = sk_X509_shift(chain);
    }

    x509_free(chain);
    ERR_clear_error();

    return status;
}


void
pay_x509_close(pay_x509_t *leaf)
{
    X509_free(leaf);
}


/* A CN of more than one meaning (a NUL inside, two of them, another
 * alphabet) is none.  CAs check alternative names, and constraints of what an
 * intermediate may name end there, so where such names are the CN is one. */
int
pay_x509_name_is(const pay_x509_t *leaf, const char *prefix,
    const char *suffix)
{
    int                   at, i, len;
    size_t                head, tail;
    X509_NAME            *subject;
    const ASN1_STRING    *name;
    const unsigned char  *text;

    subject = X509_get_subject_name(leaf);
    at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    /* Two common names: which of them a library checks is chance. */
    if (at < 0
        || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
    {
        return 0;
    }

    name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    text = ASN1_STRING_get0_data(name);
    len = ASN1_STRING_length(name);

    for (i = 0; i < len; i++) {
        if (!x509_is_host_byte(text[i])) {
            return 0;
        }
    }

    head = strlen(prefix);
    tail = strlen(suffix);

    return len >= 0 && (size_t) len >= head + tail
           && memcmp(text, prefix, head) == 0
           && memcmp(text + (size_t) len - tail, suffix, tail) == 0
           && x509_is_host(leaf, (const char *) text, (size_t) len);
}


pay_status_t
pay_x509_rsa_verify(pay_x509_t *leaf, pay_str_t text, pay_str_t signature)
{
    int          fits;
    EVP_PKEY    *key;
    EVP_MD_CTX  *md;

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return PAY_NO_MEMORY;
    }

    key = X509_get0_pubkey(leaf);      /* NULL: of an unknown kind */
    fits = key != NULL && pay_rsa_fits(key, md, text, signature);

    EVP_MD_CTX_free(md);
    ERR_clear_error();

    return fits ? PAY_OK : PAY_INVALID;
}


/* The parsed store for this text of trusted certificates.  *store stays the
 * cache's; it is dropped when X509_KEPT other texts have come, which takes as
 * many PayPal blocks with different CAs in one worker. */
static pay_status_t
x509_trusted(pay_str_t ca_pem, X509_STORE **store)
{
    unsigned         i;
    x509_kept_t     *place;
    X509_STORE      *made;
    pay_status_t     status;
    unsigned char    digest[PAY_SHA256_SIZE];
    STACK_OF(X509)  *trusted;

    PAY_TRY(pay_sha256(ca_pem, digest));

    for (i = 0; i < X509_KEPT; i++) {
        if (x509_kept[i].store != NULL
            && memcmp(x509_kept[i].digest, digest, sizeof(digest)) == 0)
        {
            *store = x509_kept[i].store;
            return PAY_OK;
        }
    }

    PAY_TRY(x509_read(ca_pem, PAY_X509_CA_MAX, PAY_X509_TRUSTED_MAX,
                      &trusted));
    status = x509_store(trusted, &made);
    x509_free(trusted);
    PAY_TRY(status);

    place = &x509_kept[x509_next++ % X509_KEPT];
    X509_STORE_free(place->store);
    place->store = made;
    memcpy(place->digest, digest, sizeof(digest));
    *store = made;

    return PAY_OK;
}


/* Text in, stack of certificates out; the caller frees it with x509_free(). */
static pay_status_t
x509_read(pay_str_t pem, size_t size, int max, STACK_OF(X509) **certs)
{
    BIO             *bio;
    pay_status_t     status;
    STACK_OF(X509)  *found;

    if (pem.len == 0 || pem.len > size) {
        return PAY_INVALID;
    }

    bio = BIO_new_mem_buf(pem.data, (int) pem.len);
    found = sk_X509_new_null();

    status = (bio == NULL || found == NULL) ? PAY_NO_MEMORY
                                            : x509_read_all(bio, max, found);
    BIO_free(bio);
    ERR_clear_error();

    if (status != PAY_OK) {
        x509_free(found);
        return status;
    }

    *certs = found;

    return PAY_OK;
}


/* One certificate that cannot be read condemns the text: half a file of
 * trusted certificates is not what the operator meant. */
static pay_status_t
x509_read_all(BIO *bio, int max, STACK_OF(X509) *certs)
{
    char            no_password[] = "";
    X509           *cert;
    unsigned long   trouble;

    for ( ;; ) {
        ERR_clear_error();
        cert = PEM_read_bio_X509(bio, NULL, NULL, no_password);

        if (cert == NULL) {
            break;
        }

        if (sk_X509_num(certs) == max || sk_X509_push(certs, cert) == 0) {
            X509_free(cert);
            return (sk_X509_num(certs) == max) ? PAY_INVALID : PAY_NO_MEMORY;
        }
    }

    /* The end of the text is an error of libcrypto, too: "no start line" is
     * the only one that is no damage. */
    trouble = ERR_peek_last_error();

    return (ERR_GET_LIB(trouble) == ERR_LIB_PEM
            && ERR_GET_REASON(trouble) == PEM_R_NO_START_LINE
            && sk_X509_num(certs) > 0)
           ? PAY_OK : PAY_INVALID;
}


static void
x509_free(STACK_OF(X509) *certs)
{
    sk_X509_pop_free(certs, X509_free);
}


/* The store takes references of its own, so that the stack may be freed. */
static pay_status_t
x509_store(STACK_OF(X509) *trusted, X509_STORE **store)
{
    int          i;
    X509_STORE  *made;

    made = X509_STORE_new();
    if (made == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < sk_X509_num(trusted); i++) {
        if (X509_STORE_add_cert(made, sk_X509_value(trusted, i)) != 1) {
            X509_STORE_free(made);
            return PAY_NO_MEMORY;
        }
    }

    *store = made;

    return PAY_OK;
}


/* A TLS server's certificate is issued with a check of the name; a certificate
 * for another purpose (for example mail) may have any text there.  So the
 * purpose must be that of TLS servers. */
static pay_status_t
x509_judge(X509_STORE *store, STACK_OF(X509) *chain, int64_t now_s)
{
    int                 right, why;
    X509_STORE_CTX     *ctx;
    X509_VERIFY_PARAM  *param;

    ctx = X509_STORE_CTX_new();

    if (ctx == NULL
        || X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain)
           != 1)
    {
        X509_STORE_CTX_free(ctx);
        return PAY_NO_MEMORY;
    }

    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t) now_s);
    X509_VERIFY_PARAM_set_depth(param, X509_DEPTH);
    X509_VERIFY_PARAM_set_auth_level(param, X509_AUTH_LEVEL);

    /* PARTIAL_CHAIN: an operator may pin an intermediate, which is not
     * self-signed. */
    right = X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1
            && X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER)
               == 1
            && X509_verify_cert(ctx) == 1;

    why = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);

    if (right) {
        return PAY_OK;
    }

    return (why == X509_V_ERR_OUT_OF_MEM) ? PAY_NO_MEMORY : PAY_INVALID;
}


/* Compares the common name with the alternative names, as a TLS client does;
 * libcrypto takes the certificate without const and only reads it. */
static int
x509_is_host(const pay_x509_t *leaf, const char *name, size_t len)
{
    return X509_check_host((X509 *) leaf, name, len, 0, NULL) == 1;
}


static int
x509_is_host_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/*
 * Mints certificates for the tests, good and bad ones, and signs with them.
 * Nothing here is shared with what it tests but libcrypto.
 */

#ifndef CERT_MINT_H
#define CERT_MINT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "pay_arena.h"


#define CERT_NOW   INT64_C(1795500041)
#define CERT_DAY   INT64_C(86400)
#define CERT_NAME  "messageverificationcerts.sandbox.paypal.com"

/* What a certificate says.  All zero but `subject` and `key`: a leaf of the
 * root, a year around CERT_NOW, SHA-256. */
typedef struct {
    pay_str_t      subject;            /* its common name */
    pay_str_t      second;             /* another common name, or none */
    EVP_PKEY      *key;
    X509          *issuer;             /* NULL: itself */
    EVP_PKEY      *issuer_key;         /* NULL: its own */
    int64_t        from_s, until_s;    /* both 0: the year */
    int            ca;
    const char    *usage;              /* extendedKeyUsage, or NULL */
    const char    *names;              /* subjectAltName, or NULL */
    const EVP_MD  *digest;             /* NULL: SHA-256 */
} cert_mint_t;


/* Made at the first call in a process. */
EVP_PKEY *cert_root_key(void);
EVP_PKEY *cert_leaf_key(void);
X509 *cert_root(void);

/* A leaf of that name and of the root, under cert_leaf_key(); *mint can be
 * changed before it is made. */
cert_mint_t cert_leaf(const char *subject);
/* The caller frees it. */
X509 *cert_make(const cert_mint_t *mint);
/* The same as PEM text in the arena, freed. */
pay_str_t cert_pem(pay_arena_t *arena, const cert_mint_t *mint);
pay_str_t cert_pem_of(pay_arena_t *arena, X509 *cert);
pay_str_t cert_join(pay_arena_t *arena, pay_str_t a, pay_str_t b);

/* RSASSA-PKCS1-v1_5 over the text. */
pay_str_t cert_sign(pay_arena_t *arena, EVP_PKEY *key, const EVP_MD *digest,
    pay_str_t text);


#endif /* CERT_MINT_H */

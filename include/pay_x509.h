/*
 * Certificates that a webhook names (PayPal's): the chain judged against CAs
 * that the operator pins, and the RSA signature made with the leaf.  Nothing
 * here fetches anything: no issuers, no revocation lists.
 */

#ifndef PAY_X509_H
#define PAY_X509_H

#include "pay_str.h"
#include "pay_status.h"


#define PAY_X509_PEM_MAX      65536    /* bytes that a stranger sends */
#define PAY_X509_CHAIN_MAX    8        /*   and certificates in them */
#define PAY_X509_CA_MAX       2097152  /* bytes that the operator trusts: a */
#define PAY_X509_TRUSTED_MAX  512      /*   system's whole bundle fits */

typedef struct x509_st  pay_x509_t;    /* libcrypto's X509 */


/* For a file of trusted certificates at start-up.  PAY_INVALID
 * "configuration" when it holds none, too many, or one that is broken. */
pay_status_t pay_x509_ca_check(pay_str_t ca_pem, pay_err_t *err)
    PAY_MUST_CHECK;

/* Verifies a certificate.  `cert_pem` is untrusted: the leaf first, then the
 * certificates of its chain, if any are needed.  PAY_OK when the chain ends at
 * any certificate of `ca_pem` (roots or intermediates), is within its dates at
 * now_s, is meant for TLS servers and uses keys and digests of 112 bits of
 * strength at least; *leaf then belongs to the caller.  Else PAY_INVALID, or
 * PAY_NO_MEMORY.  The parsed `ca_pem` is kept for the next call with the same
 * text. */
pay_status_t pay_x509_open(pay_str_t cert_pem, pay_str_t ca_pem,
    int64_t now_s, pay_x509_t **leaf) PAY_MUST_CHECK;
void pay_x509_close(pay_x509_t *leaf);         /* NULL is fine */

/* 1 when the subject has exactly one common name, which is a host name that
 * begins with `prefix` and ends with `suffix` (not overlapping), and, where
 * the certificate has alternative names of hosts, fits one of them. */
int pay_x509_name_is(const pay_x509_t *leaf, const char *prefix,
    const char *suffix);

/* RSASSA-PKCS1-v1_5 with SHA-256 over `text`; keys of 2048 to 8192 bits.
 * PAY_INVALID when it does not fit. */
pay_status_t pay_x509_rsa_verify(pay_x509_t *leaf, pay_str_t text,
    pay_str_t signature) PAY_MUST_CHECK;


#endif /* PAY_X509_H */

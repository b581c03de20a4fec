/*
 * RSA public keys that a sender of webhooks publishes as PEM text (Wise's), and
 * signatures made with their private halves.
 */

#ifndef PAY_RSA_H
#define PAY_RSA_H

#include "pay_status.h"
#include "pay_str.h"


#define PAY_RSA_KEYS_MAX  4            /* in one text: the old and the next */
#define PAY_RSA_PEM_MAX   16384        /* bytes of that text */

/* For a file of keys at start-up.  PAY_INVALID "configuration", with a detail,
 * for a text that holds anything but 1 to 4 different public keys ("BEGIN
 * PUBLIC KEY") of RSA with 2048 to 8192 bits. */
pay_status_t pay_rsa_check(pay_str_t pem, pay_err_t *err) PAY_MUST_CHECK;

/* RSASSA-PKCS1-v1_5 with SHA-256 over `text`, both untrusted: PAY_OK when the
 * signature fits any key of `pem`, which pay_rsa_check() has passed; else
 * PAY_INVALID, or PAY_NO_MEMORY. */
pay_status_t pay_rsa_verify(pay_str_t pem, pay_str_t text,
    pay_str_t signature) PAY_MUST_CHECK;


#endif /* PAY_RSA_H */

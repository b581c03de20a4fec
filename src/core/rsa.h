/*
 * The check of an RSA signature, for the files that hold public keys: rsa.c
 * and x509.c.
 */

#ifndef PAY_SRC_CORE_RSA_H
#define PAY_SRC_CORE_RSA_H

#include <openssl/evp.h>

#include "pay_str.h"


/* 1 for a key of RSA with 2048 to 8192 bits. */
int pay_rsa_key_is_good(EVP_PKEY *key);
/* 1 when RSASSA-PKCS1-v1_5 with SHA-256 over `text` fits such a key. */
int pay_rsa_fits(EVP_PKEY *key, EVP_MD_CTX *md, pay_str_t text,
    pay_str_t signature);


#endif /* PAY_SRC_CORE_RSA_H */

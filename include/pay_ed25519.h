/*
 * Ed25519 signatures (RFC 8032) over libcrypto, for the seals of the event
 * log.  Keys are raw here, 32 bytes each; in files they are PEM text (RFC
 * 8410), as openssl genpkey -algorithm ed25519 writes them.
 */

#ifndef PAY_ED25519_H
#define PAY_ED25519_H

#include "pay_crypto.h"


#define PAY_ED25519_KEY        32      /* bytes, private and public alike */
#define PAY_ED25519_SIGNATURE  64
#define PAY_ED25519_KEY_ID     16      /* characters */
#define PAY_ED25519_PEM_MAX    1024


/* Reads the PEM text of a private key, without a pass phrase, into its 32
 * bytes.  Anything else is PAY_INVALID with err->detail for the author of the
 * configuration. */
pay_status_t pay_ed25519_read_private(pay_str_t pem, pay_secret_t *key,
    pay_err_t *err) PAY_MUST_CHECK;

/* The same for a public key. */
pay_status_t pay_ed25519_read_public(pay_str_t pem,
    unsigned char key[PAY_ED25519_KEY], pay_err_t *err) PAY_MUST_CHECK;

/* 32 random bytes, or those of a private key, as PEM text. */
pay_status_t pay_ed25519_write_private(pay_str_t key, pay_secret_t *pem)
    PAY_MUST_CHECK;
pay_status_t pay_ed25519_write_public(pay_arena_t *arena,
    const unsigned char key[PAY_ED25519_KEY], pay_str_t *pem) PAY_MUST_CHECK;

/* The public half of a private key; PAY_BUG when that has not 32 bytes. */
pay_status_t pay_ed25519_public(const pay_secret_t *key,
    unsigned char public_key[PAY_ED25519_KEY]) PAY_MUST_CHECK;

/* The first 16 hex digits of the SHA-256 of a public key's bytes. */
pay_status_t pay_ed25519_key_id(const unsigned char key[PAY_ED25519_KEY],
    char id[PAY_ED25519_KEY_ID + 1]) PAY_MUST_CHECK;

/* Ed25519 of RFC 8032 over the message itself.  PAY_BUG when the key has not 32
 * bytes; PAY_NO_MEMORY: libcrypto failed. */
pay_status_t pay_ed25519_sign(const pay_secret_t *key, pay_str_t message,
    unsigned char signature[PAY_ED25519_SIGNATURE]) PAY_MUST_CHECK;

/* PAY_OK: the signature is that key's over these bytes; PAY_INVALID: it is
 * not, whatever the reason; PAY_NO_MEMORY: libcrypto failed. */
pay_status_t pay_ed25519_verify(const unsigned char key[PAY_ED25519_KEY],
    pay_str_t message, pay_str_t signature) PAY_MUST_CHECK;


#endif /* PAY_ED25519_H */

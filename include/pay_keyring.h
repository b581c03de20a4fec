/*
 * Keys under which bytes are sealed: AES-256-GCM, each key with a name (kid)
 * that is stored beside the bytes.  The first key of the ring writes, all of
 * them read, so that a new one is put in front and the old one stays until
 * nothing needs it.  No I/O: the caller brings the text of the file and the
 * nonces, and tells nobody else's keys from its own by the AAD.
 */

#ifndef PAY_KEYRING_H
#define PAY_KEYRING_H

#include "pay_crypto.h"


#define PAY_KEYRING_KEYS      16       /* in one file */
#define PAY_KEYRING_KID_MAX   63       /* bytes of a name */
#define PAY_KEYRING_KEY       32
#define PAY_KEYRING_NONCE     12
#define PAY_KEYRING_TAG       16       /* sealed bytes are longer by it */
#define PAY_KEYRING_TEXT_MAX  4096     /* bytes of the file */
#define PAY_SEAL_MAX          1048576  /* bytes sealed at once */
#define PAY_SEAL_AAD_MAX      1024

typedef struct {
    char           kid[PAY_KEYRING_KID_MAX + 1];
    unsigned char  bytes[PAY_KEYRING_KEY];
} pay_keyring_key_t;

/* Wiped by pay_keyring_wipe().  Never logged. */
typedef struct {
    unsigned           count;          /* 0: none was read */
    pay_keyring_key_t  keys[PAY_KEYRING_KEYS];
} pay_keyring_t;


/* The text has a line for each key: its name, a blank, the base64 of 32 random
 * bytes.  PAY_INVALID: *err names the line and how to mend it, and the ring is
 * empty.  The caller wipes the text. */
pay_status_t pay_keyring_read(pay_str_t text, pay_keyring_t *ring,
    pay_err_t *err) PAY_MUST_CHECK;
void pay_keyring_wipe(pay_keyring_t *ring);
/* The name of the key that writes; borrows from the ring. */
pay_str_t pay_keyring_kid(const pay_keyring_t *ring);

/* Seals bytes with the first key; `out` has room for PAY_KEYRING_TAG bytes
 * more.  A nonce is 96 random bits, never used twice: after 2^32 of them under
 * one key the next key is due (NIST SP 800-38D, 8.3).  The AAD is kept by
 * nobody: it names the place of the bytes, so that they cannot take that of
 * others.  PAY_BUG: an empty ring, or above a limit. */
pay_status_t pay_keyring_seal(const pay_keyring_t *ring,
    const unsigned char nonce[PAY_KEYRING_NONCE], pay_str_t aad,
    pay_str_t bytes, unsigned char *out) PAY_MUST_CHECK;
/* The other way round; `out` has room for PAY_KEYRING_TAG bytes less.
 * PAY_NOT_FOUND: the ring has no key of that name.  PAY_INVALID: key, nonce,
 * AAD or bytes are not those that were sealed; then `out` is wiped. */
pay_status_t pay_keyring_open(const pay_keyring_t *ring, pay_str_t kid,
    const unsigned char nonce[PAY_KEYRING_NONCE], pay_str_t aad,
    pay_str_t sealed, unsigned char *out) PAY_MUST_CHECK;


#endif /* PAY_KEYRING_H */

/*
 * AES-256-GCM over libcrypto, and the file of keys.  Each call has a context of
 * its own, which is wiped with it; nothing here draws a nonce or reads a file.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "pay_keyring.h"


#define KEYRING_ROOM  64               /* bytes: a key decoded, and its NUL */

/* Memory on the stack, for one key on its way out of base64. */
typedef struct {
    unsigned char  bytes[KEYRING_ROOM];
    int            is_used;
} keyring_room_t;


static pay_status_t keyring_line(pay_str_t line, pay_keyring_t *ring,
    unsigned number, pay_err_t *err);
static int keyring_is_kid(pay_str_t kid);
static const pay_keyring_key_t *keyring_find(const pay_keyring_t *ring,
    pay_str_t kid);
static int keyring_decode(pay_str_t text, unsigned char *key);
static void *keyring_alloc(void *owner, size_t size);
static pay_status_t keyring_say(pay_err_t *err, unsigned line,
    const char *what);
static int keyring_is_bounded(pay_str_t aad, size_t len);
static int keyring_run(EVP_CIPHER_CTX *context, int is_sealing,
    pay_str_t aad, pay_str_t bytes, unsigned char *out);


pay_status_t
pay_keyring_read(pay_str_t text, pay_keyring_t *ring, pay_err_t *err)
{
    size_t        end, from = 0;
    unsigned      number = 0;
    pay_str_t     line;
    pay_status_t  status = PAY_OK;

    memset(ring, 0, sizeof(*ring));

    while (status == PAY_OK && from < text.len) {
        for (end = from; end < text.len && text.data[end] != '\n'; end++) {
            /* void */
        }

        line = (pay_str_t) { end - from, text.data + from };
        from = end + 1;
        number++;

        while (line.len > 0 && line.data[line.len - 1] <= ' ') {
            line.len--;
        }

        if (line.len > 0) {
            status = keyring_line(line, ring, number, err);
        }
    }

    if (status == PAY_OK && ring->count == 0) {
        status = pay_refuse(err, "configuration", "no key is in it: put a "
                            "line KID BASE64 into it, with 32 random bytes");
    }

    if (status != PAY_OK) {
        pay_keyring_wipe(ring);
    }

    return status;
}


static pay_status_t
keyring_line(pay_str_t line, pay_keyring_t *ring, unsigned number,
    pay_err_t *err)
{
    size_t              n;
    pay_str_t           kid, key;
    pay_keyring_key_t  *one;

    for (n = 0; n < line.len && line.data[n] != ' '; n++) {
        /* void */
    }

    kid = (pay_str_t) { n, line.data };
    key = n < line.len ? (pay_str_t) { line.len - n - 1, line.data + n + 1 }
                       : PAY_STR("");

    if (!keyring_is_kid(kid)) {
        return keyring_say(err, number, "a key needs a name first, of at most "
                           "63 letters, digits, \".\", \"-\" and \"_\"");
    }

    if (keyring_find(ring, kid) != NULL) {
        return keyring_say(err, number, "this name of a key is there twice: "
                           "give each key a name of its own");
    }

    if (ring->count == PAY_KEYRING_KEYS) {
        return keyring_say(err, number, "at most 16 keys: remove the oldest "
                           "ones, which nothing needs any more");
    }

    one = &ring->keys[ring->count];

    if (!keyring_decode(key, one->bytes)) {
        return keyring_say(err, number, "behind the name there must be the "
                           "base64 of 32 random bytes: openssl rand -base64 "
                           "32 makes them");
    }

    memcpy(one->kid, kid.data, kid.len);
    one->kid[kid.len] = '\0';
    ring->count++;

    return PAY_OK;
}


static int
keyring_is_kid(pay_str_t kid)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < kid.len; i++) {
        c = kid.data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_')
        {
            return 0;
        }
    }

    return kid.len > 0 && kid.len <= PAY_KEYRING_KID_MAX;
}


static const pay_keyring_key_t *
keyring_find(const pay_keyring_t *ring, pay_str_t kid)
{
    unsigned  i;

    for (i = 0; i < ring->count; i++) {
        if (pay_str_is(kid, ring->keys[i].kid)) {
            return &ring->keys[i];
        }
    }

    return NULL;
}


/* 1: `text` is the canonical base64 of exactly one key. */
static int
keyring_decode(pay_str_t text, unsigned char *key)
{
    int             is_key;
    pay_str_t       bytes;
    keyring_room_t  room = { .is_used = 0 };
    pay_arena_t     arena = { keyring_alloc, &room };

    is_key = pay_base64_decode(&arena, text, &bytes) == PAY_OK
             && bytes.len == PAY_KEYRING_KEY;

    if (is_key) {
        memcpy(key, bytes.data, PAY_KEYRING_KEY);
    }

    OPENSSL_cleanse(&room, sizeof(room));

    return is_key;
}


static void *
keyring_alloc(void *owner, size_t size)
{
    keyring_room_t  *room = owner;

    if (room->is_used || size > sizeof(room->bytes)) {
        return NULL;
    }

    room->is_used = 1;

    return room->bytes;
}


static pay_status_t
keyring_say(pay_err_t *err, unsigned line, const char *what)
{
    pay_status_t  status = pay_refuse(err, "configuration", what);

    pay_err_say(err, "line %u: %s", line, what);

    return status;
}


void
pay_keyring_wipe(pay_keyring_t *ring)
{
    OPENSSL_cleanse(ring, sizeof(*ring));
}


pay_str_t
pay_keyring_kid(const pay_keyring_t *ring)
{
    return pay_str_of(ring->keys[0].kid);
}


pay_status_t
pay_keyring_seal(const pay_keyring_t *ring,
    const unsigned char nonce[PAY_KEYRING_NONCE], pay_str_t aad,
    pay_str_t bytes, unsigned char *out)
{
    int              is_done;
    EVP_CIPHER_CTX  *context;

    if (ring->count == 0 || !keyring_is_bounded(aad, bytes.len)) {
        return PAY_BUG;
    }

    context = EVP_CIPHER_CTX_new();
    is_done = context != NULL
              && EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL,
                                    ring->keys[0].bytes, nonce) == 1
              && keyring_run(context, 1, aad, bytes, out)
              && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG,
                                     PAY_KEYRING_TAG, out + bytes.len) == 1;

    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();

    return is_done ? PAY_OK : PAY_NO_MEMORY;
}


/* libcrypto hands the bytes out before it has seen the tag: those that do not
 * hold are wiped. */
pay_status_t
pay_keyring_open(const pay_keyring_t *ring, pay_str_t kid,
    const unsigned char nonce[PAY_KEYRING_NONCE], pay_str_t aad,
    pay_str_t sealed, unsigned char *out)
{
    int                       is_ready, is_done;
    pay_str_t                 bytes;
    unsigned char             tag[PAY_KEYRING_TAG];
    EVP_CIPHER_CTX           *context;
    const pay_keyring_key_t  *key = keyring_find(ring, kid);

    if (key == NULL) {
        return PAY_NOT_FOUND;
    }

    if (sealed.len < PAY_KEYRING_TAG
        || !keyring_is_bounded(aad, sealed.len - PAY_KEYRING_TAG))
    {
        return PAY_INVALID;
    }

    bytes = (pay_str_t) { sealed.len - PAY_KEYRING_TAG, sealed.data };
    memcpy(tag, sealed.data + bytes.len, sizeof(tag));

    context = EVP_CIPHER_CTX_new();
    is_ready = context != NULL
               && EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL,
                                     key->bytes, nonce) == 1
               && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG,
                                      PAY_KEYRING_TAG, tag) == 1;
    is_done = is_ready && keyring_run(context, 0, aad, bytes, out);

    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();

    if (!is_done) {
        OPENSSL_cleanse(out, bytes.len);
    }

    return is_done ? PAY_OK : is_ready ? PAY_INVALID : PAY_NO_MEMORY;
}


static int
keyring_is_bounded(pay_str_t aad, size_t len)
{
    return aad.len <= PAY_SEAL_AAD_MAX && len <= PAY_SEAL_MAX;
}


/* GCM is a stream: the end writes nothing, and compares the tag. */
static int
keyring_run(EVP_CIPHER_CTX *context, int is_sealing, pay_str_t aad,
    pay_str_t bytes, unsigned char *out)
{
    int            n;
    unsigned char  rest[EVP_MAX_BLOCK_LENGTH];

    int(*const    update)(EVP_CIPHER_CTX *, unsigned char *, int *,
                          const unsigned char *, int)
        = is_sealing ? EVP_EncryptUpdate : EVP_DecryptUpdate;
    int(*const    end)(EVP_CIPHER_CTX *, unsigned char *, int *)
        = is_sealing ? EVP_EncryptFinal_ex : EVP_DecryptFinal_ex;

    return (aad.len == 0
            || update(context, NULL, &n, aad.data, (int) aad.len) == 1)
           && (bytes.len == 0
               || update(context, out, &n, bytes.data, (int) bytes.len) == 1)
           && end(context, rest, &n) == 1;
}

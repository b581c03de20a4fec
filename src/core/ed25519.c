/*
 * Ed25519 over libcrypto: sign, verify, and keys as PEM text.  A key file
 * holds one block without headers (a header could ask for a pass phrase, on
 * the terminal); a private key never leaves a pay_secret_t.
 */

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "pay_ed25519.h"


#define ED25519_BEGIN    "-----BEGIN "
#define ED25519_PRIVATE  "-----BEGIN PRIVATE KEY-----"
#define ED25519_PUBLIC   "-----BEGIN PUBLIC KEY-----"


static int ed25519_is_one_block(pay_str_t pem, const char *begin);
static int ed25519_has(pay_str_t text, const char *word);
static EVP_PKEY *ed25519_read(pay_str_t pem, int is_private);
static pay_status_t ed25519_take(BIO *bio, pay_secret_t *pem);
static EVP_PKEY *ed25519_private(const pay_secret_t *key);


/* The most likely mistakes (the public file, a pass phrase, another kind of
 * key) have messages of their own.  The raw bytes on the stack are wiped on
 * the way out. */
pay_status_t
pay_ed25519_read_private(pay_str_t pem, pay_secret_t *key, pay_err_t *err)
{
    int             done;
    size_t          len = PAY_ED25519_KEY;
    EVP_PKEY       *pkey;
    unsigned char   raw[PAY_ED25519_KEY];

    if (ed25519_has(pem, ED25519_PUBLIC)) {
        return pay_refuse(err, "configuration", "this is a public key: seals "
                          "are signed with the private one");
    }

    if (!ed25519_is_one_block(pem, ED25519_PRIVATE)) {
        return pay_refuse(err, "configuration", "the file must hold one BEGIN "
                          "PRIVATE KEY block without a pass phrase and "
                          "nothing else: payctl audit keygen makes one");
    }

    /* PKCS #8 may hold any algorithm: it must be Ed25519, and its key 32
     * bytes. */
    pkey = ed25519_read(pem, 1);
    done = pkey != NULL && EVP_PKEY_is_a(pkey, "ED25519")
           && EVP_PKEY_get_raw_private_key(pkey, raw, &len) == 1
           && len == PAY_ED25519_KEY;

    EVP_PKEY_free(pkey);
    ERR_clear_error();

    if (done) {
        done = pay_secret_set(key, (pay_str_t) { len, raw }) == PAY_OK;
        OPENSSL_cleanse(raw, sizeof(raw));
    }

    return done ? PAY_OK
                : pay_refuse(err, "configuration", "this is no Ed25519 "
                             "private key: payctl audit keygen makes one");
}


/* A private key given by mistake is refused with that reason: it would
 * otherwise lie in an auditor's hands. */
pay_status_t
pay_ed25519_read_public(pay_str_t pem, unsigned char key[PAY_ED25519_KEY],
    pay_err_t *err)
{
    int             done;
    size_t          len = PAY_ED25519_KEY;
    EVP_PKEY       *pkey;
    unsigned char   raw[PAY_ED25519_KEY];

    if (ed25519_has(pem, "PRIVATE KEY")) {
        return pay_refuse(err, "configuration", "this is a private key: give "
                          "the public one, which payctl audit pubkey prints");
    }

    if (!ed25519_is_one_block(pem, ED25519_PUBLIC)) {
        return pay_refuse(err, "configuration", "the file must hold one BEGIN "
                          "PUBLIC KEY block and nothing else");
    }

    pkey = ed25519_read(pem, 0);
    done = pkey != NULL && EVP_PKEY_is_a(pkey, "ED25519")
           && EVP_PKEY_get_raw_public_key(pkey, raw, &len) == 1
           && len == PAY_ED25519_KEY;

    EVP_PKEY_free(pkey);
    ERR_clear_error();

    if (!done) {
        return pay_refuse(err, "configuration",
                          "this is no Ed25519 public key");
    }

    memcpy(key, raw, sizeof(raw));

    return PAY_OK;
}


/* The PEM text is made in libcrypto's secure heap, where there is one, and is
 * wiped when the BIO is freed. */
pay_status_t
pay_ed25519_write_private(pay_str_t key, pay_secret_t *pem)
{
    int            done;
    BIO           *bio;
    EVP_PKEY      *pkey;
    pay_status_t   status = PAY_NO_MEMORY;

    if (key.len != PAY_ED25519_KEY) {
        return PAY_BUG;
    }

    bio = BIO_new(BIO_s_secmem());
    pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, key.data,
                                           key.len);
    done = bio != NULL && pkey != NULL
           && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL,
                                            NULL) == 1;
    if (done) {
        status = ed25519_take(bio, pem);
    }

    EVP_PKEY_free(pkey);
    BIO_free(bio);
    ERR_clear_error();

    return status;
}


pay_status_t
pay_ed25519_write_public(pay_arena_t *arena,
    const unsigned char key[PAY_ED25519_KEY], pay_str_t *pem)
{
    int            done;
    BIO           *bio;
    EVP_PKEY      *pkey;
    pay_secret_t   text;
    pay_status_t   status = PAY_NO_MEMORY;

    bio = BIO_new(BIO_s_mem());
    pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, key,
                                          PAY_ED25519_KEY);
    done = bio != NULL && pkey != NULL && PEM_write_bio_PUBKEY(bio, pkey) == 1;

    if (done) {
        status = ed25519_take(bio, &text);
    }

    EVP_PKEY_free(pkey);
    BIO_free(bio);
    ERR_clear_error();

    PAY_TRY(status);

    return pay_dup(arena, pay_secret_str(&text), pem);
}


/* Needs no stored public half: an Ed25519 private key determines it (RFC 8032
 * section 5.1.5). */
pay_status_t
pay_ed25519_public(const pay_secret_t *key,
    unsigned char public_key[PAY_ED25519_KEY])
{
    int             done;
    size_t          len = PAY_ED25519_KEY;
    EVP_PKEY       *pkey;
    unsigned char   raw[PAY_ED25519_KEY];

    if (key->len != PAY_ED25519_KEY) {
        return PAY_BUG;
    }

    pkey = ed25519_private(key);
    done = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, raw, &len) == 1;

    EVP_PKEY_free(pkey);

    if (!done) {
        return PAY_NO_MEMORY;
    }

    memcpy(public_key, raw, sizeof(raw));

    return PAY_OK;
}


/* A short name for seals and for the operator's eyes; the key itself decides
 * whether a signature is right, so that 64 bits are enough. */
pay_status_t
pay_ed25519_key_id(const unsigned char key[PAY_ED25519_KEY],
    char id[PAY_ED25519_KEY_ID + 1])
{
    unsigned               i;
    unsigned char          digest[PAY_SHA256_SIZE];
    static const char      hex[] = "0123456789abcdef";

    PAY_TRY(pay_sha256((pay_str_t) { PAY_ED25519_KEY, key }, digest));

    for (i = 0; i < PAY_ED25519_KEY_ID; i++) {
        id[i] = hex[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    }

    id[PAY_ED25519_KEY_ID] = '\0';

    return PAY_OK;
}


/* Ed25519 needs no random bytes: one message under one key has one signature,
 * so that a seal that is signed twice stays the same. */
pay_status_t
pay_ed25519_sign(const pay_secret_t *key, pay_str_t message,
    unsigned char signature[PAY_ED25519_SIGNATURE])
{
    int             done;
    size_t          len = PAY_ED25519_SIGNATURE;
    EVP_PKEY       *pkey;
    EVP_MD_CTX     *ctx;
    unsigned char   out[PAY_ED25519_SIGNATURE];

    if (key->len != PAY_ED25519_KEY) {
        return PAY_BUG;
    }

    pkey = ed25519_private(key);
    ctx = EVP_MD_CTX_new();

    done = pkey != NULL && ctx != NULL
           && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1
           && EVP_DigestSign(ctx, out, &len, message.data, message.len) == 1
           && len == PAY_ED25519_SIGNATURE;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);

    if (!done) {
        ERR_clear_error();
        return PAY_NO_MEMORY;
    }

    memcpy(signature, out, sizeof(out));

    return PAY_OK;
}


/* right is -1 until libcrypto could judge: exhausted memory must not count as
 * a forged seal, nor as a good one. */
pay_status_t
pay_ed25519_verify(const unsigned char key[PAY_ED25519_KEY],
    pay_str_t message, pay_str_t signature)
{
    int          right = -1;
    EVP_PKEY    *pkey;
    EVP_MD_CTX  *ctx;

    if (signature.len != PAY_ED25519_SIGNATURE) {
        return PAY_INVALID;
    }

    pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, key,
                                          PAY_ED25519_KEY);
    ctx = EVP_MD_CTX_new();

    if (pkey != NULL && ctx != NULL
        && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1)
    {
        right = EVP_DigestVerify(ctx, signature.data, signature.len,
                                 message.data, message.len) == 1;
    }

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_clear_error();

    return right < 0 ? PAY_NO_MEMORY : right ? PAY_OK : PAY_INVALID;
}


/* The text begins with `begin`, has no other block and no header (a ":" stands
 * in headers alone), so that libcrypto has no choice what it reads. */
static int
ed25519_is_one_block(pay_str_t pem, const char *begin)
{
    size_t  len = strlen(begin);

    return pem.len > len && pem.len <= PAY_ED25519_PEM_MAX
           && memcmp(pem.data, begin, len) == 0
           && !ed25519_has((pay_str_t) { pem.len - len, pem.data + len },
                           ED25519_BEGIN)
           && !ed25519_has(pem, ":");
}


/* Texts of files alone, so that no constant time is needed. */
static int
ed25519_has(pay_str_t text, const char *word)
{
    size_t  i, len = strlen(word);

    for (i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, word, len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* NULL when the text is no key; the caller clears libcrypto's errors. */
static EVP_PKEY *
ed25519_read(pay_str_t pem, int is_private)
{
    BIO       *bio;
    char       no_password[] = "";
    EVP_PKEY  *pkey = NULL;

    bio = BIO_new_mem_buf(pem.data, (int) pem.len);

    if (bio != NULL) {
        pkey = is_private
               ? PEM_read_bio_PrivateKey(bio, NULL, NULL, no_password)
               : PEM_read_bio_PUBKEY(bio, NULL, NULL, no_password);
    }

    BIO_free(bio);

    return pkey;
}


/* Copies the PEM out of the BIO, which still owns its bytes. */
static pay_status_t
ed25519_take(BIO *bio, pay_secret_t *pem)
{
    long   len;
    char  *data;

    len = BIO_get_mem_data(bio, &data);

    return len > 0 && pay_secret_set(pem, (pay_str_t) {
                          (size_t) len, (unsigned char *) data }) == PAY_OK
           ? PAY_OK : PAY_NO_MEMORY;
}


static EVP_PKEY *
ed25519_private(const pay_secret_t *key)
{
    EVP_PKEY  *pkey;

    pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, key->data,
                                           key->len);
    if (pkey == NULL) {
        ERR_clear_error();
    }

    return pkey;
}

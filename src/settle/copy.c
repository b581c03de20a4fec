/*
 * Pieces of the encrypted copy of a settlement file.  The name in front keeps
 * them apart from all else that is sealed under the same ring.
 */

#include "pay_settle_copy.h"

#include <openssl/crypto.h>


#define COPY_NAME      "payments settlement copy 1\n"
#define COPY_NAME_LEN  (sizeof(COPY_NAME) - 1)
#define COPY_AAD       (COPY_NAME_LEN + PAY_SHA256_SIZE + 8 + 1)


static pay_str_t copy_aad(const unsigned char sha256[PAY_SHA256_SIZE],
    int64_t number, int is_last, unsigned char out[COPY_AAD]);


void
pay_settle_copy_begin(pay_settle_copy_t *copy, const pay_keyring_t *ring,
    const unsigned char sha256[PAY_SHA256_SIZE])
{
    copy->ring = ring;
    memcpy(copy->sha256, sha256, PAY_SHA256_SIZE);
    copy->number = 1;
    copy->used = 0;
}


size_t
pay_settle_copy_take(pay_settle_copy_t *copy, pay_str_t bytes)
{
    size_t  room = PAY_COPY_PIECE - copy->used;
    size_t  n = bytes.len < room ? bytes.len : room;

    if (n > 0) {
        memcpy(copy->piece + copy->used, bytes.data, n);
        copy->used += n;
    }

    return n;
}


pay_status_t
pay_settle_copy_seal(pay_settle_copy_t *copy,
    const unsigned char nonce[PAY_KEYRING_NONCE], int is_last,
    unsigned char *out, int64_t *number, size_t *len)
{
    pay_str_t      aad;
    unsigned char  text[COPY_AAD];

    aad = copy_aad(copy->sha256, copy->number, is_last, text);

    PAY_TRY(pay_keyring_seal(copy->ring, nonce, aad,
                             (pay_str_t) { copy->used, copy->piece }, out));

    *number = copy->number++;
    *len = copy->used + PAY_KEYRING_TAG;
    OPENSSL_cleanse(copy->piece, copy->used);
    copy->used = 0;

    return PAY_OK;
}


pay_status_t
pay_settle_copy_open(const pay_keyring_t *ring,
    const unsigned char sha256[PAY_SHA256_SIZE],
    const pay_settle_piece_t *piece, unsigned char *out, size_t *len)
{
    pay_str_t      aad;
    unsigned char  text[COPY_AAD];

    if (piece->bytes.len < PAY_KEYRING_TAG
        || piece->bytes.len > PAY_COPY_SEALED)
    {
        return PAY_INVALID;
    }

    aad = copy_aad(sha256, piece->number, piece->is_last, text);

    PAY_TRY(pay_keyring_open(ring, piece->kid, piece->nonce, aad,
                             piece->bytes, out));
    *len = piece->bytes.len - PAY_KEYRING_TAG;

    return PAY_OK;
}


static pay_str_t
copy_aad(const unsigned char sha256[PAY_SHA256_SIZE], int64_t number,
    int is_last, unsigned char out[COPY_AAD])
{
    unsigned        i;
    unsigned char  *p = out;

    memcpy(p, COPY_NAME, COPY_NAME_LEN);
    p += COPY_NAME_LEN;
    memcpy(p, sha256, PAY_SHA256_SIZE);
    p += PAY_SHA256_SIZE;

    for (i = 0; i < 8; i++) {
        *p++ = (unsigned char) ((uint64_t) number >> (56 - 8 * i));
    }

    *p = is_last != 0;

    return (pay_str_t) { COPY_AAD, out };
}

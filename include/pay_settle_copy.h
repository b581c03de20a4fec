/*
 * The encrypted copy of a settlement file: its bytes as they came, in pieces
 * of a fixed size, each sealed by itself under a key of a ring.  A piece is
 * sealed together with the digest of its file, its number, and whether it is
 * the last one: pieces that are changed, exchanged, left out or cut off at the
 * end are found.  No I/O; the memory is that of one piece.
 */

#ifndef PAY_SETTLE_COPY_H
#define PAY_SETTLE_COPY_H

#include "pay_keyring.h"


#define PAY_COPY_PIECE   65536         /* bytes of a file in one piece */
#define PAY_COPY_SEALED  (PAY_COPY_PIECE + PAY_KEYRING_TAG)

/* A copy that is being made. */
typedef struct {
    const pay_keyring_t  *ring;
    unsigned char         sha256[PAY_SHA256_SIZE];     /* of the file */
    int64_t               number;      /* of the next piece, from 1 */
    size_t                used;
    unsigned char         piece[PAY_COPY_PIECE];       /* plain */
} pay_settle_copy_t;

/* One piece of a copy that is read. */
typedef struct {
    pay_str_t      kid;
    unsigned char  nonce[PAY_KEYRING_NONCE];
    int64_t        number;
    int            is_last;
    pay_str_t      bytes;              /* sealed */
} pay_settle_piece_t;


/* An empty copy of the file with this digest.  The ring lives as long as the
 * copy. */
void pay_settle_copy_begin(pay_settle_copy_t *copy, const pay_keyring_t *ring,
    const unsigned char sha256[PAY_SHA256_SIZE]);
/* Takes as many of the bytes as there is room for: how many.  When it takes
 * less than all, the piece is full and is sealed first; the last piece is
 * sealed when there are no more bytes. */
size_t pay_settle_copy_take(pay_settle_copy_t *copy, pay_str_t bytes)
    PAY_MUST_CHECK;
/* Seals the piece under the ring's first key into `out`, of PAY_COPY_SEALED
 * bytes, and begins the next one.  *number: of this piece; *len: its sealed
 * bytes.  The plain bytes are wiped. */
pay_status_t pay_settle_copy_seal(pay_settle_copy_t *copy,
    const unsigned char nonce[PAY_KEYRING_NONCE], int is_last,
    unsigned char *out, int64_t *number, size_t *len) PAY_MUST_CHECK;
/* The plain bytes of a piece of the file with that digest; `out` has
 * PAY_COPY_PIECE bytes.  PAY_NOT_FOUND: the ring lacks its key.  PAY_INVALID:
 * it is not as it was sealed, or not this piece of this file. */
pay_status_t pay_settle_copy_open(const pay_keyring_t *ring,
    const unsigned char sha256[PAY_SHA256_SIZE],
    const pay_settle_piece_t *piece, unsigned char *out, size_t *len)
    PAY_MUST_CHECK;


#endif /* PAY_SETTLE_COPY_H */

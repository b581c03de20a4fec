/*
 * The few primitives that core needs, over libcrypto: digests, MACs, text
 * encodings, constant-time comparison, secrets that are wiped.
 */

#ifndef PAY_CRYPTO_H
#define PAY_CRYPTO_H

#include "pay_arena.h"


#define PAY_SHA1_SIZE     20
#define PAY_SHA256_SIZE   32
#define PAY_SECRET_MAX    512


/* A secret in place; wiped by pay_secret_wipe().  Never logged. */
typedef struct {
    size_t         len;
    unsigned char  data[PAY_SECRET_MAX];
} pay_secret_t;

/* Longer than PAY_SECRET_MAX or empty: PAY_INVALID. */
pay_status_t pay_secret_set(pay_secret_t *secret, pay_str_t bytes)
    PAY_MUST_CHECK;
/* Overwrites it in a way that the compiler keeps. */
void pay_secret_wipe(pay_secret_t *secret);
/* Borrowed: it ends with the secret. */
pay_str_t pay_secret_str(const pay_secret_t *secret);

/* FIPS 180-4.  PAY_NO_MEMORY: trouble in libcrypto. */
pay_status_t pay_sha256(pay_str_t bytes, unsigned char out[PAY_SHA256_SIZE])
    PAY_MUST_CHECK;
/* Over the concatenation of `count` slices.  Trouble in libcrypto is
 * PAY_NO_MEMORY. */
pay_status_t pay_sha256_parts(const pay_str_t *parts, unsigned count,
    unsigned char out[PAY_SHA256_SIZE]) PAY_MUST_CHECK;

/* HMAC-SHA-256 over the concatenation of `count` slices.  An empty key is
 * PAY_BUG, trouble in libcrypto PAY_NO_MEMORY. */
pay_status_t pay_hmac_sha256(pay_str_t key, const pay_str_t *parts,
    unsigned count, unsigned char out[PAY_SHA256_SIZE]) PAY_MUST_CHECK;

/* SHA-1 and its HMAC: only for a PSP whose protocol prescribes them. */
pay_status_t pay_sha1(pay_str_t bytes, unsigned char out[PAY_SHA1_SIZE])
    PAY_MUST_CHECK;
pay_status_t pay_hmac_sha1(pay_str_t key, const pay_str_t *parts,
    unsigned count, unsigned char out[PAY_SHA1_SIZE]) PAY_MUST_CHECK;

/* CRC-32 as zlib has it.  No protection from anyone who means harm. */
uint32_t pay_crc32(pay_str_t bytes);

/* 1 when equal; time depends on the lengths only. */
int pay_equal_ct(pay_str_t a, pay_str_t b);

/* Texts and bytes below are new ones in the arena.  Encoders fail with
 * PAY_NO_MEMORY alone. */
pay_status_t pay_hex_encode(pay_arena_t *arena, pay_str_t bytes,
    pay_str_t *text) PAY_MUST_CHECK;                       /* lower case */
/* Lower-case hex of exactly `size` bytes, else PAY_INVALID. */
pay_status_t pay_hex_decode(pay_str_t text, unsigned char *out, size_t size)
    PAY_MUST_CHECK;
pay_status_t pay_base64_encode(pay_arena_t *arena, pay_str_t bytes,
    pay_str_t *text) PAY_MUST_CHECK;                    /* RFC 4648 4, padded */
pay_status_t pay_base64url_encode(pay_arena_t *arena, pay_str_t bytes,
    pay_str_t *text) PAY_MUST_CHECK;                       /* 5, no padding */
/* Canonical spellings only (padding right, no stray bits), else PAY_INVALID. */
pay_status_t pay_base64_decode(pay_arena_t *arena, pay_str_t text,
    pay_str_t *bytes) PAY_MUST_CHECK;
pay_status_t pay_base64url_decode(pay_arena_t *arena, pay_str_t text,
    pay_str_t *bytes) PAY_MUST_CHECK;


#endif /* PAY_CRYPTO_H */

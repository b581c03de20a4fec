/*
 * Base64 (RFC 4648 section 4), base64url without padding (section 5) and hex.
 * Decoding takes canonical spellings only: one value, one text.  Otherwise a
 * signature or token would have several spellings (docs/security.md J13).
 */

#include "pay_crypto.h"


/* No value of a digit, which are 0 to 63. */
#define PAY_NO_DIGIT  0xff


typedef struct {
    const char  *digits;       /* 64 of them */
    /* Section 4 fills up with '='; tokens (RFC 7515 section 2) do without. */
    int          padded;
} pay_base64_t;


static pay_status_t pay_base64_write(pay_arena_t *arena, pay_str_t bytes,
    const pay_base64_t *alphabet, pay_str_t *text);
static pay_status_t pay_base64_read(pay_arena_t *arena, pay_str_t text,
    const pay_base64_t *alphabet, pay_str_t *bytes);
static void pay_base64_table(const pay_base64_t *alphabet,
    unsigned char table[256]);
static int pay_base64_unpack(pay_str_t text, const unsigned char table[256],
    unsigned char *out);
static int pay_hex_digit(unsigned char byte);


static const pay_base64_t  pay_base64_plain = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 1
};

static const pay_base64_t  pay_base64_url = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 0
};


/* Two digits a byte and the NUL; lower case, which is the only case that is
 * read back. */
pay_status_t
pay_hex_encode(pay_arena_t *arena, pay_str_t bytes, pay_str_t *text)
{
    static const char  hex[] = "0123456789abcdef";

    size_t          i;
    unsigned char  *out;

    if (bytes.len > SIZE_MAX / 2 - 1) {
        return PAY_NO_MEMORY;
    }

    out = pay_alloc(arena, bytes.len * 2 + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < bytes.len; i++) {
        out[2 * i] = (unsigned char) hex[bytes.data[i] >> 4];
        out[2 * i + 1] = (unsigned char) hex[bytes.data[i] & 15];
    }

    out[bytes.len * 2] = '\0';
    *text = (pay_str_t) { bytes.len * 2, out };

    return PAY_OK;
}


/* Takes lower case only: one value has one spelling, so that a signature
 * cannot be presented twice in different letters.  All digits are judged
 * before the first byte is written. */
pay_status_t
pay_hex_decode(pay_str_t text, unsigned char *out, size_t size)
{
    size_t  i;

    if (text.len % 2 != 0 || text.len / 2 != size) {
        return PAY_INVALID;
    }

    for (i = 0; i < text.len; i++) {
        if (pay_hex_digit(text.data[i]) < 0) {
            return PAY_INVALID;
        }
    }

    for (i = 0; i < size; i++) {
        out[i] = (unsigned char) (16 * pay_hex_digit(text.data[2 * i])
                                  + pay_hex_digit(text.data[2 * i + 1]));
    }

    return PAY_OK;
}


pay_status_t
pay_base64_encode(pay_arena_t *arena, pay_str_t bytes, pay_str_t *text)
{
    return pay_base64_write(arena, bytes, &pay_base64_plain, text);
}


pay_status_t
pay_base64url_encode(pay_arena_t *arena, pay_str_t bytes, pay_str_t *text)
{
    return pay_base64_write(arena, bytes, &pay_base64_url, text);
}


/* Removes the padding and leaves the rest to the reader of both alphabets.
 * More than two '=' cannot pass: the third one is no digit. */
pay_status_t
pay_base64_decode(pay_arena_t *arena, pay_str_t text, pay_str_t *bytes)
{
    if (text.len % 4 != 0) {
        return PAY_INVALID;
    }

    if (text.len != 0 && text.data[text.len - 1] == '=') {
        text.len -= text.data[text.len - 2] == '=' ? 2 : 1;
    }

    return pay_base64_read(arena, text, &pay_base64_plain, bytes);
}


pay_status_t
pay_base64url_decode(pay_arena_t *arena, pay_str_t text, pay_str_t *bytes)
{
    return pay_base64_read(arena, text, &pay_base64_url, bytes);
}


/* `held` keeps the bits that wait for the next digit, at most 4 of them
 * between two bytes; the mask keeps older bits from piling up. */
static pay_status_t
pay_base64_write(pay_arena_t *arena, pay_str_t bytes,
    const pay_base64_t *alphabet, pay_str_t *text)
{
    size_t          i;
    size_t          len = 0;
    unsigned        held = 0;
    unsigned        bits = 0;
    unsigned char  *out;

    if (bytes.len > SIZE_MAX / 4) {
        return PAY_NO_MEMORY;
    }

    out = pay_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < bytes.len; i++) {
        held = (held << 8 | bytes.data[i]) & 0xffff;

        for (bits += 8; bits >= 6; bits -= 6) {
            out[len++] = (unsigned char)
                         alphabet->digits[held >> (bits - 6) & 63];
        }
    }

    /* The last digit of a text that is no multiple of three bytes is filled
     * with zeros. */
    if (bits != 0) {
        out[len++] = (unsigned char) alphabet->digits[held << (6 - bits) & 63];
    }

    while (alphabet->padded && len % 4 != 0) {
        out[len++] = '=';
    }

    out[len] = '\0';
    *text = (pay_str_t) { len, out };

    return PAY_OK;
}


/* `text` is without padding.  A rest of one digit has six bits, less than a
 * byte, so no encoder writes it. */
static pay_status_t
pay_base64_read(pay_arena_t *arena, pay_str_t text,
    const pay_base64_t *alphabet, pay_str_t *bytes)
{
    size_t          len;
    unsigned char  *out;
    unsigned char   table[256];

    if (text.len % 4 == 1) {
        return PAY_INVALID;
    }

    len = text.len / 4 * 3 + text.len % 4 * 3 / 4;
    out = pay_alloc(arena, len + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    pay_base64_table(alphabet, table);

    if (!pay_base64_unpack(text, table, out)) {
        return PAY_INVALID;
    }

    out[len] = '\0';
    *bytes = (pay_str_t) { len, out };

    return PAY_OK;
}


/* Made of the digits at each call, so that no second table has to be kept in
 * step with them. */
static void
pay_base64_table(const pay_base64_t *alphabet, unsigned char table[256])
{
    unsigned char  i;

    memset(table, PAY_NO_DIGIT, 256);

    for (i = 0; i < 64; i++) {
        table[(unsigned char) alphabet->digits[i]] = i;
    }
}


/* 0 at a byte outside the alphabet, or when bits that belong to no byte are
 * not zero: "QR==" would be a second spelling of "QQ==" (RFC 4648 section
 * 3.5). */
static int
pay_base64_unpack(pay_str_t text, const unsigned char table[256],
    unsigned char *out)
{
    size_t    i;
    unsigned  held = 0;
    unsigned  bits = 0;

    for (i = 0; i < text.len; i++) {
        if (table[text.data[i]] == PAY_NO_DIGIT) {
            return 0;
        }

        held = (held << 6 | table[text.data[i]]) & 0xffff;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            *out++ = (unsigned char) (held >> bits);
        }
    }

    return (held & ((1u << bits) - 1)) == 0;
}


/* -1 for capitals, too; see pay_hex_decode(). */
static int
pay_hex_digit(unsigned char byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }

    if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    }

    return -1;
}

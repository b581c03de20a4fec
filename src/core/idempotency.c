/*
 * The Idempotency-Key field's value and the fingerprint of the request that
 * it names (docs/security.md IK1-IK3, IK9).  Knows nothing about where keys
 * are kept; called by the API flow before any database operation.
 */

#include "pay_idempotency.h"


static int pay_idempotency_char(unsigned char c);
static void pay_idempotency_length(uint64_t len, unsigned char out[8]);


/* Sixteen characters at least: a counter or a date would make two requests
 * one. *key borrows from `value`. */
pay_status_t
pay_idempotency_key_parse(pay_str_t value, pay_str_t *key, pay_err_t *err)
{
    size_t     i;
    pay_str_t  text;

    text = value;

    /*
     * The String's escapes stand only for characters that no key may hold,
     * and the field's value comes without the whitespace around it, so that
     * both spellings are decided by the characters alone.
     */

    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
    {
        text.data++;
        text.len -= 2;
    }

    if (text.len < PAY_IDEMPOTENCY_KEY_MIN
        || text.len > PAY_IDEMPOTENCY_KEY_MAX)
    {
        return pay_refuse(err, "idempotency-key-invalid",
                          "The key must have 16 to 64 characters.");
    }

    for (i = 0; i < text.len; i++) {
        if (!pay_idempotency_char(text.data[i])) {
            return pay_refuse(err, "idempotency-key-invalid",
                              "The key may hold only A-Z a-z 0-9 . _ ~ and -");
        }
    }

    *key = text;

    return PAY_OK;
}


/* Hashes the raw body (docs/security.md IK9): two texts that mean the same may
 * still differ in a member that we do not know.  Each part is preceded by its
 * length; see pay_idempotency_length(). */
pay_status_t
pay_idempotency_fingerprint(pay_str_t method, pay_str_t route,
    pay_str_t merchant, pay_str_t body, unsigned char out[PAY_SHA256_SIZE])
{
    unsigned        i;
    pay_str_t       parts[4] = { method, route, merchant, body };
    pay_str_t       hashed[8];
    unsigned char   lengths[4][8];

    for (i = 0; i < 4; i++) {
        pay_idempotency_length(parts[i].len, lengths[i]);
        hashed[2 * i] = (pay_str_t) { sizeof(lengths[i]), lengths[i] };
        hashed[2 * i + 1] = parts[i];
    }

    return pay_sha256_parts(hashed, 8, out);
}


static int
pay_idempotency_char(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9')
           || c == '.' || c == '_' || c == '~' || c == '-';
}


/* Big-endian.  With the length before each part, no bytes can move from one
 * part to the next and give the same hash. */
static void
pay_idempotency_length(uint64_t len, unsigned char out[8])
{
    unsigned  i;

    for (i = 8; i > 0; i--) {
        out[i - 1] = (unsigned char) (len & 0xff);
        len >>= 8;
    }
}

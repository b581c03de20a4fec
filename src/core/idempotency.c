/*
 * The Idempotency-Key field's value and the fingerprint of the request that
 * it names (docs/security.md IK1-IK3, IK9).  Knows nothing about where keys
 * are kept; called by the API flow before any database operation.
 */

#include "pay_idempotency.h"

#include <openssl/err.h>
#include <openssl/evp.h>


static int pay_idempotency_char(unsigned char c);
static int pay_idempotency_hash(EVP_MD_CTX *md, const pay_str_t *part);


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


pay_status_t
pay_idempotency_fingerprint(pay_str_t method, pay_str_t route,
    pay_str_t merchant, pay_str_t body, unsigned char out[PAY_SHA256_SIZE])
{
    int             ok;
    unsigned        i;
    EVP_MD_CTX     *md;
    pay_str_t       parts[4] = { method, route, merchant, body };
    unsigned char   digest[PAY_SHA256_SIZE];

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return PAY_NO_MEMORY;
    }

    ok = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;

    for (i = 0; ok && i < 4; i++) {
        ok = pay_idempotency_hash(md, &parts[i]);
    }

    ok = ok && EVP_DigestFinal_ex(md, digest, NULL) == 1;

    EVP_MD_CTX_free(md);

    if (!ok) {
        ERR_clear_error();
        return PAY_NO_MEMORY;
    }

    memcpy(out, digest, PAY_SHA256_SIZE);

    return PAY_OK;
}


static int
pay_idempotency_char(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9')
           || c == '.' || c == '_' || c == '~' || c == '-';
}


static int
pay_idempotency_hash(EVP_MD_CTX *md, const pay_str_t *part)
{
    unsigned       i;
    uint64_t       len;
    unsigned char  prefix[8];

    len = part->len;

    for (i = 8; i > 0; i--) {
        prefix[i - 1] = (unsigned char) (len & 0xff);
        len >>= 8;
    }

    if (EVP_DigestUpdate(md, prefix, sizeof(prefix)) != 1) {
        return 0;
    }

    return part->len == 0
           || EVP_DigestUpdate(md, part->data, part->len) == 1;
}

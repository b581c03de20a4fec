/*
 * Identifiers: UUID version 7, the buyer's handle, and the check of ids that
 * storefronts choose.  The caller brings time and randomness.
 */

#include "pay_id.h"


static void pay_uuid_print(const unsigned char uuid[16],
    char text[PAY_UUID_TEXT]);
static int pay_is_alphanumeric(unsigned char byte);


/* Version 7 begins with the time, so that new rows go to the end of an
 * index. */
void
pay_uuid7(uint64_t now_ms, const unsigned char entropy[PAY_UUID_ENTROPY],
    char text[PAY_UUID_TEXT])
{
    unsigned       i;
    unsigned char  uuid[16];

    for (i = 0; i < 6; i++) {
        uuid[i] = (unsigned char) (now_ms >> (40 - 8 * i));
    }

    memcpy(uuid + 6, entropy, PAY_UUID_ENTROPY);

    /* RFC 9562 sections 4.1, 4.2 and 5.7: version 7, variant 10 */
    uuid[6] = (unsigned char) ((uuid[6] & 0x0f) | 0x70);
    uuid[8] = (unsigned char) ((uuid[8] & 0x3f) | 0x80);

    pay_uuid_print(uuid, text);
}


/* A buyer's page is found by its handle alone, so that it has 192 random bits
 * and nothing of the payment in it.  24 bytes make 32 characters without
 * padding. */
size_t
pay_handle(const unsigned char entropy[PAY_HANDLE_BYTES], char letter,
    char text[PAY_HANDLE_MAX])
{
    static const char  digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    size_t    n = letter != 0;
    unsigned  i;
    unsigned  group;

    text[0] = letter;

    for (i = 0; i < PAY_HANDLE_BYTES / 3; i++) {
        group = (unsigned) entropy[3 * i] << 16
                | (unsigned) entropy[3 * i + 1] << 8
                | entropy[3 * i + 2];

        text[n++] = digits[group >> 18];
        text[n++] = digits[group >> 12 & 63];
        text[n++] = digits[group >> 6 & 63];
        text[n++] = digits[group & 63];
    }

    return n;
}


/* The length alone says whether there is a letter: the random part may begin
 * with any.  Nothing is proved by it; the cell that it names knows the handle
 * or does not. */
char
pay_handle_letter(pay_str_t text)
{
    return text.len == PAY_HANDLE_MAX && text.data[0] >= 'a'
           && text.data[0] <= 'z' ? (char) text.data[0] : 0;
}


/* Checked before the database is asked: a path that cannot be a handle costs
 * no query. */
int
pay_handle_is_valid(pay_str_t text)
{
    size_t  i;

    if (text.len != PAY_HANDLE_TEXT
        && (text.len != PAY_HANDLE_MAX || pay_handle_letter(text) == 0))
    {
        return 0;
    }

    for (i = 0; i < text.len; i++) {
        if (!pay_is_alphanumeric(text.data[i])
            && text.data[i] != '-' && text.data[i] != '_')
        {
            return 0;
        }
    }

    return 1;
}


/* The characters that RFC 3986 section 2.3 lets stand unescaped in a path,
 * since these ids are segments of our URLs. */
int
pay_id_is_valid(pay_str_t text)
{
    size_t  i;

    if (text.len == 0 || text.len > PAY_ID_MAX) {
        return 0;
    }

    /* as segments of a path these two would be normalised away */
    if (pay_str_is(text, ".") || pay_str_is(text, "..")) {
        return 0;
    }

    for (i = 0; i < text.len; i++) {
        if (!pay_is_alphanumeric(text.data[i])
            && (text.data[i] == '\0'
                || strchr("._~-", text.data[i]) == NULL))
        {
            return 0;
        }
    }

    return 1;
}


/* A connection string, which stands in its place, has "=" or "://" in it. */
int
pay_cell_is_valid(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (!((text.data[i] >= 'a' && text.data[i] <= 'z')
              || (text.data[i] >= '0' && text.data[i] <= '9')
              || text.data[i] == '-'))
        {
            return 0;
        }
    }

    return text.len != 0 && text.len <= PAY_CELL_NAME;
}


/* Lower case and dashes as in RFC 9562 section 4; no NUL. */
static void
pay_uuid_print(const unsigned char uuid[16], char text[PAY_UUID_TEXT])
{
    static const char  hex[] = "0123456789abcdef";

    unsigned  i;

    for (i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *text++ = '-';
        }

        *text++ = hex[uuid[i] >> 4];
        *text++ = hex[uuid[i] & 15];
    }
}


static int
pay_is_alphanumeric(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')
           || (byte >= '0' && byte <= '9');
}

/*
 * Small questions about texts of settlement files.
 */

#include "settle/settle.h"


static int text_is_blank(unsigned char c);
static unsigned utf8_length(const unsigned char *at, size_t left);


/* NUL is a character of UTF-8 and none that PostgreSQL stores in a text. */
int
pay_settle_is_utf8(pay_str_t text)
{
    size_t    i;
    unsigned  len;

    for (i = 0; i < text.len; i += len) {
        if (text.data[i] == '\0') {
            return 0;
        }

        len = utf8_length(text.data + i, text.len - i);
        if (len == 0) {
            return 0;
        }
    }

    return 1;
}


pay_str_t
pay_settle_trim(pay_str_t text)
{
    while (text.len != 0 && text_is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }

    while (text.len != 0 && text_is_blank(text.data[text.len - 1])) {
        text.len--;
    }

    return text;
}


int
pay_settle_starts(pay_str_t text, const char *start)
{
    size_t  len = strlen(start);

    return text.len >= len && memcmp(text.data, start, len) == 0;
}


static int
text_is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


/* RFC 3629; 0: no character begins here.  Overlong forms and surrogates are
 * refused: they would let one text have several spellings. */
static unsigned
utf8_length(const unsigned char *at, size_t left)
{
    unsigned  i, len;
    uint32_t  code;

    if (at[0] < 0x80) {
        return 1;
    }

    len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

    if (at[0] < 0xc2 || at[0] > 0xf4 || left < len) {
        return 0;
    }

    code = at[0] & (0x7fu >> len);

    for (i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }

        code = code << 6 | (at[i] & 0x3f);
    }

    if ((len == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)))
        || (len == 4 && (code < 0x10000 || code > 0x10ffff)))
    {
        return 0;
    }

    return len;
}

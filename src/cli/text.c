/*
 * Safe text on a terminal, see table.h.
 */

#include "cli/table.h"

#include <stdint.h>


static size_t text_next(const char **text, uint32_t *code);
static int text_is_control(uint32_t code);


/* Bytes of strangers (webhooks, ids, reasons) reach an operator's terminal
 * only through here: an escape sequence in them could hide a line or type a
 * command. */
size_t
pay_cli_put(FILE *out, const char *text, size_t max)
{
    size_t       n, len;
    uint32_t     code;
    const char  *at;

    for (n = 0; n < max && *text != '\0'; n++) {
        at = text;
        len = text_next(&text, &code);

        if (text_is_control(code)) {
            fputc('?', out);

        } else {
            fwrite(at, 1, len, out);
        }
    }

    return n;
}


/* Characters, not columns: wide characters are rare here and only bend the
 * table. */
size_t
pay_cli_width(const char *text, size_t max)
{
    size_t    n;
    uint32_t  code;

    for (n = 0; n < max && *text != '\0'; n++) {
        (void) text_next(&text, &code);
    }

    return n;
}


/* The character at *text, which moves behind it; a byte that begins none is
 * one by itself, and counts as a control.  Returns its length in bytes. */
static size_t
text_next(const char **text, uint32_t *code)
{
    size_t                i, len;
    const unsigned char  *p = (const unsigned char *) *text;

    len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    *code = len == 1 ? p[0] : p[0] & (0x7fu >> len);

    for (i = 1; i < len && (p[i] & 0xc0) == 0x80; i++) {
        *code = *code << 6 | (p[i] & 0x3f);
    }

    if (i < len || (p[0] & 0xc0) == 0x80) {
        *code = 0;
        len = 1;
    }

    *text += len;

    return len;
}


/* C0, DEL and C1; marks of direction (U+200E, U+202A…, U+2066…), which could
 * reorder a line on the screen; and the line ends of Unicode. */
static int
text_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0)
           || code == 0x200e || code == 0x200f
           || (code >= 0x2028 && code <= 0x202e)
           || (code >= 0x2066 && code <= 0x2069);
}

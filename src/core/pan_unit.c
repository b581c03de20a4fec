/*
 * The characters of which a card number may be written: digits and what
 * stands between groups of them, in UTF-8 and in the escapes of JSON.
 */

#include "core/pan.h"


#define JSON_ESCAPE  6         /* \uXXXX */


static pay_pan_unit_t pay_pan_escape(pay_str_t text, size_t at);
static int pay_pan_code(pay_str_t text, size_t at, unsigned *code);
static pay_pan_unit_t pay_pan_of_code(unsigned code, size_t len);
static int pay_pan_is_sep(unsigned code);


#define O  PAY_PAN_OTHER
#define L  PAY_PAN_LETTER
#define D  PAY_PAN_DIGIT
#define S  PAY_PAN_SEP
#define M  PAY_PAN_MORE

const unsigned char  pay_pan_kinds[256] = {
    O, O, O, O, O, O, O, O, O, S, S, O, O, S, O, O,     /* TAB LF CR */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    S, O, O, O, O, O, O, O, O, O, O, O, S, S, S, S,     /* blank , - . / */
    D, D, D, D, D, D, D, D, D, D, O, O, O, O, O, O,
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, O, M, O, O, S,     /* backslash _ */
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, M, O, O, O, O, O, O, O, O, O, O, O, O, O,     /* U+0080… */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, M, M, O, O, O, O, O, O, O, O, O, O, O, M,     /* U+2000… U+F000… */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O
};

#undef O
#undef L
#undef D
#undef S
#undef M

#define O  { 0, 0, -1 }
#define E  { 1, 0, -1 }
#define D  { 0, 1, -1 }
#define B  { 0, 1, ~((1 << PAY_PAN_HIDDEN) - 1) }

/* A character that is no separator ends a chain, unless it may be a part of a
 * character of several bytes. */
const pay_pan_sieve_t  pay_pan_sieve[256] = {
    E, E, E, E, E, E, E, E, E, O, O, E, E, O, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    O, E, E, E, E, E, E, E, E, E, E, E, O, O, O, O,
    D, D, D, D, D, D, D, D, D, D, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, B, E, E, O,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    E, E, O, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, O, O, E, E, E, E, E, E, E, E, E, E, E, D,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E
};


/* Reads ASCII, two and three bytes of UTF-8, and JSON's escapes.  Only the
 * blocks that hold digits or separators are decoded: all other bytes end a
 * number whatever they belong to. */
pay_pan_unit_t
pay_pan_unit(pay_str_t text, size_t at)
{
    unsigned              left;
    const unsigned char  *p = text.data + at;

    left = (text.len - at < 3) ? (unsigned) (text.len - at) : 3;

    if (p[0] < 0x80) {
        return (p[0] == '\\')
               ? pay_pan_escape(text, at) : pay_pan_of_code(p[0], 1);
    }

    if (p[0] == 0xc2 && left >= 2 && (p[1] & 0xc0) == 0x80) {
        return pay_pan_of_code(p[1], 2);
    }

    if (p[0] >= 0xe2 && left == 3 && (p[1] & 0xc0) == 0x80
        && (p[2] & 0xc0) == 0x80)
    {
        return pay_pan_of_code((p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6
                               | (p[2] & 0x3fu), 3);
    }

    return (pay_pan_unit_t) { PAY_PAN_OTHER, 0, 1 };
}


/* The scan reads raw JSON, so that a number in escapes is found without
 * parsing: \u0034 is "4", \n and \/ stand between groups.  An escaped
 * backslash is one unit, since the letters behind it are text. */
static pay_pan_unit_t
pay_pan_escape(pay_str_t text, size_t at)
{
    unsigned  code;

    if (at + 1 == text.len) {
        return (pay_pan_unit_t) { PAY_PAN_OTHER, 0, 1 };
    }

    switch (text.data[at + 1]) {

    case 't':
    case 'n':
    case 'r':
    case '/':
        return (pay_pan_unit_t) { PAY_PAN_SEP, 0, 2 };

    case '\\':
        return (pay_pan_unit_t) { PAY_PAN_OTHER, 0, 2 };

    case 'u':
        return pay_pan_code(text, at + 2, &code)
               ? pay_pan_of_code(code, JSON_ESCAPE)
               : (pay_pan_unit_t) { PAY_PAN_OTHER, 0, 1 };

    default:
        return (pay_pan_unit_t) { PAY_PAN_OTHER, 0, 1 };
    }
}


/* Four hex digits of either case; 0 when there are fewer. */
static int
pay_pan_code(pay_str_t text, size_t at, unsigned *code)
{
    size_t         i;
    unsigned char  c;

    if (text.len - at < 4) {
        return 0;
    }

    *code = 0;

    for (i = at; i < at + 4; i++) {
        c = text.data[i];

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            c = (unsigned char) ((c | 0x20) - 'a' + 10);

        } else {
            return 0;
        }

        *code = *code << 4 | c;
    }

    return 1;
}


/* U+FF10 to U+FF19 are the full-width digits that an East Asian keyboard
 * types; digits of other scripts are not read. */
static pay_pan_unit_t
pay_pan_of_code(unsigned code, size_t len)
{
    if (code >= 0xff10 && code <= 0xff19) {
        return (pay_pan_unit_t) { PAY_PAN_DIGIT, code - 0xff10, len };
    }

    if (code >= '0' && code <= '9') {
        return (pay_pan_unit_t) { PAY_PAN_DIGIT, code - '0', len };
    }

    if (pay_pan_is_sep(code)) {
        return (pay_pan_unit_t) { PAY_PAN_SEP, 0, len };
    }

    /* unknown characters are read byte by byte: the text may not be UTF-8 */
    return (pay_pan_unit_t) { PAY_PAN_OTHER, 0,
                              (len == JSON_ESCAPE) ? len : 1 };
}


/* Blanks, dashes and stops of Unicode: no-break space, soft hyphen, the spaces
 * and dashes of U+2000, minus sign, ideographic space, full-width comma to
 * solidus. */
static int
pay_pan_is_sep(unsigned code)
{
    if (code < 0x80) {
        return pay_pan_kinds[code] == PAY_PAN_SEP;
    }

    return code == 0xa0 || code == 0xad
           || (code >= 0x2000 && code <= 0x200b)
           || (code >= 0x2010 && code <= 0x2015)
           || code == 0x202f || code == 0x205f || code == 0x2212
           || code == 0x3000 || (code >= 0xff0c && code <= 0xff0f);
}

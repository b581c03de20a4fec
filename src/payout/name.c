/*
 * Names and texts in the characters that banks take (EPC217-08, "SEPA
 * requirements for an extended character set", and the practice of its best
 * conversions: ae for ä, as German banks write it).  It is done once, when a
 * destination is entered, so that the approvers see the bytes that are sent
 * and the bank compares with the account's owner.
 */

#include "payout/payout.h"


#define LATIN_FIRST  0xc0              /* À */
#define LATIN_LAST   0x17f             /* ſ */


static int utf8_next(pay_str_t text, size_t *at, uint32_t *point);
static const char *latin_of(uint32_t point, char own[2]);
static int is_latin_byte(unsigned char c);
static int is_alnum(unsigned char c);


/* U+00C0 to U+017F, in their order. */
static const char *const  latin[] = {
    "A", "A", "A", "A", "Ae", "A", "Ae", "C", "E", "E", "E", "E", "I", "I",
    "I", "I", "D", "N", "O", "O", "O", "O", "Oe", " ", "O", "U", "U", "U",
    "Ue", "Y", "Th", "ss", "a", "a", "a", "a", "ae", "a", "ae", "c", "e",
    "e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "oe",
    " ", "o", "u", "u", "u", "ue", "y", "th", "y",
    "A", "a", "A", "a", "A", "a", "C", "c", "C", "c", "C", "c", "C", "c",
    "D", "d", "D", "d", "E", "e", "E", "e", "E", "e", "E", "e", "E", "e",
    "G", "g", "G", "g", "G", "g", "G", "g", "H", "h", "H", "h", "I", "i",
    "I", "i", "I", "i", "I", "i", "I", "i", "Ij", "ij", "J", "j", "K", "k",
    "k", "L", "l", "L", "l", "L", "l", "L", "l", "L", "l", "N", "n", "N",
    "n", "N", "n", "n", "N", "n", "O", "o", "O", "o", "O", "o", "Oe", "oe",
    "R", "r", "R", "r", "R", "r", "S", "s", "S", "s", "S", "s", "S", "s",
    "T", "t", "T", "t", "T", "t", "U", "u", "U", "u", "U", "u", "U", "u",
    "U", "u", "U", "u", "W", "w", "Y", "y", "Y", "Z", "z", "Z", "z", "Z",
    "z", "s"
};
PAY_ROWS(latin, LATIN_LAST - LATIN_FIRST + 1);


/* A letter that has no spelling is refused: a name of which a part is left out
 * is another name. */
pay_status_t
pay_payout_name(pay_arena_t *arena, pay_str_t text, size_t max,
    pay_str_t *name)
{
    char            own[2];
    size_t          at = 0, len = 0;
    uint32_t        point;
    int             is_blank = 0, has_letter = 0;
    const char     *spelling;
    unsigned char  *out = pay_alloc(arena, max + 3);

    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    while (at < text.len && len < max) {
        if (!utf8_next(text, &at, &point)) {
            return PAY_INVALID;
        }

        spelling = latin_of(point, own);
        if (spelling == NULL) {
            return PAY_INVALID;
        }

        if (spelling[0] == ' ') {
            is_blank = (len > 0);
            continue;
        }

        if (is_blank && len + 1 >= max) {
            break;
        }

        if (is_blank) {
            out[len++] = ' ';
            is_blank = 0;
        }

        for ( /* void */ ; *spelling != '\0' && len < max; spelling++) {
            has_letter |= is_alnum((unsigned char) *spelling);
            out[len++] = (unsigned char) *spelling;
        }
    }

    out[len] = '\0';

    if (!has_letter) {
        return PAY_INVALID;
    }

    *name = (pay_str_t) { len, out };

    return PAY_OK;
}


int
pay_payout_is_latin(pay_str_t text, size_t max)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (!is_latin_byte(text.data[i])) {
            return 0;
        }
    }

    return text.len > 0 && text.len <= max && text.data[0] != ' '
           && text.data[text.len - 1] != ' ';
}


/* RFC 3629: the shortest spelling, no surrogates, at most U+10FFFF. */
static int
utf8_next(pay_str_t text, size_t *at, uint32_t *point)
{
    size_t         i, more;
    uint32_t       made;
    unsigned char  c = text.data[*at];

    more = (c < 0x80) ? 0 : (c >= 0xc2 && c < 0xe0) ? 1
           : (c >= 0xe0 && c < 0xf0) ? 2 : (c >= 0xf0 && c < 0xf5) ? 3 : 4;

    if (more == 4 || text.len - *at <= more) {
        return 0;
    }

    made = (more == 0) ? c : c & (0x3fu >> more);

    for (i = 1; i <= more; i++) {
        c = text.data[*at + i];

        if ((c & 0xc0) != 0x80) {
            return 0;
        }

        made = made << 6 | (c & 0x3f);
    }

    *at += more + 1;
    *point = made;

    return (more < 2 || made >= (more == 2 ? 0x800u : 0x10000u))
           && (made < 0xd800 || made > 0xdfff) && made <= 0x10ffff;
}


/* NULL for a letter that has no spelling here, and for control characters
 * but line ends and tabs.  Marks that combine are dropped into the letter
 * before them, as the spelling of their letter does. */
static const char *
latin_of(uint32_t point, char own[2])
{
    if (point < 0x80) {
        if (point < ' ' && point != '\t' && point != '\r' && point != '\n') {
            return NULL;
        }

        own[0] = is_latin_byte((unsigned char) point) ? (char) point
                 : (point == '&') ? '+'
                 : (point == '"' || point == '`') ? '\''
                 : (point == '_') ? '-' : ' ';
        own[1] = '\0';
        return own;
    }

    if (point >= LATIN_FIRST && point <= LATIN_LAST) {
        return latin[point - LATIN_FIRST];
    }

    if (point >= 0x300 && point <= 0x36f) {
        return "";
    }

    if (point == 0x218 || point == 0x219) {
        return (point & 1) ? "s" : "S";        /* Romanian, with a comma */
    }

    if (point == 0x21a || point == 0x21b) {
        return (point & 1) ? "t" : "T";
    }

    if (point == 0x2018 || point == 0x2019 || point == 0x201c
        || point == 0x201d)
    {
        return "'";
    }

    if (point == 0x2010 || point == 0x2011 || point == 0x2013
        || point == 0x2014)
    {
        return "-";
    }

    if (point == 0x1e9e) {
        return "SS";
    }

    return ((point >= 0xa0 && point < LATIN_FIRST)
            || (point >= 0x2000 && point <= 0x206f)
            || (point >= 0x20a0 && point <= 0x20cf)) ? " " : NULL;
}


/* EPC217-08, section 6.1. */
static int
is_latin_byte(unsigned char c)
{
    static const char  others[] = "/-?:().,'+ ";

    return is_alnum(c)
           || (c != '\0' && memchr(others, c, sizeof(others) - 1) != NULL);
}


static int
is_alnum(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9');
}

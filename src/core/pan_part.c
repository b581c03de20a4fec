/*
 * Texts that are no card number although their check digit is right, which is
 * so of every tenth text of digits: lengths and ranges that no card scheme
 * issues, and other numbers that the texts of a storefront hold.
 */

#include "core/pan.h"


#define UUID_LEN   36
#define IBAN_MIN   15
#define IBAN_MAX   34
#define IBAN_HOPS  5           /* groups of four before the number */

/* Numbers of 13, 14, … 19 digits. */
#define L14  0x02
#define L15  0x04
#define L16  0x08
#define L14_19  0x7e
#define L16_19  0x78
#define L13_19  0x7f
#define VISA    0x49           /* 13, 16 or 19 */
#define GAPS    PAY_PAN_GAPS   /* see pay_pan_is_gap() */


static int pay_pan_in_word(pay_str_t text, const pay_pan_place_t *place);
static int pay_pan_is_escaped(pay_str_t text, size_t at);
static int pay_pan_in_fraction(pay_str_t text, const pay_pan_place_t *place);
static int pay_pan_is_barcode(pay_str_t text, const pay_pan_place_t *place);
static int pay_pan_in_uuid(pay_str_t text, const pay_pan_place_t *place);
static int pay_pan_is_uuid(pay_str_t text, size_t start);
static int pay_pan_in_iban(pay_str_t text, const pay_pan_place_t *place);
static int pay_pan_is_iban(pay_str_t text, size_t start);
static inline int pay_pan_four_digits(pay_str_t text, size_t at,
    uint64_t *four);
static inline uint64_t pay_pan_rest(uint64_t rest);
static inline uint64_t pay_pan_mod97(uint64_t rest, unsigned char c);
static inline int pay_is_digit(pay_str_t text, size_t at);
static inline int pay_is_letter(pay_str_t text, size_t at);
static inline int pay_is_capital(pay_str_t text, size_t at);
static inline int pay_is_hex(pay_str_t text, size_t at);


/* By the first two digits (ISO/IEC 7812, the schemes' published ranges).
 * Numbers that begin with 0, 1, 7, 8 or 9 are times, references of PSPs and
 * barcodes far more often than cards. */
const unsigned char  pay_pan_ranges[100] = {
    [22] = L16_19 | GAPS,                      /* Mir, Mastercard */
    [23] = L16, [24] = L16, [25] = L16, [26] = L16, [27] = L16 | GAPS,
    [30] = L14 | L16_19 | GAPS,                /* Diners Club */
    [34] = L15, [37] = L15,                    /* American Express */
    [35] = L16_19 | GAPS,                      /* JCB */
    [36] = L14_19, [38] = L14_19, [39] = L14_19,
    [40] = VISA, [41] = VISA, [42] = VISA, [43] = VISA, [44] = VISA,
    [45] = VISA, [46] = VISA, [47] = VISA, [48] = VISA, [49] = VISA,
    [50] = L13_19,                             /* Maestro */
    [51] = L16, [52] = L16, [53] = L16, [54] = L16, [55] = L16,
    [56] = L13_19, [57] = L13_19, [58] = L13_19,
    [60] = L16_19, [61] = L16_19,              /* Discover, RuPay */
    [62] = L16_19,                             /* UnionPay */
    [63] = L13_19, [67] = L13_19,              /* Maestro */
    [64] = L16_19, [65] = L16_19, [66] = L16_19, [68] = L16_19, [69] = L16_19
};


/* Mastercard has 2221-2720, Mir 2200-2204, Diners Club 300-305 and 309, JCB
 * 3528-3589. */
int
pay_pan_is_gap(const unsigned char first[4])
{
    unsigned  four = first[0] * 1000u + first[1] * 100u + first[2] * 10u
                     + first[3];

    return (four >= 2205 && four <= 2220) || (four >= 2721 && four <= 2799)
           || (four >= 3060 && four <= 3089)
           || (four >= 3500 && four <= 3527) || (four >= 3590 && four <= 3599);
}


/* A run and a number in groups are mistaken for different things, so that each
 * has its own checks.  A wrong "part" lets a card number pass; each check
 * therefore asks for the whole form of the other thing. */
int
pay_pan_is_part(pay_str_t text, const pay_pan_place_t *place)
{
    if (pay_pan_in_word(text, place)) {
        return 1;
    }

    if (place->is_run) {
        return pay_pan_in_fraction(text, place)
               || pay_pan_is_barcode(text, place)
               || (place->is_first && pay_pan_in_iban(text, place));
    }

    return pay_pan_in_uuid(text, place) || pay_pan_in_iban(text, place);
}


/* Letters beside a number are text that was joined to it, or a magnetic
 * stripe's "B".  With other digits in the same word it is an id. */
static int
pay_pan_in_word(pay_str_t text, const pay_pan_place_t *place)
{
    size_t  at;

    at = place->start;

    if (place->is_first && at > 0 && pay_is_letter(text, at - 1)
        && !pay_pan_is_escaped(text, at))
    {
        /* "order4B4111111111111111" is an id, "Visa4111111111111111" is a
         * card. */
        while (at > 0 && pay_is_letter(text, at - 1)) {
            at--;
        }

        if (at > 0 && pay_is_digit(text, at - 1)) {
            return 1;
        }
    }

    for (at = place->end; pay_is_letter(text, at); at++) {
        /* void */
    }

    return at > place->end && pay_is_digit(text, at);
}


/* JSON's \uXXXX ends before `at`: a character, none of its letters. */
static int
pay_pan_is_escaped(pay_str_t text, size_t at)
{
    return at >= 6 && text.data[at - 6] == '\\' && text.data[at - 5] == 'u'
           && pay_is_hex(text, at - 4) && pay_is_hex(text, at - 3)
           && pay_is_hex(text, at - 2) && pay_is_hex(text, at - 1);
}


/* "52.520006599999996": at most three digits and a stop before it. */
static int
pay_pan_in_fraction(pay_str_t text, const pay_pan_place_t *place)
{
    size_t  at = place->start;

    return at >= 2 && text.data[at - 1] == '.' && pay_is_digit(text, at - 2)
           && !(at >= 5 && pay_is_digit(text, at - 3)
                && pay_is_digit(text, at - 4) && pay_is_digit(text, at - 5));
}


/* GTIN-13 has a check digit of its own; Visa's numbers of 13 digits are no
 * longer issued, and nine of ten of them fail it. */
static int
pay_pan_is_barcode(pay_str_t text, const pay_pan_place_t *place)
{
    size_t    i;
    unsigned  sum;

    if (place->digits != 13 || place->end - place->start != 13) {
        return 0;
    }

    for (i = 0, sum = 0; i < 13; i++) {

        if (!pay_is_digit(text, place->start + i)) {
            return 0;
        }

        /* GS1's check digit: weights 1 and 3 from the left. */
        sum += (text.data[place->start + i] - '0') * (i % 2 == 1 ? 3u : 1u);
    }

    return sum % 10 == 0;
}


/* The number would begin with the end of its first group or with its second
 * one: no other place has three groups of four behind it. */
static int
pay_pan_in_uuid(pay_str_t text, const pay_pan_place_t *place)
{
    return (place->start >= 4 && pay_pan_is_uuid(text, place->start - 4))
           || (place->start >= 9 && pay_pan_is_uuid(text, place->start - 9));
}


/* RFC 9562 section 4: 8-4-4-4-12 hex digits with dashes. */
static int
pay_pan_is_uuid(pay_str_t text, size_t start)
{
    size_t  i;

    if (text.len - start < UUID_LEN) {
        return 0;
    }

    for (i = 0; i < UUID_LEN; i++) {

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.data[start + i] != '-') {
                return 0;
            }

        } else if (!pay_is_hex(text, start + i)) {
            return 0;
        }
    }

    return 1;
}


/* Two letters of a country and two check digits, then digits alone or, as
 * banks print them, groups of four with blanks between. */
static int
pay_pan_in_iban(pay_str_t text, const pay_pan_place_t *place)
{
    size_t    at = place->start;
    unsigned  i;

    if (place->is_run) {
        return at >= 2 && pay_pan_is_iban(text, at - 2);
    }

    for (i = 0; i < IBAN_HOPS && at >= 5 && text.data[at - 1] == ' '; i++) {
        at -= 5;

        if (pay_is_capital(text, at)) {
            return pay_pan_is_iban(text, at);
        }
    }

    return 0;
}


/* ISO 13616; it may end behind each group.  At least four bytes follow. */
static int
pay_pan_is_iban(pay_str_t text, size_t start)
{
    size_t                i, n;
    uint64_t              rest, four;
    const unsigned char  *p = text.data + start;
    unsigned              a = p[0] - (unsigned) 'A', b = p[1] - (unsigned) 'A';
    unsigned              c = p[2] - (unsigned) '0', d = p[3] - (unsigned) '0';

    if ((a > 25) | (b > 25) | (c > 9) | (d > 9)
        || (start > 0 && (pay_is_letter(text, start - 1)
                          || pay_is_digit(text, start - 1))))
    {
        return 0;
    }

    for (i = start + 4, n = 4, rest = 0; n < IBAN_MAX; i++) {

        if (n + 4 <= IBAN_MAX && pay_pan_four_digits(text, i, &four)) {
            rest = pay_pan_rest(rest) * 10000 + four;
            n += 4;
            i += 3;
            continue;
        }

        if (pay_is_digit(text, i) || pay_is_capital(text, i)) {
            rest = pay_pan_mod97(rest, text.data[i]);
            n++;
            continue;
        }

        /* ISO 7064 MOD 97-10: letters count as 10 to 35, the first four
         * characters count behind all others, and the remainder is 1. */
        if (n >= IBAN_MIN
            && (rest % 97 * 1000000 + (a + 10) * 10000 + (b + 10) * 100
                + c * 10 + d) % 97 == 1)
        {
            return 1;
        }

        if (i >= text.len || text.data[i] != ' ') {
            return 0;
        }
    }

    return 0;
}


/* Four at once: an account's number is asked for each time that its digits
 * pass for a card's. */
static inline int
pay_pan_four_digits(pay_str_t text, size_t at, uint64_t *four)
{
    unsigned              a, b, c, d;
    const unsigned char  *p = text.data + at;

    if (at > text.len || text.len - at < 4) {
        return 0;
    }

    a = p[0] - (unsigned) '0';
    b = p[1] - (unsigned) '0';
    c = p[2] - (unsigned) '0';
    d = p[3] - (unsigned) '0';

    if ((a > 9) | (b > 9) | (c > 9) | (d > 9)) {
        return 0;
    }

    *four = a * 1000 + b * 100 + c * 10 + d;

    return 1;
}


/* Divides now and then: the rest stays below 10^15 before it grows by four
 * digits. */
static inline uint64_t
pay_pan_rest(uint64_t rest)
{
    return (rest >= 1000000000000000) ? rest % 97 : rest;
}


/* A letter takes two decimal places, a digit one. */
static inline uint64_t
pay_pan_mod97(uint64_t rest, unsigned char c)
{
    if (c <= '9') {
        return pay_pan_rest(rest) * 10 + (unsigned) (c - '0');
    }

    return pay_pan_rest(rest) * 100 + (unsigned) (c - 'A') + 10;
}


static inline int
pay_is_digit(pay_str_t text, size_t at)
{
    return at < text.len && pay_pan_kinds[text.data[at]] == PAY_PAN_DIGIT;
}


static inline int
pay_is_letter(pay_str_t text, size_t at)
{
    return at < text.len && pay_pan_kinds[text.data[at]] == PAY_PAN_LETTER;
}


static inline int
pay_is_capital(pay_str_t text, size_t at)
{
    return pay_is_letter(text, at) && text.data[at] <= 'Z';
}


static inline int
pay_is_hex(pay_str_t text, size_t at)
{
    return pay_is_digit(text, at)
           || (pay_is_letter(text, at) && (text.data[at] | 0x20) <= 'f');
}

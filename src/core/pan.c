/*
 * Card data canary (docs/security.md T13): finds what looks like a card
 * number in any text, so that it is refused, and masks it in whatever goes
 * to a log.  Never stores, counts or reports the digits.  Called on every
 * string of a request and on every foreign text before it is logged.
 */

#include "pay_pan.h"


#define PAY_PAN_MIN     13
#define PAY_PAN_MAX     19

#define PAY_ESCAPE_LEN  4      /* \xHH */


/* Where a card number stands in a text. */
typedef struct {
    size_t  start;
    size_t  end;               /* behind the last digit */
} pay_pan_span_t;


/* Digit groups as cards print them: `count` groups of the sizes in `head`,
 * then a last one of `min` to `max` digits. */
typedef struct {
    unsigned  count;
    unsigned  head[4];
    unsigned  min;
    unsigned  max;
} pay_pan_shape_t;


static int pay_pan_next(pay_str_t text, size_t from, pay_pan_span_t *span);
static int pay_pan_at(pay_str_t text, size_t start, size_t *end);
static int pay_pan_begins(pay_str_t text, size_t start);
static int pay_pan_is_code(pay_str_t text, size_t start);
static int pay_pan_is_track(pay_str_t text, size_t start, size_t end);
static int pay_pan_shape(pay_str_t text, size_t start,
    const pay_pan_shape_t *shape, size_t *end);
static size_t pay_pan_group(pay_str_t text, size_t start);
static int pay_pan_singles(pay_str_t text, size_t start, size_t *end);
static int pay_pan_ends(pay_str_t text, size_t end);
static int pay_pan_is_card(pay_str_t text, size_t start, size_t end);
static int pay_is_digit(pay_str_t text, size_t at);
static int pay_is_word(pay_str_t text, size_t at);
static int pay_is_separator(pay_str_t text, size_t at);
static pay_str_t pay_log_piece(pay_str_t text, size_t at,
    unsigned char escape[PAY_ESCAPE_LEN]);


/*
 * Only these groupings count when digits are separated.  A UUID joins groups
 * of 8-4-4-4-12 with dashes, dates and phone numbers join short ones: none
 * of them is here, so none of them needs luck with the check digit.
 */
static const pay_pan_shape_t  pay_pan_shapes[] = {
    { 0, { 0 }, PAY_PAN_MIN, PAY_PAN_MAX },     /* no separator */
    { 3, { 4, 4, 4 }, 1, 7 },                   /* Visa, Mastercard, JCB */
    { 4, { 4, 4, 4, 4 }, 1, 3 },                /* 17 to 19 digits */
    { 2, { 4, 6 }, 4, 5 }                       /* Diners, American Express */
};

#define PAY_PAN_SHAPES  (sizeof(pay_pan_shapes) / sizeof(pay_pan_shapes[0]))


int
pay_pan_found(pay_str_t text)
{
    pay_pan_span_t  span;

    return pay_pan_next(text, 0, &span);
}


pay_status_t
pay_redact(pay_arena_t *arena, pay_str_t text, size_t max, pay_str_t *safe)
{
    int             more;
    size_t          i, used;
    pay_buf_t       buf;
    pay_str_t       piece;
    pay_pan_span_t  span;
    unsigned char   escape[PAY_ESCAPE_LEN];

    if (max > SIZE_MAX - 3) {
        return PAY_BUG;
    }

    pay_buf_init(&buf, arena, max + 3);

    more = pay_pan_next(text, 0, &span);

    for (i = 0, used = 0; i < text.len; i++, used += piece.len) {

        if (more && i >= span.end) {
            more = pay_pan_next(text, span.end, &span);
        }

        if (more && i >= span.start && pay_is_digit(text, i)) {
            piece = PAY_STR("*");

        } else {
            piece = pay_log_piece(text, i, escape);
        }

        if (piece.len > max - used) {
            pay_buf_text(&buf, "...");
            break;
        }

        pay_buf_add(&buf, piece);
    }

    return pay_buf_done(&buf, safe);
}


/* The first card number that starts at `from` or behind it. */
static int
pay_pan_next(pay_str_t text, size_t from, pay_pan_span_t *span)
{
    size_t  i;

    for (i = from; i < text.len; i++) {

        if (!pay_is_digit(text, i)
            || (!pay_pan_begins(text, i) && !pay_pan_is_code(text, i)))
        {
            continue;
        }

        if (pay_pan_at(text, i, &span->end)
            && (pay_pan_begins(text, i)
                || pay_pan_is_track(text, i, span->end)))
        {
            span->start = i;
            return 1;
        }
    }

    return 0;
}


static int
pay_pan_begins(pay_str_t text, size_t start)
{
    return start == 0 || !pay_is_word(text, start - 1);
}


/* The letter before may be track 1's format code (ISO/IEC 7813), "B". */
static int
pay_pan_is_code(pay_str_t text, size_t start)
{
    return text.data[start - 1] == 'B' || text.data[start - 1] == 'b';
}


/* Behind that letter: a start sentinel before it or a field separator behind
 * the digits make it magnetic stripe data (PCI DSS 3.3.1.1), not an id. */
static int
pay_pan_is_track(pay_str_t text, size_t start, size_t end)
{
    return (start > 1 && text.data[start - 2] == '%')
           || (end < text.len && text.data[end] == '^');
}


/* `start` is the first digit of a group. */
static int
pay_pan_at(pay_str_t text, size_t start, size_t *end)
{
    size_t  i;

    for (i = 0; i < PAY_PAN_SHAPES; i++) {
        if (pay_pan_shape(text, start, &pay_pan_shapes[i], end)) {
            return 1;
        }
    }

    return pay_pan_singles(text, start, end);
}


static int
pay_pan_shape(pay_str_t text, size_t start, const pay_pan_shape_t *shape,
    size_t *end)
{
    size_t    at, len;
    unsigned  i;

    at = start;

    for (i = 0; i < shape->count; i++) {

        if (pay_pan_group(text, at) != shape->head[i]) {
            return 0;
        }

        at += shape->head[i];

        if (!pay_is_separator(text, at)) {
            return 0;
        }

        at++;
    }

    len = pay_pan_group(text, at);

    if (len < shape->min || len > shape->max) {
        return 0;
    }

    *end = at + len;

    return pay_pan_ends(text, *end) && pay_pan_is_card(text, start, *end);
}


/* How many digits stand at `start`, counted up to one too many. */
static size_t
pay_pan_group(pay_str_t text, size_t start)
{
    size_t  n;

    for (n = 0; n <= PAY_PAN_MAX; n++) {
        if (!pay_is_digit(text, start + n)) {
            break;
        }
    }

    return n;
}


/* Each digit on its own: "4 1 1 1 ...". */
static int
pay_pan_singles(pay_str_t text, size_t start, size_t *end)
{
    size_t  at, n;

    at = start;

    for (n = 1; n <= PAY_PAN_MAX; n++) {

        if (pay_is_digit(text, at + 1)) {
            return 0;
        }

        if (n >= PAY_PAN_MIN && pay_pan_ends(text, at + 1)
            && pay_pan_is_card(text, start, at + 1))
        {
            *end = at + 1;
            return 1;
        }

        if (!pay_is_separator(text, at + 1) || !pay_is_digit(text, at + 2)) {
            return 0;
        }

        at += 2;
    }

    return 0;
}


static int
pay_pan_ends(pay_str_t text, size_t end)
{
    return !pay_is_word(text, end);
}


/*
 * Luhn's check digit and a first digit that cards have.  A leading 2 counts
 * only as 22-27 (Mastercard, Mir): nearly all other texts of digits that
 * start with 2 are dates, 20YYMMDDhhmmss.
 */
static int
pay_pan_is_card(pay_str_t text, size_t start, size_t end)
{
    int       seen, second;
    size_t    i;
    unsigned  digit, sum;

    if (text.data[start] < '2' || text.data[start] > '6') {
        return 0;
    }

    sum = 0;
    seen = 0;
    second = 0;

    for (i = end; i > start; i--) {

        if (!pay_is_digit(text, i - 1)) {
            continue;
        }

        digit = (unsigned) (text.data[i - 1] - '0');

        if (i - 1 > start) {
            second = (int) digit;
        }

        if (seen % 2 == 1) {
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        }

        sum += digit;
        seen++;
    }

    if (text.data[start] == '2' && (second < 2 || second > 7)) {
        return 0;
    }

    return sum % 10 == 0;
}


static int
pay_is_digit(pay_str_t text, size_t at)
{
    return at < text.len && text.data[at] >= '0' && text.data[at] <= '9';
}


/* A letter or a digit beside a group: it is part of something longer. */
static int
pay_is_word(pay_str_t text, size_t at)
{
    return pay_is_digit(text, at)
           || (at < text.len
               && ((text.data[at] >= 'A' && text.data[at] <= 'Z')
                   || (text.data[at] >= 'a' && text.data[at] <= 'z')));
}


static int
pay_is_separator(pay_str_t text, size_t at)
{
    return at < text.len && (text.data[at] == ' ' || text.data[at] == '-');
}


/* A byte as it may stand in a log: itself, or its escape. */
static pay_str_t
pay_log_piece(pay_str_t text, size_t at, unsigned char escape[PAY_ESCAPE_LEN])
{
    pay_str_t      piece;
    unsigned char  c;

    static const char  hex[] = "0123456789abcdef";

    c = text.data[at];

    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\') {
        piece.data = &text.data[at];
        piece.len = 1;
        return piece;
    }

    escape[0] = '\\';
    escape[1] = 'x';
    escape[2] = (unsigned char) hex[c >> 4];
    escape[3] = (unsigned char) hex[c & 15];

    piece.data = escape;
    piece.len = PAY_ESCAPE_LEN;

    return piece;
}

/* The parts of the scan for card numbers; private to src/core. */

#ifndef PAY_SRC_PAN_H
#define PAY_SRC_PAN_H

#include "pay_pan.h"


#define PAY_PAN_MIN  13
#define PAY_PAN_MAX  19

/* The position of a card number in a text. */
typedef struct {
    size_t  start;
    size_t  end;               /* behind the last digit */
} pay_pan_span_t;

typedef enum {
    PAY_PAN_OTHER = 0,         /* nothing of a number, and no letter */
    PAY_PAN_LETTER,            /* A-Z a-z */
    PAY_PAN_SEP,               /* stands between groups of digits */
    PAY_PAN_DIGIT,
    PAY_PAN_MORE               /* first byte of what may be longer */
} pay_pan_kind_t;

/* One character, or one escape that stands for it. */
typedef struct {
    pay_pan_kind_t  kind;
    unsigned        digit;
    size_t          len;       /* bytes, at least 1 */
} pay_pan_unit_t;

/* The text around a number that passed the check digit. */
typedef struct {
    size_t    start;           /* where its first group begins */
    size_t    end;
    unsigned  digits;          /* without zeros beside it */
    int       is_first;        /* no separator stands before that group */
    int       is_run;          /* one group, else several */
} pay_pan_place_t;


/* The kind of each byte. */
extern const unsigned char  pay_pan_kinds[256];

/* For each byte value: whether every chain ends there, and whether it may be a
 * digit.  No byte of an escape of JSON ends a chain: of those that follow the
 * backslash, the lowest bits are 0. */
typedef struct {
    uint16_t  ends;
    uint16_t  counts;
    int32_t   shows;
} pay_pan_sieve_t;

#define PAY_PAN_HIDDEN  5      /* bytes behind the backslash of \uXXXX */

extern const pay_pan_sieve_t  pay_pan_sieve[256];

/* The character at `at`, which is inside the text: ASCII, a full-width digit,
 * a blank, dash or stop of Unicode, or JSON's escape of one of them.  All
 * else is a byte of PAY_PAN_OTHER. */
pay_pan_unit_t pay_pan_unit(pay_str_t text, size_t at);

/* The first card number in the text; 0: there is none. */
int pay_pan_first(pay_str_t text, pay_pan_span_t *span);

/* For the first two digits: one bit for each length, from PAY_PAN_MIN on, that
 * cards have, and PAY_PAN_GAPS when pay_pan_is_gap() must be called: it returns
 * 1 when no card begins with these four. */
#define PAY_PAN_GAPS  0x80

extern const unsigned char  pay_pan_ranges[100];
/* Whether no card begins with these four digits. */
int pay_pan_is_gap(const unsigned char first[4]);

/* 1 when what stands around a number makes it part of something else: of a
 * word with other digits in it, a UUID, an IBAN, a barcode or a fraction. */
int pay_pan_is_part(pay_str_t text, const pay_pan_place_t *place);


/* 1 when cards of that many digits begin with these four. */
static inline int
pay_pan_is_issued(const unsigned char first[4], size_t digits)
{
    unsigned  range = pay_pan_ranges[first[0] * 10u + first[1]];

    return (range >> (digits - PAY_PAN_MIN) & 1)
           && (!(range & PAY_PAN_GAPS) || !pay_pan_is_gap(first));
}


#endif /* PAY_SRC_PAN_H */

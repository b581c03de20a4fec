/*
 * Searches a chain of groups of digits, for pan.c: numbers in groups as cards
 * print them, in single digits, and without separators.
 */

#include "core/pan_chain.h"


/* Zeros behind a number may be padding.  It is tried without them only when 14
 * digits remain and at least ten lie before the last zeros: other numbers end
 * with zeros far more often than cards do. */
#define PAY_PAN_CUT    14      /* digits left when zeros behind are cut off */
#define PAY_PAN_SIGNS  10      /* of these, up to the last one above 0 */


/* One group without the zeros before it. */
typedef struct {
    size_t                digits;
    size_t                used;      /* up to the last one above 0 */
    const unsigned char  *digit;
    unsigned char         read[PAY_PAN_KEPT + PAY_PAN_MAX];
} pay_pan_run_t;


/* Digit groups as cards print them: a last one of `min` to `max` digits, and
 * `sizes` before it. */
typedef struct {
    unsigned  mask;
    unsigned  sizes;
    unsigned  groups;
    unsigned  min;
    unsigned  max;
} pay_pan_shape_t;


static __attribute__((noinline)) int pay_pan_run(pay_pan_chain_t *chain,
    size_t size);
static void pay_pan_run_read(const pay_pan_chain_t *chain, size_t size,
    pay_pan_run_t *run);
static void pay_pan_run_again(const pay_pan_chain_t *chain,
    pay_pan_run_t *run);
static size_t pay_pan_skip_zeros(pay_str_t text, size_t at);
static inline pay_pan_unit_t pay_pan_digit(pay_str_t text, size_t at);
static int pay_pan_shapes(pay_pan_chain_t *chain, size_t size);
static int pay_pan_window(pay_pan_chain_t *chain, size_t first,
    size_t behind);
static __attribute__((noinline)) int pay_pan_stands(pay_pan_chain_t *chain,
    size_t start, size_t end, size_t digits);
static inline int pay_pan_is_luhn(const unsigned char *digit, size_t digits);


/*
 * Only these groupings count when digits are separated.  A UUID joins groups
 * of 8-4-4-4-12 with dashes, dates and phone numbers join short ones: none
 * of them is here, so none of them needs luck with the check digit.
 */
static const pay_pan_shape_t  pay_pan_table[] = {
    { 0x00ffffff, 0x00040404, 3, 1, 7 },        /* Visa, Mastercard, JCB */
    { 0xffffffff, 0x04040404, 4, 1, 3 },        /* 17 to 19 digits */
    { 0x0000ffff, 0x00000406, 2, 4, 5 }         /* Diners, American Express */
};

#define PAY_PAN_SHAPES  (sizeof(pay_pan_table) / sizeof(pay_pan_table[0]))

/* The same in each of eight bytes. */
#define EACH(n)  ((n) * UINT64_C(0x0101010101010101))

#define PAY_PAN_EIGHTS  3      /* as many hold PAY_PAN_MAX digits */

/* The first half is zero: reading from the middle less n bytes gives a mask
 * that keeps the last n bytes of a word. */
static const unsigned char  pay_pan_mask[2 * 8 * PAY_PAN_EIGHTS] = {
    [8 * PAY_PAN_EIGHTS ... 2 * 8 * PAY_PAN_EIGHTS - 1] = 0xff
};

/* The last digit is not doubled, the one before it is. */
static const union {
    unsigned char  byte[8];
    uint64_t       word;
} pay_pan_every_second = { { 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0 } };


/* Judges the chain each time that a group ends, because a number may be
 * followed by other groups (an expiry date, a code).  The shapes are asked
 * first, since most groups that get here are of four digits. */
int
pay_pan_ended(pay_pan_chain_t *chain, size_t size)
{
    unsigned  before = chain->sizes & 0xff;

    if ((before == 4 || before == 6) && size <= PAY_PAN_LAST
        && pay_pan_shapes(chain, size))
    {
        return 1;
    }

    if (size == 1) {
        /* from the first of them on */
        return chain->singles + 1 >= PAY_PAN_MIN
               && chain->singles + 1 <= PAY_PAN_MAX
               && pay_pan_window(chain, chain->groups - chain->singles - 1,
                                 chain->groups);
    }

    if (chain->singles >= PAY_PAN_MIN
        && pay_pan_singles(chain, chain->groups - 1))
    {
        return 1;
    }

    return size >= PAY_PAN_MIN && pay_pan_run(chain, size);
}


/* A number without separators.  Zeros before it are padding, and those behind
 * it may be. */
static int
pay_pan_run(pay_pan_chain_t *chain, size_t size)
{
    size_t           digits, last;
    pay_pan_run_t    run;
    pay_pan_place_t  place;

    pay_pan_run_read(chain, size, &run);

    if (run.digits < PAY_PAN_MIN || run.used > PAY_PAN_MAX) {
        return 0;
    }

    /* Every length from the shortest that holds all digits above 0 to the
     * whole run is tried: zeros behind a number may be padding or part of
     * it. */
    digits = (run.used > PAY_PAN_MIN) ? run.used : PAY_PAN_MIN;
    last = (run.digits < PAY_PAN_MAX) ? run.digits : PAY_PAN_MAX;

    place.start = chain->group[(chain->groups - 1) & PAY_PAN_MASK].at;
    place.end = chain->end;
    place.is_first = (place.start == chain->begin);
    place.is_run = 1;

    for (/* void */; digits <= last; digits++) {

        if (digits != run.digits
            && (run.used < PAY_PAN_SIGNS || digits < PAY_PAN_CUT))
        {
            continue;
        }

        place.digits = (unsigned) digits;

        if (pay_pan_is_issued(run.digit, digits)
            && pay_pan_is_luhn(run.digit, digits)
            && !pay_pan_is_part(chain->text, &place))
        {
            *chain->span = (pay_pan_span_t) {
                pay_pan_skip_zeros(chain->text, place.start), chain->end
            };

            return 1;
        }
    }

    return 0;
}


/* The digits of the group without zeros before it; `used` leaves out those
 * behind it as well.  They are at hand unless the group is longer than one
 * block. */
static void
pay_pan_run_read(const pay_pan_chain_t *chain, size_t size, pay_pan_run_t *run)
{
    const unsigned char  *digit;

    if (chain->count - chain->base > chain->read) {
        pay_pan_run_again(chain, run);
        return;
    }

    digit = chain->digit + PAY_PAN_KEPT + (chain->count - size - chain->base);

    for (/* void */; size > 0 && *digit == 0; size--) {
        digit++;
    }

    run->digit = digit;
    run->digits = size;

    while (size > 0 && digit[size - 1] == 0) {
        size--;
    }

    run->used = size;
}


/* Reads a group that is longer than one block from the text again, up to the
 * digits that a number can have: a run of a million digits costs one pass. */
static void
pay_pan_run_again(const pay_pan_chain_t *chain, pay_pan_run_t *run)
{
    size_t          at;
    pay_pan_unit_t  unit;

    memset(run, 0, sizeof(pay_pan_run_t));
    run->digit = run->read + PAY_PAN_KEPT;

    at = pay_pan_skip_zeros(
        chain->text, chain->group[(chain->groups - 1) & PAY_PAN_MASK].at);

    for (/* void */;
         at < chain->end && run->used <= PAY_PAN_MAX;
         at += unit.len)
    {
        unit = pay_pan_digit(chain->text, at);

        if (run->digits < PAY_PAN_MAX) {
            run->read[PAY_PAN_KEPT + run->digits] = (unsigned char) unit.digit;
        }

        run->digits++;

        if (unit.digit != 0) {
            run->used = run->digits;
        }
    }
}


/* Finds the first digit above 0 of a group, else its end. */
static size_t
pay_pan_skip_zeros(pay_str_t text, size_t at)
{
    pay_pan_unit_t  unit;

    for (/* void */; at < text.len; at += unit.len) {
        unit = pay_pan_digit(text, at);

        if (unit.kind != PAY_PAN_DIGIT || unit.digit != 0) {
            break;
        }
    }

    return at;
}


/* pay_pan_unit() with a short way for ASCII, which nearly every digit is. */
static inline pay_pan_unit_t
pay_pan_digit(pay_str_t text, size_t at)
{
    if (pay_pan_kinds[text.data[at]] == PAY_PAN_DIGIT) {
        return (pay_pan_unit_t) { PAY_PAN_DIGIT, text.data[at] - '0', 1 };
    }

    return pay_pan_unit(text, at);
}


/* `sizes` has one byte for each group before the last one, so that a shape is
 * compared by a mask; a group too long for any shape is 0xff. */
static int
pay_pan_shapes(pay_pan_chain_t *chain, size_t size)
{
    unsigned                i;
    const pay_pan_shape_t  *shape;

    for (i = 0; i < PAY_PAN_SHAPES; i++) {
        shape = &pay_pan_table[i];

        if ((chain->sizes & shape->mask) == shape->sizes
            && size >= shape->min && size <= shape->max
            && pay_pan_window(chain, chain->groups - 1 - shape->groups,
                              chain->groups))
        {
            return 1;
        }
    }

    return 0;
}


/* "4 1 1 1 …" has no group sizes to go by: every length that a number can have
 * is tried, ending with the last single digit. */
int
pay_pan_singles(pay_pan_chain_t *chain, size_t behind)
{
    size_t  digits;

    for (digits = PAY_PAN_MIN;
         digits <= PAY_PAN_MAX && digits <= chain->singles;
         digits++)
    {
        if (pay_pan_window(chain, behind - digits, behind)) {
            return 1;
        }
    }

    return 0;
}


/* Judges the groups from `first` on, up to the one before `behind`, as one
 * number. Ranges come first, as they refuse most digits without a sum. */
static int
pay_pan_window(pay_pan_chain_t *chain, size_t first, size_t behind)
{
    size_t                  digits;
    const unsigned char    *digit;
    const pay_pan_group_t  *from, *to;

    from = &chain->group[first & PAY_PAN_MASK];
    to = &chain->group[behind & PAY_PAN_MASK];
    digits = (behind == chain->groups ? chain->count : to->count)
             - from->count;
    digit = chain->digit + PAY_PAN_KEPT + from->count - chain->base;

    return pay_pan_is_issued(digit, digits) && pay_pan_is_luhn(digit, digits)
           && pay_pan_stands(chain, from->at,
                             behind == chain->groups ? chain->end : to->at,
                             digits);
}


/* The number has passed length, range and check digit; it counts unless it is
 * part of something else, such as a UUID. */
static int
pay_pan_stands(pay_pan_chain_t *chain, size_t start, size_t end, size_t digits)
{
    pay_pan_place_t  place = {
        .start = start,
        .end = end,
        .digits = (unsigned) digits,
        .is_first = (start == chain->begin)
    };

    if (pay_pan_is_part(chain->text, &place)) {
        return 0;
    }

    *chain->span = (pay_pan_span_t) { start, end };

    return 1;
}


/* The check digit is the last one.  Eight digits at a time, from the last one
 * on: bytes before the first digit are read, and masked. */
static inline int
pay_pan_is_luhn(const unsigned char *digit, size_t digits)
{
    unsigned  i;
    uint64_t  eight, mask, doubled, sum;

    for (i = 1, sum = 0; 8 * (i - 1) < digits; i++) {
        /* PAY_PAN_KEPT bytes lie before the digits, so that the first word may
         * begin before them. */
        memcpy(&eight, digit + digits - 8 * i, 8);
        memcpy(&mask, pay_pan_mask + digits + 8 * (PAY_PAN_EIGHTS - i), 8);
        eight &= mask;

        /* of a digit above 4 doubled: the sum of its two digits */
        doubled = eight & pay_pan_every_second.word;
        sum += eight + doubled
               - 9 * (((doubled + EACH(128 - 5)) >> 7) & EACH(1));
    }

    /* at most 27 in each byte */
    return (sum * EACH(1) >> 56) % 10 == 0;
}

/*
 * Card data canary: finds what looks like a card number in any text, so that
 * it is refused, or masked in whatever goes to a log (redact.c).  Never
 * stores, counts or reports the digits.
 *
 * One pass.  Digits form groups, groups with separators between them form a
 * chain.  The sums of the Luhn check run along with the digits, so that each
 * number that may end with a group is judged in constant time.
 */

#include "core/pan.h"


#define PAY_PAN_SEPS   3       /* " - " */
#define PAY_PAN_LAST   7       /* digits of the longest group of several */
#define PAY_PAN_CUT    14      /* digits left when zeros behind are cut off */
#define PAY_PAN_SIGNS  10      /* of these, up to the last one above 0 */

/* Of a chain are remembered: the last groups, and the last digits. */
#define PAY_PAN_RING   32
#define PAY_PAN_MASK   (PAY_PAN_RING - 1)


typedef struct {
    size_t    at;              /* where it begins */
    size_t    count;           /* digits of the chain before it */
    uint64_t  sum;             /* see pay_pan_adds */
} pay_pan_group_t;

typedef struct {
    pay_str_t        text;
    pay_pan_span_t  *span;
    size_t           begin;    /* of the chain */
    size_t           end;      /* of the last group */
    size_t           count;    /* digits; of a group longer than those that
                                  stand beside others only so many */
    size_t           groups;
    size_t           singles;  /* groups of one digit at the end */
    uint64_t         sum;
    unsigned         sizes;    /* of groups, the last in the lowest byte */
    pay_pan_group_t  group[PAY_PAN_RING];
    unsigned char    digit[PAY_PAN_RING];
} pay_pan_chain_t;

/* One group without the zeros before it. */
typedef struct {
    size_t         digits;
    size_t         used;       /* up to the last one above 0 */
    size_t         start;
    unsigned char  digit[PAY_PAN_MAX];
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


static size_t pay_pan_skip(pay_str_t text, size_t at);
static int pay_pan_chain(pay_pan_chain_t *chain, size_t *at);
static size_t pay_pan_group(pay_pan_chain_t *chain, size_t at, size_t *size);
static size_t pay_pan_separators(pay_str_t text, size_t at, int *goes_on);
static int pay_pan_ended(pay_pan_chain_t *chain, size_t size);
static int pay_pan_run(pay_pan_chain_t *chain);
static void pay_pan_run_read(const pay_pan_chain_t *chain, pay_pan_run_t *run);
static int pay_pan_run_fits(const pay_pan_run_t *run, unsigned digits);
static int pay_pan_shapes(pay_pan_chain_t *chain, size_t size);
static int pay_pan_singles(pay_pan_chain_t *chain, size_t behind);
static int pay_pan_window(pay_pan_chain_t *chain, size_t first,
    size_t behind);
static int pay_pan_is_luhn(const pay_pan_group_t *from,
    const pay_pan_group_t *to);


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

#define PAIR(n, d)  ((uint64_t) (n) << 32 | (d))

/* What a digit adds to the sums of the Luhn check, at an even place and at an
 * odd one.  The lower half is the sum with the digits at even places doubled,
 * the upper half that with the others doubled. */
static const uint64_t  pay_pan_adds[2][10] = {
    { PAIR(0, 0), PAIR(1, 2), PAIR(2, 4), PAIR(3, 6), PAIR(4, 8), PAIR(5, 1),
      PAIR(6, 3), PAIR(7, 5), PAIR(8, 7), PAIR(9, 9) },
    { PAIR(0, 0), PAIR(2, 1), PAIR(4, 2), PAIR(6, 3), PAIR(8, 4), PAIR(1, 5),
      PAIR(3, 6), PAIR(5, 7), PAIR(7, 8), PAIR(9, 9) }
};


int
pay_pan_found(pay_str_t text)
{
    pay_pan_span_t  span;

    return pay_pan_first(text, &span);
}


int
pay_pan_first(pay_str_t text, pay_pan_span_t *span)
{
    size_t           at;
    pay_pan_chain_t  chain;

    chain.text = text;
    chain.span = span;

    for (at = pay_pan_skip(text, 0);
         at < text.len;
         at = pay_pan_skip(text, at))
    {
        if (pay_pan_chain(&chain, &at)) {
            return 1;
        }
    }

    return 0;
}


/* The next digit, or the end. */
static size_t
pay_pan_skip(pay_str_t text, size_t at)
{
    pay_pan_unit_t  unit;

    for ( ;; ) {
        while (at < text.len
               && pay_pan_kinds[text.data[at]] < PAY_PAN_DIGIT)
        {
            at++;
        }

        if (at == text.len || pay_pan_kinds[text.data[at]] == PAY_PAN_DIGIT) {
            return at;
        }

        /* none of the others begins a digit */
        if (text.data[at] != '\\' && text.data[at] != 0xef) {
            at++;
            continue;
        }

        unit = pay_pan_unit(text, at);
        if (unit.kind == PAY_PAN_DIGIT) {
            return at;
        }

        at += unit.len;
    }
}


/* From its first digit to what ends it: 1 when a number is in it. */
static int
pay_pan_chain(pay_pan_chain_t *chain, size_t *at)
{
    int      goes_on;
    size_t   size;

    chain->begin = *at;
    chain->count = 0;
    chain->groups = 0;
    chain->singles = 0;
    chain->sum = 0;
    chain->sizes = 0;

    do {
        *at = pay_pan_group(chain, *at, &size);

        if (pay_pan_ended(chain, size)) {
            return 1;
        }

        *at = pay_pan_separators(chain->text, *at, &goes_on);
    } while (goes_on);

    return chain->singles >= PAY_PAN_MIN
           && pay_pan_singles(chain, chain->groups);
}


/* Reads the group that begins at `at`. */
static size_t
pay_pan_group(pay_pan_chain_t *chain, size_t at, size_t *size)
{
    size_t            n, count = chain->count;
    uint64_t          sum = chain->sum;
    unsigned          digit;
    pay_str_t         text = chain->text;
    pay_pan_unit_t    unit;
    pay_pan_group_t  *group = &chain->group[chain->groups & PAY_PAN_MASK];

    group->at = at;
    group->count = count;
    group->sum = sum;

    for (n = 0; at < text.len; n++) {

        if (pay_pan_kinds[text.data[at]] == PAY_PAN_DIGIT) {
            digit = text.data[at++] - '0';

        } else if (pay_pan_kinds[text.data[at]] == PAY_PAN_MORE) {
            unit = pay_pan_unit(text, at);
            if (unit.kind != PAY_PAN_DIGIT) {
                break;
            }

            digit = unit.digit;
            at += unit.len;

        } else {
            break;
        }

        if (n < PAY_PAN_LAST) {
            chain->digit[count & PAY_PAN_MASK] = (unsigned char) digit;
            sum += pay_pan_adds[count & 1][digit];
            count++;
        }
    }

    chain->count = count;
    chain->sum = sum;
    chain->end = at;
    *size = n;

    return at;
}


/* One to three between two groups; else the chain ends there. */
static size_t
pay_pan_separators(pay_str_t text, size_t at, int *goes_on)
{
    unsigned         n;
    pay_pan_unit_t   unit;

    for (n = 0; at < text.len; n++) {

        switch (pay_pan_kinds[text.data[at]]) {

        case PAY_PAN_SEP:
            at++;
            continue;

        case PAY_PAN_DIGIT:
            *goes_on = (n <= PAY_PAN_SEPS);
            return at;

        case PAY_PAN_MORE:
            unit = pay_pan_unit(text, at);

            if (unit.kind == PAY_PAN_SEP) {
                at += unit.len;
                continue;
            }

            *goes_on = (unit.kind == PAY_PAN_DIGIT && n <= PAY_PAN_SEPS);
            return at;

        default:
            *goes_on = 0;
            return at;
        }
    }

    *goes_on = 0;

    return at;
}


/* A group has ended: 1 when a number ends with it. */
static int
pay_pan_ended(pay_pan_chain_t *chain, size_t size)
{
    unsigned  before = chain->sizes & 0xff;

    chain->groups++;

    if ((before == 4 || before == 6) && pay_pan_shapes(chain, size)) {
        return 1;
    }

    chain->sizes = chain->sizes << 8
                   | (unsigned) (size <= PAY_PAN_LAST ? size : 0xff);

    if (size == 1) {
        chain->singles++;

        /* from the first of them on */
        return chain->singles >= PAY_PAN_MIN && chain->singles <= PAY_PAN_MAX
               && pay_pan_window(chain, chain->groups - chain->singles,
                                 chain->groups);
    }

    if (chain->singles >= PAY_PAN_MIN
        && pay_pan_singles(chain, chain->groups - 1))
    {
        return 1;
    }

    chain->singles = 0;

    return size >= PAY_PAN_MIN && pay_pan_run(chain);
}


/* A number without separators.  Zeros before it are padding, and those behind
 * it may be. */
static int
pay_pan_run(pay_pan_chain_t *chain)
{
    unsigned         digits, last;
    pay_pan_run_t    run;
    pay_pan_place_t  place;

    pay_pan_run_read(chain, &run);

    if (run.digits < PAY_PAN_MIN || run.used > PAY_PAN_MAX) {
        return 0;
    }

    digits = (run.used > PAY_PAN_MIN) ? (unsigned) run.used : PAY_PAN_MIN;
    last = (run.digits < PAY_PAN_MAX) ? (unsigned) run.digits : PAY_PAN_MAX;

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

        place.digits = digits;

        if (pay_pan_is_issued(run.digit, digits)
            && pay_pan_run_fits(&run, digits)
            && !pay_pan_is_part(chain->text, &place))
        {
            *chain->span = (pay_pan_span_t) { run.start, chain->end };
            return 1;
        }
    }

    return 0;
}


static void
pay_pan_run_read(const pay_pan_chain_t *chain, pay_pan_run_t *run)
{
    size_t           at;
    pay_pan_unit_t   unit = { PAY_PAN_DIGIT, 0, 1 };

    run->digits = 0;
    run->used = 0;

    for (at = chain->group[(chain->groups - 1) & PAY_PAN_MASK].at;
         at < chain->end && run->used <= PAY_PAN_MAX;
         at += unit.len)
    {
        if (pay_pan_kinds[chain->text.data[at]] == PAY_PAN_DIGIT) {
            unit.digit = chain->text.data[at] - '0';
            unit.len = 1;

        } else {
            unit = pay_pan_unit(chain->text, at);
        }

        if (run->used == 0 && unit.digit == 0) {
            continue;
        }

        if (run->digits == 0) {
            run->start = at;
        }

        if (run->digits < PAY_PAN_MAX) {
            run->digit[run->digits] = (unsigned char) unit.digit;
        }

        run->digits++;

        if (unit.digit != 0) {
            run->used = run->digits;
        }
    }
}


/* The check digit is the last one. */
static int
pay_pan_run_fits(const pay_pan_run_t *run, unsigned digits)
{
    unsigned  i;
    uint64_t  sum;

    for (i = 0, sum = 0; i < digits; i++) {
        sum += pay_pan_adds[(digits - i) & 1][run->digit[i]];
    }

    return (sum & UINT32_MAX) % 10 == 0;
}


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


/* Each digit on its own, "4 1 1 1 ...", up to the last of them. */
static int
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


/* The groups from `first` on, up to the one before `behind`. */
static int
pay_pan_window(pay_pan_chain_t *chain, size_t first, size_t behind)
{
    size_t            i, digits;
    unsigned char     head[4];
    pay_pan_place_t   place;
    pay_pan_group_t  *from, to;

    from = &chain->group[first & PAY_PAN_MASK];
    to = (behind == chain->groups)
         ? (pay_pan_group_t) { chain->end, chain->count, chain->sum }
         : chain->group[behind & PAY_PAN_MASK];
    digits = to.count - from->count;

    for (i = 0; i < 4; i++) {
        head[i] = chain->digit[(from->count + i) & PAY_PAN_MASK];
    }

    if (!pay_pan_is_issued(head, (unsigned) digits)
        || !pay_pan_is_luhn(from, &to))
    {
        return 0;
    }

    place.start = from->at;
    place.end = to.at;
    place.digits = (unsigned) digits;
    place.is_first = (place.start == chain->begin);
    place.is_run = 0;

    if (pay_pan_is_part(chain->text, &place)) {
        return 0;
    }

    *chain->span = (pay_pan_span_t) { place.start, place.end };

    return 1;
}


static int
pay_pan_is_luhn(const pay_pan_group_t *from, const pay_pan_group_t *to)
{
    uint64_t  sum = to->sum - from->sum;

    /* the last digit is not doubled */
    return ((to->count & 1) ? sum >> 32 : sum & UINT32_MAX) % 10 == 0;
}

/*
 * Card data canary: finds what looks like a card number in any text, so that
 * it is refused, or masked in whatever goes to a log (redact.c).  Never
 * stores, counts or reports the digits.
 *
 * Digits form groups, groups with separators between them form a chain;
 * pan_chain.c judges what a chain holds.  An attacker chooses the text such
 * that a processor guesses each branch wrong.  The loops that every byte goes
 * through, pay_pan_sift() and pay_pan_fill(), therefore have none that
 * depends on where digits stand.
 */

#include "core/pan_chain.h"


#define PAY_PAN_SEPS   3       /* " - " */


/*
 *   text        Card: 4111 1111-1111 1111, valid 12/27
 *   characters  . ... DDDDsDDDDsDDDDsDDDD  . ...         pay_pan_fill()
 *   groups            4    4    4    4                   pay_pan_groups()
 *   chain             4111111111111111                   pay_pan_ended()
 *   verdict           range, check digit, no part of anything else
 *
 * pay_pan_sift() finds out, byte by byte and without characters, where
 * thirteen digits may stand at all; everything behind it works on few bytes of
 * an ordinary text. */

static size_t pay_pan_sift(pay_str_t text, size_t at, size_t *seen);
static size_t pay_pan_skip(pay_str_t text, size_t at, size_t end);
static int pay_pan_stretch(pay_pan_chain_t *chain, size_t *at);
static void pay_pan_keep(pay_pan_chain_t *chain);
static size_t pay_pan_fill(pay_pan_chain_t *chain, size_t at, int *is_last);
static int pay_pan_groups(pay_pan_chain_t *chain, int is_last, size_t *at);
static int pay_pan_cut(pay_pan_chain_t *chain, size_t i, size_t size,
    size_t *at);
static size_t pay_pan_more(pay_str_t text, size_t *end);
static inline int pay_pan_group(pay_pan_chain_t *chain, size_t at, size_t size);
static void pay_pan_begin(pay_pan_chain_t *chain, size_t at);
static int pay_pan_finish(pay_pan_chain_t *chain);


int
pay_pan_found(pay_str_t text)
{
    pay_pan_span_t  span;

    return pay_pan_first(text, &span);
}


/* Alternates between a cheap pass over bytes (pay_pan_sift) that finds where
 * thirteen digits may stand, and the reading of characters from there on.
 * Both go forward only, so that the scan is linear in the text. */
int
pay_pan_first(pay_str_t text, pay_pan_span_t *span)
{
    size_t           at, seen;
    pay_pan_chain_t  chain;

    chain.text = text;
    chain.span = span;

    for (at = 0; at < text.len; /* void */) {

        at = pay_pan_sift(text, at, &seen);

        for (at = pay_pan_skip(text, at, seen);
             at < seen;
             at = pay_pan_skip(text, at, seen))
        {
            if (pay_pan_stretch(&chain, &at)) {
                return 1;
            }
        }
    }

    return 0;
}


/*
 * Passes over text without a number: between two bytes at which every chain
 * ends stand fewer digits than a number has.  A byte that may belong to a
 * digit of several bytes counts as a digit; one that may belong to an escape
 * ends nothing.  Returns where a chain with enough digits may begin, which is
 * the start of a character, and in `seen` up to where the text was read.
 */
static size_t
pay_pan_sift(pay_str_t text, size_t at, size_t *seen)
{
    size_t                  from = at;
    int32_t                 shown = -1;
    unsigned                ends, count = 0;
    const pay_pan_sieve_t  *sieve;

    while (at < text.len && count < PAY_PAN_MIN) {
        /* No branch here depends on the text: `ends` is 0 or 1 and becomes a
         * mask. */
        sieve = &pay_pan_sieve[text.data[at++]];
        ends = sieve->ends & (unsigned) shown;
        shown = (shown >> 1) & sieve->shows;
        count = (count + sieve->counts) & (ends - 1);
        from = ends ? at : from;
    }

    *seen = at;

    return (count < PAY_PAN_MIN) ? at : from;
}


/* The next digit, or `end`. */
static size_t
pay_pan_skip(pay_str_t text, size_t at, size_t end)
{
    pay_pan_unit_t  unit;

    while (at < end) {

        switch (pay_pan_kinds[text.data[at]]) {

        case PAY_PAN_DIGIT:
            return at;

        case PAY_PAN_MORE:
            unit = pay_pan_unit(text, at);
            if (unit.kind == PAY_PAN_DIGIT) {
                return at;
            }

            at += unit.len;
            continue;

        default:
            at++;
        }
    }

    return at;
}


/* Reads one chain, from its first digit to a character that is neither digit
 * nor separator, or to where too many separators end it: 1 when a number is in
 * it. It reads in blocks, since a chain may be as long as the text. */
static int
pay_pan_stretch(pay_pan_chain_t *chain, size_t *at)
{
    int     is_last;
    size_t  to;

    chain->count = 0;
    chain->base = 0;
    chain->read = 0;
    pay_pan_begin(chain, *at);

    do {
        pay_pan_keep(chain);
        to = pay_pan_fill(chain, *at, &is_last);

        if (pay_pan_groups(chain, is_last, at)) {
            return 1;
        }
    } while (!is_last && chain->at[0] < *at);

    *at = to;

    return pay_pan_finish(chain);
}


/* A number may begin in one block and end in the next: the last digits that
 * were read stay in front of those that are read next. */
static void
pay_pan_keep(pay_pan_chain_t *chain)
{
    size_t  judged = chain->count - chain->base;

    if (judged > 0) {
        memmove(chain->digit,
                chain->digit + (judged < chain->read ? judged : chain->read),
                PAY_PAN_KEPT);
    }

    chain->base = chain->count;
}


/* Reads the next PAY_PAN_BLOCK digits and separators.  A bit of `digits` says
 * for each whether it is a digit, so that groups are found by counting bits.
 * Returns where it stopped: for good when `is_last`. */
static size_t
pay_pan_fill(pay_pan_chain_t *chain, size_t at, int *is_last)
{
    size_t                i, len, count;
    uint64_t              digits;
    unsigned              kind, value;
    pay_pan_unit_t        unit;
    pay_str_t             text = chain->text;

    for (i = 0, count = PAY_PAN_KEPT, digits = 0;
         i < PAY_PAN_BLOCK && at < text.len;
         i++, at += len)
    {
        kind = pay_pan_kinds[text.data[at]];
        value = text.data[at] & 0x0f;
        len = 1;

        if (kind == PAY_PAN_MORE) {
            unit = pay_pan_unit(text, at);
            kind = unit.kind;
            value = unit.digit;
            len = unit.len;
        }

        if (kind < PAY_PAN_SEP) {
            break;
        }

        /* Written for separators, too: `digit` advances only behind a digit,
         * `at` always. */
        chain->at[i] = at;
        chain->digit[count] = (unsigned char) value;
        count += kind - PAY_PAN_SEP;
        digits |= (uint64_t) (kind - PAY_PAN_SEP) << i;
    }

    chain->at[i] = at;
    chain->length = i;
    chain->read = count - PAY_PAN_KEPT;
    chain->digits = digits;
    *is_last = (i < PAY_PAN_BLOCK);

    return at;
}


/* Splits that which pay_pan_fill() has read, up to `to`, into groups, and has
 * each judged.  A group that touches the end of the block is not complete yet:
 * reading goes on at `at`, its first character. */
static int
pay_pan_groups(pay_pan_chain_t *chain, int is_last, size_t *at)
{
    size_t    i, gap, size;
    uint64_t  left;

    for (i = 0, left = chain->digits; left != 0; i += size) {
        gap = (size_t) __builtin_ctzll(left);
        left >>= gap;
        i += gap;

        size = (~left == 0) ? PAY_PAN_BLOCK : (size_t) __builtin_ctzll(~left);
        left = (size == PAY_PAN_BLOCK) ? 0 : left >> size;

        /* Four separators in a row part two numbers; a new chain begins. */
        if (gap > PAY_PAN_SEPS) {
            if (pay_pan_finish(chain)) {
                return 1;
            }

            pay_pan_begin(chain, chain->at[i]);
        }

        if (i + size == chain->length && !is_last) {
            return pay_pan_cut(chain, i, size, at);
        }

        chain->end = chain->at[i + size];

        /* bit i of digits is set only after at[i] was written:
         * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
        if (pay_pan_group(chain, chain->at[i], size)) {
            return 1;
        }
    }

    *at = chain->at[i];

    return 0;
}


/* A group goes on behind the block.  A short one is read again with the next
 * block; a long one is counted to its end here, or no block would ever hold
 * it. */
static int
pay_pan_cut(pay_pan_chain_t *chain, size_t i, size_t size, size_t *at)
{
    *at = chain->at[i];

    if (size <= PAY_PAN_LAST) {
        return 0;
    }

    /* of that many digits no single one is asked for */
    chain->end = chain->at[i + size];
    size += pay_pan_more(chain->text, &chain->end);

    if (pay_pan_group(chain, *at, size)) {
        return 1;
    }

    *at = chain->end;

    return 0;
}


/* The digits from `*end` on, which becomes the end of them. */
static size_t
pay_pan_more(pay_str_t text, size_t *end)
{
    size_t          at, digits;
    pay_pan_unit_t  unit;

    for (at = *end, digits = 0; at < text.len; at += unit.len, digits++) {

        while (at < text.len
               && pay_pan_kinds[text.data[at]] == PAY_PAN_DIGIT)
        {
            at++;
            digits++;
        }

        if (at == text.len) {
            break;
        }

        unit = pay_pan_unit(text, at);
        if (unit.kind != PAY_PAN_DIGIT) {
            break;
        }
    }

    *end = at;

    return digits;
}


/* One group, which ends at chain->end: 1 when a number ends with it. */
static inline int
pay_pan_group(pay_pan_chain_t *chain, size_t at, size_t size)
{
    unsigned  is_single = (size == 1);

    chain->group[chain->groups & PAY_PAN_MASK]
        = (pay_pan_group_t) { at, chain->count };
    chain->groups++;
    chain->count += size;

    if (pay_pan_may_end(chain, size) && pay_pan_ended(chain, size)) {
        return 1;
    }

    chain->sizes = chain->sizes << 8
                   | (unsigned) (size <= PAY_PAN_LAST ? size : 0xff);
    chain->singles = (chain->singles + is_single) & (0 - (size_t) is_single);

    return 0;
}


static void
pay_pan_begin(pay_pan_chain_t *chain, size_t at)
{
    chain->begin = at;
    chain->groups = 0;
    chain->singles = 0;
    chain->sizes = 0;
}


/* Single digits are judged when the chain ends, too: nothing ends them
 * before. */
static int
pay_pan_finish(pay_pan_chain_t *chain)
{
    return chain->singles >= PAY_PAN_MIN
           && pay_pan_singles(chain, chain->groups);
}

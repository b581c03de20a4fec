/*
 * The distance between two words (optimal string alignment), and the nearest
 * of a list.  Bounded: words of at most 64 bytes, three rows of memory.
 */

#include "pay_near.h"


/* More than three wrong letters are another word, however long it is. */
#define EDITS_MAX   3
/* "ex" begins too many words to be an abbreviation of one. */
#define PREFIX_MIN  3


static unsigned cell(const unsigned char *const rows[3], pay_str_t a,
    pay_str_t b, size_t i, size_t j);
static const char *only_longer(pay_str_t word, const char *const *words);
static int begins(pay_str_t text, pay_str_t prefix);
static unsigned char lower(unsigned char c);


/* Three rows instead of the whole matrix: a swap of two neighbours looks two
 * rows back.  They take turns by i % 3; `last` hands them to cell() in the
 * order of their age. */
unsigned
pay_near_distance(pay_str_t a, pay_str_t b)
{
    size_t         i, j;
    unsigned char  rows[3][PAY_NEAR_MAX + 1];

    if (a.len > PAY_NEAR_MAX || b.len > PAY_NEAR_MAX) {
        return PAY_NEAR_MAX + 1;
    }

    for (j = 0; j <= b.len; j++) {
        rows[0][j] = (unsigned char) j;
    }

    for (i = 1; i <= a.len; i++) {
        const unsigned char *const  last[3] = {
            rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]
        };

        rows[i % 3][0] = (unsigned char) i;

        for (j = 1; j <= b.len; j++) {
            rows[i % 3][j] = (unsigned char) cell(last, a, b, i, j);
        }
    }

    return rows[a.len % 3][b.len];
}


/* An abbreviation wins over a similar word: "expo" is seven letters short of
 * "exponential", which the distance alone would never offer. */
const char *
pay_near(pay_str_t word, const char *const *words)
{
    unsigned            distance, best;
    const char         *near;
    const char *const  *w;

    near = only_longer(word, words);
    if (near != NULL) {
        return near;
    }

    /* One letter in three may be wrong; a short word gets one mistake all the
     * same. */
    best = (unsigned) (word.len / 3);
    best = best < 1 ? 1 : best > EDITS_MAX ? EDITS_MAX : best;

    for (w = words; *w != NULL; w++) {
        distance = pay_near_distance(word, pay_str_of(*w));

        /* each letter may be wrong: that is another word */
        if (distance > best || distance >= word.len
            || (near != NULL && distance == best))
        {
            continue;
        }

        best = distance;
        near = *w;
    }

    return near;
}


/* The cheapest way to this cell: replace or keep, insert, remove, swap.
 * rows[0] is the row being written, rows[1] the one before it, rows[2] the one
 * before that. */
static unsigned
cell(const unsigned char *const rows[3], pay_str_t a, pay_str_t b, size_t i,
    size_t j)
{
    unsigned       least, other;
    unsigned char  x = lower(a.data[i - 1]), y = lower(b.data[j - 1]);

    least = rows[1][j - 1] + (x != y);

    other = (unsigned) rows[1][j] + 1;
    least = other < least ? other : least;

    other = (unsigned) rows[0][j - 1] + 1;
    least = other < least ? other : least;

    if (i > 1 && j > 1 && x == lower(b.data[j - 2])
        && y == lower(a.data[i - 2]))
    {
        other = (unsigned) rows[2][j - 2] + 1;
        least = other < least ? other : least;
    }

    return least;
}


/* NULL also when two words begin so: a suggestion that may be wrong is worse
 * than none. */
static const char *
only_longer(pay_str_t word, const char *const *words)
{
    const char  *longer = NULL;

    if (word.len < PREFIX_MIN) {
        return NULL;
    }

    for ( /* void */ ; *words != NULL; words++) {
        if (!begins(pay_str_of(*words), word)) {
            continue;
        }

        if (longer != NULL) {
            return NULL;
        }

        longer = *words;
    }

    return longer;
}


static int
begins(pay_str_t text, pay_str_t prefix)
{
    size_t  i;

    if (text.len < prefix.len) {
        return 0;
    }

    for (i = 0; i < prefix.len; i++) {
        if (lower(text.data[i]) != lower(prefix.data[i])) {
            return 0;
        }
    }

    return 1;
}


static unsigned char
lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char) (c | 0x20) : c;
}

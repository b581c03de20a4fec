/*
 * What the scan for card numbers costs, in ns of CPU a byte, over ordinary
 * texts and over those that an attacker would choose; beside it the SHA-256
 * of the same bytes.  Fails when a byte costs more than BOUND_NS in proportion
 * to that (measure.h), or when a text ten times as long costs more than twice
 * as much a byte.  Of a text that costs too much the best of TRIES is taken: a
 * busy machine slows what it measures.
 */

#include "measure.h"

#include "pay_pan.h"


#define SIZE      60000
#define BOUND_NS  4.0
#define TRIES     5

typedef struct {
    const char  *name;
    const char  *piece;        /* NULL: random */
    const char  *letters;
} bench_text_t;


static const bench_text_t  texts[] = {
    { "a webhook", "{\"id\":\"evt_1NG8Du2eZvKYlo2CUI79vXWy\",\"amount\":4999,"
      "\"created\":1795238300,\"note\":\"thanks, see you\"},", NULL },
    { "blanks", " ", NULL },
    { "3 3 3", "3 ", NULL },
    { "4 4 4", "4 ", NULL },
    { "groups of 4", "4444 ", NULL },
    { "digits", "4", NULL },
    { "zeros", "0", NULL },
    { "near misses", "4111 1111 1111 1112 ", NULL },
    { "runs", "4111111111111112 ", NULL },
    { "zeros behind", "411111111111111200 ", NULL },
    { "account numbers", "DK5000400440116243 ", NULL },
    { "UUIDs", "41114111-4111-4111-8111-411141114111 ", NULL },
    { "escapes", "\\u0034", NULL },
    { "backslashes", "\\", NULL },
    { "full width", "\xef\xbc\x94", NULL },
    { "random 3s, blanks", NULL, "3 -" },
    { "random 4s, blanks", NULL, "4 " },
    { "random", NULL, "\\un0041 \xef\xbc\x94\xc2\xa0" "A.,/" }
};


static volatile int  sink;


static void
scan(pay_str_t text, void *data)
{
    (void) data;
    sink += pay_pan_found(text);
}


static pay_str_t
text_of(const bench_text_t *text, size_t size)
{
    size_t          i;
    uint32_t        state = 1;
    pay_str_t       made;
    unsigned char  *data;

    if (text->piece != NULL) {
        return bench_repeat(text->piece, size);
    }

    made = bench_repeat("x", size);
    data = (unsigned char *) (uintptr_t) made.data;

    for (i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (unsigned char) text->letters[(state >> 16)
                                                % strlen(text->letters)];

        /* a number would end the scan */
        if (i % 64 == 63) {
            data[i] = 'x';
        }
    }

    return made;
}


/* In ns a byte; *over is set when that is too much in each try. */
static double
cost(pay_str_t text, int *over)
{
    double    ns, best = 0;
    unsigned  i;

    for (i = 0; i < TRIES; i++) {
        ns = bench_ns(scan, text, NULL) / (double) text.len;
        best = (i == 0 || ns < best) ? ns : best;
        *over = best > bench_bound(BOUND_NS, text);

        if (!*over) {
            break;
        }
    }

    return best;
}


int
main(void)
{
    int        bad = 0, found, over, longer_over;
    size_t     i;
    double     ns, longer;
    pay_str_t  text;

    printf("%-24s %8s %10s %8s\n", "text", "ns/byte", "10x longer", "SHA-256");

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        text = text_of(&texts[i], SIZE);
        found = pay_pan_found(text);
        ns = cost(text, &over);

        printf("%-24s %8.2f", texts[i].name, ns);

        longer = cost(text_of(&texts[i], 10 * SIZE), &longer_over);
        over |= longer_over || longer > 2 * ns + 0.5;

        printf(" %10.2f %8.2f%s%s\n", longer,
               bench_ns(bench_sha256, text, NULL) / (double) text.len,
               found ? "  (found: not scanned to its end)" : "",
               over ? "  (too much)" : "");

        bad |= found || over;
    }

    if (bad) {
        printf("a text costs too much, or not in line with its length\n");
    }

    return bad;
}

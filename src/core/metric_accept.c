/*
 * Reads a field Accept (RFC 9110, 12.5.1) for /metrics: OpenMetrics or the text
 * format.  OpenMetrics has to be named: a client that takes anything gets the
 * text format.
 */

#include <string.h>
#include <strings.h>

#include "pay_metric.h"


#define OPEN     "application/openmetrics-text"
#define PLAIN    "text/plain"
#define VERSION  "1.0.0"
#define FULL     1000                  /* "q=1", in thousandths */


/* How good a range fits; the closest one counts. */
typedef enum {
    FIT_NONE = 0,
    FIT_ANY,                           /* "*" of both */
    FIT_TYPE,
    FIT_NAME,
    FIT_VERSION
} fit_t;

typedef struct {
    fit_t  fit;
    int    q;                          /* thousandths */
} wish_t;


static pay_str_t cut(pay_str_t *text, unsigned char at);
static pay_str_t trim(pay_str_t text);
static int is(pay_str_t text, const char *word);
static fit_t fits(pay_str_t range, const char *type, const char *any);
static void read_range(pay_str_t range, wish_t *open, wish_t *plain);
static void wish(wish_t *w, fit_t fit, int q);
static int quality(pay_str_t text);


int
pay_metric_wants_open(pay_str_t accept)
{
    wish_t  open = { FIT_NONE, 0 }, plain = { FIT_NONE, 0 };

    while (accept.len != 0) {
        read_range(cut(&accept, ','), &open, &plain);
    }

    return open.fit >= FIT_NAME && open.q > 0 && open.q >= plain.q;
}


/* A range of another version than ours is no wish for ours; one whose weight
 * cannot be read is none at all. */
static void
read_range(pay_str_t range, wish_t *open, wish_t *plain)
{
    int        q = FULL;
    fit_t      of_open, of_plain;
    pay_str_t  name, value, type = trim(cut(&range, ';'));

    of_open = fits(type, OPEN, "application/*");
    of_plain = fits(type, PLAIN, "text/*");

    while (range.len != 0) {
        value = cut(&range, ';');
        name = trim(cut(&value, '='));
        value = trim(value);

        if (is(name, "q")) {
            q = quality(value);

        } else if (is(name, "version") && of_open == FIT_NAME) {
            of_open = is(value, VERSION) || is(value, "\"" VERSION "\"")
                      ? FIT_VERSION : FIT_NONE;
        }
    }

    if (q >= 0) {
        wish(open, of_open, q);
        wish(plain, of_plain, q);
    }
}


/* The closest range counts, and of equal ones the first. */
static void
wish(wish_t *w, fit_t fit, int q)
{
    if (fit > w->fit) {
        w->fit = fit;
        w->q = q;
    }
}


static fit_t
fits(pay_str_t range, const char *type, const char *any)
{
    return is(range, type) ? FIT_NAME
         : is(range, any) ? FIT_TYPE
         : is(range, "*/*") ? FIT_ANY
         : FIT_NONE;
}


/* "0" or "1" with at most three digits behind a dot; -1: neither. */
static int
quality(pay_str_t text)
{
    int     q;
    size_t  i;
    int     scale = FULL / 10;

    if (text.len == 0 || text.len > sizeof("0.123") - 1
        || (text.data[0] != '0' && text.data[0] != '1')
        || (text.len > 1 && text.data[1] != '.'))
    {
        return -1;
    }

    q = (text.data[0] - '0') * FULL;

    for (i = 2; i < text.len; i++, scale /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }

        q += (text.data[i] - '0') * scale;
    }

    return q <= FULL ? q : -1;
}


/* Returns the part in front of the byte, or all; the rest stays in *text. */
static pay_str_t
cut(pay_str_t *text, unsigned char at)
{
    pay_str_t             part = *text;
    const unsigned char  *end;

    end = memchr(text->data, at, text->len);

    if (end == NULL) {
        text->len = 0;
        return part;
    }

    part.len = (size_t) (end - text->data);
    text->data += part.len + 1;
    text->len -= part.len + 1;

    return part;
}


static pay_str_t
trim(pay_str_t text)
{
    while (text.len != 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }

    while (text.len != 0 && (text.data[text.len - 1] == ' '
                             || text.data[text.len - 1] == '\t'))
    {
        text.len--;
    }

    return text;
}


static int
is(pay_str_t text, const char *word)
{
    return text.len == strlen(word)
           && strncasecmp((const char *) text.data, word, text.len) == 0;
}

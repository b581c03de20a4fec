/*
 * The metrics of several cells as one text: each family once, with a label that
 * says whose series it is.  The writers of parts of /metrics know nothing of
 * cells.
 *
 *     text of a ─▶ families ─┐
 *     text of b ─▶ families ─┴▶ # HELP, # TYPE, series of a, series of b, …
 */

#include <string.h>

#include "pay_metric.h"


#define HELP          "# HELP "
#define FAMILIES_MAX  256              /* of one text */


/* head: its two comments; series: all lines behind them. */
typedef struct {
    pay_str_t  name;
    pay_str_t  head;
    pay_str_t  series;
    int        is_written;
} family_t;

typedef struct {
    family_t  *families;
    size_t     count;
} split_t;


static pay_status_t split(pay_arena_t *arena, pay_str_t text, split_t *out);
static pay_str_t line_of(pay_str_t text);
static int is_help(pay_str_t line);
static void write_family(pay_buf_t *out, const pay_metric_part_t *parts,
    split_t *splits, size_t from, size_t count, const family_t *family);
static void write_series(pay_buf_t *out, pay_str_t series, pay_str_t cell);


/* In the order of the first text that has a family: one may lack some, as
 * figures that are old are left out. */
pay_status_t
pay_metric_join(pay_buf_t *out, pay_arena_t *arena,
    const pay_metric_part_t *parts, size_t count)
{
    size_t    i, k;
    split_t  *splits;

    splits = pay_calloc(arena, (count + 1) * sizeof(split_t));
    if (splits == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < count; i++) {
        PAY_TRY(split(arena, parts[i].text, &splits[i]));
    }

    for (i = 0; i < count; i++) {
        for (k = 0; k < splits[i].count; k++) {
            if (!splits[i].families[k].is_written) {
                write_family(out, parts, splits, i, count,
                             &splits[i].families[k]);
            }
        }
    }

    return PAY_OK;
}


/* A family begins with its line HELP and ends in front of the next one. */
static pay_status_t
split(pay_arena_t *arena, pay_str_t text, split_t *out)
{
    size_t      head = 0;
    family_t   *family = NULL;
    pay_str_t   line;

    out->families = pay_calloc(arena, FAMILIES_MAX * sizeof(family_t));
    if (out->families == NULL) {
        return PAY_NO_MEMORY;
    }

    while (text.len != 0) {
        line = line_of(text);

        if (is_help(line)) {
            if (out->count == FAMILIES_MAX) {
                return PAY_INVALID;
            }

            family = &out->families[out->count++];
            family->name.data = line.data + sizeof(HELP) - 1;
            family->head = line;
            head = 1;

            while (family->name.data[family->name.len] != ' ') {
                family->name.len++;
            }

        } else if (family != NULL && head == 1) {
            family->head.len += line.len;               /* TYPE */
            family->series.data = line.data + line.len;
            head = 2;

        } else if (family != NULL) {
            family->series.len += line.len;
        }

        text.data += line.len;
        text.len -= line.len;
    }

    return PAY_OK;
}


static pay_str_t
line_of(pay_str_t text)
{
    const unsigned char  *end = memchr(text.data, '\n', text.len);

    if (end != NULL) {
        text.len = (size_t) (end - text.data) + 1;
    }

    return text;
}


/* With a name and a blank behind it, as pay_metric_family() writes it. */
static int
is_help(pay_str_t line)
{
    size_t  len = sizeof(HELP) - 1;

    return line.len > len && memcmp(line.data, HELP, len) == 0
           && memchr(line.data + len, ' ', line.len - len) != NULL;
}


/* The texts in front of `from` have none of it. */
static void
write_family(pay_buf_t *out, const pay_metric_part_t *parts, split_t *splits,
    size_t from, size_t count, const family_t *family)
{
    size_t     i, k;
    family_t  *other;

    pay_buf_add(out, family->head);

    for (i = from; i < count; i++) {
        for (k = 0; k < splits[i].count; k++) {
            other = &splits[i].families[k];

            if (pay_str_eq(other->name, family->name)) {
                write_series(out, other->series, parts[i].cell);
                other->is_written = 1;
                break;
            }
        }
    }
}


/* The first of the labels, or the only one. */
static void
write_series(pay_buf_t *out, pay_str_t series, pay_str_t cell)
{
    size_t     at;
    pay_str_t  line;

    while (series.len != 0) {
        line = line_of(series);
        series.data += line.len;
        series.len -= line.len;

        for (at = 0; at < line.len && line.data[at] != '{'
                     && line.data[at] != ' '; at++)
        {
            /* void */
        }

        pay_buf_add(out, (pay_str_t) { at, line.data });
        pay_buf_text(out, "{cell=\"");
        pay_buf_add(out, cell);

        if (at < line.len && line.data[at] == '{') {
            pay_buf_text(out, "\",");
            at++;

        } else {
            pay_buf_text(out, "\"}");
        }

        pay_buf_add(out, (pay_str_t) { line.len - at, line.data + at });
    }
}

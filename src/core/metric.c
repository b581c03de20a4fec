/*
 * Prometheus' text format, version 0.0.4: families, and series with labels.
 * Each writer of a part of /metrics calls it.  OpenMetrics is made out of the
 * whole text, so that no writer has to know which of the two is wanted.
 */

#include <string.h>

#include "pay_metric.h"


#define US_PER_S   1000000
#define MS_PER_S   1000
#define TOTAL      "_total"


static void label_value(pay_buf_t *buf, pay_str_t value);
static void fraction(pay_buf_t *buf, uint64_t number, uint64_t scale);
static pay_str_t next_line(pay_str_t *text);
static void open_comment(pay_buf_t *out, pay_str_t line);
static void open_series(pay_buf_t *out, pay_str_t line);
static int starts(pay_str_t text, const char *with);
static size_t find(pay_str_t text, const char *word);


/* Prometheus wants both lines once and in front of all series of the
 * family. */
void
pay_metric_family(pay_buf_t *buf, const char *name, const char *type,
    const char *help)
{
    pay_buf_text(buf, "# HELP ");
    pay_buf_text(buf, name);
    pay_buf_text(buf, " ");
    pay_buf_text(buf, help);
    pay_buf_text(buf, "\n# TYPE ");
    pay_buf_text(buf, name);
    pay_buf_text(buf, " ");
    pay_buf_text(buf, type);
    pay_buf_text(buf, "\n");
}


void
pay_metric_series(pay_buf_t *buf, const char *name, const char *label,
    pay_str_t value)
{
    pay_buf_text(buf, name);
    pay_buf_text(buf, "{");
    pay_buf_text(buf, label);
    label_value(buf, value);
}


void
pay_metric_more(pay_buf_t *buf, const char *label, pay_str_t value)
{
    pay_buf_text(buf, ",");
    pay_buf_text(buf, label);
    label_value(buf, value);
}


/* Counters of the zone are 64 bits wide; pay_buf_int() is signed, which
 * matters after 9 · 10^18 of anything. */
void
pay_metric_end(pay_buf_t *buf, uint64_t number)
{
    pay_buf_text(buf, "} ");
    pay_buf_int(buf, (int64_t) number);
    pay_buf_text(buf, "\n");
}


void
pay_metric_simple(pay_buf_t *buf, const char *name, uint64_t number)
{
    pay_buf_text(buf, name);
    pay_buf_text(buf, " ");
    pay_buf_int(buf, (int64_t) number);
    pay_buf_text(buf, "\n");
}


void
pay_metric_end_seen(pay_buf_t *buf, uint64_t number,
    const pay_exemplar_t *exemplar)
{
    pay_buf_text(buf, "} ");
    pay_buf_int(buf, (int64_t) number);

    if (exemplar != NULL) {
        pay_buf_text(buf, " # {request_id");
        label_value(buf, exemplar->request_id);

        if (exemplar->trace_id.len != 0) {
            pay_buf_text(buf, ",trace_id");
            label_value(buf, exemplar->trace_id);
        }

        pay_buf_text(buf, "} ");
        fraction(buf, exemplar->us, US_PER_S);
        pay_buf_text(buf, " ");
        fraction(buf, exemplar->at_ms, MS_PER_S);
    }

    pay_buf_text(buf, "\n");
}


void
pay_metric_open(pay_buf_t *out, pay_str_t text)
{
    pay_str_t  line;

    pay_buf_expect(out, text.len + text.len / 8 + 1);

    while (text.len != 0) {
        line = next_line(&text);

        if (starts(line, "# ")) {
            open_comment(out, line);

        } else {
            open_series(out, line);
        }
    }

    pay_buf_text(out, "# EOF\n");
}


/* Names come from the configuration; the rest are literals. */
static void
label_value(pay_buf_t *buf, pay_str_t value)
{
    size_t     i;
    pay_str_t  byte;

    pay_buf_text(buf, "=\"");

    for (i = 0; i < value.len; i++) {
        if (value.data[i] == '\n') {
            pay_buf_text(buf, "\\n");
            continue;
        }

        if (value.data[i] == '"' || value.data[i] == '\\') {
            pay_buf_text(buf, "\\");
        }

        byte.len = 1;
        byte.data = &value.data[i];
        pay_buf_add(buf, byte);
    }

    pay_buf_text(buf, "\"");
}


/* A scale is a power of ten. */
static void
fraction(pay_buf_t *buf, uint64_t number, uint64_t scale)
{
    pay_buf_int(buf, (int64_t) (number / scale));
    pay_buf_text(buf, ".");

    for (number %= scale, scale /= 10; scale != 0; scale /= 10) {
        pay_buf_int(buf, (int64_t) (number / scale % 10));
    }
}


/* With its end. */
static pay_str_t
next_line(pay_str_t *text)
{
    pay_str_t             line = *text;
    const unsigned char  *end;

    end = memchr(text->data, '\n', text->len);
    if (end != NULL) {
        line.len = (size_t) (end - text->data) + 1;
    }

    text->data += line.len;
    text->len -= line.len;

    return line;
}


/* "# HELP name …" and "# TYPE name …": counters alone end with "_total". */
static void
open_comment(pay_buf_t *out, pay_str_t line)
{
    size_t  at, word = sizeof("# HELP ") - 1;

    at = word + find((pay_str_t) { line.len - word, line.data + word }, " ");

    if (at - word > sizeof(TOTAL) - 1
        && memcmp(line.data + at - (sizeof(TOTAL) - 1), TOTAL,
                  sizeof(TOTAL) - 1) == 0)
    {
        pay_buf_add(out, (pay_str_t) { at - (sizeof(TOTAL) - 1), line.data });

    } else {
        pay_buf_add(out, (pay_str_t) { at, line.data });
    }

    pay_buf_add(out, (pay_str_t) { line.len - at, line.data + at });
}


/* A quote in a label's value has a backslash in front, so that the match
 * is a label. */
static void
open_series(pay_buf_t *out, pay_str_t line)
{
    size_t  at, end;

    at = find(line, "{le=\"");
    at = at < line.len ? at : find(line, ",le=\"");

    if (at < line.len) {
        at += sizeof("{le=\"") - 1;

        for (end = at; line.data[end] >= '0' && line.data[end] <= '9'; end++) {
            /* void */
        }

        if (end > at && line.data[end] == '"') {
            pay_buf_add(out, (pay_str_t) { end, line.data });
            pay_buf_text(out, ".0");
            line.data += end;
            line.len -= end;
        }
    }

    pay_buf_add(out, line);
}


static int
starts(pay_str_t text, const char *with)
{
    size_t  len = strlen(with);

    return text.len >= len && memcmp(text.data, with, len) == 0;
}


/* Its place, or the length of the text. */
static size_t
find(pay_str_t text, const char *word)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (starts((pay_str_t) { text.len - i, text.data + i }, word)) {
            break;
        }
    }

    return i;
}

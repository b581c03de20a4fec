/*
 * Prometheus' text format, version 0.0.4: families, and series with labels.
 * Each writer of a part of /metrics calls it.
 */

#include "pay_metric.h"


static void label_value(pay_buf_t *buf, pay_str_t value);


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

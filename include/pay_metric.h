/*
 * Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), and out of it
 * OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/).
 * Names, types and help texts are literals; a label's value may be anything.
 * Errors are the buffer's.
 */

#ifndef PAY_METRIC_H
#define PAY_METRIC_H

#include "pay_arena.h"


/* HELP and TYPE ("counter", "gauge", "histogram"), once for a name and in front
 * of all its series. */
void pay_metric_family(pay_buf_t *buf, const char *name, const char *type,
    const char *help);

/* name{label="value"; more labels may follow, the end must. */
void pay_metric_series(pay_buf_t *buf, const char *name, const char *label,
    pay_str_t value);
void pay_metric_more(pay_buf_t *buf, const char *label, pay_str_t value);
void pay_metric_end(pay_buf_t *buf, uint64_t number);

/* One without labels. */
void pay_metric_simple(pay_buf_t *buf, const char *name, uint64_t number);


/* An observation in a bucket, with the ids of its request: the text of a UUID,
 * and 32 hexadecimal digits or nothing. */
typedef struct {
    pay_str_t  request_id;
    pay_str_t  trace_id;
    uint64_t   us;                     /* its value */
    uint64_t   at_ms;                  /* since 1970 */
} pay_exemplar_t;

/* As pay_metric_end(), with the exemplar behind the number; NULL: there is
 * none.  Only for a text that pay_metric_open() gets. */
void pay_metric_end_seen(pay_buf_t *buf, uint64_t number,
    const pay_exemplar_t *exemplar);

/* The text of the functions above as OpenMetrics, to its end: a counter's
 * family has no "_total", and a bound of a bucket is a float. */
void pay_metric_open(pay_buf_t *out, pay_str_t text);

/* 1: the value of a field Accept (RFC 9110, 12.5.1) names OpenMetrics 1.0 and
 * does not like the text format better.  Untrusted. */
int pay_metric_wants_open(pay_str_t accept);

/* The text of one cell, and its name (a-z 0-9 -). */
typedef struct {
    pay_str_t  cell;
    pay_str_t  text;
} pay_metric_part_t;

/* Appends the families of several texts, each once, with a label `cell` in
 * front of the others.  PAY_INVALID: a text has more families than any of
 * ours. */
pay_status_t pay_metric_join(pay_buf_t *out, pay_arena_t *arena,
    const pay_metric_part_t *parts, size_t count);


#endif /* PAY_METRIC_H */

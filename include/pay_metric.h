/*
 * Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).  Names, types
 * and help texts are literals; a label's value may be anything.  Errors are
 * the buffer's.
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


#endif /* PAY_METRIC_H */

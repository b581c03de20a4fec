/*
 * A flow that a worker runs again and again, by the clock: one at a time, a
 * pause between two, and the next one soon behind one that has found
 * something.  Whether there is anything to do is for PostgreSQL to say, in the
 * flow's first step: of all workers of all nodes one does it.
 */

#ifndef NGX_PAYMENTS_ROUND_H
#define NGX_PAYMENTS_ROUND_H

#include "util/ngx_payments.h"

#include "pay_flow.h"
#include "pay_str.h"

#include "run/ngx_payments_flow.h"


typedef struct ngx_payments_round_s  ngx_payments_round_t;

/* - is_in: whether a subject has work in a cell.
 * - prepare: makes the flow that does `round`; anything but PAY_OK: none this
 *   time.
 * - pause: milliseconds until the next question; a quarter more, by chance, is
 *   added, so that workers do not ask in step.
 * - is_due: whether to ask at all; NULL: always.
 * - ended: hears the outcome, which is a literal; true: the next one soon.
 *   NULL: nothing depends on it.  Not called in a worker that ends.
 * - soon_ms: the pause then. */
typedef struct {
    ngx_uint_t             (*is_in)(const void *subject, ngx_uint_t cell);
    pay_status_t           (*prepare)(const ngx_payments_round_t *round,
                                      pay_flow_t *flow);
    ngx_msec_t             (*pause)(const ngx_payments_round_t *round);
    ngx_uint_t             (*is_due)(const ngx_payments_round_t *round);
    ngx_uint_t             (*ended)(ngx_payments_round_t *round,
                                    const char *outcome);
    ngx_msec_t               soon_ms;
} ngx_payments_round_kind_t;

/* Zeroed by its owner, who sets the first five. */
struct ngx_payments_round_s {
    const ngx_payments_round_kind_t  *kind;
    ngx_http_payments_main_conf_t    *pmcf;
    const void                       *subject;  /* its configuration */
    pay_str_t                         owner;    /* the worker */
    ngx_uint_t                        cell;
    ngx_event_t                       timer;
    ngx_payments_flow_t              *flow;     /* NULL: none is under way */
    ngx_uint_t                        declared; /* the kind's own mark */
    const char                       *told;     /* the last complaint */
};


/* The first question comes after `first_ms`, then one after each pause, until
 * the worker ends.  `round` lives as long as the worker. */
void ngx_payments_round_start(ngx_payments_round_t *round, ngx_log_t *log,
    ngx_msec_t first_ms);

/* A round for each block of a configuration's array of pointers that is of the
 * cell, the first question within a second.  NGX_ERROR: no memory. */
ngx_int_t ngx_payments_round_start_all(ngx_cycle_t *cycle,
    const ngx_payments_round_kind_t *kind, const ngx_array_t *subjects,
    ngx_uint_t cell, pay_str_t owner);

/* Whether a complaint is worth a line: another one than the last.  NULL: it
 * goes well again. */
ngx_uint_t ngx_payments_round_news(ngx_payments_round_t *round,
    const char *complaint);


#endif /* NGX_PAYMENTS_ROUND_H */

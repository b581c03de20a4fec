/*
 * The last observation of each bucket of a histogram, with the ids of its
 * request: exemplars of OpenMetrics.  They lie in the zone.
 */

#ifndef NGX_PAYMENTS_EXEMPLAR_H
#define NGX_PAYMENTS_EXEMPLAR_H

#include "util/ngx_payments.h"

#include "pay_id.h"
#include "pay_metric.h"
#include "pay_trace.h"


#define NGX_PAYMENTS_EXEMPLAR_WORDS  6


/* Nobody locks it: `sum` is that of the words where all of them were written by
 * one worker. */
typedef struct {
    volatile uint64_t           words[NGX_PAYMENTS_EXEMPLAR_WORDS];
    volatile uint64_t           sum;
} ngx_payments_exemplar_t;

/* One, and the texts that it points to. */
typedef struct {
    pay_exemplar_t              exemplar;
    u_char                      request_id[PAY_UUID_TEXT];
    u_char                      trace_id[PAY_TRACE_ID];
} ngx_payments_exemplar_text_t;


/* Keeps nothing of a request whose id is no UUID; trace_id may be empty. */
void ngx_payments_exemplar_set(ngx_payments_exemplar_t *slot, uint64_t us,
    pay_str_t request_id, pay_str_t trace_id);
/* NULL: there is none, or two workers are writing it. */
const pay_exemplar_t *ngx_payments_exemplar_get(
    const ngx_payments_exemplar_t *slot, ngx_payments_exemplar_text_t *text);


#endif /* NGX_PAYMENTS_EXEMPLAR_H */

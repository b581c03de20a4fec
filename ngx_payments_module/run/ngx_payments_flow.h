/*
 * A core flow at run time, as those see it who begin one.
 */

#ifndef NGX_PAYMENTS_FLOW_H
#define NGX_PAYMENTS_FLOW_H

#include "util/ngx_payments_conf_types.h"


typedef struct ngx_payments_flow_s  ngx_payments_flow_t;

/* Answers the request; returns the code of a content handler.  It may be
 * called long after the handler returned, and never for a request that is
 * gone. */
typedef ngx_int_t (*ngx_payments_reply_pt)(ngx_http_request_t *r,
    const pay_reply_t *reply);


/* A flow with its own pool, not yet started, whose operations are those of
 * that cell; NULL: no memory. */
ngx_payments_flow_t *ngx_payments_flow_create(
    ngx_http_payments_main_conf_t *pmcf, ngx_uint_t cell);
/* The flow as the core sees it: pay_flow_create() and its sisters are given
 * this, between creation and start. */
pay_flow_t *ngx_payments_flow_core(ngx_payments_flow_t *flow);
/* A place for it until its end.  NGX_BUSY: there is none; *retry_after_s says
 * when to come again. */
ngx_int_t ngx_payments_flow_admit(ngx_payments_flow_t *flow,
    ngx_payments_work_e work, const pay_merchant_t *merchant,
    int64_t *retry_after_s);
/* Drops one that was never started. */
void ngx_payments_flow_discard(ngx_payments_flow_t *flow);

/* Subscribes the request (or NULL: nobody), which `reply` will answer, and
 * takes the first step.  Returns the code of a content handler. */
ngx_int_t ngx_payments_flow_start(ngx_payments_flow_t *flow,
    ngx_http_request_t *r, ngx_payments_reply_pt reply);
/* Gives a flow that no request waits for an id of its own and takes the first
 * step; `ended` is called once when the flow ends, which may be at once.
 * NGX_ERROR: it was dropped, never started, and `ended` is not called. */
ngx_int_t ngx_payments_flow_start_alone(ngx_payments_flow_t *flow,
    void (*ended)(void *data), void *data);
/* The same; `answered`, too, is called, before `ended`, when a call over HTTP
 * has come to its end. */
ngx_int_t ngx_payments_flow_start_watched(ngx_payments_flow_t *flow,
    void (*answered)(void *data), void (*ended)(void *data), void *data);


#endif /* NGX_PAYMENTS_FLOW_H */

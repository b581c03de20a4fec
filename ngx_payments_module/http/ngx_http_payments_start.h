/*
 * The flow of a request.
 */

#ifndef NGX_HTTP_PAYMENTS_START_H
#define NGX_HTTP_PAYMENTS_START_H

#include "run/ngx_payments_flow.h"


/* A flow that has the id of the request; NULL: no memory. */
ngx_payments_flow_t *ngx_http_payments_new_flow(ngx_http_request_t *r);
/* The same for a request about money that exists.  It counts as a change and is
 * never refused: such money must move even when the gateway is full. */
ngx_payments_flow_t *ngx_http_payments_new_change(ngx_http_request_t *r);
/* Takes its first step; its reply becomes the request's answer.  Returns the
 * code of a content handler. */
ngx_int_t ngx_http_payments_start(ngx_http_request_t *r,
    ngx_payments_flow_t *flow);


#endif /* NGX_HTTP_PAYMENTS_START_H */

/*
 * The GETs of the storefront's API.
 */

#ifndef NGX_HTTP_PAYMENTS_READ_H
#define NGX_HTTP_PAYMENTS_READ_H

#include "http/ngx_http_payments_route.h"

#include "pay_flow.h"


/* Prepares the flow of a GET: `what` is the subject, in the type of its route.
 * The ids are the flow's.  NGX_DECLINED with *err: it is refused; NGX_ERROR: no
 * memory. */
typedef ngx_int_t (*ngx_http_payments_read_pt)(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);

ngx_int_t ngx_http_payments_read_order(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);
ngx_int_t ngx_http_payments_read_change(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);
ngx_int_t ngx_http_payments_read_balance(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);
ngx_int_t ngx_http_payments_read_statement(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);
ngx_int_t ngx_http_payments_read_page(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);
ngx_int_t ngx_http_payments_read_finance(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);
ngx_int_t ngx_http_payments_read_destinations(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);
ngx_int_t ngx_http_payments_read_events(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);
ngx_int_t ngx_http_payments_read_risk(ngx_http_request_t *r,
    pay_flow_t *core, ngx_uint_t what, const ngx_http_payments_ids_t *ids,
    pay_err_t *err);


#endif /* NGX_HTTP_PAYMENTS_READ_H */

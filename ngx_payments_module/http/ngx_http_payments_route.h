/*
 * Patterns of paths: '*' is a segment, '+' all that lies between, slashes
 * included.
 */

#ifndef NGX_HTTP_PAYMENTS_ROUTE_H
#define NGX_HTTP_PAYMENTS_ROUTE_H

#include "util/ngx_payments.h"

#include "pay_str.h"


#define NGX_HTTP_PAYMENTS_IDS_MAX  2

/* The text that matches the '*' of a pattern; empty where it has none. */
typedef struct {
    pay_str_t     id[NGX_HTTP_PAYMENTS_IDS_MAX];
} ngx_http_payments_ids_t;


/* 1 when the path has the form of the pattern; its ids are slices of it. */
ngx_uint_t ngx_http_payments_route_fits(const char *pattern, pay_str_t path,
    ngx_http_payments_ids_t *ids);


#endif /* NGX_HTTP_PAYMENTS_ROUTE_H */

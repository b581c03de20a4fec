/*
 * The limits of requests, GCRA in shared memory.
 */

#ifndef NGX_HTTP_PAYMENTS_LIMIT_H
#define NGX_HTTP_PAYMENTS_LIMIT_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* The merchant's bucket, or the address' when merchant_id is empty.  NGX_OK: go
 * on (r's ctx->limit filled); NGX_BUSY: over quota; NGX_ERROR: the zone is full
 * (fail closed). */
ngx_int_t ngx_http_payments_limit(ngx_http_request_t *r,
    pay_str_t merchant_id);


#endif /* NGX_HTTP_PAYMENTS_LIMIT_H */

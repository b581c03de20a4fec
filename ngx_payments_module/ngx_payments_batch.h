/*
 * Calls of one operation as PostgreSQL's binary arrays, and rows back into
 * values.  Pure bytes; libpq lives next door.
 */

#ifndef NGX_PAYMENTS_BATCH_H
#define NGX_PAYMENTS_BATCH_H

#include "ngx_http_payments.h"


/* Type numbers of PostgreSQL's catalog, fixed for ever. */
ngx_uint_t ngx_payments_batch_array_oid(pay_type_t type);

/* Argument `arg` of all `n` calls as one binary array in `pool`. */
ngx_int_t ngx_payments_batch_encode(ngx_pool_t *pool, const pay_op_t *op,
    ngx_uint_t arg, ngx_payments_call_t **calls, ngx_uint_t n,
    ngx_str_t *array);

/* One binary column → value; NGX_ERROR when its length is impossible. */
ngx_int_t ngx_payments_batch_decode(pay_type_t type, ngx_uint_t is_null,
    const u_char *data, size_t len, pay_value_t *value);

/* The 4-byte item number in front of each row. */
ngx_uint_t ngx_payments_batch_item(const u_char *data, size_t len);


#endif /* NGX_PAYMENTS_BATCH_H */

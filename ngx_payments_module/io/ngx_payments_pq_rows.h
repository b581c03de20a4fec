/*
 * The traffic of a connection: statements, arrays, rows.  Knows libpq.
 */

#ifndef NGX_PAYMENTS_PQ_ROWS_H
#define NGX_PAYMENTS_PQ_ROWS_H

#include "io/ngx_payments_batch.h"

#include <libpq-fe.h>


/* Queues the preparation of the statements of that role's operations. */
ngx_int_t ngx_payments_pq_prepare(PGconn *pg, pay_op_role_t role);
/* Queues the batch's statement with its arrays; NGX_ERROR: no memory, or the
 * connection is gone. */
ngx_int_t ngx_payments_pq_put(PGconn *pg, ngx_payments_batch_t *batch);
/* statement_timeout and lock_timeout of the connection, in the same pipeline
 * and transaction as what it is for, until the next one: below the worker's
 * own deadline of a call, and those of a stage when that is not 0. */
ngx_int_t ngx_payments_pq_prepare_timeout(PGconn *pg);
ngx_int_t ngx_payments_pq_set_timeout(PGconn *pg, ngx_msec_t call,
    ngx_msec_t stage);
/* Hands each row to its call; a call without a row hears that it has none. */
void ngx_payments_pq_deliver(ngx_payments_batch_t *batch, PGresult *rows);


#endif /* NGX_PAYMENTS_PQ_ROWS_H */

/*
 * Between the connections (ngx_payments_pq.c) and what goes over them
 * (ngx_payments_pq_rows.c): both know libpq, nobody else includes this.
 */

#ifndef NGX_PAYMENTS_PQ_H
#define NGX_PAYMENTS_PQ_H

#include "ngx_payments_batch.h"
#include "ngx_payments_db.h"

#include <libpq-fe.h>


/* Queues the batch's statement with its arrays; NGX_ERROR: no memory, or the
 * connection is gone. */
ngx_int_t ngx_payments_pq_put(PGconn *pg, ngx_payments_batch_t *batch);
/* statement_timeout and lock_timeout of the connection, in the same pipeline
 * and transaction as what it is for, until the next one: below the worker's
 * own deadline of a call, and those of a stage when that is not 0. */
ngx_int_t ngx_payments_pq_prepare_timeout(PGconn *pg);
ngx_int_t ngx_payments_pq_set_timeout(PGconn *pg, ngx_msec_t call,
    ngx_msec_t stage);
/* Hands each row to its call; what has none is told so. */
void ngx_payments_pq_deliver(ngx_payments_batch_t *batch, PGresult *rows);


#endif /* NGX_PAYMENTS_PQ_H */

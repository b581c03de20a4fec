/*
 * Between the queues (ngx_payments_db.c) and the connections
 * (ngx_payments_pq.c).
 */

#ifndef NGX_PAYMENTS_DB_H
#define NGX_PAYMENTS_DB_H

#include "util/ngx_http_payments.h"


#define NGX_PAYMENTS_BATCH_POOL  16384

/* Calls of one operation that go out together; owns its pool. */
typedef struct {
    ngx_queue_t            wire;           /* while it is out */
    ngx_pool_t            *pool;
    ngx_payments_call_t  **calls;
    ngx_uint_t             count;
    pay_op_id_t            op;
    ngx_msec_t             sent;
    ngx_msec_t             timeout;        /* of the statement; 0: the
                                              connection's own */
} ngx_payments_batch_t;


/* The queues' side: a connection became free, a batch on the wire is lost or
 * was rolled back.  These two hand all calls out and free the batch. */
void ngx_payments_db_wake(void);
void ngx_payments_db_lost(ngx_payments_batch_t *batch);
void ngx_payments_db_failed(ngx_payments_batch_t *batch, const char *sqlstate,
    const char *message);
/* It was answered; the connections hand the rows out and free it. */
void ngx_payments_db_answered(ngx_payments_batch_t *batch);

/* The connections' side. */
ngx_int_t ngx_payments_pq_start(ngx_cycle_t *cycle,
    ngx_payments_db_conf_t *conf);
/* A connection is up, or the first attempt to have one is still open. */
ngx_uint_t ngx_payments_pq_usable(void);
/* How many connections could take a batch now. */
ngx_uint_t ngx_payments_pq_idle(void);
/* Takes the batch over; pq_idle() was not 0. */
void ngx_payments_pq_send(ngx_payments_batch_t *batch);


#endif /* NGX_PAYMENTS_DB_H */

/*
 * Calls of one operation that go to PostgreSQL together.  The queues make a
 * batch, the connections send it and hand its rows out.
 */

#ifndef NGX_PAYMENTS_BATCH_H
#define NGX_PAYMENTS_BATCH_H

#include "io/ngx_payments_call.h"


#define NGX_PAYMENTS_BATCH_POOL  16384

/* Calls of one operation that go out together; owns its pool.  `calls` are
 * only borrowed: behind each call's `done` its pointer is worth nothing. */
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


#endif /* NGX_PAYMENTS_BATCH_H */

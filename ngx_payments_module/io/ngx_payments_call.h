/*
 * A call of an operation on PostgreSQL.
 */

#ifndef NGX_PAYMENTS_CALL_H
#define NGX_PAYMENTS_CALL_H

#include "util/ngx_payments.h"

#include "pay_flow.h"


typedef struct ngx_payments_call_s  ngx_payments_call_t;

/* A call of one operation; `done` is called exactly once, never from inside
 * ngx_payments_db_call().  The memory is the caller's (a flow, a slot of jobs,
 * a round) and must stay where it is until `done`, which may use it again at
 * once. */
struct ngx_payments_call_s {
    ngx_queue_t           queue;
    ngx_uint_t            cell;                  /* index of the database */
    pay_op_id_t           op;
    const void           *args;                  /* pay_<operation>_in_t; alive
                                                    until done */
    void                (*done)(ngx_payments_call_t *call,
                                const pay_result_t *result,
                                pay_db_failure_t failure);  /* of NULL */
    void                 *data;
    ngx_msec_t            timeout;               /* of its stage, which bounds
                                                    its wait in the queue, and
                                                    its statement; 0: none */
    ngx_uint_t            money;                 /* for a change: as if of
                                                    PAY_CLASS_MONEY */
    ngx_msec_t            patience;              /* of a job: how long the last
                                                    free connection is kept
                                                    from it; 0: as long as no
                                                    queue may starve */
    ngx_uint_t            is_brief;              /* of a job: takes it at once
                                                    while no requests come */

    /* ngx_payments_replica.c keeps these */
    ngx_msec_t            age;                   /* of the answer, at most; 0:
                                                    it is the primary's */
    ngx_uint_t            at_replica;            /* which is asked, and not the
                                                    primary: */
    void                (*after)(ngx_payments_call_t *call,
                                 const pay_result_t *result,
                                 pay_db_failure_t failure);
    ngx_uint_t            session;
    ngx_msec_t            as_of;
    ngx_msec_t            max_age;

    /* private to ngx_payments_db.c but the last, which says when to come
     * again after NGX_BUSY or PAY_DB_OVERLOADED */
    ngx_msec_t            queued;                /* ngx_current_msec */
    ngx_msec_t            since;                 /* waits so long, after a try
                                                    anew */
    ngx_uint_t            alone;                 /* after its batch failed */
    int64_t               retry_after_s;
};


#endif /* NGX_PAYMENTS_CALL_H */

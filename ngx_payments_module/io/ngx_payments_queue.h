/*
 * The queues in front of PostgreSQL, one per operation: which goes next, and
 * what goes together.  Used by ngx_payments_db.c, which decides who may come
 * in and what becomes of a batch.
 */

#ifndef NGX_PAYMENTS_QUEUE_H
#define NGX_PAYMENTS_QUEUE_H

#include "io/ngx_payments_batch.h"
#include "util/ngx_payments_conf_types.h"


#define NGX_PAYMENTS_QUEUE_TICK_MS   50
#define NGX_PAYMENTS_QUEUE_CLASSES   (PAY_CLASS_ACT + 1)

/* - batch_max: how many items of an operation go together; halved when a
 *   statement ran into its deadline, and raised slowly after full batches.
 * - sent: calls on the wire, which stand before a newcomer, too. */
typedef struct {
    ngx_queue_t   calls[PAY_OP_COUNT];
    ngx_uint_t    lengths[PAY_OP_COUNT];
    ngx_uint_t    batch_max[PAY_OP_COUNT];   /* of items in one call */
    ngx_uint_t    count;                  /* of all queues */
    ngx_uint_t    classes[NGX_PAYMENTS_QUEUE_CLASSES];  /* the same, by class */
    ngx_queue_t   wire;                   /* batches that are out */
    ngx_uint_t    sent;                   /* calls in them */
    ngx_uint_t    batch;                  /* the configured batch_max[] */
    ngx_msec_t    wait;                   /* of a call, at most */
    ngx_msec_t    asked;                  /* when the last call came that is
                                             none of a job */
} ngx_payments_queues_t;


/* Empty queues with the configured sizes of batches. */
void ngx_payments_queue_init(ngx_payments_queues_t *queues,
    const ngx_payments_db_conf_t *conf);

/* At its place; in front of all, as it was on the wire before. */
void ngx_payments_queue_put(ngx_payments_queues_t *queues,
    ngx_payments_call_t *call);
void ngx_payments_queue_put_back(ngx_payments_queues_t *queues,
    ngx_payments_call_t *call);
void ngx_payments_queue_remove(ngx_payments_queues_t *queues,
    ngx_payments_call_t *call);

/* Its stage's deadline has passed before it was sent. */
ngx_uint_t ngx_payments_queue_is_late(const ngx_payments_call_t *call);
/* A SELECT on behalf of a refund has the refund's priority. */
pay_class_t ngx_payments_queue_class(const ngx_payments_call_t *call);

/* Takes the next batch for one of `idle` connections, which then counts as
 * sent; calls whose time is over go to `late`.  NULL: nothing is due, or no
 * memory (the tick ends the wait). */
ngx_payments_batch_t *ngx_payments_queue_next(ngx_payments_queues_t *queues,
    ngx_uint_t idle, ngx_log_t *log, ngx_queue_t *late);
/* It is on the wire no more. */
void ngx_payments_queue_leave(ngx_payments_queues_t *queues,
    ngx_payments_batch_t *batch);


#endif /* NGX_PAYMENTS_QUEUE_H */

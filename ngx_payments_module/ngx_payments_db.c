/*
 * The queues in front of PostgreSQL: one per operation, bounded.  Whenever a
 * connection is free a queue goes out as one set-based call, so an idle worker
 * sends batches of one and a busy one shares each commit.  Knows no libpq; the
 * connections are in ngx_payments_pq.c.
 *
 * Rules kept here: money first, jobs last, but nobody starves; what waits too
 * long is told so; what was sent and not answered is unknown, never failed; a
 * batch that fails as a whole is sent again item by item, so a bad item fails
 * alone.
 */

#include "ngx_payments_db.h"


#define QUEUE_TICK_MS  50
#define ALONE_TRIES    3


typedef struct {
    ngx_payments_db_conf_t  *conf;
    ngx_log_t               *log;
    ngx_queue_t              queues[PAY_OP_COUNT];
    ngx_uint_t               queued;
    ngx_event_t              dispatch;
    ngx_event_t              tick;
} db_t;


static ngx_uint_t room_for(pay_op_id_t op);
static void dispatch_handler(ngx_event_t *ev);
static ngx_queue_t *next_queue(pay_op_id_t *op);
static ngx_uint_t goes_before(const ngx_payments_call_t *a,
    const ngx_payments_call_t *b);
static ngx_uint_t waits_long(const ngx_payments_call_t *call);
static ngx_payments_batch_t *take_batch(ngx_queue_t *queue, pay_op_id_t op);
static void take_calls(ngx_payments_batch_t *batch, ngx_queue_t *queue);
static ngx_uint_t tried_enough(ngx_payments_batch_t *batch);
static void queue_alone(ngx_payments_batch_t *batch);
static void drop(ngx_payments_batch_t *batch, pay_db_failure_t failure);
static ngx_uint_t is_contention(const char *sqlstate);
static pay_db_failure_t failure_of(const char *sqlstate);
static void tick_handler(ngx_event_t *ev);


static db_t  db;


ngx_int_t
ngx_payments_db_start(ngx_cycle_t *cycle, ngx_payments_db_conf_t *conf)
{
    ngx_uint_t  i;

    ngx_memzero(&db, sizeof(db_t));

    db.conf = conf;
    db.log = cycle->log;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        ngx_queue_init(&db.queues[i]);
    }

    db.dispatch.handler = dispatch_handler;
    db.dispatch.log = cycle->log;
    db.tick.handler = tick_handler;
    db.tick.log = cycle->log;

    return ngx_payments_pq_start(cycle, conf);
}


ngx_int_t
ngx_payments_db_call(ngx_payments_call_t *call)
{
    if (!ngx_payments_pq_usable()) {
        return NGX_DECLINED;
    }

    if (db.queued >= room_for(call->op)) {
        ngx_payments_count_db_rejected();
        return NGX_BUSY;
    }

    call->queued = ngx_current_msec;
    call->alone = 0;
    ngx_queue_insert_tail(&db.queues[call->op], &call->queue);
    db.queued++;
    ngx_payments_db_wake();

    if (!db.tick.timer_set) {
        ngx_add_timer(&db.tick, QUEUE_TICK_MS);
    }

    return NGX_OK;
}


/* What ends a flow is still taken when nothing new is: its work is done, and
 * would be done again by a job.  A new job can wait from the first sign of
 * pressure on. */
static ngx_uint_t
room_for(pay_op_id_t op)
{
    if (op == PAY_OP_FINISH_JOB) {
        return 2 * db.conf->queue;
    }

    switch (pay_op(op)->class) {

    case PAY_CLASS_MONEY:
        return 2 * db.conf->queue;

    case PAY_CLASS_INTAKE:
        return db.conf->queue;

    default:
        return (db.conf->queue + 1) / 2;
    }
}


/* At the end of this turn of the loop, so that all it brought goes at once. */
void
ngx_payments_db_wake(void)
{
    ngx_post_event(&db.dispatch, &ngx_posted_events);
}


void
ngx_payments_db_lost(ngx_payments_batch_t *batch)
{
    ngx_payments_count_db(batch->op, batch->count, 1,
                          ngx_current_msec - batch->sent);
    drop(batch, PAY_DB_UNKNOWN);
    ngx_destroy_pool(batch->pool);
}


/* Rolled back as a whole: each item gets its own try, so that only the one
 * that fails alone fails. */
void
ngx_payments_db_failed(ngx_payments_batch_t *batch, const char *sqlstate)
{
    pay_db_failure_t  failure;

    failure = failure_of(sqlstate);

    if (is_contention(sqlstate) ? tried_enough(batch)
        : batch->count == 1 || failure == PAY_DB_UNAVAILABLE)
    {
        ngx_log_error(NGX_LOG_ERR, db.log, 0,
                      "payments: operation failed, op:%s, sqlstate:%s, "
                      "calls:%ui", pay_op(batch->op)->name, sqlstate,
                      batch->count);
        drop(batch, failure);

    } else {
        queue_alone(batch);
    }

    ngx_destroy_pool(batch->pool);
}


static void
dispatch_handler(ngx_event_t *ev)
{
    ngx_queue_t           *queue;
    pay_op_id_t            op;
    ngx_payments_batch_t  *batch;

    while (ngx_payments_pq_idle()) {
        queue = next_queue(&op);
        if (queue == NULL) {
            return;
        }

        batch = take_batch(queue, op);
        if (batch == NULL) {
            return;                     /* no memory; the tick ends the wait */
        }

        ngx_payments_pq_send(batch);
    }
}


static ngx_queue_t *
next_queue(pay_op_id_t *op)
{
    ngx_uint_t            i;
    ngx_queue_t          *found = NULL;
    ngx_payments_call_t  *call, *best = NULL;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        if (ngx_queue_empty(&db.queues[i])) {
            continue;
        }

        call = ngx_queue_data(ngx_queue_head(&db.queues[i]),
                              ngx_payments_call_t, queue);

        if (best == NULL || goes_before(call, best)) {
            best = call;
            found = &db.queues[i];
            *op = i;
        }
    }

    return found;
}


/* What has waited for half of its time goes first, whatever it is; else the
 * better class; among equals the oldest. */
static ngx_uint_t
goes_before(const ngx_payments_call_t *a, const ngx_payments_call_t *b)
{
    ngx_uint_t   a_long, b_long;
    pay_class_t  a_class, b_class;

    a_long = waits_long(a);
    b_long = waits_long(b);

    if (a_long != b_long) {
        return a_long;
    }

    a_class = pay_op(a->op)->class;
    b_class = pay_op(b->op)->class;

    if (!a_long && a_class != b_class) {
        return a_class < b_class;
    }

    return (ngx_msec_int_t) (a->queued - b->queued) < 0;
}


static ngx_uint_t
waits_long(const ngx_payments_call_t *call)
{
    return ngx_current_msec - call->queued > db.conf->wait / 2;
}


static ngx_payments_batch_t *
take_batch(ngx_queue_t *queue, pay_op_id_t op)
{
    ngx_pool_t            *pool;
    ngx_payments_batch_t  *batch;

    pool = ngx_create_pool(NGX_PAYMENTS_BATCH_POOL, db.log);
    if (pool == NULL) {
        return NULL;
    }

    batch = ngx_pcalloc(pool, sizeof(ngx_payments_batch_t));

    if (batch != NULL) {
        batch->calls = ngx_palloc(pool, db.conf->batch
                                        * sizeof(ngx_payments_call_t *));
    }

    if (batch == NULL || batch->calls == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    batch->pool = pool;
    batch->op = op;
    batch->sent = ngx_current_msec;
    take_calls(batch, queue);

    return batch;
}


static void
take_calls(ngx_payments_batch_t *batch, ngx_queue_t *queue)
{
    ngx_queue_t          *q;
    ngx_payments_call_t  *call;

    while (!ngx_queue_empty(queue) && batch->count < db.conf->batch) {
        q = ngx_queue_head(queue);
        call = ngx_queue_data(q, ngx_payments_call_t, queue);

        if (call->alone && batch->count != 0) {
            break;
        }

        ngx_queue_remove(q);
        db.queued--;
        batch->calls[batch->count++] = call;

        if (call->alone) {
            break;
        }
    }
}


static ngx_uint_t
tried_enough(ngx_payments_batch_t *batch)
{
    return batch->count == 1 && ++batch->calls[0]->alone > ALONE_TRIES;
}


static void
queue_alone(ngx_payments_batch_t *batch)
{
    ngx_uint_t            i;
    ngx_payments_call_t  *call;

    for (i = batch->count; i-- > 0; /* void */) {
        call = batch->calls[i];
        call->alone = ngx_max(call->alone, 1);
        call->queued = ngx_current_msec;     /* its waiting begins anew */
        ngx_queue_insert_head(&db.queues[call->op], &call->queue);
        db.queued++;
    }

    if (!db.tick.timer_set) {
        ngx_add_timer(&db.tick, QUEUE_TICK_MS);
    }
}


static void
drop(ngx_payments_batch_t *batch, pay_db_failure_t failure)
{
    ngx_uint_t  i;

    for (i = 0; i < batch->count; i++) {
        batch->calls[i]->done(batch->calls[i], NULL, failure);
    }
}


static ngx_uint_t
is_contention(const char *sqlstate)
{
    return ngx_strncmp(sqlstate, "40", 2) == 0
           || ngx_strcmp(sqlstate, "55P03") == 0;
}


/* Classes: 08 connection, 53 resources, 57 operator, 58 system, XX internal,
 * 25006 read-only: the database is not to be had; 40, 55P03: contention. */
static pay_db_failure_t
failure_of(const char *sqlstate)
{
    ngx_uint_t                  i;
    static const char  *const   classes[] = {
        "08", "53", "57", "58", "XX", "25006", "40", "55P03"
    };

    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (ngx_strncmp(sqlstate, classes[i], ngx_strlen(classes[i])) == 0) {
            return PAY_DB_UNAVAILABLE;
        }
    }

    return PAY_DB_ERROR;
}


/* What waits too long is told so; the timer runs only while something waits,
 * and then holds a stopping worker back until it is answered. */
static void
tick_handler(ngx_event_t *ev)
{
    ngx_uint_t            i, down;
    ngx_queue_t          *queue;
    ngx_payments_call_t  *call;

    down = !ngx_payments_pq_usable();

    for (i = 0; i < PAY_OP_COUNT; i++) {
        queue = &db.queues[i];

        while (!ngx_queue_empty(queue)) {
            call = ngx_queue_data(ngx_queue_head(queue), ngx_payments_call_t,
                                  queue);

            if (!down && ngx_current_msec - call->queued < db.conf->wait) {
                break;
            }

            ngx_queue_remove(&call->queue);
            db.queued--;
            ngx_payments_count_db_rejected();
            call->done(call, NULL, down ? PAY_DB_UNAVAILABLE
                                        : PAY_DB_OVERLOADED);
        }
    }

    if (db.queued != 0 && !db.tick.timer_set) {
        ngx_add_timer(&db.tick, QUEUE_TICK_MS);
    }
}

/*
 * Calls to PostgreSQL: which calls may wait for it, and how each ends.
 * Whenever a connection is free a queue goes out as one set-based call, so an
 * idle worker sends batches of one and a busy one shares each commit.  Knows no
 * libpq; the connections are in ngx_payments_pq.c, the queues in _queue.c.
 *
 * Rules kept here: a call that waits too long is answered so; a call that was
 * sent and not answered is unknown, never failed; a batch that fails as a whole
 * is sent again item by item, so a bad item fails alone.
 *
 * The way of a call:
 *
 *     db_call ─▶ BUSY, DECLINED: never queued
 *       └▶ queue ─▶ late or no connection: OVERLOADED, UNAVAILABLE
 *            └▶ batch on the wire ─▶ answered: a row each
 *                   ├▶ failed (SQLSTATE): each item alone, or ERROR
 *                   └▶ lost: UNKNOWN, nobody asks again from here
 */

#include "io/ngx_payments_db.h"
#include "io/ngx_payments_pq.h"
#include "io/ngx_payments_queue.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_count_stage.h"
#include "util/ngx_payments_log_pace.h"
#include "util/ngx_payments_process.h"
#include "pay_drain.h"


#define TICK_SHARE   5                 /* of the shortest stage */
#define TICK_MIN_MS  5
#define ALONE_TRIES  3
#define HANGS_MS     250


/* A database, as this worker sees it.  `dispatch` is posted and sends the
 * queued calls; `tick` runs only while calls wait, and bounds their wait. */
typedef struct {
    ngx_uint_t               cell;
    ngx_payments_db_conf_t  *conf;
    ngx_payments_pq_t       *pq;           /* NULL: there is no database */
    ngx_log_t               *log;
    ngx_payments_queues_t    queues;
    pay_drain_t              drain;
    ngx_msec_t               tick_ms;
    ngx_uint_t               is_silent;    /* since a probe has asked it */
    ngx_msec_t               moved;        /* when a call was last answered, or
                                              the first one began to wait */
    ngx_payments_log_pace_t  pace;         /* of failures in the log */
    ngx_event_t              dispatch;
    ngx_event_t              tick;
} db_t;


static ngx_int_t start(ngx_cycle_t *cycle, db_t *db,
    ngx_payments_db_conf_t *conf);
static ngx_msec_t tick_of(const ngx_msec_t *stages);
static ngx_uint_t room_for(const db_t *db, const ngx_payments_call_t *call);
static ngx_uint_t is_crowded(db_t *db, const ngx_payments_call_t *call);
static ngx_payments_work_e work_of(const ngx_payments_call_t *call);
static void note_pace(db_t *db, ngx_uint_t left);
static int64_t retry_after_s(const db_t *db, pay_op_id_t op);
static void start_tick(db_t *db);
static void wake(void *data);
static void batch_answered(void *data, ngx_payments_batch_t *batch);
static void batch_lost(void *data, ngx_payments_batch_t *batch);
static void batch_failed(void *data, ngx_payments_batch_t *batch,
    const char *sqlstate, const char *message);
static void count_batch(const db_t *db, const ngx_payments_batch_t *batch,
    ngx_uint_t failed);
static ngx_uint_t is_replica(const db_t *db);
static void dispatch_handler(ngx_event_t *ev);
static void refuse_late(db_t *db, ngx_queue_t *late,
    pay_db_failure_t failure);
static void count_canceled(db_t *db, ngx_payments_batch_t *batch,
    const char *sqlstate);
static ngx_uint_t tried_enough(ngx_payments_batch_t *batch);
static void queue_alone(db_t *db, ngx_payments_batch_t *batch);
static void drop(ngx_payments_batch_t *batch, pay_db_failure_t failure);
static ngx_uint_t may_be_of_one(const char *sqlstate);
static ngx_uint_t is_contention(const char *sqlstate);
static pay_db_failure_t failure_of(const char *sqlstate);
static void tick_handler(ngx_event_t *ev);


/* In each cell the database of the gateway, and those of the console.  The
 * calls of each have roles, connections and places to wait of their own: the
 * console takes nothing from a payment, and no cell anything from another. */
static db_t  dbs[NGX_PAYMENTS_CELLS_MAX][PAY_ROLE_COUNT];

static const ngx_payments_pq_owner_t  pq_owner = {
    .wake = wake, .lost = batch_lost, .failed = batch_failed,
    .answered = batch_answered
};


ngx_int_t
ngx_payments_db_start(ngx_cycle_t *cycle, const ngx_array_t *cells)
{
    ngx_uint_t             i, role;
    ngx_payments_cell_t  **all = cells->elts;

    ngx_memzero(dbs, sizeof(dbs));

    for (i = 0; i < cells->nelts; i++) {
        for (role = 0; role < PAY_ROLE_COUNT; role++) {
            dbs[i][role].cell = i;

            if (all[i]->dbs[role].dsns != NULL
                && start(cycle, &dbs[i][role], &all[i]->dbs[role]) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
start(ngx_cycle_t *cycle, db_t *db, ngx_payments_db_conf_t *conf)
{
    db->conf = conf;
    db->log = cycle->log;
    db->tick_ms = tick_of(ngx_payments_main_conf()->stages);
    ngx_payments_queue_init(&db->queues, conf);

    db->dispatch.handler = dispatch_handler;
    db->dispatch.data = db;
    db->dispatch.log = cycle->log;
    ngx_payments_timer_init(&db->tick, tick_handler, cycle->log);
    db->pq = ngx_payments_pq_start(cycle, db->cell, conf, &pq_owner, db);

    return db->pq != NULL ? NGX_OK : NGX_ERROR;
}


void
ngx_payments_db_stop(void)
{
    ngx_uint_t  i, role;

    for (i = 0; i < NGX_PAYMENTS_CELLS_MAX; i++) {
        for (role = 0; role < PAY_ROLE_COUNT; role++) {
            if (dbs[i][role].pq != NULL) {
                ngx_payments_pq_stop(dbs[i][role].pq);
            }
        }
    }
}


ngx_payments_hope_e
ngx_payments_db_hope(ngx_uint_t cell)
{
    ngx_uint_t   hangs;
    const db_t  *db = &dbs[cell][PAY_ROLE_GATEWAY];

    hangs = db->queues.count + db->queues.sent != 0
            && ngx_current_msec - db->moved > HANGS_MS;

    return !ngx_payments_pq_usable(db->pq) ? NGX_PAYMENTS_HOPE_NONE
           : db->is_silent || hangs ? NGX_PAYMENTS_HOPE_LITTLE
           : NGX_PAYMENTS_HOPE_GOOD;
}


void
ngx_payments_db_probed(ngx_uint_t cell)
{
    dbs[cell][PAY_ROLE_GATEWAY].is_silent = 1;
}


/* A deadline is kept to a fifth of itself. */
static ngx_msec_t
tick_of(const ngx_msec_t *stages)
{
    ngx_msec_t  shortest = 0, tick;

    if (stages[PAY_STAGE_KEY] != 0) {
        shortest = stages[PAY_STAGE_KEY];
    }

    if (stages[PAY_STAGE_LEDGER] != 0
        && (shortest == 0 || stages[PAY_STAGE_LEDGER] < shortest))
    {
        shortest = stages[PAY_STAGE_LEDGER];
    }

    tick = shortest != 0 ? shortest / TICK_SHARE : NGX_PAYMENTS_QUEUE_TICK_MS;

    return ngx_min(ngx_max(tick, TICK_MIN_MS), NGX_PAYMENTS_QUEUE_TICK_MS);
}


ngx_uint_t
ngx_payments_db_session(ngx_uint_t cell)
{
    const db_t  *db = &dbs[cell][PAY_ROLE_REPLICA];

    return db->pq != NULL ? ngx_payments_pq_session(db->pq) : 0;
}


void
ngx_payments_db_leave(ngx_uint_t cell, const char *why)
{
    ngx_payments_pq_leave(dbs[cell][PAY_ROLE_REPLICA].pq, why);
}


/* `since` starts anew when an item is sent alone and bounds its wait; `queued`
 * never does, and its stage's deadline counts from there. */
ngx_int_t
ngx_payments_db_call(ngx_payments_call_t *call)
{
    db_t  *db = &dbs[call->cell][call->at_replica ? PAY_ROLE_REPLICA
                                                  : pay_op_role(call->op)];

    if (db->pq == NULL || !ngx_payments_pq_usable(db->pq)) {
        return NGX_DECLINED;
    }

    if (db->queues.count >= room_for(db, call) || is_crowded(db, call)) {
        if (!is_replica(db)) {
            ngx_payments_count_db_rejected(db->cell);
            ngx_payments_count_refused(db->cell, work_of(call),
                                       NGX_PAYMENTS_FULL_QUEUE);
        }

        call->retry_after_s = retry_after_s(db, call->op);
        return NGX_BUSY;
    }

    if (db->queues.count + db->queues.sent == 0) {
        db->moved = ngx_current_msec;
    }

    call->queued = call->since = ngx_current_msec;
    call->alone = 0;
    ngx_payments_queue_put(&db->queues, call);
    note_pace(db, 0);
    wake(db);
    start_tick(db);

    return NGX_OK;
}


/* An operation that ends a flow is still admitted when no new work is: the
 * flow's work is done, and would be repeated by a job.  So is one about money
 * that exists, and the ledger check.  A new job can wait from the first sign of
 * pressure on. */
static ngx_uint_t
room_for(const db_t *db, const ngx_payments_call_t *call)
{
    if (call->money || pay_op(call->op)->is_kept) {
        return 2 * db->conf->queue;
    }

    return pay_op(call->op)->class == PAY_CLASS_JOBS
           ? (db->conf->queue + 1) / 2 : db->conf->queue;
}


/* Behind a call that has waited for half of its stage a new one has little
 * chance and would use up its time: it is refused at once. */
static ngx_uint_t
is_crowded(db_t *db, const ngx_payments_call_t *call)
{
    ngx_queue_t          *queue = &db->queues.calls[call->op];
    ngx_payments_call_t  *oldest;

    if (call->timeout == 0 || ngx_queue_empty(queue)
        || ngx_payments_queue_class(call) != PAY_CLASS_INTAKE)
    {
        return 0;
    }

    oldest = ngx_queue_data(ngx_queue_head(queue), ngx_payments_call_t, queue);

    return ngx_current_msec - oldest->queued > call->timeout / 2;
}


/* The mix of the full queue, in the words of payments_bulkhead; only the
 * metric goes by it. */
static ngx_payments_work_e
work_of(const ngx_payments_call_t *call)
{
    if (call->op == PAY_OP_BEGIN_PAYMENT) {
        return NGX_PAYMENTS_WORK_INTAKE;
    }

    if (call->money || pay_op(call->op)->is_kept) {
        return NGX_PAYMENTS_WORK_CHANGE;
    }

    switch (pay_op(call->op)->class) {

    case PAY_CLASS_JOBS:
        return NGX_PAYMENTS_WORK_JOB;

    case PAY_CLASS_CONSOLE:
    case PAY_CLASS_ACT:
        return NGX_PAYMENTS_WORK_CONSOLE;

    default:
        return NGX_PAYMENTS_WORK_READ;
    }
}


/* The speed at which calls leave: Retry-After is made of it. */
static void
note_pace(db_t *db, ngx_uint_t left)
{
    pay_drain_note(&db->drain, (int64_t) ngx_current_msec, (int64_t) left,
                   (int64_t) (db->queues.count + db->queues.sent));
}


/* By what goes before a newcomer: of its class or a better one, and what is on
 * the wire. */
static int64_t
retry_after_s(const db_t *db, pay_op_id_t op)
{
    ngx_uint_t  i, ahead = db->queues.sent;

    for (i = 0; i <= (ngx_uint_t) pay_op(op)->class; i++) {
        ahead += db->queues.classes[i];
    }

    return pay_drain_wait_s(&db->drain, (int64_t) ngx_current_msec,
                            (int64_t) ahead);
}


/* A timer that ran without calls would hold a stopping worker back. */
static void
start_tick(db_t *db)
{
    if (!db->tick.timer_set) {
        ngx_add_timer(&db->tick, db->tick_ms);
    }
}


/* At the end of this turn of the loop, so that all it brought goes at once. */
static void
wake(void *data)
{
    db_t  *db = data;

    ngx_post_event(&db->dispatch, &ngx_posted_events);
}


/* A batch that was full and came in time: a few more may go together the next
 * time. */
static void
batch_answered(void *data, ngx_payments_batch_t *batch)
{
    db_t        *db = data;
    ngx_uint_t  *limit = &db->queues.batch_max[batch->op];

    ngx_payments_queue_leave(&db->queues, batch);
    note_pace(db, batch->count);
    count_batch(db, batch, 0);
    db->is_silent = 0;
    db->moved = ngx_current_msec;

    if (batch->count >= *limit) {
        *limit = ngx_min(*limit + *limit / 8 + 1, db->conf->batch);
    }
}


/* UNKNOWN and no second try: the commit may stand, and the next request or job
 * begins by reading. */
static void
batch_lost(void *data, ngx_payments_batch_t *batch)
{
    db_t  *db = data;

    ngx_payments_queue_leave(&db->queues, batch);
    note_pace(db, batch->count);
    count_batch(db, batch, 1);
    drop(batch, PAY_DB_UNKNOWN);
    ngx_destroy_pool(batch->pool);
}


/* Rolled back as a whole: each item gets its own try, so that only the one
 * that fails alone fails.  Contention is tried three times more; an item that
 * fails alone, and a database that is not to be had, are answered at once, and
 * so is all of a replica, behind which the primary is asked. */
static void
batch_failed(void *data, ngx_payments_batch_t *batch,
    const char *sqlstate, const char *message)
{
    db_t                            *db = data;
    ngx_uint_t                       level, omitted;
    pay_db_failure_t                 failure;

    failure = failure_of(sqlstate);
    count_batch(db, batch, 1);
    count_canceled(db, batch, sqlstate);
    ngx_payments_queue_leave(&db->queues, batch);

    if (is_replica(db) || (is_contention(sqlstate) ? tried_enough(batch)
        : batch->count == 1 || (failure == PAY_DB_UNAVAILABLE
                                && !may_be_of_one(sqlstate))))
    {
        if (ngx_payments_log_may(&db->pace, &omitted)) {
            level = is_replica(db) ? NGX_LOG_WARN : NGX_LOG_ERR;
            ngx_log_error(level, db->log, 0,
                          "payments: operation failed, op:%s, sqlstate:%s, "
                          "calls:%ui, omitted:%ui%s%V, message:%s",
                          pay_op(batch->op)->name, sqlstate, batch->count,
                          omitted, is_replica(db) ? ", replica:1" : "",
                          ngx_payments_cell_note(db->cell), message);
        }

        note_pace(db, batch->count);
        drop(batch, failure);

    } else {
        queue_alone(db, batch);
    }

    ngx_destroy_pool(batch->pool);
}


/* The figures of operations are the primary's; a replica has its own. */
static void
count_batch(const db_t *db, const ngx_payments_batch_t *batch,
    ngx_uint_t failed)
{
    if (!is_replica(db)) {
        ngx_payments_count_db(db->cell, batch->op, batch->count, failed,
                              ngx_current_msec - batch->sent);
    }
}


static ngx_uint_t
is_replica(const db_t *db)
{
    return db->conf->role == PAY_ROLE_REPLICA;
}


/* As many batches as there are free connections; the rest waits for wake().
 * Late calls are answered last, since their flows may queue new ones. */
static void
dispatch_handler(ngx_event_t *ev)
{
    db_t                  *db = ev->data;
    ngx_uint_t             idle;
    ngx_queue_t            late;
    ngx_payments_batch_t  *batch;

    ngx_queue_init(&late);

    while ((idle = ngx_payments_pq_idle(db->pq)) != 0) {
        batch = ngx_payments_queue_next(&db->queues, idle, db->log, &late);
        if (batch == NULL) {
            break;
        }

        ngx_payments_pq_send(db->pq, batch);
    }

    refuse_late(db, &late, PAY_DB_OVERLOADED);
}


/* Answers calls as OVERLOADED: they were never sent, or were rolled back for
 * certain, so they had no effect. */
static void
refuse_late(db_t *db, ngx_queue_t *late,
    pay_db_failure_t failure)
{
    ngx_queue_t          *q;
    ngx_payments_call_t  *call;

    while (!ngx_queue_empty(late)) {
        q = ngx_queue_head(late);
        ngx_queue_remove(q);
        call = ngx_queue_data(q, ngx_payments_call_t, queue);

        if (ngx_payments_queue_is_late(call)) {
            ngx_payments_count_stage_timeout(pay_op(call->op)->stage);
        }

        if (!is_replica(db)) {
            ngx_payments_count_db_rejected(db->cell);
        }

        call->retry_after_s = retry_after_s(db, call->op);
        call->done(call, NULL, failure);
    }
}


/* statement_timeout was set to the stage's; a cancellation by an operator
 * (pg_cancel_backend()) comes earlier.  As many items at once are too many
 * then: half of them go the next time, and a few more after each success. */
static void
count_canceled(db_t *db, ngx_payments_batch_t *batch,
    const char *sqlstate)
{
    ngx_uint_t  i;

    if (batch->timeout == 0 || ngx_strcmp(sqlstate, "57014") != 0
        || ngx_current_msec - batch->sent + 1 < batch->timeout)
    {
        return;
    }

    db->queues.batch_max[batch->op] = ngx_max(batch->count / 2, 1);

    for (i = 0; i < batch->count; i++) {
        if (batch->calls[i]->timeout != 0) {
            ngx_payments_count_stage_timeout(pay_op(batch->op)->stage);
        }
    }
}


/* Contention may be over when items go one by one, but not for ever: their
 * clients wait. */
static ngx_uint_t
tried_enough(ngx_payments_batch_t *batch)
{
    return batch->count == 1 && ++batch->calls[0]->alone > ALONE_TRIES;
}


/* Calls are put back backwards and in front, so that the order of arrival
 * stays as it was. */
static void
queue_alone(db_t *db, ngx_payments_batch_t *batch)
{
    ngx_uint_t            i;
    ngx_payments_call_t  *call;

    for (i = batch->count; i-- > 0; /* void */) {
        call = batch->calls[i];
        call->alone = ngx_max(call->alone, 1);
        call->since = ngx_current_msec;      /* its stage goes on */
        ngx_payments_queue_put_back(&db->queues, call);
    }

    note_pace(db, 0);
    start_tick(db);
}


/* 58, XX: a file or a row that cannot be read, which may be one item's. */
static ngx_uint_t
may_be_of_one(const char *sqlstate)
{
    return ngx_strncmp(sqlstate, "58", 2) == 0
           || ngx_strncmp(sqlstate, "XX", 2) == 0;
}


/* All calls of the batch get one answer; each may free its flow. */
static void
drop(ngx_payments_batch_t *batch, pay_db_failure_t failure)
{
    ngx_uint_t  i;

    for (i = 0; i < batch->count; i++) {
        batch->calls[i]->done(batch->calls[i], NULL, failure);
    }
}


/* 40001, 40P01: serialization, deadlock; 55P03: lock_timeout.  All were rolled
 * back and may go well the next time. */
static ngx_uint_t
is_contention(const char *sqlstate)
{
    return ngx_strncmp(sqlstate, "40", 2) == 0
           || ngx_strcmp(sqlstate, "55P03") == 0;
}


/* Classes: 08 connection, 53 resources, 57 operator, 58 system, XX internal,
 * 25006 read-only: the database is not to be had; 40, 55P03: contention; 42883,
 * 0A000: a newer schema has taken an operation's function or its row type. */
static pay_db_failure_t
failure_of(const char *sqlstate)
{
    ngx_uint_t                  i;
    static const char  *const   classes[] = {
        "08", "53", "57", "58", "XX", "25006", "40", "55P03", "42883", "0A000"
    };

    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (ngx_strncmp(sqlstate, classes[i], ngx_strlen(classes[i])) == 0) {
            return PAY_DB_UNAVAILABLE;
        }
    }

    return PAY_DB_ERROR;
}


/* A call that waits too long is answered so.  The timer runs only while calls
 * wait, and then holds a stopping worker back until they are answered. */
static void
tick_handler(ngx_event_t *ev)
{
    db_t                 *db = ngx_queue_data(ev, db_t, tick);
    ngx_uint_t            i, down;
    ngx_queue_t          *q, *next, late;
    ngx_payments_call_t  *call;

    down = !ngx_payments_pq_usable(db->pq);
    ngx_queue_init(&late);

    for (i = 0; i < PAY_OP_COUNT; i++) {
        for (q = ngx_queue_head(&db->queues.calls[i]);
             q != ngx_queue_sentinel(&db->queues.calls[i]);
             q = next)
        {
            next = ngx_queue_next(q);
            call = ngx_queue_data(q, ngx_payments_call_t, queue);

            if (down || ngx_payments_queue_is_late(call)
                || ngx_current_msec - call->since >= db->conf->wait)
            {
                ngx_payments_queue_remove(&db->queues, call);
                ngx_queue_insert_tail(&late, q);
            }
        }
    }

    refuse_late(db, &late, down ? PAY_DB_UNAVAILABLE : PAY_DB_OVERLOADED);

    if (db->queues.count != 0) {
        wake(db);
        start_tick(db);
    }
}

/*
 * PostgreSQL on nginx's event loop, the only file that knows libpq.  Calls
 * wait in one queue per operation; whenever a connection is free the oldest
 * queue goes out as one set-based call in pipeline mode, so an idle worker
 * sends batches of one and a busy one shares each commit.
 *
 * Rules kept here: nothing blocks; a row counts only after the Sync that
 * carries the commit; a connection that misses its deadline is dropped (a
 * stopped backend defeats statement_timeout); what was sent and not answered
 * is unknown, never failed; a batch that fails as a whole is sent again item
 * by item, so a bad item fails alone.
 */

#include <libpq-fe.h>

#include "ngx_payments_batch.h"


#define CONNECT_TIMEOUT_MS   5000
#define BACKOFF_FIRST_MS     100
#define BACKOFF_MAX_MS       5000
#define QUEUE_TICK_MS        50
#define ALONE_TRIES          3
#define POOL_SIZE            16384


typedef enum {
    CONN_DOWN = 0,             /* no PGconn; the timer says when to try */
    CONN_CONNECTING,           /* PQconnectPoll is at work */
    CONN_SETUP,                /* settings and prepared statements under way */
    CONN_IDLE,                 /* may take a batch */
    CONN_BUSY                  /* a batch is on the wire */
} conn_state_e;

typedef struct {
    PGconn                *pg;
    ngx_connection_t      *c;
    ngx_event_t            timer;
    conn_state_e           state;
    ngx_uint_t             failures;       /* in a row */

    ngx_pool_t            *pool;           /* of the batch on the wire */
    ngx_payments_call_t  **calls;
    ngx_uint_t             count;
    pay_op_id_t            op;
    ngx_msec_t             sent;
    PGresult              *rows;
    char                   sqlstate[6];    /* of the first error */
    ngx_uint_t             failed;
} conn_t;

typedef struct {
    ngx_payments_db_conf_t  *conf;
    ngx_log_t               *log;
    ngx_pool_t              *pool;
    conn_t                  *conns;
    ngx_queue_t              queues[PAY_OP_COUNT];
    ngx_uint_t               queued;
    ngx_event_t              dispatch;
    ngx_event_t              tick;
    ngx_uint_t               stopping;
} pq_t;


static void conn_start(conn_t *conn);
static void conn_timer_handler(ngx_event_t *ev);
static void conn_event_handler(ngx_event_t *ev);
static void conn_connecting(conn_t *conn);
static ngx_int_t conn_watch(conn_t *conn, ngx_uint_t rd, ngx_uint_t wr);
static ngx_int_t watch_event(ngx_event_t *ev, ngx_int_t kind, ngx_uint_t on);
static void conn_unwatch(conn_t *conn);
static void conn_setup(conn_t *conn);
static ngx_int_t conn_send_setup(conn_t *conn);
static ngx_int_t conn_prepare(conn_t *conn, const pay_op_t *op);
static void conn_read(conn_t *conn);
static ngx_uint_t conn_take_results(conn_t *conn);
static void conn_take_error(conn_t *conn, PGresult *res);
static void conn_synced(conn_t *conn);
static void conn_lost(conn_t *conn, const char *why);
static void conn_close(conn_t *conn);
static void dispatch_handler(ngx_event_t *ev);
static ngx_queue_t *oldest_queue(pay_op_id_t *op);
static ngx_int_t conn_send_batch(conn_t *conn, ngx_queue_t *queue,
    pay_op_id_t op);
static void take_calls(conn_t *conn, ngx_queue_t *queue);
static ngx_int_t conn_send_calls(conn_t *conn);
static void deliver_rows(ngx_payments_call_t **calls, ngx_uint_t count,
    pay_op_id_t op, PGresult *rows);
static ngx_int_t decode_row(PGresult *rows, int row, const pay_op_t *op,
    pay_value_t *values);
static void batch_failed(ngx_payments_call_t **calls, ngx_uint_t count,
    const char *sqlstate);
static pay_db_failure_t failure_of(const char *sqlstate);
static ngx_uint_t is_contention(const char *sqlstate);
static void batch_drop(ngx_payments_call_t **calls, ngx_uint_t count,
    pay_db_failure_t failure);
static void tick_handler(ngx_event_t *ev);
static ngx_uint_t usable(void);


static pq_t  pq;


ngx_int_t
ngx_payments_pq_start(ngx_cycle_t *cycle, ngx_payments_db_conf_t *conf)
{
    ngx_uint_t  i;

    ngx_memzero(&pq, sizeof(pq_t));

    pq.conf = conf;
    pq.log = cycle->log;
    pq.pool = cycle->pool;
    pq.conns = ngx_pcalloc(cycle->pool, conf->connections * sizeof(conn_t));
    if (pq.conns == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < PAY_OP_COUNT; i++) {
        ngx_queue_init(&pq.queues[i]);
    }

    pq.dispatch.handler = dispatch_handler;
    pq.dispatch.log = cycle->log;
    pq.tick.handler = tick_handler;
    pq.tick.log = cycle->log;

    for (i = 0; i < conf->connections; i++) {
        pq.conns[i].timer.handler = conn_timer_handler;
        pq.conns[i].timer.data = &pq.conns[i];
        pq.conns[i].timer.log = cycle->log;
        pq.conns[i].timer.cancelable = 1;
        conn_start(&pq.conns[i]);
    }

    return NGX_OK;
}


ngx_int_t
ngx_payments_pq_call(ngx_payments_call_t *call)
{
    if (!usable()) {
        return NGX_DECLINED;
    }

    if (pq.queued >= pq.conf->queue) {
        ngx_payments_count_db_rejected();
        return NGX_BUSY;
    }

    call->queued = ngx_current_msec;
    call->alone = 0;
    ngx_queue_insert_tail(&pq.queues[call->op], &call->queue);
    pq.queued++;

    if (!pq.dispatch.posted) {
        ngx_post_event(&pq.dispatch, &ngx_posted_events);
    }

    if (!pq.tick.timer_set) {
        ngx_add_timer(&pq.tick, QUEUE_TICK_MS);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_payments_pq_ready(void)
{
    ngx_uint_t  i;

    if (pq.conns == NULL) {
        return 0;
    }

    for (i = 0; i < pq.conf->connections; i++) {
        if (pq.conns[i].state == CONN_IDLE || pq.conns[i].state == CONN_BUSY) {
            return 1;
        }
    }

    return 0;
}


void
ngx_payments_pq_stop(void)
{
    ngx_uint_t  i;

    if (pq.conns == NULL) {
        return;
    }

    pq.stopping = 1;

    for (i = 0; i < pq.conf->connections; i++) {
        conn_close(&pq.conns[i]);
    }
}


static void
conn_start(conn_t *conn)
{
    conn->pg = PQconnectStart((char *) pq.conf->dsn.data);

    if (conn->pg == NULL || PQstatus(conn->pg) == CONNECTION_BAD) {
        conn_lost(conn, "cannot start to connect");
        return;
    }

    conn->state = CONN_CONNECTING;
    ngx_add_timer(&conn->timer, CONNECT_TIMEOUT_MS);

    /* libpq: behave as if PQconnectPoll had last said WRITING */
    if (conn_watch(conn, 0, 1) != NGX_OK) {
        conn_lost(conn, "cannot watch the socket");
    }
}


static void
conn_timer_handler(ngx_event_t *ev)
{
    conn_t  *conn = ev->data;

    if (conn->state == CONN_DOWN) {
        conn_start(conn);
        return;
    }

    conn_lost(conn, conn->state == CONN_BUSY ? "call timed out"
                                             : "connect timed out");
}


static void
conn_event_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c = ev->data;
    conn_t            *conn = c->data;

    if (conn->state == CONN_CONNECTING) {
        conn_connecting(conn);
        return;
    }

    conn_read(conn);
}


static void
conn_connecting(conn_t *conn)
{
    ngx_int_t  rc;

    switch (PQconnectPoll(conn->pg)) {

    case PGRES_POLLING_READING:
        rc = conn_watch(conn, 1, 0);
        break;

    case PGRES_POLLING_WRITING:
        rc = conn_watch(conn, 0, 1);
        break;

    case PGRES_POLLING_OK:
        conn_setup(conn);
        return;

    default:
        conn_lost(conn, "cannot connect");
        return;
    }

    if (rc != NGX_OK) {
        conn_lost(conn, "cannot watch the socket");
    }
}


/* libpq owns the socket and may replace it; level-triggered, so that a byte
 * left behind cannot stall. */
static ngx_int_t
conn_watch(conn_t *conn, ngx_uint_t rd, ngx_uint_t wr)
{
    int                fd;
    ngx_connection_t  *c;

    fd = PQsocket(conn->pg);
    if (fd < 0) {
        return NGX_ERROR;
    }

    if (conn->c != NULL && conn->c->fd != fd) {
        conn_unwatch(conn);
    }

    if (conn->c == NULL) {
        c = ngx_get_connection(fd, pq.log);
        if (c == NULL) {
            return NGX_ERROR;
        }

        c->data = conn;
        c->log = pq.log;
        c->read->log = pq.log;
        c->write->log = pq.log;
        c->read->handler = conn_event_handler;
        c->write->handler = conn_event_handler;
        conn->c = c;
    }

    if (watch_event(conn->c->read, NGX_READ_EVENT, rd) != NGX_OK) {
        return NGX_ERROR;
    }

    return watch_event(conn->c->write, NGX_WRITE_EVENT, wr);
}


static ngx_int_t
watch_event(ngx_event_t *ev, ngx_int_t kind, ngx_uint_t on)
{
    if (on && !ev->active) {
        return ngx_add_event(ev, kind, NGX_LEVEL_EVENT);
    }

    if (!on && ev->active) {
        return ngx_del_event(ev, kind, 0);
    }

    return NGX_OK;
}


static void
conn_unwatch(conn_t *conn)
{
    ngx_connection_t  *c = conn->c;

    if (c == NULL) {
        return;
    }

    conn->c = NULL;

    (void) watch_event(c->read, NGX_READ_EVENT, 0);
    (void) watch_event(c->write, NGX_WRITE_EVENT, 0);

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->read->closed = 1;
    c->write->closed = 1;

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
}


static void
conn_setup(conn_t *conn)
{
    if (PQsetnonblocking(conn->pg, 1) != 0 || !PQenterPipelineMode(conn->pg)
        || conn_send_setup(conn) != NGX_OK)
    {
        conn_lost(conn, "cannot prepare the operations");
        return;
    }

    conn->state = CONN_SETUP;
    conn->failed = 0;
    conn_read(conn);
}


/* The server's own deadlines stay below ours, so that an answer says more
 * than a dropped connection would. */
static ngx_int_t
conn_send_setup(conn_t *conn)
{
    u_char       text[128];
    ngx_uint_t   i;

    ngx_memzero(text, sizeof(text));
    (void) ngx_snprintf(text, sizeof(text) - 1,
                        "SELECT set_config('statement_timeout','%M',false),"
                        "set_config('lock_timeout','%M',false)",
                        pq.conf->timeout - pq.conf->timeout / 5,
                        pq.conf->timeout / 4);

    if (!PQsendQueryParams(conn->pg, (char *) text, 0, NULL, NULL, NULL, NULL,
                           1))
    {
        return NGX_ERROR;
    }

    for (i = 0; i < PAY_OP_COUNT; i++) {
        if (conn_prepare(conn, pay_op(i)) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return PQpipelineSync(conn->pg) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
conn_prepare(conn_t *conn, const pay_op_t *op)
{
    Oid         types[PAY_OP_COLUMNS_MAX];
    ngx_uint_t  i;

    for (i = 0; i < op->in_count; i++) {
        types[i] = (Oid) ngx_payments_batch_array_oid(op->in[i]);
    }

    return PQsendPrepare(conn->pg, op->name, op->sql, (int) op->in_count,
                         types) ? NGX_OK : NGX_ERROR;
}


static void
conn_read(conn_t *conn)
{
    int  flushed;

    if (!PQconsumeInput(conn->pg)) {
        conn_lost(conn, "connection broke");
        return;
    }

    flushed = PQflush(conn->pg);

    if (flushed < 0 || conn_watch(conn, 1, flushed == 1) != NGX_OK) {
        conn_lost(conn, "cannot send");
        return;
    }

    if (conn->state == CONN_IDLE) {
        /* nothing is expected: a notice, or the server's farewell */
        if (PQstatus(conn->pg) == CONNECTION_BAD) {
            conn_lost(conn, "connection broke");
        }

        return;
    }

    if (conn_take_results(conn)) {
        conn_synced(conn);
    }
}


/* 1 when the Sync has come back: all before it is committed or failed. */
static ngx_uint_t
conn_take_results(conn_t *conn)
{
    PGresult        *res;
    ExecStatusType   status;

    while (!PQisBusy(conn->pg)) {
        res = PQgetResult(conn->pg);
        if (res == NULL) {
            continue;
        }

        status = PQresultStatus(res);

        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            return 1;
        }

        if (status == PGRES_FATAL_ERROR) {
            conn_take_error(conn, res);
        }

        if (status == PGRES_TUPLES_OK && conn->state == CONN_BUSY
            && conn->rows == NULL)
        {
            conn->rows = res;
            continue;
        }

        PQclear(res);
    }

    return 0;
}


static void
conn_take_error(conn_t *conn, PGresult *res)
{
    size_t       len;
    const char  *code;

    if (conn->failed) {
        return;
    }

    conn->failed = 1;
    ngx_memzero(conn->sqlstate, sizeof(conn->sqlstate));

    code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    if (code != NULL) {
        len = ngx_strlen(code);
        ngx_memcpy(conn->sqlstate, code, ngx_min(len, 5));
    }
}


static void
conn_synced(conn_t *conn)
{
    PGresult              *rows;
    ngx_pool_t            *pool;
    ngx_uint_t             count, failed;
    pay_op_id_t            op;
    ngx_payments_call_t  **calls;

    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    if (conn->state == CONN_SETUP) {
        if (conn->failed) {
            ngx_log_error(NGX_LOG_ERR, pq.log, 0,
                          "payments: an operation cannot be prepared, "
                          "sqlstate:%s, hint:run payctl migrate",
                          conn->sqlstate);
            conn_lost(conn, "setup refused");
            return;
        }

        conn->state = CONN_IDLE;
        conn->failures = 0;
        ngx_payments_count_db_connect(1);
        ngx_log_error(NGX_LOG_INFO, pq.log, 0,
                      "payments: database connected, pid:%d",
                      PQbackendPID(conn->pg));
        ngx_post_event(&pq.dispatch, &ngx_posted_events);
        return;
    }

    /* the connection is free before anybody hears of it */
    rows = conn->rows;
    pool = conn->pool;
    calls = conn->calls;
    count = conn->count;
    failed = conn->failed;
    op = conn->op;

    conn->rows = NULL;
    conn->pool = NULL;
    conn->count = 0;
    conn->state = CONN_IDLE;

    ngx_payments_count_db(op, count, failed || rows == NULL,
                          ngx_current_msec - conn->sent);

    if (failed || rows == NULL) {
        batch_failed(calls, count, conn->sqlstate);

    } else {
        deliver_rows(calls, count, op, rows);
    }

    PQclear(rows);
    ngx_destroy_pool(pool);
    ngx_post_event(&pq.dispatch, &ngx_posted_events);
}


static void
conn_lost(conn_t *conn, const char *why)
{
    ngx_msec_t             delay;
    ngx_pool_t            *pool;
    ngx_uint_t             count;
    ngx_payments_call_t  **calls;

    pool = conn->pool;
    calls = conn->calls;
    count = conn->count;

    if (conn->state == CONN_IDLE || conn->state == CONN_BUSY) {
        ngx_payments_count_db_connect(0);
    }

    ngx_log_error(conn->failures ? NGX_LOG_WARN : NGX_LOG_ERR, pq.log, 0,
                  "payments: database connection lost, why:%s, calls:%ui, "
                  "attempt:%ui", why, count, conn->failures);

    if (count != 0) {
        ngx_payments_count_db(conn->op, count, 1,
                              ngx_current_msec - conn->sent);
    }

    conn->pool = NULL;
    conn->count = 0;
    conn_close(conn);

    delay = BACKOFF_FIRST_MS << ngx_min(conn->failures, 6);
    delay = ngx_min(delay, BACKOFF_MAX_MS);
    conn->failures++;

    if (!pq.stopping) {
        conn->timer.cancelable = 1;
        ngx_add_timer(&conn->timer, delay + ngx_random() % (delay / 2 + 1));
    }

    if (pool != NULL) {
        batch_drop(calls, count, PAY_DB_UNKNOWN);
        ngx_destroy_pool(pool);
    }
}


static void
conn_close(conn_t *conn)
{
    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    conn_unwatch(conn);
    PQclear(conn->rows);
    PQfinish(conn->pg);

    conn->rows = NULL;
    conn->pg = NULL;
    conn->state = CONN_DOWN;
}


static void
dispatch_handler(ngx_event_t *ev)
{
    ngx_uint_t    i;
    ngx_queue_t  *queue;
    pay_op_id_t   op;

    for (i = 0; i < pq.conf->connections; i++) {
        if (pq.conns[i].state != CONN_IDLE) {
            continue;
        }

        queue = oldest_queue(&op);
        if (queue == NULL) {
            return;
        }

        if (conn_send_batch(&pq.conns[i], queue, op) != NGX_OK) {
            conn_lost(&pq.conns[i], "cannot send");
        }
    }
}


static ngx_queue_t *
oldest_queue(pay_op_id_t *op)
{
    ngx_uint_t            i;
    ngx_queue_t          *found = NULL;
    ngx_payments_call_t  *call, *oldest = NULL;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        if (ngx_queue_empty(&pq.queues[i])) {
            continue;
        }

        call = ngx_queue_data(ngx_queue_head(&pq.queues[i]),
                              ngx_payments_call_t, queue);

        if (oldest == NULL
            || (ngx_msec_int_t) (call->queued - oldest->queued) < 0)
        {
            oldest = call;
            found = &pq.queues[i];
            *op = i;
        }
    }

    return found;
}


static ngx_int_t
conn_send_batch(conn_t *conn, ngx_queue_t *queue, pay_op_id_t op)
{
    conn->pool = ngx_create_pool(POOL_SIZE, pq.log);
    if (conn->pool == NULL) {
        return NGX_ERROR;
    }

    conn->op = op;
    conn->failed = 0;
    conn->sqlstate[0] = '\0';
    conn->calls = ngx_palloc(conn->pool, pq.conf->batch
                                         * sizeof(ngx_payments_call_t *));
    if (conn->calls == NULL) {
        ngx_destroy_pool(conn->pool);
        conn->pool = NULL;
        return NGX_ERROR;
    }

    take_calls(conn, queue);

    conn->state = CONN_BUSY;
    conn->sent = ngx_current_msec;
    conn->timer.cancelable = 0;
    ngx_add_timer(&conn->timer, pq.conf->timeout);

    return conn_send_calls(conn);
}


static void
take_calls(conn_t *conn, ngx_queue_t *queue)
{
    ngx_queue_t          *q;
    ngx_payments_call_t  *call;

    conn->count = 0;

    while (!ngx_queue_empty(queue) && conn->count < pq.conf->batch) {
        q = ngx_queue_head(queue);
        call = ngx_queue_data(q, ngx_payments_call_t, queue);

        if (call->alone && conn->count != 0) {
            break;
        }

        ngx_queue_remove(q);
        pq.queued--;
        conn->calls[conn->count++] = call;

        if (call->alone) {
            break;
        }
    }
}


static ngx_int_t
conn_send_calls(conn_t *conn)
{
    int              lengths[PAY_OP_COLUMNS_MAX], formats[PAY_OP_COLUMNS_MAX];
    ngx_str_t        array;
    ngx_uint_t       i;
    const char      *values[PAY_OP_COLUMNS_MAX];
    const pay_op_t  *op;

    op = pay_op(conn->op);

    for (i = 0; i < op->in_count; i++) {
        if (ngx_payments_batch_encode(conn->pool, op, i, conn->calls,
                                      conn->count, &array)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        values[i] = (char *) array.data;
        lengths[i] = (int) array.len;
        formats[i] = 1;
    }

    if (!PQsendQueryPrepared(conn->pg, op->name, (int) op->in_count, values,
                             lengths, formats, 1)
        || !PQpipelineSync(conn->pg))
    {
        return NGX_ERROR;
    }

    switch (PQflush(conn->pg)) {

    case 0:
        return conn_watch(conn, 1, 0);

    case 1:
        return conn_watch(conn, 1, 1);

    default:
        return NGX_ERROR;
    }
}


static void
deliver_rows(ngx_payments_call_t **calls, ngx_uint_t count, pay_op_id_t id,
    PGresult *rows)
{
    int                   row, total;
    ngx_uint_t            item, i;
    pay_value_t           values[PAY_OP_COLUMNS_MAX];
    const pay_op_t       *op;
    ngx_payments_call_t  *call;

    op = pay_op(id);
    total = PQntuples(rows);

    if (PQnfields(rows) != (int) op->out_count + 1) {
        total = 0;
    }

    for (row = 0; row < total; row++) {
        item = ngx_payments_batch_item((u_char *) PQgetvalue(rows, row, 0),
                                       PQgetlength(rows, row, 0));
        if (item < 1 || item > count || calls[item - 1] == NULL
            || decode_row(rows, row, op, values) != NGX_OK)
        {
            continue;
        }

        call = calls[item - 1];
        calls[item - 1] = NULL;
        call->done(call, values, 0);
    }

    for (i = 0; i < count; i++) {
        if (calls[i] != NULL) {
            ngx_log_error(NGX_LOG_ALERT, pq.log, 0,
                          "payments: operation left an item out, op:%s",
                          op->name);
            calls[i]->done(calls[i], NULL, PAY_DB_ERROR);
        }
    }
}


static ngx_int_t
decode_row(PGresult *rows, int row, const pay_op_t *op, pay_value_t *values)
{
    ngx_uint_t  i;

    for (i = 0; i < op->out_count; i++) {
        if (ngx_payments_batch_decode(op->out[i],
                                      PQgetisnull(rows, row, i + 1),
                                      (u_char *) PQgetvalue(rows, row, i + 1),
                                      PQgetlength(rows, row, i + 1),
                                      &values[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Rolled back as a whole: each item gets its own try, so that only the one
 * that fails alone fails. */
static void
batch_failed(ngx_payments_call_t **calls, ngx_uint_t count,
    const char *sqlstate)
{
    ngx_uint_t            i;
    pay_db_failure_t      failure;
    ngx_payments_call_t  *call;

    failure = failure_of(sqlstate);

    if (count == 1) {
        call = calls[0];

        if (!is_contention(sqlstate) || ++call->alone > ALONE_TRIES) {
            ngx_log_error(NGX_LOG_ERR, pq.log, 0,
                          "payments: operation failed, op:%s, sqlstate:%s",
                          pay_op(call->op)->name, sqlstate);
            call->done(call, NULL, failure);
            return;
        }
    }

    if (failure == PAY_DB_UNAVAILABLE && !is_contention(sqlstate)) {
        ngx_log_error(NGX_LOG_ERR, pq.log, 0,
                      "payments: database refused a batch, sqlstate:%s, "
                      "calls:%ui", sqlstate, count);
        batch_drop(calls, count, failure);
        return;
    }

    for (i = count; i-- > 0; /* void */) {
        call = calls[i];
        call->alone = ngx_max(call->alone, 1);
        ngx_queue_insert_head(&pq.queues[call->op], &call->queue);
        pq.queued++;
    }

    if (!pq.tick.timer_set) {
        ngx_add_timer(&pq.tick, QUEUE_TICK_MS);
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


static void
batch_drop(ngx_payments_call_t **calls, ngx_uint_t count,
    pay_db_failure_t failure)
{
    ngx_uint_t  i;

    for (i = 0; i < count; i++) {
        calls[i]->done(calls[i], NULL, failure);
    }
}


/* What waits too long is told so; the timer runs only while something waits,
 * and then holds a stopping worker back until it is answered. */
static void
tick_handler(ngx_event_t *ev)
{
    ngx_uint_t            i, down;
    ngx_queue_t          *queue;
    ngx_payments_call_t  *call;

    down = !usable();

    for (i = 0; i < PAY_OP_COUNT; i++) {
        queue = &pq.queues[i];

        while (!ngx_queue_empty(queue)) {
            call = ngx_queue_data(ngx_queue_head(queue), ngx_payments_call_t,
                                  queue);

            if (!down && ngx_current_msec - call->queued < pq.conf->wait) {
                break;
            }

            ngx_queue_remove(&call->queue);
            pq.queued--;
            ngx_payments_count_db_rejected();
            call->done(call, NULL, down ? PAY_DB_UNAVAILABLE
                                        : PAY_DB_OVERLOADED);
        }
    }

    if (pq.queued != 0 && !pq.tick.timer_set) {
        ngx_add_timer(&pq.tick, QUEUE_TICK_MS);
    }
}


/* A connection is up, or the first attempt to have one is still open. */
static ngx_uint_t
usable(void)
{
    ngx_uint_t  i;

    if (pq.conns == NULL) {
        return 0;
    }

    for (i = 0; i < pq.conf->connections; i++) {
        if (pq.conns[i].state >= CONN_SETUP || pq.conns[i].failures == 0) {
            return 1;
        }
    }

    return 0;
}

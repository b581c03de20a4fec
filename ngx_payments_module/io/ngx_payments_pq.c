/*
 * Connections to PostgreSQL on nginx's event loop, to the one of the hosts that
 * takes writes.  ngx_payments_pq_rows.c sends and reads; no other file knows
 * libpq but ngx_payments_pq_conf.c, which reads a connection string.
 *
 * Rules kept here: nothing blocks; a row counts only after the Sync that
 * carries the commit; a connection that misses its deadline is dropped (a
 * stopped backend defeats statement_timeout); each connection finds the
 * primary, going round the hosts, and waits after a whole round.  libpq blocks
 * when it resolves a name: the manual requires addresses or sockets.
 */

#include "io/ngx_payments_pq.h"
#include "io/ngx_payments_pq_rows.h"
#include "io/ngx_payments_pq_said.h"
#include "io/ngx_payments_watch.h"
#include "shm/ngx_payments_count.h"
#include "util/ngx_payments_process.h"


#define CONNECT_TIMEOUT_MS   5000
#define SETUP_REFUSED        "setup refused"
#define TIMEOUT_UNKNOWN      ((ngx_msec_t) -1)


typedef enum {
    CONN_DOWN = 0,             /* no PGconn; the timer says when to try */
    CONN_CONNECTING,           /* PQconnectPoll is at work */
    CONN_SETUP,                /* settings and prepared statements under way */
    CONN_IDLE,                 /* may take a batch */
    CONN_BUSY                  /* a batch is on the wire */
} conn_state_e;

typedef struct {
    ngx_payments_pq_t     *pq;
    PGconn                *pg;
    ngx_connection_t      *c;
    ngx_event_t            timer;
    conn_state_e           state;
    ngx_uint_t             host;           /* in conf->dsns */
    ngx_uint_t             failures;       /* in a row */
    ngx_payments_batch_t  *batch;          /* on the wire */
    PGresult              *rows;
    ngx_msec_t             timeout;        /* statement_timeout for a stage; 0:
                                              that of all others */
    ngx_uint_t             setting;        /* it is being set: its row comes
                                              before the batch's */
    ngx_uint_t             failed;
    char                   sqlstate[6];    /* of the first error */
    ngx_payments_pq_said_t  said;          /* by PostgreSQL or libpq */
} conn_t;

struct ngx_payments_pq_s {
    ngx_uint_t                      cell;
    ngx_payments_db_conf_t         *conf;
    const ngx_payments_pq_owner_t  *owner;
    void                           *data;          /* the owner's */
    ngx_log_t                      *log;
    ngx_uint_t                      sessions;      /* ready ones, ever */
    conn_t                         *conns;
    ngx_uint_t                      stopping;
};


static void conn_start(conn_t *conn);
static void conn_timer_handler(ngx_event_t *ev);
static void conn_event_handler(ngx_event_t *ev);
static void conn_connecting(conn_t *conn);
static ngx_int_t conn_watch(conn_t *conn, ngx_uint_t rd, ngx_uint_t wr);
static void conn_setup(conn_t *conn);
static ngx_int_t conn_send_setup(conn_t *conn);
static void conn_read(conn_t *conn);
static ngx_int_t conn_take_results(conn_t *conn);
static void conn_take_error(conn_t *conn, PGresult *res);
static void conn_synced(conn_t *conn);
static void conn_prepared(conn_t *conn);
static void conn_batch_done(conn_t *conn);
static void conn_lost(conn_t *conn, const char *why);
static void conn_say_lost(conn_t *conn, const char *why);
static void conn_retry(conn_t *conn);
static ngx_uint_t said_nothing(const conn_t *conn);
static ngx_uint_t was_rolled_back(const conn_t *conn);
static void conn_close(conn_t *conn);
static ngx_int_t conn_send_calls(conn_t *conn, ngx_payments_batch_t *batch);
static ngx_int_t conn_set_timeout(conn_t *conn, ngx_msec_t timeout);


ngx_payments_pq_t *
ngx_payments_pq_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    ngx_payments_db_conf_t *conf, const ngx_payments_pq_owner_t *owner,
    void *data)
{
    conn_t             *conn;
    ngx_uint_t          i;
    ngx_payments_pq_t  *pq;

    pq = ngx_pcalloc(cycle->pool, sizeof(ngx_payments_pq_t));
    conn = ngx_pcalloc(cycle->pool, conf->connections * sizeof(conn_t));
    if (pq == NULL || conn == NULL) {
        return NULL;
    }

    pq->cell = cell;
    pq->conf = conf;
    pq->owner = owner;
    pq->data = data;
    pq->log = cycle->log;
    pq->conns = conn;

    for (i = 0; i < conf->connections; i++, conn++) {
        conn->pq = pq;
        ngx_payments_timer_init(&conn->timer, conn_timer_handler, cycle->log);
        conn->timer.data = conn;
        conn->timer.cancelable = 1;
        conn_start(conn);
    }

    return pq;
}


/* In the first round over the hosts, too: calls wait then and are not
 * refused. */
ngx_uint_t
ngx_payments_pq_usable(const ngx_payments_pq_t *pq)
{
    ngx_uint_t  i;

    for (i = 0; i < pq->conf->connections; i++) {
        if (pq->conns[i].state >= CONN_SETUP
            || pq->conns[i].failures < pq->conf->dsns->nelts)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_payments_pq_idle(const ngx_payments_pq_t *pq)
{
    ngx_uint_t  i, n = 0;

    for (i = 0; i < pq->conf->connections; i++) {
        n += pq->conns[i].state == CONN_IDLE;
    }

    return n;
}


ngx_uint_t
ngx_payments_pq_session(const ngx_payments_pq_t *pq)
{
    return pq->conns[0].state >= CONN_IDLE ? pq->sessions : 0;
}


void
ngx_payments_pq_leave(ngx_payments_pq_t *pq, const char *why)
{
    conn_lost(&pq->conns[0], why);
}


/* Not cancelable meanwhile: a worker that stops waits for its batches. */
void
ngx_payments_pq_send(ngx_payments_pq_t *pq, ngx_payments_batch_t *batch)
{
    conn_t      *conn;
    ngx_uint_t   i;

    for (i = 0; pq->conns[i].state != CONN_IDLE; i++) { /* void */ }

    conn = &pq->conns[i];
    conn->batch = batch;
    conn->failed = 0;
    conn->sqlstate[0] = '\0';
    conn->said.message[0] = '\0';
    conn->state = CONN_BUSY;
    conn->timer.cancelable = 0;
    ngx_add_timer(&conn->timer, pq->conf->timeout);

    if (conn_send_calls(conn, batch) != NGX_OK) {
        conn_lost(conn, "cannot send");
    }
}


void
ngx_payments_pq_stop(ngx_payments_pq_t *pq)
{
    ngx_uint_t  i;

    pq->stopping = 1;

    for (i = 0; i < pq->conf->connections; i++) {
        conn_close(&pq->conns[i]);
    }
}


static void
conn_start(conn_t *conn)
{
    ngx_str_t  *dsns = conn->pq->conf->dsns->elts;

    conn->failed = 0;
    conn->sqlstate[0] = '\0';
    conn->said.message[0] = '\0';
    conn->pg = PQconnectStart((char *) dsns[conn->host].data);

    if (conn->pg == NULL || PQstatus(conn->pg) == CONNECTION_BAD) {
        conn_lost(conn, "cannot start to connect");
        return;
    }

    (void) PQsetNoticeReceiver(conn->pg, ngx_payments_pq_drop_notice, NULL);

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

    /* libpq may go on with another socket, even one of the same number */
    ngx_payments_watch_close(conn->c);
    conn->c = NULL;

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


static ngx_int_t
conn_watch(conn_t *conn, ngx_uint_t rd, ngx_uint_t wr)
{
    int  fd;

    if (conn->c == NULL) {
        fd = PQsocket(conn->pg);
        if (fd < 0) {
            return NGX_ERROR;
        }

        conn->c = ngx_payments_watch_open(fd, conn, conn_event_handler,
                                          conn->pq->log);
        if (conn->c == NULL) {
            return NGX_ERROR;
        }
    }

    return ngx_payments_watch(conn->c, rd, wr);
}


/* Pipeline mode: no statement waits for the answer to the one before. */
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
    if (ngx_payments_pq_prepare_timeout(conn->pg) != NGX_OK
        || conn_set_timeout(conn, 0) != NGX_OK
        || ngx_payments_pq_prepare(conn->pg, conn->pq->conf->role) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return PQpipelineSync(conn->pg) ? NGX_OK : NGX_ERROR;
}


static void
conn_read(conn_t *conn)
{
    int        flushed;
    ngx_int_t  rc;

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

    rc = conn_take_results(conn);

    if (rc == NGX_OK) {
        conn_synced(conn);

    } else if (rc == NGX_ERROR) {
        conn_lost(conn, "answers make no sense");
    }
}


/* NGX_OK when the Sync has come back: all before it is committed or failed.
 * One NULL stands between two statements; at a second one libpq has nothing
 * left to wait for, and would say so for ever. */
static ngx_int_t
conn_take_results(conn_t *conn)
{
    PGresult        *res;
    ngx_uint_t       nulls = 0;
    ExecStatusType   status;

    while (!PQisBusy(conn->pg)) {
        res = PQgetResult(conn->pg);
        if (res == NULL) {
            if (++nulls > 1 || PQstatus(conn->pg) == CONNECTION_BAD) {
                return NGX_ERROR;
            }

            continue;
        }

        nulls = 0;
        status = PQresultStatus(res);

        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            return NGX_OK;
        }

        if (status == PGRES_FATAL_ERROR) {
            conn_take_error(conn, res);
        }

        if (status == PGRES_TUPLES_OK && conn->state == CONN_BUSY
            && conn->rows == NULL && !conn->setting)
        {
            conn->rows = res;
            continue;
        }

        conn->setting = 0;

        PQclear(res);
    }

    return PQstatus(conn->pg) == CONNECTION_BAD ? NGX_ERROR : NGX_AGAIN;
}


/* The first error is the cause of all that follow. */
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

    ngx_payments_pq_said(&conn->said, conn->pg, res, conn->sqlstate);
}


static void
conn_synced(conn_t *conn)
{
    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    if (conn->state == CONN_SETUP) {
        conn_prepared(conn);

    } else if (ngx_payments_pq_takes_no_writes(conn->sqlstate)) {
        conn_lost(conn, "the server takes no writes");

    } else if (said_nothing(conn)) {
        conn_lost(conn, "answer cannot be read");

    } else {
        conn_batch_done(conn);
    }
}


/* A function that the database lacks is a migration that was not run. */
static void
conn_prepared(conn_t *conn)
{
    if (conn->failed) {
        if (!ngx_payments_pq_is_told(&conn->said, conn->host, SETUP_REFUSED)) {
            ngx_log_error(ngx_payments_pq_level(conn->pq->conf),
                          conn->pq->log, 0,
                          "payments: an operation cannot be prepared, "
                          "sqlstate:%s%s%V, hint:run payctl migrate, "
                          "message:%s", conn->sqlstate,
                          ngx_payments_pq_note(conn->pq->conf),
                          ngx_payments_cell_note(conn->pq->cell),
                          conn->said.message);
        }

        conn_lost(conn, SETUP_REFUSED);
        return;
    }

    conn->state = CONN_IDLE;
    conn->failures = 0;
    conn->pq->sessions++;
    ngx_payments_count_db_connect(conn->pq->cell, conn->pq->conf->role, 1);
    ngx_log_error(NGX_LOG_NOTICE, conn->pq->log, 0,
                  "payments: database connected, pid:%d%s%V",
                  PQbackendPID(conn->pg), ngx_payments_pq_note(conn->pq->conf),
                  ngx_payments_cell_note(conn->pq->cell));

    ngx_payments_pq_warn_superuser(conn->pg, conn->pq->log);
    conn->pq->owner->wake(conn->pq->data);
}


static void
conn_batch_done(conn_t *conn)
{
    PGresult              *rows;
    ngx_payments_batch_t  *batch;

    /* the connection is free before anybody hears of it */
    rows = conn->rows;
    batch = conn->batch;

    conn->rows = NULL;
    conn->batch = NULL;
    conn->state = CONN_IDLE;

    if (conn->failed) {
        conn->timeout = TIMEOUT_UNKNOWN;    /* the setting went back, too */
    }

    if (conn->failed) {
        conn->pq->owner->failed(conn->pq->data, batch, conn->sqlstate,
                                conn->said.message);

    } else {
        conn->pq->owner->answered(conn->pq->data, batch);
        ngx_payments_pq_deliver(batch, rows);
        ngx_destroy_pool(batch->pool);
    }

    PQclear(rows);
    conn->sqlstate[0] = '\0';
    conn->pq->owner->wake(conn->pq->data);
}


/* Calls that were sent are unknown, unless the server has reported that they
 * were rolled back. */
static void
conn_lost(conn_t *conn, const char *why)
{
    ngx_uint_t             rolled_back;
    ngx_payments_batch_t  *batch;

    if (conn->state == CONN_IDLE || conn->state == CONN_BUSY) {
        ngx_payments_count_db_connect(conn->pq->cell, conn->pq->conf->role, 0);
    }

    conn_say_lost(conn, why);

    batch = conn->batch;
    rolled_back = was_rolled_back(conn);
    conn->batch = NULL;
    conn_close(conn);
    conn_retry(conn);

    if (batch == NULL) {
        return;
    }

    if (rolled_back) {
        conn->pq->owner->failed(conn->pq->data, batch, conn->sqlstate,
                                conn->said.message);

    } else {
        conn->pq->owner->lost(conn->pq->data, batch);
    }

    conn->pq->owner->wake(conn->pq->data);
}


static void
conn_say_lost(conn_t *conn, const char *why)
{
    ngx_uint_t  untold;

    ngx_payments_pq_said(&conn->said, conn->pg, NULL, conn->sqlstate);

    if (!ngx_payments_pq_tell(&conn->said, conn->host, why,
                              conn->batch == NULL && conn->failures != 0,
                              &untold))
    {
        return;
    }

    ngx_log_error(ngx_payments_pq_level(conn->pq->conf), conn->pq->log, 0,
                  "payments: database connection lost, why:%s, host:%ui, "
                  "calls:%ui, attempt:%ui, sqlstate:%s, omitted:%ui%s%V, "
                  "message:%s", why, conn->host,
                  conn->batch ? conn->batch->count : 0, conn->failures,
                  conn->sqlstate, untold, ngx_payments_pq_note(conn->pq->conf),
                  ngx_payments_cell_note(conn->pq->cell), conn->said.message);
}


/* The next host at once, while there is one that this round has not tried;
 * then a wait. */
static void
conn_retry(conn_t *conn)
{
    ngx_uint_t  hosts = conn->pq->conf->dsns->nelts;

    conn->host = (conn->host + 1) % hosts;
    conn->failures++;

    if (conn->pq->stopping) {
        return;
    }

    conn->timer.cancelable = 1;
    ngx_add_timer(&conn->timer, ngx_payments_pq_pause(conn->failures, hosts));
}


/* The server has ended the statement, and libpq has no rows of it: it ran out
 * of memory or could not read them, and its own errors have no code.  The
 * commit stands then, so a second call would be one too many. */
static ngx_uint_t
said_nothing(const conn_t *conn)
{
    return conn->sqlstate[0] == '\0' && (conn->failed || conn->rows == NULL);
}


/* The server's own word (libpq's errors have no code), before the statement's
 * last: what is said later may come from behind the commit. */
static ngx_uint_t
was_rolled_back(const conn_t *conn)
{
    return conn->rows == NULL && conn->sqlstate[0] != '\0';
}


static void
conn_close(conn_t *conn)
{
    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    ngx_payments_watch_close(conn->c);
    PQclear(conn->rows);
    PQfinish(conn->pg);

    conn->c = NULL;
    conn->rows = NULL;
    conn->pg = NULL;
    conn->state = CONN_DOWN;
}


static ngx_int_t
conn_send_calls(conn_t *conn, ngx_payments_batch_t *batch)
{
    conn->setting = batch->timeout != conn->timeout;

    if ((conn->setting && conn_set_timeout(conn, batch->timeout) != NGX_OK)
        || ngx_payments_pq_put(conn->pg, batch) != NGX_OK
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


static ngx_int_t
conn_set_timeout(conn_t *conn, ngx_msec_t timeout)
{
    conn->timeout = timeout;

    return ngx_payments_pq_set_timeout(conn->pg, conn->pq->conf->timeout,
                                       timeout);
}

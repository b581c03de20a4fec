/*
 * Reads at a replica.  A worker writes beats at the primary and looks for them
 * at the replica (pay_lag.h); while the newest one that is there is young
 * enough, reads go to the replica, and all others to the primary.  Nobody sees
 * an error of a replica's: the primary is asked then, as if there were none.
 *
 *     replica_call ─▶ too far behind, away, full ───────────────▶ primary
 *       └▶ replica ─▶ found, still young enough ─▶ done            ▲
 *             └▶ not found (yet), failed, too slow, reconnected ───┘
 */

#include "io/ngx_payments_replica.h"
#include "io/ngx_payments_db.h"
#include "shm/ngx_payments_count_replica.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"
#include "util/ngx_payments_random.h"
#include "pay_lag.h"


#define NO_STANDBY     "the server is no standby"
#define SAY_AGAIN_MS   60000


/* A cell's replica, as this worker knows it.  One beat and one look are under
 * way at a time. */
typedef struct {
    ngx_uint_t              cell;
    ngx_payments_db_conf_t *conf;          /* NULL: there is none */
    pay_lag_t               lag;
    pay_beat_in_t           beat;
    pay_read_beat_in_t      look;
    ngx_payments_call_t     beat_call;
    ngx_payments_call_t     look_call;
    ngx_uint_t              is_beating;    /* the calls are under way */
    ngx_uint_t              is_looking;
    ngx_uint_t              turn;
    ngx_uint_t              answers;       /* it is near enough, as it was
                                              said last … */
    ngx_msec_t              said;          /* … at that time; 0: never */
    ngx_event_t             timer;
} replica_t;


static void timer_handler(ngx_event_t *ev);
static void send_beat(replica_t *replica);
static void beat_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void send_look(replica_t *replica);
static void look_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static int64_t lag_of(const replica_t *replica);
static void tell(replica_t *replica);
static ngx_int_t ask_primary(ngx_payments_call_t *call,
    ngx_payments_replica_why_e why);
static void replica_done(ngx_payments_call_t *call,
    const pay_result_t *result, pay_db_failure_t failure);


static replica_t  replicas[NGX_PAYMENTS_CELLS_MAX];
static pay_str_t  writer;


/* The name of this process in its beats.  It is random, so that no other server
 * can have its beats but those that have replayed them. */
ngx_int_t
ngx_payments_replica_start(ngx_cycle_t *cycle, const ngx_array_t *cells)
{
    ngx_uint_t             i;
    replica_t             *replica;
    pay_arena_t            arena = ngx_payments_arena(cycle->pool);
    ngx_payments_cell_t  **all = cells->elts;

    ngx_memzero(replicas, sizeof(replicas));

    if (ngx_payments_uuid(&arena, &writer) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < cells->nelts; i++) {
        if (all[i]->dbs[PAY_ROLE_REPLICA].dsns == NULL) {
            continue;
        }

        replica = &replicas[i];
        replica->cell = i;
        replica->conf = &all[i]->dbs[PAY_ROLE_REPLICA];
        ngx_payments_timer_init(&replica->timer, timer_handler, cycle->log);
        replica->timer.data = replica;
        replica->timer.cancelable = 1;
        ngx_add_timer(&replica->timer, 1);
        ngx_payments_count_replica_begins(i);
    }

    return NGX_OK;
}


/* A beat in each second turn: the turn between finds the beat that the one
 * before was too early for. */
static void
timer_handler(ngx_event_t *ev)
{
    replica_t  *replica = ev->data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (replica->turn++ % 2 == 0 && !replica->is_beating) {
        send_beat(replica);
    }

    if (!replica->is_looking) {
        send_look(replica);
    }

    tell(replica);
    ngx_add_timer(&replica->timer,
                  (ngx_msec_t) pay_lag_pace_ms((int64_t) replica->conf->lag));
}


/* The time is taken before it is queued: all commits until now are in the WAL
 * before the beat. */
static void
send_beat(replica_t *replica)
{
    ngx_payments_call_t  *call = &replica->beat_call;

    ngx_memzero(call, sizeof(ngx_payments_call_t));
    replica->beat.writer = writer;
    replica->beat.number = pay_lag_beat(&replica->lag,
                                        (int64_t) ngx_current_msec);
    call->cell = replica->cell;
    call->op = PAY_OP_BEAT;
    call->args = &replica->beat;
    call->done = beat_done;
    call->data = replica;

    replica->is_beating = ngx_payments_db_call(call) == NGX_OK;
}


/* Whether it is stored is seen at the replica. */
static void
beat_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    replica_t  *replica = call->data;

    (void) result;
    (void) failure;

    replica->is_beating = 0;
}


static void
send_look(replica_t *replica)
{
    ngx_payments_call_t  *call = &replica->look_call;

    if (ngx_payments_db_session(replica->cell) == 0) {
        return;
    }

    ngx_memzero(call, sizeof(ngx_payments_call_t));
    replica->look.writer = writer;
    call->cell = replica->cell;
    call->op = PAY_OP_READ_BEAT;
    call->args = &replica->look;
    call->done = look_done;
    call->data = replica;
    call->at_replica = 1;

    replica->is_looking = ngx_payments_db_call(call) == NGX_OK;
}


/* A batch ends with its connection, so an answer is of the present one. */
static void
look_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    replica_t             *replica = call->data;
    const pay_beat_row_t  *row;

    (void) failure;
    replica->is_looking = 0;

    if (result == NULL || (row = pay_row_beat(result)) == NULL) {
        return;
    }

    if (!row->is_standby) {
        ngx_payments_db_leave(replica->cell, NO_STANDBY);
        return;
    }

    pay_lag_seen(&replica->lag, row->number,
                 (int64_t) ngx_payments_db_session(replica->cell));

    if (replica->lag.is_known) {
        ngx_payments_count_replica_as_of(replica->cell,
                                         (ngx_msec_t) replica->lag.as_of_ms);
    }

    tell(replica);
}


static int64_t
lag_of(const replica_t *replica)
{
    ngx_uint_t  session = ngx_payments_db_session(replica->cell);

    return session == 0 ? PAY_LAG_UNKNOWN
           : pay_lag_ms(&replica->lag, (int64_t) session,
                        (int64_t) ngx_current_msec);
}


/* One line at each change, and of a replica that comes and goes not more than
 * one a minute. */
static void
tell(replica_t *replica)
{
    int64_t     lag = lag_of(replica);
    ngx_uint_t  level, answers = lag <= (int64_t) replica->conf->lag;

    if (answers == replica->answers
        || (replica->said != 0
            && ngx_current_msec - replica->said < SAY_AGAIN_MS))
    {
        return;
    }

    replica->answers = answers;
    replica->said = ngx_current_msec;

    level = answers ? NGX_LOG_NOTICE : NGX_LOG_WARN;
    ngx_log_error(level, ngx_cycle->log, 0,
                  "payments: the replica %s, limit_ms:%M%V",
                  answers ? "answers reads"
                  : ngx_payments_db_session(replica->cell) == 0
                  ? "is away, and the primary answers"
                  : "is behind, and the primary answers",
                  replica->conf->lag, ngx_payments_cell_note(replica->cell));
}


/* `after` keeps the caller's function while this file's is in its place. */
ngx_int_t
ngx_payments_replica_call(ngx_payments_call_t *call, ngx_msec_t max_age)
{
    int64_t     lag;
    ngx_int_t   rc;
    replica_t  *replica = &replicas[call->cell];

    call->at_replica = 0;
    call->age = 0;

    if (replica->conf == NULL) {
        return ngx_payments_db_call(call);
    }

    lag = lag_of(replica);

    if (max_age < replica->conf->lag && lag >= (int64_t) max_age) {
        return ask_primary(call, NGX_PAYMENTS_REPLICA_ASKED);
    }

    if (lag > (int64_t) replica->conf->lag) {
        return ask_primary(call, ngx_payments_db_session(call->cell) == 0
                                 ? NGX_PAYMENTS_REPLICA_AWAY
                                 : NGX_PAYMENTS_REPLICA_BEHIND);
    }

    call->session = ngx_payments_db_session(call->cell);
    call->as_of = (ngx_msec_t) replica->lag.as_of_ms;
    call->max_age = ngx_min(max_age, replica->conf->lag);
    call->after = call->done;
    call->done = replica_done;
    call->at_replica = 1;
    rc = ngx_payments_db_call(call);

    if (rc != NGX_OK) {
        call->done = call->after;
        return ask_primary(call, rc == NGX_BUSY ? NGX_PAYMENTS_REPLICA_FULL
                                                : NGX_PAYMENTS_REPLICA_AWAY);
    }

    return NGX_OK;
}


static ngx_int_t
ask_primary(ngx_payments_call_t *call, ngx_payments_replica_why_e why)
{
    ngx_payments_count_replica_passed(call->cell, why);
    call->at_replica = 0;
    call->age = 0;

    return ngx_payments_db_call(call);
}


/* The answer shows all that had been committed at `as_of`.  It is handed on if
 * it is young enough now, and if the connection is the one that was known then:
 * a call that waited may have gone out over the next one, to another server. */
static void
replica_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    ngx_int_t                   rc;
    ngx_msec_t                  age = ngx_current_msec - call->as_of;
    ngx_payments_replica_why_e  why;

    call->done = call->after;

    if (result != NULL && result->outcome != PAY_OUTCOME_NOT_FOUND
        && age <= call->max_age
        && call->session == ngx_payments_db_session(call->cell))
    {
        ngx_payments_count_replica_answer(call->cell);
        call->age = ngx_max(age, 1);
        call->done(call, result, failure);
        return;
    }

    why = result == NULL ? NGX_PAYMENTS_REPLICA_FAILED
          : result->outcome == PAY_OUTCOME_NOT_FOUND
          ? NGX_PAYMENTS_REPLICA_NOT_FOUND : NGX_PAYMENTS_REPLICA_BEHIND;

    rc = ask_primary(call, why);

    if (rc != NGX_OK) {
        call->done(call, NULL, rc == NGX_BUSY ? PAY_DB_OVERLOADED
                                              : PAY_DB_UNAVAILABLE);
    }
}

/*
 * The daily close, where payments_audit has close= and payments_jobs is on.
 * PostgreSQL says whether a day is over and not closed yet, and makes its
 * document; of all workers of all nodes one signs it here.  A worker that dies
 * in between leaves the document to another.  Nothing that is paid waits for
 * this, or fails with it.
 *
 *     pause ─▶ begin_close ─▶ not due ─▶ pause
 *                  ├▶ again: a part of the day is added up ─▶ begin_close
 *                  └▶ due: document ─▶ sign ─▶ end_close ─▶ begin_close
 */

#include "run/ngx_payments_close.h"
#include "io/ngx_payments_db.h"
#include "shm/ngx_payments_count_settled.h"
#include "util/ngx_payments_process.h"


#define LEASE_MS      30000
#define LATE_S        3600             /* without success, then it is logged */
#define DOUBLED_MAX   16
#define PAUSE_MAX_MS  3600000


/* - begin, end: calls with their arguments, used again in each round.
 * - busy: from begin_close to the end of its round.
 * - failures: rounds that failed one after the other.
 * - well, told: when a round last went well, and when the log last said that
 *   none does. */
typedef struct {
    const ngx_payments_audit_conf_t  *conf;
    ngx_event_t                       timer;
    ngx_payments_call_t               begin;
    pay_begin_close_in_t              begin_args;
    ngx_payments_call_t               end;
    pay_end_close_in_t                end_args;
    unsigned char                     signature[PAY_ED25519_SIGNATURE];
    ngx_uint_t                        busy;
    ngx_uint_t                        failures;
    time_t                            well;
    time_t                            told;
} closer_t;


static void close_handler(ngx_event_t *ev);
static void close_begin(closer_t *closer);
static void close_begun(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static const char *close_sign(closer_t *closer, const pay_close_row_t *row);
static void close_next(closer_t *closer);
static void close_ended(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void close_failed(closer_t *closer, const char *why);
static ngx_msec_t close_pause(closer_t *closer);


/* The time of the start counts as a success, so that a worker which has just
 * begun does not complain. */
ngx_int_t
ngx_payments_close_start(ngx_cycle_t *cycle, ngx_uint_t cell, pay_str_t owner)
{
    closer_t                         *closer;
    const ngx_payments_audit_conf_t  *conf;

    conf = &ngx_payments_main_conf()->audit;

    if (conf->interval_ms == NGX_CONF_UNSET_MSEC
        || conf->close_ms == NGX_CONF_UNSET_MSEC)
    {
        return NGX_OK;
    }

    closer = ngx_pcalloc(cycle->pool, sizeof(closer_t));
    if (closer == NULL) {
        return NGX_ERROR;
    }

    closer->conf = conf;
    closer->well = ngx_time();

    closer->begin_args.owner = owner;
    closer->begin_args.delay_ms = (int64_t) conf->close_ms;
    closer->begin_args.lease_ms = LEASE_MS;
    closer->begin.op = PAY_OP_BEGIN_CLOSE;
    closer->begin.args = &closer->begin_args;
    closer->begin.done = close_begun;
    closer->begin.cell = cell;
    closer->begin.data = closer;

    closer->end.op = PAY_OP_END_CLOSE;
    closer->end.args = &closer->end_args;
    closer->end.done = close_ended;
    closer->end.cell = cell;
    closer->end.data = closer;

    ngx_payments_timer_init(&closer->timer, close_handler, cycle->log);
    closer->timer.cancelable = 1;
    ngx_add_timer(&closer->timer, close_pause(closer));

    return NGX_OK;
}


static void
close_handler(ngx_event_t *ev)
{
    closer_t  *closer = ngx_queue_data(ev, closer_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!closer->busy) {
        close_begin(closer);
    }

    ngx_add_timer(ev, close_pause(closer));
}


static void
close_begin(closer_t *closer)
{
    closer->busy = ngx_payments_db_call(&closer->begin) == NGX_OK;

    if (!closer->busy) {
        close_failed(closer, "database");
    }
}


/* `busy` stays while the signature is under way, and ends in close_ended(). */
static void
close_begun(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    closer_t    *closer = call->data;
    const char  *why = "database";

    (void) failure;

    switch (result != NULL ? result->outcome : PAY_OUTCOME_NONE) {

    case PAY_OUTCOME_DUE:
        why = close_sign(closer, pay_row_close(result));

        if (why == NULL) {
            return;
        }

        break;

    case PAY_OUTCOME_NOT_DUE:
        closer->well = ngx_time();
        closer->failures = 0;
        closer->busy = 0;
        return;

    case PAY_OUTCOME_AGAIN:
        closer->well = ngx_time();
        closer->failures = 0;
        close_next(closer);
        return;

    case PAY_OUTCOME_NONE:
        break;

    default:
        why = "refused";
    }

    closer->busy = 0;
    close_failed(closer, why);
}


/* NULL: the signature is on its way; else why not.  The document is
 * PostgreSQL's text as it is: an auditor checks the same bytes.  It ends with
 * this step, the signature is a copy. */
static const char *
close_sign(closer_t *closer, const pay_close_row_t *row)
{
    if (row == NULL || row->document.len == 0) {
        return "document";
    }

    if (pay_ed25519_sign(&closer->conf->key, row->document, closer->signature)
        != PAY_OK)
    {
        return "signing";
    }

    closer->end_args.number = row->number;
    closer->end_args.key_id.data = (const unsigned char *) closer->conf->key_id;
    closer->end_args.key_id.len = PAY_ED25519_KEY_ID;
    closer->end_args.signature.data = closer->signature;
    closer->end_args.signature.len = PAY_ED25519_SIGNATURE;

    return ngx_payments_db_call(&closer->end) == NGX_OK ? NULL : "database";
}


/* "already": another worker, or payctl, was faster.  Behind a day that was
 * missed the next one is due at once. */
static void
close_ended(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    closer_t  *closer = call->data;

    (void) failure;

    closer->busy = 0;

    if (result == NULL
        || (result->outcome != PAY_OUTCOME_STORED
            && result->outcome != PAY_OUTCOME_ALREADY))
    {
        close_failed(closer, result == NULL ? "database" : "refused");
        return;
    }

    closer->well = ngx_time();
    closer->failures = 0;

    if (result->outcome == PAY_OUTCOME_STORED) {
        ngx_payments_count_close(call->cell, 1);
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "payments: a day is closed and signed, number:%L%V",
                      closer->end_args.number,
                      ngx_payments_cell_note(call->cell));
    }

    close_next(closer);
}


/* More is due at once.  A worker that ends leaves it to another one. */
static void
close_next(closer_t *closer)
{
    closer->busy = 0;

    if (!ngx_exiting && !ngx_quit && !ngx_terminate) {
        close_begin(closer);
    }
}


/* Once in a while is nothing: the next round does it. */
static void
close_failed(closer_t *closer, const char *why)
{
    time_t  now = ngx_time();

    closer->failures++;
    ngx_payments_count_close(closer->begin.cell, 0);

    if (now - closer->well > LATE_S && now - closer->told > LATE_S) {
        closer->told = now;
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "payments: days are not being closed, seconds:%T, "
                      "why:%s%V, hint:payctl close make closes one by hand",
                      now - closer->well, why,
                      ngx_payments_cell_note(closer->begin.cell));
    }
}


/* As often as seals are made, and seldom where it fails: a day that takes
 * PostgreSQL too long would keep it busy all the time.  Spread, so that workers
 * do not ask in step. */
static ngx_msec_t
close_pause(closer_t *closer)
{
    uint64_t  interval = closer->conf->interval_ms;

    interval <<= ngx_min(closer->failures, DOUBLED_MAX);
    interval = ngx_min(interval, PAUSE_MAX_MS);

    return (ngx_msec_t) (interval + ngx_random() % (interval / 4 + 1));
}

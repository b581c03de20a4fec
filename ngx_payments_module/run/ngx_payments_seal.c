/*
 * The sealer of the event log, where payments_audit and payments_jobs are on.
 * PostgreSQL says whether a seal is due and makes its message, of all workers
 * of all nodes one signs it here, and what is signed is exported.  A worker
 * that dies in between leaves the seal to another.  Nothing that is paid
 * waits for this, or fails with it.
 *
 *     pause ─▶ begin_seal ─▶ not due ─▶ pause
 *                  └▶ due: message ─▶ sign ─▶ end_seal ─▶ export ─▶ begin_seal
 *
 * The key never leaves this process, and PostgreSQL never sees it: a superuser
 * of the database can do anything there except sign (docs/audit.md).
 */

#include "run/ngx_payments_seal.h"
#include "io/ngx_payments_db.h"
#include "shm/ngx_payments_count_seals.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"
#include "pay_time.h"


#define LEASE_MS      10000
#define SEAL_LINE_MAX      2048
#define POOL_SIZE     4096
#define LATE_ROUNDS   6                /* without success, then it is logged */
#define LATE_MIN_S    5


/* - begin, end: calls with their arguments, used again in each round.
 * - number, message, len: the seal at work, a copy, since rows end with their
 *   step.
 * - busy: from begin_seal to the end of its round.
 * - well, told: when a round last went well, and when the log last said that
 *   none does. */
typedef struct {
    const ngx_payments_audit_conf_t  *conf;
    ngx_open_file_t                  *file;      /* for exports, or NULL */
    ngx_event_t                       timer;
    ngx_payments_call_t               begin;
    pay_begin_seal_in_t               begin_args;
    ngx_payments_call_t               end;
    pay_end_seal_in_t                 end_args;
    int64_t                           number;
    size_t                            len;
    unsigned char                     message[PAY_AUDIT_MESSAGE_MAX];
    unsigned char                     signature[PAY_ED25519_SIGNATURE];
    ngx_uint_t                        busy;
    time_t                            well;      /* when all was last */
    time_t                            told;
} sealer_t;


static void seal_handler(ngx_event_t *ev);
static void seal_begin(sealer_t *sealer);
static void seal_begun(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static const char *seal_sign(sealer_t *sealer, const pay_seal_row_t *row);
static void seal_ended(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void seal_export(sealer_t *sealer);
static ngx_int_t seal_line(sealer_t *sealer, ngx_pool_t *pool, pay_str_t *line);
static ngx_int_t seal_write(sealer_t *sealer, pay_str_t line);
static ngx_uint_t ends_within_line(const ngx_open_file_t *file);
static ngx_int_t seal_send(sealer_t *sealer, pay_str_t line);
static void seal_note(sealer_t *sealer, int64_t number, pay_str_t message);
static void seal_failed(sealer_t *sealer, const char *why);
static ngx_msec_t seal_pause(sealer_t *sealer);


/* The time of the start counts as a success, so that a worker which has just
 * begun does not complain. */
ngx_int_t
ngx_payments_seal_start(ngx_cycle_t *cycle, ngx_uint_t cell, pay_str_t owner)
{
    sealer_t                         *sealer;
    ngx_payments_cell_t             **cells;
    const ngx_payments_audit_conf_t  *conf;

    conf = &ngx_payments_main_conf()->audit;
    cells = ngx_payments_main_conf()->cells.elts;

    if (conf->interval_ms == NGX_CONF_UNSET_MSEC) {
        return NGX_OK;
    }

    sealer = ngx_pcalloc(cycle->pool, sizeof(sealer_t));
    if (sealer == NULL) {
        return NGX_ERROR;
    }

    sealer->conf = conf;
    sealer->file = cells[cell]->seals;
    sealer->well = ngx_time();

    sealer->begin_args.owner = owner;
    sealer->begin_args.interval_ms = (int64_t) conf->interval_ms;
    sealer->begin_args.lease_ms = LEASE_MS;
    sealer->begin.op = PAY_OP_BEGIN_SEAL;
    sealer->begin.args = &sealer->begin_args;
    sealer->begin.done = seal_begun;
    sealer->begin.cell = cell;
    sealer->begin.data = sealer;

    sealer->end.op = PAY_OP_END_SEAL;
    sealer->end.args = &sealer->end_args;
    sealer->end.done = seal_ended;
    sealer->end.cell = cell;
    sealer->end.data = sealer;

    ngx_payments_timer_init(&sealer->timer, seal_handler, cycle->log);
    sealer->timer.cancelable = 1;
    ngx_add_timer(&sealer->timer, seal_pause(sealer));

    return NGX_OK;
}


static void
seal_handler(ngx_event_t *ev)
{
    sealer_t  *sealer = ngx_queue_data(ev, sealer_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!sealer->busy) {
        seal_begin(sealer);
    }

    ngx_add_timer(ev, seal_pause(sealer));
}


/* A queue that is full is a failure like any other: the next round tries
 * again. */
static void
seal_begin(sealer_t *sealer)
{
    sealer->busy = ngx_payments_db_call(&sealer->begin) == NGX_OK;

    if (!sealer->busy) {
        seal_failed(sealer, "database");
    }
}


/* `busy` stays while the signature is under way, and ends in seal_ended(). */
static void
seal_begun(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    sealer_t              *sealer = call->data;
    const char            *why;
    const pay_seal_row_t  *row;

    row = (result != NULL) ? pay_row_seal(result) : NULL;

    switch (result != NULL ? result->outcome : PAY_OUTCOME_NONE) {

    case PAY_OUTCOME_NONE:
        why = "database";
        break;

    case PAY_OUTCOME_DUE:
        why = seal_sign(sealer, row);

        if (why == NULL) {
            return;
        }

        break;

    case PAY_OUTCOME_NOT_DUE:
        sealer->well = ngx_time();
        sealer->busy = 0;

        /* it is about the newest signed seal, whichever node has signed it */
        if (row != NULL) {
            seal_note(sealer, row->number, row->message);
        }

        return;

    case PAY_OUTCOME_BEHIND:
        /* the database was restored into a cluster that counts its
         * transactions anew */
        why = "behind";
        break;

    default:
        why = "refused";
    }

    sealer->busy = 0;
    seal_failed(sealer, why);
}


/* NULL: the signature is on its way; else why not.  The message is
 * PostgreSQL's text as it is: it is signed as bytes, and an auditor checks the
 * same bytes. */
static const char *
seal_sign(sealer_t *sealer, const pay_seal_row_t *row)
{
    pay_str_t  message;

    if (row == NULL || row->message.len == 0
        || row->message.len > PAY_AUDIT_MESSAGE_MAX)
    {
        return "message";
    }

    message = row->message;
    sealer->number = row->number;
    sealer->len = message.len;
    ngx_memcpy(sealer->message, message.data, message.len);

    if (pay_ed25519_sign(&sealer->conf->key, message, sealer->signature)
        != PAY_OK)
    {
        return "signing";
    }

    sealer->end_args.number = sealer->number;
    sealer->end_args.key_id.data = (const unsigned char *) sealer->conf->key_id;
    sealer->end_args.key_id.len = PAY_ED25519_KEY_ID;
    sealer->end_args.signature.data = sealer->signature;
    sealer->end_args.signature.len = PAY_ED25519_SIGNATURE;

    return ngx_payments_db_call(&sealer->end) == NGX_OK ? NULL : "database";
}


/* "already": another worker was given the same seal after our lease.  The
 * export comes behind the commit, so that no file holds a seal which the
 * database does not know. */
static void
seal_ended(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    sealer_t   *sealer = call->data;
    ngx_uint_t  stored;
    pay_str_t   message = { sealer->len, sealer->message };

    sealer->busy = 0;
    stored = result != NULL && result->outcome == PAY_OUTCOME_STORED;

    if (!stored
        && (result == NULL || result->outcome != PAY_OUTCOME_ALREADY))
    {
        seal_failed(sealer, result == NULL ? "database" : "refused");
        return;
    }

    sealer->well = ngx_time();
    seal_note(sealer, sealer->number, message);

    if (stored) {
        ngx_payments_count_seal(sealer->begin.cell, 1);
        seal_export(sealer);
    }

    /* where more waits than one seal takes, the next is due at once */
    if (stored && !ngx_exiting && !ngx_quit && !ngx_terminate) {
        seal_begin(sealer);
    }
}


/* One line, written at once: what others write to the same file stands before
 * or behind it.  A failure here loses nothing: seals can be exported again
 * from the database. */
static void
seal_export(sealer_t *sealer)
{
    pay_str_t    line;
    ngx_int_t    rc;
    ngx_pool_t  *pool;

    if (sealer->file == NULL && sealer->conf->syslog == NULL) {
        return;
    }

    pool = ngx_create_pool(POOL_SIZE, ngx_cycle->log);
    rc = pool != NULL ? seal_line(sealer, pool, &line) : NGX_ERROR;

    if (rc == NGX_OK) {
        rc = sealer->file != NULL ? seal_write(sealer, line)
                                  : seal_send(sealer, line);
    }

    if (pool != NULL) {
        ngx_destroy_pool(pool);
    }

    if (rc != NGX_OK) {
        ngx_payments_count_seal(sealer->begin.cell, 0);
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "payments: a seal is signed and was not exported, "
                      "number:%L, hint:payctl audit export has it",
                      sealer->number);
    }
}


/* The line has the form that payctl audit reads; one beyond SEAL_LINE_MAX
 * would be torn by seal_write()'s buffer and is refused. */
static ngx_int_t
seal_line(sealer_t *sealer, ngx_pool_t *pool, pay_str_t *line)
{
    pay_arena_t       arena = ngx_payments_arena(pool);
    pay_audit_seal_t  seal;

    ngx_memzero(&seal, sizeof(pay_audit_seal_t));
    seal.message.data = sealer->message;
    seal.message.len = sealer->len;
    seal.key_id = pay_str_of(sealer->conf->key_id);
    ngx_memcpy(seal.signature, sealer->signature, PAY_ED25519_SIGNATURE);

    return pay_audit_seal_line(&arena, sealer->number, &seal, line) == PAY_OK
           && line->len < SEAL_LINE_MAX ? NGX_OK : NGX_ERROR;
}


/* A disk that was full has cut a line, of this worker or of another one: the
 * next seal begins a line of its own. */
static ngx_int_t
seal_write(sealer_t *sealer, pay_str_t line)
{
    u_char   text[SEAL_LINE_MAX + 1], *p = text;
    ssize_t  n;

    if (ends_within_line(sealer->file)) {
        *p++ = LF;
    }

    p = ngx_cpymem(p, line.data, line.len);
    *p++ = LF;
    n = ngx_write_fd(sealer->file->fd, text, p - text);

    return n == p - text ? NGX_OK : NGX_ERROR;
}


/* The file is open for appending alone, as logs are.  One that workers must not
 * read is taken to end with a line. */
static ngx_uint_t
ends_within_line(const ngx_open_file_t *file)
{
    int          fd;
    u_char       last = LF;
    struct stat  fi;

    fd = open((const char *) file->name.data, O_RDONLY | O_NONBLOCK | O_NOCTTY
                                              | O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    if (fstat(fd, &fi) == 0 && S_ISREG(fi.st_mode) && fi.st_size > 0
        && pread(fd, &last, 1, fi.st_size - 1) != 1)
    {
        last = LF;
    }

    (void) close(fd);

    return last != LF;
}


/* A line that has left for a log host cannot be taken back. */
static ngx_int_t
seal_send(sealer_t *sealer, pay_str_t line)
{
    u_char   text[NGX_MAX_ERROR_STR + SEAL_LINE_MAX], *p;
    ssize_t  n;

    p = ngx_syslog_add_header(sealer->conf->syslog, text);
    p = ngx_cpymem(p, line.data, line.len);
    n = ngx_syslog_send(sealer->conf->syslog, text, p - text);

    return n >= 0 ? NGX_OK : NGX_ERROR;
}


/* The gauge of the newest seal's age is fed here; a message that cannot be
 * read leaves it behind, and it has an alert. */
static void
seal_note(sealer_t *sealer, int64_t number, pay_str_t message)
{
    int64_t              at_us;
    pay_audit_message_t  read;

    if (pay_audit_message_read(message, &read) == PAY_OK
        && pay_time_parse(read.at, &at_us) == PAY_OK)
    {
        ngx_payments_note_seal(sealer->begin.cell, number,
                               (time_t) (at_us / 1000000));
    }
}


/* Once in a while is nothing: the next round does it. */
static void
seal_failed(sealer_t *sealer, const char *why)
{
    time_t  now = ngx_time(), limit;

    ngx_payments_count_seal(sealer->begin.cell, 0);

    limit = ngx_max(LATE_ROUNDS * (time_t) (sealer->conf->interval_ms / 1000),
                    LATE_MIN_S);

    if (now - sealer->well > limit && now - sealer->told > limit) {
        sealer->told = now;
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "payments: the event log is not being sealed, "
                      "seconds:%T, why:%s%V, hint:what is written meanwhile "
                      "proves nothing until it is", now - sealer->well, why,
                      ngx_payments_cell_note(sealer->begin.cell));
    }
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
seal_pause(sealer_t *sealer)
{
    ngx_msec_t  interval = sealer->conf->interval_ms;

    return interval + ngx_random() % (interval / 4 + 1);
}

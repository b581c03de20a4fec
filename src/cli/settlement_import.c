/*
 * payctl settlement import: reads files of PSPs and banks, each once by its
 * bytes.  The reader checks what a file says about itself, PostgreSQL proves
 * and books it step by step, each in a transaction of its own: whatever ends
 * in the middle is taken up by the next import of the same file.
 */

#include "pay_crypto.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/keyring.h"
#include "cli/settlement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define IMPORT_FILES_MAX   64
#define IMPORT_STATED      16385
#define IMPORT_ROWS        "5000"      /* checked in one step */
#define IMPORT_KEY         513
#define IMPORT_PAGE        32769

typedef struct {
    /* One file's way through import_file(); texts that SQL gets are kept as C
     * strings. */
    PGconn      *conn;         /* the first of conns */
    PGconn      *conns[SETTLEMENT_JOBS];
    unsigned     jobs;
    const char  *source;
    const char  *path;
    int          as_json;
    int          must_copy;    /* the source keeps copies */
    int          is_staged;    /* a page whose rows were read before */
    pay_keyring_t  ring;       /* no key: no copy is kept */
    char         sha256[PAY_SHA256_SIZE * 2 + 1];
    char         file_id[24];
    char         attempt[24];
    char         format[64];
    char         account[256];
    char         batch_key[IMPORT_KEY];
    char         stated[IMPORT_STATED];
    char         page[IMPORT_PAGE];    /* empty: it is a whole report */
    char         rows[24];
} import_t;

typedef struct {
    pay_settle_reader_t  *reader;
    pay_status_t          status;      /* of the first piece that failed */
} feed_t;


static int import_connect(import_t *import, const char *dsn, unsigned jobs);
static int import_file(import_t *import);
static int import_lock(import_t *import);
static void import_unlock(import_t *import);
static int import_open(import_t *import, int *code);
static int import_files(import_t *import, const char *dsn, unsigned jobs,
    const char *const *paths, int count);
static int import_read(import_t *import, FILE *file, char *reason);
static pay_status_t import_feed(import_t *import, pay_settle_reader_t *reader,
    FILE *file);
static void feed_bytes(void *data, pay_str_t bytes);
static pay_status_t import_parse(import_t *import, settlement_copy_t *copy,
    FILE *file, char *reason);
static pay_status_t import_stated(import_t *import, pay_arena_t *arena,
    const pay_settle_reader_t *reader);
static int import_refuse(import_t *import, const char *reason);
static int import_book(import_t *import);
static int import_go_on(import_t *import, const char *from);
static int import_call(import_t *import, const char *sql, int count,
    const char *const *values, char *answer, size_t size);
static int import_tell(import_t *import, const char *reason, int code);


const char  pay_cli_settlement_import_usage[] =
    "usage: payctl settlement import [--dsn DSN] --source NAME [--jobs N]"
    " [-o json]\n       [--keyring FILE] FILE ...\n"
    "\n"
    "Reads files of a PSP or a bank: each is proven, matched with the ledger"
    " and\nbooked, or refused whole.  A file whose bytes were booked before"
    " changes\nnothing.  Exit code 0: booked; 1: refused; 2: not read; 3:"
    " known already.  Of\nseveral files the worst counts (2, 1, 3, 0).  A page"
    " of a report that waits for\nits other pages counts as booked: its state"
    " is \"staged\".\n"
    "  --jobs N        books each file on N connections (1 to 8, else 1)\n"
    "  --keyring FILE  keeps a copy of each file, encrypted with the first key"
    " of FILE\n"
    "Needs the role payments_operator.\n";

static const char  tell_sql[] =
    "SELECT json_build_object('file', $2::text, 'state', f.state, 'rows',"
    " f.rows, 'matched', f.matched, 'class1', f.class1, 'class2', f.class2,"
    " 'class3', f.class3, 'reason', coalesce($3::text, f.reason))::text,"
    " format('%s: %s, %s rows, %s matched, class 1: %s, class 2: %s,"
    " class 3: %s%s', $2::text, f.state, f.rows, f.matched, f.class1, f.class2,"
    " f.class3, ' (' || coalesce($3::text, f.reason) || ')')"
    " FROM pay_view.settlement_files f WHERE f.file_id = $1::bigint";


int
pay_cli_settlement_import(int argc, char **argv)
{
    int          words, code = PAY_CLI_USAGE;
    import_t    *import;
    const char  *path[IMPORT_FILES_MAX], *dsn = NULL, *source = NULL;
    const char  *format = NULL, *jobs = "1", *keyring = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--source", &source, NULL },
        { "--jobs", &jobs, NULL },
        { "--keyring", &keyring, NULL },
        { "-o", &format, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, path, IMPORT_FILES_MAX);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_import_usage);
    }

    if (words == 0 || source == NULL) {
        return pay_cli_misuse(pay_cli_settlement_import_usage,
                              words == 0 ? "no FILE"
                                                       : "no --source");
    }

    if (format != NULL && strcmp(format, "json") != 0) {
        return pay_cli_misuse(pay_cli_settlement_import_usage,
                              "-o takes json, not \"%s\"",
                              format);
    }

    if (strlen(jobs) != 1 || jobs[0] < '1' || jobs[0] > '0' + SETTLEMENT_JOBS) {
        return pay_cli_misuse(pay_cli_settlement_import_usage,
                              "--jobs takes 1 to %d, not \"%s\"",
                              SETTLEMENT_JOBS, jobs);
    }

    import = calloc(1, sizeof(*import));
    if (import == NULL) {
        return PAY_CLI_USAGE;
    }

    import->source = source;
    import->as_json = format != NULL;

    if (keyring == NULL
        || pay_cli_keyring("settlement import", keyring, &import->ring))
    {
        code = import_files(import, dsn, (unsigned) (jobs[0] - '0'), path,
                            words);
    }

    pay_keyring_wipe(&import->ring);
    free(import);

    return code;
}


/* Files are independent: one that is refused does not stop the others.  `rank`
 * orders the exit codes by how bad they are. */
static int
import_files(import_t *import, const char *dsn, unsigned jobs,
    const char *const *paths, int count)
{
    int       code, i, one;
    unsigned  k;

    static const int  rank[] = { 0, 2, 3, 1 };

    code = import_connect(import, dsn, jobs);

    for (i = 0; i < count && import->conn != NULL; i++) {
        import->path = paths[i];
        one = import_file(import);
        import_unlock(import);
        code = rank[one] > rank[code] ? one : code;
    }

    for (k = 0; k < import->jobs; k++) {
        PQfinish(import->conns[k]);
    }

    return code;
}


/* All connections or none: import->conn stays NULL then. */
static int
import_connect(import_t *import, const char *dsn, unsigned jobs)
{
    PGconn  *conn;

    for ( ; import->jobs < jobs; import->jobs++) {
        conn = pay_cli_connect(dsn);
        if (conn == NULL) {
            return PAY_CLI_USAGE;
        }

        import->conns[import->jobs] = conn;
    }

    import->conn = import->conns[0];

    return PAY_CLI_OK;
}


/*
 *   digest ─▶ open (by digest) ─▶ read into staging ─▶ prove ─▶ book in steps
 *               │ known: nothing      │ refused: reason kept
 *
 * Each arrow is a commit of its own; the same file given again goes on behind
 * the last.  Of two imports of one file the one that has opened it last goes
 * on. */
static int
import_file(import_t *import)
{
    int    code;
    char   reason[SETTLEMENT_REASON] = "";
    FILE  *file;

    /* the bytes are the file's identity, whatever its name: the same file sent
     * twice is known */
    file = fopen(import->path, "rb");
    if (file == NULL
        || !pay_cli_settlement_bytes(file, NULL, NULL, import->sha256))
    {
        fprintf(stderr, "payctl: settlement import: %s: cannot be read\n",
                import->path);
        if (file != NULL) {
            fclose(file);
        }

        return PAY_CLI_USAGE;
    }

    code = PAY_CLI_USAGE;

    if (!import_lock(import) || !import_open(import, &code)) {
        fclose(file);
        return code;
    }

    if (import->is_staged) {
        fclose(file);
        return import_go_on(import, "staged");
    }

    code = import_read(import, file, reason);
    fclose(file);

    if (code != PAY_CLI_OK) {
        return code == PAY_CLI_NO ? import_refuse(import, reason) : code;
    }

    return import_book(import);
}


/* Two imports of one file at once would each stage rows of it, and neither
 * would prove: the second one waits for the first, however long it takes (the
 * role's lock_timeout is not meant for this), and finds the file known.  The
 * lock goes with the file, or with the connection. */
static int
import_lock(import_t *import)
{
    PGresult    *rows;
    const char  *values[2];

    values[0] = import->source;
    values[1] = import->sha256;
    rows = pay_cli_query(import->conn, "settlement import",
                         "SELECT set_config('lock_timeout', '0', false)", 0,
                         NULL);
    PQclear(rows);

    if (rows != NULL) {
        rows = pay_cli_query(import->conn, "settlement import",
                             "SELECT pg_advisory_lock(hashtextextended("
                             "concat('settlement/', $1::text, '/', $2::text),"
                             " 0))", 2, values);
        PQclear(rows);
    }

    if (rows != NULL) {
        rows = pay_cli_query(import->conn, "settlement import",
                             "RESET lock_timeout", 0, NULL);
        PQclear(rows);
    }

    return rows != NULL;
}


static void
import_unlock(import_t *import)
{
    PQclear(pay_cli_query(import->conn, "settlement import",
                          "SELECT pg_advisory_unlock_all()", 0, NULL));
}


/* 0: there is nothing to read, *code says why. */
static int
import_open(import_t *import, int *code)
{
    int          is_left;
    PGresult    *rows;
    const char  *outcome, *values[3];

    values[0] = import->source;
    values[1] = import->sha256;
    values[2] = import->path;
    *code = PAY_CLI_USAGE;

    /* rows of an import that broke off are deleted in pieces */
    do {
        rows = pay_cli_query(import->conn, "settlement import",
                             "SELECT o.outcome, o.file_id, o.format, o.account,"
                             " o.attempt, o.keep FROM"
                             " pay_ops.open_settlement($1, $2, $3) o", 3,
                             values);
        if (rows == NULL) {
            return 0;
        }

        outcome = PQgetvalue(rows, 0, 0);
        is_left = strcmp(outcome, "clearing") == 0;

        if (is_left) {
            PQclear(rows);
        }
    } while (is_left);

    snprintf(import->file_id, sizeof(import->file_id), "%s",
             PQgetvalue(rows, 0, 1));
    snprintf(import->format, sizeof(import->format), "%s",
             PQgetvalue(rows, 0, 2));
    snprintf(import->account, sizeof(import->account), "%s",
             PQgetvalue(rows, 0, 3));
    snprintf(import->attempt, sizeof(import->attempt), "%s",
             PQgetvalue(rows, 0, 4));
    import->is_staged = strcmp(outcome, "staged") == 0;
    import->must_copy = strcmp(PQgetvalue(rows, 0, 5), "copy") == 0;

    if (strcmp(outcome, "not_found") == 0) {
        fprintf(stderr, "payctl: settlement import: no such source as \"%s\","
                " see payctl settlement source\n", import->source);

    } else if (strcmp(outcome, "known") == 0) {
        *code = import_tell(import, "known already", SETTLEMENT_KNOWN);

    } else if (import->must_copy && import->ring.count == 0
               && !import->is_staged)
    {
        fprintf(stderr, "payctl: settlement import: copies of the files of"
                " \"%s\" are kept: give --keyring FILE, the file of"
                " payments_keyring\n", import->source);

    } else {
        *code = PAY_CLI_OK;
    }

    PQclear(rows);

    return *code == PAY_CLI_OK;
}


/* PAY_CLI_NO with a reason when the file is refused. */
static int
import_read(import_t *import, FILE *file, char *reason)
{
    int                 is_kept;
    pay_status_t        status;
    settlement_copy_t  *copy = calloc(1, sizeof(*copy));

    if (copy == NULL) {
        return PAY_CLI_USAGE;
    }

    copy->conn = import->conn;
    copy->file_id = import->file_id;
    copy->attempt = import->attempt;

    if (!pay_cli_copy_hold(copy)) {
        fprintf(stderr, "payctl: settlement import: %s", copy->reason);
        free(copy);
        return PAY_CLI_USAGE;
    }

    if ((import->ring.count != 0
         && !pay_cli_settlement_keep(copy, &import->ring, import->sha256,
                                     file))
        || !pay_cli_copy_begin(copy))
    {
        pay_cli_copy_drop(copy);
        free(copy);
        return PAY_CLI_USAGE;
    }

    status = import_parse(import, copy, file, reason);
    is_kept = pay_cli_copy_end(copy, status != PAY_OK);
    snprintf(import->rows, sizeof(import->rows), "%" PRId64, copy->rows);

    if (copy->is_lost) {
        status = PAY_BUG;
    }

    free(copy);

    return status == PAY_OK && is_kept ? PAY_CLI_OK
           : status == PAY_INVALID ? PAY_CLI_NO : PAY_CLI_USAGE;
}


/* Three ways to be refused: the format's reader, a row that PostgreSQL could
 * not store (copy->reason), and a file that is only a part of a statement,
 * unless it is a numbered page. */
static pay_status_t
import_parse(import_t *import, settlement_copy_t *copy, FILE *file,
    char *reason)
{
    pay_heap_t            *heap = pay_heap_create();
    pay_str_t              why;
    pay_status_t           status;
    pay_settle_reader_t   *reader = NULL;
    pay_settle_options_t   options = { .row = pay_cli_copy_row, .data = copy };
    pay_settle_verdict_t   verdict = PAY_SETTLE_REFUSED;

    options.account = pay_str_of(import->account);
    status = heap == NULL ? PAY_NO_MEMORY
             : pay_settle_open(pay_heap_arena(heap),
                               pay_str_of(import->format), &options, &reader);

    if (status == PAY_OK) {
        status = import_feed(import, reader, file);
    }

    if (status == PAY_OK) {
        status = pay_settle_prove(reader, &verdict);
    }

    if (status == PAY_NOT_FOUND) {
        fprintf(stderr, "payctl: settlement import: the source's format \"%s\""
                " is unknown\n", import->format);

    } else if (copy->reason[0] != '\0') {
        snprintf(reason, SETTLEMENT_REASON, "%s", copy->reason);

    } else if (status == PAY_INVALID
               || (verdict == PAY_SETTLE_PARTIAL
                   && pay_settle_page(reader) == 0))
    {
        status = pay_settle_why(pay_heap_arena(heap), reader, verdict, &why);
        if (status == PAY_OK) {
            snprintf(reason, SETTLEMENT_REASON, "%.*s", pay_fmt(why));
            status = PAY_INVALID;
        }

    } else if (status == PAY_OK) {
        status = import_stated(import, pay_heap_arena(heap), reader);
    }

    pay_settle_close(reader);
    pay_heap_destroy(heap);

    return status;
}


/* All bytes are read, those behind a mistake, too: a refusal is kept with the
 * digest of the file and must be about its bytes.  PAY_BUG when the disk fails
 * or the bytes are others than before: that is no verdict about the file. */
static pay_status_t
import_feed(import_t *import, pay_settle_reader_t *reader, FILE *file)
{
    char    sha256[PAY_SHA256_SIZE * 2 + 1];
    feed_t  feed = { reader, PAY_OK };

    if (!pay_cli_settlement_bytes(file, feed_bytes, &feed, sha256)) {
        return PAY_BUG;
    }

    if (strcmp(sha256, import->sha256) != 0) {
        fprintf(stderr, "payctl: settlement import: %s: changed while it was"
                " read\n", import->path);
        return PAY_BUG;
    }

    return feed.status == PAY_OK ? pay_settle_end(reader) : feed.status;
}


static void
feed_bytes(void *data, pay_str_t bytes)
{
    feed_t  *feed = data;

    if (feed->status == PAY_OK) {
        feed->status = pay_settle_feed(feed->reader, bytes);
    }
}


/* The sums of the rows that were read, so that PostgreSQL proves that it has
 * all of them, and the batch of the file. */
static pay_status_t
import_stated(import_t *import, pay_arena_t *arena,
    const pay_settle_reader_t *reader)
{
    pay_str_t  batch, stated, page;

    PAY_TRY(pay_settle_batch(arena, reader, &batch));
    PAY_TRY(pay_settle_stated(arena, reader, &stated));
    PAY_TRY(pay_settle_page_stated(arena, reader, &page));

    snprintf(import->batch_key, sizeof(import->batch_key), "%.*s",
             pay_fmt(batch));
    snprintf(import->stated, sizeof(import->stated), "%.*s",
             pay_fmt(stated));
    snprintf(import->page, sizeof(import->page), "%.*s", pay_fmt(page));

    return PAY_OK;
}


/* The reason is kept with the file, so that payctl settlement files shows it
 * later. */
static int
import_refuse(import_t *import, const char *reason)
{
    char         answer[32];
    const char  *values[2];

    values[0] = import->file_id;
    values[1] = reason;

    return import_call(import, "SELECT pay_ops.refuse_settlement($1::bigint,"
                       " $2)", 2, values, answer, sizeof(answer))
           ? import_tell(import, NULL, PAY_CLI_NO) : PAY_CLI_USAGE;
}


/* In steps of some rows: a transaction over a year's file would hold its locks
 * for minutes. */
static int
import_book(import_t *import)
{
    char         state[32];
    const char  *values[6];

    values[0] = import->file_id;
    values[1] = IMPORT_ROWS;
    values[2] = import->attempt;

    do {
        if (!import_call(import, "SELECT pay_ops.check_settlement($1::bigint,"
                         " $2::int, $3::bigint)", 3, values, state,
                         sizeof(state)))
        {
            return PAY_CLI_USAGE;
        }
    } while (strcmp(state, "again") == 0);

    values[1] = import->batch_key;
    values[2] = import->rows;
    values[3] = import->stated;
    values[4] = import->attempt;
    values[5] = import->page;

    if (!import_call(import, "SELECT pay_ops.prove_settlement($1::bigint, $2,"
                     " $3::bigint, $4::jsonb, $5::bigint,"
                     " nullif($6, '')::jsonb)", 6, values, state,
                     sizeof(state)))
    {
        return PAY_CLI_USAGE;
    }

    return import_go_on(import, state);
}


/* In steps, until it is booked, or refused together with other pages, or waits
 * for them. */
static int
import_go_on(import_t *import, const char *from)
{
    char  state[32];

    /* a page that was read before may be complete by now */
    snprintf(state, sizeof(state), "%s",
             strcmp(from, "staged") == 0 ? "booking" : from);

    if (!pay_cli_settlement_book(import->conns, import->jobs, import->file_id,
                                 state, sizeof(state)))
    {
        return PAY_CLI_USAGE;
    }

    if (strcmp(state, "staged") == 0) {
        return import_tell(import, NULL, import->is_staged ? SETTLEMENT_KNOWN
                                                           : PAY_CLI_OK);
    }

    return import_tell(import, NULL, strcmp(state, "booked") == 0
                                     ? PAY_CLI_OK : PAY_CLI_NO);
}


/* 1 and the first column of the only row, cut to `size`; all these functions
 * return one word. */
static int
import_call(import_t *import, const char *sql, int count,
    const char *const *values, char *answer, size_t size)
{
    PGresult  *rows = pay_cli_query(import->conn, "settlement import", sql,
                                    count, values);

    if (rows == NULL) {
        return 0;
    }

    snprintf(answer, size, "%s", PQgetvalue(rows, 0, 0));
    PQclear(rows);

    return 1;
}


/* One row has the line for operators and the JSON for programs, so that both
 * say the same. */
static int
import_tell(import_t *import, const char *reason, int code)
{
    PGresult    *rows;
    const char  *values[3];

    values[0] = import->file_id;
    values[1] = import->path;
    values[2] = reason;
    rows = pay_cli_query(import->conn, "settlement import", tell_sql, 3,
                         values);

    if (rows == NULL || PQntuples(rows) == 0) {
        PQclear(rows);
        return PAY_CLI_USAGE;
    }

    puts(PQgetvalue(rows, 0, import->as_json ? 0 : 1));
    PQclear(rows);

    return code;
}

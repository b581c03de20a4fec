/*
 * payctl audit root: one signed document a day over the newest seals of all
 * cells.  The day is over when it is made, so that a second document of it can
 * only be the same one; another one is never written beside the first.
 */

#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pay_proof.h"
#include "pay_root.h"


#define ROOT_PATH   1024
#define ROOT_NAME   "root-"
#define ROOT_WHAT   "audit root"
#define ROOT_ALONE  "default"          /* the cell of a gateway without cells */

typedef struct {
    const char   *day;
    const char   *key;
    const char   *dir;
    pay_arena_t  *arena;
    pay_root_t    root;
} root_args_t;


static int root_make(root_args_t *args, const char *dsn);
static int root_ask(PGconn *conn, void *data);
static int root_take(root_args_t *args, const PGresult *rows);
static int root_complain(const char *why);
static int root_sign(root_args_t *args);
static int root_store(const root_args_t *args, pay_str_t document,
    pay_str_t text);
static int root_write(const char *path, pay_str_t text);
static int root_is_there(const char *path, pay_str_t document, pay_str_t text);


const char  pay_cli_audit_root_usage[] =
    "usage: payctl audit root [--dsn DSN] [--day DATE] --key PRIVATE.pem"
    " --dir DIR\n"
    "Writes root-DATE.json into DIR: the newest seal of each cell on that day"
    " (UTC,\nyesterday unless it is told another) under one Merkle root, signed"
    " with the key of\nthe event log's seals.  It takes all cells with payctl"
    " --all-cells audit root, or\nthe database of a gateway without cells, and"
    " makes nothing while one of them does\nnot answer, or has not signed the"
    " last seal of the day.  A file that is there stays\nas it is.\n"
    "Exit code 0: written, or it was there and is the same; 1: another one of"
    " that day\nis there; 2: not made.\n";

/* A minute behind midnight no transaction that began a seal of the day is open
 * any more. */
static const char  head_sql[] =
    "WITH t (day) AS (SELECT coalesce($1::date,"
    " (now() AT TIME ZONE 'UTC')::date - 1)),"
    " d (day, until) AS (SELECT t.day, (t.day + 1)::timestamp AT TIME ZONE"
    " 'UTC' FROM t)"
    " SELECT to_char(d.day, 'YYYY-MM-DD'),"
    " now() > d.until + interval '1 minute',"
    " EXISTS (SELECT FROM pay_view.seals s"
    " WHERE s.at < d.until AND s.signature IS NULL),"
    " (SELECT c.system_identifier FROM pg_control_system() c) || '/'"
    " || (SELECT b.oid FROM pg_database b"
    " WHERE b.datname = current_database()),"
    " (SELECT s.message FROM pay_view.seals s"
    " WHERE s.at < d.until AND s.signature IS NOT NULL"
    " ORDER BY s.number DESC LIMIT 1), pg_is_in_recovery()"
    " FROM d";


int
pay_cli_audit_root(int argc, char **argv)
{
    int           words, code;
    pay_heap_t   *heap;
    const char   *dsn = NULL;
    root_args_t   args = { .day = NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--day", &args.day, NULL },
        { "--key", &args.key, NULL },
        { "--dir", &args.dir, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_audit_root_usage);
    }

    if (args.key == NULL || args.dir == NULL) {
        return pay_cli_misuse(pay_cli_audit_root_usage, "root takes --key and"
                              " --dir");
    }

    heap = pay_heap_create();
    if (heap == NULL) {
        return pay_cli_audit_complain("root", "out of memory");
    }

    args.arena = pay_heap_arena(heap);
    code = root_make(&args, dsn);
    pay_heap_destroy(heap);

    return code;
}


/* A root that lacks a cell would say that there is none. */
static int
root_make(root_args_t *args, const char *dsn)
{
    int  code = pay_cli_in_cells(dsn, root_ask, args);

    if (code != PAY_CLI_OK) {
        (void) root_complain("no root is made without all cells");
        return PAY_CLI_USAGE;
    }

    return root_sign(args);
}


static int
root_ask(PGconn *conn, void *data)
{
    int           done;
    PGresult     *rows;
    root_args_t  *args = data;

    if (!pay_cli_cells_all() && pay_cli_cell() != NULL) {
        return root_complain("a root is one of all cells: --all-cells in the"
                             " place of --cell");
    }

    rows = pay_cli_query(conn, ROOT_WHAT, head_sql, 1, &args->day);
    done = rows != NULL && root_take(args, rows);
    PQclear(rows);

    return done;
}


/* 0 after a complaint. */
static int
root_take(root_args_t *args, const PGresult *rows)
{
    const char       *cell = pay_cli_cell();
    pay_str_t         text, message;
    pay_root_head_t  *head = &args->root.heads[args->root.count];

    text = pay_str_of(PQgetvalue(rows, 0, 0));

    if (PQgetvalue(rows, 0, 1)[0] != 't' || PQgetvalue(rows, 0, 2)[0] == 't') {
        return root_complain(PQgetvalue(rows, 0, 1)[0] != 't'
                             ? "the day is not over, or has been for less than"
                               " a minute (UTC)"
                             : "a seal of that day is not signed yet");
    }

    if (args->root.count > 0 && !pay_str_eq(text, args->root.day)) {
        return root_complain("the clocks of the cells say different days: give"
                             " --day");
    }

    if (PQgetvalue(rows, 0, 5)[0] == 't') {
        return root_complain("it is a standby, whose log may be behind: name"
                             " the primary");
    }

    message = pay_str_of(PQgetvalue(rows, 0, 4));

    if (pay_dup(args->arena, text, &args->root.day) != PAY_OK
        || pay_dup(args->arena, message, &message) != PAY_OK
        || pay_dup(args->arena, pay_str_of(PQgetvalue(rows, 0, 3)),
                   &head->database) != PAY_OK)
    {
        return root_complain("out of memory");
    }

    head->cell = pay_str_of(cell != NULL ? cell : ROOT_ALONE);

    if (pay_root_head(message, head) != PAY_OK) {
        return root_complain("its newest seal cannot be read");
    }

    args->root.count++;

    return 1;
}


static int
root_complain(const char *why)
{
    const char  *cell = pay_cli_cell();

    fprintf(stderr, "payctl: %s%s%s" ROOT_WHAT ": %s\n",
            cell != NULL ? "cell " : "", cell != NULL ? cell : "",
            cell != NULL ? ": " : "", why);

    return 0;
}


static int
root_sign(root_args_t *args)
{
    pay_str_t      document, text;
    pay_secret_t   key;
    pay_status_t   status;

    status = pay_root_write(args->arena, &args->root, &document);

    if (status != PAY_OK) {
        return pay_cli_audit_complain("root", status == PAY_INVALID
                                      ? "what the cells say makes no root:"
                                      " two of them may be one database"
                                      : "out of memory");
    }

    if (pay_cli_audit_private(args->key, &key) != PAY_CLI_OK) {
        return PAY_CLI_USAGE;
    }

    status = pay_proof_sign(args->arena, document, &key, &text);
    pay_secret_wipe(&key);

    return status == PAY_OK ? root_store(args, document, text)
                            : pay_cli_audit_complain("root",
                                                     "it cannot be signed");
}


/* The name appears with the whole file or not at all: link() makes no second
 * one. */
static int
root_store(const root_args_t *args, pay_str_t document, pay_str_t text)
{
    int   n, code, linked, reason;
    char  path[ROOT_PATH], made[ROOT_PATH];

    n = snprintf(path, sizeof(path), "%s/" ROOT_NAME "%.*s.json", args->dir,
                 pay_fmt(args->root.day));

    if (n < 0 || (size_t) n >= sizeof(path)
        || snprintf(made, sizeof(made), "%s.%d", path, (int) getpid())
           >= (int) sizeof(made))
    {
        return pay_cli_audit_complain(args->dir, "the name is too long");
    }

    code = root_write(made, text);
    if (code != PAY_CLI_OK) {
        return code;
    }

    linked = link(made, path) == 0;
    reason = errno;
    (void) unlink(made);

    if (!linked && reason != EEXIST) {
        return pay_cli_audit_complain(path, strerror(reason));
    }

    if (!linked) {
        return root_is_there(path, document, text);
    }

    printf("%s: %zu cell%s\n", path, args->root.count,
           args->root.count == 1 ? "" : "s");

    return PAY_CLI_OK;
}


/* Everybody may read it: it says nothing about a payment. */
static int
root_write(const char *path, pay_str_t text)
{
    int  fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

    if (fd < 0) {
        return pay_cli_audit_complain(path, strerror(errno));
    }

    return pay_cli_audit_fill(fd, path, text);
}


/* The same document signed with another key is the same document: its bytes
 * stand in front. */
static int
root_is_there(const char *path, pay_str_t document, pay_str_t text)
{
    size_t          len = 0;
    FILE           *file = fopen(path, "rb");
    unsigned char   there[PAY_ROOT_MAX];

    if (file == NULL) {
        return pay_cli_audit_complain(path, strerror(errno));
    }

    len = fread(there, 1, sizeof(there), file);
    fclose(file);

    if (len == text.len
        && memcmp(there, text.data,
                  strlen(PAY_PROOF_HEAD) + document.len) == 0)
    {
        printf("%s: it was there already, and is the same\n", path);
        return PAY_CLI_OK;
    }

    (void) pay_cli_audit_complain(path, "is another root of that day; it stays,"
                                  " and no second one is signed");

    return PAY_CLI_NO;
}

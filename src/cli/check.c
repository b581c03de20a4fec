/*
 * payctl check: do the books agree?  Reads each view of pay_check, the
 * invariants between orders, ledger, wallets, log and outbox, all of them in
 * one snapshot, and says of each whether it is empty.  The counts are kept for
 * the console where the role may do so; else it reads only.
 */

#include "cli/args.h"
#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>


#define CHECK_SQL_MAX   256
#define CHECK_ROWS_MAX  "20"           /* of one check that are shown */
#define CHECK_LIST_MAX  16384          /* bytes of an array of all names */


typedef struct {
    const char  *only;
    unsigned     checked;      /* in all cells that are asked */
    unsigned     differ;
    int          quiet;
    /* The findings of this database, as arrays of PostgreSQL. */
    char         names[CHECK_LIST_MAX];
    char         counts[CHECK_LIST_MAX];
} check_t;


static int check_all(PGconn *conn, void *data);
static void check_name(const char *word, const char *name);
static int check_one(PGconn *conn, const char *name, const char *about,
    check_t *check);
static int check_note(check_t *check, const char *name, const char *count);
static int check_add(char *list, const char *text);
static int check_keep(PGconn *conn, const check_t *check);
static int check_show(PGconn *conn, const char *name, const char *about,
    const char *count);


const char  pay_cli_check_usage[] =
    "usage: payctl check [--dsn DSN] [--quiet] [NAME]\n"
    "Compares orders, ledger, wallets, log and outbox: each invariant of\n"
    "schema pay_check, or the one of that name.  DSN defaults to $PAYCTL_DSN.\n"
    "Exit code 0: all agree; 1: some do not, their rows are shown; 2: not\n"
    "checked.\n";

/* The views of pay_check are found in the catalog, so that a new file in
 * sql/checks needs no line here. */
static const char  check_names[] =
    "SELECT c.relname, obj_description(c.oid, 'pg_class')"
    " FROM pg_class c"
    " WHERE c.relnamespace = to_regnamespace('pay_check') AND c.relkind = 'v'"
    " AND c.relname = coalesce($1, c.relname) ORDER BY c.relname";

/* now() is still that of the snapshot; nothing on a standby, and nothing where
 * the role only reads. */
static const char  check_may_keep[] =
    "SELECT now()::text FROM pg_proc p, pg_namespace n"
    " WHERE n.nspname = 'pay_ops' AND p.pronamespace = n.oid"
    " AND p.proname = 'keep_checks' AND NOT pg_is_in_recovery()"
    " AND has_schema_privilege(n.oid, 'USAGE')"
    " AND has_function_privilege(p.oid, 'EXECUTE')"
    " AND NOT current_setting('default_transaction_read_only')::boolean";
static const char  check_kept[] =
    "SELECT pay_ops.keep_checks($1::text[], $2::bigint[], $3::timestamptz)";


/* Exit code 1 is reserved for books that do not agree, so that a cron job can
 * tell it from a database that is down. */
int
pay_cli_check(int argc, char **argv)
{
    int          words, code;
    check_t      check;
    const char  *dsn = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--quiet", NULL, &check.quiet },
        { NULL, NULL, NULL }
    };

    memset(&check, 0, sizeof(check));

    words = pay_cli_args(argc, argv, options, &check.only, 1);
    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_check_usage);
    }

    code = pay_cli_in_cells(dsn, check_all, &check);

    if (code == PAY_CLI_USAGE) {
        return code;
    }

    /* Counted over all checks, since one difference often shows in several. */
    if (check.differ > 0) {
        printf("%u of %u checks do not hold\n", check.differ, check.checked);
        return code == PAY_CLI_OK ? PAY_CLI_NO : code;
    }

    printf("all %u checks hold%s\n", check.checked,
           code == PAY_CLI_OK ? "" : " in the cells that have answered");

    return code;
}


/* Reads everything in one read-only snapshot: a change that commits meanwhile
 * cannot look half done.  Checks of a large ledger take longer than any
 * statement_timeout of the role. */
static int
check_all(PGconn *conn, void *data)
{
    int        row, ok;
    check_t   *check = data;
    PGresult  *names;

    check->names[0] = '\0';
    check->counts[0] = '\0';

    if (!pay_cli_exec(conn, "check", "BEGIN ISOLATION LEVEL REPEATABLE READ"
                      " READ ONLY; SET LOCAL statement_timeout = 0"))
    {
        return 0;
    }

    names = pay_cli_query(conn, "check", check_names, 1, &check->only);
    ok = names != NULL;

    if (ok && PQntuples(names) == 0) {
        fputs(check->only == NULL
              ? "payctl: check: no checks here, run payctl migrate\n"
              : "payctl: check: there is none of that name\n", stderr);
        ok = 0;
    }

    for (row = 0; ok && row < PQntuples(names); row++) {
        ok = check_one(conn, PQgetvalue(names, row, 0),
                       PQgetvalue(names, row, 1), check);
    }

    PQclear(names);

    return ok && check_keep(conn, check);
}


/* The name comes out of the catalog and is quoted; see check_names. */
static int
check_one(PGconn *conn, const char *name, const char *about, check_t *check)
{
    int        ok;
    char       sql[CHECK_SQL_MAX];
    PGresult  *rows;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM pay_check.\"%s\"", name);

    rows = pay_cli_query(conn, name, sql, 0, NULL);
    if (rows == NULL) {
        return 0;
    }

    check->checked++;
    ok = check_note(check, name, PQgetvalue(rows, 0, 0));

    if (strcmp(PQgetvalue(rows, 0, 0), "0") != 0) {
        check->differ++;
        ok = check_show(conn, name, about, PQgetvalue(rows, 0, 0)) && ok;

    } else if (!check->quiet) {
        check_name("ok", name);
        putchar('\n');
    }

    PQclear(rows);

    return ok;
}


/* With --all-cells each line says where it was found. */
static void
check_name(const char *word, const char *name)
{
    const char  *cell = pay_cli_cell();

    printf("%-9s %s%s%s", word, cell != NULL ? cell : "",
           cell != NULL ? ": " : "", name);
}


static int
check_note(check_t *check, const char *name, const char *count)
{
    return check_add(check->names, name) && check_add(check->counts, count);
}


/* The names of checks and numbers need no quotes. */
static int
check_add(char *list, const char *text)
{
    size_t  len = strlen(list);

    if (len + 1 + strlen(text) + 1 >= CHECK_LIST_MAX) {
        fputs("payctl: check: there are too many checks\n", stderr);
        return 0;
    }

    snprintf(list + len, CHECK_LIST_MAX - len, "%s%s", len == 0 ? "{" : ",",
             text);

    return 1;
}


static int
check_keep(PGconn *conn, const check_t *check)
{
    char         names[CHECK_LIST_MAX + 1], counts[CHECK_LIST_MAX + 1];
    PGresult    *at, *kept;
    const char  *values[3];

    at = pay_cli_query(conn, "check", check_may_keep, 0, NULL);
    if (at == NULL) {
        return 0;
    }

    if (!pay_cli_exec(conn, "check", "COMMIT")) {
        PQclear(at);
        return 0;
    }

    if (PQntuples(at) == 0) {
        PQclear(at);
        return 1;
    }

    snprintf(names, sizeof(names), "%s}", check->names);
    snprintf(counts, sizeof(counts), "%s}", check->counts);
    values[0] = names;
    values[1] = counts;
    values[2] = PQgetvalue(at, 0, 0);

    kept = pay_cli_query(conn, "check", check_kept, 3, values);
    PQclear(at);
    PQclear(kept);

    return kept != NULL;
}


/* The first rows are enough to begin a search with. */
static int
check_show(PGconn *conn, const char *name, const char *about,
    const char *count)
{
    char       sql[CHECK_SQL_MAX];
    PGresult  *rows;

    check_name("DIFFERS", name);
    printf(": %s rows\n          ", count);
    (void) pay_cli_put(stdout, about, CHECK_SQL_MAX * 4);
    putchar('\n');

    snprintf(sql, sizeof(sql), "SELECT * FROM pay_check.\"%s\" LIMIT "
             CHECK_ROWS_MAX, name);

    rows = pay_cli_query(conn, name, sql, 0, NULL);
    if (rows == NULL) {
        return 0;
    }

    pay_cli_table(rows);
    PQclear(rows);

    return 1;
}

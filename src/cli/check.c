/*
 * payctl check: do the books agree?  Reads each view of pay_check, the
 * invariants between orders, ledger, wallets, log and outbox, all of them in
 * one snapshot, and says of each whether it is empty.  Reads only.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>


#define CHECK_SQL_MAX   256
#define CHECK_ROWS_MAX  "20"           /* of one check that are shown */


typedef struct {
    unsigned  checked;
    unsigned  differ;
    int       quiet;
} check_t;


static int check_all(PGconn *conn, const char *only, check_t *check);
static int check_one(PGconn *conn, const char *name, const char *about,
    check_t *check);
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


/* Exit code 1 is reserved for books that do not agree, so that a cron job can
 * tell it from a database that is down. */
int
pay_cli_check(int argc, char **argv)
{
    int          words, ok;
    PGconn      *conn;
    check_t      check;
    const char  *dsn = NULL, *only = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--quiet", NULL, &check.quiet },
        { NULL, NULL, NULL }
    };

    memset(&check, 0, sizeof(check));

    words = pay_cli_args(argc, argv, options, &only, 1);
    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_check_usage);
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    ok = check_all(conn, only, &check);
    PQfinish(conn);

    if (!ok) {
        return PAY_CLI_USAGE;
    }

    /* Counted over all checks, since one difference often shows in several. */
    if (check.differ > 0) {
        printf("%u of %u checks do not hold\n", check.differ, check.checked);
        return PAY_CLI_NO;
    }

    printf("all %u checks hold\n", check.checked);

    return PAY_CLI_OK;
}


/* Reads everything in one read-only snapshot: a change that commits meanwhile
 * cannot look half done.  Checks of a large ledger take longer than any
 * statement_timeout of the role. */
static int
check_all(PGconn *conn, const char *only, check_t *check)
{
    int        row, ok;
    PGresult  *names;

    if (!pay_cli_exec(conn, "check", "BEGIN ISOLATION LEVEL REPEATABLE READ"
                      " READ ONLY; SET LOCAL statement_timeout = 0"))
    {
        return 0;
    }

    names = pay_cli_query(conn, "check", check_names, 1, &only);
    ok = names != NULL;

    if (ok && PQntuples(names) == 0) {
        fputs(only == NULL
              ? "payctl: check: no checks here, run payctl migrate\n"
              : "payctl: check: there is none of that name\n", stderr);
        ok = 0;
    }

    for (row = 0; ok && row < PQntuples(names); row++) {
        ok = check_one(conn, PQgetvalue(names, row, 0),
                       PQgetvalue(names, row, 1), check);
    }

    PQclear(names);

    return ok;
}


/* The name comes out of the catalog and is quoted; see check_names. */
static int
check_one(PGconn *conn, const char *name, const char *about, check_t *check)
{
    int        ok = 1;
    char       sql[CHECK_SQL_MAX];
    PGresult  *rows;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM pay_check.\"%s\"", name);

    rows = pay_cli_query(conn, name, sql, 0, NULL);
    if (rows == NULL) {
        return 0;
    }

    check->checked++;

    if (strcmp(PQgetvalue(rows, 0, 0), "0") != 0) {
        check->differ++;
        ok = check_show(conn, name, about, PQgetvalue(rows, 0, 0));

    } else if (!check->quiet) {
        printf("ok        %s\n", name);
    }

    PQclear(rows);

    return ok;
}


/* The first rows are enough to begin a search with. */
static int
check_show(PGconn *conn, const char *name, const char *about,
    const char *count)
{
    char       sql[CHECK_SQL_MAX];
    PGresult  *rows;

    printf("DIFFERS   %s: %s rows\n          ", name, count);
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

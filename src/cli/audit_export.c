/*
 * payctl audit export: the event log as lines, for payctl audit verify.  Reads
 * only; payments_auditor may run it.
 */

#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"

#include <stdio.h>


static int export_run(PGconn *conn, const char *const *values);
static int export_rows(PGconn *conn);


const char  pay_cli_audit_export_usage[] =
    "usage: payctl audit export [--dsn DSN] [--since DATE] [--until DATE]"
    " > FILE\n"
    "Prints the event log with its seals, a line each, for payctl audit verify."
    "  DATE\nis what PostgreSQL takes, such as 2026-11-01 or"
    " 2026-11-01T12:00:00Z; in UTC\nwithout a zone.  What begins later than"
    " the first seal is verified with --part.\n";

static const char  export_sql[] =
    "SELECT pay_view.audit_export($1::timestamptz, $2::timestamptz)";


/* Dates are passed to PostgreSQL as they are, which complains about a bad
 * one. */
int
pay_cli_audit_export(int argc, char **argv)
{
    int          words, code;
    PGconn      *conn;
    const char  *dsn = NULL, *values[2] = { NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--since", &values[0], NULL },
        { "--until", &values[1], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_audit_export_usage);
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    code = export_run(conn, values);
    PQfinish(conn);

    return code;
}


/* A day without a zone is a day in UTC, as everywhere in the gateway. */
static int
export_run(PGconn *conn, const char *const *values)
{
    if (!pay_cli_exec(conn, "audit export", "SET timezone = 'UTC'")) {
        return PAY_CLI_USAGE;
    }

    if (PQsendQueryParams(conn, export_sql, 2, NULL, values, NULL, NULL, 0)
        != 1
        || PQsetSingleRowMode(conn) != 1)
    {
        return pay_cli_audit_complain("export", PQerrorMessage(conn));
    }

    return export_rows(conn);
}


/* A log that stops halfway must not look like one that ends there. */
static int
export_rows(PGconn *conn)
{
    int        code = PAY_CLI_OK;
    PGresult  *row;

    while ((row = PQgetResult(conn)) != NULL) {

        /* One row at a time: a log may be larger than memory. */
        if (PQresultStatus(row) == PGRES_SINGLE_TUPLE) {
            fwrite(PQgetvalue(row, 0, 0), 1, (size_t) PQgetlength(row, 0, 0),
                   stdout);
            putchar('\n');

        } else if (PQresultStatus(row) != PGRES_TUPLES_OK) {
            code = pay_cli_audit_complain("export", PQerrorMessage(conn));
        }

        PQclear(row);
    }

    if (fflush(stdout) != 0 || ferror(stdout)) {
        code = pay_cli_audit_complain("export", "cannot be written");
    }

    return code;
}

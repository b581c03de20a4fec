/*
 * payctl audit status: how far the seals of the event log have come, out of
 * the database.  Reads only; payments_auditor may run it.
 */

#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/table.h"

#include <stdio.h>


const char  pay_cli_audit_status_usage[] =
    "usage: payctl audit status [--dsn DSN]\n"
    "The newest seal that is signed, its age, and the events that no signed"
    " seal has\nyet.  Exit code 1 when there is no seal at all.\n";

/* One statement, so that all values are of one moment. */
static const char  status_sql[] =
    "SELECT s.number AS \"newest seal\", pay.iso_micros(s.at) AS \"made at\","
    " date_trunc('second', clock_timestamp() - s.at) AS age,"
    " s.count AS leaves, s.key_id AS \"key id\","
    " (SELECT count(*) FROM pay.seal) AS seals,"
    " (SELECT b.number FROM pay.seal b WHERE b.signature IS NULL)"
    " AS \"begun, not signed\","
    " e.count AS \"events not sealed\","
    " pay.iso_micros(e.oldest) AS \"the oldest of\""
    " FROM pay.seal s"
    " CROSS JOIN LATERAL (SELECT count(*), min(e.at) AS oldest"
    " FROM pay.event e WHERE e.tx >= s.until_tx) e"
    " WHERE s.signature IS NOT NULL"
    " ORDER BY s.number DESC LIMIT 1";


int
pay_cli_audit_status(int argc, char **argv)
{
    int          words, code = PAY_CLI_USAGE;
    PGconn      *conn;
    PGresult    *rows;
    const char  *dsn = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_audit_status_usage);
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = pay_cli_query(conn, "audit status", status_sql, 0, NULL);

    if (rows != NULL && PQntuples(rows) == 1) {
        pay_cli_record(rows, 0);
        code = PAY_CLI_OK;

    /* No row: the log has no signed seal, so that nothing of it is proved. */
    } else if (rows != NULL) {
        fputs("payctl: nothing has been sealed yet\n", stderr);
        code = PAY_CLI_NO;
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}

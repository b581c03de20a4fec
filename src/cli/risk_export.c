/*
 * payctl risk export: a line of JSON for each decision, with the features as
 * they were scored, the outcome and the labels, for tools/risk/train.py.  Reads
 * one view (payments_auditor may), which has nothing personal.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/risk.h"
#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>


static int export_to(const char *const *values, const char *dsn, FILE *out);
static int export_rows(PGconn *conn, FILE *out);
static int complain(const char *why);


const char  pay_cli_risk_export_usage[] =
    "usage: payctl risk export [--dsn DSN] [--since TIME] [--until TIME]"
    " [-o FILE]\n"
    "Prints the decisions of risk from --since up to --until, the oldest first,"
    " as\nlines of JSON for tools/risk/train.py, to FILE or to the standard"
    " output.\nNothing in them names a buyer.  TIME is in UTC without a"
    " zone.\n";

/* text of json_build_object, since jsonb would sort the members */
static const char  export_sql[] =
    "SELECT json_build_object('checkout', o.checkout_id,"
    " 'merchant', o.merchant_id, 'at', " PAY_CLI_AT("o.at") ","
    " 'age_days', round(extract(epoch FROM now() - o.at) / 86400, 3),"
    " 'amount_minor', o.amount_minor, 'currency', o.currency,"
    " 'decision', o.decision, 'decided_by', o.decided_by, 'hits', o.hits,"
    " 'version', o.version, 'score', o.score, 'features', o.features,"
    " 'outcome', o.outcome, 'captured_minor', o.captured_minor,"
    " 'fraud_minor', o.fraud_minor, 'labels', o.labels)::text"
    " FROM pay_view.risk_outcomes o"
    " WHERE o.at >= coalesce($1::timestamptz, '-infinity')"
    " AND o.at < coalesce($2::timestamptz, 'infinity')"
    " ORDER BY o.at, o.merchant_id, o.checkout_id";


int
pay_cli_risk_export(int argc, char **argv)
{
    int          words, code;
    FILE        *out = stdout;
    const char  *dsn = NULL, *path = NULL, *values[2] = { NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--since", &values[0], NULL },
        { "--until", &values[1], NULL },
        { "-o", &path, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_risk_export_usage);
    }

    if (path != NULL) {
        out = fopen(path, "w");
    }

    if (out == NULL) {
        return complain(strerror(errno));
    }

    code = export_to(values, dsn, out);

    if (path != NULL) {
        if (fclose(out) != 0 && code == PAY_CLI_OK) {
            code = complain(strerror(errno));
        }

        /* half of an export must not look like a whole one */
        if (code != PAY_CLI_OK) {
            (void) remove(path);
        }
    }

    return code;
}


/* Parameters are passed to PostgreSQL as they are, which complains about a bad
 * time. */
static int
export_to(const char *const *values, const char *dsn, FILE *out)
{
    int      code;
    PGconn  *conn = pay_cli_connect(dsn);

    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    if (!pay_cli_exec(conn, "risk export", "SET timezone = 'UTC'")) {
        code = PAY_CLI_USAGE;

    } else if (PQsendQueryParams(conn, export_sql, 2, NULL, values, NULL, NULL,
                                 0) != 1
               || PQsetSingleRowMode(conn) != 1)
    {
        code = complain(PQerrorMessage(conn));

    } else {
        code = export_rows(conn, out);
    }

    PQfinish(conn);

    return code;
}


/* One row at a time: the decisions of years need no more memory than one. */
static int
export_rows(PGconn *conn, FILE *out)
{
    int        code = PAY_CLI_OK;
    PGresult  *row;

    while ((row = PQgetResult(conn)) != NULL) {
        if (PQresultStatus(row) == PGRES_SINGLE_TUPLE) {
            fprintf(out, "%s\n", PQgetvalue(row, 0, 0));

        } else if (PQresultStatus(row) != PGRES_TUPLES_OK) {
            code = complain(PQerrorMessage(conn));
        }

        PQclear(row);
    }

    if (fflush(out) != 0 || ferror(out)) {
        code = complain("cannot be written");
    }

    return code;
}


static int
complain(const char *why)
{
    fprintf(stderr, "payctl: risk export: %s%s", why,
            strchr(why, '\n') != NULL ? "" : "\n");

    return PAY_CLI_USAGE;
}

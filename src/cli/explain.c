/*
 * payctl explain: the state of a payment, who waits for whom, the gateway's
 * next step and whether a new checkout is safe.  It comes from
 * pay_view.explain(), which GET /v1/payments/{id}/explain uses, too.  Reads
 * only.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/explain.h"
#include "cli/find.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stdint.h>


static int explain_by_name(PGconn *conn, const char *const *values,
    int as_json);
static int explain_print(const PGresult *rows, int as_json);


const char  pay_cli_explain_usage[] =
    "usage: payctl explain [--dsn DSN] [--merchant ID] [-o json] NAME\n"
    "NAME is the id of a payment order, or whatever payctl find knows of it:\n"
    "the checkout's id, the PSP's token or reference, a nonce, an idempotency\n"
    "key, a request id.  An order id is one merchant's, so several merchants\n"
    "may have it.  -o json prints what the API says, a line for each order.\n";

static const char  explain_sql[] =
    "SELECT merchant_id, explanation FROM pay_view.explain($1, $2)";


/* An order id is looked up first, as it is the name that storefronts use; then
 * every other name that payctl find knows. */
int
pay_cli_explain(int argc, char **argv)
{
    int          words, code, as_json;
    PGconn      *conn;
    PGresult    *rows;
    const char  *dsn = NULL, *values[2] = { NULL, NULL };
    pay_cli_format_t  format;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[0], NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, &values[1], 1);
    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_explain_usage);
    }

    if (words == 0) {
        return pay_cli_misuse(pay_cli_explain_usage, "explain needs a NAME");
    }

    if (!pay_cli_format("explain", &format)) {
        return PAY_CLI_USAGE;
    }

    if (format == PAY_CLI_CSV) {
        return pay_cli_misuse(pay_cli_explain_usage, "explain takes -o json");
    }

    as_json = format == PAY_CLI_JSON;
    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = pay_cli_query(conn, "explain", explain_sql, 2, values);

    if (rows == NULL) {
        code = PAY_CLI_USAGE;

    } else if (PQntuples(rows) == 0) {
        /* no order has that id: the name may be of another kind */
        code = explain_by_name(conn, values, as_json);

    } else {
        code = explain_print(rows, as_json);
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


/* All orders of the checkout that the name leads to. */
static int
explain_by_name(PGconn *conn, const char *const *values, int as_json)
{
    int          row, code;
    PGresult    *orders, *rows;
    const char  *order[2];

    code = pay_cli_resolve(conn, values[1], values[0], &orders);

    for (row = 0; code == PAY_CLI_OK && row < PQntuples(orders); row++) {
        order[0] = PQgetvalue(orders, row, 0);
        order[1] = PQgetvalue(orders, row, 1);

        if (row > 0 && !as_json) {
            putchar('\n');
        }

        rows = pay_cli_query(conn, "explain", explain_sql, 2, order);
        code = rows == NULL ? PAY_CLI_USAGE : explain_print(rows, as_json);
        PQclear(rows);
    }

    PQclear(orders);

    return code;
}


/* The JSON is PostgreSQL's and goes out through pay_cli_put() as well: it
 * quotes texts of PSPs. */
static int
explain_print(const PGresult *rows, int as_json)
{
    int        row;
    pay_str_t  text;

    pay_cli_pager_begin();

    for (row = 0; row < PQntuples(rows); row++) {
        text.data = (unsigned char *) PQgetvalue(rows, row, 1);
        text.len = (size_t) PQgetlength(rows, row, 1);

        if (as_json) {
            (void) pay_cli_put(stdout, PQgetvalue(rows, row, 1), SIZE_MAX);
            putchar('\n');
            continue;
        }

        if (row > 0) {
            putchar('\n');
        }

        if (!pay_cli_explain_text(PQgetvalue(rows, row, 0), text)) {
            fputs("payctl: explain: the answer cannot be read\n", stderr);
            return PAY_CLI_USAGE;
        }
    }

    return PAY_CLI_OK;
}

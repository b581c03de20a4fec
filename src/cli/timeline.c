/*
 * payctl timeline: the events of a payment order, oldest first, as an
 * aligned table out of pay_view.timeline.  Reads only; payments_auditor may
 * run it.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/find.h"
#include "cli/table.h"


static const char  timeline_usage[] =
    "usage: payctl timeline [--dsn DSN] [--merchant ID] [--json] NAME\n"
    "NAME is the id of a payment order, or whatever payctl find knows of it:\n"
    "the checkout's id, the PSP's token or reference, a nonce, an idempotency\n"
    "key, a request id.  DSN defaults to $PAYCTL_DSN; an order id is one\n"
    "merchant's, so several merchants may have it.\n";

static const char  timeline_sql[] =
    "SELECT merchant_id AS merchant, seq, to_char(at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS at, kind, actor,"
    " concat_ws(' > ', old_status, new_status) AS status,"
    " coalesce(reason, '') AS reason,"
    " CASE detail WHEN '{}' THEN '' ELSE detail::text END AS detail,"
    " coalesce(request_id, '') AS request_id"
    " FROM pay_view.timeline"
    " WHERE payment_order_id = $1 AND merchant_id = coalesce($2, merchant_id)"
    " ORDER BY merchant_id, seq";


static const char  known_sql[] =
    "SELECT EXISTS (SELECT FROM pay_view.explain($2, $1))";

static const pay_cli_list_t  timeline_list = {
    "timeline", timeline_sql, 2, "payctl: no such payment order", PAY_CLI_NO,
    NULL
};


static int timeline_show(const char *dsn, const char *const *values,
    int as_json);
static int timeline_by_name(PGconn *conn, const char *dsn,
    const char *const *values, int as_json);


/* As payctl explain finds its order: by its id first, then by any other
 * name. */
int
pay_cli_timeline(int argc, char **argv)
{
    int          words, code, as_json = 0;
    PGconn      *conn;
    PGresult    *known;
    const char  *dsn = NULL, *values[2] = { NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[1], NULL },
        { "--json", NULL, &as_json },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, timeline_usage);
    }

    if (words == 0) {
        return pay_cli_misuse(timeline_usage, "timeline needs a NAME");
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    known = pay_cli_query(conn, "timeline", known_sql, 2, values);

    if (known == NULL) {
        code = PAY_CLI_USAGE;

    } else if (PQgetvalue(known, 0, 0)[0] == 't') {
        code = timeline_show(dsn, values, as_json);

    } else {
        code = timeline_by_name(conn, dsn, values, as_json);
    }

    PQclear(known);
    PQfinish(conn);

    return code;
}


static int
timeline_show(const char *dsn, const char *const *values, int as_json)
{
    return as_json ? pay_cli_list_json(&timeline_list, dsn, values)
                   : pay_cli_list(&timeline_list, dsn, values);
}


/* Prints the events of all orders of the checkout that the name leads to. */
static int
timeline_by_name(PGconn *conn, const char *dsn, const char *const *values,
    int as_json)
{
    int          row, code;
    PGresult    *orders;
    const char  *order[2];

    code = pay_cli_resolve(conn, values[0], values[1], &orders);

    for (row = 0; code == PAY_CLI_OK && row < PQntuples(orders); row++) {
        order[0] = PQgetvalue(orders, row, 1);
        order[1] = PQgetvalue(orders, row, 0);

        if (!as_json) {
            printf("%s%s\n", row > 0 ? "\n" : "", order[0]);
        }

        code = timeline_show(dsn, order, as_json);
    }

    PQclear(orders);

    return code;
}

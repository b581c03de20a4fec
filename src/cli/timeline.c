/*
 * payctl timeline: the events of a payment order, oldest first, as an
 * aligned table out of pay_view.timeline.  Reads only; payments_auditor may
 * run it.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/find.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"


const char  pay_cli_timeline_usage[] =
    "usage: payctl timeline [--dsn DSN] [--merchant ID] [-o json|csv] NAME\n"
    "NAME is the id of a payment order, or whatever payctl find knows of it:\n"
    "the checkout's id, the PSP's token or reference, a nonce, an idempotency\n"
    "key, a request id.  DSN defaults to $PAYCTL_DSN; an order id is one\n"
    "merchant's, so several merchants may have it.\n";

#define TIMELINE_COLUMNS                                                      \
    " seq, " PAY_CLI_AT("at") " AS at, kind, actor,"                          \
    " concat_ws(' > ', old_status, new_status) AS status,"                    \
    " coalesce(reason, '') AS reason,"                                        \
    " CASE detail WHEN '{}' THEN '' ELSE detail::text END AS detail,"         \
    " coalesce(request_id, '') AS request_id FROM pay_view.timeline"
#define TIMELINE_ORDER                                                        \
    " WHERE payment_order_id = $1 AND merchant_id = coalesce($2, merchant_id)"\
    " ORDER BY merchant_id, seq"
/* For programs, each row names its order. */
#define TIMELINE_ROWS                                                         \
    "SELECT merchant_id AS merchant, payment_order_id AS \"order\","

static const char  checkout_sql[] =
    TIMELINE_ROWS TIMELINE_COLUMNS
    " WHERE merchant_id = $2 AND payment_order_id IN"
    " (SELECT o.payment_order_id FROM pay.payment_order o"
    " JOIN pay.payment_order x ON x.merchant_id = o.merchant_id"
    " AND x.checkout_id = o.checkout_id"
    " WHERE x.merchant_id = $2 AND x.payment_order_id = $1)"
    " ORDER BY payment_order_id, seq";

static const char  known_sql[] =
    "SELECT EXISTS (SELECT FROM pay_view.explain($2, $1))";

static const pay_cli_list_t  timeline_list = {
    "timeline",
    "SELECT merchant_id AS merchant," TIMELINE_COLUMNS TIMELINE_ORDER,
    2, "payctl: no such payment order", PAY_CLI_NO, NULL, NULL, NULL
};

static const pay_cli_list_t  rows_list = {
    "timeline", TIMELINE_ROWS TIMELINE_COLUMNS TIMELINE_ORDER,
    2, "payctl: no such payment order", PAY_CLI_NO, NULL, NULL, NULL
};

static const pay_cli_list_t  checkout_list = {
    "timeline", checkout_sql, 2, "payctl: no such payment order", PAY_CLI_NO,
    NULL, NULL, NULL
};


static int timeline_by_name(PGconn *conn, const char *dsn,
    const char *const *values, pay_cli_format_t format);


/* As payctl explain finds its order: by its id first, then by any other
 * name. */
int
pay_cli_timeline(int argc, char **argv)
{
    int                words, code;
    PGconn            *conn;
    PGresult          *known;
    const char        *dsn = NULL, *values[2] = { NULL, NULL };
    pay_cli_format_t   format;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[1], NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_timeline_usage);
    }

    if (words == 0) {
        return pay_cli_misuse(pay_cli_timeline_usage, "timeline needs a NAME");
    }

    conn = pay_cli_format("timeline", &format) ? pay_cli_connect(dsn) : NULL;
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    known = pay_cli_query(conn, "timeline", known_sql, 2, values);

    if (known == NULL) {
        code = PAY_CLI_USAGE;

    } else if (PQgetvalue(known, 0, 0)[0] == 't') {
        code = pay_cli_list(format == PAY_CLI_TABLE ? &timeline_list
                                                    : &rows_list, dsn, values);

    } else {
        code = timeline_by_name(conn, dsn, values, format);
    }

    PQclear(known);
    PQfinish(conn);

    return code;
}


/* Prints the events of all orders of the checkout that the name leads to. */
static int
timeline_by_name(PGconn *conn, const char *dsn, const char *const *values,
    pay_cli_format_t format)
{
    int          row, code;
    PGresult    *orders;
    const char  *order[2];

    code = pay_cli_resolve(conn, values[0], values[1], &orders);

    for (row = 0; code == PAY_CLI_OK && row < PQntuples(orders); row++) {
        order[0] = PQgetvalue(orders, row, 1);
        order[1] = PQgetvalue(orders, row, 0);

        if (format != PAY_CLI_TABLE) {
            code = pay_cli_list(&checkout_list, dsn, order);
            break;
        }

        pay_cli_pager_begin();
        printf("%s%s\n", row > 0 ? "\n" : "", order[0]);
        code = pay_cli_list(&timeline_list, dsn, order);
    }

    PQclear(orders);

    return code;
}

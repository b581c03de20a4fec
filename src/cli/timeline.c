/*
 * payctl timeline: what happened to a payment order, oldest first, as an
 * aligned table out of pay_view.timeline.  Reads only; payments_auditor may
 * run it.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/table.h"


static const char  timeline_usage[] =
    "usage: payctl timeline [--dsn DSN] [--merchant ID] PAYMENT_ORDER_ID\n"
    "DSN defaults to $PAYCTL_DSN; an order id is one merchant's, so several\n"
    "merchants may have it.\n";

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


static const pay_cli_list_t  timeline_list = {
    "timeline", timeline_sql, 2, "payctl: no such payment order", PAY_CLI_NO
};


int
pay_cli_timeline(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[2] = { NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[1], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);
    if (words != 1) {
        return pay_cli_say_usage(words, timeline_usage);
    }

    return pay_cli_list(&timeline_list, dsn, values);
}

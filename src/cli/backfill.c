/*
 * payctl backfill: how far the lists of events of the PSPs have been compared
 * with what came by itself, out of pay_view.backfills.  Reads only.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"


const char  pay_cli_backfill_usage[] =
    "usage: payctl backfill [--dsn DSN] [-o json|csv]\n"
    "How far the list of events of each PSP has been looked at; missed counts\n"
    "the events that had not come by themselves.\n";

static const char  backfill_sql[] =
    "SELECT psp, to_char(seen_until AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS seen_until,"
    " date_trunc('second', behind) AS behind,"
    " to_char(run_at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS next_run,"
    " CASE WHEN running THEN 'yes' ELSE '' END AS running,"
    " runs, listed, missed, coalesce(code, '') AS code"
    " FROM pay_view.backfills ORDER BY psp";

static const pay_cli_list_t  backfill_list = {
    "backfill", backfill_sql, 0, "no PSP's list has been looked at yet",
    PAY_CLI_OK, NULL,
    "psp", NULL
};


int
pay_cli_backfill(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_backfill_usage);
    }

    return pay_cli_list(&backfill_list, dsn, NULL);
}

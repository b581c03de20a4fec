/*
 * payctl webhook quarantine: the webhooks that were refused because they
 * proved nothing about their sender, newest first, out of
 * pay_view.quarantine.  Reads only; never a body or a header.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/webhook.h"

#include <string.h>


#define QUARANTINE_LIMIT  "50"


const char  pay_cli_quarantine_usage[] =
    "usage: payctl webhook quarantine [--dsn DSN] [--psp NAME] [--limit N]\n"
    "                                 [-o json|csv]\n"
    "The newest webhooks that were refused, " QUARANTINE_LIMIT " unless N is"
    " given.\n"
    "The digest is the SHA-256 of the body: compare it with what the PSP has\n"
    "sent.\n";

static const char  quarantine_sql[] =
    "SELECT psp, number, to_char(received_at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS received_at, reason, size,"
    " digest, coalesce(request_id, '') AS request_id"
    " FROM pay_view.quarantine"
    " WHERE psp = coalesce($1, psp)"
    " ORDER BY quarantine.received_at DESC, psp, number DESC"
    " LIMIT $2::bigint";

static const pay_cli_filter_t  filters[] = {
    { 0, "SELECT DISTINCT psp FROM pay_view.quarantine UNION "
         "(" PAY_CLI_NAMES("pay.registration", "psp") ")",
      "PSP", "has a payment or a refused webhook here" },
    PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  quarantine_list = {
    "webhook quarantine", quarantine_sql, 2, "nothing is in quarantine",
    PAY_CLI_OK, filters,
    "-received_at", "$2"
};


/* The number is checked here, so that the complaint names the option and not a
 * cast of SQL. */
int
pay_cli_webhook_quarantine(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[2] = { NULL, QUARANTINE_LIMIT };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--psp", &values[0], NULL },
        { "--limit", &values[1], NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_quarantine_usage);
    }

    if (strspn(values[1], "0123456789") != strlen(values[1])
        || values[1][0] == '\0' || strlen(values[1]) > 9)
    {
        return pay_cli_misuse(pay_cli_quarantine_usage,
                              "--limit takes a number, not"
                              " \"%s\"", values[1]);
    }

    return pay_cli_list(&quarantine_list, dsn, values);
}

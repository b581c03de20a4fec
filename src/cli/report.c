/*
 * payctl report: orders and money of a time, for finance, out of
 * pay_view.report_days(), report_psps(), report_sellers() and report_fees().
 * Reads only; payments_auditor may run it.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stddef.h>


static int report_run(int argc, char **argv);


const char  pay_cli_report_usage[] =
    "usage: payctl report day|psp|seller|fees [--dsn DSN] --from TIME"
    " --to TIME\n"
    "                     [--merchant ID] [--zone NAME] [-o json|csv]\n"
    "Prints figures of the time from --from up to, and not with, --to.  A\n"
    "TIME such as 2026-11-01 or 2026-11-01T06:00 is one of --zone, a name\n"
    "such as Europe/Berlin, else UTC; it may also end with an offset or Z.\n"
    "Each row has one currency; currencies are never added.\n"
    "\n"
    "day, psp: the orders that were created in that time, and of these paid,\n"
    "failed, among them expired, and open; success_rate is paid of paid and\n"
    "failed.  The money that was booked in that time: volume, sold; refunds;\n"
    "disputes, lost to buyers; fees of the PSP; net, the volume without\n"
    "these.  day also has opening and closing: the money that PSPs hold by\n"
    "the ledger (psp_clearing) when the day begins and when it ends.\n"
    "seller: the changes of the debt to each seller: sales, refunds,\n"
    "disputes, fees that the merchant keeps, payouts, other; net, all of\n"
    "them; opening and closing, the debt at --from and at --to.\n"
    "fees: of each PSP, as percent of its volume, and the VAT on them;\n"
    "earned: the fees that the merchant keeps of sellers' sales, and their\n"
    "tax.\n";

/* $1 --from, $2 --to, $3 --zone, $4 --merchant */
#define REPORT_TIME                                                           \
    "pay_view.report_time($1, $3), pay_view.report_time($2, $3)"
/* The zone belongs to each row, wherever that is copied to. */
#define REPORT_SPAN                                                           \
    " to_char(pay_view.report_time($1, $3) AT TIME ZONE $3,"                  \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS') AS \"from\","                              \
    " to_char(pay_view.report_time($2, $3) AT TIME ZONE $3,"                  \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS') AS \"to\", $3::text AS zone"
#define REPORT_FIGURES                                                        \
    " r.merchant_id AS merchant, r.currency, r.orders, r.paid, r.failed,"     \
    " r.expired, r.open, r.success_rate, r.volume, r.refunds, r.disputes,"    \
    " r.fees, r.net,"

#define REPORT_NONE  "no orders and no entries in that time"

static const pay_cli_filter_t  filters[] = {
    { 2, "SELECT name FROM pg_timezone_names ORDER BY name", "zone",
      "is known to PostgreSQL" },
    { 3, PAY_CLI_MERCHANT },
    PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  day_list = {
    "report day",
    "SELECT r.day," REPORT_FIGURES " r.opening, r.closing," REPORT_SPAN
    " FROM pay_view.report_days(" REPORT_TIME ", $3, $4) r",
    4, REPORT_NONE, PAY_CLI_OK, filters,
    "day, merchant, currency", NULL
};

static const pay_cli_list_t  psp_list = {
    "report psp",
    "SELECT r.psp," REPORT_FIGURES REPORT_SPAN
    " FROM pay_view.report_psps(" REPORT_TIME ", $4) r",
    4, REPORT_NONE, PAY_CLI_OK, filters,
    "psp, merchant, currency", NULL
};

static const pay_cli_list_t  seller_list = {
    "report seller",
    "SELECT r.seller_account AS seller, r.merchant_id AS merchant, r.currency,"
    " r.sales, r.refunds, r.disputes, r.fees, r.payouts, r.other, r.net,"
    " r.opening, r.closing," REPORT_SPAN
    " FROM pay_view.report_sellers(" REPORT_TIME ", $4) r",
    4, REPORT_NONE, PAY_CLI_OK, filters,
    "merchant, seller, currency", NULL
};

static const pay_cli_list_t  fees_list = {
    "report fees",
    "SELECT r.psp, r.merchant_id AS merchant, r.currency, r.volume, r.fees,"
    " r.percent, r.vat, r.earned, r.earned_tax," REPORT_SPAN
    " FROM pay_view.report_fees(" REPORT_TIME ", $4) r",
    4, REPORT_NONE, PAY_CLI_OK, filters,
    "psp, merchant, currency", NULL
};

static const pay_cli_subcommand_t  subcommands[] = {
    { "day", report_run },
    { "psp", report_run },
    { "seller", report_run },
    { "fees", report_run },
    { NULL, NULL }
};


int
pay_cli_report(int argc, char **argv)
{
    return pay_cli_hand_over("report", pay_cli_report_usage, subcommands, argc,
                             argv);
}


/* The verb is argv[0]. */
static int
report_run(int argc, char **argv)
{
    int                    words;
    const char            *dsn = NULL, *values[4] = { NULL, NULL, "UTC", NULL };
    const pay_cli_list_t  *list;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--from", &values[0], NULL },
        { "--to", &values[1], NULL },
        { "--zone", &values[2], NULL },
        { "--merchant", &values[3], NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    list = argv[0][0] == 'd' ? &day_list
           : argv[0][0] == 'p' ? &psp_list
           : argv[0][0] == 's' ? &seller_list : &fees_list;
    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_report_usage);
    }

    if (values[0] == NULL || values[1] == NULL) {
        return pay_cli_misuse(pay_cli_report_usage, "%s takes --from and --to",
                              list->what);
    }

    return pay_cli_list(list, dsn, values);
}

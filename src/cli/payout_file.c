/*
 * payctl payout file: files for a bank and its answers.  list reads the tables
 * (payments_auditor may); write and read act (payout_file_write.c,
 * payout_file_read.c).
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/payout_file.h"
#include "cli/table.h"


#define AT  PAY_CLI_AT


static int file_list(int argc, char **argv);


const char  pay_cli_payout_file_usage[] =
    "usage: payctl payout file write [--dsn DSN] --merchant ID"
    " --provider NAME\n"
    "                                --dir DIR --keyring FILE\n"
    "                                --debtor-name NAME --debtor-iban IBAN\n"
    "                                [--debtor-bic BIC] [--on DAY]"
    " [--limit ITEMS]\n"
    "                                --who NAME\n"
    "       payctl payout file read [--dsn DSN] --merchant ID"
    " --provider NAME\n"
    "                               --who NAME FILE ...\n"
    "       payctl payout file list [--dsn DSN] [--merchant ID]"
    " [-o json|csv]\n"
    "\n"
    "write puts approved items of a provider of adapter pain001 into one\n"
    "file, ID.xml in DIR, for the bank's client to take; other names in DIR\n"
    "are not for it.  --on is the day on which the bank pays, else the next\n"
    "bank day.  read takes the bank's answers, pain.002, camt.053 and\n"
    "camt.054: each is read whole, and counts once.  list shows the files,\n"
    "and how many of their items the bank has not answered.\n"
    "Exit code 0: done; 1: not all of it; 2: not done; 3: all FILEs are known\n"
    "already.\n";

static const pay_cli_filter_t  filters[] = {
    { 0, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "payout file list",
    "SELECT f.msg_id AS id, f.provider, f.state, f.item_count AS items,"
    " round(f.total_minor / 100.0, 2) AS amount, f.execute_on AS day,"
    " f.made_by, " AT("f.made_at") " AS at, (SELECT count(*)"
    " FROM pay.payout_file_item i JOIN pay.payout p"
    " ON p.merchant_id = i.merchant_id AND p.payout_id = i.payout_id"
    " WHERE i.msg_id = f.msg_id AND i.is_in"
    " AND p.state IN ('sending', 'unknown')) AS unanswered"
    " FROM pay.payout_file f"
    " WHERE f.merchant_id = coalesce($1, f.merchant_id)"
    " ORDER BY f.made_at, f.msg_id",
    1, "no files", PAY_CLI_OK, filters,
    "at", NULL
};

static const pay_cli_subcommand_t  subcommands[] = {
    { "list", file_list },
    { "read", pay_cli_payout_file_read },
    { "write", pay_cli_payout_file_write },
    { NULL, NULL }
};


int
pay_cli_payout_file(int argc, char **argv)
{
    return pay_cli_hand_over(FILE_WHAT, pay_cli_payout_file_usage,
                             subcommands, argc, argv);
}


static int
file_list(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *merchant = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &merchant, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    return words != 0 ? pay_cli_say_usage(words, pay_cli_payout_file_usage)
                      : pay_cli_list(&list_query, dsn, &merchant);
}

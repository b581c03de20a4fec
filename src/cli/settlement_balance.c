/*
 * payctl settlement balances: the balances that PSPs last stated, beside the
 * ledger; --again has the PSP of a source asked once more.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/settlement.h"
#include "cli/table.h"


const char  pay_cli_settlement_balances_usage[] =
    "usage: payctl settlement balances [--dsn DSN] [--again SOURCE]"
    " [-o json|csv]\n"
    "\n"
    "The last look at the balance of each account whose settlements are pulled:"
    " it\nagrees with the ledger when the difference lies between lowest and"
    " highest.\n--again has the PSP asked at the next look, instead of at"
    " midnight (UTC).\n";

static const pay_cli_list_t  balances_query = {
    "settlement balances",
    "SELECT b.source, b.psp, b.currency, " PAY_CLI_AT("b.looked_at")
    " AS looked_at, b.available, b.pending, b.reserved, b.ledger,"
    " b.difference, b.lowest, b.highest, b.verdict,"
    " b.exception_id AS matter"
    " FROM pay_view.psp_balances b WHERE b.is_last ORDER BY 1, 3",
    0, "no PSP has been asked for a balance", PAY_CLI_OK, NULL,
    "source, currency", NULL
};

static const pay_cli_refusal_t  refusals[] = {
    { "not_found", "no settlements are pulled from a source of that name" },
    { NULL, NULL }
};

static const pay_cli_act_t  again_act = {
    "settlement balances", "SELECT pay_ops.ask_balance($1)", 1, "stored",
    refusals
};


int
pay_cli_settlement_balances(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *source = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--again", &source, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_balances_usage);
    }

    return source != NULL ? pay_cli_act(&again_act, dsn, &source)
                          : pay_cli_list(&balances_query, dsn, NULL);
}

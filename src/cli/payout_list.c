/*
 * The lists of payctl payout whose only parameter is the merchant.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/payout.h"
#include "cli/table.h"

#include <stddef.h>


int
pay_cli_payout_list(int argc, char **argv, const pay_cli_list_t *query)
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

    return words != 0 ? pay_cli_say_usage(words, pay_cli_payout_usage)
                      : pay_cli_list(query, dsn, &merchant);
}

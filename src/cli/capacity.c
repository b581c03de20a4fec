/*
 * payctl capacity: the machines that a rate of payments takes.  PostgreSQL
 * calculates, from its own sizes where it has some (docs/sizing.md).
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>


#define RATE_MAX  1e12


static int is_rate(const char *text);


const char  pay_cli_capacity_usage[] =
    "usage: payctl capacity [--dsn DSN] [--day N] [--second N] [-o json|csv]\n"
    "Prints the disk, WAL, cores, connections and memory that N payments a day,"
    "\nand N in the busiest second, take; without N those of the last seven"
    " days.\nThe last column says where a figure comes from: here (measured in"
    " this\ndatabase), given, or sizing (docs/sizing.md).  The auditor's role"
    " is\nenough.\n";

static const pay_cli_list_t  capacity_list = {
    "capacity", "SELECT c.figure, c.value, c.unit, c.source"
    " FROM pay_view.capacity($1::numeric, $2::numeric) c",
    2, "no figures", PAY_CLI_USAGE, NULL, NULL, NULL
};


int
pay_cli_capacity(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *none, *values[] = { NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--day", &values[0], NULL },
        { "--second", &values[1], NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, &none, 0);
    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_capacity_usage);
    }

    if (!is_rate(values[0]) || !is_rate(values[1])) {
        return pay_cli_misuse(pay_cli_capacity_usage, "capacity: --day and "
                              "--second take a number such as 250 or 0.5");
    }

    return pay_cli_list(&capacity_list, dsn, values);
}


/* NULL, too: none was given. */
static int
is_rate(const char *text)
{
    return text == NULL
           || (*text != '\0' && strspn(text, "0123456789.") == strlen(text)
               && strchr(text, '.') == strrchr(text, '.')
               && strcmp(text, ".") != 0 && strtod(text, NULL) <= RATE_MAX);
}

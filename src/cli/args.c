/*
 * The command lines of payctl's database subcommands, see args.h.
 */

#include "cli/args.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>


static const pay_cli_option_t *args_find(const pay_cli_option_t *options,
    const char *name);


int
pay_cli_args(int argc, char **argv, const pay_cli_option_t *options,
    const char **words, int max)
{
    int                      i, n;
    const pay_cli_option_t  *option;

    n = 0;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return PAY_CLI_HELP;
        }

        if (argv[i][0] != '-') {
            if (n == max) {
                return PAY_CLI_MISUSE;
            }

            words[n++] = argv[i];
            continue;
        }

        option = args_find(options, argv[i]);

        if (option == NULL || (option->value != NULL && i + 1 == argc)) {
            return PAY_CLI_MISUSE;
        }

        if (option->value != NULL) {
            *option->value = argv[++i];

        } else {
            *option->flag = 1;
        }
    }

    return n;
}


int
pay_cli_say_usage(int result, const char *usage)
{
    fputs(usage, result == PAY_CLI_HELP ? stdout : stderr);

    return result == PAY_CLI_HELP ? PAY_CLI_OK : PAY_CLI_USAGE;
}


static const pay_cli_option_t *
args_find(const pay_cli_option_t *options, const char *name)
{
    while (options->name != NULL && strcmp(options->name, name) != 0) {
        options++;
    }

    return options->name != NULL ? options : NULL;
}

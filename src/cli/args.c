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
    const char              *inside;
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

        if (option == NULL) {
            return PAY_CLI_MISUSE;
        }

        if (option->value == NULL) {
            *option->flag = 1;
            continue;
        }

        inside = strchr(argv[i], '=');

        if (inside == NULL && i + 1 == argc) {
            return PAY_CLI_MISUSE;
        }

        *option->value = inside != NULL ? inside + 1 : argv[++i];
    }

    return n;
}


int
pay_cli_say_usage(int result, const char *usage)
{
    fputs(usage, result == PAY_CLI_HELP ? stdout : stderr);

    return result == PAY_CLI_HELP ? PAY_CLI_OK : PAY_CLI_USAGE;
}


/* By its name; one with a value may have it behind "=". */
static const pay_cli_option_t *
args_find(const pay_cli_option_t *options, const char *name)
{
    size_t  len;

    for ( /* void */ ; options->name != NULL; options++) {
        len = strlen(options->name);

        if (strncmp(options->name, name, len) == 0
            && (name[len] == '\0'
                || (name[len] == '=' && options->value != NULL)))
        {
            return options;
        }
    }

    return NULL;
}

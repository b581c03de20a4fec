/*
 * The command lines of payctl's database subcommands, see args.h.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


#define WORD_MAX  32           /* of the words that are compared with a
                                  typing mistake */
#define VERBS_MAX  40          /* of one command */


static const pay_cli_option_t *args_find(const pay_cli_option_t *options,
    const char *name);
static int args_unknown(const pay_cli_option_t *options, const char *name);


/* --help is read wherever it stands, unless a mistake stands before it.  A
 * word cannot begin with "-": a payment whose id does is found by another
 * name. */
int
pay_cli_args(int argc, char **argv, const pay_cli_option_t *options,
    const char **words, int max)
{
    int                      i, n;
    const char              *inside;
    const pay_cli_option_t  *option;

    n = 0;
    pay_cli_output = (pay_cli_output_t) { .format = NULL };

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return PAY_CLI_HELP;
        }

        /* A word: an id, a verb, a file. */
        if (argv[i][0] != '-') {
            if (n == max) {
                fprintf(stderr, "payctl: \"%s\" is one word too many\n",
                        argv[i]);
                return PAY_CLI_MISUSE;
            }

            words[n++] = argv[i];
            continue;
        }

        option = args_find(options, argv[i]);

        if (option == NULL) {
            return args_unknown(options, argv[i]);
        }

        if (option->value == NULL) {
            *option->flag = 1;
            continue;
        }

        /* args_find() has accepted "=" for options with a value alone. */
        inside = strchr(argv[i], '=');

        if (inside == NULL && i + 1 == argc) {
            fprintf(stderr, "payctl: %s needs a value\n", argv[i]);
            return PAY_CLI_MISUSE;
        }

        *option->value = inside != NULL ? inside + 1 : argv[++i];
    }

    return n;
}


/* Help that was asked for is a result and goes to stdout; otherwise it is a
 * complaint. */
int
pay_cli_say_usage(int result, const char *usage)
{
    if (result == PAY_CLI_HELP) {
        pay_cli_help(usage);

    } else {
        pay_cli_help_forms(stderr, usage);
    }

    return result == PAY_CLI_HELP ? PAY_CLI_OK : PAY_CLI_USAGE;
}


int
pay_cli_misuse(const char *usage, const char *format, ...)
{
    va_list  args;

    fputs("payctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    pay_cli_help_forms(stderr, usage);

    return PAY_CLI_USAGE;
}


int
pay_cli_hand_over(const char *command, const char *usage,
    const pay_cli_subcommand_t *subcommands, int argc, char **argv)
{
    int          i;
    const char  *verbs[VERBS_MAX + 1] = { NULL };

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0
                      || strcmp(argv[1], "-h") == 0))
    {
        pay_cli_help(usage);
        return PAY_CLI_OK;
    }

    for (i = 0; argc >= 2 && subcommands[i].name != NULL; i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }

    for (i = 0; i < VERBS_MAX && subcommands[i].name != NULL; i++) {
        verbs[i] = subcommands[i].name;
    }

    return pay_cli_no_verb(command, usage, verbs, argc < 2 ? NULL : argv[1]);
}


int
pay_cli_no_verb(const char *command, const char *usage,
    const char *const *verbs, const char *word)
{
    size_t       i;
    unsigned     distance, least = PAY_CLI_FAR;
    const char  *nearest = NULL;

    if (word == NULL) {
        fprintf(stderr, "payctl: %s needs a verb: ", command);

    } else {
        fprintf(stderr, "payctl: %s has no verb \"%s\", but ", command, word);
    }

    for (i = 0; verbs[i] != NULL; i++) {
        fprintf(stderr, "%s%s", i > 0 ? ", " : "", verbs[i]);
        distance = word == NULL ? PAY_CLI_FAR
                                : pay_cli_distance(word, verbs[i]);

        if (distance < least) {
            least = distance;
            nearest = verbs[i];
        }
    }

    if (nearest != NULL) {
        fprintf(stderr, "; did you mean %s?", nearest);
    }

    fputc('\n', stderr);
    pay_cli_help_forms(stderr, usage);

    return PAY_CLI_USAGE;
}


/* One row of the table at a time. */
unsigned
pay_cli_distance(const char *a, const char *b)
{
    unsigned  i, j, cost, before, above, row[WORD_MAX + 1];
    size_t    a_len = strlen(a), b_len = strlen(b);

    if (a_len > WORD_MAX || b_len > WORD_MAX) {
        return PAY_CLI_FAR;
    }

    for (j = 0; j <= b_len; j++) {
        row[j] = j;
    }

    for (i = 1; i <= a_len; i++) {
        before = row[0];
        row[0] = i;

        for (j = 1; j <= b_len; j++) {
            above = row[j];
            cost = before + (a[i - 1] != b[j - 1]);
            cost = (above + 1 < cost) ? above + 1 : cost;
            row[j] = (row[j - 1] + 1 < cost) ? row[j - 1] + 1 : cost;
            before = above;
        }
    }

    return row[b_len] < PAY_CLI_FAR ? row[b_len] : PAY_CLI_FAR;
}


/* The part behind "=" is left out of the comparison and of the message: it may
 * be a secret, such as a password in a DSN. */
static int
args_unknown(const pay_cli_option_t *options, const char *name)
{
    char                     word[WORD_MAX + 1];
    unsigned                 distance, least = PAY_CLI_FAR;
    const pay_cli_option_t  *nearest = NULL;

    snprintf(word, sizeof(word), "%.*s", (int) strcspn(name, "="), name);
    fprintf(stderr, "payctl: unknown option %s", word);

    for ( /* void */ ; options->name != NULL; options++) {
        distance = pay_cli_distance(word, options->name);

        if (distance < least) {
            least = distance;
            nearest = options;
        }
    }

    if (strcmp(word, "--all-cells") == 0 || strcmp(word, "--cell") == 0
        || strcmp(word, "--cells") == 0)
    {
        fputs("; it stands in front of the command", stderr);

    } else if (nearest != NULL) {
        fprintf(stderr, "; did you mean %s?", nearest->name);
    }

    fputc('\n', stderr);

    return PAY_CLI_MISUSE;
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

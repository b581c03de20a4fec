/*
 * payctl, the operator's tool: finds the command and hands over.
 */

#include "cli/args.h"
#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>


static int cli_run(int argc, char **argv);
static int cli_take_pager(int argc, char **argv);
static int cli_is_asked(const pay_cli_command_t *command, int argc,
    char **argv);
static int cli_help(int argc, char **argv);
static int cli_unknown(const char *name);
static int cli_find_verb(const char *name, char verb[PAY_CLI_FORM]);
static void cli_usage(FILE *out);


int
main(int argc, char **argv)
{
    int  code;

    argc = cli_take_pager(argc, argv);
    code = cli_run(argc, argv);
    pay_cli_pager_end();

    return code;
}


/* --no-pager is for all commands, and stands anywhere. */
static int
cli_take_pager(int argc, char **argv)
{
    int  i, n;

    for (i = 0, n = 0; i < argc; i++) {
        if (i > 0 && strcmp(argv[i], "--no-pager") == 0) {
            pay_cli_pager_off();

        } else {
            argv[n++] = argv[i];
        }
    }

    argv[n] = NULL;

    return n;
}


/* The command gets its own name as argv[0], as a program of its own would. */
static int
cli_run(int argc, char **argv)
{
    const char               *name;
    const pay_cli_command_t  *command;

    if (!pay_cli_cells_args(&argc, argv)) {
        return PAY_CLI_USAGE;
    }

    if (argc < 2) {
        cli_usage(stderr);
        return PAY_CLI_USAGE;
    }

    name = argv[1];

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        cli_usage(stdout);
        return PAY_CLI_OK;
    }

    if (strcmp(name, "--version") == 0) {
        puts("payctl " PAY_CLI_VERSION);
        return PAY_CLI_OK;
    }

    if (strcmp(name, "help") == 0) {
        return cli_help(argc, argv);
    }

    command = pay_cli_find_command(name);

    if (command == NULL) {
        return cli_unknown(name);
    }

    if (!cli_is_asked(command, argc - 1, argv + 1)) {
        pay_cli_cells_refuse(name, argc > 2 && argv[2][0] != '-' ? argv[2]
                                                                 : "");
        return PAY_CLI_USAGE;
    }

    return command->run(argc - 1, argv + 1);
}


/* Help is for everybody: a command that connects in spite of it is refused then
 * (cells.c). */
static int
cli_is_asked(const pay_cli_command_t *command, int argc, char **argv)
{
    int  i;

    if (!pay_cli_cells_all() || pay_cli_is_for_cells(command, argc, argv)) {
        return 1;
    }

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return 1;
        }
    }

    return 0;
}


/* payctl help COMMAND ... is payctl COMMAND ... --help. */
static int
cli_help(int argc, char **argv)
{
    int                       i;
    char                      help[] = "--help";
    const pay_cli_command_t  *command;

    if (argc < 3) {
        cli_usage(stdout);
        return PAY_CLI_OK;
    }

    if (strcmp(argv[2], "--man") == 0) {
        return pay_cli_man(stdout);
    }

    command = pay_cli_find_command(argv[2]);
    if (command == NULL) {
        return cli_unknown(argv[2]);
    }

    /* "help" leaves a place free */
    for (i = 1; i + 1 < argc; i++) {
        argv[i] = argv[i + 1];
    }

    argv[argc - 1] = help;

    return command->run(argc - 1, argv + 1);
}


/* Suggests the nearest command, but never runs it: a guess must not act on
 * money. */
static int
cli_unknown(const char *name)
{
    char                      verb[PAY_CLI_FORM];
    unsigned                  distance, least = PAY_CLI_FAR;
    const pay_cli_command_t  *command, *nearest = NULL;

    for (command = pay_cli_commands; command->name != NULL; command++) {
        distance = pay_cli_distance(name, command->name);

        if (distance < least) {
            least = distance;
            nearest = command;
        }
    }

    fprintf(stderr, "payctl: unknown command \"%s\"", name);

    if (nearest != NULL) {
        fprintf(stderr, "; did you mean %s?\n", nearest->name);

    } else if (cli_find_verb(name, verb)) {
        fprintf(stderr, "; did you mean payctl %s?\n", verb);

    } else {
        fputs("; payctl help lists them\n", stderr);
    }

    return PAY_CLI_USAGE;
}


/* "dlq requeue" of "requeue", where one command alone has such a verb: 1. */
static int
cli_find_verb(const char *name, char verb[PAY_CLI_FORM])
{
    int                    found = 0;
    char                   form[PAY_CLI_FORM], *end;
    size_t                 len = strlen(name);
    const char            *usage;
    const pay_cli_page_t  *page;

    for (page = pay_cli_pages; page->name != NULL; page++) {
        usage = page->usage;

        while (pay_cli_next_form(&usage, form)) {
            end = strchr(form, ' ');

            if (end == NULL || strncmp(end + 1, name, len) != 0
                || (end[len + 1] != ' ' && end[len + 1] != '\0'))
            {
                continue;
            }

            end[len + 1] = '\0';

            if (found && strcmp(form, verb) != 0) {
                return 0;
            }

            memcpy(verb, form, PAY_CLI_FORM);
            found = 1;
        }
    }

    return found;
}


static void
cli_usage(FILE *out)
{
    const pay_cli_command_t  *command;

    fputs("usage: payctl [--all-cells | --cell NAME] [--cells FILE] <command>"
          " [options]\n"
          "       payctl help [<command>] | --help | --version\n\n", out);

    for (command = pay_cli_commands; command->name != NULL; command++) {
        fprintf(out, "  %-11s %s\n", command->name, command->help);
    }

    fputs("\nLists take -o json or -o csv.  A table that is longer than the\n"
          "terminal goes to $PAYCTL_PAGER, $PAGER or less, except with\n"
          "--no-pager.\n"
          "\n--all-cells asks each database of a gateway with cells and prints"
          " one answer,\n--cell NAME asks one of them.  The file has lines of"
          " NAME CONNINFO: FILE, else\n$PAYCTL_CELLS, else "
          PAY_CLI_CELLS_FILE ".\n"
          "\npayctl help <command> shows its options and examples, payctl help"
          " --man\nthe whole manual.\n", out);
}

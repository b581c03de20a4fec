/*
 * payctl, the operator's tool: finds the subcommand and hands over.  One more
 * subcommand is one file, one prototype in cli.h and one row here.
 */

#include "cli/args.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>


typedef struct {
    /* The command's word, its function, and its line in payctl help. */
    const char  *name;
    int        (*run)(int argc, char **argv);
    const char  *help;
} cli_command_t;


static const cli_command_t *cli_find(const char *name);
static int cli_help(int argc, char **argv);
static int cli_unknown(const char *name);
static void cli_usage(FILE *out);


/* In alphabetical order, as payctl help prints them. */
static const cli_command_t  commands[] = {
    { "audit", pay_cli_audit,
      "export, verify and cut the signed event log, make its keys" },
    { "backfill", pay_cli_backfill,
      "print how far the PSPs' lists of events have been looked at" },
    { "change", pay_cli_change,
      "list, show or settle captures, cancellations and refunds" },
    { "check", pay_cli_check,
      "compare orders, ledger, wallets, log and outbox" },
    { "close", pay_cli_close,
      "close days, show them, verify their documents" },
    { "dlq", pay_cli_dlq,
      "list, show, requeue, accept or resolve dead letters" },
    { "events", pay_cli_events,
      "list or follow events, their endpoints and deliveries; replay" },
    { "explain", pay_cli_explain,
      "print how a payment stands and what comes next" },
    { "find", pay_cli_find,
      "print what an id, token, reference or key belongs to" },
    { "jwt", pay_cli_jwt,
      "verify: judge a bearer token, and say why it is refused" },
    { "migrate", pay_cli_migrate,
      "bring the database's schema up to date" },
    { "mismatch", pay_cli_mismatch,
      "list, show or settle what was not believed" },
    { "ops", pay_cli_ops,
      "print the tables that SQL must agree with" },
    { "payout", pay_cli_payout,
      "list, hold, release, make and approve pay-outs to sellers" },
    { "retention", pay_cli_retention,
      "show the classes of data that end, and end rows old enough" },
    { "risk", pay_cli_risk,
      "keep the lists of risk, print decisions" },
    { "route", pay_cli_route,
      "replay: where checkouts would have begun by another route" },
    { "settlement", pay_cli_settlement,
      "import files of PSPs and banks, and settle what they differ in" },
    { "timeline", pay_cli_timeline,
      "print what happened to a payment" },
    { "webhook", pay_cli_webhook,
      "verify a signature; show or replay one; quarantine: the refused" },
    { NULL, NULL, NULL }
};


/* The command gets its own name as argv[0], as a program of its own would. */
int
main(int argc, char **argv)
{
    const char           *name;
    const cli_command_t  *command;

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

    command = cli_find(name);

    return (command != NULL) ? command->run(argc - 1, argv + 1)
                             : cli_unknown(name);
}


static const cli_command_t *
cli_find(const char *name)
{
    const cli_command_t  *command;

    for (command = commands; command->name != NULL; command++) {
        if (strcmp(name, command->name) == 0) {
            return command;
        }
    }

    return NULL;
}


/* payctl help COMMAND is payctl COMMAND --help. */
static int
cli_help(int argc, char **argv)
{
    char                 *words[3];
    char                  help[] = "--help";
    const cli_command_t  *command;

    if (argc < 3) {
        cli_usage(stdout);
        return PAY_CLI_OK;
    }

    command = cli_find(argv[2]);
    if (command == NULL) {
        return cli_unknown(argv[2]);
    }

    words[0] = argv[2];
    words[1] = help;
    words[2] = NULL;

    return command->run(2, words);
}


/* Suggests the nearest command, but never runs it: a guess must not act on
 * money. */
static int
cli_unknown(const char *name)
{
    unsigned              distance, least = PAY_CLI_FAR;
    const cli_command_t  *command, *nearest = NULL;

    for (command = commands; command->name != NULL; command++) {
        distance = pay_cli_distance(name, command->name);

        if (distance < least) {
            least = distance;
            nearest = command;
        }
    }

    fprintf(stderr, "payctl: no such command as \"%s\"", name);

    if (nearest != NULL) {
        fprintf(stderr, ", did you mean %s?\n", nearest->name);

    } else {
        fputs(", see payctl help\n", stderr);
    }

    return PAY_CLI_USAGE;
}


static void
cli_usage(FILE *out)
{
    const cli_command_t  *command;

    fputs("usage: payctl <command> [options]\n"
          "       payctl help [<command>] | --help | --version\n\n", out);

    for (command = commands; command->name != NULL; command++) {
        fprintf(out, "  %-11s %s\n", command->name, command->help);
    }

    fputs("\npayctl <command> --help tells more.\n", out);
}

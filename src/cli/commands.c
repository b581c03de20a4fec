/*
 * payctl's commands.  One more command is one file, one prototype in cli.h, one
 * row here, and a page with examples in help.c.  The row says which verbs
 * --all-cells may ask: those that read only, and have one answer for all.
 */

#include "cli/cli.h"

#include <stddef.h>
#include <string.h>


/* In alphabetical order, as payctl help prints them. */
const pay_cli_command_t  pay_cli_commands[] = {
    { "audit", pay_cli_audit,
      "export, verify and cut the signed event log, make its keys",
      "root" },
    { "backfill", pay_cli_backfill,
      "print how far the PSPs' lists of events have been looked at", "" },
    { "capacity", pay_cli_capacity,
      "print the disk, cores and connections that a rate of payments takes",
      NULL },
    { "change", pay_cli_change,
      "list, show or settle captures, cancellations and refunds", "list" },
    { "check", pay_cli_check,
      "compare orders, ledger, wallets, log and outbox", "" },
    { "close", pay_cli_close,
      "close days, show them, verify their documents", NULL },
    { "completion", pay_cli_completion,
      "print the completion of this program for bash or zsh", NULL },
    { "dispute", pay_cli_dispute,
      "list disputes, or end one whose PSP does not tell its end", "list" },
    { "dlq", pay_cli_dlq,
      "list, show, requeue, accept or resolve dead letters", "list" },
    { "doctor", pay_cli_doctor,
      "check the installation, and say how to mend it", NULL },
    { "events", pay_cli_events,
      "list or follow events, their endpoints and deliveries; replay",
      "list|endpoints|deliveries|lag" },
    { "explain", pay_cli_explain,
      "print how a payment stands and what comes next", NULL },
    { "find", pay_cli_find,
      "print what an id, token, reference or key belongs to", "" },
    { "init", pay_cli_init,
      "make database, roles, access and keys; print what is left", NULL },
    { "jwt", pay_cli_jwt,
      "verify: judge a bearer token, and say why it is refused", NULL },
    { "merchant", pay_cli_merchant,
      "move a merchant to another cell, show how it stands", "list" },
    { "migrate", pay_cli_migrate,
      "bring the database's schema up to date", NULL },
    { "mismatch", pay_cli_mismatch,
      "list, show or settle what was not believed", "list" },
    { "ops", pay_cli_ops,
      "print the tables that SQL must agree with", NULL },
    { "payout", pay_cli_payout,
      "list, hold, release, make and approve pay-outs to sellers",
      "list|accounts|batches|commissions|schedules|runs|holidays|file list"
      "|screening lists|screening held|screening waiting" },
    { "proof", pay_cli_proof,
      "make, or verify without a database, the signed proof of an order",
      NULL },
    { "recover", pay_cli_recover,
      "find at the PSPs what a restored database does not know", NULL },
    { "report", pay_cli_report,
      "days, PSPs, sellers and fees of a time, for finance",
      "day|psp|seller|fees" },
    { "retention", pay_cli_retention,
      "show the classes of data that end, and end rows old enough",
      "show" },
    { "risk", pay_cli_risk,
      "keep the lists of risk, print decisions",
      "list|decisions|modes|model list|review list|review captures" },
    { "route", pay_cli_route,
      "replay: where checkouts would have begun by another route", NULL },
    { "settlement", pay_cli_settlement,
      "import files of PSPs and banks, and settle what they differ in",
      "list|files|ageing|balances" },
    { "timeline", pay_cli_timeline,
      "print what happened to a payment", NULL },
    { "webhook", pay_cli_webhook,
      "verify a signature; show or replay one; quarantine: the refused",
      "quarantine" },
    { NULL, NULL, NULL, NULL }
};


const pay_cli_command_t *
pay_cli_find_command(const char *name)
{
    const pay_cli_command_t  *command;

    for (command = pay_cli_commands; command->name != NULL; command++) {
        if (strcmp(name, command->name) == 0) {
            return command;
        }
    }

    return NULL;
}


/* A verb may have two words, "file list". */
int
pay_cli_is_for_cells(const pay_cli_command_t *command, int argc, char **argv)
{
    int          i;
    size_t       len;
    const char  *verb = command->all_cells, *word;

    if (verb == NULL || *verb == '\0') {
        return verb != NULL;
    }

    for ( /* void */ ; *verb != '\0'; verb += strspn(verb, "|")) {

        for (i = 1, word = verb; *word != '\0' && *word != '|'; i++) {
            len = strcspn(word, " |");

            if (i >= argc || strlen(argv[i]) != len
                || strncmp(argv[i], word, len) != 0)
            {
                break;
            }

            word += len + (word[len] == ' ');
        }

        if (*word == '\0' || *word == '|') {
            return 1;
        }

        verb += strcspn(verb, "|");
    }

    return 0;
}

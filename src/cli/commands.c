/*
 * payctl's commands.  One more command is one file, one prototype in cli.h, one
 * row here, and a page with examples in help.c.
 */

#include "cli/cli.h"

#include <stddef.h>
#include <string.h>


/* In alphabetical order, as payctl help prints them. */
const pay_cli_command_t  pay_cli_commands[] = {
    { "audit", pay_cli_audit,
      "export, verify and cut the signed event log, make its keys" },
    { "backfill", pay_cli_backfill,
      "print how far the PSPs' lists of events have been looked at" },
    { "capacity", pay_cli_capacity,
      "print the disk, cores and connections that a rate of payments takes" },
    { "change", pay_cli_change,
      "list, show or settle captures, cancellations and refunds" },
    { "check", pay_cli_check,
      "compare orders, ledger, wallets, log and outbox" },
    { "close", pay_cli_close,
      "close days, show them, verify their documents" },
    { "completion", pay_cli_completion,
      "print the completion of this program for bash or zsh" },
    { "dlq", pay_cli_dlq,
      "list, show, requeue, accept or resolve dead letters" },
    { "doctor", pay_cli_doctor,
      "check the installation, and say how to mend it" },
    { "events", pay_cli_events,
      "list or follow events, their endpoints and deliveries; replay" },
    { "explain", pay_cli_explain,
      "print how a payment stands and what comes next" },
    { "find", pay_cli_find,
      "print what an id, token, reference or key belongs to" },
    { "init", pay_cli_init,
      "make database, roles, access and keys; print what is left" },
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
    { "proof", pay_cli_proof,
      "make, or verify without a database, the signed proof of an order" },
    { "recover", pay_cli_recover,
      "find at the PSPs what a restored database does not know" },
    { "report", pay_cli_report,
      "days, PSPs, sellers and fees of a time, for finance" },
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

/*
 * payctl audit: the signed event log.  Hands over to the file of the
 * subcommand, see audit.h.
 */

#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/help.h"

#include <stddef.h>


const char  pay_cli_audit_usage[] =
    "usage: payctl audit export [--dsn DSN] [--since DATE] [--until DATE]"
    " > FILE\n"
    "       payctl audit verify --key PUBLIC.pem ... [--roots FILE] ..."
    " [--part]\n"
    "                           FILE | -\n"
    "       payctl audit status [--dsn DSN]\n"
    "       payctl audit drop-month [--dsn DSN] [--keep TIME] YYYY-MM\n"
    "                               --who NAME --why REASON\n"
    "       payctl audit root [--day DATE] --key PRIVATE.pem --dir DIR\n"
    "       payctl audit verify-root --key PUBLIC.pem ... [--seals"
    " NAME=FILE] ... FILE\n"
    "       payctl audit keygen PRIVATE.pem\n"
    "       payctl audit pubkey PRIVATE.pem\n"
    "\n"
    "The event log is chained per order, and the newest event of each order is"
    "\nsealed with an Ed25519 signature.  verify needs no database.  payctl"
    " audit\n<subcommand> --help tells more.\n";

static const pay_cli_subcommand_t  subcommands[] = {
    { "drop-month", pay_cli_audit_drop },
    { "export", pay_cli_audit_export },
    { "keygen", pay_cli_audit_keygen },
    { "pubkey", pay_cli_audit_pubkey },
    { "root", pay_cli_audit_root },
    { "status", pay_cli_audit_status },
    { "verify", pay_cli_audit_verify },
    { "verify-root", pay_cli_audit_verify_root },
    { NULL, NULL }
};


/* Options of the subcommands differ too much for one table; each reads its
 * own. */
int
pay_cli_audit(int argc, char **argv)
{
    return pay_cli_hand_over("audit", pay_cli_audit_usage, subcommands, argc,
                             argv);
}

/*
 * payctl webhook: hands over to verify (webhook_verify.c), quarantine
 * (quarantine.c), show (webhook_show.c) or replay (webhook_replay.c).
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/webhook.h"


const char  pay_cli_webhook_usage[] =
    "usage: payctl webhook verify --scheme NAME ... < body\n"
    "       payctl webhook quarantine [--dsn DSN] [--psp NAME] [--limit N]\n"
    "                                 [-o json|csv]\n"
    "       payctl webhook show [--dsn DSN] [-o json] PSP EVENT_ID\n"
    "       payctl webhook replay [--dsn DSN] PSP EVENT_ID --who NAME"
    " --why REASON\n"
    "\n"
    "verify judges one webhook's signature; quarantine lists those that the\n"
    "gateway has refused; show prints one that it has verified; replay has\n"
    "the gateway read the kept body of that one again.\n"
    "payctl webhook verify --help tells more.\n";

static const pay_cli_subcommand_t  subcommands[] = {
    { "quarantine", pay_cli_webhook_quarantine },
    { "replay", pay_cli_webhook_replay },
    { "show", pay_cli_webhook_show },
    { "verify", pay_cli_webhook_verify },
    { NULL, NULL }
};


int
pay_cli_webhook(int argc, char **argv)
{
    return pay_cli_hand_over("webhook", pay_cli_webhook_usage, subcommands,
                             argc, argv);
}

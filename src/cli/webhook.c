/*
 * payctl webhook: hands over to verify (webhook_verify.c), quarantine
 * (quarantine.c), show (webhook_show.c) or replay (webhook_replay.c).
 */

#include "cli/cli.h"
#include "cli/webhook.h"

#include <stdio.h>
#include <string.h>


static const char  webhook_usage[] =
    "usage: payctl webhook verify --scheme NAME ... < body\n"
    "       payctl webhook quarantine [--dsn DSN] [--psp NAME] [--limit N]\n"
    "       payctl webhook show [--dsn DSN] PSP EVENT_ID\n"
    "       payctl webhook replay [--dsn DSN] PSP EVENT_ID --who NAME"
    " --why REASON\n"
    "\n"
    "verify judges one webhook's signature; quarantine lists those that the\n"
    "gateway has refused; show prints one that it has verified; replay has\n"
    "the gateway read the kept body of that one again.\n"
    "payctl webhook verify --help tells more.\n";


int
pay_cli_webhook(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "verify") == 0) {
        return pay_cli_webhook_verify(argc - 1, argv + 1);
    }

    if (argc >= 2 && strcmp(argv[1], "quarantine") == 0) {
        return pay_cli_webhook_quarantine(argc - 1, argv + 1);
    }

    if (argc >= 2 && strcmp(argv[1], "show") == 0) {
        return pay_cli_webhook_show(argc - 1, argv + 1);
    }

    if (argc >= 2 && strcmp(argv[1], "replay") == 0) {
        return pay_cli_webhook_replay(argc - 1, argv + 1);
    }

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0
                      || strcmp(argv[1], "-h") == 0))
    {
        fputs(webhook_usage, stdout);
        return PAY_CLI_OK;
    }

    fputs(webhook_usage, stderr);

    return PAY_CLI_USAGE;
}

/*
 * payctl webhook replay: requests that the gateway read the kept body of a
 * webhook again.  A worker does it; payctl webhook show prints the result.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/webhook.h"

#include <string.h>


const char  pay_cli_webhook_replay_usage[] =
    "usage: payctl webhook replay [--dsn DSN] PSP EVENT_ID --who NAME"
    " --why REASON\n"
    "Has the gateway read the kept body of a verified webhook again and send\n"
    "its events the way of a webhook.  What was applied is not applied again;\n"
    "what was stored without effect (state ignored) is.  A worker does it\n"
    "within seconds where payments_jobs is on; payctl webhook show prints the\n"
    "outcome.  Who and why stay in pay_view.webhook_replays.\n"
    "Needs the role payments_operator.\n";

static const pay_cli_refusal_t  refusals[] = {
    { "open", "a request to read this body again is under way, see payctl"
      " webhook show" },
    { "not_kept", "its body is not kept (payments_webhook_bodies); the PSP's"
      " dashboard can send it again" },
    { "card_number", "its body is not kept, since it holds a card number" },
    { "too_large", "its body is not kept, since it was too large" },
    { "not_found", "no such webhook" },
    { "invalid", "--who and --why take 1 to 200 bytes each" },
    { NULL, NULL }
};

static const pay_cli_act_t  act = {
    "webhook replay", "SELECT pay_ops.replay_webhook($1, $2, $3, $4)", 4,
    "requested", refusals
};

static const pay_cli_verbs_t  verbs = {
    "webhook", pay_cli_webhook_replay_usage, NULL, NULL, 0
};


int
pay_cli_webhook_replay(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[4] = { NULL, NULL, NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--who", &values[2], NULL },
        { "--why", &values[3], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 2);

    if (words != 2) {
        return pay_cli_say_usage(words < 0 ? words : PAY_CLI_MISUSE,
                                 pay_cli_webhook_replay_usage);
    }

    return pay_cli_says_who(&verbs, values[2], values[3])
           ? pay_cli_act(&act, dsn, values) : PAY_CLI_USAGE;
}

/*
 * payctl payout release, hold, cancel, make, batch, approve, withdraw, decide,
 * stop: acts of operators on pay-outs, with name and reason.  All call pay_ops,
 * which takes payments_operator and holds every rule.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/payout.h"
#include "cli/table.h"

#include <stddef.h>
#include <string.h>


/* An act on one row, and whether it takes --merchant: ids of orders are unique
 * without it, and a typing mistake in a merchant is still seen. */
typedef struct {
    const char     *verb;
    int             of_merchant;
    pay_cli_act_t   act;
} payout_act_t;

static const pay_cli_refusal_t  refusals[] = {
    { "paid_out", "a pay-out has its money already" },
    { "no_way", "not from its state, see payctl payout show" },
    { "closed", "that batch is expired, withdrawn or approved" },
    { "second", "another person is needed" },
    { "maker", "who made the batch or an item of it does not approve it, and"
      " decides about none" },
    { "busy", "a call is under way, try again in a minute" },
    { "other_ref", "paid takes the provider's reference, and not another one"
      " than payctl payout show has" },
    { "entered", "who entered an account of it does not approve it" },
    { "other_hash", "that is not its digest, see payctl payout batches" },
    { "again", "the same approver counts once" },
    { "changed", "one of its items is not ready any more" },
    { "not_found", "no such order, pay-out, batch or provider" },
    { "invalid", "--who and --why take 1 to 200 bytes each" },
    { NULL, NULL }
};

#define ITEM(call)                                                            \
    "SELECT " call " FROM pay.payout p WHERE p.payout_id = $1"

static const payout_act_t  acts[] = {
    { "release", 1,
      { "payout release", "SELECT pay_ops.release_order($4, $1, $2, $3)", 4,
        "released", refusals } },
    { "unrelease", 1,
      { "payout unrelease", "SELECT pay_ops.unrelease_order($4, $1, $2, $3)",
        4, "unreleased", refusals } },
    { "hold", 0,
      { "payout hold", ITEM("pay_ops.hold_payout(p.merchant_id, p.payout_id,"
        " true, $2, $3)"), 3, "held", refusals } },
    { "unhold", 0,
      { "payout unhold", ITEM("pay_ops.hold_payout(p.merchant_id,"
        " p.payout_id, false, $2, $3)"), 3, "ready", refusals } },
    { "cancel", 0,
      { "payout cancel", ITEM("pay_ops.cancel_payout(p.merchant_id,"
        " p.payout_id, $2, $3)"), 3, "cancelled", refusals } },
    { "withdraw", 0,
      { "payout withdraw", "SELECT pay_ops.withdraw_payout_batch("
        "b.merchant_id, b.batch_id, $2, $3) FROM pay.payout_batch b"
        " WHERE b.batch_id = $1", 3, "withdrawn", refusals } },
    { "stop", 1,
      { "payout stop", "SELECT pay_ops.stop_payout_provider($4, $1, true, $2,"
        " $3)", 4, "stopped", refusals } },
    { "start", 1,
      { "payout start", "SELECT pay_ops.stop_payout_provider($4, $1, false,"
        " $2, $3)", 4, "started", refusals } }
};

static const pay_cli_act_t  approve_act = {
    "payout approve", "SELECT pay_ops.approve_payout_batch(b.merchant_id,"
    " b.batch_id, $2, $3) FROM pay.payout_batch b WHERE b.batch_id = $1", 3,
    "approved", refusals
};

#define DECIDE                                                                \
    ITEM("pay_ops.decide_payout(p.merchant_id, p.payout_id, $4, $5, $2, $3)")

static const pay_cli_act_t  paid_act = {
    "payout decide", DECIDE, 5, "paid", refusals
};

static const pay_cli_act_t  failed_act = {
    "payout decide", DECIDE, 5, "failed", refusals
};

static const pay_cli_act_t  returned_act = {
    "payout decide", DECIDE, 5, "returned", refusals
};

static const pay_cli_refusal_t  make_refusals[] = {
    { "nothing", "no money may be paid out, or no item is ready" },
    { "hold", "the seller is held" },
    { "no_destination", "the seller has no account in that currency" },
    { "suspect", "an operator has to look at the account" },
    { "blocked", "the account is blocked" },
    { "cooling_off", "the account was changed a short time ago" },
    { "minimum", "it is less than the merchant pays out in that currency" },
    { "not_found", "no such seller, or no money of it yet" },
    { "invalid", "--who takes 1 to 200 bytes" },
    { NULL, NULL }
};

static const pay_cli_act_list_t  make_act = {
    { "payout make",
    "SELECT m.outcome, coalesce(m.currency, '') AS currency,"
    " coalesce(round(m.amount_minor / 10::numeric ^ k.exponent,"
    " k.exponent)::text, '') AS amount, coalesce(m.payout_id, '') AS id"
    " FROM pay_ops.make_payouts($1, $2, NULL, $3) m"
    " LEFT JOIN pay.currency k ON k.code = m.currency",
    3, "nothing", PAY_CLI_NO, NULL, NULL, NULL }, "made", make_refusals
};

static const pay_cli_act_list_t  batch_act = {
    { "payout batch",
    "SELECT b.outcome, coalesce(b.batch_id, '') AS id,"
    " coalesce(b.item_count::text, '') AS items,"
    " coalesce(round(b.total_minor / 10::numeric ^ k.exponent,"
    " k.exponent)::text, '') AS amount, coalesce(b.hash, '') AS hash"
    " FROM pay_ops.make_payout_batch($1, $2, $3, 10000, $4) b"
    " LEFT JOIN pay.currency k ON k.code = $3",
    4, "nothing", PAY_CLI_NO, NULL, NULL, NULL }, "made", make_refusals
};


/* The verb is argv[0], and one of the table. */
int
pay_cli_payout_act(int argc, char **argv)
{
    int                  words;
    const char          *dsn = NULL, *values[4] = { NULL };
    const payout_act_t  *act = acts;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--who", &values[1], NULL },
        { "--why", &values[2], NULL },
        { "--merchant", &values[3], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    while (strcmp(act->verb, argv[0]) != 0) {
        act++;
    }

    if (words == 0 || values[1] == NULL || values[2] == NULL) {
        return pay_cli_misuse(pay_cli_payout_usage, "%s takes one ID, --who"
                              " and --why", act->verb);
    }

    if ((values[3] != NULL) != act->of_merchant) {
        return pay_cli_misuse(pay_cli_payout_usage, "--merchant goes with"
                              " release, unrelease, stop and start, and these"
                              " take it");
    }

    return pay_cli_act(&act->act, dsn, values);
}


int
pay_cli_payout_approve(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[3] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--hash", &values[1], NULL },
        { "--who", &values[2], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    return words == 1 && values[1] != NULL && values[2] != NULL
           ? pay_cli_act(&approve_act, dsn, values)
           : pay_cli_misuse(pay_cli_payout_usage, "approve takes a BATCH,"
                            " --hash and --who");
}


int
pay_cli_payout_decide(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[5] = { NULL };

    const pay_cli_act_t     *act = NULL;
    const pay_cli_option_t   options[] = {
        { "--dsn", &dsn, NULL },
        { "--who", &values[1], NULL },
        { "--why", &values[2], NULL },
        { "--as", &values[3], NULL },
        { "--ref", &values[4], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    if (values[3] != NULL) {
        act = strcmp(values[3], "paid") == 0 ? &paid_act
              : strcmp(values[3], "failed") == 0 ? &failed_act
              : strcmp(values[3], "returned") == 0 ? &returned_act : NULL;
    }

    if (words == 0 || values[1] == NULL || values[2] == NULL || act == NULL
        || (values[4] != NULL && act != &paid_act))
    {
        return pay_cli_misuse(pay_cli_payout_usage, "decide takes an ID, --as"
                              " paid with the provider's --ref, --as failed or"
                              " --as returned, --who and --why");
    }

    return pay_cli_act(act, dsn, values);
}


int
pay_cli_payout_batch(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[4] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[0], NULL },
        { "--provider", &values[1], NULL },
        { "--currency", &values[2], NULL },
        { "--who", &values[3], NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    return values[0] != NULL && values[1] != NULL && values[2] != NULL
               && values[3] != NULL
           ? pay_cli_act_list(&batch_act, dsn, values)
           : pay_cli_misuse(pay_cli_payout_usage, "batch takes --merchant,"
                            " --provider, --currency and --who");
}


int
pay_cli_payout_make(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[3] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[0], NULL },
        { "--who", &values[2], NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, &values[1], 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    return words == 1 && values[0] != NULL && values[2] != NULL
           ? pay_cli_act_list(&make_act, dsn, values)
           : pay_cli_misuse(pay_cli_payout_usage, "make takes a SELLER,"
                            " --merchant and --who");
}

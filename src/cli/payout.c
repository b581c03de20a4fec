/*
 * payctl payout: pay-outs to sellers.  list, show, accounts and batches read
 * pay_view (payments_auditor may); the acts of operators stand in
 * payout_act.c, schedules in payout_schedule.c, commissions in
 * payout_commission.c.  It sends nothing to a provider.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/payout.h"
#include "cli/payout_file.h"
#include "cli/table.h"

#include <stddef.h>


#define AT  PAY_CLI_AT

static int payout_list(int argc, char **argv);
static int payout_accounts(int argc, char **argv);
static int payout_batches(int argc, char **argv);
static int payout_show(int argc, char **argv);


const char  pay_cli_payout_usage[] =
    "usage: payctl payout list [--dsn DSN] [--merchant ID] [--state STATE]"
    " [--all]\n"
    "       payctl payout accounts|batches [--dsn DSN] [--merchant ID]"
    " [-o json|csv]\n"
    "       payctl payout show [--dsn DSN] [-o json] ID\n"
    "       payctl payout advice [--dsn DSN] ID [-o json|csv]\n"
    "       payctl payout release|unrelease [--dsn DSN] ORDER --merchant ID\n"
    "                                       --who NAME --why REASON\n"
    "       payctl payout make [--dsn DSN] SELLER --merchant ID --who NAME\n"
    "       payctl payout hold|unhold|cancel [--dsn DSN] ID"
    " --who NAME --why REASON\n"
    "       payctl payout batch [--dsn DSN] --merchant ID --provider NAME\n"
    "                           --currency CODE --who NAME\n"
    "       payctl payout approve [--dsn DSN] BATCH --hash DIGEST"
    " --who NAME\n"
    "       payctl payout withdraw [--dsn DSN] BATCH --who NAME"
    " --why REASON\n"
    "       payctl payout decide [--dsn DSN] ID --as paid [--ref REFERENCE]\n"
    "                            --who NAME --why REASON\n"
    "       payctl payout decide [--dsn DSN] ID --as failed|returned\n"
    "                            --who NAME --why REASON\n"
    "       payctl payout screening import|lists|set|held|waiting|clear|reject"
    " ...\n"
    "       payctl payout file write|read|list ...\n"
    "       payctl payout commissions [--dsn DSN] [--merchant ID]"
    " [-o json|csv]\n"
    "       payctl payout commission [--dsn DSN] --merchant ID"
    " [--seller ACCOUNT]\n"
    "                                [--method NAME] [--psp NAME]"
    " --currency CODE\n"
    "                                --percent SHARE|none [--fixed MINOR]\n"
    "                                [--minimum MINOR] [--maximum MINOR]\n"
    "                                [--from TIME] --who NAME --why REASON\n"
    "       payctl payout stop|start [--dsn DSN] PROVIDER --merchant ID\n"
    "                                --who NAME --why REASON\n"
    "       payctl payout schedules|runs [--dsn DSN] [--merchant ID]"
    " [-o json|csv]\n"
    "       payctl payout schedule [--dsn DSN] --merchant ID"
    " [--seller ACCOUNT]\n"
    "                              --every day|week|month|demand|none"
    " [--on DAY]\n"
    "                              [--at HH:MM] [--zone NAME]"
    " [--calendar NAME]\n"
    "                              [--batch ITEMS] --who NAME"
    " --why REASON\n"
    "       payctl payout holidays [--dsn DSN] CALENDAR [-o json|csv]\n"
    "       payctl payout calendar [--dsn DSN] CALENDAR --closed DAYS|none\n"
    "                              --who NAME --why REASON\n"
    "       payctl payout holiday [--dsn DSN] CALENDAR DAY"
    " --name NAME|--remove\n"
    "                             --who NAME --why REASON\n"
    "\n"
    "advice prints what a pay-out consists of, its newest 1000 lines; as CSV\n"
    "all lines.\n"
    "release says that an order is delivered.  make pays all orders of a\n"
    "seller that may be paid out, one item for each currency, and says why\n"
    "there is none.  batch puts items that are ready together; approve names\n"
    "the digest of the batch, which batches shows, and takes another operator\n"
    "than the one who made the batch, an item of it or an account of it.\n"
    "decide ends a pay-out that no provider answers about, or says that one\n"
    "has come back whose money had left, by the word of two operators: the\n"
    "first asks, and the second says the same.\n"
    "stop ends all sends to a provider, repeats, too, until start.\n"
    "commission adds a row to the schedule of the fees that a merchant keeps:\n"
    "about one seller, payment method and PSP, or all; none ends such a row.\n"
    "MINOR is an amount in minor units, 30 for 0.30 EUR; without --from the\n"
    "row counts from now on.\n"
    "schedule says when workers make the items of a merchant or of a seller;\n"
    "none removes it.  --on is a day of the week, from 1, Monday, to 7, or of\n"
    "the month; --at is the cut-off, at the clock of --zone.\n";

static const pay_cli_filter_t  filters[] = {
    { 0, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_filter_t  list_filters[] = {
    { 0, PAY_CLI_MERCHANT },
    { 1, "draft|held|ready|approved|sending|sent|paid|settled|returned|failed|"
         "cancelled|unknown", "state", "" },
    PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "payout list",
    "SELECT p.payout_id AS id, p.state, p.seller_account AS seller,"
    " p.amount, p.currency, p.provider, p.account, p.lines,"
    " coalesce(p.batch_id, '') AS batch, coalesce(p.reason, '') AS reason,"
    " " AT("p.created_at") " AS at"
    " FROM pay_view.payouts p"
    " WHERE p.merchant_id = coalesce($1, p.merchant_id)"
    " AND p.state = coalesce($2, p.state)"
    " AND ($3::boolean OR $2 IS NOT NULL OR p.state NOT IN ('paid',"
    " 'settled', 'returned', 'failed', 'cancelled'))"
    " ORDER BY p.created_at, p.payout_id",
    3, "no pay-outs", PAY_CLI_OK, list_filters,
    "at", NULL
};

static const pay_cli_list_t  accounts_query = {
    "payout accounts",
    "SELECT a.destination_id AS id, a.seller_account AS seller, a.currency,"
    " a.state, a.provider, a.account, a.version, a.returns, a.entered_by,"
    " " AT("a.usable_from") " AS usable_from"
    " FROM pay_view.payout_accounts a"
    " WHERE a.merchant_id = coalesce($1, a.merchant_id)"
    " ORDER BY a.seller_account, a.currency, a.entered_at",
    1, "no accounts", PAY_CLI_OK, filters,
    "seller, currency", NULL
};

static const pay_cli_list_t  batches_query = {
    "payout batches",
    "SELECT b.batch_id AS id, b.state, b.items, b.amount, b.currency,"
    " b.provider, b.made_by, coalesce(b.approvers, '') AS approvers,"
    " coalesce(" AT("b.until") ", '') AS until, b.hash"
    " FROM pay_view.payout_batches b"
    " WHERE b.merchant_id = coalesce($1, b.merchant_id)"
    " ORDER BY b.made_at, b.batch_id",
    1, "no batches", PAY_CLI_OK, filters, NULL, NULL
};

static const char  show_sql[] =
    "SELECT p.payout_id AS id, p.state, p.reason, p.merchant_id AS merchant,"
    " p.seller_account AS seller, concat_ws(' ', p.amount, p.currency) AS"
    " amount, p.provider, p.account, p.destination_version AS version,"
    " p.provider_key, p.provider_ref, p.proof, p.batch_id AS batch,"
    " p.made_by, " AT("p.created_at") " AS at,"
    " " AT("p.changed_at") " AS changed_at"
    " FROM pay_view.payouts p WHERE p.payout_id = $1";

/* The lines with the orders that they belong to, and all that was done. */
static const pay_cli_part_t  parts[] = {
    { "lines",
      "SELECT l.wallet_seq AS line, " AT("l.at") " AS at, l.kind,"
      " coalesce(l.payment_order_id, '') AS \"order\","
      " round(l.amount_minor / 10::numeric ^ k.exponent, k.exponent)"
      " AS amount, l.currency"
      " FROM pay.payout_part t JOIN pay.payout_line l"
      " ON l.merchant_id = t.merchant_id"
      " AND l.seller_account = t.seller_account"
      " AND l.currency = t.currency AND l.wallet_seq = t.wallet_seq"
      " JOIN pay.currency k ON k.code = l.currency"
      " WHERE t.payout_id = $1 ORDER BY l.wallet_seq" },
    { "acts",
      "SELECT " AT("a.at") " AS at, a.act, a.who, coalesce(a.why, '') AS why,"
      " a.detail FROM pay_view.payout_acts a"
      " WHERE a.subject = 'payout' AND a.subject_id = $1"
      " ORDER BY a.act_id" },
    { NULL, NULL }
};

static const pay_cli_show_t  show = {
    "payout show", show_sql, "no such pay-out", parts
};

static const pay_cli_subcommand_t  subcommands[] = {
    { "accounts", payout_accounts },
    { "advice", pay_cli_payout_advice },
    { "approve", pay_cli_payout_approve },
    { "batch", pay_cli_payout_batch },
    { "batches", payout_batches },
    { "calendar", pay_cli_payout_calendar },
    { "cancel", pay_cli_payout_act },
    { "commission", pay_cli_payout_commission },
    { "commissions", pay_cli_payout_commissions },
    { "decide", pay_cli_payout_decide },
    { "file", pay_cli_payout_file },
    { "hold", pay_cli_payout_act },
    { "holiday", pay_cli_payout_holiday },
    { "holidays", pay_cli_payout_holidays },
    { "list", payout_list },
    { "make", pay_cli_payout_make },
    { "release", pay_cli_payout_act },
    { "runs", pay_cli_payout_runs },
    { "schedule", pay_cli_payout_schedule },
    { "schedules", pay_cli_payout_schedules },
    { "screening", pay_cli_payout_screening },
    { "show", payout_show },
    { "start", pay_cli_payout_act },
    { "stop", pay_cli_payout_act },
    { "unhold", pay_cli_payout_act },
    { "unrelease", pay_cli_payout_act },
    { "withdraw", pay_cli_payout_act },
    { NULL, NULL }
};


int
pay_cli_payout(int argc, char **argv)
{
    return pay_cli_hand_over("payout", pay_cli_payout_usage, subcommands,
                             argc, argv);
}


static int
payout_list(int argc, char **argv)
{
    int          words, all = 0;
    const char  *dsn = NULL, *values[3] = { NULL, NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[0], NULL },
        { "--state", &values[1], NULL },
        { "--all", NULL, &all },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    values[2] = all ? "t" : "f";

    return pay_cli_list(&list_query, dsn, values);
}


static int
payout_accounts(int argc, char **argv)
{
    return pay_cli_payout_list(argc, argv, &accounts_query);
}


static int
payout_batches(int argc, char **argv)
{
    return pay_cli_payout_list(argc, argv, &batches_query);
}


static int
payout_show(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *id = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, &id, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    return words == 1
           ? pay_cli_show(&show, dsn, id)
           : pay_cli_misuse(pay_cli_payout_usage, "show takes the ID of a"
                            " pay-out, the first column of payctl payout"
                            " list");
}

/*
 * payctl risk review: the queue of checkouts that reviewers decide about.  list
 * and show read views and tables (payments_auditor may); the others call
 * pay_ops, which takes payments_operator and holds every rule.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/risk.h"

#include <stddef.h>
#include <string.h>


#define AT       PAY_CLI_AT
#define LEASE_S  "900"

typedef struct {
    const char     *verb;              /* and its word in SQL */
    pay_cli_act_t   act;
} review_act_t;


const char  pay_cli_risk_review_usage[] =
    "usage: payctl risk review list [--dsn DSN] [--merchant ID] [--all]"
    " [-o json|csv]\n"
    "       payctl risk review captures [--dsn DSN] [--merchant ID] [--all]"
    " [-o json|csv]\n"
    "       payctl risk review show [--dsn DSN] [-o json] ID\n"
    "       payctl risk review linked [--dsn DSN] ID [-o json|csv]\n"
    "       payctl risk review claim ID [--lease SECONDS] [--who NAME]\n"
    "       payctl risk review approve ID --reason WORD [--note TEXT]"
    " [--who NAME]\n"
    "       payctl risk review reject ID --reason WORD [--note TEXT]"
    " [--who NAME]\n"
    "                          [--block]\n"
    "       payctl risk review escalate ID --reason WORD [--note TEXT]"
    " [--who NAME]\n"
    "\n"
    "approve: known_buyer, buyer_confirmed, documents_seen, false_alarm\n"
    "reject: stolen_card, card_testing, account_takeover, false_identity,\n"
    "  no_answer, against_policy; the checkout is cancelled or refunded, and\n"
    "  --block puts its buyer on the block list for 90 days\n"
    "escalate: unclear, large_amount, needs_specialist\n"
    "A claim keeps others away for 900 seconds, or as --lease says.  --who is\n"
    "the user of this machine, if it is not said.  claim, approve, reject,\n"
    "escalate and linked need the role payments_operator.\n";

static const char  *const verb_names[] = {
    "list", "captures", "show", "linked", "claim", "approve", "reject",
    "escalate", NULL
};

static const pay_cli_filter_t  filters[] = {
    { 0, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "risk review list",
    "SELECT r.review_id AS review, r.merchant_id AS merchant,"
    " r.checkout_id AS checkout, r.total, r.currency, r.state,"
    " " AT("r.deadline") " AS deadline,"
    " CASE WHEN r.claimed_until > now() THEN r.claimed_by ELSE '' END"
    " AS claimed_by, coalesce(r.asked || ' by ' || r.asked_by, '') AS asked"
    " FROM pay_view.risk_reviews r"
    " WHERE r.merchant_id = coalesce($1, r.merchant_id)"
    " AND ($2 = 'all' OR r.state IN ('open', 'escalated'))"
    " ORDER BY r.state IN ('open', 'escalated') DESC, r.deadline LIMIT 1000",
    2, "no reviews", PAY_CLI_OK, filters,
    "state NOT IN ('open', 'escalated'), deadline", "1000"
};

static const pay_cli_list_t  captures_query = {
    "risk review captures",
    "SELECT r.review_id AS review, r.merchant_id AS merchant,"
    " r.payment_order_id AS \"order\", r.psp, r.state, r.held, r.currency,"
    " coalesce(r.change_id, '') AS change, coalesce(r.code, '') AS code,"
    " " AT("r.changed_at") " AS changed FROM pay_view.risk_captures r"
    " WHERE r.merchant_id = coalesce($1, r.merchant_id)"
    " AND ($2 = 'all' OR r.state IN ('waiting', 'asked', 'failed'))"
    " ORDER BY r.state <> 'failed', r.review_id DESC, r.payment_order_id"
    " LIMIT 1000",
    2, "no captures", PAY_CLI_OK, filters,
    "-state = 'failed', changed", "1000"
};

static const pay_cli_list_t  linked_query = {
    "risk review linked",
    "SELECT l.checkout_id AS checkout, l.kinds AS same, l.decision,"
    " " AT("l.at") " AS at FROM pay_ops.linked_to_review($1) l",
    1, "no linked checkouts", PAY_CLI_OK, NULL, NULL, NULL
};

static const pay_cli_part_t  parts[] = {
    { "decision",
      "SELECT d.decision, d.decided_by AS by, d.hits, d.facts"
      " FROM pay.risk_review r JOIN pay.risk_decision d"
      " ON d.merchant_id = r.merchant_id AND d.checkout_id = r.checkout_id"
      " WHERE r.review_id = $1" },
    { "orders",
      "SELECT o.payment_order_id AS \"order\", o.seller_account AS seller,"
      " o.status, coalesce(o.reason, '') AS reason FROM pay.risk_review r"
      " JOIN pay.payment_order o ON o.merchant_id = r.merchant_id"
      " AND o.checkout_id = r.checkout_id WHERE r.review_id = $1"
      " ORDER BY o.position" },
    { "acts",
      "SELECT " AT("a.at") " AS at, a.act, a.who, coalesce(a.reason, '')"
      " AS reason, coalesce(a.note, '') AS note FROM pay.risk_review_act a"
      " WHERE a.review_id = $1 ORDER BY a.act_id" },
    { NULL, NULL }
};

static const pay_cli_show_t  show_query = {
    "risk review show",
    "SELECT r.review_id AS review, r.merchant_id AS merchant,"
    " r.checkout_id AS checkout, r.total, r.currency, r.state,"
    " r.needs_second, " AT("r.deadline") " AS deadline, r.overdue,"
    " coalesce(r.claimed_by, '') AS claimed_by,"
    " coalesce(" AT("r.claimed_until") ", '') AS claimed_until,"
    " coalesce(r.asked, '') AS asked, coalesce(r.asked_by, '') AS asked_by,"
    " r.is_settled AS settled FROM pay_view.risk_reviews r"
    " WHERE r.review_id = $1",
    "no such review", parts
};

static const pay_cli_refusal_t  refusals[] = {
    { "taken", "another reviewer has claimed it" },
    { "second", "kept; it counts when another reviewer says the same" },
    { "same_person", "another reviewer has to say the same" },
    { "ended", "it has ended, see payctl risk review show" },
    { "not_found", "no such review" },
    { "invalid", "--who takes 1 to 200 bytes, --note 1000, --lease 1 to 86400,"
      " and each act has reasons of its own, see --help" },
    { NULL, NULL }
};

static const pay_cli_act_t  claim_act = {
    "risk review claim", "SELECT pay_ops.claim_review($1, $2, $3)", 3,
    "claimed", refusals
};

#define DECIDE  "SELECT pay_ops.decide_review($1, $2, $3, $4, $5, $6)"

static const review_act_t  acts[] = {
    { "approve",
      { "risk review approve", DECIDE, 6, "approved", refusals } },
    { "reject",
      { "risk review reject", DECIDE, 6, "rejected", refusals } },
    { "escalate",
      { "risk review escalate", DECIDE, 6, "escalated", refusals } }
};

typedef struct {
    const char  *lease;
    const char  *reason;
    const char  *note;
    int          blocks;
    int          all;
} review_args_t;


static int run(pay_cli_risk_t *args, const review_args_t *own,
    const char *verb, const char *id);
static int decide(const pay_cli_risk_t *args, const review_args_t *own,
    const char *verb, const char *id);


/* argv[0] is "review". */
int
pay_cli_risk_review(int argc, char **argv)
{
    int             count;
    const char     *values[2], *word[2] = { NULL };
    review_args_t   own = { .lease = LEASE_S };
    pay_cli_risk_t  args = { .dsn = NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--merchant", &args.merchant, NULL },
        { "--who", &args.who, NULL },
        { "--lease", &own.lease, NULL },
        { "--reason", &own.reason, NULL },
        { "--note", &own.note, NULL },
        { "--block", NULL, &own.blocks },
        { "--all", NULL, &own.all },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    count = pay_cli_args(argc, argv, options, word, 2);

    if (count < 0) {
        return pay_cli_say_usage(count, pay_cli_risk_review_usage);
    }

    if (count == 1 && (strcmp(word[0], "list") == 0
                       || strcmp(word[0], "captures") == 0))
    {
        values[0] = args.merchant;
        values[1] = own.all ? "all" : "open";

        return pay_cli_list(word[0][0] == 'l' ? &list_query : &captures_query,
                            args.dsn, values);
    }

    return count == 2 && pay_cli_is_number(word[1])
           ? run(&args, &own, word[0], word[1])
           : count == 0
           ? pay_cli_no_verb("risk review", pay_cli_risk_review_usage,
                             verb_names, NULL)
           : pay_cli_misuse(pay_cli_risk_review_usage, "risk review %s takes"
                            " the number of a review", word[0]);
}


static int
run(pay_cli_risk_t *args, const review_args_t *own, const char *verb,
    const char *id)
{
    const char  *values[3] = { id, own->lease, pay_cli_risk_who(args) };

    if (strcmp(verb, "show") == 0) {
        return pay_cli_show(&show_query, args->dsn, id);
    }

    if (strcmp(verb, "linked") == 0) {
        return pay_cli_list(&linked_query, args->dsn, &id);
    }

    if (strcmp(verb, "claim") == 0) {
        return pay_cli_is_number(own->lease)
               ? pay_cli_act(&claim_act, args->dsn, values)
               : pay_cli_misuse(pay_cli_risk_review_usage,
                                "risk review claim: --lease takes "
                                "seconds");
    }

    return decide(args, own, verb, id);
}


static int
decide(const pay_cli_risk_t *args, const review_args_t *own,
    const char *verb, const char *id)
{
    size_t       i;
    const char  *values[6];

    for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (strcmp(acts[i].verb, verb) != 0) {
            continue;
        }

        if (own->reason == NULL) {
            return pay_cli_misuse(pay_cli_risk_review_usage,
                                  "%s: --reason is missing: it is kept",
                                  acts[i].act.what);
        }

        values[0] = id;
        values[1] = verb;
        values[2] = own->reason;
        values[3] = own->note;
        values[4] = own->blocks ? "true" : "false";
        values[5] = pay_cli_risk_who(args);

        return pay_cli_act(&acts[i].act, args->dsn, values);
    }

    return pay_cli_no_verb("risk review", pay_cli_risk_review_usage,
                           verb_names, verb);
}

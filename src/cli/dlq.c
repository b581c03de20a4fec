/*
 * payctl dlq: the dead letters, for those on call.  list and show read
 * pay_view (payments_auditor may); requeue and resolve call pay_ops, which
 * takes payments_operator, and say who did it and why.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/table.h"

#include <string.h>


#define AT  PAY_CLI_AT


const char  pay_cli_dlq_usage[] =
    "usage: payctl dlq list [--dsn DSN] [--all] [--kind KIND]"
    " [--merchant ID]\n"
    "                       [-o json|csv]\n"
    "       payctl dlq show [--dsn DSN] [-o json] ID\n"
    "       payctl dlq requeue [--dsn DSN] ID --who NAME --why REASON\n"
    "       payctl dlq accept [--dsn DSN] ID --who NAME --why REASON\n"
    "       payctl dlq resolve [--dsn DSN] ID --who NAME --why REASON\n"
    "\n"
    "KIND is register, poll, refund, change, late_success, parked or stuck.\n"
    "requeue has the gateway try again.  accept takes a payment that came\n"
    "late and is held (late_success): it becomes a sale.\n"
    "resolve says that the matter is settled; the gateway does nothing more\n"
    "about it.  What became of a change is said with payctl change settle.\n"
    "requeue, accept and resolve need the role payments_operator and stay in\n"
    "the timeline.\n";

static const char  list_sql[] =
    "SELECT dead_letter_id AS id, kind, reason,"
    " CASE WHEN state <> 'open' THEN state ELSE '' END AS state,"
    " " AT("at") " AS at, date_trunc('second', age) AS age,"
    " coalesce(merchant_id, '') AS merchant,"
    " coalesce(payment_order_id, event_id) AS order_or_event,"
    " coalesce(psp, '') AS psp,"
    " amount, currency,"
    " attempts, coalesce(code, '') AS code"
    " FROM pay_view.dead_letters"
    " WHERE (state = 'open' OR $1::boolean) AND kind = coalesce($2, kind)"
    " AND merchant_id IS NOT DISTINCT FROM coalesce($3, merchant_id)"
    " ORDER BY dead_letter_id";

static const char  show_sql[] =
    "SELECT dead_letter_id AS id, kind, reason, state,"
    " " AT("at") " AS at, date_trunc('second', age) AS age,"
    " merchant_id AS merchant, checkout_id AS checkout,"
    " payment_order_id AS \"order\", psp, event_id AS event, fact, token,"
    " concat_ws(' ', amount, currency) AS amount, attempts, code,"
    " " AT("closed_at") " AS closed_at, closed_by, closed_why"
    " FROM pay_view.dead_letters WHERE dead_letter_id = $1::bigint";

/* All that an operator needs for a decision, in one look: the calls that were
 * made, the late payment if it is one, contradicting statements, and the
 * timeline. */
static const pay_cli_part_t  parts[] = {
    { "calls to the PSP",
      "SELECT " PAY_CLI_CALLS ", " AT("d.key_until") " AS key_until,"
      " d.reach, d.http_status, d.code, d.reference"
      " FROM pay_view.dispatches d JOIN pay_view.dead_letters l"
      " ON l.merchant_id = d.merchant_id AND l.checkout_id = d.checkout_id"
      " WHERE l.dead_letter_id = $1::bigint"
      " ORDER BY d.first_sent_at, d.attempt" },
    { "the late payment",
      "SELECT s.state, " AT("s.at") " AS at,"
      " concat_ws(' ', s.amount, s.currency) AS amount, s.psp,"
      " s.source, s.event_id, s.reference, s.refund_id"
      " FROM pay_view.late_successes s JOIN pay_view.dead_letters l"
      " ON l.merchant_id = s.merchant_id AND l.checkout_id = s.checkout_id"
      " WHERE l.dead_letter_id = $1::bigint" },
    { "what was not believed",
      "SELECT " AT("m.at") " AS at, m.kind, m.source, m.psp, m.event_id,"
      " concat_ws(' ', m.amount, m.currency) AS amount,"
      " concat_ws(' ', m.total, m.own_currency) AS ours, m.token,"
      " m.own_token"
      " FROM pay_view.mismatches m JOIN pay_view.dead_letters l"
      " ON l.merchant_id = m.merchant_id AND l.checkout_id = m.checkout_id"
      " WHERE l.dead_letter_id = $1::bigint ORDER BY m.mismatch_id" },
    { "timeline",
      "SELECT " PAY_CLI_TIMELINE ", coalesce(t.reason, '') AS reason,"
      " CASE t.detail WHEN '{}' THEN '' ELSE t.detail::text END AS detail"
      " FROM pay_view.timeline t JOIN pay_view.dead_letters l"
      " ON l.merchant_id = t.merchant_id AND l.checkout_id = t.checkout_id"
      " WHERE l.dead_letter_id = $1::bigint"
      " ORDER BY t.payment_order_id, t.seq" },
    { NULL, NULL }
};

/* Outcomes of pay_ops that are a no, and what they mean. */
static const pay_cli_refusal_t  refusals[] = {
    { "closed", "it was not open any more, see payctl dlq show" },
    { "nothing_to_do", "there is nothing left to try again: resolve it" },
    { "late_payment", "it is a payment that came late: payctl dlq accept makes"
      " it a sale, payctl dlq resolve closes it" },
    { "no_late_payment", "it is no payment that came late: payctl dlq requeue"
      " has the gateway try again" },
    { "not_found", "no dead letter has this number: payctl dlq list --all lists"
      " them. A job that the gateway still tries has none and needs no requeue:"
      " payctl explain says when it runs next" },
    { "invalid", "--who and --why take 1 to 200 bytes each" },
    { NULL, NULL }
};

static const char  *const kinds[] = {
    "register", "poll", "refund", "change", "late_success", "parked", "stuck",
    NULL
};

/* Their places are the cases of pay_cli_dlq(); list is first, since it takes
 * no id. */
static const char  *const verb_names[] = {
    "list", "show", "requeue", "accept", "resolve", NULL
};

static const pay_cli_verbs_t  verbs = {
    "dlq", pay_cli_dlq_usage, verb_names, kinds, 1
};

static const pay_cli_filter_t  filters[] = {
    { 2, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "dlq list", list_sql, 3, "no dead letters", PAY_CLI_OK, filters,
    "at", NULL
};

static const pay_cli_show_t  show = {
    "dlq show", show_sql, "no such dead letter", parts
};

static const pay_cli_act_t  requeue = {
    "dlq", "SELECT pay_ops.requeue_dead_letter($1::bigint, $2, $3)", 3,
    "requeued", refusals
};

static const pay_cli_act_t  accept_late = {
    "dlq", "SELECT pay_ops.accept_dead_letter($1::bigint, $2, $3)", 3,
    "accepted", refusals
};

static const pay_cli_act_t  resolve = {
    "dlq", "SELECT pay_ops.resolve_dead_letter($1::bigint, $2, $3)", 3,
    "resolved", refusals
};


int
pay_cli_dlq(int argc, char **argv)
{
    int              words, code;
    const char      *word[2] = { NULL, NULL };
    pay_cli_case_t   args;

    const pay_cli_option_t  options[] = {
        PAY_CLI_CASE_OPTIONS(&args),
        { NULL, NULL, NULL }
    };

    memset(&args, 0, sizeof(args));
    words = pay_cli_args(argc, argv, options, word, 2);

    switch (pay_cli_verb(&verbs, words, word, &code)) {

    case 0:
        return pay_cli_list_cases(&verbs, &list_query, &args);

    case 1:
        return pay_cli_show(&show, args.dsn, word[1]);

    case 2:
        return pay_cli_act_on(&verbs, &requeue, &args, word[1]);

    case 3:
        return pay_cli_act_on(&verbs, &accept_late, &args, word[1]);

    case 4:
        return pay_cli_act_on(&verbs, &resolve, &args, word[1]);

    default:
        return code;
    }
}

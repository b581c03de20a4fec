/*
 * payctl change: captures, cancellations and refunds, for those on call.  list
 * and show read pay_view (payments_auditor may); settle calls pay_ops, which
 * takes payments_operator, and says who did it and why.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/table.h"

#include <string.h>


#define AT  PAY_CLI_AT


static int change_settle(const pay_cli_case_t *args, const char *id);


const char  pay_cli_change_usage[] =
    "usage: payctl change list [--dsn DSN] [--all] [--kind KIND]"
    " [--merchant ID]\n"
    "                          [-o json|csv]\n"
    "       payctl change show [--dsn DSN] [-o json] ID\n"
    "       payctl change settle [--dsn DSN] ID --as success|failed\n"
    "                            --who NAME --why REASON\n"
    "\n"
    "KIND is capture, cancel or refund; list shows those that are open.\n"
    "settle says what became of one that nobody but you knows of, once you\n"
    "have seen it at the PSP: success, it has done it; failed, it has not,\n"
    "and never will.  The order, the books and the timeline follow.  It needs\n"
    "the role payments_operator.\n";

/* Open changes, the oldest first: an operator looks for the ones that hang. */
static const char  list_sql[] =
    "SELECT change_id AS id, kind, status, " AT("created_at") " AS at,"
    " date_trunc('second', now() - created_at) AS age,"
    " merchant_id AS merchant, payment_order_id AS \"order\", psp,"
    " amount, currency,"
    " coalesce(dispatch_state, '') AS call,"
    " coalesce(dead_letter_id::text, '') AS dead_letter,"
    " coalesce(code, job_code, '') AS code"
    " FROM pay_view.changes"
    " WHERE (status IN ('NOT_STARTED', 'EXECUTING') OR $1::boolean)"
    " AND kind = coalesce($2, kind)"
    " AND merchant_id = coalesce($3, merchant_id)"
    " ORDER BY created_at, change_id";

static const char  show_sql[] =
    "SELECT change_id AS id, kind,"
    " CASE WHEN is_final THEN 'the rest is released' END AS final,"
    " CASE origin WHEN 'psp' THEN 'made at the PSP' END AS origin, status,"
    " CASE WHEN returned THEN 'it was done, and came back' END AS returned,"
    " " AT("created_at") " AS at, " AT("changed_at") " AS changed_at,"
    " merchant_id AS merchant, checkout_id AS checkout,"
    " payment_order_id AS \"order\", psp,"
    " concat_ws(' ', amount, currency) AS amount, reason, code, reference,"
    " " AT("job_run_at") " AS next_attempt, job_attempts AS attempts,"
    " job_code AS last_attempt, dead_letter_id AS dead_letter"
    " FROM pay_view.changes WHERE change_id = $1";

static const pay_cli_part_t  parts[] = {
    { "calls to the PSP",
      "SELECT " PAY_CLI_CALLS ", " AT("d.key_until") " AS key_until,"
      " d.reach, d.http_status, d.code, d.reference"
      " FROM pay_view.dispatches d WHERE d.operation_id = $1"
      " AND d.operation IN ('capture', 'cancel', 'refund', 'expire')"
      " ORDER BY d.first_sent_at, d.attempt" },
    { "dead letters",
      "SELECT dead_letter_id AS id, reason, state, " AT("at") " AS at,"
      " attempts, coalesce(code, '') AS code,"
      " coalesce(closed_by, '') AS closed_by,"
      " coalesce(closed_why, '') AS closed_why"
      " FROM pay_view.dead_letters"
      " WHERE kind = 'change' AND operation_id = $1 ORDER BY dead_letter_id" },
    { "timeline",
      "SELECT " PAY_CLI_TIMELINE ", t.detail - 'change_id' AS detail"
      " FROM pay_view.timeline t JOIN pay_view.changes c"
      " ON c.merchant_id = t.merchant_id AND c.checkout_id = t.checkout_id"
      " WHERE c.change_id = $1 AND t.detail ->> 'change_id' = $1"
      " ORDER BY t.payment_order_id, t.seq" },
    { NULL, NULL }
};

static const pay_cli_refusal_t  refusals[] = {
    { "closed", "it has ended already, see payctl change show" },
    { "not_found", "no such change" },
    { "invalid", "--who and --why take 1 to 200 bytes each" },
    { NULL, NULL }
};

static const char  *const kinds[] = {
    "capture", "cancel", "refund", NULL
};

/* Their places are the cases of pay_cli_change(); list is first, since it
 * takes no id. */
static const char  *const verb_names[] = {
    "list", "show", "settle", NULL
};

static const pay_cli_verbs_t  verbs = {
    "change", pay_cli_change_usage, verb_names, kinds, 0
};

static const pay_cli_filter_t  filters[] = {
    { 2, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "change list", list_sql, 3, "no changes", PAY_CLI_OK, filters,
    "at", NULL
};

static const pay_cli_show_t  show = {
    "change show", show_sql, "no such change", parts
};

static const pay_cli_act_t  settle = {
    "change", "SELECT pay_ops.settle_change(c.merchant_id, c.change_id,"
    " $2::boolean, $3, $4) FROM pay_view.changes c WHERE c.change_id = $1", 4,
    "settled", refusals
};


int
pay_cli_change(int argc, char **argv)
{
    int              words, code;
    const char      *word[2] = { NULL, NULL };
    pay_cli_case_t   args;

    const pay_cli_option_t  options[] = {
        PAY_CLI_CASE_OPTIONS(&args),
        { "--as", &args.as, NULL },
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
        return change_settle(&args, word[1]);

    default:
        return code;
    }
}


/* Only for a change whose outcome the PSP does not tell any more: the operator
 * has seen it there.  PostgreSQL books it as if the PSP had said so. */
static int
change_settle(const pay_cli_case_t *args, const char *id)
{
    const char  *values[4];

    if (args->as == NULL
        || (strcmp(args->as, "success") != 0
            && strcmp(args->as, "failed") != 0))
    {
        return pay_cli_misuse(pay_cli_change_usage, args->as == NULL
                              ? "--as is missing: what became of it, success "
                                "or failed"
                              : "--as is success or failed, not \"%s\"",
                              args->as);
    }

    if (!pay_cli_says_who(&verbs, args->who, args->why)) {
        return PAY_CLI_USAGE;
    }

    values[0] = id;
    values[1] = strcmp(args->as, "success") == 0 ? "true" : "false";
    values[2] = args->who;
    values[3] = args->why;

    return pay_cli_act(&settle, args->dsn, values);
}

/*
 * payctl dispute: disputes of buyers, for those on call.  list reads pay_view
 * (payments_auditor may); settle calls pay_ops, which takes payments_operator,
 * and says who did it and why.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/table.h"

#include <string.h>


#define AT  PAY_CLI_AT


static int dispute_settle(const pay_cli_case_t *args, const char *psp,
    const char *id);


const char  pay_cli_dispute_usage[] =
    "usage: payctl dispute list [--dsn DSN] [--all] [--kind STATE]"
    " [--merchant ID]\n"
    "                           [-o json|csv]\n"
    "       payctl dispute settle [--dsn DSN] ID --psp PSP --as won|lost\n"
    "                             --who NAME --why REASON\n"
    "\n"
    "STATE is open, won, lost or moved; list shows those that are open.\n"
    "settle ends one whose end the PSP does not tell, once you have seen it\n"
    "there: lost, the buyer keeps the money; won, the merchant has it back.\n"
    "The order, the books and the timeline follow.  It needs the role\n"
    "payments_operator.\n";

/* Open disputes, the oldest first. */
static const char  list_sql[] =
    "SELECT dispute_id AS id, state, " AT("opened_at") " AS at,"
    " date_trunc('second', now() - opened_at) AS age,"
    " merchant_id AS merchant, coalesce(payment_order_id, '') AS \"order\","
    " psp, amount, currency, coalesce(code, '') AS code"
    " FROM pay_view.disputes"
    " WHERE (state = 'open' OR $1::boolean OR $2::text IS NOT NULL)"
    " AND state = coalesce($2, state)"
    " AND merchant_id = coalesce($3, merchant_id)"
    " ORDER BY opened_at, dispute_id, part";

static const pay_cli_refusal_t  refusals[] = {
    { "closed", "it has ended already, see payctl dispute list --all" },
    { "not_found", "no such dispute of this PSP" },
    { "invalid", "--who and --why take 1 to 200 bytes each" },
    { NULL, NULL }
};

static const char  *const kinds[] = {
    "open", "won", "lost", "moved", NULL
};

/* Their places are the cases of pay_cli_dispute(); list is first, since it
 * takes no id. */
static const char  *const verb_names[] = {
    "list", "settle", NULL
};

static const pay_cli_verbs_t  verbs = {
    "dispute", pay_cli_dispute_usage, verb_names, kinds, 0
};

static const pay_cli_filter_t  filters[] = {
    { 2, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "dispute list", list_sql, 3, "no disputes", PAY_CLI_OK, filters,
    "at", NULL
};

static const pay_cli_act_t  settle = {
    "dispute", "SELECT pay_ops.settle_dispute($1, $2, $3, $4, $5)", 5,
    "settled", refusals
};


int
pay_cli_dispute(int argc, char **argv)
{
    int              words, code;
    const char      *psp = NULL, *word[2] = { NULL, NULL };
    pay_cli_case_t   args;

    const pay_cli_option_t  options[] = {
        PAY_CLI_CASE_OPTIONS(&args),
        { "--as", &args.as, NULL },
        { "--psp", &psp, NULL },
        { NULL, NULL, NULL }
    };

    memset(&args, 0, sizeof(args));
    words = pay_cli_args(argc, argv, options, word, 2);

    switch (pay_cli_verb(&verbs, words, word, &code)) {

    case 0:
        return pay_cli_list_cases(&verbs, &list_query, &args);

    case 1:
        return dispute_settle(&args, psp, word[1]);

    default:
        return code;
    }
}


/* Two PSPs may use one id: the operator names the PSP, too. */
static int
dispute_settle(const pay_cli_case_t *args, const char *psp, const char *id)
{
    const char  *values[5];

    if (psp == NULL) {
        return pay_cli_misuse(pay_cli_dispute_usage, "--psp is missing");
    }

    if (args->as == NULL
        || (strcmp(args->as, "won") != 0 && strcmp(args->as, "lost") != 0))
    {
        return pay_cli_misuse(pay_cli_dispute_usage, args->as == NULL
                              ? "--as is missing: how it has ended, won or"
                                " lost"
                              : "--as is won or lost, not \"%s\"", args->as);
    }

    if (!pay_cli_says_who(&verbs, args->who, args->why)) {
        return PAY_CLI_USAGE;
    }

    values[0] = psp;
    values[1] = id;
    values[2] = args->as;
    values[3] = args->who;
    values[4] = args->why;

    return pay_cli_act(&settle, args->dsn, values);
}

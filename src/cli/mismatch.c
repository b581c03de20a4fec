/*
 * payctl mismatch: what PSPs said and was not believed, and what of our own
 * books contradicts itself, for those on call.  list and show read pay_view
 * (payments_auditor may); settle and assign call pay_ops, which takes
 * payments_operator, and say who did it and why.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/table.h"

#include <string.h>


#define AT           PAY_CLI_AT
#define PARTS_MAX    20                /* orders of a checkout */
#define WORDS_MAX    (2 + PARTS_MAX)
#define ORDERS_SIZE  (PARTS_MAX * 256)


static int mismatch_assign(const pay_cli_case_t *args, const char **word,
    int words);
static int add_line(char *lines, size_t *used, const char *text, size_t len);


const char  pay_cli_mismatch_usage[] =
    "usage: payctl mismatch list [--dsn DSN] [--all] [--kind KIND]"
    " [--merchant ID]\n"
    "                            [-o json|csv]\n"
    "       payctl mismatch show [--dsn DSN] [-o json] ID\n"
    "       payctl mismatch settle [--dsn DSN] ID --who NAME --why REASON\n"
    "       payctl mismatch assign [--dsn DSN] ID ORDER=AMOUNT ..."
    " --who NAME --why REASON\n"
    "       payctl mismatch assign [--dsn DSN] ID --merchant-bears"
    " --who NAME --why REASON\n"
    "\n"
    "KIND is amount, currency, token, late_token, left_psp, contradiction,\n"
    "capture, cancel, refund, dispute, fee, invalid or books; list shows\n"
    "those that are open.  settle says that the matter is settled: explain\n"
    "and the metrics leave it out, and nothing else moves.  assign lays a\n"
    "refund or a dispute that was made at the PSP to orders of its checkout,\n"
    "with all of its amount, and settles the matter; what was laid to orders\n"
    "before is taken back first.  --merchant-bears: no order bears what is in\n"
    "suspense.\n"
    "Both need the role payments_operator and stay in the timeline.\n";

static const char  list_sql[] =
    "SELECT mismatch_id AS id, kind, coalesce(why, '') AS wrong,"
    " CASE WHEN settled_at IS NULL THEN '' ELSE 'settled' END AS state,"
    " " AT("at") " AS at, date_trunc('second', now() - at) AS age,"
    " merchant_id AS merchant, payment_order_id AS \"order\", psp, source,"
    " amount AS said, currency AS said_in, total AS ours,"
    " own_currency AS ours_in,"
    " coalesce(object, event_id, '') AS object_or_event"
    " FROM pay_view.mismatches"
    " WHERE (settled_at IS NULL OR $1::boolean) AND kind = coalesce($2, kind)"
    " AND merchant_id = coalesce($3, merchant_id)"
    " ORDER BY mismatch_id";

static const char  show_sql[] =
    "SELECT mismatch_id AS id, kind, why AS wrong,"
    " CASE WHEN settled_at IS NULL THEN 'open' ELSE 'settled' END AS state,"
    " " AT("at") " AS at, date_trunc('second', now() - at) AS age,"
    " merchant_id AS merchant, checkout_id AS checkout,"
    " payment_order_id AS \"order\", status, psp, source, event_id AS event,"
    " object, concat_ws(' ', amount, currency) AS said,"
    " concat_ws(' ', total, own_currency) AS ours, token,"
    " own_token AS our_token, detail, request_id AS request,"
    " " AT("settled_at") " AS settled_at, settled_by, settled_why"
    " FROM pay_view.mismatches WHERE mismatch_id = $1::bigint";

static const pay_cli_part_t  parts[] = {
    { "calls to the PSP",
      "SELECT " PAY_CLI_CALLS ", d.reach, d.http_status, d.code, d.reference"
      " FROM pay_view.dispatches d JOIN pay_view.mismatches m"
      " ON m.merchant_id = d.merchant_id AND m.checkout_id = d.checkout_id"
      " WHERE m.mismatch_id = $1::bigint"
      " ORDER BY d.first_sent_at, d.attempt" },
    { "captures, cancellations and refunds",
      "SELECT c.change_id AS id, c.kind, c.status, c.origin,"
      " " AT("c.created_at") " AS at, c.payment_order_id AS \"order\","
      " concat_ws(' ', c.amount, c.currency) AS amount,"
      " coalesce(c.reference, '') AS reference"
      " FROM pay_view.changes c JOIN pay_view.mismatches m"
      " ON m.merchant_id = c.merchant_id AND m.checkout_id = c.checkout_id"
      " WHERE m.mismatch_id = $1::bigint ORDER BY c.created_at, c.change_id" },
    { "timeline",
      "SELECT " PAY_CLI_TIMELINE ", coalesce(t.reason, '') AS reason,"
      " CASE t.detail WHEN '{}' THEN '' ELSE t.detail::text END AS detail"
      " FROM pay_view.timeline t JOIN pay_view.mismatches m"
      " ON m.merchant_id = t.merchant_id AND m.checkout_id = t.checkout_id"
      " WHERE m.mismatch_id = $1::bigint ORDER BY t.payment_order_id, t.seq" },
    { NULL, NULL }
};

static const pay_cli_refusal_t  refusals[] = {
    { "closed", "it was settled before, see payctl mismatch show" },
    { "not_found", "no such mismatch" },
    { "invalid", "--who and --why take 1 to 200 bytes each" },
    { "suspense", "its money is in suspense, say whose it is: payctl mismatch"
      " assign" },
    { NULL, NULL }
};

static const pay_cli_refusal_t  assign_refusals[] = {
    { "nothing", "no refund or dispute of it can be laid to an order" },
    { "sum", "the amounts do not add up to that of the refund or the dispute" },
    { "exceeds", "an order cannot bear that much" },
    { "not_found", "no such mismatch" },
    { "invalid", "name orders of this checkout, each once, with an amount in"
      " its currency; --merchant-bears is for what is in suspense; --who and"
      " --why take 1 to 200 bytes each" },
    { NULL, NULL }
};

static const char  *const kinds[] = {
    "amount", "currency", "token", "late_token", "left_psp",
    "contradiction", "capture", "cancel", "refund", "dispute", "fee",
    "invalid", "books", NULL
};

/* Their places are the cases of pay_cli_mismatch(); list is first, since it
 * takes no id. */
static const char  *const verb_names[] = {
    "list", "show", "settle", "assign", NULL
};

static const pay_cli_verbs_t  verbs = {
    "mismatch", pay_cli_mismatch_usage, verb_names, kinds, 1
};

static const pay_cli_filter_t  filters[] = {
    { 2, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "mismatch list", list_sql, 3, "no mismatches", PAY_CLI_OK, filters,
    "at", NULL
};

static const pay_cli_show_t  show = {
    "mismatch show", show_sql, "no such mismatch", parts
};

static const pay_cli_act_t  settle = {
    "mismatch", "SELECT pay_ops.settle_mismatch($1::bigint, $2, $3)", 3,
    "settled", refusals
};

static const pay_cli_act_t  assign = {
    "mismatch", "SELECT pay_ops.assign_mismatch($1::bigint,"
    " string_to_array($2, chr(10)), string_to_array($3, chr(10)), $4, $5)", 5,
    "assigned", assign_refusals
};


int
pay_cli_mismatch(int argc, char **argv)
{
    int              words, code;
    const char      *word[WORDS_MAX] = { NULL };
    pay_cli_case_t   args;

    const pay_cli_option_t  options[] = {
        PAY_CLI_CASE_OPTIONS(&args),
        { "--merchant-bears", NULL, &args.bears },
        { NULL, NULL, NULL }
    };

    memset(&args, 0, sizeof(args));
    words = pay_cli_args(argc, argv, options, word, WORDS_MAX);

    switch (pay_cli_verb(&verbs, words, word, &code)) {

    case 0:
        return pay_cli_list_cases(&verbs, &list_query, &args);

    case 1:
        return words > 2 ? pay_cli_misuse(pay_cli_mismatch_usage,
                                          "show takes one ID")
                         : pay_cli_show(&show, args.dsn, word[1]);

    case 2:
        return words > 2
               ? pay_cli_misuse(pay_cli_mismatch_usage, "settle takes one ID")
               : pay_cli_act_on(&verbs, &settle, &args, word[1]);

    case 3:
        return (words == 2) != args.bears
               ? pay_cli_misuse(pay_cli_mismatch_usage,
                                "assign takes ORDER=AMOUNT for"
                                " each order, or --merchant-bears")
               : mismatch_assign(&args, word, words);

    default:
        return code;
    }
}


/* Reads ORDER=AMOUNT words into two lists with line feeds between, which SQL
 * takes as arrays.  The sign is the last "=": an amount has none, an order's
 * id may. */
static int
mismatch_assign(const pay_cli_case_t *args, const char **word, int words)
{
    int          i;
    char         orders[ORDERS_SIZE + 1], amounts[ORDERS_SIZE + 1];
    size_t       used[2] = { 0, 0 };
    const char  *values[5], *sign;

    if (!pay_cli_says_who(&verbs, args->who, args->why)) {
        return PAY_CLI_USAGE;
    }

    for (i = 2; i < words; i++) {
        sign = strrchr(word[i], '=');

        if (sign == NULL
            || !add_line(orders, &used[0], word[i], (size_t) (sign - word[i]))
            || !add_line(amounts, &used[1], sign + 1, strlen(sign + 1)))
        {
            return pay_cli_misuse(pay_cli_mismatch_usage,
                                  "\"%s\" is no ORDER=AMOUNT",
                                  word[i]);
        }
    }

    orders[used[0]] = '\0';
    amounts[used[1]] = '\0';

    values[0] = word[1];
    values[1] = orders;
    values[2] = amounts;
    values[3] = args->who;
    values[4] = args->why;

    return pay_cli_act(&assign, args->dsn, values);
}


/* 0: it is no line, or there is no room for it. */
static int
add_line(char *lines, size_t *used, const char *text, size_t len)
{
    if (len == 0 || memchr(text, '\n', len) != NULL
        || *used + len + 1 > ORDERS_SIZE)
    {
        return 0;
    }

    if (*used > 0) {
        lines[(*used)++] = '\n';
    }

    memcpy(lines + *used, text, len);
    *used += len;

    return 1;
}

/*
 * payctl payout commission, commissions: the schedule of the fees that
 * merchants keep of their sellers' sales.  A row needs payments_operator; the
 * list reads pay_view.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/payout.h"
#include "cli/table.h"

#include <stddef.h>
#include <string.h>


#define AT  PAY_CLI_AT

/* Places of the values are those of the parameters, from 0 on. */
enum {
    MERCHANT, SELLER, PSP, CURRENCY, PERCENT, FIXED, MINIMUM, MAXIMUM, FROM,
    WHO, WHY, METHOD, VALUES
};


static const char *commission_lacks(const char *const *v);
static int is_minor(const char *value);


/* A schedule may be there before the first sale. */
static const pay_cli_filter_t  filters[] = {
    { 0,
      "SELECT merchant_id FROM pay_view.commissions UNION "
      "(" PAY_CLI_NAMES("pay.checkout", "merchant_id") ")",
      "merchant", "has a checkout or a commission here" },
    PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  commissions_query = {
    "payout commissions",
    "SELECT c.commission_id AS row, c.merchant_id AS merchant,"
    " coalesce(c.seller_account, '*') AS seller,"
    " coalesce(c.payment_method, '*') AS method,"
    " coalesce(c.psp, '*') AS psp, c.currency,"
    " coalesce(c.percent::text, 'none') AS percent, c.fixed, c.minimum,"
    " coalesce(c.maximum::text, '') AS maximum,"
    " " AT("c.valid_from") " AS valid_from, c.entered_by"
    " FROM pay_view.commissions c"
    " WHERE c.merchant_id = coalesce($1, c.merchant_id)"
    " ORDER BY c.merchant_id, c.currency, c.seller_account NULLS FIRST,"
    " c.payment_method NULLS FIRST, c.psp NULLS FIRST, c.valid_from,"
    " c.commission_id",
    1, "no commissions", PAY_CLI_OK, filters,
    "merchant, currency", NULL
};

static const pay_cli_refusal_t  refusals[] = {
    { "past", "--from is past: sales keep the commission of their time" },
    { "invalid", "see --help; --who and --why take 1 to 200 bytes each" },
    { NULL, NULL }
};

static const pay_cli_act_t  commission_act = {
    "payout commission",
    "SELECT pay_ops.set_commission($1, $2, $3, $4,"
    " nullif($5, 'none')::numeric, $6::bigint, $7::bigint, $8::bigint,"
    " $9::timestamptz, $10, $11, $12)", VALUES, "stored", refusals
};


int
pay_cli_payout_commissions(int argc, char **argv)
{
    return pay_cli_payout_list(argc, argv, &commissions_query);
}


int
pay_cli_payout_commission(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *lacks, *v[VALUES] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &v[MERCHANT], NULL },
        { "--seller", &v[SELLER], NULL },
        { "--method", &v[METHOD], NULL },
        { "--psp", &v[PSP], NULL },
        { "--currency", &v[CURRENCY], NULL },
        { "--percent", &v[PERCENT], NULL },
        { "--fixed", &v[FIXED], NULL },
        { "--minimum", &v[MINIMUM], NULL },
        { "--maximum", &v[MAXIMUM], NULL },
        { "--from", &v[FROM], NULL },
        { "--who", &v[WHO], NULL },
        { "--why", &v[WHY], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    lacks = commission_lacks(v);

    return lacks == NULL
           ? pay_cli_act(&commission_act, dsn, v)
           : pay_cli_misuse(pay_cli_payout_usage, "%s", lacks);
}


/* The complaint about the options, or NULL. */
static const char *
commission_lacks(const char *const *v)
{
    if (v[MERCHANT] == NULL || v[CURRENCY] == NULL || v[PERCENT] == NULL
        || v[WHO] == NULL || v[WHY] == NULL)
    {
        return "commission takes --merchant, --currency, --percent, --who and"
               " --why";
    }

    if (strcmp(v[PERCENT], "none") != 0
        && (v[PERCENT][0] == '\0'
            || strspn(v[PERCENT], "0123456789.") != strlen(v[PERCENT])))
    {
        return "--percent takes a number, or none";
    }

    if (!is_minor(v[FIXED]) || !is_minor(v[MINIMUM]) || !is_minor(v[MAXIMUM])) {
        return "--fixed, --minimum and --maximum take amounts in minor units";
    }

    return NULL;
}


static int
is_minor(const char *value)
{
    return value == NULL || pay_cli_is_number(value);
}

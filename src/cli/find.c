/*
 * payctl find: the payment that an id, a token, a reference or a key belongs
 * to, out of pay_view.find().  Reads only; payments_auditor may run it.
 * explain and timeline find their payment by it.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/find.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>


const char  pay_cli_find_usage[] =
    "usage: payctl find [--dsn DSN] [--merchant ID] [-o json|csv] NAME\n"
    "What NAME belongs to: the id of an order, of a checkout or of a change,\n"
    "a PSP's token or id of a payment, refund, dispute or event, a nonce, an\n"
    "idempotency key, a buyer's handle, a request id (X-Request-Id).\n"
    "Exit code 0: found; 1: nothing is known by that name.\n";

static const char  find_sql[] =
    "SELECT found_as, coalesce(merchant_id, '') AS merchant,"
    " coalesce(checkout_id, '') AS checkout,"
    " coalesce(payment_order_id, '') AS \"order\","
    " coalesce(psp, '') AS psp"
    " FROM pay_view.find($1, $2)";

static const char  checkouts_sql[] =
    "SELECT DISTINCT merchant_id AS merchant, checkout_id AS checkout"
    " FROM pay_view.find($1, $2) WHERE checkout_id IS NOT NULL ORDER BY 1, 2";

static const char  orders_sql[] =
    "SELECT merchant_id, payment_order_id FROM pay.payment_order"
    " WHERE merchant_id = $1 AND checkout_id = $2 ORDER BY position";

static const pay_cli_filter_t  filters[] = {
    { 1, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  find_list = {
    "find", find_sql, 2, "payctl: nothing is known by that name", PAY_CLI_NO,
    filters
};


int
pay_cli_find(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[2] = { NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[1], NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_find_usage);
    }

    if (words == 0) {
        return pay_cli_misuse(pay_cli_find_usage, "find needs a NAME");
    }

    return pay_cli_list(&find_list, dsn, values);
}


/* Several checkouts are listed and none is chosen: which one is meant is the
 * operator's to say. */
int
pay_cli_resolve(PGconn *conn, const char *what, const char *merchant,
    PGresult **orders)
{
    int          count;
    PGresult    *found;
    const char  *values[2];

    *orders = NULL;
    values[0] = what;
    values[1] = merchant;

    found = pay_cli_query(conn, "find", checkouts_sql, 2, values);
    if (found == NULL) {
        return PAY_CLI_USAGE;
    }

    count = PQntuples(found);

    /* All orders of the checkout: the PSP sees one payment, whatever order was
     * meant. */
    if (count == 1) {
        values[0] = PQgetvalue(found, 0, 0);
        values[1] = PQgetvalue(found, 0, 1);
        *orders = pay_cli_query(conn, "find", orders_sql, 2, values);

    } else if (count == 0) {
        fputs("payctl: no such payment order, nor is anything else known by"
              " that name\n", stderr);

    } else {
        fprintf(stderr, "payctl: that leads to %d checkouts: name one of"
                " them, or its --merchant\n", count);
        pay_cli_table(found);
    }

    PQclear(found);

    return count != 1 ? PAY_CLI_NO
                      : *orders != NULL ? PAY_CLI_OK : PAY_CLI_USAGE;
}

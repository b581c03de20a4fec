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
#include "cli/keyring.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pay_keyring.h"
#include "pay_risk.h"


static int find_hash(pay_arena_t *arena, const char *keyring,
    const char *address, const char **hash);


const char  pay_cli_find_usage[] =
    "usage: payctl find [--dsn DSN] [--merchant ID] [--keyring FILE]\n"
    "                   [-o json|csv] NAME\n"
    "Prints what NAME belongs to, and the command that shows more.  NAME is\n"
    "the id of an order, a checkout, a change, a pay-out or a batch, or its\n"
    "beginning, eight characters or more; a PSP's token or id of a payment,\n"
    "refund, dispute or event; a nonce, an idempotency key, a buyer's handle,\n"
    "a request id (X-Request-Id); a seller; an amount such as 12.34 or\n"
    "\"12.34 EUR\", of the newest 10,000 checkouts of each merchant; or an\n"
    "address of mail, which is looked for by its keyed hash: --keyring names\n"
    "the gateway's keyring, else PAYCTL_KEYRING.\n"
    "Exit code 0: found; 1: nothing is known by that name.\n";

/* A word that a shell would split stands in quotes; chr(39) is one. */
#define FIND_WORD(column)                                                     \
    "CASE WHEN " column " ~ '[^A-Za-z0-9._:@/+-]' THEN chr(39) || replace("   \
    column ", chr(39), chr(39) || '\\' || chr(39) || chr(39)) || chr(39)"     \
    " ELSE " column " END"

/* The command is one for the cell that has the payment. */
#define PAYCTL                                                                \
    "'payctl ' || coalesce('--cell ' || nullif(current_setting("              \
    "'payctl.cell', true), '') || ' ', '') || "

static const char  find_sql[] =
    "SELECT f.found_as, coalesce(f.merchant_id, '') AS merchant,"
    " coalesce(f.checkout_id, '') AS checkout,"
    " coalesce(f.payment_order_id, '') AS \"order\","
    " coalesce(f.psp, '') AS psp, coalesce(f.object, '') AS object,"
    " CASE WHEN f.found_as = 'pay-out' THEN " PAYCTL "'payout show '"
    " || " FIND_WORD("f.object")
    " WHEN f.found_as = 'batch' THEN " PAYCTL "'payout batches --merchant '"
    " || " FIND_WORD("f.merchant_id")
    " WHEN f.found_as = 'seller' THEN " PAYCTL "'payout list --all --merchant '"
    " || " FIND_WORD("f.merchant_id")
    " WHEN f.found_as = 'PSP''s event' THEN " PAYCTL "'webhook show '"
    " || " FIND_WORD("f.psp") " || ' ' || " FIND_WORD("f.object")
    " WHEN f.object IS NOT NULL THEN " PAYCTL "'change show '"
    " || " FIND_WORD("f.object")
    " WHEN f.checkout_id IS NULL THEN ''"
    " ELSE " PAYCTL "'explain --merchant ' || " FIND_WORD("f.merchant_id")
    " || ' ' || " FIND_WORD("coalesce(f.payment_order_id, f.checkout_id)")
    " END AS next"
    " FROM pay_view.find($1, $2, $3) f";

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
    "find", find_sql, 3, "payctl: nothing is known by that name", PAY_CLI_NO,
    filters, NULL, NULL
};


int
pay_cli_find(int argc, char **argv)
{
    int          words, code = PAY_CLI_USAGE;
    pay_heap_t  *heap;
    const char  *dsn = NULL, *keyring = getenv("PAYCTL_KEYRING");
    const char  *values[3] = { NULL, NULL, NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[1], NULL },
        { "--keyring", &keyring, NULL },
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

    heap = pay_heap_create();
    if (heap == NULL) {
        return PAY_CLI_USAGE;
    }

    if (strchr(values[0], '@') == NULL || keyring == NULL
        || find_hash(pay_heap_arena(heap), keyring, values[0], &values[2]))
    {
        code = pay_cli_list(&find_list, dsn, values);
    }

    if (code == PAY_CLI_NO && strchr(values[0], '@') != NULL
        && keyring == NULL)
    {
        fputs("payctl: find: an address of mail is found with --keyring\n",
              stderr);
    }

    pay_heap_destroy(heap);

    return code;
}


/* The database has no addresses to look for, only keyed hashes; *hash stays
 * NULL for a text that is no address. */
static int
find_hash(pay_arena_t *arena, const char *keyring, const char *address,
    const char **hash)
{
    int             has_keys;
    pay_str_t       text, kept;
    pay_risk_t      risk;
    pay_keyring_t   ring;

    memset(&risk, 0, sizeof(risk));

    if (!pay_cli_keyring("find", keyring, &ring)) {
        return 0;
    }

    has_keys = pay_risk_keys(&ring, &risk) == PAY_OK;
    pay_keyring_wipe(&ring);

    if (has_keys
        && pay_risk_list_value(arena, &risk, 0, PAY_STR("email"),
                               pay_str_of(address), &text) == PAY_OK
        && pay_dup(arena, text, &kept) == PAY_OK)
    {
        *hash = (const char *) kept.data;
    }

    return has_keys;
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

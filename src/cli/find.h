/*
 * Finds a payment by a name that an operator has: ids, tokens, references,
 * keys.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_FIND_H
#define PAY_SRC_CLI_FIND_H

#include <libpq-fe.h>


/* The orders of the one checkout that `what` leads to (merchant_id,
 * payment_order_id, in their order): *orders, which the caller clears, and
 * PAY_CLI_OK.  Else *orders is NULL: PAY_CLI_NO when nothing is known by that
 * name, or when it leads to several checkouts, which are listed on stdout;
 * PAY_CLI_USAGE when the database refuses.  `merchant` may be NULL. */
int pay_cli_resolve(PGconn *conn, const char *what, const char *merchant,
    PGresult **orders);


#endif /* PAY_SRC_CLI_FIND_H */

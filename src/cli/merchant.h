/*
 * payctl merchant: the two databases of a move, and its parts.  Private to
 * src/cli.
 */

#ifndef PAY_SRC_CLI_MERCHANT_H
#define PAY_SRC_CLI_MERCHANT_H

#include <libpq-fe.h>


#define PAY_CLI_MERCHANT_NAME  "merchant"

/* from_name, to_name: of the cells.  Texts are borrowed. */
typedef struct {
    const char  *id;
    const char  *who;
    const char  *from_name;
    const char  *to_name;
    PGconn      *from;
    PGconn      *to;
} pay_cli_move_t;

/* Whether the merchant may move, as merchant_move.c says; each thing that is
 * missing is printed.  PAY_CLI_OK, PAY_CLI_NO, or PAY_CLI_USAGE after a
 * complaint. */
int pay_cli_move_ready(const pay_cli_move_t *move);

/* Takes the balances of sellers over, and ends transfers that an earlier call
 * has left open; is_new: makes transfers, else only these.  The same codes. */
int pay_cli_move_balances(const pay_cli_move_t *move, int is_new);

/* Proves that nothing of the merchant is in both databases; is_carried: nor any
 * available balance left in the old one.  The same codes. */
int pay_cli_move_proof(const pay_cli_move_t *move, int is_carried);


#endif /* PAY_SRC_CLI_MERCHANT_H */

/* The balance of a seller, and a page of its statement. */

#ifndef PAY_SELLER_H
#define PAY_SELLER_H

#include "pay_money.h"


#define PAY_STATEMENT_LIMIT      50    /* lines, when the query does not say */
#define PAY_STATEMENT_LIMIT_MAX  100

typedef struct {
    const pay_currency_t  *currency;
    int64_t                before;     /* lines with a lower number; 0: the
                                          newest */
    int64_t                limit;
} pay_statement_t;


/* 1 to 64 visible ASCII characters, as in a request's seller_account. */
int pay_seller_is_valid(pay_str_t seller);

/* The query of a statement, "currency=EUR&limit=50&before=7" without the '?'.
 * currency is required; PAY_INVALID "validation-error" for an argument that is
 * unknown, comes twice or is out of bounds, "currency-unsupported". */
pay_status_t pay_statement_parse(pay_str_t query, pay_statement_t *statement,
    pay_err_t *err) PAY_MUST_CHECK;

/* Renders {"seller_account","balances":[…]} from the rows of get_balance. */
pay_status_t pay_balance_render(pay_arena_t *arena, pay_str_t seller,
    pay_str_t balances, pay_str_t *json) PAY_MUST_CHECK;

/* Renders {"seller_account","currency","lines":[…],"next"} from the rows of
 * get_statement. */
pay_status_t pay_statement_render(pay_arena_t *arena, pay_str_t seller,
    const pay_statement_t *statement, pay_str_t lines, pay_str_t *json)
    PAY_MUST_CHECK;


#endif /* PAY_SELLER_H */

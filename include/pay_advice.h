/*
 * A remittance advice as its page shows it: the members of an answer of
 * get_payout_advice as texts.
 */

#ifndef PAY_ADVICE_H
#define PAY_ADVICE_H

#include "pay_arena.h"
#include "pay_status.h"
#include "pay_str.h"


#define PAY_ADVICE_LINES_MAX  1000

/* opening to closing are the sums, in the order in which they add up. */
typedef enum {
    PAY_ADVICE_PAYOUT = 0,
    PAY_ADVICE_STATE,
    PAY_ADVICE_MERCHANT,
    PAY_ADVICE_SELLER,
    PAY_ADVICE_CURRENCY,
    PAY_ADVICE_PROVIDER,
    PAY_ADVICE_ACCOUNT,
    PAY_ADVICE_MADE_AT,
    PAY_ADVICE_OPENING,
    PAY_ADVICE_SALES,
    PAY_ADVICE_REFUNDS,
    PAY_ADVICE_DISPUTES,
    PAY_ADVICE_FEES,
    PAY_ADVICE_RESERVE,
    PAY_ADVICE_PAYOUTS,
    PAY_ADVICE_ADJUSTMENTS,
    PAY_ADVICE_PAID,
    PAY_ADVICE_CLOSING,
    PAY_ADVICE_SHA256,
    PAY_ADVICE_VALUES
} pay_advice_value_t;

typedef enum {
    PAY_ADVICE_LINE_AT = 0,
    PAY_ADVICE_LINE_PART,
    PAY_ADVICE_LINE_KIND,
    PAY_ADVICE_LINE_ORDER,             /* empty: of no order */
    PAY_ADVICE_LINE_AMOUNT,
    PAY_ADVICE_LINE_PAID,              /* "yes" or empty */
    PAY_ADVICE_COLUMNS
} pay_advice_column_t;

typedef struct {
    pay_str_t   values[PAY_ADVICE_VALUES];
    pay_str_t  *columns[PAY_ADVICE_COLUMNS];     /* of each as many as lines */
    size_t      lines;
    int         has_more;              /* older lines than these */
} pay_advice_t;


/* The name of a member, for example "opening". */
const char *pay_advice_name(pay_advice_value_t value);

/* Reads an answer of SQL; the texts are copies in the arena.  An answer of
 * another form is PAY_BUG. */
pay_status_t pay_advice_read(pay_arena_t *arena, pay_str_t page,
    pay_advice_t *advice) PAY_MUST_CHECK;


#endif /* PAY_ADVICE_H */

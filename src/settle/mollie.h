/*
 * Shared by the files of Mollie's settlements: mollie.c reads the settlement
 * and its parts, mollie_costs.c its periods; mollie_row.c has the amounts and
 * rows of both.
 */

#ifndef PAY_SETTLE_MOLLIE_H
#define PAY_SETTLE_MOLLIE_H

#include "settle/settle.h"


/* the member of a payment's metadata that holds our reference (src/psp) */
#define MOLLIE_METADATA  "reference"

/* The settlement as far as it has been read.  `amount` is in minor units of
 * `currency`; `settled` is its time as written and `day` its day, for rows
 * without one; `reference` is the text that the bank statement repeats. */
typedef struct {
    char                   id[PAY_SETTLE_ID_MAX + 1];
    char                   reference[PAY_SETTLE_ID_MAX + 1];
    char                   settled[64];
    char                   day[11];
    int64_t                amount;
    int64_t                rounded;    /* amounts that were */
    const pay_currency_t  *currency;   /* NULL: no settlement yet */
    int                    has_more[4];
} mollie_t;


/* An amount {currency, value}; with `rounded` it may have more decimals than
 * its currency. */
pay_status_t pay_settle_mollie_money(pay_settle_reader_t *reader,
    const pay_json_t *item, const char *member,
    const pay_currency_t **currency, int64_t *minor, int64_t *rounded)
    PAY_MUST_CHECK;
/* Hands out a row of the settlement. */
pay_status_t pay_settle_mollie_emit(pay_settle_reader_t *reader,
    mollie_t *state, const pay_currency_t *currency, pay_settle_row_t *row)
    PAY_MUST_CHECK;
/* A row of fees for each cost of {year: {month: {costs: […]}}}. */
pay_status_t pay_settle_mollie_costs(pay_settle_reader_t *reader,
    mollie_t *state, const pay_json_t *periods) PAY_MUST_CHECK;


#endif /* PAY_SETTLE_MOLLIE_H */

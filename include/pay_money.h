/*
 * Money: decimal strings on the wire, checked 64-bit minor units inside, the
 * exponent from ISO 4217 (list one as of amendment 180, 2026; fund, metal and
 * test codes left out).  Never a float, never rounded.
 */

#ifndef PAY_MONEY_H
#define PAY_MONEY_H

#include "pay_arena.h"


#define PAY_AMOUNT_MAX_MINOR   INT64_C(999999999999999)   /* of one order */
#define PAY_AMOUNT_TEXT_MAX    24


typedef struct {
    char     code[4];
    uint8_t  exponent;         /* 0, 2, 3 or 4 */
} pay_currency_t;


/* The currency of an upper-case three-letter code.  Unknown, lower-case,
 * XXX, XTS, metals: PAY_INVALID, "currency-unsupported". */
pay_status_t pay_currency_find(pay_str_t code, const pay_currency_t **currency,
    pay_err_t *err) PAY_MUST_CHECK;

/* The same for the currencies of new payments: currencies that have been
 * withdrawn are known above only so that old payments can be read and paid
 * back. */
pay_status_t pay_currency_current(pay_str_t code,
    const pay_currency_t **currency, pay_err_t *err) PAY_MUST_CHECK;

/* All currencies, for tests and the SQL seed; ends with an empty code. */
const pay_currency_t *pay_currency_table(void);

/* "12.34" → 1234.  The grammar is (0|[1-9][0-9]{0,14})(\.[0-9]+)? with exactly
 * the currency's number of decimals ("12" or "12.3" USD is refused, "1200"
 * JPY right, "1200.0" JPY refused), > 0, at most
 * PAY_AMOUNT_MAX_MINOR; else PAY_INVALID, "amount-invalid". */
pay_status_t pay_amount_parse(pay_str_t text, const pay_currency_t *currency,
    int64_t *minor, pay_err_t *err) PAY_MUST_CHECK;

/* The same of a fee, which may be zero. */
pay_status_t pay_fee_parse(pay_str_t text, const pay_currency_t *currency,
    int64_t *minor, pay_err_t *err) PAY_MUST_CHECK;

/* 1234 → "12.34"; negative numbers get a leading minus. */
pay_status_t pay_amount_format(pay_arena_t *arena, int64_t minor,
    const pay_currency_t *currency, pay_str_t *text) PAY_MUST_CHECK;

/* The same into a buffer. */
void pay_buf_amount(pay_buf_t *buf, int64_t minor,
    const pay_currency_t *currency);

/* a + b, or PAY_INVALID "amount-invalid" on overflow. */
pay_status_t pay_amount_add(int64_t a, int64_t b, int64_t *sum,
    pay_err_t *err) PAY_MUST_CHECK;


#endif /* PAY_MONEY_H */

/*
 * A document of rates of exchange, as a configured source gives it:
 * {"base": "EUR", "rates": {"USD": "1.0843", "JPY": 163.9}}.  A rate is taken
 * as it is written, digit by digit; no float comes near it.
 */

#ifndef PAY_RATES_H
#define PAY_RATES_H

#include "pay_arena.h"


#define PAY_RATES_DOCUMENT_MAX  65536  /* bytes */
#define PAY_RATES_DIGITS_MAX    12     /* significant ones of a rate */


/* The rates of the currencies that are known, each a plain decimal number:
 * *rates becomes the text of {"USD":"1.0843","JPY":"163.9"}.  Codes that are
 * none, and members that are not asked for, are ignored.  PAY_INVALID refuses
 * the whole document; err->slug says why:
 *   invalid-json, duplicate-member, content-too-large
 *   base-differs   it is of another base, or says none
 *   rate-invalid   a rate of a known currency is no number, not positive,
 *                  below 0.000000000001, above 999999999999, or has more than
 *                  12 significant digits; or that of the base is not 1
 *   rates-missing  there is no rate of another currency in it */
pay_status_t pay_rates_parse(pay_arena_t *arena, pay_str_t document,
    pay_str_t base, pay_str_t *rates, pay_err_t *err) PAY_MUST_CHECK;


#endif /* PAY_RATES_H */

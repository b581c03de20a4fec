/*
 * Money: the table of ISO 4217 and exact conversion between decimal strings
 * and minor units.  No float comes near it: 19.99 * 100 truncates to 1998
 * (docs/security.md T24), and no amount is ever rounded.
 */

#include <stdlib.h>

#include "pay_money.h"
#include "pay_time.h"


#define PAY_CURRENCY_LEN    3
#define PAY_WHOLE_DIGITS    15    /* of the grammar */


static int pay_currency_compare(const void *code, const void *currency);
static const char *pay_amount_check(pay_str_t text,
    const pay_currency_t *currency);
static size_t pay_amount_print(int64_t minor, const pay_currency_t *currency,
    unsigned char text[PAY_AMOUNT_TEXT_MAX]);


/* List one in alphabetical order, without funds (but CLF, the only unit with
 * four decimals in everyday prices), metals, bonds and test codes. */
static const pay_currency_t  pay_currencies[] = {
    { "AED", 2 }, { "AFN", 2 }, { "ALL", 2 }, { "AMD", 2 }, { "ANG", 2 },
    { "AOA", 2 }, { "ARS", 2 }, { "AUD", 2 }, { "AWG", 2 }, { "AZN", 2 },
    { "BAM", 2 }, { "BBD", 2 }, { "BDT", 2 }, { "BGN", 2 }, { "BHD", 3 },
    { "BIF", 0 }, { "BMD", 2 }, { "BND", 2 }, { "BOB", 2 }, { "BRL", 2 },
    { "BSD", 2 }, { "BTN", 2 }, { "BWP", 2 }, { "BYN", 2 }, { "BZD", 2 },
    { "CAD", 2 }, { "CDF", 2 }, { "CHF", 2 }, { "CLF", 4 }, { "CLP", 0 },
    { "CNY", 2 }, { "COP", 2 }, { "CRC", 2 }, { "CUP", 2 }, { "CVE", 2 },
    { "CZK", 2 }, { "DJF", 0 }, { "DKK", 2 }, { "DOP", 2 }, { "DZD", 2 },
    { "EGP", 2 }, { "ERN", 2 }, { "ETB", 2 }, { "EUR", 2 }, { "FJD", 2 },
    { "FKP", 2 }, { "GBP", 2 }, { "GEL", 2 }, { "GHS", 2 }, { "GIP", 2 },
    { "GMD", 2 }, { "GNF", 0 }, { "GTQ", 2 }, { "GYD", 2 }, { "HKD", 2 },
    { "HNL", 2 }, { "HTG", 2 }, { "HUF", 2 }, { "IDR", 2 }, { "ILS", 2 },
    { "INR", 2 }, { "IQD", 3 }, { "IRR", 2 }, { "ISK", 0 }, { "JMD", 2 },
    { "JOD", 3 }, { "JPY", 0 }, { "KES", 2 }, { "KGS", 2 }, { "KHR", 2 },
    { "KMF", 0 }, { "KPW", 2 }, { "KRW", 0 }, { "KWD", 3 }, { "KYD", 2 },
    { "KZT", 2 }, { "LAK", 2 }, { "LBP", 2 }, { "LKR", 2 }, { "LRD", 2 },
    { "LSL", 2 }, { "LYD", 3 }, { "MAD", 2 }, { "MDL", 2 }, { "MGA", 2 },
    { "MKD", 2 }, { "MMK", 2 }, { "MNT", 2 }, { "MOP", 2 }, { "MRU", 2 },
    { "MUR", 2 }, { "MVR", 2 }, { "MWK", 2 }, { "MXN", 2 }, { "MYR", 2 },
    { "MZN", 2 }, { "NAD", 2 }, { "NGN", 2 }, { "NIO", 2 }, { "NOK", 2 },
    { "NPR", 2 }, { "NZD", 2 }, { "OMR", 3 }, { "PAB", 2 }, { "PEN", 2 },
    { "PGK", 2 }, { "PHP", 2 }, { "PKR", 2 }, { "PLN", 2 }, { "PYG", 0 },
    { "QAR", 2 }, { "RON", 2 }, { "RSD", 2 }, { "RUB", 2 }, { "RWF", 0 },
    { "SAR", 2 }, { "SBD", 2 }, { "SCR", 2 }, { "SDG", 2 }, { "SEK", 2 },
    { "SGD", 2 }, { "SHP", 2 }, { "SLE", 2 }, { "SOS", 2 }, { "SRD", 2 },
    { "SSP", 2 }, { "STN", 2 }, { "SVC", 2 }, { "SYP", 2 }, { "SZL", 2 },
    { "THB", 2 }, { "TJS", 2 }, { "TMT", 2 }, { "TND", 3 }, { "TOP", 2 },
    { "TRY", 2 }, { "TTD", 2 }, { "TWD", 2 }, { "TZS", 2 }, { "UAH", 2 },
    { "UGX", 0 }, { "USD", 2 }, { "UYU", 2 }, { "UZS", 2 }, { "VED", 2 },
    { "VES", 2 }, { "VND", 0 }, { "VUV", 0 }, { "WST", 2 }, { "XAF", 0 },
    { "XCD", 2 }, { "XCG", 2 }, { "XOF", 0 }, { "XPF", 0 }, { "YER", 2 },
    { "ZAR", 2 }, { "ZMW", 2 }, { "ZWG", 2 },
    { "", 0 }
};


/* Those of them that ISO 4217 has moved to list three: ANG is XCG since March
 * 2025 (amendment 176), BGN is EUR since January 2026 (amendment 180). */
static const char  pay_currencies_withdrawn[][4] = { "ANG", "BGN" };


/* A binary search: pay_currencies is sorted, which tests/unit/test_money.c
 * holds. */
pay_status_t
pay_currency_find(pay_str_t code, const pay_currency_t **currency,
    pay_err_t *err)
{
    const pay_currency_t  *found = NULL;

    if (code.len == PAY_CURRENCY_LEN) {
        found = bsearch(code.data, pay_currencies,
                        sizeof(pay_currencies) / sizeof(pay_currencies[0]) - 1,
                        sizeof(pay_currencies[0]), pay_currency_compare);
    }

    if (found == NULL) {
        return pay_refuse(err, "currency-unsupported",
                          "The currency is not an upper-case ISO 4217 code "
                          "of a currency that can be paid in.");
    }

    *currency = found;

    return PAY_OK;
}


/* For new payments only.  A refund of a payment in BGN must still find its
 * currency years later, by pay_currency_find(). */
pay_status_t
pay_currency_current(pay_str_t code, const pay_currency_t **currency,
    pay_err_t *err)
{
    size_t                 i;
    const pay_currency_t  *found;

    PAY_TRY(pay_currency_find(code, &found, err));

    for (i = 0; i < sizeof(pay_currencies_withdrawn) / 4; i++) {
        if (memcmp(found->code, pay_currencies_withdrawn[i], 4) == 0) {
            return pay_refuse(err, "currency-unsupported",
                              "The currency has been withdrawn.");
        }
    }

    *currency = found;

    return PAY_OK;
}


const pay_currency_t *
pay_currency_table(void)
{
    return pay_currencies;
}


/* Zero is no payment (docs/security.md X45). */
pay_status_t
pay_amount_parse(pay_str_t text, const pay_currency_t *currency,
    int64_t *minor, pay_err_t *err)
{
    int64_t  value;

    PAY_TRY(pay_fee_parse(text, currency, &value, err));

    if (value == 0) {
        return pay_refuse(err, "amount-invalid",
                          "The amount must be greater than zero.");
    }

    *minor = value;

    return PAY_OK;
}


/* Form first, number then: a refusal says whether the text or the size is
 * wrong. */
pay_status_t
pay_fee_parse(pay_str_t text, const pay_currency_t *currency,
    int64_t *minor, pay_err_t *err)
{
    size_t       i;
    int64_t      value = 0;
    const char  *trouble;

    trouble = pay_amount_check(text, currency);
    if (trouble != NULL) {
        return pay_refuse(err, "amount-invalid", trouble);
    }

    for (i = 0; i < text.len; i++) {
        /* pay_amount_check() has seen to it that the decimals are as many as
         * the exponent, so that leaving out the point is the conversion to
         * minor units. */
        if (text.data[i] == '.') {
            continue;
        }

        /* the bound is far below INT64_MAX / 10, so this can't overflow */
        value = value * 10 + (text.data[i] - '0');

        if (value > PAY_AMOUNT_MAX_MINOR) {
            return pay_refuse(err, "amount-invalid",
                              "The amount is larger than one order may be.");
        }
    }

    *minor = value;

    return PAY_OK;
}


/* No locale and no separators: the text is the one that pay_amount_parse()
 * reads. */
pay_status_t
pay_amount_format(pay_arena_t *arena, int64_t minor,
    const pay_currency_t *currency, pay_str_t *text)
{
    size_t         len;
    unsigned char  out[PAY_AMOUNT_TEXT_MAX];

    len = pay_amount_print(minor, currency, out);

    return pay_dup(arena, (pay_str_t) { len, out + sizeof(out) - len }, text);
}


void
pay_buf_amount(pay_buf_t *buf, int64_t minor, const pay_currency_t *currency)
{
    size_t         len;
    unsigned char  out[PAY_AMOUNT_TEXT_MAX];

    len = pay_amount_print(minor, currency, out);
    pay_buf_add(buf, (pay_str_t) { len, out + sizeof(out) - len });
}


/* Amounts are int64_t in minor units everywhere.  A sum over many orders is
 * the only place where they could overflow (docs/security.md X49). */
pay_status_t
pay_amount_add(int64_t a, int64_t b, int64_t *sum, pay_err_t *err)
{
    int64_t  result;

    if (__builtin_add_overflow(a, b, &result)) {
        return pay_refuse(err, "amount-invalid",
                          "The sum of the amounts is too large.");
    }

    *sum = result;

    return PAY_OK;
}


/* The code of a stranger has exactly three bytes and no NUL behind it. */
static int
pay_currency_compare(const void *code, const void *currency)
{
    return memcmp(code, ((const pay_currency_t *) currency)->code,
                  PAY_CURRENCY_LEN);
}


/* NULL when the text fits (0|[1-9][0-9]{0,14})(\.[0-9]+)? and has the
 * currency's number of decimals; else the sentence for the sender.  "12.3" USD
 * is refused and not completed: 12.3 may be a typing error for 123 as well as
 * for 12.30. */
static const char *
pay_amount_check(pay_str_t text, const pay_currency_t *currency)
{
    size_t  whole = pay_digits_count(text, 0);
    size_t  decimals = 0;

    if (whole == 0 || (whole > 1 && text.data[0] == '0')) {
        return "The amount must be a plain decimal number such as 12.34, "
               "without sign, blanks or leading zeros.";
    }

    if (whole > PAY_WHOLE_DIGITS) {
        return "The amount has more than 15 digits before the point.";
    }

    if (whole < text.len) {
        decimals = pay_digits_count(text, whole + 1);

        if (text.data[whole] != '.' || decimals == 0
            || whole + 1 + decimals != text.len)
        {
            return "The amount must be a plain decimal number such as 12.34, "
                   "without sign, blanks or leading zeros.";
        }
    }

    if (decimals != currency->exponent) {
        return "The amount must have exactly as many decimals as its "
               "currency: 12.34 USD, 1200 JPY, 1.234 KWD.";
    }

    return NULL;
}


/* Writes to the end of `text` and returns the length.  Digits come from the
 * last one on; the loop goes on until one digit stands before the point, so
 * that 5 minor units of USD are "0.05". */
static size_t
pay_amount_print(int64_t minor, const pay_currency_t *currency,
    unsigned char text[PAY_AMOUNT_TEXT_MAX])
{
    size_t    len = 0;
    unsigned  digits = 0;
    uint64_t  rest;

    rest = minor < 0 ? (uint64_t) -(minor + 1) + 1 : (uint64_t) minor;

    do {
        if (digits != 0 && digits == currency->exponent) {
            text[PAY_AMOUNT_TEXT_MAX - ++len] = '.';
        }

        text[PAY_AMOUNT_TEXT_MAX - ++len] = (unsigned char) ('0' + rest % 10);
        rest /= 10;
        digits++;
    } while (rest != 0 || digits <= currency->exponent);

    if (minor < 0) {
        text[PAY_AMOUNT_TEXT_MAX - ++len] = '-';
    }

    return len;
}

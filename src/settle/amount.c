/*
 * Amounts of settlement files: one unit for each (PSP, medium), which says
 * where the point is and how many decimals a currency has there.  No float,
 * no rounding; digits that ISO 4217 has no place for must be zeros.
 */

#include "settle/settle.h"


/* one digit more fits; sums of some of them cannot run over */
#define AMOUNT_MAX  INT64_C(100000000000000000)

/* The digits of an amount as they are written, before it is known how many
 * decimals count. */
typedef struct {
    int64_t   value;                   /* without the point */
    unsigned  decimals;
    int       has_point;
    int       is_negative;
} amount_t;

/* A known payment: its text in a unit, and the minor units that it must
 * become. */
typedef struct {
    const pay_settle_unit_t  *unit;
    const char               *currency;
    const char               *text;
    int64_t                   minor;
} amount_case_t;


static pay_status_t amount_unproven(pay_settle_reader_t *reader,
    const char *column, const pay_currency_t *currency);
static pay_status_t amount_verdict(pay_settle_reader_t *reader,
    const char *column, const char *trouble);
static const char *amount_read(const pay_settle_unit_t *unit, pay_str_t text,
    const pay_currency_t *currency, int decimals, int64_t *minor);
static const char *amount_digits(const pay_settle_unit_t *unit,
    pay_str_t text, amount_t *amount);
static const char *amount_shift(int64_t value, unsigned from, unsigned to,
    int64_t *minor);
static int amount_decimals(const pay_settle_unit_t *unit,
    const pay_settle_options_t *options, const pay_currency_t *currency);


/* docs/psp/stripe.md#amounts: MGA in whole units, these two with 00. */
static const pay_settle_decimals_t  stripe_odd[] = {
    { "ISK", 2 }, { "MGA", 0 }, { "UGX", 2 }, { "", 0 }
};

static const pay_settle_decimals_t  none_odd[] = { { "", 0 } };

/* One unit for each medium.  A PSP's file and its API disagree more often than
 * not: Stripe's report is in major units and its API in minor ones. */
const pay_settle_unit_t  pay_settle_unit_generic = {
    .name = "generic csv", .point = '.', .is_exact = 1, .odd = none_odd
};

const pay_settle_unit_t  pay_settle_unit_stripe_csv = {
    .name = "stripe csv", .point = '.', .odd = none_odd
};

const pay_settle_unit_t  pay_settle_unit_stripe_json = {
    .name = "stripe json", .odd = stripe_odd
};

const pay_settle_unit_t  pay_settle_unit_adyen_csv = {
    .name = "adyen csv", .point = '.', .odd = none_odd
};

const pay_settle_unit_t  pay_settle_unit_paypal = {
    .name = "paypal stl", .is_unsigned = 1, .is_unsure = 1, .odd = none_odd
};

const pay_settle_unit_t  pay_settle_unit_square = {
    .name = "square json", .odd = none_odd
};

const pay_settle_unit_t  pay_settle_unit_mollie = {
    .name = "mollie json", .point = '.', .odd = none_odd
};

const pay_settle_unit_t  pay_settle_unit_camt = {
    .name = "camt.053 xml", .point = '.', .is_unsigned = 1, .odd = none_odd
};

const pay_settle_unit_t  pay_settle_unit_mt940 = {
    .name = "mt940", .point = ',', .is_unsigned = 1, .odd = none_odd
};

/* One known payment at least for each unit, and one for each of its oddities:
 * a unit that is a hundred times off is not found by any total. */
static const amount_case_t  cases[] = {
    { &pay_settle_unit_generic, "EUR", "-12.00", -1200 },
    { &pay_settle_unit_generic, "JPY", "1200", 1200 },
    { &pay_settle_unit_generic, "KWD", "1.234", 1234 },
    { &pay_settle_unit_stripe_csv, "USD", "25", 2500 },
    { &pay_settle_unit_stripe_csv, "USD", "-0.5", -50 },
    { &pay_settle_unit_stripe_csv, "JPY", "500", 500 },
    { &pay_settle_unit_stripe_csv, "UGX", "500.00", 500 },
    { &pay_settle_unit_stripe_json, "USD", "1234", 1234 },
    { &pay_settle_unit_stripe_json, "JPY", "500", 500 },
    { &pay_settle_unit_stripe_json, "ISK", "50000", 500 },
    { &pay_settle_unit_stripe_json, "UGX", "50000", 500 },
    { &pay_settle_unit_stripe_json, "MGA", "5", 500 },
    { &pay_settle_unit_stripe_json, "KWD", "1230", 1230 },
    { &pay_settle_unit_adyen_csv, "EUR", "0.76", 76 },
    { &pay_settle_unit_adyen_csv, "USD", "10", 1000 },
    { &pay_settle_unit_adyen_csv, "JPY", "1200", 1200 },
    { &pay_settle_unit_adyen_csv, "KWD", "1.234", 1234 },
    { &pay_settle_unit_paypal, "BRL", "1500", 1500 },
    { &pay_settle_unit_square, "USD", "1234", 1234 },
    { &pay_settle_unit_square, "JPY", "1234", 1234 },
    { &pay_settle_unit_mollie, "EUR", "39.75", 3975 },
    { &pay_settle_unit_mollie, "EUR", "39.7500", 3975 },
    { &pay_settle_unit_camt, "EUR", "18.15000", 1815 },
    { &pay_settle_unit_camt, "JPY", "2700", 2700 },
    { &pay_settle_unit_mt940, "EUR", "6800,", 680000 },
    { &pay_settle_unit_mt940, "EUR", "000000000025,00", 2500 },
    { &pay_settle_unit_mt940, "EUR", "970499,9", 97049990 }
};


pay_status_t
pay_settle_currency(pay_settle_reader_t *reader, const char *column,
    pay_str_t code, const pay_currency_t **currency)
{
    if (pay_settle_currency_find(code, currency) == PAY_OK) {
        return PAY_OK;
    }

    return pay_settle_refuse(reader, "currency-unknown", column,
                             "a currency of ISO 4217");
}


/* Stripe writes codes in lower case; other spellings are refused, never
 * guessed. */
pay_status_t
pay_settle_currency_find(pay_str_t code, const pay_currency_t **currency)
{
    size_t         i;
    unsigned char  upper[3];

    if (code.len == sizeof(upper)) {
        for (i = 0; i < sizeof(upper); i++) {
            upper[i] = code.data[i];
            if (upper[i] >= 'a' && upper[i] <= 'z') {
                upper[i] = (unsigned char) (upper[i] - 'a' + 'A');
            }
        }

        code.data = upper;

        if (pay_currency_find(code, currency, NULL) == PAY_OK) {
            return PAY_OK;
        }
    }

    return PAY_INVALID;
}


/* Units without a point are integers in JSON, the others are strings. */
pay_status_t
pay_settle_amount_said(const pay_settle_unit_t *unit, const pay_json_t *said,
    const pay_currency_t *currency, int64_t *minor)
{
    int                   decimals;
    int64_t               theirs;
    pay_str_t             text;
    const char           *trouble;
    pay_settle_options_t  options;

    memset(&options, 0, sizeof(options));
    decimals = amount_decimals(unit, &options, currency);

    if (decimals < 0) {
        return PAY_INVALID;
    }

    if (unit->point == 0) {
        trouble = pay_json_integer(said, &theirs) == PAY_OK
                  ? amount_shift(theirs, (unsigned) decimals,
                                 currency->exponent, minor)
                  : "an integer";

    } else {
        trouble = pay_json_string(said, &text) == PAY_OK
                  ? amount_read(unit, text, currency, decimals, minor)
                  : "a string";
    }

    return trouble == NULL ? PAY_OK : PAY_INVALID;
}


/* "exponent-unproven" is a refusal and no default, because an amount that is
 * read a hundred times too large balances in every total of the file. */
pay_status_t
pay_settle_amount(pay_settle_reader_t *reader, const pay_settle_unit_t *unit,
    const char *column, pay_str_t text, const pay_currency_t *currency,
    int64_t *minor)
{
    int  decimals;

    decimals = amount_decimals(unit, &reader->options, currency);
    if (decimals < 0) {
        return amount_unproven(reader, column, currency);
    }

    return amount_verdict(reader, column,
                          amount_read(unit, text, currency, decimals, minor));
}


pay_status_t
pay_settle_amount_at(pay_settle_reader_t *reader,
    const pay_settle_unit_t *unit, const pay_settle_record_t *record,
    unsigned n, const pay_currency_t *currency, int64_t *minor)
{
    PAY_TRY(pay_settle_needed(reader, record, n));

    return pay_settle_amount(reader, unit, record->columns[n].name,
                             pay_settle_field(record, n), currency, minor);
}


/* Only Mollie's costs are rounded; *rounded bounds the difference that may be
 * left over in the end.  Half goes away from zero, since the sign is put on
 * last. */
pay_status_t
pay_settle_amount_round(pay_settle_reader_t *reader,
    const pay_settle_unit_t *unit, const char *column, pay_str_t text,
    const pay_currency_t *currency, int64_t *minor, int64_t *rounded)
{
    int       is_round = 1, last = 0;
    amount_t  amount;

    PAY_TRY(amount_verdict(reader, column,
                           amount_digits(unit, text, &amount)));

    /* the first of the digits that are left over decides */
    for ( /* void */ ; amount.decimals > currency->exponent;
          amount.decimals--)
    {
        last = (int) (amount.value % 10);
        is_round = is_round && last == 0;
        amount.value /= 10;
    }

    amount.value += last >= 5;
    *rounded += !is_round;

    if (amount.is_negative) {
        amount.value = -amount.value;
    }

    return amount_verdict(reader, column,
                          amount_shift(amount.value, amount.decimals,
                                       currency->exponent, minor));
}


/* For media without a point: the integer is in the PSP's own minor units,
 * whose decimals may differ from ISO 4217's. */
pay_status_t
pay_settle_amount_of(pay_settle_reader_t *reader,
    const pay_settle_unit_t *unit, const char *column, int64_t theirs,
    const pay_currency_t *currency, int64_t *minor)
{
    int  decimals;

    decimals = amount_decimals(unit, &reader->options, currency);
    if (decimals < 0) {
        return amount_unproven(reader, column, currency);
    }

    return amount_verdict(reader, column,
                          amount_shift(theirs, (unsigned) decimals,
                                       currency->exponent, minor));
}


static pay_status_t
amount_unproven(pay_settle_reader_t *reader, const char *column,
    const pay_currency_t *currency)
{
    return pay_settle_refuse(reader, "exponent-unproven", column,
                             "a currency of two decimals; it is not proven "
                             "how %s is written here", currency->code);
}


/* Refuses the amount when there is trouble with it (not NULL). */
static pay_status_t
amount_verdict(pay_settle_reader_t *reader, const char *column,
    const char *trouble)
{
    if (trouble != NULL) {
        return pay_settle_refuse(reader, "amount-invalid", column, "%s",
                                 trouble);
    }

    return PAY_OK;
}


/* payctl runs it before each of its settlement commands, and nginx when it
 * reads a configuration with sources of settlement. */
pay_status_t
pay_settle_self_test(const char **unit)
{
    int                    decimals;
    size_t                 i;
    int64_t                minor;
    pay_str_t              code;
    const pay_currency_t  *currency;
    pay_settle_options_t   options;

    memset(&options, 0, sizeof(options));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        *unit = cases[i].unit->name;
        code = pay_str_of(cases[i].currency);

        if (pay_currency_find(code, &currency, NULL) != PAY_OK) {
            return PAY_BUG;
        }

        decimals = amount_decimals(cases[i].unit, &options, currency);
        minor = 0;

        if (decimals < 0
            || amount_read(cases[i].unit, pay_str_of(cases[i].text), currency,
                           decimals, &minor) != NULL
            || minor != cases[i].minor)
        {
            return PAY_BUG;
        }
    }

    return PAY_OK;
}


/* NULL, or the expected form.  With a point the text itself says how many
 * decimals it has; without one the unit does. */
static const char *
amount_read(const pay_settle_unit_t *unit, pay_str_t text,
    const pay_currency_t *currency, int decimals, int64_t *minor)
{
    int64_t      value;
    amount_t     amount;
    const char  *trouble;

    trouble = amount_digits(unit, text, &amount);
    if (trouble != NULL) {
        return trouble;
    }

    if (unit->is_exact && (amount.decimals != currency->exponent
                           || amount.has_point != (amount.decimals != 0)))
    {
        return "just as many decimals as the currency has";
    }

    value = amount.is_negative ? -amount.value : amount.value;

    return amount_shift(value,
                        unit->point != 0 ? amount.decimals
                                         : (unsigned) decimals,
                        currency->exponent, minor);
}


/* NULL, or the expected form.  Leading zeros are right in MT940, and "12," is;
 * "12." is not, since it may be the rest of a longer number. */
static const char *
amount_digits(const pay_settle_unit_t *unit, pay_str_t text, amount_t *amount)
{
    size_t  i = 0, digits = 0;

    memset(amount, 0, sizeof(*amount));

    if (text.len != 0 && text.data[0] == '-') {
        if (unit->is_unsigned) {
            return "an amount without a sign";
        }

        amount->is_negative = 1;
        i++;
    }

    for ( /* void */ ; i < text.len; i++) {
        if (unit->point != 0 && text.data[i] == unit->point
            && !amount->has_point)
        {
            amount->has_point = 1;
            continue;
        }

        if (text.data[i] < '0' || text.data[i] > '9') {
            return unit->point != 0 ? "a decimal number"
                                    : "an integer without a point";
        }

        if (amount->value >= AMOUNT_MAX) {
            return "at most 18 digits";
        }

        amount->value = amount->value * 10 + (text.data[i] - '0');
        amount->decimals += (unsigned) amount->has_point;
        digits++;
    }

    if (digits == 0) {
        return "an amount";
    }

    return (unit->point == '.' && amount->has_point && amount->decimals == 0)
           ? "digits behind the point" : NULL;
}


/* An amount with `from` decimals as one with `to`.  Digits that would be lost
 * must be zeros: nothing is rounded here. */
static const char *
amount_shift(int64_t value, unsigned from, unsigned to, int64_t *minor)
{
    for ( /* void */ ; from > to; from--) {
        if (value % 10 != 0) {
            return "no more decimals than the currency has";
        }

        value /= 10;
    }

    for ( /* void */ ; from < to; from++) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            return "an amount below 2^63";
        }
    }

    if (value > AMOUNT_MAX || value < -AMOUNT_MAX) {
        return "an amount below 10^17 minor units";
    }

    *minor = value;

    return NULL;
}


/* How many decimals the medium means; -1: nobody knows.  A proven exponent of
 * the source's configuration counts only for units that are unsure; it cannot
 * bend a unit that is known. */
static int
amount_decimals(const pay_settle_unit_t *unit,
    const pay_settle_options_t *options, const pay_currency_t *currency)
{
    size_t                        i;
    const pay_settle_decimals_t  *odd;

    for (i = 0; unit->is_unsure && i < options->exponent_count; i++) {
        if (memcmp(options->exponents[i].currency, currency->code, 3) == 0
            && options->exponents[i].decimals <= 4)
        {
            return (int) options->exponents[i].decimals;
        }
    }

    for (odd = unit->odd; odd->code[0] != '\0'; odd++) {
        if (memcmp(odd->code, currency->code, 3) == 0) {
            return (int) odd->decimals;
        }
    }

    return (unit->is_unsure && currency->exponent != 2)
           ? -1 : currency->exponent;
}

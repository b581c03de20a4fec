/*
 * Stripe's amounts (docs/psp/stripe.md#amounts): minor units as in ISO 4217
 * but for a few currencies.  Checked, never rounded; what does not fit is
 * refused here, before a PSP could read it as another amount.
 */

#include "psp/psp.h"


typedef struct {
    char     code[4];
    uint8_t  multiply;         /* theirs = ours * multiply / divide */
    uint8_t  divide;
    uint8_t  step;             /* theirs is a multiple of this */
} stripe_unit_t;


static const stripe_unit_t *stripe_unit(const pay_currency_t *currency);


/* docs/psp/stripe.md#amounts.  Currencies with two decimals in ISO 4217 and
 * here need no row; others without a row are unsupported. */
static const stripe_unit_t  stripe_units[] = {
    { "BIF", 1, 1, 1 }, { "CLP", 1, 1, 1 }, { "DJF", 1, 1, 1 },
    { "GNF", 1, 1, 1 }, { "JPY", 1, 1, 1 }, { "KMF", 1, 1, 1 },
    { "KRW", 1, 1, 1 }, { "PYG", 1, 1, 1 }, { "RWF", 1, 1, 1 },
    { "VND", 1, 1, 1 }, { "VUV", 1, 1, 1 }, { "XAF", 1, 1, 1 },
    { "XOF", 1, 1, 1 }, { "XPF", 1, 1, 1 },
    { "ISK", 100, 1, 100 }, { "UGX", 100, 1, 100 },
    { "MGA", 1, 100, 1 },
    { "BHD", 1, 1, 10 }, { "JOD", 1, 1, 10 }, { "KWD", 1, 1, 10 },
    { "OMR", 1, 1, 10 }, { "TND", 1, 1, 10 },
    { "", 0, 0, 0 }
};

static const stripe_unit_t  stripe_plain_unit = { "", 1, 1, 1 };


pay_status_t
pay_stripe_to_theirs(const pay_currency_t *currency, int64_t ours,
    int64_t *theirs, pay_err_t *err)
{
    int64_t               amount;
    const stripe_unit_t  *unit;

    unit = stripe_unit(currency);

    if (unit == NULL) {
        return pay_refuse(err, "currency-unsupported",
                          "Stripe does not take this currency");
    }

    if (ours <= 0 || ours > INT64_MAX / unit->multiply
        || ours % unit->divide != 0)
    {
        return pay_refuse(err, "amount-invalid",
                          "Stripe takes whole units of this currency only");
    }

    amount = ours * unit->multiply / unit->divide;

    if (amount % unit->step != 0) {
        return pay_refuse(err, "amount-invalid",
                          "at Stripe the last decimal of this currency is 0");
    }

    *theirs = amount;

    return PAY_OK;
}


int64_t
pay_stripe_to_ours(const pay_currency_t *currency, int64_t theirs)
{
    const stripe_unit_t  *unit;

    unit = stripe_unit(currency);

    if (unit == NULL || theirs < 0 || theirs > INT64_MAX / unit->divide
        || theirs % unit->multiply != 0)
    {
        return 0;
    }

    if (theirs / unit->multiply > PAY_AMOUNT_MAX_MINOR / unit->divide) {
        return 0;
    }

    return theirs * unit->divide / unit->multiply;
}


pay_str_t
pay_stripe_currency(const pay_currency_t *currency,
    unsigned char text[PAY_STRIPE_CODE])
{
    size_t  i;

    for (i = 0; i < PAY_STRIPE_CODE; i++) {
        text[i] = (unsigned char) (currency->code[i] | 0x20);
    }

    return (pay_str_t) { PAY_STRIPE_CODE, text };
}


/* NULL when Stripe does not take the currency. */
static const stripe_unit_t *
stripe_unit(const pay_currency_t *currency)
{
    const stripe_unit_t  *unit;

    for (unit = stripe_units; unit->code[0] != '\0'; unit++) {
        if (pay_str_is(pay_str_of(currency->code), unit->code)) {
            return unit;
        }
    }

    return (currency->exponent == 2) ? &stripe_plain_unit : NULL;
}

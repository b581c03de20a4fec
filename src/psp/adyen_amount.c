/*
 * Adyen's amounts (docs/psp/adyen.md#amounts): minor units as in ISO 4217, but
 * for four currencies.  Checked, never rounded; what does not fit is refused
 * here, before Adyen could read it as another amount.
 */

#include "psp/adyen.h"


typedef struct {
    char     code[4];
    uint8_t  multiply;         /* theirs = ours * multiply / divide */
    uint8_t  divide;
} adyen_unit_t;


static const adyen_unit_t *adyen_unit(const pay_currency_t *currency);


/* Decimals at Adyen: CLP and ISK two, CVE and IDR none.  Its page of currency
 * codes names no other exception. */
static const adyen_unit_t  adyen_units[] = {
    { "CLP", 100, 1 }, { "CVE", 1, 100 }, { "IDR", 1, 100 },
    { "ISK", 100, 1 }, { "", 0, 0 }
};

static const adyen_unit_t  adyen_plain_unit = { "", 1, 1 };


pay_status_t
pay_adyen_to_theirs(const pay_currency_t *currency, int64_t ours,
    int64_t *theirs, pay_err_t *err)
{
    const adyen_unit_t  *unit;

    unit = adyen_unit(currency);

    if (unit == NULL) {
        return pay_refuse(err, "currency-unsupported",
                          "Adyen does not take this currency");
    }

    if (ours <= 0 || ours > INT64_MAX / unit->multiply
        || ours % unit->divide != 0)
    {
        return pay_refuse(err, "amount-invalid",
                          "Adyen takes whole units of this currency only");
    }

    *theirs = ours * unit->multiply / unit->divide;

    return PAY_OK;
}


int64_t
pay_adyen_to_ours(const pay_currency_t *currency, int64_t theirs)
{
    const adyen_unit_t  *unit;

    unit = adyen_unit(currency);

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


/* NULL when Adyen does not take the currency: none of its has four
 * decimals. */
static const adyen_unit_t *
adyen_unit(const pay_currency_t *currency)
{
    const adyen_unit_t  *unit;

    for (unit = adyen_units; unit->code[0] != '\0'; unit++) {
        if (pay_str_is(pay_str_of(currency->code), unit->code)) {
            return unit;
        }
    }

    return (currency->exponent <= 3) ? &adyen_plain_unit : NULL;
}


/* An amount that cannot be one of our orders' is told as 0, which no order
 * has: it lands in the mismatch queue. */
pay_status_t
pay_adyen_amount_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    size_t                 i;
    int64_t                value;
    pay_str_t              code;
    const pay_json_t      *amount;
    const pay_currency_t  *currency;

    amount = pay_json_get(json, "amount");

    if (pay_json_integer(pay_json_get(amount, "value"), &value) != PAY_OK
        || pay_json_string(pay_json_get(amount, "currency"), &code) != PAY_OK
        || code.len != 3)
    {
        return PAY_OK;
    }

    for (i = 0; i < code.len; i++) {
        if (code.data[i] < 'A' || code.data[i] > 'Z') {
            return PAY_OK;
        }
    }

    PAY_TRY(pay_dup(arena, code, &event->currency));

    event->has_amount = 1;
    event->amount_minor = 0;

    if (pay_currency_find(code, &currency, NULL) == PAY_OK) {
        event->amount_minor = pay_adyen_to_ours(currency, value);
    }

    return PAY_OK;
}

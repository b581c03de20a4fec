/*
 * PayPal's amounts (docs/psp/paypal.md#amounts): major units as decimal text,
 * in a short list of currencies, three of them without decimals whatever ISO
 * 4217 says.  Checked, never rounded.
 */

#include "psp/paypal.h"


#define PAYPAL_VALUE_MAX   32          /* bytes of a value */
#define PAYPAL_WHOLE_MAX   15          /* digits before the point */

typedef struct {
    char     code[4];
    uint8_t  decimals;
} paypal_unit_t;


static const paypal_unit_t *paypal_unit(const pay_currency_t *currency);
static int64_t paypal_power(unsigned exponent);
static int64_t paypal_read(const pay_currency_t *currency, pay_str_t text);
static int paypal_digits(pay_str_t *rest, size_t max, unsigned *count,
    int64_t *number);


/* PayPal's own page of currency codes.  A decimal in those without any is an
 * error there. */
static const paypal_unit_t  paypal_units[] = {
    { "AUD", 2 }, { "BRL", 2 }, { "CAD", 2 }, { "CHF", 2 }, { "CNY", 2 },
    { "CZK", 2 }, { "DKK", 2 }, { "EUR", 2 }, { "GBP", 2 }, { "HKD", 2 },
    { "HUF", 0 }, { "ILS", 2 }, { "JPY", 0 }, { "MXN", 2 }, { "MYR", 2 },
    { "NOK", 2 }, { "NZD", 2 }, { "PHP", 2 }, { "PLN", 2 }, { "RUB", 2 },
    { "SEK", 2 }, { "SGD", 2 }, { "THB", 2 }, { "TWD", 0 }, { "USD", 2 },
    { "", 0 }
};


pay_status_t
pay_paypal_money_set(pay_arena_t *arena, pay_json_t *money,
    const pay_currency_t *currency, int64_t minor, pay_err_t *err)
{
    int64_t               step;
    pay_str_t             value;
    const paypal_unit_t  *unit;

    unit = paypal_unit(currency);

    if (unit == NULL) {
        return pay_refuse(err, "currency-unsupported",
                          "PayPal does not take this currency");
    }

    if (!pay_paypal_money_fits(currency, minor)) {
        return pay_refuse(err, "amount-invalid",
                          "PayPal takes whole units of this currency only");
    }

    if (unit->decimals == currency->exponent) {
        PAY_TRY(pay_amount_format(arena, minor, currency, &value));

    } else {
        step = paypal_power(currency->exponent);
        PAY_TRY(pay_format(arena, &value, PAYPAL_VALUE_MAX, "%lld",
                           (long long) (minor / step)));
    }

    PAY_TRY(pay_json_set_string(money, "currency_code",
                                pay_str_of(currency->code)));

    return pay_json_set_string(money, "value", value);
}


int
pay_paypal_money_fits(const pay_currency_t *currency, int64_t minor)
{
    const paypal_unit_t  *unit = paypal_unit(currency);

    if (unit == NULL || minor <= 0 || minor > PAY_AMOUNT_MAX_MINOR) {
        return 0;
    }

    return minor % paypal_power(currency->exponent - unit->decimals) == 0;
}


pay_paypal_echo_t
pay_paypal_echo_money(const pay_json_t *money, const pay_currency_t *currency,
    int64_t minor)
{
    pay_str_t  code, value;

    if (money == NULL || pay_json_type(money) == PAY_JSON_NULL) {
        return PAY_PAYPAL_ECHO_RIGHT;
    }

    if (pay_json_string(pay_json_get(money, "currency_code"), &code) != PAY_OK
        || pay_json_string(pay_json_get(money, "value"), &value) != PAY_OK)
    {
        return PAY_PAYPAL_ECHO_INVALID;
    }

    return (pay_str_is(code, currency->code)
            && paypal_read(currency, value) == minor)
           ? PAY_PAYPAL_ECHO_RIGHT : PAY_PAYPAL_ECHO_WRONG;
}


pay_status_t
pay_paypal_money_in(pay_arena_t *arena, const pay_json_t *money,
    pay_psp_event_t *event)
{
    size_t                 i;
    pay_str_t              code, value;
    const pay_currency_t  *currency;

    if (pay_json_string(pay_json_get(money, "currency_code"), &code) != PAY_OK
        || pay_json_string(pay_json_get(money, "value"), &value) != PAY_OK
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
        event->amount_minor = paypal_read(currency, value);
    }

    return PAY_OK;
}


/* NULL when PayPal does not take the currency. */
static const paypal_unit_t *
paypal_unit(const pay_currency_t *currency)
{
    const paypal_unit_t  *unit;

    for (unit = paypal_units; unit->code[0] != '\0'; unit++) {
        if (pay_str_is(pay_str_of(currency->code), unit->code)) {
            return unit;
        }
    }

    return NULL;
}


static int64_t
paypal_power(unsigned exponent)
{
    int64_t  power = 1;

    while (exponent--) {
        power *= 10;
    }

    return power;
}


/* ISO minor units of a value; 0, which no order has, when there is no such
 * amount.  Decimals may be fewer, or more when they are zeros. */
static int64_t
paypal_read(const pay_currency_t *currency, pay_str_t text)
{
    int64_t   whole, fraction, minor;
    unsigned  count, exponent = currency->exponent;

    if (paypal_unit(currency) == NULL || text.len > PAYPAL_VALUE_MAX
        || !paypal_digits(&text, PAYPAL_WHOLE_MAX, &count, &whole))
    {
        return 0;
    }

    fraction = 0;
    count = 0;

    if (text.len != 0) {
        if (text.data[0] != '.' || text.len == 1) {
            return 0;
        }

        text.data++;
        text.len--;

        if (exponent != 0
            && !paypal_digits(&text, exponent, &count, &fraction))
        {
            return 0;
        }
    }

    for ( /* void */ ; text.len != 0; text.data++, text.len--) {
        if (text.data[0] != '0') {
            return 0;
        }
    }

    /* at most 15 digits and two decimals: far from overflow */
    minor = whole * paypal_power(exponent)
            + fraction * paypal_power(exponent - count);

    return (minor <= PAY_AMOUNT_MAX_MINOR) ? minor : 0;
}


/* Takes up to `max` leading digits off; 0 when there is none. */
static int
paypal_digits(pay_str_t *rest, size_t max, unsigned *count, int64_t *number)
{
    *number = 0;

    for (*count = 0; *count < max && rest->len != 0; (*count)++) {
        if (rest->data[0] < '0' || rest->data[0] > '9') {
            break;
        }

        *number = *number * 10 + (rest->data[0] - '0');
        rest->data++;
        rest->len--;
    }

    return *count != 0;
}

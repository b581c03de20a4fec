/*
 * The base of the PayPal adapter's other files: money
 * (docs/psp/paypal.md#amounts), errors, and the state of an order.  Amounts are
 * major units as decimal text, in a short list of currencies, three of them
 * without decimals whatever ISO 4217 says; they are checked, never rounded.  An
 * order's own status is not money (docs/psp/paypal.md#states), its captures
 * are.
 */

#include "psp/paypal.h"
#include "pay_time.h"


#define PAYPAL_VALUE_MAX   32          /* bytes of a value */
#define PAYPAL_WHOLE_MAX   15          /* digits before the point */

/* A currency that PayPal takes, and its decimals there, which may be fewer
 * than ISO 4217's. */
typedef struct {
    char     code[4];
    uint8_t  decimals;
} paypal_unit_t;

/* How a capture stands; the later one says more about the order. */
typedef enum {
    PAYPAL_CAPTURE_NONE = 0,
    PAYPAL_CAPTURE_FAILED,
    PAYPAL_CAPTURE_PENDING,
    PAYPAL_CAPTURE_PAID
} paypal_capture_t;

/* A word for a capture's status, and its rank. */
typedef struct {
    const char        *status;
    paypal_capture_t   capture;
} paypal_status_t;

/* The captures of an order at a glance. */
typedef struct {
    paypal_capture_t   best;
    unsigned           paid;           /* how many of them */
    const pay_json_t  *capture;        /* the best one */
} paypal_captures_t;


static const pay_json_t *paypal_detail(const pay_json_t *root, int *unsure);
static int paypal_is_unsure(const pay_json_t *word);
static const paypal_unit_t *paypal_unit(const pay_currency_t *currency);
static int64_t paypal_power(unsigned exponent);
static int64_t paypal_read(const pay_currency_t *currency, pay_str_t text);
static int paypal_digits(pay_str_t *rest, size_t max, unsigned *count,
    int64_t *number);
static paypal_captures_t paypal_captures(const pay_json_t *units);
static paypal_capture_t paypal_capture_rank(const pay_json_t *capture);
static void paypal_fact(const pay_json_t *order, paypal_capture_t best,
    pay_psp_event_t *event);
static pay_status_t paypal_captured(pay_arena_t *arena,
    const paypal_captures_t *captures, pay_psp_event_t *event);


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

/* Errors that leave the outcome open: the operation was done before, is being
 * done, or the key came with another request.  An invoice that was paid already
 * must not be registered elsewhere. */
static const char *const  paypal_unsure_words[] = {
    "CAPTURE_FULLY_REFUNDED", "DUPLICATE_INVOICE_ID", "DUPLICATE_REQUEST_ID",
    "DUPLICATE_TRANSACTION", "ORDER_ALREADY_AUTHORIZED",
    "ORDER_ALREADY_CAPTURED", "ORDER_ALREADY_COMPLETED",
    "ORDER_COMPLETED_OR_VOIDED", "ORDER_COMPLETION_IN_PROGRESS",
    "PREVIOUSLY_CAPTURED", "PREVIOUS_REQUEST_IN_PROGRESS",
    "RESOURCE_CONFLICT", NULL
};

/* A refund comes after the payment and undoes nothing of its fact. */
static const paypal_status_t  paypal_statuses[] = {
    { "COMPLETED", PAYPAL_CAPTURE_PAID },
    { "PARTIALLY_REFUNDED", PAYPAL_CAPTURE_PAID },
    { "REFUNDED", PAYPAL_CAPTURE_PAID },
    { "PENDING", PAYPAL_CAPTURE_PENDING },
    { "DECLINED", PAYPAL_CAPTURE_FAILED },
    { "FAILED", PAYPAL_CAPTURE_FAILED },
    { NULL, PAYPAL_CAPTURE_NONE }
};


pay_status_t
pay_paypal_object_add(pay_json_t *parent, const char *member,
    pay_json_t **child)
{
    *child = pay_json_object_new();

    return pay_json_set(parent, member, *child);
}


/* PayPal's REST errors have a name and issues, OAuth's only "error" (RFC 6749,
 * section 5.2). */
pay_status_t
pay_paypal_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    const pay_json_t  *name, *oauth, *detail;

    name = pay_json_get(root, "name");
    oauth = pay_json_get(root, "error");
    error->found = pay_json_type(name) != PAY_JSON_NULL
                   || pay_json_type(oauth) != PAY_JSON_NULL;

    detail = paypal_detail(root, &error->unsure);
    PAY_TRY(pay_psp_word_get(arena, detail, "issue", &error->code));

    if (error->code.len == 0) {
        PAY_TRY(pay_psp_word_get(arena, root, "name", &error->code));
    }

    if (error->code.len == 0) {
        PAY_TRY(pay_psp_word_get(arena, root, "error", &error->code));
    }

    error->unsure |= error->code.len == 0 || paypal_is_unsure(name);

    return PAY_OK;
}


/* The first issue says more than the error's name; one that leaves things
 * open beats all others.  NULL when there is none. */
static const pay_json_t *
paypal_detail(const pay_json_t *root, int *unsure)
{
    size_t             i;
    const pay_json_t  *details, *detail;

    details = pay_json_get(root, "details");

    for (i = 0; i < pay_json_size(details); i++) {
        detail = pay_json_at(details, i);

        if (paypal_is_unsure(pay_json_get(detail, "issue"))) {
            *unsure = 1;
            return detail;
        }
    }

    return pay_json_at(details, 0);
}


static int
paypal_is_unsure(const pay_json_t *word)
{
    pay_str_t  text;

    return pay_json_string(word, &text) == PAY_OK
           && pay_psp_is_one_of(text, paypal_unsure_words);
}


/* The value is written without decimals where PayPal wants none;
 * pay_paypal_money_fits() has made sure that nothing is lost. */
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


/* An order of our API is at most PAY_AMOUNT_MAX_MINOR; 0 and less are never
 * sent. */
int
pay_paypal_money_fits(const pay_currency_t *currency, int64_t minor)
{
    const paypal_unit_t  *unit = paypal_unit(currency);

    if (unit == NULL || minor <= 0 || minor > PAY_AMOUNT_MAX_MINOR) {
        return 0;
    }

    return minor % paypal_power(currency->exponent - unit->decimals) == 0;
}


/* Absent is right: an echo is a check, not a demand. */
pay_psp_echo_t
pay_paypal_echo_money(const pay_json_t *money, const pay_currency_t *currency,
    int64_t minor)
{
    pay_str_t  code, value;

    if (money == NULL || pay_json_type(money) == PAY_JSON_NULL) {
        return PAY_PSP_ECHO_RIGHT;
    }

    if (pay_json_string(pay_json_get(money, "currency_code"), &code) != PAY_OK
        || pay_json_string(pay_json_get(money, "value"), &value) != PAY_OK)
    {
        return PAY_PSP_ECHO_INVALID;
    }

    return (pay_str_is(code, currency->code)
            && paypal_read(currency, value) == minor)
           ? PAY_PSP_ECHO_RIGHT : PAY_PSP_ECHO_WRONG;
}


/* Without a code or a value the event has no amount, which is not the same as
 * 0. */
pay_status_t
pay_paypal_money_in(pay_arena_t *arena, const pay_json_t *money,
    pay_psp_event_t *event)
{
    pay_str_t              code, value;
    const pay_currency_t  *currency;

    if (pay_json_string(pay_json_get(money, "currency_code"), &code) != PAY_OK
        || pay_json_string(pay_json_get(money, "value"), &value) != PAY_OK)
    {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_amount_open(arena, code, event, &currency));

    if (currency != NULL) {
        event->amount_minor = paypal_read(currency, value);
    }

    return PAY_OK;
}


/* A fraction of a second is left out. */
int64_t
pay_paypal_time(const pay_json_t *of, const char *member)
{
    int64_t        us;
    pay_str_t      text;
    unsigned char  utc[27];

    if (pay_json_string(pay_json_get(of, member), &text) != PAY_OK
        || text.len < 20 || text.data[text.len - 1] != 'Z'
        || (text.len > 20
            && (text.data[19] != '.'
                || pay_digits_count(text, 20) != text.len - 21)))
    {
        return 0;
    }

    memcpy(utc, text.data, 19);
    memcpy(utc + 19, ".000000Z", 8);

    return (pay_time_parse((pay_str_t) { sizeof(utc), utc }, &us) == PAY_OK
            && us > 0)
           ? us / 1000000 : 0;
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


/* 10 to the exponent; exponents are those of currencies, so it fits. */
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


/* The captures decide, and the order's status only where there are none.  Two
 * paid captures are more than was asked for: the amount 0 sends that to the
 * mismatch queue. */
pay_status_t
pay_paypal_state(pay_arena_t *arena, const pay_json_t *order,
    pay_psp_event_t *event)
{
    const pay_json_t   *units;
    paypal_captures_t   captures;

    PAY_TRY(pay_psp_token_need(arena, order, "id", &event->token));
    PAY_TRY(pay_psp_word_get(arena, order, "status", &event->type));

    units = pay_json_get(order, "purchase_units");
    captures = paypal_captures(units);
    paypal_fact(order, captures.best, event);

    if (captures.capture != NULL) {
        PAY_TRY(paypal_captured(arena, &captures, event));
    }

    if (event->fact != PAY_FACT_PAID) {
        PAY_TRY(pay_paypal_money_in(arena,
                                    pay_json_get(pay_json_at(units, 0),
                                                 "amount"), event));
    }

    if (event->fact == PAY_FACT_ATTEMPT) {
        event->has_amount = 0;
    }

    /* we make orders of one unit, and one capture takes all of it */
    if (event->has_amount && (captures.paid > 1 || pay_json_size(units) != 1)) {
        event->amount_minor = 0;
    }

    return (event->fact == PAY_FACT_PAID && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


/* The best capture of all units stands for the order: one that was paid
 * outweighs those that failed before it. */
static paypal_captures_t
paypal_captures(const pay_json_t *units)
{
    size_t              i, k;
    paypal_capture_t    rank;
    const pay_json_t   *list;
    paypal_captures_t   found = { PAYPAL_CAPTURE_NONE, 0, NULL };

    for (i = 0; i < pay_json_size(units); i++) {
        list = pay_json_path(pay_json_at(units, i), "payments", "captures",
                             NULL);

        for (k = 0; k < pay_json_size(list); k++) {
            rank = paypal_capture_rank(pay_json_at(list, k));
            found.paid += (rank == PAYPAL_CAPTURE_PAID);

            if (rank > found.best) {
                found.best = rank;
                found.capture = pay_json_at(list, k);
            }
        }
    }

    return found;
}


/* A status that is not in the table has the rank of the last row. */
static paypal_capture_t
paypal_capture_rank(const pay_json_t *capture)
{
    const paypal_status_t  *row;

    for (row = paypal_statuses; row->status != NULL; row++) {
        if (pay_psp_is(capture, "status", row->status)) {
            break;
        }
    }

    return row->capture;
}


/* Money that has come in counts, whatever the order's status is.  After a
 * capture that failed the buyer may choose another instrument and approve
 * again, until the order is completed without money.  VOIDED is set by a call
 * of the merchant: an order that lapses is not found any more. */
static void
paypal_fact(const pay_json_t *order, paypal_capture_t best,
    pay_psp_event_t *event)
{
    if (best == PAYPAL_CAPTURE_PAID) {
        event->fact = PAY_FACT_PAID;

    } else if (best == PAYPAL_CAPTURE_PENDING) {
        event->fact = PAY_FACT_PENDING;

    } else if (pay_psp_is(order, "status", "VOIDED")) {
        event->fact = PAY_FACT_CANCELLED;

    } else if (pay_psp_is(order, "status", "COMPLETED")) {
        event->fact = (best == PAYPAL_CAPTURE_FAILED) ? PAY_FACT_DECLINED
                                                      : PAY_FACT_NONE;

    } else {
        event->must_capture = pay_psp_is(order, "status", "APPROVED");

        if (best == PAYPAL_CAPTURE_FAILED && !event->must_capture) {
            event->fact = PAY_FACT_ATTEMPT;
        }
    }
}


/* The reference of an attempt is left out: it names a capture that took
 * nothing, and a refund must not go there. */
static pay_status_t
paypal_captured(pay_arena_t *arena, const paypal_captures_t *captures,
    pay_psp_event_t *event)
{
    PAY_TRY(pay_psp_token_may(arena, captures->capture, "id",
                              &event->reference));
    PAY_TRY(pay_paypal_why(arena, captures->capture, &event->code));

    if (captures->best == PAYPAL_CAPTURE_FAILED) {
        event->object = event->reference;
    }

    if (event->fact == PAY_FACT_ATTEMPT) {
        event->reference = PAY_STR("");
    }

    return (event->fact == PAY_FACT_PAID)
           ? pay_paypal_money_in(arena, pay_json_get(captures->capture,
                                                     "amount"), event)
           : PAY_OK;
}


/* The processor's response code is the more exact one; PayPal's own reason
 * stands in for it. */
pay_status_t
pay_paypal_why(pay_arena_t *arena, const pay_json_t *capture, pay_str_t *code)
{
    PAY_TRY(pay_psp_word_get(arena, pay_json_get(capture,
                                                 "processor_response"),
                             "response_code", code));

    return (code->len == 0)
           ? pay_psp_word_get(arena, pay_json_get(capture, "status_details"),
                              "reason", code)
           : PAY_OK;
}

/*
 * The base of the Adyen adapter's other files: the head of a call, amounts
 * (docs/psp/adyen.md#amounts), errors, and the state of a payment link.
 * Amounts are minor units as in ISO 4217, but for four currencies.  They are
 * checked, never rounded; an amount that does not fit is refused here, before
 * Adyen could read it as another one.
 */

#include "psp/adyen.h"


#define ADYEN_REUSED  "704"            /* the key is in use, or was used for
                                          another body */


static const pay_psp_unit_t *adyen_unit(const pay_currency_t *currency);


/* Decimals at Adyen: CLP and ISK two, CVE and IDR none.  Its page of currency
 * codes names no other exception. */
static const pay_psp_unit_t  adyen_units[] = {
    { "CLP", 100, 1, 1 }, { "CVE", 1, 100, 1 }, { "IDR", 1, 100, 1 },
    { "ISK", 100, 1, 1 }, { "", 1, 1, 1 }
};

/* "completed": the shopper has completed the payment (CheckoutService-v72,
 * PaymentLinkResponse). */
static const pay_psp_fact_row_t  adyen_statuses[] = {
    { "active", PAY_FACT_NONE, 0 },
    { "paymentPending", PAY_FACT_PENDING, 0 },
    { "paid", PAY_FACT_PAID, 0 },
    { "completed", PAY_FACT_PAID, 0 },
    { "expired", PAY_FACT_EXPIRED, 0 },
    { NULL, PAY_FACT_NONE, 0 }
};


/* The key stands in a header of its own, so one with a line end could add
 * headers; the configuration is trusted, but not with that. */
pay_status_t
pay_adyen_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request)
{
    if (!pay_psp_api_key_is_plain(account->api_key)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_open(arena, account, method, path, last, request));
    pay_psp_field_add(request, "X-API-Key", account->api_key);

    return PAY_OK;
}


/* The child belongs to `json` as soon as it is set, so no path of an error has
 * to free it. */
pay_status_t
pay_adyen_set_amount(pay_json_t *json, const pay_currency_t *currency,
    int64_t minor, pay_err_t *err)
{
    int64_t      value;
    pay_json_t  *amount;

    PAY_TRY(pay_adyen_to_theirs(currency, minor, &value, err));

    amount = pay_json_object_new();
    PAY_TRY(pay_json_set(json, "amount", amount));
    PAY_TRY(pay_json_set_integer(amount, "value", value));

    return pay_json_set_string(amount, "currency", pay_str_of(currency->code));
}


/* An amount that Adyen cannot write was never sent, so its echo is wrong by
 * definition. */
pay_psp_echo_t
pay_adyen_echo_amount(const pay_json_t *json, const pay_currency_t *currency,
    int64_t minor)
{
    int64_t  expected;

    return (pay_adyen_to_theirs(currency, minor, &expected, NULL) == PAY_OK)
           ? pay_psp_echo_minor(pay_json_get(json, "amount"), "value",
                                expected, currency)
           : PAY_PSP_ECHO_WRONG;
}


/* Only an errorCode is Adyen's voice: {"status":404} may come from anything on
 * the way. */
pay_status_t
pay_adyen_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    const pay_json_t  *code;

    code = pay_json_get(root, "errorCode");
    error->found = code != NULL && pay_json_type(code) != PAY_JSON_NULL;

    PAY_TRY(pay_psp_word_get(arena, root, "errorCode", &error->code));

    error->unsure = error->code.len == 0
                    || pay_str_is(error->code, ADYEN_REUSED);

    return PAY_OK;
}


/* A refusal before the call is safe: nothing was sent.  A wrong amount at
 * Adyen would be a payment of another sum. */
pay_status_t
pay_adyen_to_theirs(const pay_currency_t *currency, int64_t ours,
    int64_t *theirs, pay_err_t *err)
{
    const pay_psp_unit_t  *unit = adyen_unit(currency);

    if (unit == NULL) {
        return pay_refuse(err, "currency-unsupported",
                          "Adyen does not take this currency");
    }

    return pay_psp_unit_to_theirs(unit, ours, theirs)
           ? PAY_OK
           : pay_refuse(err, "amount-invalid",
                        "Adyen takes whole units of this currency only");
}


/* NULL when Adyen does not take the currency: none of its has four
 * decimals. */
static const pay_psp_unit_t *
adyen_unit(const pay_currency_t *currency)
{
    const pay_psp_unit_t  *unit = pay_psp_unit(adyen_units, currency);

    return (unit->code[0] != '\0' || currency->exponent <= 3) ? unit : NULL;
}


/* An amount that no order of ours can have is reported as 0, which no order
 * has: it lands in the mismatch queue. */
pay_status_t
pay_adyen_amount_in(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event)
{
    int64_t                value;
    pay_str_t              code;
    const pay_json_t      *amount = pay_json_get(json, "amount");
    const pay_currency_t  *currency;

    if (pay_json_integer(pay_json_get(amount, "value"), &value) != PAY_OK
        || pay_json_string(pay_json_get(amount, "currency"), &code) != PAY_OK)
    {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_amount_open(arena, code, event, &currency));

    if (currency != NULL) {
        event->amount_minor = pay_psp_unit_to_ours(adyen_unit(currency),
                                                   value);
    }

    return PAY_OK;
}


/* A link that was made for a later capture and is paid holds money only: its
 * reference shows that, the status does not. */
pay_status_t
pay_adyen_state(pay_arena_t *arena, const pay_json_t *link,
    pay_psp_event_t *event)
{
    pay_str_t                  reference;
    const pay_psp_fact_row_t  *row = pay_psp_fact_row(adyen_statuses, link);

    if (row->word == NULL) {
        return PAY_INVALID;
    }

    event->fact = row->fact;

    if (row->fact == PAY_FACT_PAID
        && pay_json_string(pay_json_get(link, "reference"), &reference)
           == PAY_OK
        && pay_adyen_is_held(reference))
    {
        event->fact = PAY_FACT_AUTHORIZED;
    }

    PAY_TRY(pay_psp_token_need(arena, link, "id", &event->token));
    PAY_TRY(pay_psp_word_get(arena, link, "status", &event->type));
    PAY_TRY(pay_adyen_amount_in(arena, link, event));

    return ((event->fact == PAY_FACT_PAID
             || event->fact == PAY_FACT_AUTHORIZED) && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


int
pay_adyen_is_held(pay_str_t reference)
{
    return pay_adyen_cut(&reference, PAY_ADYEN_HELD);
}


/* An end alone is no reference: something must stand before it. */
int
pay_adyen_cut(pay_str_t *text, const char *end)
{
    size_t  len = strlen(end);

    if (text->len <= len
        || memcmp(text->data + text->len - len, end, len) != 0)
    {
        return 0;
    }

    text->len -= len;

    return 1;
}

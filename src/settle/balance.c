/*
 * A PSP's answer about the balance of the account itself, which is compared
 * with the ledger.  Untrusted as a file is: an amount that is not exact, or a
 * currency that stands there twice, makes the whole answer unreadable.
 *
 * Stripe: docs.stripe.com/api/balance/balance_object; Mollie:
 * docs.mollie.com/reference/get-primary-balance.
 */

#include "settle/settle.h"


#define BALANCE_BODY_MAX  262144       /* bytes */
#define BALANCE_VALUES    16384

/* The amount of an item that an amount of the answer is added to. */
typedef enum {
    BALANCE_AVAILABLE = 0,
    BALANCE_PENDING,
    BALANCE_RESERVED
} balance_part_t;

typedef pay_status_t (*balance_read_pt)(const pay_json_t *root,
    pay_settle_balances_t *balances);


static pay_status_t balance_stripe(const pay_json_t *root,
    pay_settle_balances_t *balances);
static pay_status_t balance_mollie(const pay_json_t *root,
    pay_settle_balances_t *balances);
static pay_status_t balance_list(const pay_json_t *list, int is_needed,
    balance_part_t part, pay_settle_balances_t *balances);
static pay_status_t balance_add(const pay_settle_unit_t *unit,
    const pay_json_t *amount, const pay_json_t *code, balance_part_t part,
    pay_settle_balances_t *balances);
static pay_settle_balance_t *balance_of(const pay_currency_t *currency,
    pay_settle_balances_t *balances);


static const struct {
    const char       *format;
    balance_read_pt   read;
} readers[] = {
    { "mollie", balance_mollie },
    { "stripe", balance_stripe }
};


pay_status_t
pay_settle_balances(pay_str_t format, pay_str_t body,
    pay_settle_balances_t *balances)
{
    size_t                          i;
    pay_json_t                     *root;
    pay_status_t                    status;
    static const pay_json_limits_t  limits = {
        .max_size = BALANCE_BODY_MAX, .max_width = PAY_SETTLE_BALANCES_MAX,
        .max_values = BALANCE_VALUES
    };

    memset(balances, 0, sizeof(*balances));

    for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (!pay_str_is(format, readers[i].format)) {
            continue;
        }

        status = pay_json_parse(body, &limits, &root, NULL);

        if (status == PAY_OK) {
            status = readers[i].read(root, balances);
            pay_json_free(root);
        }

        return status;
    }

    return PAY_NOT_FOUND;
}


/* instant_available is a part of the others; issuing and
 * refund_and_dispute_prefunding are accounts of their own, of which no
 * payment is a part.  Money in a reserve is in neither of the first two. */
static pay_status_t
balance_stripe(const pay_json_t *root, pay_settle_balances_t *balances)
{
    pay_str_t          object;
    const pay_json_t  *risk = pay_json_get(root, "risk_reserved");

    if (pay_json_string(pay_json_get(root, "object"), &object) != PAY_OK
        || !pay_str_is(object, "balance"))
    {
        return PAY_INVALID;
    }

    balances->is_complete = 1;

    PAY_TRY(balance_list(pay_json_get(root, "available"), 1,
                         BALANCE_AVAILABLE, balances));
    PAY_TRY(balance_list(pay_json_get(root, "pending"), 1, BALANCE_PENDING,
                         balances));
    PAY_TRY(balance_list(pay_json_get(root, "connect_reserved"), 0,
                         BALANCE_RESERVED, balances));
    PAY_TRY(balance_list(pay_json_get(risk, "available"), 0,
                         BALANCE_RESERVED, balances));

    return balance_list(pay_json_get(risk, "pending"), 0, BALANCE_RESERVED,
                        balances);
}


/* The balance of one currency: accounts of others are not in the answer. */
static pay_status_t
balance_mollie(const pay_json_t *root, pay_settle_balances_t *balances)
{
    size_t             i;
    pay_str_t          word, code;
    const pay_json_t  *amount, *currency = pay_json_get(root, "currency");

    static const char *const  members[] = {
        [BALANCE_AVAILABLE] = "availableAmount",
        [BALANCE_PENDING] = "pendingAmount"
    };

    if (pay_json_string(pay_json_get(root, "resource"), &word) != PAY_OK
        || !pay_str_is(word, "balance")
        || pay_json_string(currency, &code) != PAY_OK)
    {
        return PAY_INVALID;
    }

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        amount = pay_json_get(root, members[i]);

        if (pay_json_string(pay_json_get(amount, "currency"), &word) != PAY_OK
            || !pay_str_eq(word, code))
        {
            return PAY_INVALID;
        }

        PAY_TRY(balance_add(&pay_settle_unit_mollie,
                            pay_json_get(amount, "value"), currency,
                            (balance_part_t) i, balances));
    }

    return PAY_OK;
}


/* [{"amount": 1200, "currency": "eur"}, …] */
static pay_status_t
balance_list(const pay_json_t *list, int is_needed, balance_part_t part,
    pay_settle_balances_t *balances)
{
    size_t             i, k;
    pay_str_t          code, other;
    const pay_json_t  *item;

    if (pay_json_type(list) != PAY_JSON_ARRAY) {
        return !is_needed && pay_json_type(list) == PAY_JSON_NULL
               ? PAY_OK : PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(list); i++) {
        item = pay_json_at(list, i);

        if (pay_json_string(pay_json_get(item, "currency"), &code) != PAY_OK) {
            return PAY_INVALID;
        }

        for (k = 0; k < i; k++) {
            if (pay_json_string(pay_json_get(pay_json_at(list, k),
                                             "currency"), &other) == PAY_OK
                && pay_str_eq(code, other))
            {
                return PAY_INVALID;
            }
        }

        PAY_TRY(balance_add(&pay_settle_unit_stripe_json,
                            pay_json_get(item, "amount"),
                            pay_json_get(item, "currency"), part, balances));
    }

    return PAY_OK;
}


/* A currency that we do not know has no entries to be compared with. */
static pay_status_t
balance_add(const pay_settle_unit_t *unit, const pay_json_t *amount,
    const pay_json_t *code, balance_part_t part,
    pay_settle_balances_t *balances)
{
    int64_t                minor, *sum;
    pay_str_t              text;
    const pay_currency_t  *currency;
    pay_settle_balance_t  *balance;

    if (pay_json_string(code, &text) != PAY_OK) {
        return PAY_INVALID;
    }

    if (pay_settle_currency_find(text, &currency) != PAY_OK) {
        return PAY_OK;
    }

    PAY_TRY(pay_settle_amount_said(unit, amount, currency, &minor));

    balance = balance_of(currency, balances);
    if (balance == NULL) {
        return PAY_INVALID;
    }

    balance->has_reserved |= part == BALANCE_RESERVED;
    sum = part == BALANCE_AVAILABLE ? &balance->available_minor
          : part == BALANCE_PENDING ? &balance->pending_minor
          : &balance->reserved_minor;

    return __builtin_add_overflow(*sum, minor, sum) ? PAY_INVALID : PAY_OK;
}


/* NULL: there are more than any PSP has. */
static pay_settle_balance_t *
balance_of(const pay_currency_t *currency, pay_settle_balances_t *balances)
{
    unsigned               i;
    pay_settle_balance_t  *balance;

    for (i = 0; i < balances->count; i++) {
        if (balances->items[i].currency == currency) {
            return &balances->items[i];
        }
    }

    if (balances->count == PAY_SETTLE_BALANCES_MAX) {
        return NULL;
    }

    balance = &balances->items[balances->count++];
    balance->currency = currency;

    return balance;
}

/*
 * What a PSP says of its own balance, from a stranger: exact amounts in our
 * minor units, or nothing at all.
 */

#include "psp_world.h"

#include "pay_psp.h"
#include "pay_settle.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* as "EUR available pending reserved …"; "?": the answer says nothing */
static void
expect_balances(const char *format, const char *body, const char *text)
{
    char                    seen[512] = "?";
    size_t                  used = 0;
    unsigned                i;
    pay_status_t            status;
    pay_settle_balance_t   *one;
    pay_settle_balances_t   balances;

    status = pay_settle_balances(pay_str_of(format), pay_str_of(body),
                                 &balances);

    for (i = 0; status == PAY_OK && i < balances.count; i++) {
        one = &balances.items[i];
        used += (size_t) snprintf(seen + used, sizeof(seen) - used,
                                  "%s%s %ld %ld", i == 0 ? "" : ", ",
                                  one->currency->code,
                                  (long) one->available_minor,
                                  (long) one->pending_minor);

        if (one->has_reserved) {
            used += (size_t) snprintf(seen + used, sizeof(seen) - used,
                                      " %ld", (long) one->reserved_minor);
        }
    }

    if (status == PAY_OK && balances.count == 0) {
        snprintf(seen, sizeof(seen), "none");
    }

    cr_expect_str_eq(seen, text, "%s: %s", format, body);
}


#define STRIPE(available, pending, more)                                      \
    "{\"object\":\"balance\",\"livemode\":true,\"available\":[" available     \
    "],\"pending\":[" pending "]" more "}"
#define MONEY(amount, currency)                                               \
    "{\"amount\":" amount ",\"currency\":\"" currency                         \
    "\",\"source_types\":{\"card\":" amount "}}"
#define MOLLIE(currency, available, pending)                                  \
    "{\"resource\":\"balance\",\"id\":\"bal_1\",\"currency\":\"" currency     \
    "\",\"status\":\"active\",\"availableAmount\":" available                 \
    ",\"pendingAmount\":" pending "}"
#define VALUE(value, currency)                                                \
    "{\"value\":" value ",\"currency\":\"" currency "\"}"


Test(pay_settle_balances, are_read_in_our_minor_units)
{
    expect_balances("stripe", STRIPE(
        MONEY("666670", "usd") "," MONEY("-25", "eur") ","
        MONEY("50000", "ugx"),
        MONEY("61414", "usd") "," MONEY("0", "eur") "," MONEY("500", "jpy"),
        ""), "USD 666670 61414, EUR -25 0, UGX 500 0, JPY 0 500");
    expect_balances("stripe", STRIPE("", "", ""), "none");
    expect_balances("mollie", MOLLIE("EUR", VALUE("\"905.25\"", "EUR"),
                                     VALUE("\"-0.50\"", "EUR")),
                    "EUR 90525 -50");
    expect_balances("mollie", MOLLIE("JPY", VALUE("\"905\"", "JPY"),
                                     VALUE("\"0\"", "JPY")), "JPY 905 0");
}


/* instant_available is a part of available, the others are other accounts */
Test(pay_settle_balances, of_other_accounts_are_left_out)
{
    expect_balances("stripe", STRIPE(MONEY("100", "usd"), "",
        ",\"instant_available\":[" MONEY("90", "usd") "],"
        "\"issuing\":{\"available\":[" MONEY("7", "usd") "]},"
        "\"refund_and_dispute_prefunding\":{\"available\":["
        MONEY("8", "usd") "],\"pending\":[]}"), "USD 100 0");
    expect_balances("stripe", STRIPE(MONEY("100", "usd"), "",
        ",\"connect_reserved\":[" MONEY("5", "usd") "],"
        "\"risk_reserved\":{\"available\":[" MONEY("6", "usd") "],"
        "\"pending\":[" MONEY("7", "usd") "," MONEY("1", "eur") "]}"),
        "USD 100 0 18, EUR 0 0 1");
    /* of a currency that ISO 4217 does not have we have booked nothing */
    expect_balances("stripe", STRIPE(MONEY("100", "usdc") ","
                                     MONEY("1", "usd"), "", ""), "USD 1 0");
}


Test(pay_settle_balances, that_are_not_exact_say_nothing)
{
    size_t  i;

    static const char *const  stripe[] = {
        "", "{}", "[]", "{\"object\":\"balance\"}", "<html>",
        "{\"object\":\"charge\",\"available\":[],\"pending\":[]}",
        "{\"object\":\"balance\",\"available\":[]}",
        "{\"object\":\"balance\",\"available\":null,\"pending\":[]}",
        "{\"object\":\"balance\",\"available\":{},\"pending\":[]}",
        STRIPE("1", "", ""),
        STRIPE("{\"amount\":1}", "", ""),
        STRIPE("{\"amount\":1,\"currency\":7}", "", ""),
        STRIPE("{\"currency\":\"eur\"}", "", ""),
        STRIPE(MONEY("1.5", "eur"), "", ""),
        STRIPE(MONEY("1e3", "eur"), "", ""),
        STRIPE(MONEY("\"1\"", "eur"), "", ""),
        STRIPE(MONEY("null", "eur"), "", ""),
        STRIPE(MONEY("99999999999999999999", "eur"), "", ""),
        STRIPE(MONEY("9000000000000000000", "eur"), "", ""),
        STRIPE(MONEY("50001", "ugx"), "", ""),
        STRIPE(MONEY("1", "eur") "," MONEY("1", "eur"), "", ""),
        STRIPE("", "", ",\"connect_reserved\":7"),
        STRIPE("", "", ",\"risk_reserved\":{\"pending\":\"x\"}"),
        STRIPE(MONEY("1", "eur"), "", "") "x"
    };

    static const char *const  mollie[] = {
        "{}",
        "{\"resource\":\"settlement\"}",
        MOLLIE("EUR", "null", VALUE("\"1.00\"", "EUR")),
        MOLLIE("EUR", VALUE("\"1.00\"", "EUR"), "{}"),
        MOLLIE("EUR", VALUE("\"1.00\"", "USD"), VALUE("\"1.00\"", "USD")),
        MOLLIE("EUR", VALUE("1.00", "EUR"), VALUE("\"1.00\"", "EUR")),
        MOLLIE("EUR", VALUE("\"1.001\"", "EUR"), VALUE("\"1.00\"", "EUR")),
        MOLLIE("EUR", VALUE("\"1,00\"", "EUR"), VALUE("\"1.00\"", "EUR")),
        MOLLIE("EUR", VALUE("\"+1.00\"", "EUR"), VALUE("\"1.00\"", "EUR")),
        MOLLIE("EUR", VALUE("\"\"", "EUR"), VALUE("\"1.00\"", "EUR")),
        MOLLIE("EUR", VALUE("\"99999999999999999999.00\"", "EUR"),
               VALUE("\"1.00\"", "EUR"))
    };

    for (i = 0; i < COUNT(stripe); i++) {
        expect_balances("stripe", stripe[i], "?");
    }

    for (i = 0; i < COUNT(mollie); i++) {
        expect_balances("mollie", mollie[i], "?");
    }
}


Test(pay_settle_balances, are_asked_for_where_the_psp_tells_them)
{
    size_t               i;
    pay_heap_t          *heap = pay_heap_create();
    pay_psp_account_t    ours = account;
    pay_http_request_t   request;

    static const struct {
        const char  *psp;
        const char  *url;              /* NULL: there is no such call */
    } rows[] = {
        { "stripe", "https://psp.example/v1/balance" },
        { "mollie", "https://psp.example/v2/balances/primary" },
        { "square", NULL }, { "adyen", NULL }, { "paypal", NULL },
        { "generic", NULL }
    };

    ours.base_url = PAY_STR("https://psp.example");

    for (i = 0; i < COUNT(rows); i++) {
        const pay_psp_adapter_t  *adapter
            = pay_psp_find(pay_str_of(rows[i].psp));
        pay_settle_balances_t     balances;

        cr_expect_eq(pay_psp_has_balance(adapter), rows[i].url != NULL, "%s",
                     rows[i].psp);
        cr_expect_eq(pay_settle_balances(pay_str_of(rows[i].psp),
                                         PAY_STR("{}"), &balances),
                     rows[i].url != NULL ? PAY_INVALID : PAY_NOT_FOUND, "%s",
                     rows[i].psp);

        if (rows[i].url != NULL) {
            cr_assert_eq(pay_psp_balance_request(pay_heap_arena(heap),
                                                 adapter, &ours, &request),
                         PAY_OK);
            cr_expect(pay_str_is(request.method, "GET"));
            cr_expect(pay_str_is(request.url, rows[i].url), "%.*s",
                      pay_fmt(request.url));
        }
    }

    pay_heap_destroy(heap);
}

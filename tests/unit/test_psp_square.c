/*
 * The Square adapter: what is Square's alone.  What every adapter must do, and
 * each fixture: test_conformance*.c.
 */

#include "psp_world.h"


#define ORDER    "o4b7saqp4HzhNttf5AJxC0Srjd4F"
#define LINK     "PKVT6XGJZXYUP3NZ"
#define PAYMENT  "R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY"
#define KEY      "0199c0de-0000-7000-8000-0000000000c1"
#define CARD     "\"amount_money\":{\"amount\":3000,\"currency\":\"USD\"}," \
                 "\"card_details\":{\"status\":\"CAPTURED\"}"


static const pay_psp_adapter_t *
square(void)
{
    return pay_psp_find(PAY_STR("square"));
}


static pay_psp_change_t
change_make(pay_psp_change_kind_t kind)
{
    pay_psp_change_t  change;

    memset(&change, 0, sizeof(change));
    change.kind = kind;
    change.key = PAY_STR(KEY);
    change.token = PAY_STR(ORDER);
    change.alias = PAY_STR(LINK);
    change.reference = PAY_STR(PAYMENT);
    change.merchant_reference = PAY_STR(REFERENCE);
    change.currency = currency_of("USD");
    change.amount_minor = 1234;

    return change;
}


static int
asked(pay_arena_t *arena, const char *body, pay_psp_event_t *event)
{
    int                 known = -1;
    pay_http_answer_t   answer = answered(200, pay_str_of(body));

    memset(event, 0, sizeof(*event));
    cr_assert_eq(square()->query_answer(arena, PAY_STR("o"), &answer, event,
                                        &known), PAY_OK);

    return known;
}


static pay_status_t
told(pay_arena_t *arena, const char *payment, pay_psp_event_t *event)
{
    unsigned          count = 0;
    pay_str_t         body;
    pay_status_t      status;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    cr_assert_eq(pay_format(arena, &body, 4096,
                     "{\"event_id\":\"e-1\",\"type\":\"payment.updated\","
                     "\"data\":{\"object\":{\"payment\":%s}}}", payment),
                 PAY_OK);

    memset(event, 0, sizeof(*event));
    status = square()->webhook_events(arena, &account, PAY_STR(""), body,
                                      events, &count, NULL);
    if (status == PAY_OK) {
        cr_assert_eq(count, 1);
        *event = events[0];
    }

    return status;
}


Test(pay_psp_square, body_on_the_wire_is_this)
{
    pay_psp_order_t      order = order_make();
    pay_http_request_t   request;

    order.lines[0].name = PAY_STR("caf\xc3\xa9 \"x\"");
    cr_assert_eq(square()->register_request(test_arena(), &account,
                                            &order, &request, NULL), PAY_OK);

    cr_expect(pay_str_is(request.method, "POST"));
    cr_expect(pay_str_is(request.url, "https://psp.example/base"
                                      "/v2/online-checkout/payment-links"));
    cr_expect(pay_str_is(field_of(&request, "Square-Version"), "2025-08-20"));
    cr_expect(pay_str_is(field_of(&request, "Authorization"),
                         "Bearer " API_KEY));
    cr_expect(pay_str_is(request.body,
        "{\"idempotency_key\":\"order-1\",\"order\":{"
        "\"location_id\":\"YOUR_ACCOUNT\",\"reference_id\":\"" REFERENCE "\","
        "\"line_items\":[{\"name\":\"caf\xc3\xa9 \\\"x\\\"\","
        "\"quantity\":\"1\",\"base_price_money\":{\"amount\":1000,"
        "\"currency\":\"USD\"}},{\"name\":\"order-2\",\"quantity\":\"1\","
        "\"base_price_money\":{\"amount\":2000,\"currency\":\"USD\"}}]},"
        "\"checkout_options\":{\"allow_tipping\":false,"
        "\"enable_coupon\":false,\"enable_loyalty\":false,"
        "\"redirect_url\":\"https://pay.example.com/return/abc\"}}"),
        "%.*s", pay_fmt(request.body));
}


/* reference_id takes 40 characters, our ids have up to 64. */
Test(pay_psp_square, a_long_reference_is_sent_as_its_digest_and_known_again)
{
    pay_str_t            digest, text;
    pay_arena_t         *arena = test_arena();
    pay_psp_order_t      order = order_make();
    pay_http_request_t   request;

    order.reference = PAY_STR("0123456789012345678901234567890123456789x");
    cr_assert_eq(square()->register_request(arena, &account, &order, &request,
                                            NULL), PAY_OK);
    cr_expect_not(contains(request.body, "0123456789012345678901"));

    digest.data = request.body.data
                  + position(request.body, "\"reference_id\":\"") + 16;
    digest.len = 40;
    cr_expect_eq(digest.data[40], '"');

    text = replaced(arena, fixture(arena, square(), "register-answer.json"),
                    REFERENCE,
                    (const char *) memcpy(pay_calloc(arena, 41), digest.data,
                                          40));
    cr_expect_eq(register_judged(arena, square(), &order, answered(200, text))
                     .outcome, PAY_PSP_DONE);
}


Test(pay_psp_square, only_currencies_of_sellers_are_sent)
{
    unsigned               sent = 0;
    pay_err_t              err;
    pay_status_t           status;
    pay_psp_order_t        order;
    pay_http_request_t     request;
    const pay_currency_t  *currency;

    for (currency = pay_currency_table(); currency->code[0]; currency++) {
        order = order_of(currency, 1200);
        err.slug = "";
        status = square()->register_request(test_arena(), &account,
                                            &order, &request, &err);
        sent += status == PAY_OK;
        cr_expect(status == PAY_OK
                  || strcmp(err.slug, "currency-unsupported") == 0);
    }

    cr_expect_eq(sent, 6);

    order = order_of(currency_of("JPY"), 1200);
    cr_assert_eq(square()->register_request(test_arena(), &account,
                                            &order, &request, NULL), PAY_OK);
    cr_expect(contains(request.body, "{\"amount\":1200,\"currency\":\"JPY\"}"));
}


Test(pay_psp_square, without_a_location_nothing_is_sent)
{
    pay_psp_order_t      order = order_make();
    pay_psp_account_t    other = account;
    pay_http_request_t   request;

    other.account = PAY_STR("");
    cr_expect_eq(square()->register_request(test_arena(), &other,
                                            &order, &request, NULL), PAY_BUG);
    cr_expect(square()->traits & PAY_PSP_NEEDS_ACCOUNT);
    cr_expect(square()->traits & PAY_PSP_LINGERS);
}


Test(pay_psp_square, an_answer_that_cannot_be_used_is_unknown)
{
    size_t                 i;
    pay_str_t              text;
    pay_arena_t           *arena = test_arena();
    pay_psp_order_t        order = order_make();
    pay_psp_registered_t   result;

    static const char *const  rows[][3] = {
        { "\"id\": \"" LINK "\"", "\"x\": 1", "answer_invalid" },
        { "\"id\": \"" LINK "\"", "\"id\": \"a/b\"", "answer_invalid" },
        { "\"order_id\": \"" ORDER "\"", "\"x\": 1", "answer_invalid" },
        { "\"order_id\": \"" ORDER "\"", "\"order_id\": 7",
          "answer_invalid" },
        { "\"order_id\": \"" ORDER "\"", "\"order_id\": \"another\"",
          "answer_mismatch" },
        { "\"url\": \"https://square.link/u/EXAMPLE#pay\"", "\"url\": null",
          "answer_invalid" },
        { "\"url\": \"https://square.link/u/EXAMPLE#pay\"",
          "\"url\": \"java script:\"", "answer_invalid" },
        { "\"reference_id\": \"" REFERENCE "\"", "\"reference_id\": \"x\"",
          "answer_mismatch" },
        { "\"reference_id\": \"" REFERENCE "\"", "\"reference_id\": 1",
          "answer_invalid" },
        { "\"payment_link\":", "\"errors\": [{\"code\":\"X\"}], \"y\":",
          "answer_invalid" },
        { "\"payment_link\":", "\"errors\": {}, \"payment_link\":",
          "answer_invalid" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text = replaced(arena, fixture(arena, square(),
                                       "register-answer.json"),
                        rows[i][0], rows[i][1]);
        result = register_judged(arena, square(), &order, answered(200, text));
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s", rows[i][1]);
        cr_expect(pay_str_is(result.code, rows[i][2]), "%s: %.*s", rows[i][1],
                  pay_fmt(result.code));
        cr_expect_eq(result.alias.len, 0);
    }

    /* the long address serves when there is no short one; an empty list of
     * errors is none; what is not repeated cannot be held against it */
    text = replaced(arena, fixture(arena, square(), "register-answer.json"),
                    "\"url\": \"https", "\"short\": \"https");
    result = register_judged(arena, square(), &order, answered(200, text));
    cr_expect_eq(result.outcome, PAY_PSP_DONE);
    cr_expect(contains(result.hosted_url, "checkout.square.site"));

    result = register_judged(arena, square(), &order, answered(200,
                 PAY_STR("{\"errors\":[],\"payment_link\":{\"id\":\"l\","
                         "\"order_id\":\"o\",\"url\":\"https://a/\"}}")));
    cr_expect_eq(result.outcome, PAY_PSP_DONE);
    cr_expect(pay_str_is(result.alias, "l"));
}


Test(pay_psp_square, one_unsure_error_among_several_makes_it_unknown)
{
    size_t                 i;
    pay_arena_t           *arena = test_arena();
    pay_psp_order_t        order = order_make();
    pay_psp_registered_t   result;

    static const struct {
        const char         *body;
        pay_psp_outcome_t   outcome;
        const char         *code;
    } rows[] = {
        { "{\"errors\":[{\"code\":\"VALUE_EMPTY\"}]}", PAY_PSP_REFUSED,
          "value_empty" },
        { "{\"errors\":[{\"code\":\"VALUE_EMPTY\"},{\"code\":\"CONFLICT\"}]}",
          PAY_PSP_UNKNOWN, "value_empty" },
        { "{\"errors\":[{\"category\":\"PAYMENT_METHOD_ERROR\"}]}",
          PAY_PSP_REFUSED, "payment_method_error" },
        { "{\"errors\":[{\"category\":\"API_ERROR\"}]}", PAY_PSP_UNKNOWN,
          "api_error" },              /* Square's own trouble */
        { "{\"errors\":[{\"category\":\"API_ERROR\","
          "\"code\":\"NEW\"}]}", PAY_PSP_UNKNOWN, "new" },
        { "{\"errors\":[{}]}", PAY_PSP_UNKNOWN, "http_400" },
        { "{\"errors\":[7]}", PAY_PSP_UNKNOWN, "http_400" },
        { "{\"errors\":[]}", PAY_PSP_UNKNOWN, "answer_invalid" },
        { "{\"errors\":null}", PAY_PSP_UNKNOWN, "answer_invalid" },
        { "{\"errors\":\"x\"}", PAY_PSP_UNKNOWN, "http_400" },
        { "{\"errors\":[{\"code\":\"4111111111111111\"}]}", PAY_PSP_REFUSED,
          "redacted" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        result = register_judged(arena, square(), &order,
                                 answered(400, pay_str_of(rows[i].body)));
        cr_expect_eq(result.outcome, rows[i].outcome, "%s", rows[i].body);
        cr_expect(pay_str_is(result.code, rows[i].code), "%s: %.*s",
                  rows[i].body, pay_fmt(result.code));
    }
}


#define MONEY(n)    "{\"amount\":" n ",\"currency\":\"USD\"}"
#define DUE(n)      ",\"net_amount_due_money\":" MONEY(n)
#define OPEN        "{\"order\":{\"id\":\"o\",\"state\":\"OPEN\"," \
                    "\"total_money\":" MONEY("3000")
#define TENDER(d)   "{\"id\":\"p\",\"amount_money\":" MONEY("3000") "," d "}"
#define TENDERS(t)  ",\"tenders\":[" t "]}}"
#define CAPTURED    "\"card_details\":{\"status\":\"CAPTURED\"}"

static const struct {
    const char  *body;
    pay_fact_t   fact;
    int64_t      minor;
} orders[] = {
    { OPEN DUE("0") TENDERS(TENDER(CAPTURED)), PAY_FACT_PAID, 3000 },
    { OPEN TENDERS(TENDER(CAPTURED)), PAY_FACT_PAID, 3000 },
    { OPEN DUE("1") TENDERS(TENDER(CAPTURED)), PAY_FACT_NONE, 3000 },
    { OPEN DUE("3000") TENDERS(TENDER(CAPTURED)), PAY_FACT_NONE, 3000 },
    { OPEN ",\"net_amount_due_money\":7" TENDERS(TENDER(CAPTURED)),
      PAY_FACT_NONE, 3000 },
    { OPEN DUE("0") "}}", PAY_FACT_NONE, 3000 },
    { OPEN DUE("0") TENDERS(""), PAY_FACT_NONE, 3000 },
    { OPEN DUE("0") ",\"tenders\":{\"a\":1}}}", PAY_FACT_NONE, 3000 },
    { OPEN DUE("0") TENDERS(TENDER("\"card_details\":{\"status\":"
                                   "\"AUTHORIZED\"}")),
      PAY_FACT_PENDING, 3000 },
    { OPEN DUE("0") TENDERS(TENDER("\"card_details\":{\"status\":"
                                   "\"VOIDED\"}")),
      PAY_FACT_NONE, 3000 },
    { OPEN DUE("0") TENDERS(TENDER("\"card_details\":{\"status\":"
                                   "\"captured\"}")),
      PAY_FACT_PENDING, 3000 },
    { OPEN DUE("0") TENDERS(TENDER("\"card_details\":{\"status\":"
                                   "\"BRAND_NEW\"}")),
      PAY_FACT_PENDING, 3000 },
    { OPEN DUE("0") TENDERS(TENDER("\"bank_account_details\":{\"status\":"
                                   "\"COMPLETED\"}")),
      PAY_FACT_PAID, 3000 },
    { OPEN DUE("0") TENDERS(TENDER("\"buy_now_pay_later_details\":{"
                                   "\"status\":\"FAILED\"}")),
      PAY_FACT_NONE, 3000 },
    { OPEN DUE("0") TENDERS(TENDER("\"type\":\"WALLET\"")),
      PAY_FACT_PAID, 3000 },
    { OPEN TENDERS(TENDER("\"type\":\"WALLET\"")), PAY_FACT_PENDING,
      3000 },
    { OPEN DUE("0") TENDERS(TENDER("\"type\":\"NO_SALE\"")),
      PAY_FACT_NONE, 3000 },
    { OPEN DUE("0") TENDERS(TENDER(CAPTURED) "," TENDER(CAPTURED)),
      PAY_FACT_PAID, 6000 },
    { OPEN DUE("0") TENDERS(TENDER(CAPTURED) ","
          "{\"amount_money\":{\"amount\":1,\"currency\":\"CAD\"},"
          CAPTURED "}"), PAY_FACT_PAID, 0 },
    { OPEN DUE("0") TENDERS(TENDER(CAPTURED) ","
          "{\"amount_money\":{\"amount\":-1,\"currency\":\"USD\"},"
          CAPTURED "}"), PAY_FACT_PAID, 0 },
    { OPEN DUE("0") TENDERS(TENDER(CAPTURED) ","
          "{\"amount_money\":{\"amount\":9223372036854775807,"
          "\"currency\":\"USD\"}," CAPTURED "}"), PAY_FACT_PAID, 0 },
    { "{\"order\":{\"id\":\"o\",\"state\":\"COMPLETED\","
      "\"total_money\":" MONEY("3000") TENDERS(TENDER("\"type\":\"CASH\"")),
      PAY_FACT_PAID, 3000 },
    { "{\"order\":{\"id\":\"o\",\"state\":\"DRAFT\","
      "\"total_money\":" MONEY("3000") DUE("0") TENDERS(TENDER(CAPTURED)),
      PAY_FACT_NONE, 3000 },
    { "{\"order\":{\"id\":\"o\",\"state\":\"CANCELED\","
      "\"total_money\":" MONEY("3000") DUE("0") TENDERS(TENDER(CAPTURED)),
      PAY_FACT_EXPIRED, 3000 },
    { "{\"order\":{\"id\":\"o\",\"state\":\"BRAND_NEW\","
      "\"total_money\":" MONEY("3000") DUE("0") TENDERS(TENDER(CAPTURED)),
      PAY_FACT_NONE, 3000 }
};


/* Neither the state nor a tender alone is money: see square_order.c. */
Test(pay_psp_square, money_counts_only_when_captured_and_nothing_is_due)
{
    size_t            i;
    pay_psp_event_t   event;

    for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        cr_assert(asked(test_arena(), orders[i].body, &event) == 1,
                  "%s", orders[i].body);
        cr_expect_eq(event.fact, orders[i].fact, "%s: %s", orders[i].body,
                     pay_fact_name(event.fact));
        cr_expect(event.has_amount && event.amount_minor == orders[i].minor,
                  "%s", orders[i].body);
        cr_expect(event.fact != PAY_FACT_PAID
                  || pay_str_is(event.reference, "p"));
    }
}


Test(pay_psp_square, what_is_no_order_says_nothing)
{
    size_t            i;
    pay_psp_event_t   event;

    static const char *const  bodies[] = {
        "{\"id\":\"o\",\"state\":\"OPEN\"}",
        "{\"order\":[]}", "{\"order\":{\"id\":\"o\"}}",
        "{\"order\":{\"id\":7,\"state\":\"OPEN\"}}",
        "{\"order\":{\"id\":\"other\",\"state\":\"OPEN\"}}",
        "{\"order\":{\"id\":\"o\",\"state\":7}}",
        "{\"errors\":[{\"code\":\"X\"}],\"order\":{\"id\":\"o\","
            "\"state\":\"OPEN\"}}",
        /* paid, but nobody can read how much */
        OPEN DUE("0") TENDERS("{\"id\":\"p\"," CAPTURED "}"),
        OPEN DUE("0") TENDERS("{\"amount_money\":{\"amount\":30.0,"
                              "\"currency\":\"USD\"}," CAPTURED "}"),
        OPEN DUE("0") TENDERS("{\"amount_money\":{\"amount\":3000,"
                              "\"currency\":\"usd\"}," CAPTURED "}")
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        cr_expect_eq(asked(test_arena(), bodies[i], &event), 0, "%s",
                     bodies[i]);
    }
}


/* A failed try leaves the link open: the buyer may come with another card. */
Test(pay_psp_square, payments_of_webhooks_have_their_facts)
{
    size_t            i;
    pay_psp_event_t   event;

    static const struct {
        const char    *payment;
        pay_status_t   status;
        pay_fact_t     fact;
        int            ask;
        const char    *token;
    } rows[] = {
        { "{\"id\":\"p\",\"order_id\":\"o\",\"status\":\"COMPLETED\","
          "\"total_money\":" MONEY("3000") "}", PAY_OK, PAY_FACT_PAID, 0,
          "o" },
        { "{\"id\":\"p\",\"order_id\":\"o\",\"status\":\"COMPLETED\","
          "\"amount_money\":" MONEY("3000") "}", PAY_INVALID, PAY_FACT_NONE,
          0, "" },
        { "{\"id\":\"p\",\"order_id\":\"o\",\"status\":\"FAILED\"}", PAY_OK,
          PAY_FACT_ATTEMPT, 0, "o" },
        { "{\"id\":\"p\",\"order_id\":\"o\",\"status\":\"CANCELED\"}", PAY_OK,
          PAY_FACT_NONE, 1, "o" },
        { "{\"id\":\"p\",\"order_id\":\"o\",\"status\":\"completed\","
          "\"total_money\":" MONEY("3000") "}", PAY_OK, PAY_FACT_NONE, 0,
          "o" },
        { "{\"id\":\"p\",\"order_id\":\"a/b\",\"status\":\"COMPLETED\","
          "\"total_money\":" MONEY("3000") "}", PAY_OK, PAY_FACT_NONE, 0,
          "" },
        { "{\"order_id\":\"o\",\"status\":\"COMPLETED\","
          "\"total_money\":" MONEY("3000") "}", PAY_OK, PAY_FACT_NONE, 0,
          "" },
        { "{\"id\":\"p\",\"order_id\":\"o\",\"location_id\":\"other\","
          "\"status\":\"COMPLETED\",\"total_money\":" MONEY("3000") "}",
          PAY_OK, PAY_FACT_NONE, 0, "" },
        { "{\"id\":\"p\",\"order_id\":\"o\"}", PAY_INVALID, PAY_FACT_NONE, 0,
          "" },
        { "[]", PAY_INVALID, PAY_FACT_NONE, 0, "" },
        { "null", PAY_INVALID, PAY_FACT_NONE, 0, "" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(told(test_arena(), rows[i].payment, &event),
                     rows[i].status, "%s", rows[i].payment);

        if (rows[i].status == PAY_OK) {
            cr_expect_eq(event.fact, rows[i].fact, "%s", rows[i].payment);
            cr_expect_eq(event.must_ask, rows[i].ask, "%s", rows[i].payment);
            cr_expect(pay_str_is(event.token, rows[i].token), "%s",
                      rows[i].payment);
            cr_expect(pay_str_is(event.event_id, "e-1"));
            cr_expect(pay_str_is(event.type, "payment.updated"));
        }
    }
}


Test(pay_psp_square, a_failed_payment_brings_its_code)
{
    unsigned          count = 0;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    cr_assert_eq(square()->webhook_events(arena, &account, PAY_STR(""),
                     fixture(arena, square(), "webhook-failed.json"), events,
                     &count, NULL), PAY_OK);
    cr_expect(pay_str_is(events[0].code, "transaction_limit"));
    cr_expect(pay_str_is(events[0].token, ORDER));
    cr_expect_eq(events[0].fact, PAY_FACT_ATTEMPT);
    cr_expect(pay_str_is(events[0].object, PAYMENT));
    cr_expect_eq(events[0].reference.len, 0, "it is not that of the money");
}


Test(pay_psp_square, events_without_id_or_type_are_refused)
{
    size_t            i;
    unsigned          count = 0;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    static const char *const  bodies[] = {
        "{\"type\":\"refund.created\"}", "{\"event_id\":\"e\"}",
        "{\"event_id\":\"\",\"type\":\"refund.created\"}",
        "{\"event_id\":\"a b\",\"type\":\"refund.created\"}",
        "{\"event_id\":1,\"type\":\"refund.created\"}",
        "{\"event_id\":\"e\",\"type\":\"\"}",
        "{\"event_id\":\"e\",\"type\":[]}",
        "{\"event_id\":\"e\",\"type\":\"payment.created\"}",
        "{\"event_id\":\"e\",\"type\":\"payment.created\",\"data\":[]}"
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        cr_expect_eq(square()->webhook_events(test_arena(), &account,
                         PAY_STR(""), pay_str_of(bodies[i]), events, &count,
                         NULL), PAY_INVALID, "%s", bodies[i]);
    }
}


Test(pay_psp_square, changes_on_the_wire_are_these)
{
    unsigned             kind;
    pay_psp_change_t     change;
    pay_http_request_t   request;

    static const char *const  calls[PAY_PSP_CHANGE_COUNT][3] = {
        [PAY_PSP_CAPTURE] = { "POST", "/v2/payments/" PAYMENT "/complete",
                              "{}" },
        [PAY_PSP_CANCEL] = { "POST", "/v2/payments/" PAYMENT "/cancel", "" },
        [PAY_PSP_REFUND] = { "POST", "/v2/refunds",
            "{\"idempotency_key\":\"" KEY ":refund\",\"payment_id\":\"" PAYMENT
            "\",\"amount_money\":{\"amount\":1234,\"currency\":\"USD\"}}" },
        [PAY_PSP_EXPIRE] = { "DELETE",
                             "/v2/online-checkout/payment-links/" LINK, "" }
    };

    for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
        change = change_make((pay_psp_change_kind_t) kind);
        cr_assert_eq(square()->change_request(test_arena(), &account,
                                              &change, &request, NULL),
                     PAY_OK);
        cr_expect(pay_str_is(request.method, calls[kind][0]));
        cr_expect(pay_str_is((pay_str_t) { request.url.len - 24,
                                           request.url.data + 24 },
                             calls[kind][1]), "%.*s", pay_fmt(request.url));
        cr_expect(pay_str_is(request.body, calls[kind][2]), "%.*s",
                  pay_fmt(request.body));
        cr_expect(pay_str_is(field_of(&request, "Square-Version"),
                             "2025-08-20"));
    }
}


/* 45 characters are all that a refund's key may have. */
Test(pay_psp_square, a_refund_of_a_long_key_has_a_short_one)
{
    pay_psp_change_t     change = change_make(PAY_PSP_REFUND);
    pay_http_request_t   request;

    change.reason = PAY_STR("wrong \"size\"");
    change.key = PAY_STR("0123456789012345678901234567890123456789012345678901"
                         "23456789abcd");
    cr_assert_eq(square()->change_request(test_arena(), &account,
                                          &change, &request, NULL), PAY_OK);
    cr_expect_eq(position(request.body, "\",\"payment_id\"")
                 - position(request.body, ":\"") - 2, 45);
    cr_expect(contains(request.body, "\"reason\":\"wrong \\\"size\\\"\""));
}


Test(pay_psp_square, a_change_that_cannot_be_addressed_is_a_bug)
{
    size_t               i;
    pay_psp_change_t     change;
    pay_http_request_t   request;

    static const pay_str_t  ids[] = {
        pay_string(""), pay_string("a/b"), pay_string(".."), pay_string("a?b"),
        pay_string("a b"), pay_string("a\0")
    };

    for (i = 0; i < 4 * sizeof(ids) / sizeof(ids[0]); i++) {
        change = change_make((pay_psp_change_kind_t) (i % 4));
        change.reference = ids[i / 4];
        change.alias = ids[i / 4];
        cr_expect_eq(square()->change_request(test_arena(), &account,
                                              &change, &request, NULL),
                     PAY_BUG);
    }

    change = change_make(PAY_PSP_REFUND);
    change.currency = currency_of("CHF");
    cr_expect_eq(square()->change_request(test_arena(), &account,
                                          &change, &request, NULL),
                 PAY_INVALID);
}


Test(pay_psp_square, changes_about_something_else_are_unknown)
{
    size_t              i;
    pay_psp_change_t    change;
    pay_psp_changed_t   result;
    pay_http_answer_t   answer;

    static const struct {
        pay_psp_change_kind_t  kind;
        const char            *body;
        const char            *code;
    } rows[] = {
        { PAY_PSP_EXPIRE, "{\"id\":\"another\",\"cancelled_order_id\":\""
          ORDER "\"}", "answer_mismatch" },
        { PAY_PSP_EXPIRE, "{\"id\":\"" LINK "\",\"cancelled_order_id\":"
          "\"another\"}", "answer_mismatch" },
        { PAY_PSP_EXPIRE, "{\"id\":\"" LINK "\"}", "order_not_cancelled" },
        { PAY_PSP_EXPIRE, "{\"cancelled_order_id\":null}",
          "order_not_cancelled" },
        { PAY_PSP_EXPIRE, "{}", "order_not_cancelled" },
        { PAY_PSP_EXPIRE, "", "answer_invalid" },
        { PAY_PSP_CAPTURE, "{\"payment\":{\"id\":\"another\",\"status\":"
          "\"COMPLETED\"," CARD "}}", "answer_mismatch" },
        { PAY_PSP_CAPTURE, "{\"payment\":{\"id\":\"" PAYMENT "\",\"status\":"
          "\"COMPLETED\",\"amount_money\":" MONEY("3000") "}}",
          "answer_mismatch" },
        { PAY_PSP_CAPTURE, "{\"payment\":{\"id\":\"" PAYMENT "\",\"status\":"
          "\"COMPLETED\"}}", "answer_invalid" },
        { PAY_PSP_CAPTURE, "{\"payment\":{\"status\":\"COMPLETED\","
          "\"amount_money\":" MONEY("1234") "}}", "answer_invalid" },
        { PAY_PSP_CAPTURE, "{\"payment\":{\"id\":\"" PAYMENT "\",\"status\":"
          "\"DONE\",\"amount_money\":" MONEY("1234") "}}", "answer_invalid" },
        { PAY_PSP_CANCEL, "{\"payment\":{\"status\":\"CANCELED\"}}",
          "answer_invalid" },
        { PAY_PSP_CANCEL, "{\"payment\":[]}", "answer_invalid" },
        { PAY_PSP_REFUND, "{\"refund\":{\"id\":\"r\",\"status\":\"COMPLETED\","
          "\"payment_id\":\"another\"}}", "answer_mismatch" },
        { PAY_PSP_REFUND, "{\"refund\":{\"id\":\"r\",\"status\":\"COMPLETED\","
          "\"amount_money\":{\"amount\":1234,\"currency\":\"CAD\"}}}",
          "answer_mismatch" },
        { PAY_PSP_REFUND, "{\"refund\":{\"id\":\"r\",\"status\":\"COMPLETED\","
          "\"amount_money\":\"12.34\"}}", "answer_invalid" },
        { PAY_PSP_REFUND, "{\"refund\":{\"status\":\"COMPLETED\"}}",
          "answer_invalid" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        change = change_make(rows[i].kind);
        answer = answered(200, pay_str_of(rows[i].body));
        cr_assert_eq(square()->change_answer(test_arena(), &change,
                                             &answer, &result), PAY_OK);
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s", rows[i].body);
        cr_expect_eq(result.known, 0, "%s", rows[i].body);
        cr_expect(pay_str_is(result.code, rows[i].code), "%s: %.*s",
                  rows[i].body, pay_fmt(result.code));
    }
}


static pay_status_t
refund_once(pay_arena_t *arena, void *result)
{
    pay_psp_change_t  change = change_make(PAY_PSP_REFUND);

    return square()->change_request(arena, &account, &change, result, NULL);
}


static pay_status_t
captured_once(pay_arena_t *arena, void *result)
{
    pay_psp_change_t    change = change_make(PAY_PSP_CAPTURE);
    pay_http_answer_t   answer;

    change.amount_minor = 3000;
    answer = answered(200, fixture(test_arena(), square(),
                                   "capture-done.json"));
    return square()->change_answer(arena, &change, &answer, result);
}


static pay_status_t
split_once(pay_arena_t *arena, void *result)
{
    int                 known;
    pay_http_answer_t   answer;

    answer = answered(200, fixture(test_arena(), square(),
                                   "query-paid-split.json"));
    return square()->query_answer(arena, PAY_STR(ORDER), &answer, result,
                                  &known);
}


Test(pay_psp_square, each_failing_allocation_leaves_no_partial_result)
{
    cr_expect_gt(torture(refund_once, sizeof(pay_http_request_t)), 0);
    cr_expect_gt(torture(captured_once, sizeof(pay_psp_changed_t)), 0);
    cr_expect_gt(torture(split_once, sizeof(pay_psp_event_t)), 0);
}

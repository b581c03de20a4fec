/*
 * The Square adapter: what is Square's alone.  What every adapter must do, and
 * each fixture: test_conformance*.c.
 */

#include "psp_world.h"


#define ORDER    "o4b7saqp4HzhNttf5AJxC0Srjd4F"
#define LINK     "PKVT6XGJZXYUP3NZ"
#define PAYMENT  "R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY"
#define KEY      "0199c0de-0000-7000-8000-0000000000c1"


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
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

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
    pay_str_t           digest, text;
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.merchant_reference =
        PAY_STR("0123456789012345678901234567890123456789x");
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
    pay_psp_checkout_t     order;
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
    pay_psp_checkout_t  order = order_make();
    pay_psp_account_t   other = account;
    pay_http_request_t  request;

    other.account = PAY_STR("");
    cr_expect_eq(square()->register_request(test_arena(), &other,
                                            &order, &request, NULL), PAY_BUG);
    cr_expect(square()->traits & PAY_PSP_NEEDS_ACCOUNT);
    cr_expect(square()->traits & PAY_PSP_LINGERS);
}


Test(pay_psp_square, what_an_answer_may_leave_out)
{
    pay_str_t             text;
    pay_arena_t          *arena = test_arena();
    pay_psp_checkout_t    order = order_make();
    pay_psp_registered_t  result;

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


#define MONEY(n)    "{\"amount\":" n ",\"currency\":\"USD\"}"

/* A failed try leaves the link open: the buyer may come with another card. */
Test(pay_psp_square, payments_of_webhooks_have_their_facts)
{
    size_t            i;
    pay_psp_event_t   event;

    static const struct {
        const char   *payment;
        pay_status_t  status;
        pay_fact_t    fact;
        int           ask;
        const char   *token;
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
    unsigned         count = 0;
    pay_arena_t     *arena = test_arena();
    pay_psp_event_t  events[PAY_PSP_EVENTS_MAX];

    cr_assert_eq(square()->webhook_events(arena, &account, PAY_STR(""),
                     fixture(arena, square(), "webhook-failed.json"), events,
                     &count, NULL), PAY_OK);
    cr_expect(pay_str_is(events[0].code, "transaction_limit"));
    cr_expect(pay_str_is(events[0].token, ORDER));
    cr_expect_eq(events[0].fact, PAY_FACT_ATTEMPT);
    cr_expect(pay_str_is(events[0].object, PAYMENT));
    cr_expect_eq(events[0].reference.len, 0, "it is not that of the money");
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


/* A fee is known by its place in the list, so that one which cannot be read
 * must not shift the others. */
Test(pay_psp_square, a_fee_that_cannot_be_read_is_no_fee)
{
    size_t           i;
    unsigned         count;
    pay_str_t        body;
    pay_arena_t     *arena = test_arena();
    pay_psp_event_t  events[PAY_PSP_EVENTS_MAX];

    static const char *const  amounts[] = {
        "\"117\"", "null", "1.5", "-9223372036854775808"
    };

    for (i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        cr_assert_eq(pay_format(arena, &body, 64, "\"amount\": %s",
                                amounts[i]), PAY_OK);
        body = replaced(arena, fixture(arena, square(),
                                       "webhook-paid-fees.json"),
                        "\"amount\": 117", (const char *) body.data);
        cr_assert_eq(square()->webhook_events(arena, &account, PAY_STR(""),
                                              body, events, &count, NULL),
                     PAY_OK);
        cr_assert_eq(count, 2, "%s", amounts[i]);
        cr_expect(pay_str_is(events[1].event_id, PAYMENT ":1:fee"), "%.*s",
                  pay_fmt(events[1].event_id));
    }
}

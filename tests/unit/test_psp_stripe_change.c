/*
 * What is done to a Stripe payment later (docs/psp/stripe.md#changes): the
 * calls on the wire and which answers are believed.  What holds for every
 * adapter's changes: test_conformance.c.
 */

#include "psp_world.h"


#define OPERATION  "0199c0de-0000-7000-8000-0000000000c1"
#define PAYMENT    "pi_1PgafyB7WZ01zgkWSjxsAJo3"


typedef struct {
    pay_psp_change_kind_t  kind;
    const char            *url;
    const char            *key;
    const char            *body;
} call_t;

static pay_psp_change_t
change_make(pay_psp_change_kind_t kind)
{
    pay_psp_change_t  change;

    memset(&change, 0, sizeof(change));
    change.kind = kind;
    change.key = PAY_STR(OPERATION);
    change.token = token_of(stripe());
    change.reference = PAY_STR(PAYMENT);
    change.merchant_reference = PAY_STR(REFERENCE);
    change.currency = currency_of("USD");
    change.amount_minor = 3000;

    return change;
}


static pay_psp_changed_t
changed(pay_arena_t *arena, const pay_psp_change_t *change, unsigned status,
    pay_str_t body)
{
    pay_psp_changed_t   result;
    pay_http_answer_t   answer = answered(status, body);

    memset(&result, 0xa5, sizeof(result));
    cr_assert_eq(stripe()->change_answer(arena, change, &answer, &result),
                 PAY_OK);

    return result;
}


Test(pay_psp_stripe_change, calls_on_the_wire_are_these)
{
    size_t               i;
    pay_psp_change_t     change;
    pay_http_request_t   request;

    static const call_t  rows[] = {
        { PAY_PSP_CAPTURE,
          "https://psp.example/base/v1/payment_intents/" PAYMENT "/capture",
          OPERATION ":capture", "amount_to_capture=3000"
          "&metadata%5Boperation%5D=" OPERATION },
        { PAY_PSP_CANCEL,
          "https://psp.example/base/v1/payment_intents/" PAYMENT "/cancel",
          OPERATION ":cancel", "" },
        { PAY_PSP_REFUND, "https://psp.example/base/v1/refunds",
          OPERATION ":refund",
          "amount=3000&payment_intent=" PAYMENT
          "&metadata%5Boperation%5D=" OPERATION
          "&metadata%5Bpayment_reference%5D=" REFERENCE },
        { PAY_PSP_EXPIRE,
          "https://psp.example/base/v1/checkout/sessions/"
          "cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6tVY8XB1OLY"
          "/expire", OPERATION ":expire", "" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        change = change_make(rows[i].kind);
        cr_assert_eq(stripe()->change_request(test_arena(), &account,
                                              &change, &request, NULL),
                     PAY_OK);
        cr_expect(pay_str_is(request.method, "POST"));
        cr_expect(pay_str_is(request.url, rows[i].url), "%.*s",
                  pay_fmt(request.url));
        cr_expect(pay_str_is(request.body, rows[i].body), "%.*s",
                  pay_fmt(request.body));
        cr_expect(pay_str_is(field_of(&request, "Idempotency-Key"),
                             rows[i].key));
        cr_expect(pay_str_is(field_of(&request, "Stripe-Version"),
                             "2026-10-28.endive"));
        cr_expect(pay_str_is(field_of(&request, "Content-Type"),
                             "application/x-www-form-urlencoded"));
    }
}


/* An id of ours has no ':', so no buyer's order can take a change's key. */
Test(pay_psp_stripe_change, no_order_can_have_the_key_of_a_change)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.nonce = PAY_STR(OPERATION ":capture");
    cr_expect_eq(stripe()->register_request(test_arena(), &account,
                                            &order, &request, NULL), PAY_BUG);
}


Test(pay_psp_stripe_change, only_stripes_own_reasons_are_told)
{
    size_t               i;
    pay_psp_change_t     change = change_make(PAY_PSP_REFUND);
    pay_http_request_t   request;

    static const char *const  ours[] = {
        "", "Duplicate", "duplicate ", "abandoned", "wrong size",
        "duplicate&amount=1"
    };

    change.reason = PAY_STR("requested_by_customer");
    cr_assert_eq(stripe()->change_request(test_arena(), &account,
                                          &change, &request, NULL), PAY_OK);
    cr_expect(contains(request.body, "&reason=requested_by_customer"));

    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        change.reason = pay_str_of(ours[i]);
        cr_assert_eq(stripe()->change_request(test_arena(), &account,
                                              &change, &request, NULL),
                     PAY_OK);
        cr_expect_not(contains(request.body, "reason"), "%s", ours[i]);
    }
}


Test(pay_psp_stripe_change, units_are_stripes)
{
    size_t               i;
    pay_err_t            err;
    pay_status_t         status;
    pay_psp_change_t     change = change_make(PAY_PSP_REFUND);
    pay_http_request_t   request;

    static const struct {
        const char  *currency;
        int64_t      ours;
        const char  *theirs;
    } rows[] = {
        { "ISK", 500, "amount=50000&" }, { "MGA", 500, "amount=5&" },
        { "JPY", 500, "amount=500&" }, { "KWD", 1230, "amount=1230&" },
        { "KWD", 1234, NULL }, { "MGA", 501, NULL }, { "IQD", 1000, NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        change.currency = currency_of(rows[i].currency);
        change.amount_minor = rows[i].ours;
        status = stripe()->change_request(test_arena(), &account,
                                          &change, &request, &err);

        if (rows[i].theirs == NULL) {
            cr_expect_eq(status, PAY_INVALID, "%s", rows[i].currency);

        } else {
            cr_assert_eq(status, PAY_OK);
            cr_expect(contains(request.body, rows[i].theirs));
        }
    }
}


Test(pay_psp_stripe_change, a_refund_that_failed_says_why)
{
    pay_arena_t       *arena = test_arena();
    pay_psp_change_t   change = change_make(PAY_PSP_REFUND);
    pay_psp_changed_t  result;

    result = changed(arena, &change, 200,
                     fixture(arena, stripe(), "refund-refused-failed.json"));
    cr_expect(pay_str_is(result.code, "expired_or_canceled_card"));
    cr_expect(pay_str_is(result.reference, "re_1Pgc72B7WZ01zgkWqPvrRrPE"));

    result = changed(arena, &change, 200,
                     fixture(arena, stripe(), "refund-refused-canceled.json"));
    cr_expect(pay_str_is(result.code, "canceled"));
}


Test(pay_psp_stripe_change, a_capture_tells_the_money_that_came)
{
    pay_arena_t       *arena = test_arena();
    pay_psp_change_t   change = change_make(PAY_PSP_CAPTURE);
    pay_psp_changed_t  result;

    result = changed(arena, &change, 200,
                     fixture(arena, stripe(), "capture-done.json"));
    cr_assert_eq(result.known, 1);
    cr_expect_eq(result.event.fact, PAY_FACT_PAID);
    cr_expect(pay_str_eq(result.event.token, token_of(stripe())));
    cr_expect(pay_str_is(result.event.reference, PAYMENT));
    cr_expect(result.event.has_amount && result.event.amount_minor == 3000
              && pay_str_is(result.event.currency, "USD"));
}


/* Expiring comes too late when the buyer was faster: money counts. */
Test(pay_psp_stripe_change, a_session_that_was_paid_is_known_as_paid)
{
    pay_arena_t       *arena = test_arena();
    pay_psp_change_t   change = change_make(PAY_PSP_EXPIRE);
    pay_psp_changed_t  result;

    result = changed(arena, &change, 200,
                     fixture(arena, stripe(), "query-paid.json"));
    cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);
    cr_assert_eq(result.known, 1);
    cr_expect_eq(result.event.fact, PAY_FACT_PAID);
}

/*
 * What the API shows of a checkout, an order and a timeline, byte for byte.
 */

#include "torture.h"

#include "pay_payment.h"


#define HANDLE  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1"
#define UNPAID                                                                \
    "\"amount_authorized\":\"0.00\",\"amount_captured\":\"0.00\","            \
    "\"amount_refunded\":\"0.00\",\"amount_refundable\":\"0.00\","            \
    "\"wallet_updated\":false,\"ledger_updated\":false"


static void
checkout_make(pay_checkout_t *c)
{
    static pay_order_t  orders[2];

    memset(c, 0, sizeof(*c));
    memset(orders, 0, sizeof(orders));
    c->orders = orders;
    c->checkout_id = PAY_STR("c-1");
    c->psp = PAY_STR("generic");
    c->handle = PAY_STR(HANDLE);
    c->base_url = PAY_STR("https://pay.example.com");
    c->expires_s = 1795240200;
    c->registration = PAY_STR("REGISTERING");
    c->hosted_url = PAY_STR("https://hosted.invalid/CANARY");
    c->return_url = PAY_STR("https://shop.invalid/CANARY");
    c->nonce = PAY_STR("CANARY-nonce");
    c->code = PAY_STR("CANARY-code");
    c->merchant_id = PAY_STR("CANARY-merchant");
    c->total_minor = 3000;
    c->order_count = 2;
    c->orders[0].id = PAY_STR("o-1");
    c->orders[0].seller = PAY_STR("s\"1");
    c->orders[0].amount_minor = 1;
    c->orders[1].id = PAY_STR("o-2");
    c->orders[1].seller = PAY_STR("s2");
    c->orders[1].amount_minor = 2999;
    cr_assert_eq(pay_currency_find(PAY_STR("USD"), &c->currency, NULL),
                 PAY_OK);
}


static pay_str_t
rendered(pay_heap_t *heap, const pay_checkout_t *checkout)
{
    pay_str_t  text;

    cr_assert_eq(pay_checkout_render(pay_heap_arena(heap), checkout, &text),
                 PAY_OK);

    return text;
}


Test(pay_payment_render, checkout_without_a_token_has_no_redirect)
{
    pay_str_t        text;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    checkout_make(&c);
    text = rendered(heap, &c);
    cr_expect(pay_str_is(text,
        "{\"checkout_id\":\"c-1\",\"status\":\"NOT_STARTED\","
        "\"is_payment_done\":false,\"is_final\":false,\"psp\":\"generic\","
        "\"redirect_url\":null,\"expires_at\":\"2026-11-21T05:50:00Z\","
        "\"payment_orders\":["
        "{\"payment_order_id\":\"o-1\",\"seller_account\":\"s\\\"1\","
        "\"amount\":\"0.01\",\"currency\":\"USD\",\"status\":\"NOT_STARTED\","
        "\"reason\":null," UNPAID "},"
        "{\"payment_order_id\":\"o-2\",\"seller_account\":\"s2\","
        "\"amount\":\"29.99\",\"currency\":\"USD\","
        "\"status\":\"NOT_STARTED\",\"reason\":null," UNPAID "}]}"), "%.*s",
        pay_fmt(text));
    pay_heap_destroy(heap);
}


/* Step 5: the way to the hosted page is ours; the PSP's URL and token, the
 * nonce and the rest of the row stay in. */
Test(pay_payment_render, redirect_is_ours_and_nothing_inside_comes_out)
{
    pay_str_t        text;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    checkout_make(&c);
    c.token = PAY_STR("CANARY-token");
    text = rendered(heap, &c);
    cr_expect_not_null(strstr((const char *) text.data,
        "\"redirect_url\":\"https://pay.example.com/checkout/" HANDLE "\""));
    cr_expect_null(strstr((const char *) text.data, "CANARY"));
    pay_heap_destroy(heap);
}


Test(pay_payment_render, the_other_checkout_is_named_where_there_is_one)
{
    pay_str_t        text;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    checkout_make(&c);
    c.replaces = PAY_STR("c-0");
    c.replaced_by = PAY_STR("c-2");
    text = rendered(heap, &c);
    cr_expect_not_null(strstr((const char *) text.data,
        "\"expires_at\":\"2026-11-21T05:50:00Z\",\"replaces\":\"c-0\","
        "\"replaced_by\":\"c-2\",\"payment_orders\":["), "%.*s",
        pay_fmt(text));
    pay_heap_destroy(heap);
}


/* Who polls until is_payment_done waits for ever for one that has failed. */
Test(pay_payment_render, only_success_is_done_and_failure_is_final_too)
{
    int              done;
    unsigned         i;
    pay_str_t        text;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    for (i = 0; i < PAY_STATE_COUNT; i++) {
        checkout_make(&c);
        c.orders[0].status = c.orders[1].status = (pay_state_t) i;
        text = rendered(heap, &c);
        done = strstr((const char *) text.data, "\"is_payment_done\":true")
               != NULL;
        cr_expect_eq(done, i == PAY_SUCCESS, "state %u", i);
        done = strstr((const char *) text.data, "\"is_final\":true") != NULL;
        cr_expect_eq(done, i == PAY_SUCCESS || i == PAY_FAILED, "state %u",
                     i);
    }

    pay_heap_destroy(heap);
}


Test(pay_payment_render, order_carries_its_checkout_and_reason)
{
    pay_str_t        text;
    pay_checkout_t   c;

    checkout_make(&c);
    c.orders[1].status = PAY_FAILED;
    c.orders[1].reason = PAY_STR("declined");
    cr_assert_eq(pay_order_render(test_arena(), &c, PAY_STR("o-2"),
                                  &text), PAY_OK);
    cr_expect(pay_str_is(text,
        "{\"payment_order_id\":\"o-2\",\"seller_account\":\"s2\","
        "\"amount\":\"29.99\",\"currency\":\"USD\",\"status\":\"FAILED\","
        "\"reason\":\"declined\"," UNPAID ",\"checkout_id\":\"c-1\","
        "\"is_payment_done\":false,\"is_final\":false,\"psp\":\"generic\","
        "\"redirect_url\":null,"
        "\"expires_at\":\"2026-11-21T05:50:00Z\"}"), "%.*s", pay_fmt(text));
}


Test(pay_payment_render, an_order_tells_what_became_of_its_money)
{
    pay_str_t        text;
    pay_order_t     *order;
    pay_checkout_t   c;

    checkout_make(&c);
    order = &c.orders[1];
    order->status = PAY_SUCCESS;
    order->captured_minor = 2000;
    order->authorized_minor = 999;
    order->refunding_minor = 100;
    order->refunded_minor = 500;
    order->charged_back_minor = 400;
    order->credit_minor = 3100;
    order->credit_rate = PAY_STR("155.6");
    order->credit_until = PAY_STR("2026-11-21T06:00:00Z");
    cr_assert_eq(pay_currency_find(PAY_STR("JPY"), &order->credit, NULL),
                 PAY_OK);
    cr_assert_eq(pay_order_render(test_arena(), &c, PAY_STR("o-2"),
                                  &text), PAY_OK);
    cr_expect_not_null(strstr((const char *) text.data,
        "\"amount_authorized\":\"9.99\",\"amount_captured\":\"20.00\","
        "\"amount_refunded\":\"5.00\",\"amount_refundable\":\"10.00\","
        "\"wallet_updated\":true,\"ledger_updated\":true,\"credit\":{"
        "\"currency\":\"JPY\",\"amount\":\"3100\",\"rate\":\"155.6\","
        "\"expires_at\":\"2026-11-21T06:00:00Z\"},"), "%.*s",
        pay_fmt(text));
    cr_expect_null(strstr((const char *) text.data, "\"fee\""));
}


/* In the currency of the seller's wallet. */
Test(pay_payment_render, a_fee_is_shown_with_its_tax)
{
    pay_str_t        text;
    pay_order_t     *order;
    pay_checkout_t   c;

    checkout_make(&c);
    order = &c.orders[1];
    order->has_fee = 1;
    order->fee_minor = 120;
    order->fee_tax_minor = 24;
    cr_assert_eq(pay_order_render(test_arena(), &c, PAY_STR("o-2"), &text),
                 PAY_OK);
    cr_expect_not_null(strstr((const char *) text.data,
        ",\"fee\":{\"amount\":\"1.20\",\"tax\":\"0.24\",\"currency\":"
        "\"USD\"}"), "%.*s", pay_fmt(text));

    order->credit = NULL;
    cr_assert_eq(pay_currency_find(PAY_STR("JPY"), &order->credit, NULL),
                 PAY_OK);
    order->credit_rate = PAY_STR("1");
    order->credit_until = PAY_STR("2026-11-21T06:00:00Z");
    cr_assert_eq(pay_order_render(test_arena(), &c, PAY_STR("o-2"), &text),
                 PAY_OK);
    cr_expect_not_null(strstr((const char *) text.data,
        ",\"fee\":{\"amount\":\"120\",\"tax\":\"24\",\"currency\":"
        "\"JPY\"}"), "%.*s", pay_fmt(text));
}


/* A dispute may take what has been refunded already. */
Test(pay_payment_render, less_than_nothing_is_never_refundable)
{
    pay_order_t  order;

    memset(&order, 0, sizeof(order));
    order.captured_minor = 1000;
    order.refunded_minor = 800;
    cr_expect_eq(pay_order_refundable(&order), 200);
    order.charged_back_minor = 1000;
    cr_expect_eq(pay_order_refundable(&order), 0);
}


Test(pay_payment_render, order_of_another_checkout_is_not_found)
{
    pay_str_t        text = pay_string("untouched");
    pay_checkout_t   c;

    checkout_make(&c);
    cr_expect_eq(pay_order_render(test_arena(), &c, PAY_STR("o-3"),
                                  &text), PAY_NOT_FOUND);
    cr_expect_eq(pay_order_render(test_arena(), &c, PAY_STR(""),
                                  &text), PAY_NOT_FOUND);
    cr_expect(pay_str_is(text, "untouched"));
}


Test(pay_payment_render, amounts_keep_the_currencys_precision)
{
    size_t           i;
    pay_str_t        text;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    static const char *const  rows[][2] = {
        { "JPY", "\"amount\":\"2999\"" }, { "KWD", "\"amount\":\"2.999\"" },
        { "EUR", "\"amount\":\"29.99\"" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        checkout_make(&c);
        cr_assert_eq(pay_currency_find(pay_str_of(rows[i][0]), &c.currency,
                                       NULL), PAY_OK);
        text = rendered(heap, &c);
        cr_expect_not_null(strstr((const char *) text.data, rows[i][1]),
                           "%.*s", pay_fmt(text));
    }

    pay_heap_destroy(heap);
}


Test(pay_payment_render, bytes_that_are_no_utf8_are_an_error_not_a_reply)
{
    pay_str_t        text = pay_string("untouched");
    pay_checkout_t   c;

    checkout_make(&c);
    c.orders[1].seller = PAY_STR("\xff");
    cr_expect_neq(pay_checkout_render(test_arena(), &c, &text),
                  PAY_OK);
    cr_expect(pay_str_is(text, "untouched"));
}


Test(pay_payment_render, timeline_wraps_what_sql_made)
{
    pay_str_t    text;

    cr_assert_eq(pay_timeline_render(test_arena(), PAY_STR("o-1"),
                                     PAY_STR("[{\"seq\":1}]"), &text),
                 PAY_OK);
    cr_expect(pay_str_is(text, "{\"payment_order_id\":\"o-1\","
                               "\"events\":[{\"seq\":1}]}"));
}


static pay_status_t
torture_checkout(pay_arena_t *arena, void *result)
{
    pay_str_t        text;
    pay_checkout_t   c;

    checkout_make(&c);
    c.token = PAY_STR("t");
    PAY_TRY(pay_checkout_render(arena, &c, &text));
    memcpy(result, &text, sizeof(text));

    return PAY_OK;
}


static pay_status_t
torture_order(pay_arena_t *arena, void *result)
{
    pay_str_t        text;
    pay_checkout_t   c;

    checkout_make(&c);
    c.token = PAY_STR("t");
    PAY_TRY(pay_order_render(arena, &c, PAY_STR("o-2"), &text));
    PAY_TRY(pay_timeline_render(arena, PAY_STR("o-2"), PAY_STR("[]"), &text));
    memcpy(result, &text, sizeof(text));

    return PAY_OK;
}


Test(pay_payment_render, failing_memory_is_an_ordinary_error)
{
    cr_expect_geq(torture(torture_checkout, sizeof(pay_str_t)), 2);
    cr_expect_geq(torture(torture_order, sizeof(pay_str_t)), 3);
}

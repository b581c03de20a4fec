/*
 * The terms of POST /v1/payments: capture by hand, and sellers who are
 * credited in another currency.
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


/* An adapter that takes the money later; the traits are said so. */
static pay_psp_adapter_t
later(unsigned traits)
{
    pay_psp_adapter_t  adapter = *generic();

    adapter.traits = traits;

    return adapter;
}


Test(pay_flow_terms, ordinary_payments_have_no_terms)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, begin_payment, terms, NULL);
    world_close(&world);
}


Test(pay_flow_terms, terms_tell_of_capture_and_quotes)
{
    world_t            world;
    pay_psp_adapter_t  adapter = later(PAY_PSP_AUTHORIZES);

    static const char  credit[] = BODY(
        "{\"payment_order_id\":\"order-1\",\"seller_account\":\"s\","
        "\"amount\":\"30.00\",\"currency\":\"USD\","
        "\"credit_currency\":\"EUR\"}");

    world_open(&world);
    world.psps[WORLD_GENERIC].adapter = &adapter;
    create_open(&world, WORLD_GENERIC,
                BODY_WITH("\"capture\":\"manual\",", ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, begin_payment, terms, "{\"capture\":\"manual\"}");
    expect_text(asked(&world, begin_payment)->orders->seller_account,
                "seller-1");
    expect_text(asked(&world, begin_payment)->orders->credit_currency, NULL);
    world_close(&world);

    world_open(&world);
    world.env.quote_ttl_s = 600;
    world.env.rate_age_s = 60;
    create_open(&world, WORLD_GENERIC, credit);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_text(asked(&world, begin_payment)->orders->credit_currency, "EUR");
    expect_arg(&world, begin_payment, terms,
               "{\"capture\":\"automatic\",\"quote_ttl_s\":600,"
               "\"rate_age_s\":60}");
    world_close(&world);

    world_open(&world);
    create_open(&world, WORLD_GENERIC, credit);
    expect_arg(&world, begin_payment, terms, "{\"capture\":\"automatic\"}");
    world_close(&world);
}


Test(pay_flow_terms, terms_tell_the_fees_in_the_sequence_of_the_orders)
{
    world_t            world;

    static const char  fees[] = BODY(ONE_ORDER ","
        "{\"payment_order_id\":\"order-2\",\"seller_account\":\"s\","
        "\"amount\":\"30.00\",\"currency\":\"USD\",\"fee\":\"1.50\"},"
        "{\"payment_order_id\":\"order-3\",\"seller_account\":\"s\","
        "\"amount\":\"30.00\",\"currency\":\"USD\",\"fee\":\"0.00\"}");

    world_open(&world);
    create_open(&world, WORLD_GENERIC, fees);
    expect_arg(&world, begin_payment, terms, "{\"capture\":\"automatic\","
               "\"fees\":[null,150,0]}");
    world_close(&world);
}


/* null: an order without a description. */
Test(pay_flow_terms, terms_tell_of_the_buyers_page)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC,
                BODY_WITH("\"locale\":\"pt-BR\",", ONE_ORDER));
    expect_arg(&world, begin_payment, terms, "{\"capture\":\"automatic\","
               "\"page\":{\"locale\":\"pt-BR\",\"descriptions\":[null]}}");
    world_close(&world);

    world_open(&world);
    create_open(&world, WORLD_GENERIC,
                BODY_WITH("", "{\"payment_order_id\":\"o\","
                          "\"seller_account\":\"s\",\"amount\":\"1.00\","
                          "\"currency\":\"USD\","
                          "\"description\":\"a \\\"b\\\" \\\\\"}"));
    expect_arg(&world, begin_payment, terms, "{\"capture\":\"automatic\","
               "\"page\":{\"descriptions\":[\"a \\\"b\\\" \\\\\"]}}");
    world_close(&world);
}


/* Commissions may depend on it. */
Test(pay_flow_terms, terms_tell_the_payment_method)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC,
                BODY_WITH("\"payment_method\":\"sepa~d.d_1-x\",", ONE_ORDER));
    expect_arg(&world, begin_payment, terms, "{\"capture\":\"automatic\","
               "\"payment_method\":\"sepa~d.d_1-x\"}");
    world_close(&world);
}


static int  was_later;


static pay_status_t
register_later(pay_arena_t *arena, const pay_psp_account_t *ours,
    const pay_psp_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err)
{
    was_later = checkout->capture_later;

    return generic()->register_request(arena, ours, checkout, request, err);
}


/* Else a PSP that cannot do it would be found out after the commit. */
Test(pay_flow_terms, what_is_tried_before_the_commit_has_the_terms)
{
    int                i;
    world_t            world;
    pay_psp_adapter_t  adapter = later(PAY_PSP_AUTHORIZES);

    adapter.register_request = register_later;

    for (i = 0; i < 2; i++) {
        was_later = -1;
        world_open(&world);
        world.psps[WORLD_GENERIC].adapter = &adapter;
        create_open(&world, WORLD_GENERIC,
                    i ? BODY_WITH("\"capture\":\"manual\",", ONE_ORDER)
                      : BODY(ONE_ORDER));
        expect_db(&world, PAY_OP_BEGIN_PAYMENT);
        cr_expect_eq(was_later, i);
        world_close(&world);
    }
}


/* Nothing of it is stored: a job could not capture it either. */
Test(pay_flow_terms, manual_capture_goes_only_where_it_can_be_done)
{
    size_t             i;
    world_t            world;
    pay_psp_adapter_t  adapter;

    static const struct {
        unsigned     traits;
        const char  *orders;
        int          taken;
    } rows[] = {
        { 0, ONE_ORDER, 0 },
        { PAY_PSP_MULTICAPTURE, ONE_ORDER, 0 },
        { PAY_PSP_AUTHORIZES, ONE_ORDER, 1 },
        { PAY_PSP_AUTHORIZES, ONE_ORDER "," ORDER("o-2", "1.00", "USD"), 0 },
        { PAY_PSP_AUTHORIZES | PAY_PSP_MULTICAPTURE,
          ONE_ORDER "," ORDER("o-2", "1.00", "USD"), 1 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        char  body[1024];

        snprintf(body, sizeof(body), "%s%s%s",
                 "{\"checkout_id\":\"c-1\",\"buyer_info\":{},"
                 "\"capture\":\"manual\",\"return_url\":\"" RETURN_URL
                 "\",\"payment_orders\":[", rows[i].orders, "]}");
        adapter = later(rows[i].traits);
        world_open(&world);
        world.psps[WORLD_GENERIC].adapter = &adapter;
        create_open(&world, WORLD_GENERIC, body);

        if (rows[i].taken) {
            expect_db(&world, PAY_OP_BEGIN_PAYMENT);

        } else {
            world_row(&world, PAY_OUTCOME_UNKNOWN, NULL);
            expect_problem(&world, "operation-not-supported", 422);
            cr_expect(pay_str_is(world.effect.reply->pointer, "/capture"));
            cr_expect_eq(world.http_count, 0);
        }

        world_close(&world);
    }
}


/* The rate's absence is not the storefront's mistake; too large an amount
 * is. */
Test(pay_flow_terms, a_missing_rate_is_503_and_calls_no_psp)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(&world, PAY_OUTCOME_RATE_MISSING, NULL);
    reply = expect_problem(&world, "rate-unavailable", 503);
    cr_expect_eq(reply->retry_after_s, 60);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(&world, PAY_OUTCOME_CREDIT_TOO_LARGE, NULL);
    expect_problem(&world, "amount-invalid", 422);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}

/*
 * A refund of a merchant whose sellers must not be overdrawn: what the
 * operation is asked, and what the storefront hears.
 */

#include "flow_driver.h"


#define PAID                                                                  \
    "[{\"id\":\"order-1\",\"seller\":\"seller-1\",\"amount\":1234,"           \
    "\"currency\":\"USD\",\"status\":\"SUCCESS\",\"captured\":1234}]"


static void
refund_open(world_t *world, int refuse)
{
    pay_checkout_row_t  view;
    pay_change_input_t  in;

    world_open(world);
    world->merchants[0].refuse_overdraw = refuse;
    view = view_registered(world->psps[WORLD_GENERIC].adapter);
    set_orders(&view, PAID);

    memset(&in, 0, sizeof(in));
    in.merchant = &world->merchants[0];
    in.kind = PAY_CHANGE_REFUND;
    in.order_id = PAY_STR("order-1");
    in.body = PAY_STR("");
    in.idempotency_key = PAY_STR("key-0123456789abcdef");
    in.ttl_s = 86400;
    in.in_progress_status = 409;
    in.change_id = PAY_STR(CHANGE_ID);

    world_made(world, pay_flow_change(&world->flow, &in));
    world_start(world);
    expect_db(world, PAY_OP_GET_PAYMENT);
    world_row(world, PAY_OUTCOME_FOUND, &view);
    expect_db(world, PAY_OP_BEGIN_CHANGE);
}


Test(pay_flow_overdraw, a_refund_is_covered_where_the_merchant_says_so)
{
    world_t  world;

    refund_open(&world, 0);
    expect_arg(&world, begin_change, kind, "refund");
    world_close(&world);

    refund_open(&world, 1);
    expect_arg(&world, begin_change, kind, "covered_refund");
    world_close(&world);
}


Test(pay_flow_overdraw, the_storefront_hears_that_the_seller_has_less)
{
    world_t  world;

    refund_open(&world, 1);
    world_change_row(&world, PAY_OUTCOME_OVERDRAWS, NULL);
    expect_problem(&world, "seller-overdrawn", 409);
    world_close(&world);
}

/*
 * A change whose PSP has left the configuration: its key is looked up before
 * it is refused.
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define PAID                                                                  \
    "[" STORED_MONEY("order-1", "3000", "SUCCESS",                            \
                     MONEY("false", "0", "3000", "100", "400", "0")) "]"
#define HELD                                                                  \
    "[" STORED_MONEY("order-1", "3000", "EXECUTING",                          \
                     MONEY("true", "3000", "0", "0", "0", "0")) "]"


/* Up to the look-up of the key. */
static void
change_removed(world_t *world, pay_change_kind_t kind, const char *orders)
{
    pay_checkout_row_t  view = view_registered(generic());
    pay_change_input_t  in;

    set_orders(&view, orders);
    view.psp = PAY_STR("removed");

    world_open(world);
    memset(&in, 0, sizeof(in));
    in.merchant = &world->merchants[0];
    in.kind = kind;
    in.order_id = PAY_STR("order-1");
    in.idempotency_key = PAY_STR("key-0123456789abcdef");
    in.ttl_s = 86400;
    in.in_progress_status = 409;
    in.change_id = PAY_STR(CHANGE_ID);

    world_made(world, pay_flow_change(&world->flow, &in));
    world_start(world);
    world_row(world, PAY_OUTCOME_FOUND, &view);
    expect_db(world, PAY_OP_EXPLAIN_CHANGE);
}


Test(pay_flow_change_known, a_repetition_is_answered_without_its_psp)
{
    pay_checkout_row_t  view = view_registered(generic());
    pay_change_row_t    row;
    world_t             world;

    set_orders(&view, HELD);
    row = change_with("final_capture", &view);

    change_removed(&world, PAY_CHANGE_CAPTURE, HELD);
    expect_arg(&world, explain_change, merchant_id, "acme");
    expect_arg(&world, explain_change, kind, "capture");
    expect_arg(&world, explain_change, idempotency_key,
               "key-0123456789abcdef");
    cr_expect_eq(asked(&world, explain_change)->fingerprint.len,
                 PAY_SHA256_SIZE);
    world_change_row(&world, PAY_OUTCOME_REPLAYED, &row);
    cr_expect(expect_reply(&world, PAY_REPLY_JSON, 202)->replayed);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


Test(pay_flow_change_known, a_key_is_judged_without_its_psp)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_outcome_t  outcome;
        const char    *slug;
        unsigned       status;
    } rows[] = {
        { PAY_OUTCOME_KEY_REUSED, "idempotency-key-reused", 422 },
        { PAY_OUTCOME_IN_PROGRESS, "idempotency-in-progress", 409 },
        { PAY_OUTCOME_RECOVERING, "dependency-unavailable", 503 },
        { PAY_OUTCOME_UNKNOWN, "operation-not-supported", 422 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        change_removed(&world, PAY_CHANGE_REFUND, PAID);
        world_change_row(&world, rows[i].outcome, NULL);
        expect_problem(&world, rows[i].slug, rows[i].status);
        world_close(&world);
    }

    change_removed(&world, PAY_CHANGE_REFUND, PAID);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    expect_problem(&world, "dependency-unavailable", 503);
    world_close(&world);
}

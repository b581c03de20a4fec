/*
 * The storefront's GETs: which operation they ask, with whose name, and what
 * each of its answers means.
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


static void
read_open(world_t *world, pay_read_t what, const char *id)
{
    world_made(world, pay_flow_read(&world->flow, what, PAY_STR("acme"),
                                    pay_str_of(id), 1));
    world_start(world);
}


Test(pay_flow_read, each_read_asks_its_operation_as_the_merchant)
{
    size_t                     i;
    world_t                    world;
    const pay_get_order_in_t  *in;     /* like those of the others */

    static const struct {
        pay_read_t   what;
        pay_op_id_t  op;
    } rows[] = {
        { PAY_READ_PAYMENT, PAY_OP_GET_ORDER },
        { PAY_READ_CHECKOUT, PAY_OP_GET_CHECKOUT },
        { PAY_READ_EVENTS, PAY_OP_GET_EVENTS }
    };

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        read_open(&world, rows[i].what, "order-1");
        expect_db(&world, rows[i].op);
        cr_expect_eq(pay_op(rows[i].op)->in_size, sizeof(*in));
        in = world.effect.args;
        expect_text(in->merchant_id, "acme");
        expect_text(in->payment_order_id, "order-1");
        world_close(&world);
    }
}


Test(pay_flow_read, ids_that_cannot_be_are_404_without_the_database)
{
    size_t   i;
    world_t  world;

    static const char *const  ids[] = {
        "", " ", "a/b", "a:b", "a b", "'; drop table pay.checkout --",
        "\xc3\xa9", "%2e%2e", "a\nb", "a?b", "*",
        "01234567890123456789012345678901234567890123456789012345678901234"
    };

    for (i = 0; i < COUNT(ids); i++) {
        world_open(&world);
        read_open(&world, (pay_read_t) (i % 3), ids[i]);
        expect_problem(&world, "not-found", 404);
        cr_expect_eq(world.db_count, 0, "%s", ids[i]);
        world_close(&world);
    }
}


Test(pay_flow_read, a_checkout_has_a_body_and_a_version)
{
    pay_checkout_row_t   view = view_registered(generic());
    world_t              world;
    const pay_reply_t   *reply;

    world_open(&world);
    read_open(&world, PAY_READ_CHECKOUT, "c-1");
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect(contains(reply->body, "{\"checkout_id\":\"c-1\""));
    cr_expect(contains(reply->body, "\"payment_orders\":["));
    cr_expect(contains(reply->body, BASE "/checkout/" HANDLE));
    cr_expect_eq(reply->version, 3);
    cr_expect(pay_str_is(world.flow.psp_name, "generic"));
    world_close(&world);
}


Test(pay_flow_read, an_order_is_the_one_that_was_asked_for)
{
    world_t             world;
    pay_order_row_t     row = order_executing(generic());
    const pay_reply_t  *reply;

    row.line.order_id = PAY_STR("order-2");
    row.line.order_minor = 2000;
    world_open(&world);
    read_open(&world, PAY_READ_PAYMENT, "order-2");
    world_order_row(&world, PAY_OUTCOME_FOUND, &row);
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect(contains(reply->body, "\"payment_order_id\":\"order-2\""));
    cr_expect(contains(reply->body, "\"amount\":\"20.00\""));
    cr_expect_not(contains(reply->body, "order-1"));
    cr_expect(contains(reply->body, BASE "/checkout/" HANDLE));
    cr_expect_eq(reply->version, 3);
    cr_expect(pay_str_is(world.flow.merchant_id, "acme"));
    cr_expect(pay_str_is(world.flow.checkout_id, "c-1"));
    cr_expect(pay_str_is(world.flow.order_id, "order-2"));
    cr_expect(pay_str_is(world.flow.psp_name, "generic"));
    world_close(&world);
}


Test(pay_flow_read, an_order_before_its_token_has_no_way_to_pay)
{
    world_t             world;
    pay_order_row_t     row = order_registering(generic());
    const pay_reply_t  *reply;

    world_open(&world);
    read_open(&world, PAY_READ_PAYMENT, "order-1");
    world_order_row(&world, PAY_OUTCOME_FOUND, &row);
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect(contains(reply->body, "\"redirect_url\":null"));
    world_close(&world);
}


Test(pay_flow_read, a_timeline_is_what_sql_made_of_it)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    read_open(&world, PAY_READ_EVENTS, "order-1");
    world_result(&world, PAY_OUTCOME_FOUND, &(pay_events_row_t) {
                     PAY_STR("[{\"seq\":1},{\"seq\":2}]") });
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect(pay_str_is(reply->body, "{\"payment_order_id\":\"order-1\","
                         "\"events\":[{\"seq\":1},{\"seq\":2}]}"));
    cr_expect_eq(reply->version, -1);
    cr_expect(pay_str_is(world.flow.order_id, "order-1"));
    world_close(&world);
}


/* A foreign merchant's and an absent one look the same. */
Test(pay_flow_read, everything_but_found_is_404)
{
    unsigned            i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    for (i = 0; i < 2; i++) {
        world_open(&world);
        read_open(&world, PAY_READ_CHECKOUT, "order-1");
        world_row(&world, PAY_OUTCOME_NOT_FOUND, i == 1 ? &view : NULL);
        expect_problem(&world, "not-found", 404);
        world_close(&world);
    }
}


Test(pay_flow_read, everything_but_found_is_404_for_an_order_too)
{
    unsigned         i;
    world_t          world;
    pay_order_row_t  row = order_executing(generic());

    for (i = 0; i < 2; i++) {
        world_open(&world);
        read_open(&world, PAY_READ_PAYMENT, "order-1");
        world_order_row(&world, PAY_OUTCOME_NOT_FOUND, i == 1 ? &row : NULL);
        expect_problem(&world, "not-found", 404);
        world_close(&world);
    }
}


Test(pay_flow_read, a_row_without_the_order_is_a_bug_not_a_404)
{
    world_t          world;
    pay_order_row_t  row = order_executing(generic());

    world_open(&world);
    read_open(&world, PAY_READ_PAYMENT, "order-9");
    world_order_row(&world, PAY_OUTCOME_FOUND, &row);
    expect_problem(&world, "internal-error", 500);
    world_close(&world);
}


Test(pay_flow_read, no_stale_200_without_the_database)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < 3 * DB_FAILURES; i++) {
        world_open(&world);
        read_open(&world, (pay_read_t) (i / DB_FAILURES), "order-1");
        world_db_failed(&world, (pay_db_failure_t) (i % DB_FAILURES));
        expect_reply(&world, PAY_REPLY_PROBLEM,
                     i % DB_FAILURES == PAY_DB_ERROR ? 500 : 503);
        world_close(&world);
    }
}


static void
play_checkout(world_t *world)
{
    pay_checkout_row_t  view = view_registered(generic());

    read_open(world, PAY_READ_CHECKOUT, "c-1");
    world_row(world, PAY_OUTCOME_FOUND, &view);
}


static void
play_payment(world_t *world)
{
    pay_order_row_t  row = order_executing(generic());

    read_open(world, PAY_READ_PAYMENT, "order-1");
    world_order_row(world, PAY_OUTCOME_FOUND, &row);
}


static void
play_events(world_t *world)
{
    read_open(world, PAY_READ_EVENTS, "order-1");
    world_result(world, PAY_OUTCOME_FOUND,
                 &(pay_events_row_t) { PAY_STR("[]") });
}


static void
play_absent(world_t *world)
{
    read_open(world, PAY_READ_PAYMENT, "order-1");
    world_order_row(world, PAY_OUTCOME_NOT_FOUND, NULL);
}


Test(pay_flow_read, failing_memory_ends_each_read_as_a_500)
{
    cr_expect_geq(world_torture(play_checkout), 20);
    cr_expect_geq(world_torture(play_payment), 12);
    cr_expect_geq(world_torture(play_events), 4);
    cr_expect_geq(world_torture(play_absent), 3);
}


Test(pay_flow_read, a_page_goes_on_behind_its_cursor)
{
    unsigned    i;
    world_t     world;
    pay_page_t  page;

    for (i = 0; i < 2; i++) {
        memset(&page, 0, sizeof(page));
        page.limit = 50;
        page.has_cursor = (int) i;
        page.before_us = 1795236479000001;
        memcpy(page.before_id, "c-17", 4);
        page.before_len = 4;

        world_open(&world);
        world_made(&world, pay_flow_read_page(&world.flow, PAY_STR("acme"),
                                              &page));
        world_start(&world);
        expect_db(&world, PAY_OP_LIST_CHECKOUTS);
        expect_arg(&world, list_checkouts, merchant_id, "acme");
        expect_arg(&world, list_checkouts, before_id, i ? "c-17" : NULL);
        cr_expect_eq(asked(&world, list_checkouts)->before_us.is_set, i);
        cr_expect_not(asked(&world, list_checkouts)->after_us.is_set);
        cr_expect_eq(asked(&world, list_checkouts)->limit, 50);
        world_close(&world);
    }
}

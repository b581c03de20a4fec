/*
 * A merchant that moves from one cell to another: what is asked for where.
 * Cell 0 has its older payments, cell 1 the new ones.
 */

#include "flow_driver.h"


#define FROM  0u
#define TO    1u

#define BOTH_ASKED  "{\"capture\":\"automatic\",\"both_cells\":true}"


static void
cells_open(world_t *world)
{
    world_open(world);
    world->merchants[0].from = FROM;
    world->merchants[0].cell = TO;
    world->psps[WORLD_STRIPE].cell = TO;
    world->flow.cell = TO;
}


/* generic is in the old cell, stripe in the new one; routes decide. */
static void
cells_create(world_t *world)
{
    cells_open(world);
    create_fill(world, WORLD_GENERIC, BODY(ONE_ORDER));
    world->create.psp = NULL;
    world->create.handle = PAY_STR("b" HANDLE);
    world->create.from_handle = PAY_STR(HANDLE);
    world_made(world, pay_flow_create(&world->flow, &world->create));
    world_start(world);
    expect_db(world, PAY_OP_EXPLAIN_BEGIN);
    cr_expect_eq(world->flow.cell, FROM);
}


Test(pay_flow_cells, a_new_payment_is_looked_up_where_older_ones_are)
{
    world_t  world;

    cells_create(&world);
    expect_arg(&world, explain_begin, merchant_id, "acme");
    expect_arg(&world, explain_begin, checkout_id, "c-1");
    expect_arg(&world, explain_begin, orders, "order-1");
    world_close(&world);
}


/* Not known in the old cell; the new one is asked, too. */
static void
cells_look_back(world_t *world)
{
    cells_create(world);
    world_row(world, PAY_OUTCOME_UNKNOWN, NULL);
    expect_db(world, PAY_OP_EXPLAIN_BEGIN);
    cr_expect_eq(world->flow.cell, TO);
    expect_arg(world, explain_begin, orders, "order-1");
}


Test(pay_flow_cells, it_begins_there_while_nothing_is_fenced)
{
    world_t  world;

    cells_look_back(&world);
    world_row(&world, PAY_OUTCOME_UNKNOWN, NULL);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_eq(world.flow.cell, FROM);
    expect_arg(&world, begin_payment, psps, "generic");
    expect_arg(&world, begin_payment, handle, HANDLE);
    expect_arg(&world, begin_payment, terms, BOTH_ASKED);
    world_close(&world);
}


/* A merchant that goes back where it was before: that cell is fenced, and its
 * keys would begin again in the one that it leaves. */
Test(pay_flow_cells, what_is_known_where_it_goes_back_is_answered)
{
    world_t             world;
    pay_checkout_row_t  view = view_registered(generic());

    cells_look_back(&world);
    world_row(&world, PAY_OUTCOME_REPLAYED, &view);
    cr_expect(expect_reply(&world, PAY_REPLY_JSON, 201)->replayed);
    world_close(&world);

    cells_look_back(&world);
    world_row(&world, PAY_OUTCOME_MOVED, NULL);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_eq(world.flow.cell, FROM);
    world_close(&world);
}


Test(pay_flow_cells, it_begins_in_the_new_cell_when_it_has_moved)
{
    world_t  world;

    cells_create(&world);
    world_row(&world, PAY_OUTCOME_MOVED, NULL);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_eq(world.flow.cell, TO);
    expect_arg(&world, begin_payment, psps, "stripe");
    expect_arg(&world, begin_payment, handle, "b" HANDLE);
    expect_arg(&world, begin_payment, terms, BOTH_ASKED);
    world_close(&world);
}


/* A node that knows one cell has asked no other one, and does not say so. */
Test(pay_flow_cells, without_a_move_nothing_was_asked)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_eq(asked(&world, begin_payment)->terms.len, 0);
    world_close(&world);
}


Test(pay_flow_cells, what_is_known_there_is_answered)
{
    world_t             world;
    pay_checkout_row_t  view = view_registered(generic());

    cells_create(&world);
    world_row(&world, PAY_OUTCOME_REPLAYED, &view);
    cr_expect(expect_reply(&world, PAY_REPLY_JSON, 201)->replayed);
    world_close(&world);
}


Test(pay_flow_cells, a_move_under_way_is_503)
{
    unsigned  i;
    world_t   world;

    static const pay_outcome_t  words[] = {
        PAY_OUTCOME_MOVING, PAY_OUTCOME_RECOVERING
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        cells_create(&world);
        world_row(&world, words[i], NULL);
        cr_expect_gt(expect_problem(&world, "dependency-unavailable", 503)
                     ->retry_after_s, 0);
        world_close(&world);
    }
}


/* The fence came behind the look-up, or the node does not know of the move. */
Test(pay_flow_cells, begin_payment_may_say_so_itself)
{
    unsigned  i;
    world_t   world;

    static const pay_outcome_t  words[] = {
        PAY_OUTCOME_MOVING, PAY_OUTCOME_MOVED
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        cells_look_back(&world);
        world_row(&world, PAY_OUTCOME_UNKNOWN, NULL);
        world_row(&world, words[i], NULL);
        cr_expect_gt(expect_problem(&world, "dependency-unavailable", 503)
                     ->retry_after_s, 0);
        world_close(&world);
    }
}


Test(pay_flow_cells, a_psp_of_the_other_cell_is_refused)
{
    world_t  world;

    cells_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    expect_db(&world, PAY_OP_EXPLAIN_BEGIN);
    world_row(&world, PAY_OUTCOME_MOVED, NULL);
    expect_db(&world, PAY_OP_EXPLAIN_BEGIN);
    cr_expect_eq(world.flow.cell, TO);
    world_row(&world, PAY_OUTCOME_UNKNOWN, NULL);
    expect_text(expect_problem(&world, "validation-error", 422)->pointer,
                "/psp");
    world_close(&world);
}


Test(pay_flow_cells, a_read_goes_on_in_the_old_cell)
{
    world_t          world;
    pay_order_row_t  row = order_executing(generic());

    cells_open(&world);
    world_made(&world, pay_flow_read(&world.flow, PAY_READ_PAYMENT,
                                     PAY_STR("acme"), PAY_STR("order-1"), 1));
    world_start(&world);
    cr_expect_eq(world.flow.cell, TO);
    world_order_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_db(&world, PAY_OP_GET_ORDER);
    cr_expect_eq(world.flow.cell, FROM);
    world_order_row(&world, PAY_OUTCOME_FOUND, &row);
    (void) expect_reply(&world, PAY_REPLY_JSON, 200);
    world_close(&world);
}


Test(pay_flow_cells, it_is_not_found_when_neither_has_it)
{
    world_t  world;

    cells_open(&world);
    world_made(&world, pay_flow_read(&world.flow, PAY_READ_CHECKOUT,
                                     PAY_STR("acme"), PAY_STR("c-1"), 1));
    world_start(&world);
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_db(&world, PAY_OP_GET_CHECKOUT);
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    (void) expect_problem(&world, "not-found", 404);
    world_close(&world);
}


/* A cell that is away says nothing about what it has. */
Test(pay_flow_cells, a_cell_that_is_away_is_not_passed_over)
{
    world_t  world;

    cells_open(&world);
    world_made(&world, pay_flow_read(&world.flow, PAY_READ_CHECKOUT,
                                     PAY_STR("acme"), PAY_STR("c-1"), 1));
    world_start(&world);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    (void) expect_problem(&world, "dependency-unavailable", 503);
    world_close(&world);

    cells_create(&world);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    (void) expect_problem(&world, "dependency-unavailable", 503);
    world_close(&world);

    cells_look_back(&world);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    (void) expect_problem(&world, "dependency-unavailable", 503);
    world_close(&world);
}

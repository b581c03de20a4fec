/*
 * POST /v1/payments whose first PSP fails: what goes to the next one, what
 * stays where it may have happened, and copies that libcurl sends by itself
 * (docs/routing.md; docs/reliability.md#copies-of-one-call).
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


/* Both PSPs may have it; the first is stripe. */
static void
routed_begun(world_t *world)
{
    pay_checkout_row_t  view = view_of(stripe());

    world_open(world);
    create_fill(world, WORLD_STRIPE, BODY(ONE_ORDER));
    world->create.psp = NULL;
    world_made(world, pay_flow_create(&world->flow, &world->create));
    world_start(world);
    expect_db(world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(world, begin_payment, psp, "stripe");
    expect_arg(world, begin_payment, psps, "stripe generic");
    cr_expect_not((asked(world, begin_payment)->route.len == 0));
    view.attempt = 3;
    world_row(world, PAY_OUTCOME_CREATED, &view);
    cr_expect_eq(world->effect.psp, &world->psps[WORLD_STRIPE]);
}


Test(pay_flow_create_move, what_had_no_effect_goes_to_the_next_psp)
{
    size_t              i;
    pay_checkout_row_t  view;
    world_t             world;

    static const ending_t  endings[] = {
        { PAY_SENT_NOTHING, 0, "", PAY_FAILURE_CONNECT },
        { PAY_SENT_NOTHING, 0, "", PAY_FAILURE_CIRCUIT_OPEN },
        { PAY_ANSWERED, 429, "", 0 },
        { PAY_ANSWERED, 400, "{\"error\":{\"type\":\"card_error\","
                             "\"code\":\"no\"}}", 0 }
    };

    for (i = 0; i < COUNT(endings); i++) {
        routed_begun(&world);
        world_http(&world, answer_of(&endings[i]));
        expect_db(&world, PAY_OP_REROUTE);
        expect_arg(&world, reroute, psp, "stripe");
        expect_arg(&world, reroute, outcome, i < 3 ? "not_sent" : "refused");
        cr_expect_eq(asked(&world, reroute)->attempt, 3, "of this very call");

        view = view_of(generic());
        world_row(&world, PAY_OUTCOME_REROUTED, &view);
        expect_http(&world);
        cr_expect_eq(world.effect.psp, &world.psps[WORLD_GENERIC]);
        cr_expect(pay_str_is(field_of(&world.effect.http, "Idempotency-Key"),
                             NONCE), "I1: one nonce for ever");
        world_answer(&world, generic(), 201, "register-answer.json");
        expect_db(&world, PAY_OP_STORE_TOKEN);
        expect_arg(&world, store_token, psp, "generic");
        world_close(&world);
    }
}


/* I1: what may have happened at one PSP is never tried at another. */
Test(pay_flow_create_move, what_may_have_happened_stays_with_its_psp)
{
    size_t   i;
    world_t  world;

    static const ending_t  endings[] = {
        { PAY_SENT_SOME, 0, "", PAY_FAILURE_TIMEOUT },
        { PAY_ANSWERED, 500, "", 0 },
        { PAY_ANSWERED, 200, "{}", 0 }, { PAY_ANSWERED, 302, "", 0 },
        { PAY_ANSWERED, 200, "{\"id\":\"cs_1\",\"url\":\"https://evil.example"
                             "/\"}", 0 },
        { PAY_ANSWERED, 400, "{\"error\":{\"type\":\"idempotency_error\"}}",
          0 }
    };

    for (i = 0; i < COUNT(endings); i++) {
        routed_begun(&world);
        world_http(&world, answer_of(&endings[i]));
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, psp, "stripe");
        world_close(&world);
    }
}


/* libcurl sends a second copy by itself when a kept connection dies: what
 * that is told says nothing of the first, which may have made a page. */
Test(pay_flow_create_move, a_refusal_of_a_second_copy_is_unknown)
{
    size_t              i;
    world_t             world;
    pay_http_answer_t   answer;

    static const ending_t  endings[] = {
        { PAY_SENT_NOTHING, 0, "", PAY_FAILURE_CIRCUIT_OPEN },
        { PAY_ANSWERED, 429, "", 0 }, { PAY_ANSWERED, 401, "", 0 },
        { PAY_ANSWERED, 403, "{\"error\":{\"code\":\"key\"}}", 0 },
        { PAY_ANSWERED, 400, "{\"error\":{\"type\":\"card_error\","
                             "\"code\":\"no\"}}", 0 }
    };

    for (i = 0; i < COUNT(endings); i++) {
        routed_begun(&world);
        answer = answer_of(&endings[i]);
        answer.unheard = 1;
        world_http(&world, answer);
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, psp, "stripe");
        expect_arg(&world, store_no_token, outcome, "unknown");
        expect_arg(&world, store_no_token, code, "copy_unanswered");
        cr_expect_eq(world.http_count, 1);
        world_close(&world);
    }
}


Test(pay_flow_create_move, a_second_copy_that_is_accepted_is_done)
{
    world_t             world;
    pay_http_answer_t   answer;

    routed_begun(&world);
    answer = answered(200, fixture(pay_heap_arena(world.own), stripe(),
                                   "register-answer.json"));
    answer.unheard = 1;
    world_http(&world, answer);
    expect_db(&world, PAY_OP_STORE_TOKEN);
    world_close(&world);
}


Test(pay_flow_create_move, a_move_that_nobody_knows_of_is_told_to_the_old_psp)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < DB_FAILURES; i++) {
        routed_begun(&world);
        world_no_answer(&world, PAY_SENT_NOTHING, PAY_FAILURE_CONNECT);
        world_db_failed(&world, (pay_db_failure_t) i);
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, psp, "stripe");
        expect_arg(&world, store_no_token, outcome, "not_sent");
        cr_expect_eq(world.http_count, 1);
        world_close(&world);
    }
}


/* SQL is trusted, but not with an endless loop. */
Test(pay_flow_create_move, moves_have_an_end)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;
    unsigned            moves;

    routed_begun(&world);

    for (moves = 0; moves < 100; moves++) {
        world_no_answer(&world, PAY_SENT_NOTHING, PAY_FAILURE_CONNECT);

        if (world.effect.op != PAY_OP_REROUTE) {
            break;
        }

        world_row(&world, PAY_OUTCOME_REROUTED, &view);
        expect_http(&world);
    }

    expect_db(&world, PAY_OP_STORE_NO_TOKEN);
    cr_expect_eq(moves, PAY_ROUTE_PSPS_MAX);
    world_close(&world);
}


static void
play_moved(world_t *world)
{
    pay_checkout_row_t  view = view_of(generic());

    create_fill(world, WORLD_STRIPE, BODY(ONE_ORDER));
    world->create.psp = NULL;
    world_made(world, pay_flow_create(&world->flow, &world->create));
    world_start(world);
    view.psp = PAY_STR("stripe");
    world_row(world, PAY_OUTCOME_CREATED, &view);
    world_no_answer(world, PAY_SENT_NOTHING, PAY_FAILURE_CONNECT);
    view.psp = PAY_STR("generic");
    world_row(world, PAY_OUTCOME_REROUTED, &view);
    world_no_answer(world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    world_row(world, PAY_OUTCOME_STORED, &view);
}


Test(pay_flow_create_move, failing_memory_ends_it_as_a_500)
{
    cr_expect_geq(world_torture(play_moved), 60);
}

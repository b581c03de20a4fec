/*
 * Acts of staff: the body, the problem of each outcome, and looks at data of a
 * person, which are written down before they are shown.
 */

#include "flow_driver.h"
#include "torture.h"

#include "pay_flow_console.h"


#define HEAD  "\"request\":\"0199c0de-0000-7000-8000-000000000001\","         \
              "\"object\":\"7\""
#define WHY   ",\"reason\":\"because\""


static void
act_begin(world_t *world, const char *act, const char *body)
{
    pay_console_act_input_t  in;

    memset(&in, 0, sizeof(in));
    in.staff.subject = PAY_STR("ann@example.com");
    in.staff.roles = 1;
    in.act = act;
    in.body = pay_str_of(body);
    in.terms = PAY_STR("{}");
    world_made(world, pay_flow_console_act(&world->flow, &in));
    world_start(world);
}


static const char *
refused(const char *act, const char *body)
{
    world_t      world;
    const char  *slug;

    world_open(&world);
    act_begin(&world, act, body);
    cr_assert_eq(world.effect.kind, PAY_DO_DONE, "%s %s", act, body);
    slug = world.effect.reply->problem->slug;
    world_close(&world);

    return slug;
}


Test(pay_flow_console_act, a_body_has_exactly_the_members_of_its_act)
{
    size_t                    i;
    static const char *const  wrong[][2] = {
        { "requeue", "{" HEAD "}" },
        { "requeue", "{" HEAD WHY ",\"merchant\":\"m\"}" },
        { "requeue", "{" HEAD ",\"reason\":\"\"}" },
        { "requeue", "{" HEAD ",\"reason\":7}" },
        { "requeue", "{\"object\":\"\\u00e9\"" WHY "}" },
        { "refund", "{" HEAD WHY ",\"merchant\":\"m\",\"amount\":1,"
          "\"currency\":\"EUR\"}" },
        { "settle", "{" HEAD WHY ",\"merchant\":\"m\"}" },
        { "export", "{" HEAD ",\"filter\":\"\",\"rows\":-1}" },
        { "export", "{" HEAD ",\"filter\":\"\",\"rows\":\"1\"}" }
    };

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_str_eq(refused(wrong[i][0], wrong[i][1]),
                         "validation-error", "%s", wrong[i][1]);
    }

    cr_expect_str_eq(refused("requeue", "{"), "invalid-json");
    cr_expect_str_eq(refused("requeue", "{" HEAD ",\"reason\":\"card "
                             "4242424242424242\"}"),
                     "card-data-not-accepted");
}


Test(pay_flow_console_act, a_proof_without_a_key_is_not_asked_for)
{
    cr_expect_str_eq(refused("proof", "{" HEAD WHY ",\"merchant\":\"m\"}"),
                     "act-not-possible");
}


Test(pay_flow_console_act, each_outcome_has_its_problem)
{
    size_t    i;
    world_t   world;

    static const struct {
        pay_outcome_t   outcome;
        const char     *slug;
    } rows[] = {
        { PAY_OUTCOME_REFUSED, "forbidden" },
        { PAY_OUTCOME_OWN, "second-person-needed" },
        { PAY_OUTCOME_STALE, "login-too-old" },
        { PAY_OUTCOME_BLOCKED, "limit-exceeded" },
        { PAY_OUTCOME_GONE, "act-not-possible" },
        { PAY_OUTCOME_UNCHANGED, "act-not-possible" },
        { PAY_OUTCOME_KEY_REUSED, "idempotency-key-reused" },
        { PAY_OUTCOME_INVALID, "validation-error" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_open(&world);
        act_begin(&world, "requeue", "{" HEAD WHY "}");
        cr_assert_eq(world.effect.kind, PAY_DO_DB);
        world_result(&world, rows[i].outcome,
                     &(pay_page_row_t) { PAY_STR("So it is.") });
        cr_assert_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_str_eq(world.effect.reply->problem->slug, rows[i].slug);
        cr_expect_str_eq(world.effect.reply->detail, "So it is.");
        world_close(&world);
    }
}


static void
play_act(world_t *world)
{
    act_begin(world, "export", "{" HEAD ",\"filter\":\"\",\"rows\":3}");
    world_result(world, PAY_OUTCOME_DONE,
                 &(pay_page_row_t) { PAY_STR("{\"act\":\"export\"}") });
}


Test(pay_flow_console_act, failing_memory_ends_an_act_as_a_500)
{
    cr_expect_geq(world_torture(play_act), 5);
}


static void
look_begin(world_t *world, int can_act)
{
    pay_err_t            err;
    pay_staff_t          staff;
    pay_console_facts_t  facts = { PAY_STR("{}"), PAY_STR("[]"), can_act };
    pay_console_asked_t  asked;

    memset(&staff, 0, sizeof(staff));
    staff.subject = PAY_STR("ann@example.com");
    staff.roles = 1;
    cr_assert_eq(pay_console_parse(pay_heap_arena(world->own),
                                   PAY_STR("checkout=c1&personal=1"),
                                   pay_console_page(PAY_STR("payment")),
                                   &facts, &asked, &err), PAY_OK);
    cr_assert(asked.is_personal);
    world_made(world, pay_flow_console(&world->flow, &staff, &asked,
                                       can_act));
    world_start(world);
    world_result(world, PAY_OUTCOME_FOUND,
                 &(pay_console_row_t) { PAY_STR("{\"a\":1}"), 1 });
}


Test(pay_flow_console_act, a_look_is_written_down_before_it_is_shown)
{
    world_t  world;

    world_open(&world);
    look_begin(&world, 1);
    cr_assert_eq(world.effect.kind, PAY_DO_DB);
    cr_expect_eq(world.effect.op, PAY_OP_MAKE_ACT);
    world_result(&world, PAY_OUTCOME_DONE,
                 &(pay_page_row_t) { PAY_STR("{}") });
    cr_assert_eq(world.effect.kind, PAY_DO_DONE);
    cr_expect(pay_str_is(world.effect.reply->body, "{\"a\":1}"));
    cr_expect(world.effect.reply->is_personal);
    world_close(&world);

    world_open(&world);
    look_begin(&world, 1);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    cr_assert_eq(world.effect.kind, PAY_DO_DONE);
    cr_expect_neq(world.effect.reply->status, 200);
    world_close(&world);

    world_open(&world);
    look_begin(&world, 0);
    cr_expect_eq(world.effect.kind, PAY_DO_DONE);
    world_close(&world);
}

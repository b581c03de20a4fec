/*
 * The engine under all flows: failing steps, what a failed operation means to
 * a caller, backoff, the look-ups of the configuration.
 */

#include "flow_driver.h"
#include "flow/flow_util.h"
#include "pay_id.h"


static pay_status_t  step_status;


/* Leaves half an effect behind, then fails as told. */
static pay_status_t
step_failing(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    static pay_reply_t  half = { .kind = PAY_REPLY_JSON, .status = 201,
                                 .body = pay_string("{\"secret\":") };

    (void) input;

    effect->kind = PAY_DO_HTTP;
    effect->reply = &half;
    effect->op = PAY_OP_STORE_TOKEN;
    effect->http.url = PAY_STR("https://psp.example/half");
    flow->outcome = "created";

    return step_status;
}


static void
run_step(world_t *world, pay_flow_step_pt step, pay_input_t input)
{
    world->flow.step = step;
    memset(&world->effect, 0xa5, sizeof(world->effect));
    pay_flow_run(&world->flow, &input, &world->effect);
}


static pay_status_t
step_db_failed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    return pay_done_db_failed(flow, input, effect);
}


static pay_status_t
step_unknown_slug(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    (void) input;

    return pay_done_problem(flow, effect, "no-such-problem", NULL);
}


Test(pay_flow, failing_step_ends_as_a_500_without_its_half_reply)
{
    unsigned            i;
    world_t             world;
    const pay_reply_t  *reply;

    static const pay_status_t  statuses[] = {
        PAY_INVALID, PAY_NOT_FOUND, PAY_NO_MEMORY, PAY_BUG
    };

    world_open(&world);

    for (i = 0; i < 4; i++) {
        step_status = statuses[i];
        run_step(&world, step_failing, (pay_input_t) { PAY_INPUT_START });
        reply = expect_problem(&world, "internal-error", 500);
        cr_expect(reply->body.len == 0 && reply->detail == NULL);
        cr_expect(reply->retry_after_s == -1 && reply->version == -1);
        cr_expect(world.effect.op == 0 && world.effect.http.url.len == 0);
        cr_expect_str_eq(world.flow.outcome, "internal-error");
    }

    world_close(&world);
}


Test(pay_flow, a_problem_that_is_not_in_the_table_is_a_500)
{
    world_t  world;

    world_open(&world);
    run_step(&world, step_unknown_slug, (pay_input_t) { PAY_INPUT_START });
    expect_problem(&world, "internal-error", 500);
    world_close(&world);
}


/* The queue knows better than a constant. */
Test(pay_flow, an_overload_says_when_to_come_again)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);

    run_step(&world, step_db_failed,
             (pay_input_t) { .kind = PAY_INPUT_DB_FAILED,
                             .db_failure = PAY_DB_OVERLOADED,
                             .retry_after_s = 17 });
    reply = expect_problem(&world, "overloaded", 503);
    cr_expect_eq(reply->retry_after_s, 17);

    world_close(&world);
}


Test(pay_flow, failed_operation_says_whether_to_come_again)
{
    size_t              i;
    world_t             world;
    const pay_reply_t  *reply;

    static const struct {
        pay_db_failure_t  failure;
        const char       *slug;
        unsigned          status;
        int64_t           retry_after_s;
    } rows[] = {
        { PAY_DB_OVERLOADED, "overloaded", 503, 1 },
        { PAY_DB_UNAVAILABLE, "dependency-unavailable", 503, 2 },
        { PAY_DB_UNKNOWN, "dependency-unavailable", 503, 2 },
        { PAY_DB_ERROR, "internal-error", 500, -1 }
    };

    world_open(&world);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_step(&world, step_db_failed,
                 (pay_input_t) { .kind = PAY_INPUT_DB_FAILED,
                                 .db_failure = rows[i].failure });
        reply = expect_problem(&world, rows[i].slug, rows[i].status);
        cr_expect_eq(reply->retry_after_s, rows[i].retry_after_s);
        cr_expect_str_eq(world.flow.outcome, rows[i].slug);
    }

    world_close(&world);
}


/* What the glue does for a flow hangs on these, not on its name. */
Test(pay_flow, each_type_says_what_it_needs)
{
    world_t                 world;
    const pay_flow_type_t  *type;
    pay_webhook_input_t     webhook;

    world_open(&world);
    create_fill(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    cr_assert_eq(pay_flow_create(&world.flow, &world.create), PAY_OK);
    type = world.flow.type;
    cr_expect_str_eq(type->name, "create");
    cr_expect(type->routes && type->needs_health);
    cr_expect_eq(type->clock, PAY_CLOCK_WALL);
    cr_expect_eq(type->tally, PAY_TALLY_NONE);
    cr_expect_eq(world.flow.step, type->start);

    memset(&webhook, 0, sizeof(webhook));
    webhook.psp = &world.psps[WORLD_STRIPE];
    cr_assert_eq(pay_flow_webhook(&world.flow, &webhook), PAY_OK);
    type = world.flow.type;
    cr_expect_str_eq(type->name, "webhook");
    cr_expect_not(type->routes || type->needs_health);
    cr_expect_eq(type->clock, PAY_CLOCK_WALL);
    cr_expect_eq(type->tally, PAY_TALLY_WEBHOOKS);

    cr_assert_eq(pay_flow_ready(&world.flow), PAY_OK);
    type = world.flow.type;
    cr_expect_str_eq(type->name, "ready");
    cr_expect_not(type->routes || type->needs_health);
    cr_expect_eq(type->tally, PAY_TALLY_NONE);

    world_close(&world);
}


Test(pay_flow, each_call_has_a_name_of_its_own)
{
    unsigned  i, k;

    for (i = 0; i < PAY_CALL_COUNT; i++) {
        cr_assert_not_null(pay_call_name((pay_call_t) i));

        for (k = 0; k < i; k++) {
            cr_expect_str_neq(pay_call_name((pay_call_t) i),
                              pay_call_name((pay_call_t) k));
        }
    }

    for (i = 0; i < PAY_PSP_CHANGE_COUNT; i++) {
        cr_expect_str_eq(pay_call_name(pay_psp_change_call(
                                           (pay_psp_change_kind_t) i)),
                         pay_psp_change_name((pay_psp_change_kind_t) i));
    }
}


/* The log names the call, the member and the rule; a good answer has none. */
Test(pay_flow, what_an_unreadable_answer_lacks_is_kept_for_the_log)
{
    world_t             world;
    pay_checkout_row_t  view = view_of(generic());

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(&world, PAY_OUTCOME_CREATED, &view);
    expect_http(&world);
    cr_expect_null(world.flow.unread);
    world_http(&world, answered(201, PAY_STR("{\"token\":\"t\"}")));
    cr_assert_not_null(world.flow.unread);
    cr_expect_str_eq(world.flow.unread, "register");
    cr_expect_not_null(world.flow.unread_rule);
    cr_expect_gt(world.flow.unread_member.len, 0);

    world_close(&world);

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(&world, PAY_OUTCOME_CREATED, &view);
    world_answer(&world, generic(), 201, "register-answer.json");
    cr_expect_null(world.flow.unread);
    world_close(&world);
}

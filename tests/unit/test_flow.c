/*
 * The engine under all flows: failing steps, what a failed operation means to
 * a caller, backoff, the look-ups of the configuration.
 */

#include "flow_driver.h"
#include "flow/flow_util.h"
#include "pay_id.h"


#define BACKOFF_MAX_MS  60000


static pay_status_t  step_status;


/* Leaves half an effect behind, then fails as told. */
static pay_status_t
step_failing(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    static pay_reply_t  half = { .kind = PAY_REPLY_JSON, .status = 201,
                                 .body = pay_string("{\"secret\":") };

    (void) event;

    effect->kind = PAY_DO_HTTP;
    effect->reply = &half;
    effect->op = PAY_OP_STORE_TOKEN;
    effect->http.url = PAY_STR("https://psp.example/half");
    flow->outcome = "created";

    return step_status;
}


static void
run_step(world_t *world, pay_flow_step_pt step, pay_event_t event)
{
    world->flow.step = step;
    memset(&world->effect, 0xa5, sizeof(world->effect));
    pay_flow_run(&world->flow, &event, &world->effect);
}


static pay_status_t
step_db_failed(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    return pay_done_db_failed(flow, event, effect);
}


static pay_status_t
step_unknown_slug(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    (void) event;

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
        run_step(&world, step_failing, (pay_event_t) { PAY_EVENT_START });
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
    run_step(&world, step_unknown_slug, (pay_event_t) { PAY_EVENT_START });
    expect_problem(&world, "internal-error", 500);
    world_close(&world);
}


Test(pay_flow, failed_operation_says_whether_to_come_again)
{
    size_t              i;
    world_t             world;
    const pay_reply_t  *reply;

    static const struct {
        pay_db_failure_t   failure;
        const char        *slug;
        unsigned           status;
        int64_t            retry_after_s;
    } rows[] = {
        { PAY_DB_OVERLOADED, "overloaded", 503, 1 },
        { PAY_DB_UNAVAILABLE, "dependency-unavailable", 503, 2 },
        { PAY_DB_UNKNOWN, "dependency-unavailable", 503, 2 },
        { PAY_DB_ERROR, "internal-error", 500, -1 }
    };

    world_open(&world);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_step(&world, step_db_failed,
                 (pay_event_t) { .kind = PAY_EVENT_DB_FAILED,
                                 .db_failure = rows[i].failure });
        reply = expect_problem(&world, rows[i].slug, rows[i].status);
        cr_expect_eq(reply->retry_after_s, rows[i].retry_after_s);
        cr_expect_str_eq(world.flow.outcome, rows[i].slug);
    }

    world_close(&world);
}


Test(pay_flow, backoff_doubles_up_to_a_minute)
{
    int64_t  attempt, expected = 1000;

    for (attempt = 1; attempt < 12; attempt++) {
        cr_expect_eq(pay_backoff_ms(attempt, -1, PAY_STR("")), expected,
                     "attempt %ld", (long) attempt);
        expected = expected * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
                                                 : expected * 2;
    }
}


Test(pay_flow, backoff_of_odd_attempts_stays_in_bounds)
{
    cr_expect_eq(pay_backoff_ms(0, -1, PAY_STR("")), 1000);
    cr_expect_eq(pay_backoff_ms(-1, -1, PAY_STR("")), 1000);
    cr_expect_eq(pay_backoff_ms(INT64_MIN, -1, PAY_STR("")), 1000);
    cr_expect_eq(pay_backoff_ms(INT64_MAX, -1, PAY_STR("")), BACKOFF_MAX_MS);
    cr_expect_eq(pay_backoff_ms(64, -1, PAY_STR("")), BACKOFF_MAX_MS);
}


Test(pay_flow, backoff_listens_to_the_psp_but_not_to_nonsense)
{
    cr_expect_eq(pay_backoff_ms(1, 30, PAY_STR("")), 30000);
    cr_expect_eq(pay_backoff_ms(7, 30, PAY_STR("")), BACKOFF_MAX_MS);
    cr_expect_eq(pay_backoff_ms(1, 86400, PAY_STR("")), 86400000);
    cr_expect_eq(pay_backoff_ms(1, 86401, PAY_STR("")), 1000);
    cr_expect_eq(pay_backoff_ms(1, INT64_MAX, PAY_STR("")), 1000);
    cr_expect_eq(pay_backoff_ms(1, INT64_MIN, PAY_STR("")), 1000);
    cr_expect_eq(pay_backoff_ms(1, 0, PAY_STR("")), 1000);
}


/* T44: many orders that failed together do not come back together. */
Test(pay_flow, backoff_spreads_by_seed_and_never_shortens)
{
    char      seed[16];
    int       i, distinct = 0;
    int64_t   delay, seen[25] = { 0 };

    for (i = 0; i < 500; i++) {
        snprintf(seed, sizeof(seed), "order-%d", i);
        delay = pay_backoff_ms(7, -1, pay_str_of(seed));
        cr_assert(delay >= BACKOFF_MAX_MS && delay <= 75000);
        cr_assert_eq(delay, pay_backoff_ms(7, -1, pay_str_of(seed)));
        distinct += seen[(delay - BACKOFF_MAX_MS) / 600]++ == 0;
    }

    cr_expect_geq(distinct, 20);
}


Test(pay_flow, configuration_is_found_by_exact_name)
{
    world_t  world;

    world_open(&world);
    cr_expect_eq(pay_env_psp(&world.env, PAY_STR("generic")),
                 &world.psps[WORLD_GENERIC]);
    cr_expect_eq(pay_env_merchant(&world.env, PAY_STR("other")),
                 &world.merchants[1]);
    cr_expect_null(pay_env_psp(&world.env, PAY_STR("Generic")));
    cr_expect_null(pay_env_psp(&world.env, PAY_STR("")));
    cr_expect_null(pay_env_merchant(&world.env, PAY_STR("acm")));
    cr_expect_null(pay_env_merchant(&world.env, PAY_STR("acme2")));
    cr_expect_null(pay_env_merchant(&world.env, PAY_STR("")));
    world_close(&world);
}


Test(pay_flow, ready_asks_for_a_handle_that_nobody_can_have)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    world_made(&world, pay_flow_ready(&world.flow));
    world_start(&world);
    expect_db(&world, PAY_OP_GET_HANDLE);
    cr_expect_not(pay_handle_is_valid(world.effect.args[0].bytes));
    world_row(&world, "not_found", NULL);
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect(pay_str_is(reply->body, "{\"status\":\"ready\"}"));
    world_close(&world);
}


Test(pay_flow, not_ready_without_the_database)
{
    unsigned            i;
    world_t             world;
    const pay_reply_t  *reply;

    for (i = 0; i < DB_FAILURES; i++) {
        world_open(&world);
        world_made(&world, pay_flow_ready(&world.flow));
        world_start(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        reply = expect_reply(&world, PAY_REPLY_PROBLEM,
                             i == PAY_DB_ERROR ? 500 : 503);
        cr_expect_neq(reply->status, 200);
        world_close(&world);
    }
}


static void
play_ready(world_t *world)
{
    world_made(world, pay_flow_ready(&world->flow));
    world_start(world);
    world_row(world, "not_found", NULL);
}


Test(pay_flow, failing_memory_ends_ready_as_a_500)
{
    cr_expect_geq(world_torture(play_ready), 2);
}

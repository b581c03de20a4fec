/*
 * A look at a source of rates: what is kept of it, and why nothing is.
 */

#include "flow_driver.h"


#define OWNER     "host:1:2"
#define DOCUMENT  "{\"base\":\"EUR\",\"rates\":{\"USD\":1.0843}}"


static const pay_rate_source_t  source = {
    pay_string("ecb"), pay_string("EUR"), 60000, 300000, 0
};


static void
rates_start(world_t *world)
{
    world_made(world, pay_flow_rates(&world->flow, &source, PAY_STR(OWNER)));
    world_start(world);
}


static void
rates_open(world_t *world)
{
    world_open(world);
    rates_start(world);
}


/* due, and asked */
static void
rates_due(world_t *world)
{
    rates_open(world);
    expect_db(world, PAY_OP_BEGIN_RATES);
    expect_arg(world, begin_rates, source, "ecb");
    expect_arg(world, begin_rates, owner, OWNER);
    cr_expect_eq(asked(world, begin_rates)->interval_ms, 60000);
    cr_expect_gt(asked(world, begin_rates)->lease_ms, 10000);
    world_result(world, PAY_OUTCOME_DUE,
                 &(pay_age_row_t) { pay_some(1000) });
    cr_assert_eq(world->effect.kind, PAY_DO_RATES);
    cr_assert_eq(world->effect.rates, &source);
}


/* rates or code is NULL */
static void
expect_rated(world_t *world, const char *rates, const char *code,
    int64_t age_ms)
{
    expect_db(world, PAY_OP_END_RATES);
    expect_arg(world, end_rates, source, "ecb");
    expect_arg(world, end_rates, owner, OWNER);
    expect_arg(world, end_rates, base, "EUR");
    expect_arg(world, end_rates, rates, rates);
    expect_arg(world, end_rates, code, code);
    cr_expect_eq(asked(world, end_rates)->age_ms, age_ms);
    cr_expect_eq(asked(world, end_rates)->max_age_ms, 300000);
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_str_eq(world->flow.outcome, code != NULL ? code : "read");
    world_close(world);
}


Test(pay_flow_rates, what_a_source_says_is_kept)
{
    world_t  world;

    rates_due(&world);
    world_file(&world, DOCUMENT, 0);
    expect_rated(&world, "{\"USD\":\"1.0843\"}", NULL, 0);

    rates_due(&world);
    world_file(&world, DOCUMENT, 300000);
    expect_rated(&world, "{\"USD\":\"1.0843\"}", NULL, 300000);
}


Test(pay_flow_rates, what_is_not_due_is_not_asked)
{
    unsigned  i;
    world_t   world;

    rates_open(&world);
    world_result(&world, PAY_OUTCOME_NOT_DUE,
                 &(pay_age_row_t) { pay_some(1000) });
    cr_expect_eq(world.effect.kind, PAY_DO_DONE);
    world_close(&world);

    for (i = 0; i < DB_FAILURES; i++) {
        rates_open(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        world_close(&world);
    }
}


Test(pay_flow_rates, why_nothing_is_kept_is_noted)
{
    size_t             i;
    world_t            world;
    pay_http_answer_t  answer;

    static const struct {
        unsigned     status;
        const char  *body;
        const char  *code;
    } bad[] = {
        { 500, DOCUMENT, "http-error" },
        { 302, DOCUMENT, "http-error" },
        { 204, "", "http-error" },
        { 200, "", "invalid-json" },
        { 200, "{\"base\":\"USD\",\"rates\":{\"EUR\":1}}", "base-differs" },
        { 200, "{\"base\":\"EUR\",\"rates\":{}}", "rates-missing" },
        { 200, "{\"base\":\"EUR\",\"rates\":{\"USD\":0}}", "rate-invalid" }
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&answer, 0, sizeof(answer));
        answer.sent = PAY_ANSWERED;
        answer.status = bad[i].status;
        answer.body = pay_str_of(bad[i].body);

        rates_due(&world);
        world_http(&world, answer);
        expect_rated(&world, NULL, bad[i].code, 0);
    }

    rates_due(&world);
    world_file(&world, DOCUMENT, 300001);
    expect_rated(&world, NULL, "stale", 0);
}


Test(pay_flow_rates, rates_that_were_not_stored_are_logged_as_such)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < DB_FAILURES; i++) {
        rates_due(&world);
        world_file(&world, DOCUMENT, 0);
        expect_db(&world, PAY_OP_END_RATES);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_str_eq(world.flow.outcome, "not_stored");
        world_close(&world);
    }
}


/* a page that was cut off is no page, whatever it says */
Test(pay_flow_rates, what_did_not_come_whole_is_not_read)
{
    size_t             i;
    world_t            world;
    pay_http_answer_t  answer;

    static const pay_failure_t  why[] = {
        PAY_FAILURE_TIMEOUT, PAY_FAILURE_CONNECT, PAY_FAILURE_TLS,
        PAY_FAILURE_TOO_LARGE, PAY_FAILURE_NO_FILE, PAY_FAILURE_NONE
    };

    for (i = 0; i < sizeof(why) / sizeof(why[0]); i++) {
        memset(&answer, 0, sizeof(answer));
        answer.sent = i % 2 ? PAY_SENT_SOME : PAY_SENT_NOTHING;
        answer.status = 200;
        answer.failure = why[i];
        answer.body = PAY_STR(DOCUMENT);

        rates_due(&world);
        world_http(&world, answer);
        expect_rated(&world, NULL, why[i] ? pay_failure_name(why[i])
                                          : "broken", 0);
    }
}


static void
play(world_t *world)
{
    rates_start(world);

    if (!world->ended) {
        world_result(world, PAY_OUTCOME_DUE,
                     &(pay_age_row_t) { pay_some(1000) });
        world_file(world, DOCUMENT, 0);
    }

    if (!world->ended) {
        world_result(world, PAY_OUTCOME_STORED, NULL);
    }
}


Test(pay_flow_rates, survives_each_failed_allocation)
{
    cr_expect_geq(world_torture(play), 3);
}

/*
 * The part of a create that looks at risk: counted before it is stored, taken
 * back where nothing new was stored, and nothing sent when it is blocked.
 */

#include "flow_driver.h"

#include <stdio.h>


static pay_risk_rule_t      rules[1];
static pay_risk_velocity_t  velocities[1];
static pay_risk_t           risk;


/* One rule that always hits, one window of addresses of mail. */
static void
open_with(world_t *world, const char *body)
{
    pay_err_t      err;
    pay_keyring_t  ring = { .count = 1 };
    pay_str_t      words[2] = { PAY_STR("if"), PAY_STR("hour>=0") };

    risk = (pay_risk_t) {
        .rules = rules, .rule_count = 1, .velocities = velocities,
        .velocity_count = 1, .version = "v1"
    };
    velocities[0] = (pay_risk_velocity_t) {
        .name = PAY_STR("mail"), .key = PAY_RISK_BY_email, .window_s = 600,
        .limit = 1, .then = PAY_RISK_BLOCK
    };
    rules[0] = (pay_risk_rule_t) {
        .name = PAY_STR("always"), .then = PAY_RISK_REVIEW
    };
    cr_assert_eq(pay_risk_rule_read(pay_heap_arena(world->own), words, 2,
                                    &rules[0], &err), PAY_OK);
    cr_assert_eq(pay_risk_keys(&ring, &risk), PAY_OK);
    world->env.risk = &risk;
    create_open(world, WORLD_GENERIC, body);
}


static void
open_with_risk(world_t *world)
{
    open_with(world, BODY(ONE_ORDER));
}


static const char *
document(world_t *world)
{
    pay_str_t  copy;

    cr_assert_eq(pay_dup(pay_heap_arena(world->own),
                         asked(world, begin_payment)->risk, &copy), PAY_OK);

    return (const char *) copy.data;
}


Test(pay_flow_risk, nothing_is_stored_before_it_is_counted)
{
    world_t  world;

    world_open(&world);
    open_with_risk(&world);
    cr_assert_eq(world.effect.kind, PAY_DO_COUNT);
    cr_expect_eq(world.effect.counts->count, 1);
    cr_expect_eq(world.db_count, 0);

    world_counted(&world, 1);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_not_null(strstr(document(&world), "\"decision\":\"review\""));
    world_close(&world);
}


Test(pay_flow_risk, one_attempt_too_many_is_a_hit)
{
    world_t  world;

    world_open(&world);
    open_with_risk(&world);
    world_counted(&world, 2);
    cr_expect_not_null(strstr(document(&world), "\"decision\":\"block\""));
    world_close(&world);
}


Test(pay_flow_risk, without_a_configuration_nothing_is_looked_at)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, begin_payment, risk, NULL);
    world_close(&world);
}


Test(pay_flow_risk, what_is_blocked_is_answered_and_sent_to_nobody)
{
    world_t             world;
    const pay_reply_t  *reply;
    pay_checkout_row_t  row;

    world_open(&world);
    open_with_risk(&world);
    world_counted(&world, 2);
    row = view_of(world.psps[WORLD_GENERIC].adapter);
    row.registration_state = PAY_STR("REFUSED");
    row.code = PAY_STR("risk");
    row.risk = PAY_STR("block");
    set_orders(&row, "[" STORED("order-1", "3000", "FAILED", "\"risk\"") "]");
    world_row(&world, PAY_OUTCOME_BLOCKED, &row);

    cr_assert(world.ended);
    reply = world.effect.reply;
    cr_expect_eq(reply->status, 201);
    cr_expect(contains(reply->body, "\"status\":\"FAILED\""));
    cr_expect(contains(reply->body, "\"reason\":\"risk\""));
    cr_expect_not(contains(reply->body, "block"), "no word of the decision");
    cr_expect_eq(world.http_count, 0);
    cr_expect_null(world.effect.uncounts, "it counts");
    cr_expect(world.flow.is_blocked, "its answer waits");
    world_close(&world);
}


Test(pay_flow_risk, what_stores_nothing_is_taken_back)
{
    size_t         i;
    world_t        world;
    pay_outcome_t  outcomes[] = {
        PAY_OUTCOME_REPLAYED, PAY_OUTCOME_IN_PROGRESS, PAY_OUTCOME_KEY_REUSED,
        PAY_OUTCOME_EXISTS, PAY_OUTCOME_RATE_MISSING
    };

    for (i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        world_open(&world);
        open_with_risk(&world);
        world_counted(&world, 1);

        if (outcomes[i] == PAY_OUTCOME_REPLAYED
            || outcomes[i] == PAY_OUTCOME_EXISTS)
        {
            pay_checkout_row_t  row =
                view_of(world.psps[WORLD_GENERIC].adapter);

            world_row(&world, outcomes[i], &row);

        } else {
            world_row(&world, outcomes[i], NULL);
        }

        cr_expect_not_null(world.effect.uncounts, "%zu", i);
        world_close(&world);
    }
}


Test(pay_flow_risk, what_may_be_stored_stays_counted)
{
    size_t            i;
    world_t           world;
    pay_db_failure_t  failures[] = {
        PAY_DB_OVERLOADED, PAY_DB_UNAVAILABLE, PAY_DB_UNKNOWN, PAY_DB_ERROR
    };

    for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        world_open(&world);
        open_with_risk(&world);
        world_counted(&world, 1);
        world_db_failed(&world, failures[i]);
        cr_expect_eq(world.effect.uncounts == NULL,
                     failures[i] == PAY_DB_UNKNOWN, "%zu", i);
        world_close(&world);
    }
}


static void
play_counted(world_t *world)
{
    open_with_risk(world);
    world_counted(world, 2);
    world_row(world, PAY_OUTCOME_IN_PROGRESS, NULL);
}


Test(pay_flow_risk, memory_that_ends_is_an_answer)
{
    cr_expect_geq(world_torture(play_counted), 25);
}


/* The terms of a review go with each checkout that is looked at. */
Test(pay_flow_risk, a_review_has_its_terms)
{
    world_t    world;
    pay_str_t  copy;

    world_open(&world);
    open_with_risk(&world);
    risk.review = PAY_STR("{\"deadline_s\":60}");
    world_counted(&world, 1);
    cr_assert_eq(pay_dup(pay_heap_arena(world.own),
                         asked(&world, begin_payment)->terms, &copy), PAY_OK);
    cr_expect_str_eq((const char *) copy.data,
                     "{\"capture\":\"automatic\","
                     "\"review\":{\"deadline_s\":60},"
                     "\"holds\":{\"psps\":\"generic\"}}");
    world_close(&world);
}


/* The terms of a checkout that is looked at and may go to these PSPs. */
static void
expect_holds(const char *body, unsigned traits, unsigned hours,
    const char *terms)
{
    world_t            world;
    pay_psp_adapter_t  adapter = *generic();

    adapter.traits = traits;
    adapter.hold_hours = hours;
    world_open(&world);
    world.psps[WORLD_GENERIC].adapter = &adapter;
    open_with(&world, body);
    world_counted(&world, 1);
    expect_arg(&world, begin_payment, terms, terms);
    world_close(&world);
}


Test(pay_flow_risk, a_review_may_hold_money_where_a_psp_can)
{
    unsigned  both = PAY_PSP_AUTHORIZES | PAY_PSP_MULTICAPTURE;

    static const char  two[] = BODY(ONE_ORDER "," ORDER("o-2", "1.00", "USD"));

    expect_holds(BODY(ONE_ORDER), 0, 0, NULL);
    expect_holds(BODY(ONE_ORDER), PAY_PSP_AUTHORIZES, 0,
                 "{\"capture\":\"automatic\","
                 "\"holds\":{\"psps\":\"generic\"}}");
    expect_holds(two, PAY_PSP_AUTHORIZES, 0, NULL);
    expect_holds(two, both, 0, "{\"capture\":\"automatic\","
                               "\"holds\":{\"psps\":\"generic\"}}");
    /* twelve hours before the end */
    expect_holds(BODY(ONE_ORDER), both, 168, "{\"capture\":\"automatic\","
                 "\"holds\":{\"psps\":\"generic\",\"window_s\":561600}}");
    /* the storefront captures itself */
    expect_holds(BODY_WITH("\"capture\":\"manual\",", ONE_ORDER), both, 168,
                 "{\"capture\":\"manual\"}");
}


Test(pay_flow_risk, risk_in_shadow_holds_no_money)
{
    world_t  world;

    world_open(&world);
    open_with_risk(&world);
    risk.is_shadow = 1;
    world_counted(&world, 1);
    expect_arg(&world, begin_payment, terms, NULL);
    world_close(&world);
}


static pay_risk_provider_t         provider;
static const pay_risk_provider_t  *providers[1] = { &provider };


static void
ask_provider(void)
{
    risk.rule_count = 0;
    provider = (pay_risk_provider_t) {
        .name = PAY_STR("watch"), .base_url = PAY_STR("https://watch.example"),
        .key_count = 1, .fail = PAY_RISK_REVIEW
    };
    cr_assert_eq(pay_secret_set(&provider.keys[0],
                                PAY_STR("CANARY-of-the-provider")), PAY_OK);
    risk.providers = providers;
    risk.provider_count = 1;
}


/* Without the rule that always hits. */
static void
open_with_provider(world_t *world)
{
    open_with_risk(world);
    ask_provider();
}


static void
play_asked(world_t *world)
{
    open_with_provider(world);
    world_counted(world, 1);
    world_row(world, PAY_OUTCOME_NOT_FOUND, NULL);
    world_no_answer(world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    world_row(world, PAY_OUTCOME_IN_PROGRESS, NULL);
}


Test(pay_flow_risk, a_provider_is_asked_about_a_checkout_that_is_not_stored)
{
    world_t  world;

    world_open(&world);
    open_with_provider(&world);
    world_counted(&world, 1);
    expect_db(&world, PAY_OP_GET_CHECKOUT);
    expect_arg(&world, get_checkout, checkout_id, "c-1");
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);

    expect_http(&world);
    cr_expect_eq(world.effect.risk_provider, &provider);
    cr_expect_eq(world.effect.call, PAY_CALL_RISK);
    world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);

    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_not_null(strstr(document(&world), "\"provider\":{\"name\":"
                                                "\"watch\",\"then\":\"review\","
                                                "\"shadow\":false,\"failed\":"
                                                "\"timeout\"}"));
    cr_expect_eq(world.flow.risk_provider, &provider);
    cr_expect_str_eq(world.flow.risk_said, "timeout");
    cr_expect(world.flow.risk_failed);
    world_close(&world);
}


Test(pay_flow_risk, a_checkout_that_is_stored_asks_nobody)
{
    world_t             world;
    pay_checkout_row_t  row;

    world_open(&world);
    open_with_provider(&world);
    world_counted(&world, 1);
    row = view_of(world.psps[WORLD_GENERIC].adapter);
    world_row(&world, PAY_OUTCOME_FOUND, &row);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_eq(world.http_count, 0);
    cr_expect_null(strstr(document(&world), "provider"));
    world_row(&world, PAY_OUTCOME_REPLAYED, &row);
    cr_expect_not_null(world.effect.uncounts);
    world_close(&world);
}


Test(pay_flow_risk, what_a_window_has_blocked_asks_nobody)
{
    world_t  world;

    world_open(&world);
    open_with_provider(&world);
    world_counted(&world, 2);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_not_null(strstr(document(&world), "\"decision\":\"block\""));
    world_close(&world);
}


/* Windows that do not know the attempts of before let nobody through. */
Test(pay_flow_risk, windows_that_cannot_count_yet_store_nothing)
{
    world_t  world;

    world_open(&world);
    open_with_risk(&world);
    cr_assert_eq(world.effect.kind, PAY_DO_COUNT);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    cr_assert(world.ended);
    cr_expect_eq(world.effect.reply->status, 503);
    cr_expect_null(world.effect.uncounts, "nothing was counted");
    cr_expect_eq(world.db_count, 0);
    world_close(&world);
}


/* Else a checkout would be stored about which nobody was asked. */
Test(pay_flow_risk, a_look_up_that_fails_stores_nothing)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < DB_FAILURES; i++) {
        world_open(&world);
        open_with_provider(&world);
        world_counted(&world, 1);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_assert(world.ended);
        cr_expect_geq(world.effect.reply->status, 500);
        cr_expect_not_null(world.effect.uncounts);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_risk, memory_that_ends_while_a_provider_is_asked_is_an_answer)
{
    cr_expect_geq(world_torture(play_asked), 25);
}


static pay_risk_scorer_t  scorers[1];


/* A model by the number of orders that the buyer has paid. */
static void
open_with_the_model(world_t *world)
{
    char          hash[PAY_RISK_HASH_SIZE];
    char          text[512];
    pay_err_t     err = { .slug = NULL };
    pay_arena_t  *arena = pay_heap_arena(world->own);

    cr_assert_eq(pay_risk_features_hash(pay_risk_features(), hash), PAY_OK);
    (void) snprintf(text, sizeof(text), "{\"form\":\"scorecard\","
                    "\"features_hash\":\"%s\",\"intercept\":0,\"features\":"
                    "[{\"name\":\"buyer_orders\",\"bins\":[3],\"points\":"
                    "[9,-9],\"missing\":0,\"average\":0}]}", hash);
    scorers[0] = (pay_risk_scorer_t) { .name = PAY_STR("m") };
    cr_assert_eq(pay_risk_model_read(arena, pay_str_of(text),
                                     pay_risk_features(), &scorers[0].model,
                                     &err), PAY_OK, "%s", err.detail);
    open_with_risk(world);
    risk.scorers = scorers;
    risk.scorer_count = 1;
}


/* The same, and the windows have counted. */
static void
open_with_model(world_t *world)
{
    open_with_the_model(world);
    world_counted(world, 1);
}


static void
looked_back(world_t *world, int64_t orders)
{
    pay_buyer_history_row_t  row = {
        .orders = orders, .ships = pay_some(1), .cents = pay_some(3000),
        .devices = 2
    };

    expect_db(world, PAY_OP_GET_BUYER_HISTORY);
    world_result(world, PAY_OUTCOME_FOUND, &row);
}


Test(pay_flow_risk, a_checkout_is_scored_with_its_buyers_history)
{
    world_t  world;

    world_open(&world);
    open_with_model(&world);
    expect_arg(&world, get_buyer_history, merchant_id, "acme");
    expect_arg(&world, get_buyer_history, currency, "USD");
    expect_arg(&world, get_buyer_history, buyer_before, NULL);
    cr_expect_eq(asked(&world, get_buyer_history)->buyer.len, 64);
    looked_back(&world, 5);

    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_not_null(strstr(document(&world), "\"buyer_orders\":5,"
                                                "\"buyer_failures\":0,"
                                                "\"buyer_disputes\":0,"
                                                "\"psp_risk\":null,"
                                                "\"device_days\":null,"
                                                "\"buyer_devices\":2}"));
    cr_expect_not_null(strstr(document(&world), "\"shipping_differs\":0,"));
    cr_expect_not_null(strstr(document(&world), "\"probability\":0.000123"));
    cr_expect_not_null(strstr(document(&world), "\"buyer\":\""));
    world_close(&world);
}


Test(pay_flow_risk, a_history_that_cannot_be_looked_up_stores_nothing)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < DB_FAILURES; i++) {
        world_open(&world);
        open_with_model(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_assert(world.ended);
        cr_expect_geq(world.effect.reply->status, 500);
        cr_expect_not_null(world.effect.uncounts);
        world_close(&world);
    }
}


/* Nor do windows that cannot count, though a history could be looked up. */
Test(pay_flow_risk, nothing_is_looked_up_behind_windows_that_cannot_count)
{
    world_t  world;

    world_open(&world);
    open_with_the_model(&world);
    cr_assert_eq(world.effect.kind, PAY_DO_COUNT);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    cr_assert(world.ended);
    cr_expect_eq(world.effect.reply->status, 503);
    cr_expect_eq(world.db_count, 0);
    world_close(&world);
}


/* The history lives until begin_payment, through the other look-up. */
Test(pay_flow_risk, a_provider_is_asked_behind_the_history)
{
    world_t  world;

    world_open(&world);
    open_with_model(&world);
    ask_provider();
    looked_back(&world, 1);
    expect_db(&world, PAY_OP_GET_CHECKOUT);
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_not_null(strstr(document(&world), "\"buyer_orders\":1,"));
    cr_expect_not_null(strstr(document(&world), "\"provider\":"));
    world_close(&world);
}


static void
play_scored(world_t *world)
{
    open_with_model(world);
    looked_back(world, 2);
    world_row(world, PAY_OUTCOME_IN_PROGRESS, NULL);
}


Test(pay_flow_risk, memory_that_ends_while_a_history_comes_is_an_answer)
{
    cr_expect_geq(world_torture(play_scored), 25);
}

/*
 * A kept body that an operator wants read again: its events go the way of a
 * webhook, and what came of the named one is noted.
 */

#include "flow_driver.h"


#define OWNER  "host:1:2"
#define EVENT  "evt_01JD90"
#define FEE    "evt_01JEPAIDFEE"
#define UNNAMED                                                               \
    "{\"type\":\"registration.paid\",\"created\":1795238460,\"data\":"        \
    "{\"token\":\"reg_01JD8Z\",\"nonce\":\"order-1\",\"amount\":\"30.00\","   \
    "\"currency\":\"USD\"}}"


static void
replay_start(world_t *world)
{
    world_made(world, pay_flow_replay(&world->flow, PAY_STR(OWNER)));
    world_start(world);
}


static void
replay_open(world_t *world)
{
    world_open(world);
    replay_start(world);
    expect_db(world, PAY_OP_CLAIM_REPLAY);
    expect_arg(world, claim_replay, owner, OWNER);
    cr_expect_gt(asked(world, claim_replay)->lease_ms, world->env.lease_ms);
}


static void
replay_due(world_t *world, const char *event_id, const char *file)
{
    replay_open(world);
    world_replay_row(world, "generic", event_id, event_id,
                     fixture(pay_heap_arena(world->own), generic(), file));
}


static void
expect_end(world_t *world, const char *failure, int64_t events)
{
    expect_db(world, PAY_OP_END_REPLAY);
    cr_expect_eq(asked(world, end_replay)->replay_id, 7);
    expect_arg(world, end_replay, owner, OWNER);
    expect_arg(world, end_replay, failure, failure);
    cr_expect_eq(asked(world, end_replay)->events, events);
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_null(world->effect.reply);
    world_close(world);
}


Test(pay_flow_replay, a_body_goes_the_way_of_a_webhook)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;
    pay_str_t           body;
    unsigned char       digest[PAY_SHA256_SIZE];

    replay_due(&world, EVENT, "webhook-paid.json");
    body = fixture(pay_heap_arena(world.own), generic(), "webhook-paid.json");
    cr_assert_eq(pay_sha256(body, digest), PAY_OK);
    expect_db(&world, PAY_OP_APPLY_EVENT);
    expect_arg(&world, apply_event, psp, "generic");
    expect_arg(&world, apply_event, source, "replay");
    expect_arg(&world, apply_event, event_id, EVENT);
    expect_arg(&world, apply_event, fact, "paid");
    expect_arg(&world, apply_event, token, token_text(generic()));
    cr_expect_eq(asked(&world, apply_event)->amount_minor.number, 3000);
    cr_expect(pay_str_eq(asked(&world, apply_event)->digest,
                         (pay_str_t) { sizeof(digest), digest }));
    expect_arg(&world, apply_event, request_id, "replay-7");
    world_row(&world, PAY_OUTCOME_APPLIED, &view);
    expect_end(&world, "", 1);
    cr_expect_str_eq(world.flow.outcome, "read");
}


Test(pay_flow_replay, an_end_that_was_not_stored_is_logged_as_such)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < DB_FAILURES; i++) {
        replay_due(&world, EVENT, "webhook-paid.json");
        world_row(&world, PAY_OUTCOME_APPLIED, NULL);
        expect_db(&world, PAY_OP_END_REPLAY);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_str_eq(world.flow.outcome, "not_stored");
        world_close(&world);
    }
}


Test(pay_flow_replay, a_message_without_an_id_has_that_of_its_signature)
{
    world_t  world;

    replay_open(&world);
    world_replay_row(&world, "generic", "msg_1", "msg_1", PAY_STR(UNNAMED));
    expect_db(&world, PAY_OP_APPLY_EVENT);
    expect_arg(&world, apply_event, event_id, "msg_1");
    world_row(&world, PAY_OUTCOME_DUPLICATE, NULL);
    expect_end(&world, "", 1);
}


Test(pay_flow_replay, all_events_of_a_body_are_sent_and_the_named_one_counts)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_outcome_t  first, second;
        const char    *failure;
    } rows[] = {
        { PAY_OUTCOME_APPLIED, PAY_OUTCOME_APPLIED, "" },
        { PAY_OUTCOME_DUPLICATE, PAY_OUTCOME_APPLIED, "" },
        { PAY_OUTCOME_APPLIED, PAY_OUTCOME_INVALID, "" },
        { PAY_OUTCOME_INVALID, PAY_OUTCOME_PARKED, "invalid" },
        { PAY_OUTCOME_DUPLICATE, PAY_OUTCOME_DUPLICATE, "" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        replay_due(&world, FEE, "webhook-paid-fee.json");
        expect_db(&world, PAY_OP_APPLY_EVENT);
        world_row(&world, rows[i].first, NULL);
        expect_db(&world, PAY_OP_APPLY_CHANGE);
        expect_arg(&world, apply_change, source, "replay");
        expect_arg(&world, apply_change, about, "fee");
        world_row(&world, rows[i].second, NULL);
        expect_end(&world, rows[i].failure, 2);
    }
}


Test(pay_flow_replay, why_nothing_came_of_it_is_noted)
{
    world_t  world;

    replay_open(&world);
    world_replay_row(&world, "closed", EVENT, NULL, PAY_STR("{}"));
    expect_end(&world, "unknown_psp", 0);

    replay_open(&world);
    world_replay_row(&world, "generic", EVENT, EVENT, PAY_STR("{"));
    expect_end(&world, "unreadable", 0);

    replay_open(&world);
    world_replay_row(&world, "generic", "evt_other", NULL, PAY_STR(UNNAMED));
    expect_end(&world, "unreadable", 0);

    replay_open(&world);
    world_replay_row(&world, "generic", "evt_other", EVENT,
                     PAY_STR(UNNAMED));
    world_row(&world, PAY_OUTCOME_APPLIED, NULL);
    expect_end(&world, "not_in_body", 1);
}


Test(pay_flow_replay, without_a_row_it_stays_open)
{
    unsigned  i;
    world_t   world;

    replay_open(&world);
    world_result(&world, PAY_OUTCOME_NO_JOB, NULL);
    cr_expect_eq(world.effect.kind, PAY_DO_DONE);
    cr_expect_eq(world.db_count, 1);
    world_close(&world);

    for (i = 0; i < DB_FAILURES; i++) {
        replay_open(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        world_close(&world);

        replay_due(&world, EVENT, "webhook-paid.json");
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_eq(world.db_count, 2, "no end is noted");
        world_close(&world);
    }
}


static void
play_whole(world_t *world)
{
    replay_start(world);
    world_replay_row(world, "generic", FEE, FEE,
                     fixture(pay_heap_arena(world->own), generic(),
                             "webhook-paid-fee.json"));
    world_row(world, PAY_OUTCOME_APPLIED, NULL);
    world_row(world, PAY_OUTCOME_APPLIED, NULL);
    world_result(world, PAY_OUTCOME_STORED, NULL);
}


Test(pay_flow_replay, failing_memory_ends_it)
{
    cr_expect_geq(world_torture(play_whole), 10);
}

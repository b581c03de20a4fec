/*
 * Requests about events and endpoints: a secret is sealed before PostgreSQL
 * gets it and shown once, and a key makes one endpoint.
 */

#include "flow_driver.h"


#define RING     "old AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define ENTROPY  "nonce-nonce-0123456789abcdef0123456789abcdef"
#define WHSEC    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define BODY_OK  "{\"url\":\"https://shop.example.com/hooks\"}"
#define MADE     "{\"endpoint_id\" : \"e-1\", \"scheme\" : \"v1\"}"


static pay_keyring_t  ring;


static void
endpoint_asks(world_t *world, pay_endpoint_act_kind_t kind, const char *id,
    const char *body, const char *key)
{
    pay_endpoint_act_input_t  in = {
        .kind = kind, .merchant_id = PAY_STR("acme"), .id = pay_str_of(id),
        .fresh_id = PAY_STR("e-1"), .body = pay_str_of(body),
        .idempotency_key = pay_str_of(key),
        .asked_by = PAY_STR("{\"kid\":\"k\"}"), .entropy = PAY_STR(ENTROPY),
        .base_url = PAY_STR("https://pay.example.com")
    };

    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);
    world_open(world);
    world->env.keyring = &ring;
    world_made(world, pay_flow_endpoint(&world->flow, &in));
    world_start(world);
}


static void
page_comes(world_t *world, pay_outcome_t outcome, const char *page)
{
    pay_page_row_t  row = { .page = pay_str_of(page) };

    world_result(world, outcome, page != NULL ? &row : NULL);
}


Test(pay_flow_endpoint, an_endpoint_is_made_and_its_secret_shown_once)
{
    world_t       world;
    const char   *why;
    pay_secret_t  secret;

    endpoint_asks(&world, PAY_ENDPOINT_MAKE, "", BODY_OK, "");
    expect_arg(&world, store_endpoint, merchant_id, "acme");
    expect_arg(&world, store_endpoint, endpoint_id, "e-1");
    expect_arg(&world, store_endpoint, url, "https://shop.example.com/hooks");
    expect_arg(&world, store_endpoint, types, "[]");
    expect_arg(&world, store_endpoint, scheme, "v1");
    expect_arg(&world, store_endpoint, key_id, "old");
    cr_assert_eq(pay_endpoint_open(world.flow.scratch, &ring, PAY_STR("acme"),
                                   PAY_STR("e-1"), PAY_STR("old"),
                                   asked(&world, store_endpoint)->sealed,
                                   &secret, &why), PAY_OK);
    page_comes(&world, PAY_OUTCOME_STORED, MADE);
    cr_expect_eq(world.effect.reply->status, 201);
    expect_text(world.effect.reply->body,
                "{\"endpoint_id\" : \"e-1\", \"scheme\" : \"v1\",\"secret\":"
                "\"" WHSEC "\"}");
    expect_text(world.effect.reply->location,
                "https://pay.example.com/v1/webhook-endpoints/e-1");
    world_close(&world);
}


Test(pay_flow_endpoint, a_key_names_the_endpoint)
{
    char     first[PAY_UUID_TEXT + 1] = "";
    world_t  world;

    endpoint_asks(&world, PAY_ENDPOINT_MAKE, "", BODY_OK, "key-key-key-key-1");
    cr_assert_eq(asked(&world, store_endpoint)->endpoint_id.len,
                 PAY_UUID_TEXT);
    memcpy(first, asked(&world, store_endpoint)->endpoint_id.data,
           PAY_UUID_TEXT);
    page_comes(&world, PAY_OUTCOME_REPLAYED, MADE);
    cr_expect_eq(world.effect.reply->status, 201);
    cr_expect(world.effect.reply->replayed);
    expect_text(world.effect.reply->body, MADE);
    world_close(&world);

    endpoint_asks(&world, PAY_ENDPOINT_MAKE, "", BODY_OK, "key-key-key-key-1");
    expect_arg(&world, store_endpoint, endpoint_id, first);
    page_comes(&world, PAY_OUTCOME_KEY_REUSED, NULL);
    expect_problem(&world, "idempotency-key-reused", 422);
    world_close(&world);

    endpoint_asks(&world, PAY_ENDPOINT_MAKE, "", BODY_OK, "key-key-key-key-2");
    cr_expect(!pay_str_is(asked(&world, store_endpoint)->endpoint_id, first));
    world_close(&world);
}


Test(pay_flow_endpoint, without_a_keyring_there_is_no_secret)
{
    world_t                   world;
    pay_endpoint_act_input_t  in = {
        .kind = PAY_ENDPOINT_ROTATE, .merchant_id = PAY_STR("acme"),
        .id = PAY_STR("e-1"), .entropy = PAY_STR(ENTROPY)
    };

    world_open(&world);
    world_made(&world, pay_flow_endpoint(&world.flow, &in));
    world_start(&world);
    expect_problem(&world, "endpoint-state-conflict", 409);
    world_close(&world);
}


Test(pay_flow_endpoint, a_rotation_shows_the_new_secret)
{
    world_t  world;

    endpoint_asks(&world, PAY_ENDPOINT_ROTATE, "e-1",
                  "{\"overlap_seconds\":60}", "");
    expect_arg(&world, change_endpoint, act, "rotate");
    expect_arg(&world, change_endpoint, endpoint_id, "e-1");
    cr_expect_eq(asked(&world, change_endpoint)->overlap_s, 60);
    page_comes(&world, PAY_OUTCOME_STORED, MADE);
    cr_expect_eq(world.effect.reply->status, 200);
    expect_text(world.effect.reply->body,
                "{\"endpoint_id\" : \"e-1\", \"scheme\" : \"v1\",\"secret\":"
                "\"" WHSEC "\"}");
    world_close(&world);
}


Test(pay_flow_endpoint, each_act_has_its_word)
{
    unsigned  i;
    world_t   world;

    static const struct {
        pay_endpoint_act_kind_t  kind;
        const char              *act;
    } acts[] = {
        { PAY_ENDPOINT_ENABLE, "enable" }, { PAY_ENDPOINT_DISABLE, "disable" },
        { PAY_ENDPOINT_TEST, "test" }
    };

    for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        endpoint_asks(&world, acts[i].kind, "e-1", "", "");
        expect_arg(&world, change_endpoint, act, acts[i].act);
        expect_arg(&world, change_endpoint, sealed, "");
        page_comes(&world, PAY_OUTCOME_STORED, MADE);
        expect_text(world.effect.reply->body, MADE);
        world_close(&world);
    }
}


Test(pay_flow_endpoint, refusals_have_their_problems)
{
    unsigned  i;
    world_t   world;

    static const struct {
        pay_outcome_t  outcome;
        const char    *slug;
        unsigned       status;
    } refusals[] = {
        { PAY_OUTCOME_NOT_FOUND, "not-found", 404 },
        { PAY_OUTCOME_UNKNOWN, "validation-error", 422 },
        { PAY_OUTCOME_REFUSED, "endpoint-state-conflict", 409 }
    };

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        endpoint_asks(&world, PAY_ENDPOINT_REPLAY, "e-1",
                      "{\"event\":\"evt_1\"}", "");
        expect_arg(&world, replay_deliveries, message_id, "evt_1");
        page_comes(&world, refusals[i].outcome, NULL);
        expect_problem(&world, refusals[i].slug, refusals[i].status);
        world_close(&world);
    }

    /* the next declaration would undo it */
    endpoint_asks(&world, PAY_ENDPOINT_DISABLE, "e-1", "", "");
    page_comes(&world, PAY_OUTCOME_DECLARED, NULL);
    expect_problem(&world, "endpoint-state-conflict", 409);
    world_close(&world);

    endpoint_asks(&world, PAY_ENDPOINT_TEST, "a b", "", "");
    expect_problem(&world, "not-found", 404);
    world_close(&world);

    endpoint_asks(&world, PAY_ENDPOINT_MAKE, "", "{\"url\":1}", "");
    expect_problem(&world, "validation-error", 422);
    world_close(&world);

    for (i = 0; i < DB_FAILURES; i++) {
        endpoint_asks(&world, PAY_ENDPOINT_TEST, "e-1", "", "");
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_geq(world.effect.reply->status, 500);
        world_close(&world);
    }
}


static void
events_ask(world_t *world, pay_events_list_t list, const char *id,
    const char *text)
{
    pay_err_t           err;
    pay_events_query_t  query = { .list = list, .id = pay_str_of(id) };

    cr_assert_eq(pay_events_parse(pay_str_of(text), &query, &err), PAY_OK);
    world_open(world);
    world_made(world, pay_flow_events(&world->flow, PAY_STR("acme"), &query));
    world_start(world);
}


Test(pay_flow_events, each_list_asks_its_operation)
{
    world_t  world;

    events_ask(&world, PAY_EVENTS_MESSAGES, "", "after=evt_1&limit=7");
    expect_arg(&world, list_messages, merchant_id, "acme");
    expect_arg(&world, list_messages, after, "evt_1");
    expect_arg(&world, list_messages, message_id, "");
    cr_expect_eq(asked(&world, list_messages)->limit, 7);
    page_comes(&world, PAY_OUTCOME_FOUND, "{\"events\":[]}");
    cr_expect_eq(world.effect.reply->status, 200);
    expect_text(world.effect.reply->body, "{\"events\":[]}");
    world_close(&world);

    events_ask(&world, PAY_EVENTS_ENDPOINTS, "e-1", "");
    expect_arg(&world, list_endpoints, endpoint_id, "e-1");
    page_comes(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_problem(&world, "not-found", 404);
    world_close(&world);

    events_ask(&world, PAY_EVENTS_DELIVERIES, "", "endpoint=e-1&state=due");
    expect_arg(&world, list_deliveries, endpoint_id, "e-1");
    expect_arg(&world, list_deliveries, state, "due");
    cr_expect(!asked(&world, list_deliveries)->before.is_set);
    page_comes(&world, PAY_OUTCOME_FOUND, "{}");
    world_close(&world);
}


static void
play(world_t *world)
{
    pay_endpoint_act_input_t  in = {
        .kind = PAY_ENDPOINT_MAKE, .merchant_id = PAY_STR("acme"),
        .body = PAY_STR(BODY_OK), .asked_by = PAY_STR("{}"),
        .idempotency_key = PAY_STR("key-key-key-key-1"),
        .entropy = PAY_STR(ENTROPY),
        .base_url = PAY_STR("https://pay.example.com")
    };

    world->env.keyring = &ring;
    world_made(world, pay_flow_endpoint(&world->flow, &in));

    if (world->ended) {
        return;
    }

    world_start(world);
    page_comes(world, PAY_OUTCOME_STORED, MADE);
}


Test(pay_flow_endpoint, a_failed_allocation_never_ends_as_another_outcome)
{
    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);
    cr_expect_gt(world_torture(play), 5);
}

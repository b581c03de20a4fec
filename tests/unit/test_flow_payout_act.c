/*
 * Requests about pay-outs: what a body may say, what PostgreSQL is asked for,
 * and each of its answers.
 */

#include "flow_driver.h"
#include "torture.h"

#include "pay_payout_api.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define KEY      "8e03978e-40d5-43dd-bc93-6894a57f9324"
#define MAKE     "{\"seller_account\":\"s/1\",\"currency\":\"KWD\"}"
/* a digest in hexadecimal digits */
#define HASH  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

#define HERE     "https://pay.example"


static void
act_begin(world_t *world, pay_payout_act_kind_t kind, const char *id,
    const char *subject, const char *body)
{
    pay_payout_act_input_t  in = {
        .kind = kind, .merchant_id = PAY_STR("acme"), .id = pay_str_of(id),
        .subject = pay_str_of(subject), .body = pay_str_of(body),
        .idempotency_key = PAY_STR(KEY), .ttl_s = 60,
        .base_url = PAY_STR(HERE)
    };

    world_made(world, pay_flow_payout_act(&world->flow, &in));
    world_start(world);
}


/* Bodies that are taken, and those that are refused. */
static const struct {
    pay_payout_act_kind_t  kind;
    const char            *body;
    const char            *slug;   /* NULL: it is taken */
    const char            *pointer;
} bodies[] = {
    { PAY_PAYOUT_ACT_RELEASE, "", NULL, "" },
    { PAY_PAYOUT_ACT_RELEASE, "{}", NULL, "" },
    { PAY_PAYOUT_ACT_RELEASE, "{\"why\":\"parcel 7\"}", NULL, "" },
    { PAY_PAYOUT_ACT_RELEASE, "{\"why\":\"\"}", "validation-error", "/why" },
    { PAY_PAYOUT_ACT_RELEASE, "{\"why\":\"  \"}", "validation-error", "/why" },
    { PAY_PAYOUT_ACT_RELEASE, "{\"why\":\"a\\u0007\"}", "validation-error",
      "/why" },
    { PAY_PAYOUT_ACT_RELEASE, "{\"why\":null}", "validation-error", "/why" },
    { PAY_PAYOUT_ACT_RELEASE, "{\"who\":\"x\"}", "validation-error", "/who" },
    { PAY_PAYOUT_ACT_RELEASE, "[]", "validation-error", "" },
    { PAY_PAYOUT_ACT_RELEASE, "{", "invalid-json", "" },
    { PAY_PAYOUT_ACT_RELEASE, "{\"why\":\"4111 1111 1111 1111\"}",
      "card-data-not-accepted", "" },
    { PAY_PAYOUT_ACT_MAKE, MAKE, NULL, "" },
    { PAY_PAYOUT_ACT_MAKE, "", "invalid-json", "" },
    { PAY_PAYOUT_ACT_MAKE, "{\"seller_account\":\"s\"}",
      "currency-unsupported", "/currency" },
    { PAY_PAYOUT_ACT_MAKE, "{\"currency\":\"EUR\"}", "validation-error",
      "/seller_account" },
    { PAY_PAYOUT_ACT_MAKE, "{\"currency\":\"EUR\",\"seller_account\":\"a b\"}",
      "validation-error", "/seller_account" },
    { PAY_PAYOUT_ACT_MAKE, "{\"currency\":\"XYZ\",\"seller_account\":\"a\"}",
      "currency-unsupported", "/currency" },
    { PAY_PAYOUT_ACT_MAKE_BATCH,
      "{\"provider\":\"a-1\",\"currency\":\"EUR\",\"limit\":1000}", NULL,
      "" },
    { PAY_PAYOUT_ACT_MAKE_BATCH, "{\"provider\":\"\",\"currency\":\"EUR\"}",
      "validation-error", "/provider" },
    { PAY_PAYOUT_ACT_MAKE_BATCH, "{\"provider\":\"-a\",\"currency\":\"EUR\"}",
      "validation-error", "/provider" },
    { PAY_PAYOUT_ACT_MAKE_BATCH, "{\"provider\":\"a\",\"currency\":\"EUR\","
      "\"limit\":1001}", "validation-error", "/limit" },
    { PAY_PAYOUT_ACT_APPROVE, "{\"hash\":\"" HASH "\"}", NULL, "" },
    { PAY_PAYOUT_ACT_APPROVE, "{\"hash\":\"" HASH "0\"}", "validation-error",
      "/hash" },
    { PAY_PAYOUT_ACT_APPROVE, "{}", "validation-error", "/hash" },
    { PAY_PAYOUT_ACT_SEND, "", NULL, "" },
    { PAY_PAYOUT_ACT_SEND, "{}", NULL, "" },
    { PAY_PAYOUT_ACT_SEND, "{\"hash\":\"\"}", "validation-error", "/hash" }
};


Test(pay_payout_api, a_body_has_what_its_kind_needs)
{
    size_t             i;
    pay_err_t          err;
    pay_heap_t        *heap = pay_heap_create();
    pay_arena_t       *arena = pay_heap_arena(heap);
    pay_payout_act_t   act;

    for (i = 0; i < COUNT(bodies); i++) {
        memset(&err, 0, sizeof(err));
        cr_assert_eq(pay_payout_act_parse(arena, bodies[i].kind,
                                          pay_str_of(bodies[i].body), &act,
                                          &err),
                     bodies[i].slug == NULL ? PAY_OK : PAY_INVALID, "%s",
                     bodies[i].body);

        if (bodies[i].slug != NULL) {
            cr_expect_str_eq(err.slug, bodies[i].slug, "%s", bodies[i].body);
            cr_expect_str_eq(err.pointer, bodies[i].pointer, "%s",
                             bodies[i].body);
        }
    }

    cr_assert_eq(pay_payout_act_parse(arena, PAY_PAYOUT_ACT_RELEASE,
                                      PAY_STR(""), &act, NULL), PAY_OK);
    cr_expect(pay_str_is(act.why, "delivered"));
    pay_heap_destroy(heap);
}


Test(pay_flow_payout_act, each_answer_is_told_apart)
{
    size_t              i;
    world_t             world;
    const pay_reply_t  *reply;

    static const struct {
        pay_outcome_t  outcome;
        unsigned       status;
    } rows[] = {
        { PAY_OUTCOME_CREATED, 201 }, { PAY_OUTCOME_REPLAYED, 201 },
        { PAY_OUTCOME_KEY_REUSED, 422 }, { PAY_OUTCOME_INVALID, 500 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        act_begin(&world, PAY_PAYOUT_ACT_MAKE, "", "max", MAKE);
        expect_db(&world, PAY_OP_MAKE_PAYOUT);
        expect_arg(&world, make_payout, merchant_id, "acme");
        expect_arg(&world, make_payout, seller_account, "s/1");
        expect_arg(&world, make_payout, currency, "KWD");
        expect_arg(&world, make_payout, who, "max");
        expect_arg(&world, make_payout, idempotency_key, KEY);
        cr_expect_eq(asked(&world, make_payout)->fingerprint.len, 32);
        cr_expect_eq(asked(&world, make_payout)->ttl_s, 60);
        world_result(&world, rows[i].outcome, rows[i].status > 201 ? NULL
                     : &(pay_payout_act_row_t) { PAY_STR("p-7"),
                                                 PAY_STR("{}") });

        if (rows[i].status > 201) {
            (void) expect_reply(&world, PAY_REPLY_PROBLEM, rows[i].status);

        } else {
            reply = expect_reply(&world, PAY_REPLY_JSON, 201);
            cr_expect(pay_str_is(reply->body, "{}"));
            cr_expect(pay_str_is(reply->location, HERE "/v1/payouts/p-7"));
            cr_expect_eq(reply->replayed,
                         rows[i].outcome == PAY_OUTCOME_REPLAYED);
        }

        world_close(&world);
    }
}


Test(pay_flow_payout_act, an_order_is_released)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    act_begin(&world, PAY_PAYOUT_ACT_RELEASE, "o-1", "ann", "");
    expect_db(&world, PAY_OP_RELEASE_ORDER);
    expect_arg(&world, release_order, payment_order_id, "o-1");
    expect_arg(&world, release_order, who, "ann");
    expect_arg(&world, release_order, why, "delivered");
    world_result(&world, PAY_OUTCOME_RELEASED, &(pay_payout_act_row_t) {
                     PAY_STR("o-1"), PAY_STR("{}") });
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect_eq(reply->location.len, 0);
    world_close(&world);

    world_open(&world);
    act_begin(&world, PAY_PAYOUT_ACT_RELEASE, "o-1", "ann", "");
    world_result(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    (void) expect_problem(&world, "not-found", 404);
    world_close(&world);
}


/* Its merchant has moved since; all else about pay-outs is in the new cell. */
Test(pay_flow_payout_act, an_older_order_is_released_where_it_is)
{
    world_t  world;

    world_open(&world);
    world.merchants[0].from = 1;
    act_begin(&world, PAY_PAYOUT_ACT_RELEASE, "o-1", "ann", "");
    cr_expect_eq(world.flow.cell, 0);
    world_result(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_db(&world, PAY_OP_RELEASE_ORDER);
    cr_expect_eq(world.flow.cell, 1);
    expect_arg(&world, release_order, payment_order_id, "o-1");
    expect_arg(&world, release_order, idempotency_key, KEY);
    world_result(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    (void) expect_problem(&world, "not-found", 404);
    world_close(&world);

    world_open(&world);
    world.merchants[0].from = 1;
    act_begin(&world, PAY_PAYOUT_ACT_CLOSE, "d-1", "max",
              "{\"why\":\"w\"}");
    world_result(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    (void) expect_problem(&world, "not-found", 404);
    world_close(&world);
}


/* The same body for another order, or by another operator, is another
 * request. */
Test(pay_flow_payout_act, a_fingerprint_is_of_route_id_operator_and_body)
{
    size_t         i, n;
    world_t        world;
    unsigned char  digests[4][32];

    static const struct {
        const char  *id;
        const char  *subject;
        const char  *body;
    } rows[] = {
        { "o-1", "ann", "" }, { "o-2", "ann", "" }, { "o-1", "ann", "{}" },
        { "o-1", "eve", "" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        act_begin(&world, PAY_PAYOUT_ACT_RELEASE, rows[i].id,
                  rows[i].subject, rows[i].body);
        memcpy(digests[i], asked(&world, release_order)->fingerprint.data, 32);
        world_result(&world, PAY_OUTCOME_NOT_FOUND, NULL);
        world_close(&world);

        for (n = 0; n < i; n++) {
            cr_expect_neq(memcmp(digests[i], digests[n], 32), 0);
        }
    }
}


/* The subjects distinguish maker and checker: no subject, no act. */
Test(pay_flow_payout_act, a_request_needs_a_subject_and_an_id_that_can_be)
{
    world_t  world;

    world_open(&world);
    act_begin(&world, PAY_PAYOUT_ACT_MAKE, "", "", MAKE);
    (void) expect_problem(&world, "validation-error", 422);
    world_close(&world);

    world_open(&world);
    act_begin(&world, PAY_PAYOUT_ACT_MAKE, "", "4111111111111111", MAKE);
    (void) expect_problem(&world, "validation-error", 422);
    world_close(&world);

    world_open(&world);
    act_begin(&world, PAY_PAYOUT_ACT_RELEASE, "a:b", "ann", "");
    (void) expect_problem(&world, "not-found", 404);
    world_close(&world);

    world_open(&world);
    act_begin(&world, PAY_PAYOUT_ACT_MAKE, "", "ann", "{}");
    (void) expect_problem(&world, "validation-error", 422);
    world_close(&world);
}


static void
play_make(world_t *world)
{
    act_begin(world, PAY_PAYOUT_ACT_MAKE, "", "ann", MAKE);
    world_result(world, PAY_OUTCOME_CREATED, &(pay_payout_act_row_t) {
                     PAY_STR("p-7"), PAY_STR("{}") });
}


Test(pay_flow_payout_act, failing_memory_ends_a_request_as_a_500)
{
    cr_expect_geq(world_torture(play_make), 4);
}


Test(pay_flow_payout_act, a_batch_is_made_approved_and_sent)
{
    size_t              i;
    world_t             world;
    const pay_reply_t  *reply;

    static const struct {
        pay_payout_act_kind_t  kind;
        const char            *id;
        const char            *body;
        const char            *act;
        const char            *subject;
        pay_outcome_t          outcome;
        unsigned               status;
    } rows[] = {
        { PAY_PAYOUT_ACT_MAKE_BATCH, "",
          "{\"provider\":\"w\",\"currency\":\"EUR\"}",
          "make", "w", PAY_OUTCOME_CREATED, 201 },
        { PAY_PAYOUT_ACT_APPROVE, "b-7", "{\"hash\":\"" HASH "\"}", "approve",
          "b-7", PAY_OUTCOME_ASKED, 200 },
        { PAY_PAYOUT_ACT_APPROVE, "b-7", "{\"hash\":\"" HASH "\"}", "approve",
          "b-7", PAY_OUTCOME_DONE, 200 },
        { PAY_PAYOUT_ACT_SEND, "b-7", "", "send", "b-7", PAY_OUTCOME_DONE,
          200 },
        { PAY_PAYOUT_ACT_WITHDRAW, "b-7", "{\"why\":\"w\"}", "withdraw", "b-7",
          PAY_OUTCOME_DONE, 200 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        act_begin(&world, rows[i].kind, rows[i].id, "eve", rows[i].body);
        expect_db(&world, PAY_OP_ACT_ON_PAYOUT_BATCH);
        expect_arg(&world, act_on_payout_batch, act, rows[i].act);
        expect_arg(&world, act_on_payout_batch, subject, rows[i].subject);
        expect_arg(&world, act_on_payout_batch, who, "eve");
        expect_arg(&world, act_on_payout_batch, hash,
                   rows[i].kind == PAY_PAYOUT_ACT_APPROVE ? HASH : "");
        expect_arg(&world, act_on_payout_batch, why,
                   rows[i].kind == PAY_PAYOUT_ACT_WITHDRAW ? "w" : "");
        world_result(&world, rows[i].outcome, &(pay_payout_act_row_t) {
                         PAY_STR("b-7"), PAY_STR("{}") });
        reply = expect_reply(&world, PAY_REPLY_JSON, rows[i].status);
        cr_expect(rows[i].status == 200
                  ? reply->location.len == 0
                  : pay_str_is(reply->location,
                               HERE "/v1/payout-batches/b-7"));
        world_close(&world);
    }
}


Test(pay_flow_payout_act, the_reason_of_a_refusal_is_told)
{
    size_t              i;
    world_t             world;
    const pay_reply_t  *reply;

    static const char *const  words[] = {
        "nothing", "hold", "no_destination", "suspect", "blocked",
        "cooling_off", "minimum", "maker", "entered", "other_hash",
        "changed", "again", "closed", "not_approved", "unfit"
    };

    for (i = 0; i < COUNT(words); i++) {
        world_open(&world);
        act_begin(&world, PAY_PAYOUT_ACT_SEND, "b-7", "eve", "");
        world_result(&world, PAY_OUTCOME_REFUSED, &(pay_payout_act_row_t) {
                         pay_str_of(words[i]), PAY_STR("{}") });
        reply = expect_problem(&world, "payout-state-conflict", 409);
        cr_expect_eq(strncmp(reply->detail, words[i], strlen(words[i])), 0);
        world_close(&world);
    }

    world_open(&world);
    act_begin(&world, PAY_PAYOUT_ACT_SEND, "b-7", "eve", "");
    world_result(&world, PAY_OUTCOME_REFUSED, &(pay_payout_act_row_t) {
                     PAY_STR("whim"), PAY_STR("{}") });
    (void) expect_reply(&world, PAY_REPLY_PROBLEM, 500);
    world_close(&world);
}

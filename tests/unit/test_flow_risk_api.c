/*
 * Requests about lists and reviews of risk: a value that names a buyer leaves
 * the flow as a hash alone, and refusals have their problems.
 */

#include "flow_driver.h"


#define ENTRY(members)                                                        \
    "{\"effect\":\"block\",\"why\":\"a test\"," members "}"
#define EMAIL  "\"kind\":\"email\",\"value\":\"Eve@Example.org\""


static pay_risk_t  risk = { .key_count = 1 };


static void
risk_asks(world_t *world, pay_risk_act_kind_t kind, const char *id,
    const char *body)
{
    pay_risk_act_input_t  in = {
        .kind = kind, .merchant_id = PAY_STR("acme"), .id = pay_str_of(id),
        .body = pay_str_of(body), .subject = PAY_STR("ann"),
        .base_url = PAY_STR("https://pay.example.com")
    };

    world_open(world);
    world->env.risk = &risk;
    world_made(world, pay_flow_risk_act(&world->flow, &in));
    world_start(world);
}


static void
page_comes(world_t *world, pay_outcome_t outcome, const char *page)
{
    pay_page_row_t  row = { .page = pay_str_of(page) };

    world_result(world, outcome, page != NULL ? &row : NULL);
}


Test(pay_flow_risk_act, an_address_of_mail_is_hashed_in_one_spelling)
{
    world_t    world;
    pay_str_t  hex;

    risk_asks(&world, PAY_RISK_ACT_ADD, "", ENTRY(EMAIL));
    expect_arg(&world, store_risk_entry, merchant_id, "acme");
    expect_arg(&world, store_risk_entry, kind, "email");
    expect_arg(&world, store_risk_entry, who, "ann");
    expect_arg(&world, store_risk_entry, why, "a test");
    cr_assert_eq(pay_risk_list_value(world.flow.scratch, &risk, 0,
                                     PAY_STR("email"),
                                     PAY_STR("eve@example.org"), &hex),
                 PAY_OK);
    cr_expect(pay_str_eq(asked(&world, store_risk_entry)->value, hex));
    page_comes(&world, PAY_OUTCOME_CREATED, "{\"entry_id\" : 12}");
    cr_expect_eq(world.effect.reply->status, 201);
    expect_text(world.effect.reply->location,
                "https://pay.example.com/v1/risk/lists/12");
    world_close(&world);
}


Test(pay_flow_risk_act, without_a_key_no_such_value_is_kept)
{
    world_t               world;
    pay_risk_act_input_t  in = {
        .kind = PAY_RISK_ACT_ADD, .merchant_id = PAY_STR("acme"),
        .body = PAY_STR(ENTRY(EMAIL)), .subject = PAY_STR("ann")
    };

    world_open(&world);
    world_made(&world, pay_flow_risk_act(&world.flow, &in));
    world_start(&world);
    expect_problem(&world, "risk-state-conflict", 409);
    world_close(&world);
}


Test(pay_flow_risk_act, bad_entries_are_refused)
{
    size_t   i;
    world_t  world;

    static const char *const  bodies[] = {
        ENTRY("\"kind\":\"card\",\"value\":\"x\""),
        ENTRY("\"kind\":\"ip\",\"value\":\"192.0.2.1/31\""),
        ENTRY("\"kind\":\"email\",\"value\":\"no mail\""),
        ENTRY("\"kind\":\"country\",\"value\":\"\""),
        ENTRY(EMAIL ",\"until\":\"soon\""),
        ENTRY(EMAIL ",\"more\":1"),
        "{\"effect\":\"block\"," EMAIL "}", "[]"
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        risk_asks(&world, PAY_RISK_ACT_ADD, "", bodies[i]);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE, "%s", bodies[i]);
        cr_expect_geq(world.effect.reply->status, 400, "%s", bodies[i]);
        world_close(&world);
    }

    risk_asks(&world, PAY_RISK_ACT_ADD, "", ENTRY(EMAIL));
    page_comes(&world, PAY_OUTCOME_INVALID, NULL);
    expect_problem(&world, "validation-error", 422);
    world_close(&world);
}


Test(pay_flow_risk_act, an_entry_is_removed_with_a_reason)
{
    world_t  world;

    risk_asks(&world, PAY_RISK_ACT_REMOVE, "12", "{\"why\":\"over\"}");
    cr_assert_eq(asked(&world, remove_risk_entry)->entry_id, 12);
    expect_arg(&world, remove_risk_entry, why, "over");
    page_comes(&world, PAY_OUTCOME_DONE, "{}");
    cr_expect_eq(world.effect.reply->status, 200);
    world_close(&world);

    risk_asks(&world, PAY_RISK_ACT_REMOVE, "0", "{\"why\":\"over\"}");
    expect_problem(&world, "not-found", 404);
    world_close(&world);
}


Test(pay_flow_risk_act, each_act_on_a_review_has_its_word_and_its_answer)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_risk_act_kind_t  kind;
        const char          *body;
        const char          *word;
        pay_outcome_t        outcome;
        unsigned             status;
    } cases[] = {
        { PAY_RISK_ACT_CLAIM, "", "claim", PAY_OUTCOME_DONE, 200 },
        { PAY_RISK_ACT_APPROVE, "{\"reason\":\"known_buyer\"}", "approve",
          PAY_OUTCOME_ASKED, 202 },
        { PAY_RISK_ACT_REJECT,
          "{\"reason\":\"no_answer\",\"block\":true,\"note\":\"n\"}", "reject",
          PAY_OUTCOME_DONE, 200 },
        { PAY_RISK_ACT_ESCALATE, "{\"reason\":\"unclear\"}", "escalate",
          PAY_OUTCOME_DONE, 200 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        risk_asks(&world, cases[i].kind, "7", cases[i].body);
        cr_assert_eq(asked(&world, act_on_review)->review_id, 7);
        expect_arg(&world, act_on_review, act, cases[i].word);
        cr_expect_eq(asked(&world, act_on_review)->lease_s, PAY_RISK_LEASE_S);
        cr_expect_eq(asked(&world, act_on_review)->blocks,
                     cases[i].kind == PAY_RISK_ACT_REJECT);
        page_comes(&world, cases[i].outcome, "{}");
        cr_expect_eq(world.effect.reply->status, cases[i].status);
        world_close(&world);
    }
}


Test(pay_flow_risk_act, refusals_have_their_problems)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_outcome_t  outcome;
        const char    *slug;
        unsigned       status;
    } cases[] = {
        { PAY_OUTCOME_BUSY, "risk-state-conflict", 409 },
        { PAY_OUTCOME_ALREADY, "risk-state-conflict", 409 },
        { PAY_OUTCOME_NOT_FOUND, "not-found", 404 },
        { PAY_OUTCOME_INVALID, "validation-error", 422 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        risk_asks(&world, PAY_RISK_ACT_REJECT, "7",
                  "{\"reason\":\"known_buyer\"}");
        page_comes(&world, cases[i].outcome, NULL);
        expect_problem(&world, cases[i].slug, cases[i].status);
        world_close(&world);
    }
}


Test(pay_flow_risk_list, each_list_asks_its_operation)
{
    world_t           world;
    pay_err_t         err;
    pay_risk_query_t  entries = { .list = PAY_RISK_READ_ENTRIES };
    pay_risk_query_t  review = { .list = PAY_RISK_READ_REVIEWS };

    cr_assert_eq(pay_risk_query_parse(PAY_STR(""),
                     PAY_STR("kind=ip&effect=block&after=3&limit=7"),
                     &entries, &err), PAY_OK);
    world_open(&world);
    world_made(&world, pay_flow_risk_list(&world.flow, PAY_STR("acme"),
                                          &entries));
    world_start(&world);
    expect_arg(&world, list_risk_entries, kind, "ip");
    expect_arg(&world, list_risk_entries, effect, "block");
    cr_assert_eq(asked(&world, list_risk_entries)->limit, 7);
    page_comes(&world, PAY_OUTCOME_FOUND, "{\"entries\":[]}");
    expect_text(world.effect.reply->body, "{\"entries\":[]}");
    world_close(&world);

    cr_assert_eq(pay_risk_query_parse(PAY_STR("7"), PAY_STR(""), &review,
                                      &err), PAY_OK);
    world_open(&world);
    world_made(&world, pay_flow_risk_list(&world.flow, PAY_STR("acme"),
                                          &review));
    world_start(&world);
    cr_assert_eq(asked(&world, list_reviews)->review_id.number, 7);
    page_comes(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_problem(&world, "not-found", 404);
    world_close(&world);
}


Test(pay_risk_query, bad_queries_are_refused)
{
    size_t            i;
    pay_err_t         err;
    pay_risk_query_t  query;

    static const char *const  texts[] = {
        "kind=name", "effect=", "limit=0", "limit=1001", "limit=1&limit=1",
        "after=-1", "after=x", "state=lost", "kind", "&"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        memset(&query, 0, sizeof(query));
        cr_expect_eq(pay_risk_query_parse(PAY_STR(""), pay_str_of(texts[i]),
                                          &query, &err), PAY_INVALID,
                     "%s", texts[i]);
        cr_expect_str_eq(err.slug, "validation-error");
    }
}

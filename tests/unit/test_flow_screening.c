/*
 * A question to a provider of sanctions screening: the holder's name and
 * country go out, and whatever is no answer to this question is a failure.
 */

#include "flow_driver.h"

#include "pay_json.h"


#define ID       "d-1-2-3"
#define IBAN     "DE89370400440532013000"
#define DETAILS  "{\"iban\":\"" IBAN "\",\"name\":\"Jane Mueller\"}"
#define PLACE    "payments payout account 1\nacme\nseller-1\nEUR"
#define RING     "old AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define CLEAR    "{\"id\":\"" ID "\",\"result\":\"clear\"}"


static pay_psp_conf_t  client = { .name = pay_string("screening/watch") };

static const pay_screening_provider_t  provider = {
    .name = pay_string("watch"), .merchant_id = pay_string("acme"),
    .account = { .base_url = pay_string("https://watch.example"),
                 .api_key = pay_string("key_CANARY") },
    .client = &client, .lease_ms = 40000, .retry_s = 60
};

/* sealed as the row is */
static unsigned char   sealed[512];
static size_t          sealed_len;
static pay_keyring_t   ring;


static void
seal(const char *details)
{
    pay_str_t  clear = pay_str_of(details);

    memcpy(sealed, "nonce-nonce-", PAY_KEYRING_NONCE);
    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);
    cr_assert_eq(pay_keyring_seal(&ring, sealed, PAY_STR(PLACE), clear,
                                  sealed + PAY_KEYRING_NONCE), PAY_OK);
    sealed_len = PAY_KEYRING_NONCE + clear.len + PAY_KEYRING_TAG;
}


static pay_screening_row_t
row_of(void)
{
    return (pay_screening_row_t) {
        .destination_id = PAY_STR("d-1"), .version = 2, .number = 3,
        .seller_account = PAY_STR("seller-1"), .currency = PAY_STR("EUR"),
        .kind = PAY_STR("iban"), .country = PAY_STR("DE"),
        .details = { sealed_len, sealed }, .key_id = PAY_STR("old")
    };
}


static void
screening_asks(world_t *world)
{
    world_open(world);
    seal(DETAILS);
    world->env.keyring = &ring;
    world_made(world, pay_flow_screening(&world->flow, &provider));
    world_start(world);
}


static void
screening_due(world_t *world)
{
    pay_screening_row_t  row;

    screening_asks(world);
    row = row_of();
    world_result(world, PAY_OUTCOME_DUE, &row);
}


static void
expect_stored(world_t *world, const char *answer, const char *reference,
    const char *code)
{
    expect_arg(world, store_screening, merchant_id, "acme");
    expect_arg(world, store_screening, provider, "watch");
    expect_arg(world, store_screening, destination_id, "d-1");
    cr_expect_eq(asked(world, store_screening)->version, 2);
    cr_expect_eq(asked(world, store_screening)->number, 3);
    cr_expect_eq(asked(world, store_screening)->retry_s, 60);
    expect_arg(world, store_screening, answer, answer);
    expect_arg(world, store_screening, reference, reference);
    expect_arg(world, store_screening, code, code);
}


static void
expect_over(world_t *world, const char *outcome)
{
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_str_eq(world->flow.outcome, outcome);
    world_close(world);
}


Test(pay_flow_screening, nothing_is_asked_without_a_claim)
{
    unsigned  i;
    world_t   world;

    screening_asks(&world);
    expect_arg(&world, begin_screening, merchant_id, "acme");
    expect_arg(&world, begin_screening, provider, "watch");
    cr_expect_eq(asked(&world, begin_screening)->lease_ms, 40000);
    world_result(&world, PAY_OUTCOME_NO_JOB, NULL);
    cr_expect_str_eq(world.flow.outcome, "none");
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    for (i = 0; i < DB_FAILURES; i++) {
        screening_asks(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_str_eq(world.flow.outcome, "not-asked");
        world_close(&world);
    }
}


Test(pay_flow_screening, the_name_and_the_country_go_out_and_no_number)
{
    world_t   world;
    unsigned  count;

    screening_due(&world);
    expect_http(&world);
    cr_expect_eq(world.effect.screening, &provider);
    cr_expect_null(world.effect.psp);
    cr_expect_eq(world.effect.call, PAY_CALL_SCREENING);
    expect_text(world.effect.http.url, "https://watch.example/v1/screenings");
    expect_text(request_field(&world.effect.http, "Idempotency-Key", &count),
                ID);
    expect_text(world.effect.http.body,
                "{\"id\":\"" ID "\",\"name\":\"Jane Mueller\",\"country\":"
                "\"DE\"}");
    world_close(&world);
}


Test(pay_flow_screening, the_providers_word_is_stored)
{
    world_t  world;

    screening_due(&world);
    world_http(&world, answered(200, PAY_STR(CLEAR)));
    expect_stored(&world, "clear", NULL, NULL);
    expect_over(&world, "called");

    screening_due(&world);
    world_http(&world, answered(200, PAY_STR("{\"id\":\"" ID "\",\"result\":"
                                             "\"hit\",\"reference\":"
                                             "\"case-7\"}")));
    expect_stored(&world, "hit", "case-7", NULL);
    expect_over(&world, "called");

    screening_due(&world);
    world_http(&world, answered(200, PAY_STR("{\"id\":\"" ID "\",\"result\":"
                                             "\"hit\"}")));
    expect_stored(&world, "hit", NULL, NULL);
    expect_over(&world, "called");

    /* a part of it may be another one's */
    screening_due(&world);
    world_http(&world, answered(200, PAY_STR("{\"id\":\"" ID "\",\"result\":"
                                             "\"hit\",\"reference\":"
                                             "\"case 7\"}")));
    expect_stored(&world, "hit", NULL, NULL);
    expect_over(&world, "called");
}


/* Each good answer was logged as one that cannot be read. */
Test(pay_flow_screening, an_answer_that_was_read_is_not_logged_as_unreadable)
{
    unsigned  i;
    world_t   world;

    static const char *const  bodies[] = {
        CLEAR, "{\"id\":\"" ID "\",\"result\":\"hit\"}",
        "{\"id\":\"" ID "\",\"result\":\"clean\"}"
    };

    for (i = 0; i < 3; i++) {
        screening_due(&world);
        world_http(&world, answered(200, pay_str_of(bodies[i])));
        cr_expect_eq(world.flow.unread != NULL, i == 2, "%s", bodies[i]);
        world_close(&world);
    }
}


Test(pay_flow_screening, whatever_is_no_answer_is_a_failure)
{
    unsigned  i;
    world_t   world;

    static const struct {
        unsigned     status;
        const char  *body;
    } cases[] = {
        { 200, "{\"id\":\"d-1-2-4\",\"result\":\"clear\"}" },
        { 200, "{\"result\":\"clear\"}" },
        { 200, "{\"id\":\"" ID "\"}" },
        { 200, "{\"id\":\"" ID "\",\"result\":\"clean\"}" },
        { 200, "{\"id\":\"" ID "\",\"result\":\"Clear\"}" },
        { 200, "{\"id\":\"" ID "\",\"result\":true}" },
        { 200, "{\"id\":\"" ID "\",\"result\":\"clear\"" },
        { 200, "" }, { 204, "" }, { 302, CLEAR }, { 401, CLEAR },
        { 404, CLEAR }, { 429, CLEAR }, { 500, CLEAR }, { 503, "" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        screening_due(&world);
        world_http(&world, answered(cases[i].status,
                                    pay_str_of(cases[i].body)));
        expect_arg(&world, store_screening, answer, "failed");
        expect_over(&world, "unanswered");
    }
}


Test(pay_flow_screening, an_account_that_cannot_be_read_is_not_asked_about)
{
    unsigned             i;
    world_t              world;
    pay_screening_row_t  row;

    static const char *const  whys[] = {
        "key_missing", "details_unreadable", "no_name"
    };

    for (i = 0; i < 3; i++) {
        screening_asks(&world);

        if (i == 2) {
            seal("{\"iban\":\"" IBAN "\"}");
        }

        row = row_of();
        row.key_id = i == 0 ? PAY_STR("new") : row.key_id;
        row.seller_account = i == 1 ? PAY_STR("seller-2")
                                    : row.seller_account;
        world_result(&world, PAY_OUTCOME_DUE, &row);
        cr_expect_eq(world.http_count, 0);
        expect_stored(&world, "failed", NULL, whys[i]);
        expect_over(&world, whys[i]);
    }
}


static void
play(world_t *world)
{
    pay_screening_row_t  row;

    seal(DETAILS);
    world->env.keyring = &ring;
    world_made(world, pay_flow_screening(&world->flow, &provider));

    if (world->ended) {
        return;
    }

    world_start(world);
    row = row_of();
    world_result(world, PAY_OUTCOME_DUE, &row);
    world_http(world, answered(200, PAY_STR(CLEAR)));
    world_result(world, PAY_OUTCOME_STORED, NULL);
}


Test(pay_flow_screening, a_failed_allocation_never_ends_as_another_outcome)
{
    cr_expect_gt(world_torture(play), 5);
}

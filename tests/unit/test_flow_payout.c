/*
 * A call to a pay-out provider: it is journaled before, its bytes are made of
 * stored rows alone, and nothing but the provider's own word about its own
 * payment goes back.
 */

#include "flow_driver.h"

#include "pay_json.h"


#define OWNER    "host:1:2"
#define ITEM     "0199c0de-0000-7000-8000-0000000000b1"
#define KEY      "0123456789abcdef0123456789abcdef-1"
#define IBAN     "DE89370400440532013000"
#define DETAILS  "{\"iban\":\"" IBAN "\",\"name\":\"Jane Mueller\"}"
#define PLACE    "payments payout account 1\nacme\nseller-1\nEUR"
#define RING     "old AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define BODY_OF(status, amount, end)                                          \
    "{\"id\":\"po_1\",\"key\":\"" KEY "\",\"status\":\"" status "\","         \
    "\"amount\":\"" amount "\",\"currency\":\"EUR\","                         \
    "\"account_end\":\"" end "\"}"
#define GOOD(status)  BODY_OF(status, "30.00", "3000")


static pay_psp_conf_t  client = { .name = pay_string("payout/bank") };

/* sealed as the row is */
static unsigned char   sealed[512];
static size_t          sealed_len;
static pay_keyring_t   ring;


static void
seal(const char *place, const char *details)
{
    pay_str_t  clear = pay_str_of(details);

    memcpy(sealed, "nonce-nonce-", PAY_KEYRING_NONCE);
    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);
    cr_assert_eq(pay_keyring_seal(&ring, sealed, pay_str_of(place), clear,
                                  sealed + PAY_KEYRING_NONCE), PAY_OK);
    sealed_len = PAY_KEYRING_NONCE + clear.len + PAY_KEYRING_TAG;
}


static pay_payout_provider_t
provider_of(const char *adapter)
{
    return (pay_payout_provider_t) {
        .name = PAY_STR("bank"), .merchant_id = PAY_STR("acme"),
        .adapter = pay_payout_find(pay_str_of(adapter)),
        .account.call = { .base_url = PAY_STR("https://bank.example"),
                          .api_key = PAY_STR("key_CANARY") },
        .client = &client, .lease_ms = 40000
    };
}


static pay_payout_provider_t  provider;


static pay_payout_call_row_t
row_of(const char *call)
{
    return (pay_payout_call_row_t) {
        .payout_id = PAY_STR(ITEM), .number = 3, .call = pay_str_of(call),
        .key = PAY_STR(KEY), .amount_minor = 3000, .currency = PAY_STR("EUR"),
        .kind = PAY_STR("iban"), .country = PAY_STR("DE"),
        .destination_id = PAY_STR("d-1"), .version = 1,
        .details = { sealed_len, sealed }, .key_id = PAY_STR("old"),
        .id0 = pay_str_of(strcmp(call, "ask") == 0 ? "po_1" : NULL),
        .made_s = NOW, .seller_account = PAY_STR("seller-1")
    };
}


/* asked for the next call */
static void
payout_asks(world_t *world)
{
    world_open(world);
    seal(PLACE, DETAILS);
    provider = provider_of("generic");
    world->env.keyring = &ring;
    world_made(world, pay_flow_payout(&world->flow, &provider,
                                      PAY_STR(OWNER)));
    world_start(world);
}


static void
payout_due(world_t *world, const char *call)
{
    pay_payout_call_row_t  row;

    payout_asks(world);
    row = row_of(call);
    world_result(world, PAY_OUTCOME_DUE, &row);
}


static void
expect_ended(world_t *world, const char *outcome, const char *code)
{
    expect_arg(world, end_payout_call, merchant_id, "acme");
    expect_arg(world, end_payout_call, payout_id, ITEM);
    cr_expect_eq(asked(world, end_payout_call)->number, 3);
    expect_arg(world, end_payout_call, outcome, outcome);
    expect_arg(world, end_payout_call, code, code);
}


static void
expect_over(world_t *world, const char *outcome)
{
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_str_eq(world->flow.outcome, outcome);
    world_close(world);
}


/* the call is not made, for that reason */
static void
expect_not_made(world_t *world, const char *code)
{
    expect_ended(world, "not_sent", code);
    cr_expect_eq(world->http_count, 0);
    expect_over(world, code);
}


Test(pay_flow_payout, the_next_call_is_claimed_with_the_facts_of_the_adapter)
{
    world_t  world;

    payout_asks(&world);
    expect_arg(&world, begin_payout_call, merchant_id, "acme");
    expect_arg(&world, begin_payout_call, provider, "bank");
    expect_arg(&world, begin_payout_call, adapter, "generic");
    expect_arg(&world, begin_payout_call, owner, OWNER);
    expect_arg(&world, begin_payout_call, facts,
               "{\"window_s\":[86400],\"moves\":[true],\"looks\":1,"
               "\"gap_s\":0,\"asks\":true,\"finds\":true,"
               "\"takes_back\":false,\"return_s\":5184000}");
    cr_expect_eq(asked(&world, begin_payout_call)->lease_ms, 40000);
    world_close(&world);
}


Test(pay_flow_payout, nothing_is_called_without_a_claim)
{
    unsigned  i;
    world_t   world;

    static const struct {
        pay_outcome_t  outcome;
        const char    *said;
    } cases[] = {
        { PAY_OUTCOME_NO_JOB, "none" },
        { PAY_OUTCOME_NOT_FOUND, "not-found" },
        { PAY_OUTCOME_MISMATCH, "mismatch" },
        { PAY_OUTCOME_INVALID, "invalid" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        payout_asks(&world);
        world_result(&world, cases[i].outcome, NULL);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_str_eq(world.flow.outcome, cases[i].said);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }

    for (i = 0; i < DB_FAILURES; i++) {
        payout_asks(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_str_eq(world.flow.outcome, "not-asked");
        world_close(&world);
    }
}


Test(pay_flow_payout, the_bytes_of_a_send_are_those_of_the_stored_rows)
{
    world_t             world;
    unsigned            count;
    pay_http_request_t  first;

    payout_due(&world, "send");
    expect_http(&world);
    cr_expect_eq(world.effect.payout, &provider);
    cr_expect_null(world.effect.psp);
    cr_expect_eq(world.effect.call, PAY_CALL_PAYOUT_SEND);
    first = world.effect.http;
    expect_text(first.url, "https://bank.example/v1/payouts");
    expect_text(request_field(&first, "Idempotency-Key", &count), KEY);
    expect_text(first.body,
                "{\"key\":\"" KEY "\",\"amount\":\"30.00\",\"currency\":"
                "\"EUR\",\"destination\":{\"iban\":\"" IBAN "\",\"name\":"
                "\"Jane Mueller\",\"country\":\"DE\"},\"text\":"
                "\"PAYOUT 0199c0de acme\"}");
    world_close(&world);
}


Test(pay_flow_payout, each_call_has_its_request_and_its_metric)
{
    unsigned  i;
    world_t   world;

    static const struct {
        const char  *call;
        pay_call_t   counted;
        const char  *method;
        const char  *url;
    } cases[] = {
        { "ask", PAY_CALL_PAYOUT_ASK, "GET",
          "https://bank.example/v1/payouts/po_1" },
        { "find", PAY_CALL_PAYOUT_FIND, "GET",
          "https://bank.example/v1/payouts?key=" KEY }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        payout_due(&world, cases[i].call);
        expect_http(&world);
        cr_expect_eq(world.effect.call, cases[i].counted);
        expect_text(world.effect.http.method, cases[i].method);
        expect_text(world.effect.http.url, cases[i].url);
        world_close(&world);
    }
}


Test(pay_flow_payout, the_providers_word_about_the_payment_is_handed_on)
{
    world_t  world;

    payout_due(&world, "send");
    world_http(&world, answered(201, PAY_STR(GOOD("sent"))));
    expect_ended(&world, "done", NULL);
    expect_arg(&world, end_payout_call, reference, "po_1");
    expect_arg(&world, end_payout_call, state, "sent");
    cr_expect(asked(&world, end_payout_call)->amount_minor.is_set);
    cr_expect_eq(asked(&world, end_payout_call)->amount_minor.number, 3000);
    expect_arg(&world, end_payout_call, currency, "EUR");
    expect_arg(&world, end_payout_call, account_end, "3000");
    expect_over(&world, "called");

    payout_due(&world, "ask");
    world_http(&world, answered(200, PAY_STR(GOOD("paid"))));
    expect_ended(&world, "done", NULL);
    expect_arg(&world, end_payout_call, state, "paid");
    expect_over(&world, "called");
}


/* another amount, currency or account is another payment: whose it is nobody
 * knows, so that it must not count as this one */
Test(pay_flow_payout, an_echo_that_is_not_the_items_is_unknown)
{
    unsigned  i;
    world_t   world;

    static const char *const  bodies[] = {
        BODY_OF("sent", "30.01", "3000"), BODY_OF("paid", "30.00", "3001"),
        "{\"id\":\"po_1\",\"key\":\"" KEY "\",\"status\":\"sent\","
        "\"amount\":\"30.00\",\"currency\":\"USD\"}"
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        payout_due(&world, "send");
        world_http(&world, answered(201, pay_str_of(bodies[i])));
        expect_ended(&world, "unknown", "answer_mismatch");
        expect_arg(&world, end_payout_call, state, NULL);
        expect_over(&world, "called");
    }
}


Test(pay_flow_payout, no_trouble_on_the_way_is_a_failed_payment)
{
    unsigned  i;
    world_t   world;

    static const ending_t  endings[] = {
        { PAY_SENT_SOME, 0, "", PAY_FAILURE_TIMEOUT },
        { PAY_ANSWERED, 500, "{\"error\":{\"code\":\"oops\"}}",
          PAY_FAILURE_NONE },
        { PAY_ANSWERED, 200, "<html>", PAY_FAILURE_NONE },
        { PAY_ANSWERED, 302, "", PAY_FAILURE_NONE },
        { PAY_ANSWERED, 201, "{\"status\":\"accepted\"}", PAY_FAILURE_NONE }
    };

    for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        payout_due(&world, "send");
        world_http(&world, answer_of(&endings[i]));
        expect_text(asked(&world, end_payout_call)->outcome, "unknown");
        expect_arg(&world, end_payout_call, state, NULL);
        expect_over(&world, "called");
    }
}


Test(pay_flow_payout, a_refusal_is_one_and_a_call_that_never_left_is_none)
{
    world_t  world;

    payout_due(&world, "send");
    world_http(&world, answered(422, PAY_STR(
        "{\"error\":{\"code\":\"account_closed\"}}")));
    expect_ended(&world, "refused", "account_closed");
    expect_over(&world, "called");

    payout_due(&world, "send");
    world_no_answer(&world, PAY_SENT_NOTHING, PAY_FAILURE_CONNECT);
    expect_text(asked(&world, end_payout_call)->outcome, "not_sent");
    expect_over(&world, "called");
}


/* libcurl sends again on a fresh connection: that the second copy was refused
 * proves nothing about the first */
Test(pay_flow_payout, a_refusal_behind_an_unheard_copy_is_unknown)
{
    world_t            world;
    pay_http_answer_t  answer = answered(422, PAY_STR(
                           "{\"error\":{\"code\":\"account_closed\"}}"));

    answer.unheard = 1;
    payout_due(&world, "send");
    world_http(&world, answer);
    expect_ended(&world, "unknown", "copy_unanswered");
    expect_over(&world, "called");
}


Test(pay_flow_payout, a_look_up_finds_the_payment_or_proves_that_there_is_none)
{
    world_t            world;
    pay_http_answer_t  none = answered(200, PAY_STR("{\"payouts\":[]}"));

    payout_due(&world, "find");
    world_http(&world, answered(200, PAY_STR(
        "{\"payouts\":[" GOOD("accepted") "]}")));
    expect_ended(&world, "done", NULL);
    expect_arg(&world, end_payout_call, reference, "po_1");
    expect_arg(&world, end_payout_call, state, "sending");
    expect_over(&world, "called");

    /* a question that was sent twice is answered all the same */
    none.unheard = 1;
    payout_due(&world, "find");
    world_http(&world, none);
    expect_ended(&world, "not_sent", "not_found");
    expect_over(&world, "called");

    payout_due(&world, "find");
    world_http(&world, answered(404, PAY_STR("<html>")));
    expect_text(asked(&world, end_payout_call)->outcome, "unknown");
    expect_over(&world, "called");
}


/* near the end of its lease another worker may take the call for lost */
Test(pay_flow_payout, a_row_that_comes_late_is_not_acted_on)
{
    world_t                world;
    pay_payout_call_row_t  row;

    payout_asks(&world);
    world.now_s += 11;
    row = row_of("send");
    world_result(&world, PAY_OUTCOME_DUE, &row);
    cr_expect_eq(asked(&world, end_payout_call)->retry_s, 0);
    expect_not_made(&world, "late");
}


Test(pay_flow_payout, an_account_that_cannot_be_opened_is_paid_nothing)
{
    unsigned               i;
    world_t                world;
    pay_payout_call_row_t  row;

    static const struct {
        const char  *place;
        const char  *details;
        const char  *kid;
        const char  *kind;
        const char  *code;
    } cases[] = {
        { PLACE, DETAILS, "new", "iban", "key_missing" },
        { "payments payout account 1\nacme\nseller-2\nEUR", DETAILS, "old",
          "iban", "details_unreadable" },
        { PLACE, "[]x", "old", "iban", "details_unreadable" },
        { PLACE, "{\"iban\":7,\"name\":\"Jane\"}", "old", "iban",
          "details_unreadable" },
        { PLACE, DETAILS, "old", "bban", "kind_unknown" },
        { PLACE, "{\"name\":\"Jane\"}", "old", "iban", "request_refused" },
        { PLACE, "{\"iban\":\"DE88370400440532013000\",\"name\":\"Jane\"}",
          "old", "iban", "request_refused" },
        { PLACE, "{\"email\":\"j@example.com\",\"name\":\"Jane\"}", "old",
          "payee", "request_refused" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        payout_asks(&world);
        seal(cases[i].place, cases[i].details);
        row = row_of("send");
        row.key_id = pay_str_of(cases[i].kid);
        row.kind = pay_str_of(cases[i].kind);
        world_result(&world, PAY_OUTCOME_DUE, &row);
        cr_expect_gt(asked(&world, end_payout_call)->retry_s, 0);
        expect_not_made(&world, cases[i].code);
    }

    payout_asks(&world);
    world.env.keyring = NULL;
    row = row_of("send");
    world_result(&world, PAY_OUTCOME_DUE, &row);
    expect_not_made(&world, "no_keyring");
}


/* It came again every ten minutes, and failed never. */
Test(pay_flow_payout, an_amount_that_the_provider_cannot_write_fails)
{
    char                   place[64];
    unsigned               i;
    world_t                world;
    pay_payout_call_row_t  row;

    static const struct {
        const char  *currency;
        int64_t      minor;
        const char  *code;
    } cases[] = {
        { "MGA", 12345, "amount_unfit" }, { "HUF", 12345, "amount_unfit" },
        { "KWD", 12341, "amount_unfit" }, { "IQD", 12340, "currency_unfit" },
        { "CLF", 10000, "currency_unfit" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        payout_asks(&world);
        provider.adapter = pay_payout_find(PAY_STR("stripe"));
        snprintf(place, sizeof(place),
                 "payments payout account 1\nacme\nseller-1\n%s",
                 cases[i].currency);
        seal(place, "{\"payee\":\"acct_1\",\"name\":\"Jane\"}");
        row = row_of("send");
        row.kind = PAY_STR("payee");
        row.currency = pay_str_of(cases[i].currency);
        row.amount_minor = cases[i].minor;
        world_result(&world, PAY_OUTCOME_DUE, &row);
        expect_ended(&world, "refused", cases[i].code);
        cr_expect_eq(world.http_count, 0);
        expect_over(&world, cases[i].code);
    }
}


Test(pay_flow_payout, a_call_of_another_kind_is_not_made)
{
    world_t  world;

    payout_due(&world, "dance");
    expect_not_made(&world, "call_unknown");
}


/* its lease ends it: what was sent is looked for, never forgotten */
Test(pay_flow_payout, an_end_that_is_not_stored_is_left_to_the_lease)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < DB_FAILURES; i++) {
        payout_due(&world, "send");
        world_http(&world, answered(201, PAY_STR(GOOD("accepted"))));
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_str_eq(world.flow.outcome, "not-stored");
        world_close(&world);
    }

    payout_due(&world, "send");
    world_http(&world, answered(201, PAY_STR(GOOD("accepted"))));
    world_result(&world, PAY_OUTCOME_GONE, NULL);
    cr_expect_str_eq(world.flow.outcome, "gone");
    world_close(&world);
}


static void
play_send(world_t *world)
{
    pay_payout_call_row_t  row;

    seal(PLACE, DETAILS);
    provider = provider_of("generic");
    world->env.keyring = &ring;
    world_made(world, pay_flow_payout(&world->flow, &provider,
                                      PAY_STR(OWNER)));
    if (world->ended) {
        return;
    }

    world_start(world);
    row = row_of("send");
    world_result(world, PAY_OUTCOME_DUE, &row);
    world_http(world, answered(201, PAY_STR(GOOD("sent"))));
    world_result(world, PAY_OUTCOME_STORED, NULL);
}


Test(pay_flow_payout, a_failed_allocation_never_ends_as_another_outcome)
{
    cr_expect_gt(world_torture(play_send), 5);
}

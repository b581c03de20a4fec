/*
 * POST /webhooks/payouts/<provider>: nothing touches PostgreSQL before the
 * signature holds, each event is a commit, and nothing but a commit is answered
 * 2xx.
 */

#include "flow_driver.h"


#define KEY   "0123456789abcdef0123456789abcdef-1"
#define PAID                                                                  \
    "{\"id\":\"evt_1\",\"type\":\"payout.paid\",\"data\":{\"id\":\"po_1\","   \
    "\"key\":\"" KEY "\",\"status\":\"paid\",\"amount\":\"30.00\","           \
    "\"currency\":\"EUR\",\"account_end\":\"3000\","                          \
    "\"occurred_at\":\"2026-11-20T10:00:00Z\"}}"


typedef struct {
    pay_header_t           headers[6];
    pay_psp_conf_t         client;
    pay_secret_t           key;
    pay_payout_provider_t  provider;
    pay_webhook_input_t    in;
} delivery_t;


static void
delivery_sign(world_t *world, delivery_t *delivery, const char *body)
{
    const pay_sig_scheme_t  *scheme;

    memset(delivery, 0, sizeof(*delivery));
    delivery->provider = (pay_payout_provider_t) {
        .name = PAY_STR("bank"), .merchant_id = PAY_STR("acme"),
        .adapter = pay_payout_find(PAY_STR("generic")),
        .client = &delivery->client
    };
    scheme = pay_sig_find(pay_str_of(pay_payout_scheme(
                                         delivery->provider.adapter)));
    cr_assert_not_null(scheme);
    cr_assert_eq(scheme->key_parse(
        PAY_STR("whsec_CANARYAAECAwQFBgcICQoLDA0ODxARST"), &delivery->key,
        NULL), PAY_OK);

    delivery->client = (pay_psp_conf_t) {
        .name = PAY_STR("payout/bank"), .scheme = scheme,
        .webhook_keys = &delivery->key, .webhook_key_count = 1,
        .webhook_tolerance_s = PAY_SIG_TOLERANCE_S
    };
    delivery->in = (pay_webhook_input_t) {
        .psp = &delivery->client, .payout = &delivery->provider,
        .headers = delivery->headers, .body = pay_str_of(body)
    };

    pay_sig_message_t  message = {
        .settings = &delivery->client.settings, .key = &delivery->key,
        .id = PAY_STR("msg_7"), .now_s = NOW, .body = delivery->in.body
    };

    cr_assert_eq(scheme->sign(pay_heap_arena(world->own), &message,
                              delivery->headers, &delivery->in.header_count),
                 PAY_OK);
}


static void
deliver(world_t *world, delivery_t *delivery)
{
    world_made(world, pay_flow_webhook(&world->flow, &delivery->in));
    world_start(world);
}


static void
delivered(world_t *world, delivery_t *delivery, const char *body)
{
    world_open(world);
    delivery_sign(world, delivery, body);
    deliver(world, delivery);
}


Test(pay_flow_payout_event, an_event_is_told_before_it_is_answered)
{
    world_t             world;
    delivery_t          delivery;
    const pay_reply_t  *reply;

    delivered(&world, &delivery, PAID);
    cr_expect_null(world.effect.reply);
    expect_arg(&world, tell_payout_event, merchant_id, "acme");
    expect_arg(&world, tell_payout_event, provider, "bank");
    expect_arg(&world, tell_payout_event, event_id, "evt_1");
    expect_arg(&world, tell_payout_event, key, KEY);
    expect_arg(&world, tell_payout_event, reference, "po_1");
    expect_arg(&world, tell_payout_event, parcel, NULL);
    expect_arg(&world, tell_payout_event, state, "paid");
    expect_arg(&world, tell_payout_event, currency, "EUR");
    expect_arg(&world, tell_payout_event, account_end, "3000");
    cr_expect_eq(asked(&world, tell_payout_event)->amount_minor.number, 3000);
    cr_expect_eq(asked(&world, tell_payout_event)->occurred_us.number,
                 INT64_C(1795168800000000));
    cr_expect_not(asked(&world, tell_payout_event)->sequence.is_set);
    cr_expect_eq(asked(&world, tell_payout_event)->must_ask, 0);

    world_result(&world, PAY_OUTCOME_APPLIED, NULL);
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    expect_text(reply->body, "{\"outcome\":\"applied\"}");
    world_close(&world);
}


/* each of them is committed: sent again, it would say nothing new */
Test(pay_flow_payout_event, each_outcome_of_a_commit_is_2xx)
{
    unsigned    i;
    world_t     world;
    delivery_t  delivery;

    static const struct {
        pay_outcome_t  outcome;
        const char    *word;
    } cases[] = {
        { PAY_OUTCOME_UNCHANGED, "unchanged" },
        { PAY_OUTCOME_DUPLICATE, "duplicate" },
        { PAY_OUTCOME_BEHIND, "unchanged" },
        { PAY_OUTCOME_CONTRADICTION, "contradiction" },
        { PAY_OUTCOME_ASK, "asked" },
        { PAY_OUTCOME_WAITING, "parked" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        delivered(&world, &delivery, PAID);
        world_result(&world, cases[i].outcome, NULL);
        expect_reply(&world, PAY_REPLY_JSON, 200);
        cr_expect_str_eq(world.flow.outcome, cases[i].word);
        world_close(&world);
    }
}


/* The merchant has come from cell 1: a message about an item that is not known
 * is told there, too, before it is answered. */
Test(pay_flow_payout_event, one_about_an_older_item_is_told_where_it_is)
{
    unsigned    i;
    world_t     world;
    delivery_t  delivery;

    static const pay_outcome_t  firsts[] = {
        PAY_OUTCOME_WAITING, PAY_OUTCOME_DUPLICATE
    };

    for (i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        world_open(&world);
        world.merchants[0].from = 1;
        delivery_sign(&world, &delivery, PAID);
        deliver(&world, &delivery);
        cr_expect_eq(world.flow.cell, 0);
        world_result(&world, firsts[i], NULL);
        cr_expect_null(world.effect.reply);
        cr_expect_eq(world.flow.cell, 1);
        expect_arg(&world, tell_payout_event, event_id, "evt_1");
        expect_arg(&world, tell_payout_event, key, KEY);
        world_result(&world, PAY_OUTCOME_APPLIED, NULL);
        expect_reply(&world, PAY_REPLY_JSON, 200);
        cr_expect_str_eq(world.flow.outcome, "applied");
        world_close(&world);
    }

    world_open(&world);
    world.merchants[0].from = 1;
    delivery_sign(&world, &delivery, PAID);
    deliver(&world, &delivery);
    world_result(&world, PAY_OUTCOME_WAITING, NULL);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    expect_problem(&world, "dependency-unavailable", 503);
    world_close(&world);
}


Test(pay_flow_payout_event, nothing_but_a_commit_is_2xx)
{
    unsigned            i;
    world_t             world;
    delivery_t          delivery;
    const pay_reply_t  *reply;

    for (i = 0; i < DB_FAILURES; i++) {
        delivered(&world, &delivery, PAID);
        world_db_failed(&world, (pay_db_failure_t) i);
        reply = world.effect.reply;
        cr_assert_not_null(reply);
        cr_expect_geq(reply->status, 500);
        world_close(&world);
    }

    delivered(&world, &delivery, PAID);
    world_result(&world, PAY_OUTCOME_INVALID, NULL);
    expect_problem(&world, "webhook-payload-invalid", 422);
    world_close(&world);
}


Test(pay_flow_payout_event, a_body_that_says_nothing_of_a_payment_is_422)
{
    unsigned    i;
    world_t     world;
    delivery_t  delivery;

    static const char *const  bodies[] = {
        "{", "[]", "{\"id\":\"evt_1\"}",
        "{\"id\":\"evt_1\",\"type\":\"payout.paid\",\"data\":{\"id\":"
        "\"po_1\",\"status\":\"paid\"}}"
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        delivered(&world, &delivery, bodies[i]);
        expect_problem(&world, "webhook-payload-invalid", 422);
        cr_expect_str_eq(pay_flow_label(&world.flow), "payload");
        cr_expect_eq(world.db_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_payout_event, a_message_that_the_provider_has_not_signed_is_401)
{
    unsigned        i;
    world_t         world;
    delivery_t      delivery;
    unsigned char   other[sizeof(PAID)];

    for (i = 0; i < sizeof(PAID) - 1; i += 7) {
        world_open(&world);
        delivery_sign(&world, &delivery, PAID);
        memcpy(other, PAID, sizeof(PAID));
        other[i] ^= 1;
        delivery.in.body.data = other;
        deliver(&world, &delivery);
        expect_problem(&world, "webhook-signature-invalid", 401);
        cr_expect_eq(world.db_count, 0);
        world_close(&world);
    }

    world_open(&world);
    delivery_sign(&world, &delivery, PAID);
    world.now_s += PAY_SIG_TOLERANCE_S + 1;
    deliver(&world, &delivery);
    expect_problem(&world, "webhook-timestamp-invalid", 401);
    cr_expect_eq(world.db_count, 0);
    world_close(&world);
}


static void
play_paid(world_t *world)
{
    static delivery_t  delivery;

    delivery_sign(world, &delivery, PAID);
    world_made(world, pay_flow_webhook(&world->flow, &delivery.in));
    if (world->ended) {
        return;
    }

    world_start(world);
    world_result(world, PAY_OUTCOME_APPLIED, NULL);
}


Test(pay_flow_payout_event, a_failed_allocation_is_never_2xx)
{
    cr_expect_gt(world_torture(play_paid), 3);
}


/* A message of Tipalti's, which has to be posted back. */
static void
ask_open(world_t *world, delivery_t *delivery)
{
    world_open(world);
    delivery_sign(world, delivery, "key=0404&type=completed&ref_code=" KEY);
    delivery->provider.adapter = pay_payout_find(PAY_STR("tipalti"));
    delivery->client.scheme = pay_sig_find(PAY_STR("tipalti"));
    delivery->client.settings.confirm_url
        = PAY_STR("https://console.example/ipn");
    delivery->headers[0] = (pay_header_t) {
        pay_string("Content-Type"),
        pay_string("application/x-www-form-urlencoded")
    };
    delivery->in.header_count = 1;
    deliver(world, delivery);
    expect_http(world);
    cr_expect_eq(world->effect.call, PAY_CALL_CONFIRM);
    cr_expect(pay_str_is(world->effect.http.url,
                         "https://console.example/ipn"));
    cr_expect(pay_str_eq(world->effect.http.body, delivery->in.body));
    cr_expect_eq(world->effect.http.field_count, 1, "no key leaves");
    cr_expect_eq(world->effect.payout, &delivery->provider);
    cr_expect_eq(world->db_count, 0);
}


Test(pay_flow_payout_event, a_message_counts_when_its_sender_confirms_it)
{
    world_t     world;
    delivery_t  delivery;

    ask_open(&world, &delivery);
    world_http(&world, answered(200, PAY_STR("VERIFIED")));
    expect_db(&world, PAY_OP_TELL_PAYOUT_EVENT);
    expect_arg(&world, tell_payout_event, key, KEY);
    expect_arg(&world, tell_payout_event, event_id, "0404:" KEY);
    world_result(&world, PAY_OUTCOME_ASK, NULL);
    cr_expect(pay_str_is(expect_reply(&world, PAY_REPLY_JSON, 200)->body,
                         "{\"outcome\":\"asked\"}"));
    world_close(&world);

    ask_open(&world, &delivery);
    world_http(&world, answered(200, PAY_STR("INVALID")));
    expect_problem(&world, "webhook-signature-invalid", 401);
    cr_expect_eq(world.db_count, 0);
    world_close(&world);
}


/* It has to come again: 200 would lose it, 401 would end its repetition. */
Test(pay_flow_payout_event, without_a_word_of_its_sender_a_message_is_503)
{
    size_t              i;
    world_t             world;
    delivery_t          delivery;
    pay_http_answer_t   answer;

    static const struct {
        pay_sent_t   sent;
        unsigned     status;
        const char  *body;
    } rows[] = {
        { PAY_SENT_NOTHING, 0, "" }, { PAY_SENT_SOME, 0, "" },
        { PAY_ANSWERED, 500, "VERIFIED" }, { PAY_ANSWERED, 302, "VERIFIED" },
        { PAY_ANSWERED, 200, "" }, { PAY_ANSWERED, 200, "<html>" },
        { PAY_ANSWERED, 200, "INVALID INVALID INVALID INVALID INVALID INVALID "
          "INVALID INVALID INVALID INVALID" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask_open(&world, &delivery);
        answer = answered(rows[i].status, pay_str_of(rows[i].body));
        answer.sent = rows[i].sent;
        world_http(&world, answer);
        expect_problem(&world, "dependency-unavailable", 503);
        cr_expect_eq(world.db_count, 0, "%zu", i);
        world_close(&world);
    }
}


static pay_sig_verdict_t
a_test(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    (void) arena;
    (void) input;

    memset(result, 0, sizeof(*result));
    result->is_test = 1;

    return result->verdict;
}


Test(pay_flow_payout_event, a_test_notification_changes_nothing)
{
    world_t           world;
    delivery_t        delivery;
    pay_sig_scheme_t  scheme;

    world_open(&world);
    delivery_sign(&world, &delivery, PAID);
    scheme = *delivery.client.scheme;
    scheme.verify = a_test;
    delivery.client.scheme = &scheme;
    deliver(&world, &delivery);
    cr_expect(pay_str_is(expect_reply(&world, PAY_REPLY_JSON, 200)->body,
                         "{\"outcome\":\"ignored\"}"));
    cr_expect_eq(world.db_count, 0);
    world_close(&world);
}

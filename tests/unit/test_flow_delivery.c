/*
 * An attempt to deliver a message: what goes out is signed for its endpoint,
 * and each answer has its outcome.
 */

#include "flow_driver.h"

#include "pay_endpoint.h"
#include "pay_trace.h"


#define RING     "old AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define ENTROPY  "nonce-nonce-0123456789abcdef0123456789abcdef"
#define MESSAGE   "{\"id\":\"evt_1\",\"type\":\"payment.succeeded\"}"
#define SHOP_URL  "https://shop.example.com/hooks"


static unsigned char   seals[2][PAY_ENDPOINT_ENTROPY + PAY_KEYRING_TAG];
static pay_keyring_t   ring;


/* Of the endpoint e-1 of acme; the second is that of another one. */
static pay_str_t
sealed(unsigned which)
{
    pay_str_t    bytes;
    pay_heap_t  *heap = pay_heap_create();

    cr_assert_eq(pay_keyring_read(PAY_STR(RING), &ring, NULL), PAY_OK);
    cr_assert_eq(pay_endpoint_seal(pay_heap_arena(heap), &ring,
                                   PAY_STR("acme"),
                                   which == 0 ? PAY_STR("e-1")
                                              : PAY_STR("e-2"),
                                   (const unsigned char *) ENTROPY, &bytes),
                 PAY_OK);
    cr_assert_eq(bytes.len, sizeof(seals[which]));
    memcpy(seals[which], bytes.data, bytes.len);
    pay_heap_destroy(heap);

    return (pay_str_t) { sizeof(seals[which]), seals[which] };
}


static pay_delivery_row_t
row_of(void)
{
    return (pay_delivery_row_t) {
        .merchant_id = PAY_STR("acme"), .endpoint_id = PAY_STR("e-1"),
        .position = 7, .number = 2, .url = PAY_STR(SHOP_URL),
        .scheme = PAY_STR("v1"), .message_id = PAY_STR("evt_1"),
        .body = PAY_STR(MESSAGE), .number1 = 1, .sealed1 = sealed(0),
        .key_id1 = PAY_STR("old")
    };
}


static void
delivery_of(world_t *world, const pay_delivery_row_t *row)
{
    world_open(world);
    world->env.keyring = &ring;
    world_made(world, pay_flow_delivery(&world->flow, row));
    world_start(world);
}


static void
delivery_sent(world_t *world)
{
    pay_delivery_row_t  row = row_of();

    delivery_of(world, &row);
    expect_http(world);
}


static void
expect_ended(world_t *world, const char *outcome, const char *failure)
{
    expect_arg(world, end_delivery, merchant_id, "acme");
    expect_arg(world, end_delivery, endpoint_id, "e-1");
    cr_expect_eq(asked(world, end_delivery)->position, 7);
    cr_expect_eq(asked(world, end_delivery)->number, 2);
    expect_arg(world, end_delivery, outcome, outcome);
    expect_arg(world, end_delivery, failure, failure);
}


static void
expect_over(world_t *world, const char *outcome)
{
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_str_eq(world->flow.outcome, outcome);
    world_close(world);
}


static pay_http_answer_t
said_back(unsigned status, const char *body)
{
    pay_http_answer_t  answer = answer_blank(PAY_ANSWERED);

    answer.reach = PAY_REACH_COMPLETE;
    answer.status = status;
    answer.body = pay_str_of(body);
    answer.took_ms = 12;

    return answer;
}


Test(pay_flow_delivery, the_body_goes_out_as_it_was_published_and_signed)
{
    world_t                 world;
    unsigned                count;
    pay_str_t               timestamp, signature;
    pay_heap_t             *heap = pay_heap_create();
    pay_secret_t            secret;
    pay_endpoint_message_t  message;

    delivery_sent(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_DELIVERY);
    cr_expect_null(world.effect.psp);
    expect_text(world.effect.http.method, "POST");
    expect_text(world.effect.http.url, SHOP_URL);
    expect_text(world.effect.http.body, MESSAGE);
    expect_text(request_field(&world.effect.http, "Content-Type", &count),
                "application/json");
    expect_text(request_field(&world.effect.http, "webhook-id", &count),
                "evt_1");

    message = (pay_endpoint_message_t) { PAY_STR("evt_1"), NOW,
                                         PAY_STR(MESSAGE) };
    cr_assert_eq(pay_secret_set(&secret,
                                pay_str_of(ENTROPY + PAY_KEYRING_NONCE)),
                 PAY_OK);
    cr_assert_eq(pay_endpoint_sign(pay_heap_arena(heap), PAY_ENDPOINT_V1,
                                   &secret, 1, &message, &timestamp,
                                   &signature), PAY_OK);
    cr_expect(pay_str_eq(request_field(&world.effect.http,
                                       "webhook-timestamp", &count),
                         timestamp));
    cr_expect(pay_str_eq(request_field(&world.effect.http,
                                       "webhook-signature", &count),
                         signature));
    pay_heap_destroy(heap);
    world_close(&world);
}


Test(pay_flow_delivery, each_secret_signs_during_a_rotation)
{
    world_t             world;
    unsigned            count;
    pay_str_t           value;
    pay_delivery_row_t  row = row_of();

    row.number2 = pay_some(2);
    row.sealed2 = sealed(0);
    row.key_id2 = PAY_STR("old");
    delivery_of(&world, &row);
    value = request_field(&world.effect.http, "webhook-signature", &count);
    cr_assert_eq(value.len, 2 * 47 + 1);
    cr_expect(memcmp(value.data + 48, "v1,", 3) == 0);
    world_close(&world);
}


Test(pay_flow_delivery, any_2xx_is_a_delivery)
{
    unsigned           i;
    world_t            world;
    pay_http_answer_t  answer;

    static const unsigned  good[] = { 200, 201, 202, 204, 299 };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        delivery_sent(&world);
        answer = said_back(good[i], "secret of the shop");
        world_http(&world, answer);
        expect_ended(&world, "delivered", "");
        expect_arg(&world, end_delivery, answer, "");
        cr_expect_eq(asked(&world, end_delivery)->status.number, good[i]);
        cr_expect_eq(asked(&world, end_delivery)->took_ms, 12);
        expect_over(&world, "delivered");
    }
}


Test(pay_flow_delivery, a_redirect_and_an_error_are_failures)
{
    unsigned           i;
    world_t            world;
    pay_http_answer_t  answer;

    static const unsigned  bad[] = { 301, 302, 307, 308, 400, 404, 500, 503 };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        delivery_sent(&world);
        answer = said_back(bad[i], "no");
        world_http(&world, answer);
        expect_ended(&world, "failed", "status");
        expect_arg(&world, end_delivery, answer, "no");
        expect_over(&world, "failed");
    }
}


Test(pay_flow_delivery, an_endpoint_that_says_410_is_gone)
{
    world_t            world;
    pay_http_answer_t  answer = said_back(410, "");

    delivery_sent(&world);
    world_http(&world, answer);
    expect_ended(&world, "gone", "status");
    expect_over(&world, "gone");
}


Test(pay_flow_delivery, an_answer_that_does_not_end_is_none)
{
    world_t            world;
    pay_http_answer_t  answer = answer_blank(PAY_SENT_SOME);

    answer.reach = PAY_REACH_STATUS;
    answer.status = 200;
    answer.failure = PAY_FAILURE_TIMEOUT;
    delivery_sent(&world);
    world_http(&world, answer);
    expect_ended(&world, "failed", "timeout");
    cr_expect_eq(asked(&world, end_delivery)->status.number, 200);
    expect_over(&world, "failed");

    answer = answer_blank(PAY_SENT_NOTHING);
    answer.failure = PAY_FAILURE_PRIVATE_ADDRESS;
    delivery_sent(&world);
    world_http(&world, answer);
    expect_ended(&world, "failed", "private-address");
    cr_expect(!asked(&world, end_delivery)->status.is_set);
    expect_over(&world, "failed");
}


Test(pay_flow_delivery, retry_after_is_kept_within_a_day)
{
    unsigned           i;
    world_t            world;
    pay_http_answer_t  answer;

    static const int64_t  said[][2] = {
        { -1, 0 }, { 0, 0 }, { 120, 120 }, { 86400, 86400 }, { 999999, 86400 }
    };

    for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        delivery_sent(&world);
        answer = said_back(503, "");
        answer.retry_after_s = said[i][0];
        world_http(&world, answer);
        cr_expect_eq(asked(&world, end_delivery)->retry_s, said[i][1]);
        expect_over(&world, "failed");
    }
}


Test(pay_flow_delivery, an_answer_is_kept_short_and_printable)
{
    char               text[3000];
    world_t            world;
    pay_http_answer_t  answer;

    delivery_sent(&world);
    answer = said_back(500, "a\xc3\xa9\n<b>\x01");
    world_http(&world, answer);
    expect_arg(&world, end_delivery, answer, "a...<b>.");
    expect_over(&world, "failed");

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    delivery_sent(&world);
    answer = said_back(500, text);
    world_http(&world, answer);
    cr_expect_eq(asked(&world, end_delivery)->answer.len, 1024);
    expect_over(&world, "failed");

    delivery_sent(&world);
    answer = said_back(500, "card 4242 4242 4242 4242");
    world_http(&world, answer);
    expect_arg(&world, end_delivery, answer, "");
    expect_over(&world, "failed");
}


Test(pay_flow_delivery, nothing_goes_out_that_cannot_be_signed)
{
    world_t             world;
    pay_delivery_row_t  row = row_of();

    row.key_id1 = PAY_STR("lost");
    delivery_of(&world, &row);
    expect_ended(&world, "failed", "key_missing");
    cr_expect_eq(world.http_count, 0);
    expect_over(&world, "key_missing");

    row = row_of();
    row.sealed1 = sealed(1);
    delivery_of(&world, &row);
    expect_ended(&world, "failed", "secret_unreadable");
    cr_expect_eq(world.http_count, 0);
    expect_over(&world, "secret_unreadable");
}


Test(pay_flow_delivery, the_url_is_judged_again)
{
    world_t             world;
    pay_delivery_row_t  row = row_of();

    row.url = PAY_STR("http://127.0.0.1:3000/");
    delivery_of(&world, &row);
    expect_ended(&world, "failed", "url");
    cr_expect_eq(world.http_count, 0);
    expect_over(&world, "url");
}


Test(pay_flow_delivery, an_end_that_is_not_stored_is_told)
{
    unsigned           i;
    world_t            world;
    pay_http_answer_t  answer = said_back(200, "");

    for (i = 0; i < DB_FAILURES; i++) {
        delivery_sent(&world);
        world_http(&world, answer);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_str_eq(world.flow.outcome, "not-stored");
        world_close(&world);
    }

    delivery_sent(&world);
    world_http(&world, answer);
    world_result(&world, PAY_OUTCOME_GONE, NULL);
    cr_expect_str_eq(world.flow.outcome, "too-late");
    world_close(&world);
}


static void
play(world_t *world)
{
    pay_delivery_row_t  row = row_of();

    world->env.keyring = &ring;
    world_made(world, pay_flow_delivery(&world->flow, &row));

    if (world->ended) {
        return;
    }

    world_start(world);
    world_http(world, said_back(500, "no"));
    world_result(world, PAY_OUTCOME_STORED, NULL);
}


Test(pay_flow_delivery, a_failed_allocation_never_ends_as_another_outcome)
{
    cr_expect_gt(world_torture(play), 5);
}


#define TRACE  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


/* another attempt is another call in the same trace */
Test(pay_flow_delivery, the_trace_of_the_payment_goes_out_with_it)
{
    world_t             world;
    unsigned            i, count;
    pay_str_t           value;
    unsigned char       sent[2][PAY_TRACE_TEXT];
    pay_delivery_row_t  row = row_of();

    row.trace = PAY_STR(TRACE);

    for (i = 0; i < 2; i++) {
        row.number = 2 + i;
        delivery_of(&world, &row);
        expect_http(&world);
        value = request_field(&world.effect.http, "traceparent", &count);
        cr_assert_eq(count, 1);
        cr_assert_eq(pay_trace_parse(value, sent[i]), PAY_OK);
        cr_expect_eq(memcmp(sent[i], TRACE, 36), 0);
        cr_expect_neq(memcmp(&sent[i][36], &TRACE[36], 16), 0);
        world_close(&world);
    }

    cr_expect_neq(memcmp(sent[0], sent[1], PAY_TRACE_TEXT), 0);
}


Test(pay_flow_delivery, a_payment_without_a_trace_sends_none)
{
    world_t   world;
    unsigned  count;

    delivery_sent(&world);
    (void) request_field(&world.effect.http, "traceparent", &count);
    cr_expect_eq(count, 0);
    world_close(&world);
}

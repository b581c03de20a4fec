/*
 * POST /v1/payments with the world played against it
 * (docs/architecture.md#the-nine-steps; docs/reliability.md, M1-M5).
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define ORDER_URL  BASE "/v1/checkouts/c-1"

#define REJECTED                                                              \
    "[" STORED("order-1", "3000", "FAILED", "\"rejected\"") "]"

/* Up to the PSP call, with the row that SQL is supposed to give. */
static void
create_begun(world_t *world, unsigned psp, const char *body)
{
    pay_checkout_row_t  view = view_of(world->psps[psp].adapter);

    create_open(world, psp, body);
    world_row(world, PAY_OUTCOME_CREATED, &view);
}


Test(pay_flow_create, one_order_proposes_its_id_as_nonce)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, begin_payment, nonce, "order-1");
    world_close(&world);
}


Test(pay_flow_create, who_asks_goes_with_it)
{
    world_t  world;

    world_open(&world);
    world.create.asked_by = PAY_STR("{\"kid\":\"k\",\"sub\":\"s\"}");
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, begin_payment, terms,
               "{\"capture\":\"automatic\",\"asked_by\":"
               "{\"kid\":\"k\",\"sub\":\"s\"}}");
    world_close(&world);
}


Test(pay_flow_create, several_orders_propose_the_checkouts_uuid)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC,
                BODY(ONE_ORDER "," ORDER("order-2", "1.00", "USD")));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, begin_payment, nonce, REFERENCE);
    cr_expect_eq(asked(&world, begin_payment)->total_minor, 3100);
    world_close(&world);
}


Test(pay_flow_create, begin_gets_every_argument_in_its_place)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_STRIPE, BODY(ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);

    expect_arg(&world, begin_payment, merchant_id, "acme");
    expect_arg(&world, begin_payment, idempotency_key, "key-0123456789abcdef");
    expect_arg(&world, begin_payment, checkout_id, "c-1");
    expect_arg(&world, begin_payment, checkout_uuid, REFERENCE);
    expect_arg(&world, begin_payment, handle, HANDLE);
    expect_arg(&world, begin_payment, psp, "stripe");
    expect_arg(&world, begin_payment, nonce, "order-1");
    expect_arg(&world, begin_payment, return_url, RETURN_URL);
    expect_arg(&world, begin_payment, base_url, BASE);
    expect_arg(&world, begin_payment, buyer_info,
               "{\"email\":\"b@example.com\"}");
    cr_expect(pay_str_eq(asked(&world, begin_payment)->fingerprint,
                         world.create.fingerprint));
    expect_arg(&world, begin_payment, metadata, NULL);
    expect_arg(&world, begin_payment, credit_card_info, NULL);
    expect_arg(&world, begin_payment, currency, "USD");
    cr_expect_eq(asked(&world, begin_payment)->total_minor, 3000);
    cr_expect_eq(asked(&world, begin_payment)->expires_s, NOW + 3600);
    cr_expect_eq(asked(&world, begin_payment)->orders_count, 1);
    expect_text(asked(&world, begin_payment)->orders->id, "order-1");
    cr_expect_eq(asked(&world, begin_payment)->orders->amount_minor, 3000);
    cr_expect_eq(asked(&world, begin_payment)->ttl_s, 86400);
    cr_expect_eq(asked(&world, begin_payment)->lease_ms, 15000);
    expect_arg(&world, begin_payment, request_id, REQUEST_ID);
    expect_arg(&world, begin_payment, psps, "stripe");
    expect_arg(&world, begin_payment, route, "named by the request");
    world_close(&world);
}


static void
expect_unstored(unsigned psp, const char *body, const char *slug,
    const char *pointer)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    create_open(&world, psp, body);
    expect_db(&world, PAY_OP_EXPLAIN_BEGIN);
    world_row(&world, PAY_OUTCOME_UNKNOWN, NULL);
    reply = expect_problem(&world, slug, 422);
    cr_expect(pay_str_is(reply->pointer, pointer), "%.*s",
              pay_fmt(reply->pointer));
    cr_expect_eq(world.db_count, 1, "%s", body);
    cr_expect_eq(world.http_count, 0, "%s", body);
    world_close(&world);
}


Test(pay_flow_create, what_the_psp_cannot_take_is_422_and_not_stored)
{
    expect_unstored(WORLD_STRIPE, BODY(ORDER("o", "1.234", "KWD")),
                    "amount-invalid", "");
    expect_unstored(WORLD_STRIPE, BODY(ORDER("o", "1.234", "IQD")),
                    "currency-unsupported", "");
    expect_unstored(WORLD_STRIPE, BODY(ORDER("o", "1.234", "LYD")),
                    "currency-unsupported", "");
    expect_unstored(WORLD_STRIPE, BODY_WITH("\"expires_in\":1799,", ONE_ORDER),
                    "validation-error", "/expires_in");
}


/* The glue's refusals: a host of return_url, or a PSP, that is not configured
 * any more. */
static void
create_refused(world_t *world, pay_err_t *why)
{
    world_open(world);
    (void) pay_refuse_at(why, "validation-error", "not any more", "/psp");
    create_fill(world, WORLD_GENERIC, BODY(ONE_ORDER));
    cr_assert_eq(pay_errors_add(&world->request.errors,
                                pay_heap_arena(world->own), why), PAY_OK);
    world->create.psp = NULL;
    world->create.refused = why;
    world_made(world, pay_flow_create(&world->flow, &world->create));
    world_start(world);
    expect_db(world, PAY_OP_EXPLAIN_BEGIN);
    expect_arg(world, explain_begin, idempotency_key, "key-0123456789abcdef");
}


Test(pay_flow_create, what_is_refused_by_now_is_still_replayed)
{
    world_t             world;
    pay_err_t           why;
    pay_checkout_row_t  view = view_registered(generic());

    create_refused(&world, &why);
    world_row(&world, PAY_OUTCOME_REPLAYED, &view);
    cr_expect(expect_reply(&world, PAY_REPLY_JSON, 201)->replayed);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    world_open(&world);
    create_open(&world, WORLD_STRIPE, BODY(ORDER("o", "1.234", "KWD")));
    world_row(&world, PAY_OUTCOME_KEY_REUSED, NULL);
    expect_problem(&world, "idempotency-key-reused", 422);
    world_close(&world);
}


Test(pay_flow_create, what_is_refused_by_now_names_all_its_errors)
{
    world_t             world;
    pay_err_t           why;
    const pay_reply_t  *reply;

    create_refused(&world, &why);
    world_row(&world, PAY_OUTCOME_UNKNOWN, NULL);
    reply = expect_problem(&world, "validation-error", 422);
    expect_text(reply->pointer, "/psp");
    cr_assert_not_null(reply->errors);
    cr_expect_eq(reply->errors->count, 1);
    world_close(&world);

    create_refused(&world, &why);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    expect_problem(&world, "dependency-unavailable", 503);
    world_close(&world);
}


Test(pay_flow_create, the_other_psp_takes_what_this_one_refuses)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ORDER("o", "1.234", "KWD")));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_eq(asked(&world, begin_payment)->total_minor, 1234);
    world_close(&world);

    world_open(&world);
    create_open(&world, WORLD_GENERIC,
                BODY_WITH("\"expires_in\":60,", ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    cr_expect_eq(asked(&world, begin_payment)->expires_s, NOW + 60);
    world_close(&world);
}


/* M1: nothing was committed that we know of, so no PSP hears of it. */
Test(pay_flow_create, failed_begin_calls_no_psp)
{
    unsigned            i;
    world_t             world;
    const pay_reply_t  *reply;

    for (i = 0; i < DB_FAILURES; i++) {
        world_open(&world);
        create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
        world_db_failed(&world, (pay_db_failure_t) i);
        reply = expect_reply(&world, PAY_REPLY_PROBLEM,
                             i == PAY_DB_ERROR ? 500 : 503);
        cr_expect(i == PAY_DB_ERROR || reply->retry_after_s > 0);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_create, reused_key_is_422_and_calls_no_psp)
{
    world_t  world;

    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(&world, PAY_OUTCOME_KEY_REUSED, NULL);
    expect_problem(&world, "idempotency-key-reused", 422);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


Test(pay_flow_create, twin_in_progress_is_told_with_the_configured_status)
{
    size_t              i;
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;
    const pay_reply_t  *reply;

    static const unsigned  statuses[] = { 429, 409 };

    for (i = 0; i < COUNT(statuses); i++) {
        world_open(&world);
        create_fill(&world, WORLD_GENERIC, BODY(ONE_ORDER));
        world.create.in_progress_status = statuses[i];
        world_made(&world, pay_flow_create(&world.flow, &world.create));
        world_start(&world);
        world_row(&world, PAY_OUTCOME_IN_PROGRESS, &view);
        reply = expect_problem(&world, "idempotency-in-progress",
                               statuses[i]);
        cr_expect_eq(reply->retry_after_s, 1);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_create, existing_checkout_is_409_with_its_url)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;
    const pay_reply_t  *reply;

    view.checkout_id = PAY_STR("c-older");
    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(&world, PAY_OUTCOME_EXISTS, &view);
    reply = expect_problem(&world, "order-exists", 409);
    cr_expect(pay_str_is(reply->order_url, BASE "/v1/checkouts/c-older"));
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


Test(pay_flow_create, arguments_that_sql_refuses_are_a_bug_of_ours)
{
    unsigned            i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    for (i = 0; i < 2; i++) {
        world_open(&world);
        create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
        world_row(&world, PAY_OUTCOME_INVALID, i == 1 ? &view : NULL);
        expect_problem(&world, "internal-error", 500);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


/* I1: what SQL stored is what is sent, whatever was proposed. */
Test(pay_flow_create, request_is_made_of_the_stored_row)
{
    unsigned            psp;
    pay_checkout_row_t  view;
    world_t             world;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        world_open(&world);
        view = view_of(world.psps[psp].adapter);
        view.nonce = PAY_STR("another-nonce");
        view.checkout_uuid = PAY_STR("0199c0de-0000-7000-8000-0000000000aa");
        view.handle = PAY_STR("BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB2");
        view.expires_s = EXPIRES + 1;
        create_open(&world, psp, BODY(ONE_ORDER));
        world_row(&world, PAY_OUTCOME_CREATED, &view);
        expect_http(&world);
        cr_expect_eq(world.effect.psp, &world.psps[psp]);
        cr_expect_eq(world.effect.buyer_waits, 0);
        cr_expect(pay_str_is(field_of(&world.effect.http, "Idempotency-Key"),
                             "another-nonce"));
        cr_expect(contains(world.effect.http.body,
                           "0199c0de-0000-7000-8000-0000000000aa"));
        cr_expect(contains(world.effect.http.body,
                           "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB2"));
        cr_expect(contains(world.effect.http.body, "1795240201"));
        cr_expect_not(contains(world.effect.http.body, REFERENCE));
        cr_expect_not(contains(world.effect.http.body, HANDLE));
        world_close(&world);
    }
}


Test(pay_flow_create, token_is_stored_before_anyone_sees_the_way)
{
    unsigned            psp;
    pay_checkout_row_t  view;
    world_t             world;
    const pay_reply_t  *reply;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        world_open(&world);
        create_begun(&world, psp, BODY(ONE_ORDER));
        world_answer(&world, world.psps[psp].adapter, 200,
                     "register-answer.json");
        expect_db(&world, PAY_OP_STORE_TOKEN);
        expect_arg(&world, store_token, merchant_id, "acme");
        expect_arg(&world, store_token, checkout_id, "c-1");
        expect_arg(&world, store_token, psp, world.psps[psp].adapter->name);
        expect_arg(&world, store_token, token,
                   token_text(world.psps[psp].adapter));
        expect_arg(&world, store_token, alias,
                   world.psps[psp].adapter == stripe() ? REFERENCE : NULL);
        cr_expect(contains(asked(&world, store_token)->hosted_url, "https://"));
        cr_expect_eq(asked(&world, store_token)->poll_after_ms, 5000);
        expect_arg(&world, store_token, request_id, REQUEST_ID);

        view = view_registered(world.psps[psp].adapter);
        world_row(&world, PAY_OUTCOME_STORED, &view);
        reply = expect_reply(&world, PAY_REPLY_JSON, 201);
        cr_expect(contains(reply->body, "\"redirect_url\":\"" BASE
                           "/checkout/" HANDLE "\""));
        cr_expect(pay_str_is(reply->location, ORDER_URL));
        cr_expect(reply->replayed == 0 && reply->retry_after_s == -1);
        cr_expect_str_eq(world.flow.outcome, "created");
        cr_expect_eq(world.http_count, 1);
        world_close(&world);
    }
}


/* What had no effect is offered to the next PSP; there is none. */
static void
world_stays(world_t *world, const char *word)
{
    if (strcmp(word, "unknown") == 0) {
        return;
    }

    expect_db(world, PAY_OP_REROUTE);
    expect_arg(world, reroute, merchant_id, "acme");
    expect_arg(world, reroute, checkout_id, "c-1");
    expect_arg(world, reroute, outcome, word);
    cr_expect_eq(asked(world, reroute)->lease_ms, 15000);
    expect_arg(world, reroute, request_id, REQUEST_ID);
    world_row(world, PAY_OUTCOME_STAYS, NULL);
}


static void
expect_kept(const ending_t *ending, const char *word)
{
    unsigned            psp;
    pay_checkout_row_t  view;
    world_t             world;
    const pay_reply_t  *reply;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        world_open(&world);
        create_begun(&world, psp, BODY(ONE_ORDER));
        world_http(&world, answer_of(ending));
        world_stays(&world, word);
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, checkout_id, "c-1");
        expect_arg(&world, store_no_token, psp, world.psps[psp].adapter->name);
        expect_arg(&world, store_no_token, outcome, word);
        cr_expect_not((asked(&world, store_no_token)->code.len == 0));
        cr_expect(asked(&world, store_no_token)->retry_after_ms >= 1000
                  && asked(&world, store_no_token)->retry_after_ms < 1250);
        expect_arg(&world, store_no_token, request_id, REQUEST_ID);

        view = view_of(world.psps[psp].adapter);
        view.attempt = 1;
        world_row(&world, PAY_OUTCOME_STORED, &view);
        reply = expect_reply(&world, PAY_REPLY_JSON, 202);
        cr_expect(contains(reply->body, "\"status\":\"NOT_STARTED\""));
        cr_expect(contains(reply->body, "\"redirect_url\":null"));
        cr_expect_not(contains(reply->body, "FAILED"));
        cr_expect(pay_str_is(reply->location, ORDER_URL));
        cr_expect_gt(reply->retry_after_s, 0);
        cr_expect_eq(world.http_count, 1);
        world_close(&world);
    }
}


/* M3: the registration may exist; the row of docs/reliability.md's matrix that
 * turned "timeout" into "failed payment" is the classic bug. */
Test(pay_flow_create, unknown_outcome_is_202_and_never_failed)
{
    size_t  i;

    static const ending_t  endings[] = {
        { PAY_SENT_SOME, 0, "", PAY_FAILURE_TIMEOUT },
        { PAY_SENT_SOME, 0, "", PAY_FAILURE_BROKEN },
        { PAY_SENT_SOME, 0, "", PAY_FAILURE_TOO_LARGE },
        { PAY_SENT_SOME, 0, "", 0 }, { PAY_ANSWERED, 500, "", 0 },
        { PAY_ANSWERED, 502, "<html>", 0 },
        { PAY_ANSWERED, 503, "{\"error\":{}}", 0 },
        { PAY_ANSWERED, 504, "", 0 }, { PAY_ANSWERED, 409, "{}", 0 },
        { PAY_ANSWERED, 302, "", 0 }, { PAY_ANSWERED, 204, "", 0 },
        { PAY_ANSWERED, 404, "not found", 0 }, { PAY_ANSWERED, 400, "{}", 0 },
        { PAY_ANSWERED, 200, "", 0 }, { PAY_ANSWERED, 200, "{}", 0 },
        { PAY_ANSWERED, 200, "[]", 0 }, { PAY_ANSWERED, 200, "{", 0 },
        { PAY_ANSWERED, 200, "{\"error\":{\"code\":\"x\"}}", 0 },
        { PAY_ANSWERED, 200, "{\"id\":\"cs_1\",\"url\":null}", 0 },
        { PAY_ANSWERED, 0, "", 0 }
    };

    for (i = 0; i < COUNT(endings); i++) {
        expect_kept(&endings[i], "unknown");
    }
}


Test(pay_flow_create, what_had_no_effect_is_kept_for_another_attempt)
{
    size_t  i;

    static const ending_t  endings[] = {
        { PAY_SENT_NOTHING, 0, "", PAY_FAILURE_CONNECT },
        { PAY_SENT_NOTHING, 0, "", PAY_FAILURE_TLS },
        { PAY_SENT_NOTHING, 0, "", PAY_FAILURE_MEMORY },
        { PAY_ANSWERED, 401, "", 0 },
        { PAY_ANSWERED, 403, "{\"error\":{\"code\":\"key\"}}", 0 },
        { PAY_ANSWERED, 429, "", 0 }
    };

    for (i = 0; i < COUNT(endings); i++) {
        expect_kept(&endings[i], "not_sent");
    }
}


Test(pay_flow_create, an_echo_of_another_order_is_unknown)
{
    size_t              i;
    pay_str_t           text;
    world_t             world;

    static const char *const  rows[][2] = {
        { "30.00", "3.00" }, { "USD", "EUR" }, { "order-1", "order-2" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        create_begun(&world, WORLD_GENERIC, BODY(ONE_ORDER));
        text = fixture(pay_heap_arena(world.own), generic(),
                       "register-answer.json");
        world_http(&world, answered(201, replaced(pay_heap_arena(world.own),
                                                  text, rows[i][0],
                                                  rows[i][1])));
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, outcome, "unknown");
        expect_arg(&world, store_no_token, code, "answer_mismatch");
        world_close(&world);
    }
}


Test(pay_flow_create, psp_that_says_when_is_waited_for)
{
    world_t             world;
    pay_http_answer_t   answer = answered(429, PAY_STR(""));

    world_open(&world);
    create_begun(&world, WORLD_STRIPE, BODY(ONE_ORDER));
    answer.retry_after_s = 120;
    world_http(&world, answer);
    world_stays(&world, "not_sent");
    expect_arg(&world, store_no_token, outcome, "not_sent");
    cr_expect(asked(&world, store_no_token)->retry_after_ms >= 120000
              && asked(&world, store_no_token)->retry_after_ms < 150000);
    world_close(&world);
}


Test(pay_flow_create, refusal_of_the_psp_is_502_with_the_checkouts_url)
{
    unsigned            psp;
    pay_checkout_row_t  view;
    world_t             world;
    const pay_reply_t  *reply;

    static const char *const  files[] = {
        [WORLD_STRIPE] = "error-invalid-request.json",
        [WORLD_GENERIC] = "error-refused.json"
    };

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        world_open(&world);
        create_begun(&world, psp, BODY(ONE_ORDER));
        world_answer(&world, world.psps[psp].adapter, 400, files[psp]);
        world_stays(&world, "refused");
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, outcome, "refused");

        view = view_of(world.psps[psp].adapter);
        view.registration_state = PAY_STR("REFUSED");
        set_orders(&view, REJECTED);
        world_row(&world, PAY_OUTCOME_STORED, &view);
        reply = expect_problem(&world, "psp-refused", 502);
        cr_expect(pay_str_is(reply->order_url, ORDER_URL));
        cr_expect_eq(reply->replayed, 0);
        world_close(&world);
    }
}


/* The hosts of the PSP block are the only ones a buyer is ever sent to. */
Test(pay_flow_create, hosted_page_on_a_foreign_host_is_never_kept)
{
    size_t              i;
    pay_checkout_row_t  view;
    world_t             world;
    pay_str_t           text;

    static const char *const  urls[] = {
        "https://evil.example/p/", "http://pay.psp.example/p/",
        "https://pay.psp.example.evil.example/p/",
        "https://pay.psp.example@evil.example/p/",
        "https://evil.example/pay.psp.example/",
        "https://pay.psp.example:8443/p/", "https://pay.psp.example\\\\@x/",
        "javascript:alert(1)//", "//pay.psp.example/p/", "/p/", "data:,",
        "https://xpay.psp.example/", "https://pay.psp.example%2eevil.example/"
    };

    for (i = 0; i < COUNT(urls); i++) {
        world_open(&world);
        create_begun(&world, WORLD_GENERIC, BODY(ONE_ORDER));
        text = fixture(pay_heap_arena(world.own), generic(),
                       "register-answer.json");
        text = replaced(pay_heap_arena(world.own), text,
                        "https://pay.psp.example/p/", urls[i]);
        world_http(&world, answered(201, text));
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, outcome, "refused");
        expect_arg(&world, store_no_token, code,
                   "hosted_page_host_not_allowed");

        view = view_of(generic());
        view.registration_state = PAY_STR("REFUSED");
        set_orders(&view, REJECTED);
        world_row(&world, PAY_OUTCOME_STORED, &view);
        expect_problem(&world, "psp-refused", 502);
        world_close(&world);
    }
}


/* M4: the PSP holds a registration whose token we could not note down. */
Test(pay_flow_create, failed_store_is_202_without_the_way)
{
    unsigned            i;
    world_t             world;
    const pay_reply_t  *reply;

    for (i = 0; i < 2 * DB_FAILURES; i++) {
        world_open(&world);
        create_begun(&world, WORLD_GENERIC, BODY(ONE_ORDER));

        if (i < DB_FAILURES) {
            world_answer(&world, generic(), 201, "register-answer.json");

        } else {
            world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
        }

        world_db_failed(&world, (pay_db_failure_t) (i % DB_FAILURES));
        reply = expect_reply(&world, PAY_REPLY_JSON, 202);
        cr_expect(contains(reply->body, "\"redirect_url\":null"));
        cr_expect_gt(reply->retry_after_s, 0);
        cr_expect_str_eq(world.flow.outcome, "pending");
        world_close(&world);
    }
}


/* First stored wins: the reply tells what is stored, not what came now. */
Test(pay_flow_create, state_of_the_row_is_what_is_told)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;
    const pay_reply_t  *reply;

    view.token = PAY_STR("reg_earlier");
    set_orders(&view, "[" STORED("order-1", "3000", "SUCCESS", "null")
                          "]");
    world_open(&world);
    create_begun(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_answer(&world, generic(), 201, "register-answer.json");
    world_row(&world, PAY_OUTCOME_ALREADY, &view);
    reply = expect_reply(&world, PAY_REPLY_JSON, 201);
    cr_expect(contains(reply->body, "\"status\":\"SUCCESS\""));
    cr_expect(contains(reply->body, "\"is_payment_done\":true"));
    world_close(&world);
}


static char  told[128];

static pay_status_t
note_where(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    const pay_psp_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err)
{
    snprintf(told, sizeof(told), "%.*s", pay_fmt(checkout->webhook_url));

    return generic()->register_request(arena, psp_account, checkout, request,
                                       err);
}


/* The address as it is registered, else as the outside sees this gateway;
 * most PSPs know it from their own settings. */
Test(pay_flow_create, psps_that_want_to_know_are_told_where_to_send_webhooks)
{
    size_t             i;
    world_t            world;
    pay_psp_conf_t    *psp = &world.psps[WORLD_GENERIC];
    pay_sig_scheme_t   scheme;
    pay_psp_adapter_t  adapter = *generic();

    static const struct {
        int          told_where;
        const char  *url;
        const char  *expected;
    } rows[] = {
        { 0, "", "" }, { 0, "https://hooks.example/w", "" },
        { 1, "", BASE "/webhooks/generic" },
        { 1, "https://hooks.example/w", "https://hooks.example/w" }
    };

    adapter.register_request = note_where;

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        scheme = *psp->scheme;
        scheme.told_where = rows[i].told_where;
        psp->scheme = &scheme;
        psp->adapter = &adapter;
        psp->settings.url = pay_str_of(rows[i].url);
        create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
        cr_expect_str_eq(told, rows[i].expected);
        world_close(&world);
    }
}


Test(pay_flow_create, psps_that_cannot_take_the_order_are_not_offered)
{
    world_t  world;

    world_open(&world);
    create_fill(&world, WORLD_STRIPE, BODY(ORDER("o", "1.234", "KWD")));
    world.create.psp = NULL;
    world_made(&world, pay_flow_create(&world.flow, &world.create));
    world_start(&world);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, begin_payment, psp, "generic");
    expect_arg(&world, begin_payment, psps, "generic");
    world_close(&world);
}


static const pay_reply_t *
replay(world_t *world, const pay_checkout_row_t *view)
{
    world_open(world);
    create_open(world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(world, PAY_OUTCOME_REPLAYED, view);
    cr_assert_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_eq(world->http_count, 0, "a replay calls no PSP");
    cr_expect_eq(world->effect.reply->replayed, 1);

    return world->effect.reply;
}


Test(pay_flow_create, replay_tells_the_present_state)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;
    const pay_reply_t  *reply;

    reply = replay(&world, &view);
    cr_expect_eq(reply->status, 201);
    cr_expect(contains(reply->body, "/checkout/" HANDLE));
    cr_expect(pay_str_is(reply->location, ORDER_URL));
    world_close(&world);

    view = view_of(generic());
    reply = replay(&world, &view);
    cr_expect_eq(reply->status, 202);
    cr_expect_gt(reply->retry_after_s, 0);
    world_close(&world);

    view = view_registered(generic());
    set_orders(&view, "[" STORED("order-1", "3000", "FAILED",
                                     "\"declined\"") "]");
    reply = replay(&world, &view);
    cr_expect_eq(reply->status, 201);
    cr_expect(contains(reply->body, "\"reason\":\"declined\""));
    world_close(&world);
}


Test(pay_flow_create, replay_of_a_refusal_is_the_same_refusal)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;
    const pay_reply_t  *reply;

    view.registration_state = PAY_STR("REFUSED");
    set_orders(&view, REJECTED);
    replay(&world, &view);
    reply = expect_problem(&world, "psp-refused", 502);
    cr_expect(pay_str_is(reply->order_url, ORDER_URL));
    world_close(&world);
}


Test(pay_flow_create, broken_rows_never_become_a_reply)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    set_orders(&view, "[]");
    world_open(&world);
    create_open(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(&world, PAY_OUTCOME_REPLAYED, &view);
    expect_problem(&world, "internal-error", 500);
    world_close(&world);

    world_open(&world);
    create_begun(&world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_answer(&world, generic(), 201, "register-answer.json");
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_problem(&world, "internal-error", 500);
    world_close(&world);
}


static void
play_created(world_t *world)
{
    pay_checkout_row_t  view = view_registered(stripe());

    create_begun(world, WORLD_STRIPE, BODY(ONE_ORDER));
    world_answer(world, stripe(), 200, "register-answer.json");
    world_row(world, PAY_OUTCOME_STORED, &view);
}


static void
play_refused(world_t *world)
{
    pay_checkout_row_t  view = view_of(generic());

    view.registration_state = PAY_STR("REFUSED");
    set_orders(&view, REJECTED);
    create_begun(world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_answer(world, generic(), 400, "error-refused.json");
    world_row(world, PAY_OUTCOME_STAYS, NULL);
    world_row(world, PAY_OUTCOME_STORED, &view);
}


static void
play_unknown(world_t *world)
{
    create_begun(world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_no_answer(world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    world_db_failed(world, PAY_DB_UNKNOWN);
}


static void
play_untakable(world_t *world)
{
    create_open(world, WORLD_STRIPE, BODY(ORDER("o", "1.234", "KWD")));
    world_row(world, PAY_OUTCOME_UNKNOWN, NULL);
}


static void
play_exists(world_t *world)
{
    pay_checkout_row_t  view = view_of(generic());

    create_open(world, WORLD_GENERIC, BODY(ONE_ORDER));
    world_row(world, PAY_OUTCOME_EXISTS, &view);
}


Test(pay_flow_create, failing_memory_ends_each_way_as_a_500)
{
    cr_expect_geq(world_torture(play_created), 40);
    cr_expect_geq(world_torture(play_refused), 40);
    cr_expect_geq(world_torture(play_unknown), 30);
    cr_expect_geq(world_torture(play_untakable), 5);
    cr_expect_geq(world_torture(play_exists), 20);
}

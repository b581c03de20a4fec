/*
 * POST /v1/payments/{order}/refunds, /capture and /cancel with the world
 * played against it, the job that goes on, and what follows a sale in
 * webhooks and on the buyer's way back.
 */

#include "flow_driver.h"


#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define OWNER       "worker-1"
#define CHANGE_URL  BASE "/v1/payments/order-1/refunds/" CHANGE_ID

#define PAID                                                                  \
    "[" STORED_MONEY("order-1", "3000", "SUCCESS",                            \
                     MONEY("false", "0", "3000", "100", "400", "0")) "]"
#define HELD                                                                  \
    "[" STORED_MONEY("order-1", "3000", "EXECUTING",                          \
                     MONEY("true", "3000", "0", "0", "0", "0")) "]"
#define OPEN                                                                  \
    "[" STORED_MONEY("order-1", "3000", "EXECUTING",                          \
                     MONEY("true", "0", "0", "0", "0", "0")) "]"
#define FAILED                                                                \
    "[" STORED_MONEY("order-1", "3000", "FAILED",                             \
                     MONEY("true", "0", "0", "0", "0", "0")) "]"

#define PART                                                                  \
    "[" STORED_MONEY("order-1", "3000", "SUCCESS",                            \
                     MONEY("true", "2000", "1000", "0", "0", "0")) "]"


/* A PSP that answers as the test says. */
static pay_psp_adapter_t  made;
static pay_psp_outcome_t  outcome;
static pay_fact_t         page_fact;
static pay_psp_change_t   asked_for;
static pay_status_t       refused;


static pay_status_t
change_request(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    const pay_psp_change_t *change, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) arena;
    (void) psp_account;
    (void) err;

    if (refused != PAY_OK) {
        return refused;
    }

    memset(request, 0, sizeof(*request));
    request->method = PAY_STR("POST");
    request->url = PAY_STR("https://psp.example/change");
    asked_for = *change;

    return PAY_OK;
}


static pay_status_t
change_answer(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_changed_t *result)
{
    (void) arena;
    (void) answer;

    memset(result, 0, sizeof(*result));
    result->outcome = outcome;
    result->retry_after_s = 7;
    result->reference = PAY_STR("re_1");
    result->known = page_fact != PAY_FACT_NONE;
    result->event.token = change->token;
    result->event.fact = page_fact;

    return PAY_OK;
}


static void
setup(void)
{
    made = *generic();
    made.change_request = change_request;
    made.change_answer = change_answer;
    made.traits = PAY_PSP_AUTHORIZES | PAY_PSP_MULTICAPTURE;
    made.changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
                   | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE);
    outcome = PAY_PSP_DONE;
    page_fact = PAY_FACT_NONE;
    refused = PAY_OK;
}


TestSuite(pay_flow_change, .init = setup);


static pay_checkout_row_t
view_with(const char *orders)
{
    pay_checkout_row_t  view = view_registered(generic());

    set_orders(&view, orders);

    return view;
}


static void
change_make(world_t *world, pay_change_kind_t kind, const char *body)
{
    pay_change_input_t  in;

    world->psps[WORLD_GENERIC].adapter = &made;
    memset(&in, 0, sizeof(in));
    in.merchant = &world->merchants[0];
    in.kind = kind;
    in.order_id = PAY_STR("order-1");
    in.body = pay_str_of(body);
    in.idempotency_key = PAY_STR("key-0123456789abcdef");
    in.ttl_s = 86400;
    in.in_progress_status = 409;
    in.change_id = PAY_STR(CHANGE_ID);

    world_made(world, pay_flow_change(&world->flow, &in));
    world_start(world);
}


/* Up to begin_change. */
static void
change_open(world_t *world, pay_change_kind_t kind, const char *body,
    const char *orders)
{
    pay_checkout_row_t  view = view_with(orders);

    world_open(world);
    change_make(world, kind, body);
    expect_db(world, PAY_OP_GET_PAYMENT);
    world_row(world, PAY_OUTCOME_FOUND, &view);
}


/* Up to the PSP's answer. */
static void
change_send(world_t *world, pay_change_kind_t kind, const char *orders)
{
    pay_checkout_row_t        view = view_with(orders);
    pay_change_row_t    row = change_with(
        kind == PAY_CHANGE_REFUND ? "refund"
        : kind == PAY_CHANGE_CANCEL ? "cancel" : "final_capture", &view);

    change_open(world, kind, "", orders);
    expect_db(world, PAY_OP_BEGIN_CHANGE);
    world_change_row(world, PAY_OUTCOME_CREATED, &row);
    expect_db(world, PAY_OP_BEGIN_DISPATCH);
    expect_arg(world, begin_dispatch, operation, pay_change_word(kind));
    expect_arg(world, begin_dispatch, operation_id, CHANGE_ID);
    world_dispatch_row(world, PAY_OUTCOME_SEND, 3, 1);
    expect_http(world);
    cr_expect_eq(world->effect.buyer_waits, 0);
}


static void
expect_ended(world_t *world, const char *state)
{
    expect_db(world, PAY_OP_END_DISPATCH);
    expect_arg(world, end_dispatch, operation_id, CHANGE_ID);
    cr_expect_eq(asked(world, end_dispatch)->attempt, 3);
    expect_arg(world, end_dispatch, state, state);
    world_result(world, PAY_OUTCOME_STORED, NULL);
}


Test(pay_flow_change, begin_gets_every_argument_in_its_place)
{
    world_t         world;
    unsigned char   digest[PAY_SHA256_SIZE];

    static const char  body[] = "{\"amount\":\"5.00\",\"currency\":\"USD\","
                                "\"reason\":\"why\",\"metadata\":{\"a\":1}}";
    static const char  printed[] = "order-1\0refund\0" "{\"amount\":\"5.00\","
                                   "\"currency\":\"USD\",\"reason\":\"why\","
                                   "\"metadata\":{\"a\":1}}";

    change_open(&world, PAY_CHANGE_REFUND, body, PAID);
    expect_db(&world, PAY_OP_BEGIN_CHANGE);
    expect_arg(&world, begin_change, merchant_id, "acme");
    expect_arg(&world, begin_change, payment_order_id, "order-1");
    expect_arg(&world, begin_change, kind, "refund");
    expect_arg(&world, begin_change, change_id, CHANGE_ID);
    expect_arg(&world, begin_change, idempotency_key, "key-0123456789abcdef");
    cr_assert_eq(pay_sha256((pay_str_t) { sizeof(printed) - 1,
                     (const unsigned char *) printed }, digest), PAY_OK);
    cr_expect(pay_str_eq(asked(&world, begin_change)->fingerprint,
                         (pay_str_t) { sizeof(digest), digest }));
    cr_expect_eq(asked(&world, begin_change)->ttl_s, 86400);
    cr_expect_eq(asked(&world, begin_change)->amount_minor.number, 500);
    expect_arg(&world, begin_change, currency, "USD");
    expect_arg(&world, begin_change, reason, "why");
    expect_arg(&world, begin_change, metadata, "{\"a\":1}");
    cr_expect_eq(asked(&world, begin_change)->lease_ms, 15000);
    expect_arg(&world, begin_change, request_id, REQUEST_ID);
    cr_expect(pay_str_is(world.flow.order_id, "order-1"));
    world_close(&world);
}


Test(pay_flow_change, nothing_said_is_null)
{
    world_t  world;

    change_open(&world, PAY_CHANGE_CANCEL, "", HELD);
    expect_db(&world, PAY_OP_BEGIN_CHANGE);
    expect_arg(&world, begin_change, kind, "cancel");
    cr_expect_not(asked(&world, begin_change)->amount_minor.is_set);
    expect_arg(&world, begin_change, currency, NULL);
    expect_arg(&world, begin_change, reason, NULL);
    expect_arg(&world, begin_change, metadata, NULL);
    world_close(&world);
}


/* Where one capture is all there is, the rest is released with it. */
Test(pay_flow_change, what_nothing_can_follow_is_a_final_capture)
{
    size_t   i;
    world_t  world;

    static const struct {
        unsigned     traits;
        const char  *body, *word;
    } rows[] = {
        { PAY_PSP_MULTICAPTURE, "{\"amount\":\"1.00\"}", "capture" },
        { PAY_PSP_MULTICAPTURE, "{\"amount\":\"1.00\",\"final\":true}",
          "final_capture" },
        { PAY_PSP_MULTICAPTURE, "", "final_capture" },
        { 0, "{\"amount\":\"1.00\"}", "final_capture" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        made.traits = PAY_PSP_AUTHORIZES | rows[i].traits;
        change_open(&world, PAY_CHANGE_CAPTURE, rows[i].body, HELD);
        expect_db(&world, PAY_OP_BEGIN_CHANGE);
        expect_arg(&world, begin_change, kind, rows[i].word);
        world_close(&world);
    }
}


Test(pay_flow_change, what_is_wrong_with_the_body_costs_no_operation)
{
    world_t  world;

    world_open(&world);
    change_make(&world, PAY_CHANGE_REFUND, "{\"final\":true}");
    expect_problem(&world, "validation-error", 422);
    cr_expect_eq(world.db_count, 0);
    world_close(&world);
}


Test(pay_flow_change, an_amount_is_one_of_the_orders_currency)
{
    world_t  world;

    change_open(&world, PAY_CHANGE_REFUND, "{\"amount\":\"5\"}", PAID);
    expect_problem(&world, "amount-invalid", 422);
    cr_expect(pay_str_is(world.effect.reply->pointer, "/amount"));
    cr_expect_eq(world.db_count, 1, "only looked at");
    world_close(&world);

    change_open(&world, PAY_CHANGE_REFUND, "{\"currency\":\"EUR\"}", PAID);
    expect_problem(&world, "validation-error", 422);
    world_close(&world);
}


Test(pay_flow_change, an_unknown_order_is_404)
{
    world_t  world;

    world_open(&world);
    change_make(&world, PAY_CHANGE_REFUND, "");
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_problem(&world, "not-found", 404);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


static void
expect_unsupported(world_t *world)
{
    expect_db(world, PAY_OP_EXPLAIN_CHANGE);
    world_change_row(world, PAY_OUTCOME_UNKNOWN, NULL);
    expect_problem(world, "operation-not-supported", 422);
}


Test(pay_flow_change, what_the_psp_cannot_do_is_422_before_anything_is_stored)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_change_kind_t   kind;
        const char         *orders;
        unsigned            changes, traits;
        int                 taken;
    } rows[] = {
        { PAY_CHANGE_REFUND, PAID, 0, 0, 0 },
        { PAY_CHANGE_REFUND, PAID, PAY_PSP_CAN(PAY_PSP_REFUND), 0, 1 },
        { PAY_CHANGE_CAPTURE, HELD, PAY_PSP_CAN(PAY_PSP_CAPTURE), 0, 0 },
        { PAY_CHANGE_CAPTURE, HELD, 0, PAY_PSP_AUTHORIZES, 0 },
        { PAY_CHANGE_CAPTURE, HELD, PAY_PSP_CAN(PAY_PSP_CAPTURE),
          PAY_PSP_AUTHORIZES, 1 },
        { PAY_CHANGE_CANCEL, HELD, PAY_PSP_CAN(PAY_PSP_EXPIRE), 0, 0 },
        { PAY_CHANGE_CANCEL, HELD, PAY_PSP_CAN(PAY_PSP_CANCEL), 0, 1 },
        { PAY_CHANGE_CANCEL, OPEN, PAY_PSP_CAN(PAY_PSP_CANCEL), 0, 0 },
        { PAY_CHANGE_CANCEL, OPEN, PAY_PSP_CAN(PAY_PSP_EXPIRE), 0, 1 },
        /* of what has ended PostgreSQL says so, or that it is a repeat */
        { PAY_CHANGE_CANCEL, FAILED, 0, 0, 1 },
        { PAY_CHANGE_CANCEL, PAID, 0, 0, 1 },
        /* the rest of what was captured in part */
        { PAY_CHANGE_CANCEL, PART, PAY_PSP_CAN(PAY_PSP_CANCEL), 0, 0 },
        { PAY_CHANGE_CANCEL, PART, PAY_PSP_CAN(PAY_PSP_CANCEL),
          PAY_PSP_MULTICAPTURE, 1 },
        { PAY_CHANGE_CANCEL, PART, 0, PAY_PSP_MULTICAPTURE, 0 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        made.changes = rows[i].changes;
        made.traits = rows[i].traits;
        change_open(&world, rows[i].kind, "", rows[i].orders);

        if (rows[i].taken) {
            expect_db(&world, PAY_OP_BEGIN_CHANGE);

        } else {
            expect_unsupported(&world);
        }

        world_close(&world);
    }
}


Test(pay_flow_change, one_capture_is_not_shared_by_several_orders)
{
    world_t  world;

    made.traits = PAY_PSP_AUTHORIZES;
    change_open(&world, PAY_CHANGE_CAPTURE, "",
        "[" STORED_MONEY("order-1", "1000", "EXECUTING",
                         MONEY("true", "1000", "0", "0", "0", "0")) ","
            STORED_MONEY("order-2", "2000", "EXECUTING",
                         MONEY("true", "2000", "0", "0", "0", "0")) "]");
    expect_unsupported(&world);
    world_close(&world);
}


Test(pay_flow_change, outcomes_of_begin_are_told_apart)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_outcome_t   outcome;
        const char     *slug;
        unsigned        status;
    } rows[] = {
        { PAY_OUTCOME_NOT_PAID, "payment-state-conflict", 409 },
        { PAY_OUTCOME_ALREADY_PAID, "payment-state-conflict", 409 },
        { PAY_OUTCOME_NOTHING_LEFT, "payment-state-conflict", 409 },
        { PAY_OUTCOME_HELD, "payment-state-conflict", 409 },
        { PAY_OUTCOME_OVERDRAWS, "seller-overdrawn", 409 },
        { PAY_OUTCOME_NOT_FOUND, "not-found", 404 },
        { PAY_OUTCOME_KEY_REUSED, "idempotency-key-reused", 422 },
        { PAY_OUTCOME_IN_PROGRESS, "idempotency-in-progress", 409 },
        { PAY_OUTCOME_INVALID, "internal-error", 500 },
        { PAY_OUTCOME_CURRENCY, "internal-error", 500 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        change_open(&world, PAY_CHANGE_REFUND, "", PAID);
        world_change_row(&world, rows[i].outcome, NULL);
        expect_problem(&world, rows[i].slug, rows[i].status);
        cr_expect_eq(world.http_count, 0, "%s",
                     pay_outcome_word(rows[i].outcome));
        world_close(&world);
    }
}


Test(pay_flow_change, more_than_is_left_is_told_how_much_that_is)
{
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = { .checkout = view };
    const pay_reply_t  *reply;

    change_open(&world, PAY_CHANGE_REFUND, "{\"amount\":\"29.00\"}", PAID);
    world_change_row(&world, PAY_OUTCOME_EXCEEDS, &row);
    reply = expect_problem(&world, "amount-exceeds-remaining", 422);
    cr_expect_str_eq(reply->detail, "at most 25.00 USD can be refunded");
    cr_expect(pay_str_is(reply->pointer, "/amount"));
    world_close(&world);

    row.checkout = view_with(HELD);
    change_open(&world, PAY_CHANGE_CAPTURE, "{\"amount\":\"31.00\"}", HELD);
    world_change_row(&world, PAY_OUTCOME_EXCEEDS, &row);
    reply = expect_problem(&world, "amount-exceeds-remaining", 422);
    cr_expect_str_eq(reply->detail, "at most 30.00 USD can be captured");
    world_close(&world);
}


Test(pay_flow_change, the_psp_gets_what_is_stored)
{
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    row.checkout.alias = PAY_STR("alias-1");
    row.reason = PAY_STR("zur\xc3\xbc" "ck");
    change_open(&world, PAY_CHANGE_REFUND, "{\"amount\":\"9.00\"}", PAID);
    world_change_row(&world, PAY_OUTCOME_CREATED, &row);
    expect_arg(&world, begin_dispatch, psp, "generic");
    world_dispatch_row(&world, PAY_OUTCOME_SEND, 1, 1);
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_REFUND);
    cr_expect_eq(asked_for.kind, PAY_PSP_REFUND);
    cr_expect(pay_str_is(asked_for.key, CHANGE_ID));
    cr_expect(pay_str_eq(asked_for.token, view.token));
    cr_expect(pay_str_is(asked_for.alias, "alias-1"));
    cr_expect(pay_str_is(asked_for.reference, "pay_1"));
    cr_expect(pay_str_is(asked_for.merchant_reference, REFERENCE));
    cr_expect_eq(asked_for.amount_minor, 500, "the row's, not the body's");
    cr_expect_str_eq(asked_for.currency->code, "USD");
    cr_expect(pay_str_is(asked_for.reason, "zur?ck"), "%.*s",
              pay_fmt(asked_for.reason));
    world_close(&world);
}


Test(pay_flow_change, a_reason_is_cut_to_what_psps_take)
{
    char                text[PAY_REASON_MAX + 1];
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    memset(text, 'a', PAY_REASON_MAX);
    text[PAY_REASON_MAX] = '\0';
    row.reason = pay_str_of(text);
    change_open(&world, PAY_CHANGE_REFUND, "", PAID);
    world_change_row(&world, PAY_OUTCOME_CREATED, &row);
    world_dispatch_row(&world, PAY_OUTCOME_SEND, 1, 1);
    cr_expect_eq(asked_for.reason.len, 100);
    world_close(&world);
}


Test(pay_flow_change, how_it_stands_is_the_answer)
{
    size_t               i;
    pay_checkout_row_t   view = view_with(PAID);
    world_t              world;
    pay_change_row_t     row;
    const pay_reply_t   *reply;

    static const struct {
        pay_psp_outcome_t   outcome;
        const char         *state, *status, *reference, *said;
        unsigned            code;
    } rows[] = {
        { PAY_PSP_DONE, "DONE", "SUCCESS", "re_1", "created", 201 },
        { PAY_PSP_PENDING, "PENDING", "EXECUTING", "re_1", "created", 201 },
        { PAY_PSP_REFUSED, "REFUSED", "FAILED", NULL, "failed", 201 },
        { PAY_PSP_NOT_SENT, "NOT_SENT", "NOT_STARTED", NULL, "pending", 202 },
        { PAY_PSP_UNKNOWN, "UNKNOWN", "EXECUTING", NULL, "pending", 202 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        outcome = rows[i].outcome;
        change_send(&world, PAY_CHANGE_REFUND, PAID);
        world_http(&world, answered(200, PAY_STR("{}")));
        expect_ended(&world, rows[i].state);
        expect_db(&world, PAY_OP_GET_CHANGE);
        expect_arg(&world, get_change, merchant_id, "acme");
        expect_arg(&world, get_change, payment_order_id, "order-1");
        expect_arg(&world, get_change, change_id, CHANGE_ID);
        row = change_with("refund", &view);
        row.change_status = pay_str_of(rows[i].status);
        row.reference = pay_str_of(rows[i].reference);
        world_change_row(&world, PAY_OUTCOME_FOUND, &row);
        reply = expect_reply(&world, PAY_REPLY_JSON, rows[i].code);
        cr_expect(pay_str_is(reply->location, CHANGE_URL));
        cr_expect_eq(reply->retry_after_s, rows[i].code == 202 ? 2 : -1);
        cr_expect(contains(reply->body, rows[i].status));
        cr_expect_not(reply->replayed);
        cr_expect_str_eq(world.flow.outcome, rows[i].said);
        cr_expect_str_eq(world.flow.change_kind, "refund");
        cr_expect_str_eq(world.flow.change_status, rows[i].status);
        world_close(&world);
    }
}


/* 202: what is certain is that it is stored, and the job goes on. */
Test(pay_flow_change, what_is_not_sent_now_is_for_the_job)
{
    size_t              i;
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    static const pay_outcome_t  outcomes[] = {
        PAY_OUTCOME_BUSY, PAY_OUTCOME_ASK, PAY_OUTCOME_DONE,
        PAY_OUTCOME_NOT_FOUND, PAY_OUTCOME_INVALID
    };

    for (i = 0; i <= COUNT(outcomes); i++) {
        change_open(&world, PAY_CHANGE_REFUND, "", PAID);
        world_change_row(&world, PAY_OUTCOME_CREATED, &row);

        if (i < COUNT(outcomes)) {
            world_dispatch_row(&world, outcomes[i], 0, 0);

        } else {
            world_db_failed(&world, PAY_DB_UNKNOWN);
        }

        expect_db(&world, PAY_OP_GET_CHANGE);
        world_db_failed(&world, PAY_DB_UNAVAILABLE);
        expect_reply(&world, PAY_REPLY_JSON, 202);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_change, an_end_that_is_not_stored_is_202)
{
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    change_send(&world, PAY_CHANGE_REFUND, PAID);
    world_http(&world, answered(200, PAY_STR("{}")));
    world_db_failed(&world, PAY_DB_UNKNOWN);
    expect_db(&world, PAY_OP_GET_CHANGE);
    world_change_row(&world, PAY_OUTCOME_FOUND, &row);
    expect_reply(&world, PAY_REPLY_JSON, 202);
    world_close(&world);
}


Test(pay_flow_change, what_the_adapter_cannot_say_is_journaled_as_refused)
{
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    refused = PAY_INVALID;
    change_open(&world, PAY_CHANGE_REFUND, "", PAID);
    world_change_row(&world, PAY_OUTCOME_CREATED, &row);
    world_dispatch_row(&world, PAY_OUTCOME_SEND, 3, 1);
    expect_arg(&world, end_dispatch, code, "request_refused");
    expect_ended(&world, "REFUSED");
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


Test(pay_flow_change, a_repeat_is_answered_with_the_present_state)
{
    pay_checkout_row_t   view = view_with(PAID);
    world_t              world;
    pay_change_row_t     row = change_with("refund", &view);
    const pay_reply_t   *reply;

    row.change_status = PAY_STR("SUCCESS");
    change_open(&world, PAY_CHANGE_REFUND, "", PAID);
    world_change_row(&world, PAY_OUTCOME_REPLAYED, &row);
    reply = expect_reply(&world, PAY_REPLY_JSON, 201);
    cr_expect(reply->replayed);
    cr_expect_str_eq(world.flow.outcome, "replayed");
    cr_expect_null(world.flow.change_kind, "it is counted once");
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


Test(pay_flow_change, an_authorisation_is_given_up_and_a_page_closed)
{
    world_t  world;

    change_send(&world, PAY_CHANGE_CANCEL, HELD);
    cr_expect_eq(asked_for.kind, PAY_PSP_CANCEL);
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_ended(&world, "DONE");
    world_close(&world);

    page_fact = PAY_FACT_EXPIRED;
    change_send(&world, PAY_CHANGE_CANCEL, OPEN);
    cr_expect_eq(asked_for.kind, PAY_PSP_EXPIRE);
    cr_expect_eq(world.effect.call, PAY_CALL_EXPIRE);
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_ended(&world, "DONE");
    expect_db(&world, PAY_OP_GET_CHANGE);
    world_close(&world);
}


/* There is a page to be closed only while the buyer may pay on it. */
Test(pay_flow_change, a_cancellation_gives_up_what_is_held_or_closes_the_page)
{
    size_t   i;
    world_t  world;

    static const struct {
        const char             *orders;
        pay_psp_change_kind_t   kind;
    } rows[] = {
        { OPEN, PAY_PSP_EXPIRE }, { HELD, PAY_PSP_CANCEL },
        { PART, PAY_PSP_CANCEL }, { FAILED, PAY_PSP_CANCEL }
    };

    for (i = 0; i < COUNT(rows); i++) {
        change_send(&world, PAY_CHANGE_CANCEL, rows[i].orders);
        cr_expect_eq(asked_for.kind, rows[i].kind);
        world_close(&world);
    }
}


/* The buyer was faster: the cancellation has failed, and the money counts. */
Test(pay_flow_change, a_page_that_was_paid_meanwhile_is_not_cancelled)
{
    size_t              i;
    world_t             world;
    pay_checkout_row_t  view = view_with(PAID);

    static const struct {
        pay_fact_t   fact;
        const char  *word;
    } rows[] = {
        { PAY_FACT_PAID, "paid" }, { PAY_FACT_AUTHORIZED, "authorized" },
        { PAY_FACT_PENDING, "pending" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        page_fact = rows[i].fact;
        change_send(&world, PAY_CHANGE_CANCEL, OPEN);
        world_http(&world, answered(200, PAY_STR("{}")));
        expect_arg(&world, end_dispatch, code, "already_paid");
        expect_ended(&world, "REFUSED");
        expect_db(&world, PAY_OP_APPLY_EVENT);
        expect_arg(&world, apply_event, source, "query");
        expect_arg(&world, apply_event, fact, rows[i].word);
        expect_arg(&world, apply_event, token, token_text(generic()));
        world_row(&world, PAY_OUTCOME_APPLIED, &view);
        expect_db(&world, PAY_OP_GET_CHANGE);
        world_close(&world);
    }
}


/* What an answer says about a captured payment is said of a part of it. */
Test(pay_flow_change, the_answer_to_a_capture_is_no_word_about_the_payment)
{
    world_t  world;

    page_fact = PAY_FACT_PAID;
    change_send(&world, PAY_CHANGE_CAPTURE, HELD);
    cr_expect_eq(asked_for.kind, PAY_PSP_CAPTURE);
    cr_expect(asked_for.is_final);
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_ended(&world, "DONE");
    expect_db(&world, PAY_OP_GET_CHANGE);
    world_close(&world);
}


/* The PSP holds one sum: the last capture of one order would give back what
 * is held for the others. */
Test(pay_flow_change, nothing_is_final_at_the_psp_while_there_are_other_orders)
{
    world_t  world;

    change_send(&world, PAY_CHANGE_CAPTURE,
        "[" STORED_MONEY("order-1", "1000", "EXECUTING",
                         MONEY("true", "1000", "0", "0", "0", "0")) ","
            STORED_MONEY("order-2", "2000", "EXECUTING",
                         MONEY("true", "2000", "0", "0", "0", "0")) "]");
    cr_expect_eq(asked_for.kind, PAY_PSP_CAPTURE);
    cr_expect_not(asked_for.is_final);
    world_close(&world);
}


Test(pay_flow_change, without_a_page_nothing_is_sent_yet)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;
    pay_change_row_t    row = change_with("cancel", &view);

    world_open(&world);
    change_make(&world, PAY_CHANGE_CANCEL, "");
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    world_change_row(&world, PAY_OUTCOME_CREATED, &row);
    expect_reply(&world, PAY_REPLY_JSON, 202);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


static void
play_refund(world_t *world)
{
    pay_checkout_row_t  view = view_with(PAID);
    pay_change_row_t    row = change_with("refund", &view);

    change_make(world, PAY_CHANGE_REFUND, "{\"reason\":\"a\"}");
    world_row(world, PAY_OUTCOME_FOUND, &view);
    world_change_row(world, PAY_OUTCOME_CREATED, &row);
    world_dispatch_row(world, PAY_OUTCOME_SEND, 3, 1);
    world_http(world, answered(200, PAY_STR("{}")));
    world_result(world, PAY_OUTCOME_STORED, NULL);
    row.change_status = PAY_STR("SUCCESS");
    world_change_row(world, PAY_OUTCOME_FOUND, &row);
}


Test(pay_flow_change, failing_memory_is_a_500_or_nothing)
{
    cr_expect_geq(world_torture(play_refund), 20);
}


/* --- The job ------------------------------------------------------------ */

static pay_job_row_t
job_of(int64_t attempts, const pay_checkout_row_t *view)
{
    return (pay_job_row_t) {
        .kind = PAY_STR("change"), .attempts = attempts,
        .operation_id = PAY_STR(CHANGE_ID), .checkout = *view
    };
}


static unsigned  register_limit = 100;

static void
job_attempt(world_t *world, const pay_change_row_t *change, int64_t attempts)
{
    pay_job_row_t  job = job_of(attempts, &change->checkout);

    world_open(world);
    world->psps[WORLD_GENERIC].retry[PAY_RETRY_REGISTER].limit
        = register_limit;
    world->psps[WORLD_GENERIC].adapter = &made;
    world_made(world, pay_flow_job(&world->flow, &job, PAY_STR(OWNER)));
    world_start(world);
    expect_db(world, PAY_OP_GET_CHANGE);
    expect_arg(world, get_change, merchant_id, "acme");
    expect_arg(world, get_change, payment_order_id, NULL);
    expect_arg(world, get_change, change_id, CHANGE_ID);
    world_change_row(world, PAY_OUTCOME_FOUND, change);
}


static void
job_open(world_t *world, const pay_change_row_t *change)
{
    job_attempt(world, change, 2);
}


static void
expect_given_back(world_t *world, int64_t delay_ms, const char *code,
    const char *dead)
{
    expect_db(world, PAY_OP_FINISH_JOB);
    expect_arg(world, finish_job, kind, "change");
    expect_arg(world, finish_job, operation_id, CHANGE_ID);
    expect_arg(world, finish_job, owner, OWNER);
    cr_expect_eq(asked(world, finish_job)->delay_ms, delay_ms, "%ld",
                 (long) asked(world, finish_job)->delay_ms);
    expect_arg(world, finish_job, code, code);
    expect_arg(world, finish_job, dead, dead);
    world_result(world, PAY_OUTCOME_DONE, NULL);
    cr_assert_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_null(world->effect.reply);
}


Test(pay_flow_change, the_job_sends_what_the_request_would_have_sent)
{
    size_t              i;
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);
    pay_psp_change_t    first;

    static const struct {
        pay_psp_outcome_t   outcome;
        const char         *state, *code, *dead, *status;
        int64_t             delay_ms;
    } rows[] = {
        { PAY_PSP_DONE, "DONE", "changed", NULL, "SUCCESS", -1 },
        { PAY_PSP_PENDING, "PENDING", "changed", NULL, "EXECUTING", -1 },
        { PAY_PSP_REFUSED, "REFUSED", "refused", "refused", "FAILED", -1 },
        { PAY_PSP_NOT_SENT, "NOT_SENT", "not_sent", NULL, "NOT_STARTED",
          10000 },
        { PAY_PSP_UNKNOWN, "UNKNOWN", "unknown", NULL, "EXECUTING", 10000 }
    };

    change_send(&world, PAY_CHANGE_REFUND, PAID);
    first = asked_for;
    cr_expect(pay_str_is(first.key, CHANGE_ID));

    for (i = 0; i < COUNT(rows); i++) {
        world_t  job;

        outcome = rows[i].outcome;
        job_open(&job, &row);
        expect_db(&job, PAY_OP_BEGIN_DISPATCH);
        expect_arg(&job, begin_dispatch, operation, "refund");
        expect_arg(&job, begin_dispatch, operation_id, CHANGE_ID);
        world_dispatch_row(&job, PAY_OUTCOME_SEND, 3, 2);
        expect_http(&job);
        cr_expect(pay_str_eq(asked_for.key, first.key));
        cr_expect(pay_str_eq(asked_for.token, first.token));
        cr_expect(pay_str_eq(asked_for.reference, first.reference));
        cr_expect_eq(asked_for.amount_minor, first.amount_minor);
        cr_expect_eq(asked_for.kind, first.kind);
        world_http(&job, answered(200, PAY_STR("{}")));
        expect_ended(&job, rows[i].state);
        expect_given_back(&job, rows[i].delay_ms, rows[i].code, rows[i].dead);
        cr_expect_str_eq(job.flow.change_status, rows[i].status);
        world_close(&job);
    }

    world_close(&world);
}


Test(pay_flow_change, a_job_whose_change_has_ended_only_ends)
{
    size_t              i;
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    for (i = 0; i < 2; i++) {
        row.change_status = i == 0 ? PAY_STR("SUCCESS") : PAY_STR("FAILED");
        job_open(&world, &row);
        expect_given_back(&world, -1, "changed", NULL);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_change, a_job_that_may_not_send_waits_or_is_for_people)
{
    size_t              i;
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    static const struct {
        pay_outcome_t   outcome;
        const char     *code, *dead;
        int64_t         delay_ms;
    } rows[] = {
        { PAY_OUTCOME_BUSY, "busy", NULL, 5000 },
        { PAY_OUTCOME_ASK, "unknown", "key_window_over", -1 },
        { PAY_OUTCOME_DONE, "changed", NULL, -1 },
        { PAY_OUTCOME_NOT_FOUND, "busy", NULL, 5000 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        job_open(&world, &row);
        world_dispatch_row(&world, rows[i].outcome, 0, 0);
        expect_given_back(&world, rows[i].delay_ms, rows[i].code,
                          rows[i].dead);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }

    job_open(&world, &row);
    world_dispatch_row(&world, PAY_OUTCOME_SEND, 3, 2);
    world_http(&world, answered(200, PAY_STR("{}")));
    world_db_failed(&world, PAY_DB_UNKNOWN);
    expect_given_back(&world, 10000, "not_stored", NULL);
    world_close(&world);
}


/* A poll may know that a payment is paid before a webhook brings its id. */
Test(pay_flow_change, a_refund_waits_for_the_id_of_the_payment)
{
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    made.traits = PAY_PSP_BY_PAYMENT;
    row.payment_reference = pay_str_of(NULL);
    change_open(&world, PAY_CHANGE_REFUND, "", PAID);
    world_change_row(&world, PAY_OUTCOME_CREATED, &row);
    expect_reply(&world, PAY_REPLY_JSON, 202);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    job_open(&world, &row);
    expect_given_back(&world, 10000, "no_reference", NULL);
    world_close(&world);

    row.payment_reference = PAY_STR("pay_77");
    job_open(&world, &row);
    expect_db(&world, PAY_OP_BEGIN_DISPATCH);
    world_close(&world);
}


/* For the id of the payment, and for the page that a cancellation closes: no
 * longer than the registration is tried, and a while at least. */
Test(pay_flow_change, a_wait_backs_off_and_ends_with_people)
{
    size_t              i;
    pay_checkout_row_t  paid = view_with(PAID), open = view_of(generic());
    world_t             world;
    pay_change_row_t    refund = change_with("refund", &paid);
    pay_change_row_t    cancel = change_with("cancel", &open);

    struct {
        const pay_change_row_t  *change;
        int64_t                  attempts, delay_ms;
        unsigned                 limit;
        const char              *code, *dead;
    } rows[] = {
        { &refund, 1, 5000, 3, "no_reference", NULL },
        { &refund, 3, 20000, 3, "no_reference", NULL },
        { &refund, 49, 3600000, 3, "no_reference", NULL },
        { &refund, 50, 3600000, 3, "no_reference", "retry_limit" },
        { &cancel, 1, 5000, 3, "no_token", NULL },
        { &cancel, 99, 60000, 3, "no_token", NULL },
        { &cancel, 100, 60000, 3, "no_token", "retry_limit" },
        { &cancel, 100, 60000, 101, "no_token", NULL },
        { &cancel, 9999, 60000, 0, "no_token", NULL }
    };

    made.traits = PAY_PSP_BY_PAYMENT;
    refund.payment_reference = pay_str_of(NULL);

    for (i = 0; i < COUNT(rows); i++) {
        register_limit = rows[i].limit;
        job_attempt(&world, rows[i].change, rows[i].attempts);
        expect_given_back(&world, rows[i].delay_ms, rows[i].code,
                          rows[i].dead);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }

    made.changes = PAY_PSP_CAN(PAY_PSP_REFUND);
    job_open(&world, &cancel);
    expect_given_back(&world, -1, "not_supported", "refused");
    world_close(&world);
}


Test(pay_flow_change, a_job_without_its_row_is_left_to_its_lease)
{
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_job_row_t       job = job_of(2, &view);

    world_open(&world);
    world_made(&world, pay_flow_job(&world.flow, &job, PAY_STR(OWNER)));
    world_start(&world);
    world_db_failed(&world, PAY_DB_UNKNOWN);
    cr_assert_eq(world.effect.kind, PAY_DO_DONE);
    cr_expect_str_eq(world.flow.outcome, "not-stored");
    world_close(&world);
}

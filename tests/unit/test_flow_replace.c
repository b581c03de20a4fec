/*
 * POST /v1/payments with replaces: the old page is closed at its PSP before
 * the new checkout is registered, and only release_replacement says that it
 * is closed.  The job that goes on with what waits.
 */

#include "flow_driver.h"


#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define OLD_URL    BASE "/v1/checkouts/c-0"
#define REPLACING  BODY_WITH("\"replaces\":\"c-0\",", ONE_ORDER)

#define FAILED(reason)                                                        \
    "[" STORED("order-1", "3000", "FAILED", "\"" reason "\"") "]"


static pay_checkout_row_t
old_page(void)
{
    pay_checkout_row_t  view = view_registered(generic());

    view.checkout_id = PAY_STR("c-0");

    return view;
}


static void
replace_open(world_t *world)
{
    create_fill(world, WORLD_GENERIC, REPLACING);
    world->create.change_id = PAY_STR(CHANGE_ID);
    world_made(world, pay_flow_create(&world->flow, &world->create));
    world_start(world);
    expect_db(world, PAY_OP_GET_CHECKOUT);
}


/* Up to get_change of the cancellation that is to close the old page. */
static void
replace_begun(world_t *world)
{
    pay_checkout_row_t  old = old_page(), new = view_of(generic());

    replace_open(world);
    world_row(world, PAY_OUTCOME_FOUND, &old);
    expect_db(world, PAY_OP_BEGIN_PAYMENT);
    world_row(world, PAY_OUTCOME_WAITING, &new);
    expect_db(world, PAY_OP_GET_CHANGE);
}


/* Up to the call that closes it. */
static void
close_sent(world_t *world)
{
    pay_checkout_row_t  old = old_page();
    pay_change_row_t    row = change_of("close");

    replace_begun(world);
    row.checkout = old;
    world_change_row(world, PAY_OUTCOME_FOUND, &row);
    expect_db(world, PAY_OP_BEGIN_DISPATCH);
    world_dispatch_row(world, PAY_OUTCOME_SEND, 3, 1);
}


/* Up to release_replacement, behind an answer that closes the page. */
static void
close_confirmed(world_t *world)
{
    close_sent(world);
    world_answer(world, generic(), 200, "expire-done.json");
    world_result(world, PAY_OUTCOME_STORED, NULL);
}


static void
expect_release(const world_t *world)
{
    expect_db(world, PAY_OP_RELEASE_REPLACEMENT);
    expect_arg(world, release_replacement, merchant_id, "acme");
    expect_arg(world, release_replacement, checkout_id, "c-1");
    cr_expect_eq(asked(world, release_replacement)->lease_ms, 15000);
    expect_arg(world, release_replacement, request_id, REQUEST_ID);
}


static const pay_reply_t *
expect_waiting(const world_t *world, int replayed)
{
    const pay_reply_t  *reply = expect_reply(world, PAY_REPLY_JSON, 202);

    cr_expect(contains(reply->body, "\"redirect_url\":null"));
    cr_expect_eq(reply->retry_after_s, 2);
    cr_expect_eq(reply->replayed, replayed);
    cr_expect(pay_str_is(reply->location, BASE "/v1/checkouts/c-1"));

    return reply;
}


static void
expect_conflict(const world_t *world, int replayed)
{
    const pay_reply_t  *reply;

    reply = expect_problem(world, "payment-state-conflict", 409);
    cr_expect(pay_str_is(reply->order_url, OLD_URL), "%.*s",
              pay_fmt(reply->order_url));
    cr_expect_eq(reply->replayed, replayed);
}


Test(pay_flow_replace, begin_is_told_what_is_replaced_and_how_it_closes)
{
    pay_checkout_row_t  old = old_page();
    world_t             world;

    world_open(&world);
    replace_open(&world);
    expect_arg(&world, get_checkout, merchant_id, "acme");
    expect_arg(&world, get_checkout, checkout_id, "c-0");
    world_row(&world, PAY_OUTCOME_FOUND, &old);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, begin_payment, checkout_id, "c-1");
    expect_arg(&world, begin_payment, terms,
               "{\"capture\":\"automatic\",\"replaces\":\"c-0\","
               "\"change_id\":\"" CHANGE_ID "\","
                           "\"can_close\":true}");
    world_close(&world);
}


/* PostgreSQL says whether it is there; a repetition must come that far. */
Test(pay_flow_replace, a_page_that_cannot_be_closed_is_said_to_be_so)
{
    size_t              i;
    pay_checkout_row_t  old = old_page();
    world_t             world;
    pay_psp_adapter_t   never = *generic();

    static const char  terms[] =
        "{\"capture\":\"automatic\",\"replaces\":\"c-0\","
        "\"change_id\":\"" CHANGE_ID "\"}";

    never.changes &= ~PAY_PSP_CAN(PAY_PSP_EXPIRE);

    for (i = 0; i < 3; i++) {
        world_open(&world);

        if (i == 0) {
            world.psps[WORLD_GENERIC].adapter = &never;
        }

        if (i == 1) {
            old.psp = PAY_STR("forgotten");
        }

        replace_open(&world);
        world_row(&world, i == 2 ? PAY_OUTCOME_NOT_FOUND : PAY_OUTCOME_FOUND,
                  i == 2 ? NULL : &old);
        expect_db(&world, PAY_OP_BEGIN_PAYMENT);
        expect_arg(&world, begin_payment, terms, terms);
        world_close(&world);
    }
}


Test(pay_flow_replace, nothing_leaves_before_the_close_is_confirmed)
{
    pay_checkout_row_t  new = view_of(generic());
    pay_checkout_row_t  done = view_registered(generic());
    world_t             world;

    world_open(&world);
    replace_begun(&world);
    expect_arg(&world, get_change, merchant_id, "acme");
    expect_arg(&world, get_change, payment_order_id, NULL);
    expect_arg(&world, get_change, change_id, CHANGE_ID);
    world_close(&world);

    world_open(&world);
    close_sent(&world);
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_EXPIRE);
    cr_expect(contains(world.effect.http.url, token_text(generic())));
    world_answer(&world, generic(), 200, "expire-done.json");
    expect_db(&world, PAY_OP_END_DISPATCH);
    expect_arg(&world, end_dispatch, checkout_id, "c-0");
    expect_arg(&world, end_dispatch, operation, "cancel");
    expect_arg(&world, end_dispatch, operation_id, CHANGE_ID);
    cr_expect_eq(asked(&world, end_dispatch)->attempt, 3);
    expect_arg(&world, end_dispatch, state, "DONE");
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    expect_release(&world);
    cr_expect_eq(world.http_count, 1);

    world_row(&world, PAY_OUTCOME_RELEASED, &new);
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_REGISTER);
    cr_expect(pay_str_is(field_of(&world.effect.http, "Idempotency-Key"),
                         NONCE));
    world_answer(&world, generic(), 201, "register-answer.json");
    expect_db(&world, PAY_OP_STORE_TOKEN);
    expect_arg(&world, store_token, checkout_id, "c-1");
    world_row(&world, PAY_OUTCOME_STORED, &done);
    expect_reply(&world, PAY_REPLY_JSON, 201);
    cr_expect_str_eq(world.flow.outcome, "created");
    cr_expect_eq(world.http_count, 2);
    world_close(&world);
}


/* Its nonce is the row's, and so is the PSP. */
Test(pay_flow_replace, what_is_closed_already_needs_no_call)
{
    pay_checkout_row_t  old = old_page(), new = view_of(generic());
    world_t             world;

    world_open(&world);
    replace_open(&world);
    world_row(&world, PAY_OUTCOME_FOUND, &old);
    world_row(&world, PAY_OUTCOME_CREATED, &new);
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_REGISTER);
    cr_expect_eq(world.db_count, 2);
    world_close(&world);
}


/* The PSP's word about the payment is kept before anything is judged. */
Test(pay_flow_replace, what_was_paid_meanwhile_is_409_and_booked)
{
    pay_checkout_row_t  old = old_page(), new = view_of(generic());
    world_t             world;

    new.registration_state = PAY_STR("REFUSED");
    new.code = PAY_STR("not_replaced");
    set_orders(&new, FAILED("cancelled"));

    world_open(&world);
    close_sent(&world);
    world_answer(&world, generic(), 200, "query-paid.json");
    expect_db(&world, PAY_OP_END_DISPATCH);
    expect_arg(&world, end_dispatch, state, "REFUSED");
    expect_arg(&world, end_dispatch, code, "already_paid");
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    expect_db(&world, PAY_OP_APPLY_EVENT);
    world_row(&world, PAY_OUTCOME_APPLIED, &old);
    expect_release(&world);
    world_row(&world, PAY_OUTCOME_REFUSED, &new);
    expect_conflict(&world, 0);
    cr_expect_eq(world.http_count, 1);
    world_close(&world);
}


/* A lost row of either leaves the judgement where it is. */
Test(pay_flow_replace, a_word_that_is_not_stored_is_judged_all_the_same)
{
    unsigned            i;
    pay_checkout_row_t  new = view_of(generic());
    world_t             world;

    for (i = 0; i < 2 * DB_FAILURES; i++) {
        world_open(&world);
        close_sent(&world);
        world_answer(&world, generic(), 200, "query-paid.json");

        if (i < DB_FAILURES) {
            world_db_failed(&world, (pay_db_failure_t) i);

        } else {
            world_result(&world, PAY_OUTCOME_STORED, NULL);
            expect_db(&world, PAY_OP_APPLY_EVENT);
            world_db_failed(&world, (pay_db_failure_t) (i - DB_FAILURES));
        }

        expect_release(&world);
        world_row(&world, PAY_OUTCOME_WAITING, &new);
        expect_waiting(&world, 0);
        cr_expect_eq(world.http_count, 1);
        world_close(&world);
    }
}


Test(pay_flow_replace, an_unknown_close_is_202_and_registers_nothing)
{
    unsigned            i;
    pay_checkout_row_t  new = view_of(generic());
    world_t             world;

    static const struct {
        pay_sent_t   sent;
        unsigned     status;
        const char  *fixture;
        const char  *state;
    } ends[] = {
        { PAY_SENT_NOTHING, 0, NULL, "NOT_SENT" },
        { PAY_SENT_SOME, 0, NULL, "UNKNOWN" },
        { PAY_ANSWERED, 503, "error-busy.json", "UNKNOWN" },
        { PAY_ANSWERED, 200, "query-open.json", "UNKNOWN" }
    };

    for (i = 0; i < COUNT(ends); i++) {
        world_open(&world);
        close_sent(&world);

        if (ends[i].fixture == NULL) {
            world_no_answer(&world, ends[i].sent, PAY_FAILURE_TIMEOUT);

        } else {
            world_answer(&world, generic(), ends[i].status, ends[i].fixture);
        }

        expect_db(&world, PAY_OP_END_DISPATCH);
        expect_arg(&world, end_dispatch, state, ends[i].state);
        world_result(&world, PAY_OUTCOME_STORED, NULL);
        expect_release(&world);
        world_row(&world, PAY_OUTCOME_WAITING, &new);
        expect_waiting(&world, 0);
        cr_expect_str_eq(world.flow.outcome, "pending");
        cr_expect_eq(world.http_count, 1, "case %u", i);
        world_close(&world);
    }
}


/* Another one is at it, or nobody knows whether it is journaled. */
Test(pay_flow_replace, a_close_that_is_not_ours_to_send_is_left_to_its_job)
{
    size_t              i;
    pay_checkout_row_t  old = old_page(), new = view_of(generic());
    world_t             world;
    pay_change_row_t    row = change_of("close");

    static const pay_outcome_t  outcomes[] = {
        PAY_OUTCOME_ASK, PAY_OUTCOME_DONE, PAY_OUTCOME_BUSY, PAY_OUTCOME_NONE
    };

    for (i = 0; i < COUNT(outcomes); i++) {
        world_open(&world);
        replace_begun(&world);
        row.checkout = old;
        world_change_row(&world, PAY_OUTCOME_FOUND, &row);

        if (outcomes[i] != PAY_OUTCOME_NONE) {
            world_dispatch_row(&world, outcomes[i], 0, 0);

        } else {
            world_db_failed(&world, PAY_DB_UNKNOWN);
        }

        expect_release(&world);
        world_row(&world, PAY_OUTCOME_WAITING, &new);
        expect_waiting(&world, 0);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


/* No such change, no row, no PSP, no page: the change's job ends it. */
Test(pay_flow_replace, a_close_that_cannot_be_made_up_sends_nothing)
{
    unsigned            i;
    pay_checkout_row_t  old, new = view_of(generic());
    world_t             world;
    pay_change_row_t    row = change_of("close");

    for (i = 0; i < 4; i++) {
        old = old_page();
        old.psp = i == 2 ? PAY_STR("forgotten") : old.psp;
        old.token = i == 3 ? pay_str_of(NULL) : old.token;
        row.checkout = old;
        world_open(&world);
        replace_begun(&world);

        if (i == 0) {
            world_db_failed(&world, PAY_DB_UNAVAILABLE);

        } else {
            world_change_row(&world, i == 1 ? PAY_OUTCOME_NOT_FOUND
                                            : PAY_OUTCOME_FOUND,
                             i == 1 ? NULL : &row);
        }

        expect_release(&world);
        world_row(&world, PAY_OUTCOME_WAITING, &new);
        expect_waiting(&world, 0);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


/* It may be released by now, or not: whoever has its lease registers it. */
Test(pay_flow_replace, a_lost_release_is_202_and_registers_nothing)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < DB_FAILURES; i++) {
        world_open(&world);
        close_confirmed(&world);
        expect_release(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        expect_waiting(&world, 0);
        cr_expect_eq(world.http_count, 1);
        world_close(&world);
    }
}


/* Its job was quicker: the page is that one's. */
Test(pay_flow_replace, what_another_has_registered_is_shown)
{
    pay_checkout_row_t  done = view_registered(generic());
    world_t             world;

    world_open(&world);
    close_confirmed(&world);
    world_row(&world, PAY_OUTCOME_ALREADY, &done);
    expect_reply(&world, PAY_REPLY_JSON, 201);
    cr_expect_eq(world.http_count, 1);
    world_close(&world);
}


Test(pay_flow_replace, a_lost_question_about_the_old_one_stores_nothing)
{
    unsigned            i;
    pay_checkout_row_t  old = old_page();
    world_t             world;

    for (i = 0; i < 2 * DB_FAILURES; i++) {
        world_open(&world);
        replace_open(&world);

        if (i >= DB_FAILURES) {
            world_row(&world, PAY_OUTCOME_FOUND, &old);
            expect_db(&world, PAY_OP_BEGIN_PAYMENT);
        }

        world_db_failed(&world, (pay_db_failure_t) (i % DB_FAILURES));
        cr_assert(world.ended);
        cr_assert_eq(world.effect.reply->kind, PAY_REPLY_PROBLEM);
        cr_expect_geq(world.effect.reply->status, 500);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_replace, what_begin_refuses_is_not_sent)
{
    pay_checkout_row_t   old = old_page();
    world_t              world;
    const pay_reply_t   *reply;

    world_open(&world);
    replace_open(&world);
    world_row(&world, PAY_OUTCOME_FOUND, &old);
    world_row(&world, PAY_OUTCOME_NOT_REPLACED, NULL);
    expect_conflict(&world, 0);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    world_open(&world);
    replace_open(&world);
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    world_row(&world, PAY_OUTCOME_NOTHING_TO_REPLACE, NULL);
    reply = expect_problem(&world, "validation-error", 422);
    cr_expect(pay_str_is(reply->pointer, "/replaces"));
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


/* It has gone with the arguments of begin_payment. */
Test(pay_flow_replace, what_begin_refuses_needs_nothing_of_the_request)
{
    char                base[] = BASE;
    pay_checkout_row_t  old = old_page();
    world_t             world;

    world_open(&world);
    create_fill(&world, WORLD_GENERIC, REPLACING);
    world.create.change_id = PAY_STR(CHANGE_ID);
    world.create.base_url = pay_str_of(base);
    world_made(&world, pay_flow_create(&world.flow, &world.create));
    world_start(&world);
    world_row(&world, PAY_OUTCOME_FOUND, &old);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);

    memset(base, 'x', sizeof(base) - 1);
    memset(&world.request, 0, sizeof(world.request));
    world_row(&world, PAY_OUTCOME_NOT_REPLACED, NULL);
    expect_conflict(&world, 0);
    world_close(&world);
}


/* The present state, and nothing is sent for it. */
Test(pay_flow_replace, a_repetition_shows_how_far_it_is)
{
    size_t              i;
    pay_checkout_row_t  old = old_page(), views[3];
    world_t             world;

    views[0] = view_of(generic());
    views[1] = view_registered(generic());
    views[2] = view_of(generic());
    views[2].registration_state = PAY_STR("REFUSED");
    views[2].code = PAY_STR("not_replaced");
    set_orders(&views[2], FAILED("cancelled"));

    for (i = 0; i < COUNT(views); i++) {
        world_open(&world);
        replace_open(&world);
        world_row(&world, PAY_OUTCOME_FOUND, &old);
        world_row(&world, PAY_OUTCOME_REPLAYED, &views[i]);

        if (i == 0) {
            expect_waiting(&world, 1);

        } else if (i == 1) {
            cr_expect_eq(expect_reply(&world, PAY_REPLY_JSON, 201)->replayed,
                         1);

        } else {
            expect_conflict(&world, 1);
        }

        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


static void
job_begin(world_t *world)
{
    pay_job_row_t  row = {
        .kind = PAY_STR("replace"), .attempts = 1,
        .checkout = view_of(generic())
    };

    world_open(world);
    world_made(world, pay_flow_job(&world->flow, &row, PAY_STR("worker-1")));
    world_start(world);
    expect_release(world);
}


Test(pay_flow_replace, the_job_registers_what_is_released)
{
    pay_checkout_row_t  new = view_of(generic());
    pay_checkout_row_t  done = view_registered(generic());
    world_t             world;

    job_begin(&world);
    world_row(&world, PAY_OUTCOME_RELEASED, &new);
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_REGISTER);
    world_answer(&world, generic(), 201, "register-answer.json");
    expect_db(&world, PAY_OP_STORE_TOKEN);
    world_row(&world, PAY_OUTCOME_STORED, &done);
    cr_assert(world.ended);
    cr_expect_str_eq(world.flow.outcome, "stored");
    world_close(&world);
}


/* release_replacement has put it off, or ended it, itself. */
Test(pay_flow_replace, the_job_of_what_is_not_released_sends_nothing)
{
    size_t              i;
    pay_checkout_row_t  new = view_of(generic());
    world_t             world;

    static const pay_outcome_t  outcomes[] = {
        PAY_OUTCOME_WAITING, PAY_OUTCOME_REFUSED, PAY_OUTCOME_ALREADY
    };

    for (i = 0; i < COUNT(outcomes) + DB_FAILURES; i++) {
        job_begin(&world);

        if (i < COUNT(outcomes)) {
            world_row(&world, outcomes[i], &new);

        } else {
            world_db_failed(&world, (pay_db_failure_t) (i - COUNT(outcomes)));
        }

        cr_assert(world.ended);
        cr_expect_str_eq(world.flow.outcome, i < COUNT(outcomes)
                                             ? "stored" : "not-stored");
        cr_expect_eq(world.db_count, 1);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


static void
play_released(world_t *world)
{
    pay_checkout_row_t  new = view_of(generic());
    pay_checkout_row_t  done = view_registered(generic());

    close_confirmed(world);
    world_row(world, PAY_OUTCOME_RELEASED, &new);
    world_answer(world, generic(), 201, "register-answer.json");
    world_row(world, PAY_OUTCOME_STORED, &done);
}


static void
play_refused(world_t *world)
{
    pay_checkout_row_t  old = old_page(), new = view_of(generic());

    new.registration_state = PAY_STR("REFUSED");
    new.code = PAY_STR("not_replaced");
    set_orders(&new, FAILED("cancelled"));

    close_sent(world);
    world_answer(world, generic(), 200, "query-paid.json");
    world_result(world, PAY_OUTCOME_STORED, NULL);
    world_row(world, PAY_OUTCOME_APPLIED, &old);
    world_row(world, PAY_OUTCOME_REFUSED, &new);
}


Test(pay_flow_replace, no_memory_is_500_or_the_whole_answer)
{
    cr_expect_gt(world_torture(play_released), 20);
    cr_expect_gt(world_torture(play_refused), 20);
}

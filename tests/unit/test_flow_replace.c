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


static view_t
old_page(void)
{
    view_t  view = view_registered(generic());

    view.checkout_id = "c-0";

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
    view_t  old = old_page(), new = view_of(generic());

    replace_open(world);
    world_row(world, "found", &old);
    expect_db(world, PAY_OP_BEGIN_PAYMENT);
    world_row(world, "waiting", &new);
    expect_db(world, PAY_OP_GET_CHANGE);
}


/* Up to the call that closes it. */
static void
close_sent(world_t *world)
{
    view_t        old = old_page();
    change_row_t  row = change_of("close");

    replace_begun(world);
    world_change_row(world, "found", &row, &old);
    expect_db(world, PAY_OP_BEGIN_DISPATCH);
    world_numbers_row(world, "send", 3, 1);
}


/* Up to release_replacement, behind an answer that closes the page. */
static void
close_confirmed(world_t *world)
{
    close_sent(world);
    world_answer(world, generic(), 200, "expire-done.json");
    world_text_row(world, "stored", NULL);
}


static void
expect_release(const world_t *world)
{
    expect_db(world, PAY_OP_RELEASE_REPLACEMENT);
    expect_arg(world, 0, "acme");
    expect_arg(world, 1, "c-1");
    cr_expect_eq(world->effect.args[2].number, 15000);
    expect_arg(world, 3, REQUEST_ID);
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
    view_t   old = old_page();
    world_t  world;

    world_open(&world);
    replace_open(&world);
    expect_arg(&world, 0, "acme");
    expect_arg(&world, 1, "c-0");
    world_row(&world, "found", &old);
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    expect_arg(&world, 3, "c-1");
    expect_arg(&world, 24, "{\"capture\":\"automatic\",\"replaces\":\"c-0\","
                           "\"change_id\":\"" CHANGE_ID "\","
                           "\"can_close\":true}");
    world_close(&world);
}


/* PostgreSQL says whether it is there; a repetition must come that far. */
Test(pay_flow_replace, a_page_that_cannot_be_closed_is_said_to_be_so)
{
    size_t             i;
    view_t             old = old_page();
    world_t            world;
    pay_psp_adapter_t  never = *generic();

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
            old.psp = "forgotten";
        }

        replace_open(&world);
        world_row(&world, i == 2 ? "not_found" : "found",
                  i == 2 ? NULL : &old);
        expect_db(&world, PAY_OP_BEGIN_PAYMENT);
        expect_arg(&world, 24, terms);
        world_close(&world);
    }
}


Test(pay_flow_replace, nothing_leaves_before_the_close_is_confirmed)
{
    view_t   new = view_of(generic()), done = view_registered(generic());
    world_t  world;

    world_open(&world);
    replace_begun(&world);
    expect_arg(&world, 0, "acme");
    expect_arg(&world, 1, NULL);
    expect_arg(&world, 2, CHANGE_ID);
    world_close(&world);

    world_open(&world);
    close_sent(&world);
    expect_http(&world);
    cr_expect_str_eq(world.effect.what, "expire");
    cr_expect(contains(world.effect.http.url, token_text(generic())));
    world_answer(&world, generic(), 200, "expire-done.json");
    expect_db(&world, PAY_OP_END_DISPATCH);
    expect_arg(&world, 1, "c-0");
    expect_arg(&world, 2, "cancel");
    expect_arg(&world, 3, CHANGE_ID);
    cr_expect_eq(world.effect.args[4].number, 3);
    expect_arg(&world, 5, "DONE");
    world_text_row(&world, "stored", NULL);
    expect_release(&world);
    cr_expect_eq(world.http_count, 1);

    world_row(&world, "released", &new);
    expect_http(&world);
    cr_expect_str_eq(world.effect.what, "register");
    cr_expect(pay_str_is(field_of(&world.effect.http, "Idempotency-Key"),
                         NONCE));
    world_answer(&world, generic(), 201, "register-answer.json");
    expect_db(&world, PAY_OP_STORE_TOKEN);
    expect_arg(&world, 1, "c-1");
    world_row(&world, "stored", &done);
    expect_reply(&world, PAY_REPLY_JSON, 201);
    cr_expect_str_eq(world.flow.outcome, "created");
    cr_expect_eq(world.http_count, 2);
    world_close(&world);
}


/* Its nonce is the row's, and so is the PSP. */
Test(pay_flow_replace, what_is_closed_already_needs_no_call)
{
    view_t   old = old_page(), new = view_of(generic());
    world_t  world;

    world_open(&world);
    replace_open(&world);
    world_row(&world, "found", &old);
    world_row(&world, "created", &new);
    expect_http(&world);
    cr_expect_str_eq(world.effect.what, "register");
    cr_expect_eq(world.db_count, 2);
    world_close(&world);
}


/* The PSP's word about the payment is kept before anything is judged. */
Test(pay_flow_replace, what_was_paid_meanwhile_is_409_and_booked)
{
    view_t   old = old_page(), new = view_of(generic());
    world_t  world;

    new.registration = "REFUSED";
    new.code = "not_replaced";
    new.orders = FAILED("cancelled");

    world_open(&world);
    close_sent(&world);
    world_answer(&world, generic(), 200, "query-paid.json");
    expect_db(&world, PAY_OP_END_DISPATCH);
    expect_arg(&world, 5, "REFUSED");
    expect_arg(&world, 8, "already_paid");
    world_text_row(&world, "stored", NULL);
    expect_db(&world, PAY_OP_APPLY_EVENT);
    world_row(&world, "applied", &old);
    expect_release(&world);
    world_row(&world, "refused", &new);
    expect_conflict(&world, 0);
    cr_expect_eq(world.http_count, 1);
    world_close(&world);
}


/* A lost row of either leaves the judgement where it is. */
Test(pay_flow_replace, a_word_that_is_not_stored_is_judged_all_the_same)
{
    unsigned  i;
    view_t    new = view_of(generic());
    world_t   world;

    for (i = 0; i < 2 * DB_FAILURES; i++) {
        world_open(&world);
        close_sent(&world);
        world_answer(&world, generic(), 200, "query-paid.json");

        if (i < DB_FAILURES) {
            world_db_failed(&world, (pay_db_failure_t) i);

        } else {
            world_text_row(&world, "stored", NULL);
            expect_db(&world, PAY_OP_APPLY_EVENT);
            world_db_failed(&world, (pay_db_failure_t) (i - DB_FAILURES));
        }

        expect_release(&world);
        world_row(&world, "waiting", &new);
        expect_waiting(&world, 0);
        cr_expect_eq(world.http_count, 1);
        world_close(&world);
    }
}


Test(pay_flow_replace, an_unknown_close_is_202_and_registers_nothing)
{
    unsigned  i;
    view_t    new = view_of(generic());
    world_t   world;

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
            world_no_answer(&world, ends[i].sent, "timeout");

        } else {
            world_answer(&world, generic(), ends[i].status, ends[i].fixture);
        }

        expect_db(&world, PAY_OP_END_DISPATCH);
        expect_arg(&world, 5, ends[i].state);
        world_text_row(&world, "stored", NULL);
        expect_release(&world);
        world_row(&world, "waiting", &new);
        expect_waiting(&world, 0);
        cr_expect_str_eq(world.flow.outcome, "pending");
        cr_expect_eq(world.http_count, 1, "case %u", i);
        world_close(&world);
    }
}


/* Another one is at it, or nobody knows whether it is journaled. */
Test(pay_flow_replace, a_close_that_is_not_ours_to_send_is_left_to_its_job)
{
    size_t        i;
    view_t        old = old_page(), new = view_of(generic());
    world_t       world;
    change_row_t  row = change_of("close");

    static const char *const  words[] = { "ask", "done", "busy", NULL };

    for (i = 0; i < COUNT(words); i++) {
        world_open(&world);
        replace_begun(&world);
        world_change_row(&world, "found", &row, &old);

        if (words[i] != NULL) {
            world_numbers_row(&world, words[i], 0, 0);

        } else {
            world_db_failed(&world, PAY_DB_UNKNOWN);
        }

        expect_release(&world);
        world_row(&world, "waiting", &new);
        expect_waiting(&world, 0);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


/* No such change, no row, no PSP, no page: the change's job ends it. */
Test(pay_flow_replace, a_close_that_cannot_be_made_up_sends_nothing)
{
    unsigned      i;
    view_t        old, new = view_of(generic());
    world_t       world;
    change_row_t  row = change_of("close");

    for (i = 0; i < 4; i++) {
        old = old_page();
        old.psp = i == 2 ? "forgotten" : old.psp;
        old.token = i == 3 ? NULL : old.token;
        world_open(&world);
        replace_begun(&world);

        if (i == 0) {
            world_db_failed(&world, PAY_DB_UNAVAILABLE);

        } else {
            world_change_row(&world, i == 1 ? "not_found" : "found",
                             i == 1 ? NULL : &row, i == 1 ? NULL : &old);
        }

        expect_release(&world);
        world_row(&world, "waiting", &new);
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
    view_t   done = view_registered(generic());
    world_t  world;

    world_open(&world);
    close_confirmed(&world);
    world_row(&world, "already", &done);
    expect_reply(&world, PAY_REPLY_JSON, 201);
    cr_expect_eq(world.http_count, 1);
    world_close(&world);
}


Test(pay_flow_replace, a_lost_question_about_the_old_one_stores_nothing)
{
    unsigned  i;
    view_t    old = old_page();
    world_t   world;

    for (i = 0; i < 2 * DB_FAILURES; i++) {
        world_open(&world);
        replace_open(&world);

        if (i >= DB_FAILURES) {
            world_row(&world, "found", &old);
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
    view_t              old = old_page();
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    replace_open(&world);
    world_row(&world, "found", &old);
    world_row(&world, "not_replaced", NULL);
    expect_conflict(&world, 0);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    world_open(&world);
    replace_open(&world);
    world_row(&world, "not_found", NULL);
    world_row(&world, "nothing_to_replace", NULL);
    reply = expect_problem(&world, "not-found", 404);
    cr_expect(pay_str_is(reply->pointer, "/replaces"));
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


/* The present state, and nothing is sent for it. */
Test(pay_flow_replace, a_repetition_shows_how_far_it_is)
{
    size_t   i;
    view_t   old = old_page(), views[3];
    world_t  world;

    views[0] = view_of(generic());
    views[1] = view_registered(generic());
    views[2] = view_of(generic());
    views[2].registration = "REFUSED";
    views[2].code = "not_replaced";
    views[2].orders = FAILED("cancelled");

    for (i = 0; i < COUNT(views); i++) {
        world_open(&world);
        replace_open(&world);
        world_row(&world, "found", &old);
        world_row(&world, "replayed", &views[i]);

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
    view_t       view = view_of(generic());
    pay_value_t  row[4 + PAY_VIEW_COLUMNS];

    world_open(world);
    row[0] = pay_value_text(PAY_STR("replace"));
    row[1] = pay_value_int(1);
    row[2] = pay_value_text(PAY_STR(""));
    row[3] = pay_value_text(PAY_STR(""));
    memcpy(row + 4, view_columns(pay_heap_arena(world->own), &view),
           PAY_VIEW_COLUMNS * sizeof(pay_value_t));
    world_made(world, pay_flow_job(&world->flow, row, PAY_STR("worker-1")));
    world_start(world);
    expect_release(world);
}


Test(pay_flow_replace, the_job_registers_what_is_released)
{
    view_t   new = view_of(generic()), done = view_registered(generic());
    world_t  world;

    job_begin(&world);
    world_row(&world, "released", &new);
    expect_http(&world);
    cr_expect_str_eq(world.effect.what, "register");
    world_answer(&world, generic(), 201, "register-answer.json");
    expect_db(&world, PAY_OP_STORE_TOKEN);
    world_row(&world, "stored", &done);
    cr_assert(world.ended);
    cr_expect_str_eq(world.flow.outcome, "stored");
    world_close(&world);
}


/* release_replacement has put it off, or ended it, itself. */
Test(pay_flow_replace, the_job_of_what_is_not_released_sends_nothing)
{
    size_t   i;
    view_t   new = view_of(generic());
    world_t  world;

    static const char *const  words[] = { "waiting", "refused", "already" };

    for (i = 0; i < COUNT(words) + DB_FAILURES; i++) {
        job_begin(&world);

        if (i < COUNT(words)) {
            world_row(&world, words[i], &new);

        } else {
            world_db_failed(&world, (pay_db_failure_t) (i - COUNT(words)));
        }

        cr_assert(world.ended);
        cr_expect_str_eq(world.flow.outcome, i < COUNT(words)
                                             ? "stored" : "not-stored");
        cr_expect_eq(world.db_count, 1);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


static void
play_released(world_t *world)
{
    view_t  new = view_of(generic()), done = view_registered(generic());

    close_confirmed(world);
    world_row(world, "released", &new);
    world_answer(world, generic(), 201, "register-answer.json");
    world_row(world, "stored", &done);
}


static void
play_refused(world_t *world)
{
    view_t  old = old_page(), new = view_of(generic());

    new.registration = "REFUSED";
    new.code = "not_replaced";
    new.orders = FAILED("cancelled");

    close_sent(world);
    world_answer(world, generic(), 200, "query-paid.json");
    world_text_row(world, "stored", NULL);
    world_row(world, "applied", &old);
    world_row(world, "refused", &new);
}


Test(pay_flow_replace, no_memory_is_500_or_the_whole_answer)
{
    cr_expect_gt(world_torture(play_released), 20);
    cr_expect_gt(world_torture(play_refused), 20);
}

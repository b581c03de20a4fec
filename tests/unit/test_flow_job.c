/*
 * Background jobs: the same registration again, byte for byte; the PSP asked
 * how a payment stands; what ends a checkout and what never does.
 */

#include "job_world.h"


static void
expect_same_request(const pay_http_request_t *a, const pay_http_request_t *b)
{
    unsigned  i;

    cr_expect(pay_str_eq(a->method, b->method));
    cr_expect(pay_str_eq(a->url, b->url));
    cr_expect(pay_str_eq(a->body, b->body));
    cr_assert_eq(a->field_count, b->field_count);

    for (i = 0; i < a->field_count; i++) {
        cr_expect(pay_str_eq(a->fields[i].name, b->fields[i].name));
        cr_expect(pay_str_eq(a->fields[i].value, b->fields[i].value));
    }
}


/* T37, I1: the PSP deduplicates by nonce only when the rest is the same. */
Test(pay_flow_job, register_sends_the_bytes_of_the_request_again)
{
    unsigned            psp;
    pay_checkout_row_t  view;
    world_t             request, job;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        view = view_of(psp == WORLD_STRIPE ? stripe() : generic());
        view.nonce = PAY_STR("nonce-of-sql");
        set_orders(&view, "[" STORED("order-1", "1000", "NOT_STARTED",
                                         "null") ","
                              STORED("order-2", "2000", "NOT_STARTED",
                                     "null") "]");
        world_open(&request);
        create_open(&request, psp, BODY(ONE_ORDER));
        world_row(&request, PAY_OUTCOME_CREATED, &view);
        expect_http(&request);

        view.attempt = 5;
        view.version = 9;
        view.code = PAY_STR("timeout");
        job_begin(&job, "register", NOW + 1800, &view);
        expect_http(&job);
        cr_expect_eq(job.effect.buyer_waits, 0);
        cr_expect(job.flow.type->clock == PAY_CLOCK_STEADY);
        expect_same_request(&request.effect.http, &job.effect.http);
        cr_expect(pay_str_is(field_of(&job.effect.http, "Idempotency-Key"),
                             "nonce-of-sql"));
        world_close(&request);
        world_close(&job);
    }
}


Test(pay_flow_job, register_that_succeeds_stores_the_token)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    job_begin(&world, "register", NOW, &view);
    world_answer(&world, generic(), 200, "register-answer.json");
    expect_db(&world, PAY_OP_STORE_TOKEN);
    expect_arg(&world, store_token, token, token_text(generic()));
    view = view_registered(generic());
    world_row(&world, PAY_OUTCOME_STORED, &view);
    expect_silent_end(&world, "stored");
    world_close(&world);
}


Test(pay_flow_job, register_keeps_what_is_unknown)
{
    size_t              i;
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;
    pay_http_answer_t   answer;

    static const struct {
        pay_sent_t   sent;
        unsigned     status;
        const char  *word;
    } rows[] = {
        { PAY_SENT_NOTHING, 0, "not_sent" }, { PAY_SENT_SOME, 0, "unknown" },
        { PAY_ANSWERED, 500, "unknown" }, { PAY_ANSWERED, 200, "unknown" },
        { PAY_ANSWERED, 404, "unknown" }, { PAY_ANSWERED, 429, "not_sent" },
        { PAY_ANSWERED, 401, "not_sent" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        world.now_s = EXPIRES - 1;
        job_open(&world, "register", 3, &view);
        answer = answered(rows[i].status, PAY_STR("oops"));
        answer.sent = rows[i].sent;
        world_http(&world, answer);

        if (strcmp(rows[i].word, "not_sent") == 0) {
            expect_db(&world, PAY_OP_REROUTE);
            world_row(&world, PAY_OUTCOME_STAYS, NULL);
        }

        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, outcome, rows[i].word);
        cr_expect(asked(&world, store_no_token)->retry_after_ms >= 4000
                  && asked(&world, store_no_token)->retry_after_ms < 5000);
        world_row(&world, PAY_OUTCOME_STORED, &view);
        expect_silent_end(&world, "stored");
        world_close(&world);
    }
}


Test(pay_flow_job, register_answered_with_a_foreign_page_is_refused)
{
    pay_checkout_row_t   view = view_of(generic());
    world_t              world;
    pay_str_t            text;
    pay_arena_t         *arena;

    job_begin(&world, "register", NOW, &view);
    arena = pay_heap_arena(world.own);
    text = fixture(arena, generic(), "register-answer.json");
    world_http(&world, answered(200, replaced(arena, text, "pay.psp.example",
                                              "evil.example")));
    expect_db(&world, PAY_OP_STORE_NO_TOKEN);
    expect_arg(&world, store_no_token, outcome, "refused");
    world_close(&world);
}


/* The lease runs out and another worker starts over with the same nonce. */
Test(pay_flow_job, register_that_cannot_be_stored_just_ends)
{
    unsigned            i;
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    for (i = 0; i < DB_FAILURES; i++) {
        job_begin(&world, "register", NOW, &view);
        world_answer(&world, generic(), 200, "register-answer.json");
        world_db_failed(&world, (pay_db_failure_t) i);
        expect_silent_end(&world, "not-stored");
        world_close(&world);
    }
}


/* Found by the simulator: a worker whose clock was behind PostgreSQL's sent a
 * call that nothing had journaled, and registered twice. */
Test(pay_flow_job, what_is_over_gives_up_whatever_the_own_clock_says)
{
    int64_t             late;
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    for (late = -86400; late <= 86400; late += 43200) {
        job_begin(&world, "over", EXPIRES + late, &view);
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        cr_expect_eq(world.http_count, 0);
        expect_arg(&world, store_no_token, psp, "generic");
        expect_arg(&world, store_no_token, outcome, "expired");
        expect_arg(&world, store_no_token, code, "expired_unregistered");
        expect_arg(&world, store_no_token, request_id, REQUEST_ID);
        world_row(&world, PAY_OUTCOME_STORED, &view);
        expect_silent_end(&world, "stored");
        world_close(&world);
    }

    for (late = -1; late <= 86400; late += 43200) {
        job_begin(&world, "register", EXPIRES + late, &view);
        expect_http(&world);
        world_close(&world);
    }
}


/* A rule that came with an update must not fail a stored checkout. */
Test(pay_flow_job, register_that_the_adapter_now_refuses_waits)
{
    pay_checkout_row_t  view = view_of(stripe());
    world_t             world;

    view.currency = PAY_STR("KWD");
    view.total_minor = 1234;
    set_orders(&view, "[" STORED("order-1", "1234", "NOT_STARTED",
                                     "null") "]");
    job_begin(&world, "register", NOW, &view);
    expect_db(&world, PAY_OP_REROUTE);
    expect_arg(&world, reroute, outcome, "not_sent");
    expect_arg(&world, reroute, code, "request_refused");
    world_row(&world, PAY_OUTCOME_STAYS, NULL);
    expect_db(&world, PAY_OP_STORE_NO_TOKEN);
    expect_arg(&world, store_no_token, outcome, "not_sent");
    expect_arg(&world, store_no_token, code, "request_refused");
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


Test(pay_flow_job, job_of_a_psp_that_is_not_configured_waits)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const char *const  kinds[] = { "over", "register", "poll" };

    view.psp = PAY_STR("removed");

    for (i = 0; i < 2 * COUNT(kinds); i++) {
        job_begin(&world, kinds[i / 2], i % 2 ? NOW : EXPIRES + 86400, &view);

        if (i < 2) {
            /* over: nobody has to be asked for that */
            expect_db(&world, PAY_OP_STORE_NO_TOKEN);
            expect_arg(&world, store_no_token, outcome, "expired");
            cr_expect_eq(world.http_count, 0);
            world_close(&world);
            continue;
        }

        if (i < 4) {
            /* another PSP may be there for it */
            expect_db(&world, PAY_OP_REROUTE);
            expect_arg(&world, reroute, psp, "removed");
            expect_arg(&world, reroute, outcome, "not_sent");
            expect_arg(&world, reroute, code, "psp_not_configured");
            world_close(&world);
            continue;
        }

        expect_again(&world, kinds[i / 2], "psp_not_configured", 60000);
        world_result(&world, PAY_OUTCOME_DONE, NULL);
        expect_silent_end(&world, "psp_not_configured");
        world_close(&world);
    }
}


Test(pay_flow_job, poll_asks_about_the_stored_token)
{
    unsigned            psp;
    pay_checkout_row_t  view;
    world_t             world;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        view = view_registered(psp == WORLD_STRIPE ? stripe() : generic());
        job_begin(&world, "poll", NOW, &view);
        expect_http(&world);
        cr_expect(pay_str_is(world.effect.http.method, "GET"));
        cr_expect(contains(world.effect.http.url,
                           token_text(world.psps[psp].adapter)));
        cr_expect_eq(world.effect.buyer_waits, 0);
        world_close(&world);
    }
}


Test(pay_flow_job, poll_applies_what_the_psp_says)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const char *const  facts[] = {
        "paid", "pending", "declined", "expired", "cancelled"
    };

    for (i = 0; i < COUNT(facts); i++) {
        char  file[64];

        snprintf(file, sizeof(file), "query-%s.json", facts[i]);
        job_begin(&world, "poll", NOW, &view);
        world_answer(&world, generic(), 200, file);
        expect_db(&world, PAY_OP_APPLY_EVENT);
        expect_arg(&world, apply_event, psp, "generic");
        expect_arg(&world, apply_event, source, "query");
        expect_arg(&world, apply_event, event_id, NULL);
        expect_arg(&world, apply_event, fact, facts[i]);
        expect_arg(&world, apply_event, token, token_text(generic()));
        world_row(&world, PAY_OUTCOME_APPLIED, &view);
        expect_again(&world, "poll", "applied", 5000);
        world_result(&world, PAY_OUTCOME_GONE, NULL);
        expect_silent_end(&world, "applied");
        world_close(&world);
    }
}


/* Once a poll threw it away, and called the payment expired in the end. */
Test(pay_flow_job, poll_applies_what_was_captured)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const char *const  files[] = { "query-captured-part.json",
                                          "query-captured-final.json" };
    static const int64_t      times[] = { NOW, EXPIRES + 86400 };

    for (i = 0; i < 2 * COUNT(files); i++) {
        job_begin(&world, "poll", times[i % 2], &view);
        world_answer(&world, generic(), 200, files[i / 2]);
        expect_db(&world, PAY_OP_APPLY_CHANGE);
        expect_arg(&world, apply_change, source, "query");
        expect_arg(&world, apply_change, about, "capture");
        expect_arg(&world, apply_change, news,
                   i / 2 == 0 ? "succeeded" : "ended");
        world_close(&world);
    }
}


Test(pay_flow_job, poll_that_cannot_be_applied_leaves_the_job_to_its_lease)
{
    unsigned            i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    for (i = 0; i < DB_FAILURES; i++) {
        job_begin(&world, "poll", NOW, &view);
        world_answer(&world, generic(), 200, "query-paid.json");
        world_db_failed(&world, (pay_db_failure_t) i);
        expect_silent_end(&world, "not-stored");
        world_close(&world);

        job_begin(&world, "poll", NOW, &view);
        world_answer(&world, generic(), 200, "query-open.json");
        world_db_failed(&world, (pay_db_failure_t) i);
        expect_silent_end(&world, "not-stored");
        world_close(&world);
    }
}


/* Rule 14: no trouble of network or parser ever becomes a failed payment,
 * however late it is. */
Test(pay_flow_job, poll_without_an_answer_never_ends_a_payment)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;
    pay_http_answer_t   answer;

    static const struct {
        pay_sent_t   sent;
        unsigned     status;
        const char  *body;
    } rows[] = {
        { PAY_SENT_NOTHING, 0, "" }, { PAY_SENT_SOME, 0, "" },
        { PAY_ANSWERED, 404, "{\"error\":{\"code\":\"not_found\"}}" },
        { PAY_ANSWERED, 500, "" }, { PAY_ANSWERED, 200, "{" },
        { PAY_ANSWERED, 200, "{\"token\":\"other\",\"status\":\"expired\"}" },
        { PAY_ANSWERED, 200, "{\"token\":\"reg_01JD8Z\",\"status\":\"x\"}" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        job_begin(&world, "poll", EXPIRES + 10 * 86400, &view);
        answer = answered(rows[i].status, pay_str_of(rows[i].body));
        answer.sent = rows[i].sent;
        world_http(&world, answer);
        expect_again(&world, "poll", "no_answer", 5000);
        world_close(&world);
    }
}


Test(pay_flow_job, open_after_expiry_and_grace_is_expired_by_us)
{
    unsigned            psp;
    pay_checkout_row_t  view;
    world_t             world;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        view = view_registered(psp == WORLD_STRIPE ? stripe() : generic());
        job_begin(&world, "poll", EXPIRES + GRACE_S + 1, &view);
        expect_http(&world);                    /* asked first, in any case */
        world_answer(&world, world.psps[psp].adapter, 200, "query-open.json");
        expect_db(&world, PAY_OP_APPLY_EVENT);
        expect_arg(&world, apply_event, source, "gateway");
        expect_arg(&world, apply_event, fact, "expired");
        expect_arg(&world, apply_event, token,
                   token_text(world.psps[psp].adapter));
        expect_arg(&world, apply_event, currency, NULL);
        cr_expect_not(asked(&world, apply_event)->amount_minor.is_set);
        world_close(&world);
    }
}


Test(pay_flow_job, paid_after_expiry_and_grace_is_paid)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    job_begin(&world, "poll", EXPIRES + GRACE_S + 1, &view);
    world_answer(&world, generic(), 200, "query-paid.json");
    expect_db(&world, PAY_OP_APPLY_EVENT);
    expect_arg(&world, apply_event, source, "query");
    expect_arg(&world, apply_event, fact, "paid");
    world_close(&world);
}


Test(pay_flow_job, open_within_the_grace_is_asked_again)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    job_begin(&world, "poll", EXPIRES + GRACE_S, &view);
    world_answer(&world, generic(), 200, "query-open.json");
    expect_again(&world, "poll", "open", 1000);
    world_close(&world);
}


Test(pay_flow_job, polls_are_often_at_first_and_seldom_later)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const int64_t  rows[][2] = {
        { INT64_MIN, 5000 }, { -1, 5000 }, { 0, 5000 }, { 1, 5000 },
        { 2, 10000 }, { 6, 160000 }, { 7, 300000 }, { 8, 300000 },
        { 64, 300000 }, { INT64_MAX, 300000 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        job_open(&world, "poll", rows[i][0], &view);
        world_answer(&world, generic(), 200, "query-open.json");
        expect_again(&world, "poll", "open", rows[i][1]);
        world_close(&world);
    }
}


/* The merchant is waited for, not the PSP; whoever else is open counts. */
Test(pay_flow_job, polls_of_what_is_held_are_an_hour_apart)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const struct {
        const char  *orders;
        int64_t      delay_ms;
    } rows[] = {
        { "[" HELD("order-1") "]", 3600000 },
        { "[" HELD("order-1") "," SOLD("order-2") "]", 3600000 },
        { "[" SOLD("order-1") "," HELD("order-2") "]", 3600000 },
        { "[" HELD("order-1") "," OPEN("order-2") "]", 5000 },
        { "[" OPEN("order-1") "]", 5000 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        set_orders(&view, rows[i].orders);
        job_begin(&world, "poll", NOW, &view);
        world_answer(&world, generic(), 200, "query-open.json");
        expect_again(&world, "poll", "open", rows[i].delay_ms);
        world_close(&world);

        job_begin(&world, "poll", NOW, &view);
        world_http(&world, answered(503, PAY_STR("")));
        expect_again(&world, "poll", "no_answer", 5000);
        world_close(&world);
    }
}


/* The block of that name was given another adapter: it crashed the worker. */
Test(pay_flow_job, job_of_a_psp_that_takes_no_orders_any_more_waits)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    world_open(&world);
    world.psps[WORLD_GENERIC].adapter = pay_psp_find(PAY_STR("braintree"));
    job_open(&world, "poll", 1, &view);
    expect_again(&world, "poll", "psp_not_configured", 60000);
    world_close(&world);

    view = view_of(generic());
    world_open(&world);
    world.psps[WORLD_GENERIC].adapter = pay_psp_find(PAY_STR("braintree"));
    job_open(&world, "register", 1, &view);
    expect_db(&world, PAY_OP_REROUTE);
    expect_arg(&world, reroute, outcome, "not_sent");
    expect_arg(&world, reroute, code, "psp_not_configured");
    world_close(&world);
}


Test(pay_flow_job, kinds_that_are_not_known_are_our_bug)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const char *const  kinds[] = { "", "Register", "poll ", "capture" };

    for (i = 0; i < COUNT(kinds); i++) {
        job_begin(&world, kinds[i], NOW, &view);
        expect_problem(&world, "internal-error", 500);
        cr_expect_eq(world.http_count + world.db_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_job, a_poll_without_a_token_asks_nobody)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    job_begin(&world, "poll", NOW, &view);
    expect_problem(&world, "internal-error", 500);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


Test(pay_flow_job, a_broken_row_makes_no_flow)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;
    pay_job_row_t       job = { .kind = PAY_STR("poll"), .attempts = 1 };

    world_open(&world);
    set_orders(&view, "[]");
    job.checkout = view;
    cr_expect_eq(pay_flow_job(&world.flow, &job, PAY_STR(OWNER)), PAY_BUG);
    world_close(&world);
}


static void
play_register(world_t *world)
{
    pay_checkout_row_t  view = view_of(stripe());

    job_open(world, "register", 1, &view);
    world_answer(world, stripe(), 200, "register-answer.json");
    view = view_registered(stripe());
    world_row(world, PAY_OUTCOME_STORED, &view);
}


static void
play_give_up(world_t *world)
{
    pay_checkout_row_t  view = view_of(stripe());

    world->now_s = EXPIRES;
    job_open(world, "over", 1, &view);
    world_row(world, PAY_OUTCOME_STORED, &view);
}


static void
play_poll(world_t *world)
{
    pay_checkout_row_t  view = view_registered(generic());

    job_open(world, "poll", 1, &view);
    world_answer(world, generic(), 200, "query-paid.json");
    set_orders(&view, SUCCESS);
    world_row(world, PAY_OUTCOME_APPLIED, &view);
    world_result(world, PAY_OUTCOME_GONE, NULL);
}


static void
play_expired(world_t *world)
{
    pay_checkout_row_t  view = view_registered(stripe());

    world->now_s = EXPIRES + GRACE_S + 1;
    job_open(world, "poll", 1, &view);
    world_answer(world, stripe(), 200, "query-open.json");
    world_row(world, PAY_OUTCOME_APPLIED, &view);
    world_result(world, PAY_OUTCOME_GONE, NULL);
}


Test(pay_flow_job, failing_memory_ends_a_job_and_fails_no_payment)
{
    cr_expect_geq(world_torture(play_register), 20);
    cr_expect_geq(world_torture(play_give_up), 10);
    cr_expect_geq(world_torture(play_poll), 20);
    cr_expect_geq(world_torture(play_expired), 20);
}

/*
 * What goes on after trouble: a registration whose key is over is only asked
 * for, retries end at their limit, late money is paid back once, missed
 * events are read from the PSP's list.
 */

#include "flow_driver.h"


#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define OWNER      "worker-1"
#define REFUND_ID  "0199c0de-0000-7000-8000-0000000000aa"
#define SINCE      (NOW - 3600)


/* A PSP that answers as the test says. */
static pay_psp_adapter_t    made;
static pay_psp_outcome_t    outcome;
static pay_psp_change_t     asked_for;
static pay_psp_list_t       listed_for;
static pay_psp_listed_t     page;
static pay_status_t         refused;
static pay_str_t            more, find_from, reference;


static pay_status_t
make_get(pay_http_request_t *request)
{
    memset(request, 0, sizeof(*request));
    request->method = PAY_STR("GET");
    request->url = PAY_STR("https://psp.example/find");

    return PAY_OK;
}


static pay_status_t
find_request(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    const pay_psp_checkout_t *checkout, pay_http_request_t *request)
{
    (void) arena;
    (void) psp_account;
    cr_expect(pay_str_is(checkout->nonce, NONCE));
    cr_expect(pay_str_is(checkout->merchant_reference, REFERENCE));
    cr_expect_eq(checkout->amount_minor, 3000);
    find_from = checkout->find_from;

    return make_get(request);
}


static pay_status_t
find_answer(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    (void) arena;
    (void) checkout;
    memset(result, 0, sizeof(*result));
    result->retry_after_s = -1;
    result->outcome = answer->sent == PAY_ANSWERED ? outcome
                                                   : PAY_PSP_UNKNOWN;
    result->code = PAY_STR("found_none");
    result->next = more;

    if (result->outcome == PAY_PSP_DONE) {
        result->token = PAY_STR("reg_found");
        result->hosted_url = PAY_STR("https://pay.psp.example/p/1");
    }

    return PAY_OK;
}


static pay_status_t
change_request(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    const pay_psp_change_t *change, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) arena;
    (void) psp_account;
    (void) err;
    asked_for = *change;

    return (refused == PAY_OK) ? make_get(request) : refused;
}


static pay_status_t
change_answer(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_changed_t *result)
{
    (void) arena;
    (void) change;
    (void) answer;
    memset(result, 0, sizeof(*result));
    result->outcome = outcome;
    result->reference = PAY_STR("re_1");
    result->retry_after_s = 33;

    return PAY_OK;
}


static pay_status_t
list_request(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    const pay_psp_list_t *list, pay_http_request_t *request)
{
    (void) arena;
    (void) psp_account;
    listed_for = *list;

    return make_get(request);
}


static pay_status_t
list_answer(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    const pay_psp_list_t *list, const pay_http_answer_t *answer,
    pay_psp_listed_t *listed)
{
    (void) arena;
    (void) psp_account;
    (void) list;
    *listed = page;
    listed->known = answer->sent == PAY_ANSWERED;

    return PAY_OK;
}


static void
open_world(world_t *world)
{
    refused = PAY_OK;
    more = PAY_STR("");
    memset(&page, 0, sizeof(page));
    made = *generic();
    made.find_request = find_request;
    made.find_answer = find_answer;
    made.change_request = change_request;
    made.change_answer = change_answer;
    made.list_request = list_request;
    made.list_answer = list_answer;

    world_open(world);
    world->psps[WORLD_GENERIC].adapter = &made;
    world->psps[WORLD_GENERIC].backfill_ms = 600000;
    reference = PAY_STR("pay_1");
}


static void
job_open(world_t *world, const char *kind, int64_t attempts,
    const pay_checkout_row_t *view)
{
    pay_job_row_t  job = {
        .kind = pay_str_of(kind), .attempts = attempts,
        .operation_id = PAY_STR(REFUND_ID), .reference = reference,
        .checkout = *view
    };

    world->stored = view->token.len != 0;
    world_made(world, pay_flow_job(&world->flow, &job, PAY_STR(OWNER)));
    world_start(world);
}


static void
expect_finished(const world_t *world, int64_t delay_ms, const char *code,
    const char *dead)
{
    expect_db(world, PAY_OP_FINISH_JOB);
    expect_arg(world, finish_job, operation_id, "");
    cr_expect_eq(asked(world, finish_job)->delay_ms, delay_ms, "%ld",
                 (long) asked(world, finish_job)->delay_ms);
    expect_arg(world, finish_job, code, code);
    expect_arg(world, finish_job, dead, dead);
}


static void
expect_held(const world_t *world, const char *dead)
{
    expect_db(world, PAY_OP_STORE_NO_TOKEN);
    expect_arg(world, store_no_token, outcome, "held");
    expect_arg(world, store_no_token, dead, dead);
}


static pay_http_answer_t
lost(pay_sent_t sent)
{
    pay_http_answer_t  answer = answered(0, PAY_STR(""));

    answer.sent = sent;

    return answer;
}


/* Nothing is sent under a key that the PSP has forgotten: it would be a
 * second registration. */
Test(pay_flow_repair, a_key_that_is_over_is_asked_for_and_never_sent)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    open_world(&world);
    job_open(&world, "find", 1, &view);
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_FIND);
    cr_expect(pay_str_is(world.effect.http.method, "GET"));
    outcome = PAY_PSP_DONE;
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_db(&world, PAY_OP_STORE_TOKEN);
    expect_arg(&world, store_token, token, "reg_found");
    world_close(&world);
}


/* That there is none now proves nothing about later. */
Test(pay_flow_repair, what_is_not_found_is_held_and_asked_for_again)
{
    size_t              i;
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    static const pay_psp_outcome_t  outcomes[] = {
        PAY_PSP_NOT_SENT, PAY_PSP_REFUSED, PAY_PSP_UNKNOWN, PAY_PSP_PENDING
    };

    for (i = 0; i < COUNT(outcomes); i++) {
        open_world(&world);
        job_open(&world, "find", 2, &view);
        outcome = outcomes[i];
        world_http(&world, answered(200, PAY_STR("{}")));
        expect_held(&world, NULL);
        cr_expect_geq(asked(&world, store_no_token)->retry_after_ms, 2000);
        world_close(&world);
    }

    open_world(&world);
    job_open(&world, "find", 1, &view);
    world_http(&world, lost(PAY_SENT_SOME));
    expect_held(&world, NULL);
    world_close(&world);
}


Test(pay_flow_repair, a_long_list_is_looked_through_but_not_for_ever)
{
    unsigned            pages = 1;
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    open_world(&world);
    job_open(&world, "find", 1, &view);
    cr_expect_eq(find_from.len, 0);
    outcome = PAY_PSP_UNKNOWN;
    more = PAY_STR("page-2");
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_http(&world);
    cr_expect(pay_str_is(find_from, "page-2"));

    while (world.effect.kind == PAY_DO_HTTP) {
        cr_assert_lt(pages++, 1000);
        world_http(&world, answered(200, PAY_STR("{}")));
    }

    expect_held(&world, NULL);
    world_close(&world);
}


Test(pay_flow_repair, a_page_of_a_foreign_host_is_not_found_either)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    static const pay_str_t  others[] = { pay_string("elsewhere.example") };

    open_world(&world);
    world.psps[WORLD_GENERIC].hosted_hosts = others;
    job_open(&world, "find", 1, &view);
    outcome = PAY_PSP_DONE;
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_held(&world, NULL);
    world_close(&world);
}


Test(pay_flow_repair, what_cannot_be_asked_for_is_for_people)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    open_world(&world);
    made.find_request = NULL;
    job_open(&world, "find", 1, &view);
    expect_held(&world, "key_window_over");
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    open_world(&world);
    job_open(&world, "find", 100, &view);
    outcome = PAY_PSP_UNKNOWN;
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_held(&world, "key_window_over");
    world_close(&world);
}


Test(pay_flow_repair, what_is_asked_for_ends_with_its_checkout)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    open_world(&world);
    job_open(&world, "over", 3, &view);
    expect_db(&world, PAY_OP_STORE_NO_TOKEN);
    expect_arg(&world, store_no_token, outcome, "expired");
    cr_expect_eq(world.http_count, 0);
    world_close(&world);
}


Test(pay_flow_repair, a_registration_dies_at_its_limit)
{
    size_t              i;
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;
    pay_retry_t        *retry;

    static const struct {
        int64_t         attempt;
        pay_retry_by_t  by;
        const char     *dead;
    } rows[] = {
        { 2, PAY_RETRY_FIXED, NULL }, { 3, PAY_RETRY_FIXED, "retry_limit" },
        { 9, PAY_RETRY_EXPONENTIAL, "retry_limit" },
        { 1, PAY_RETRY_CANCEL, "cancelled" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        open_world(&world);
        retry = &world.psps[WORLD_GENERIC].retry[PAY_RETRY_REGISTER];
        retry->by = rows[i].by;
        retry->limit = 3;
        job_open(&world, "register", rows[i].attempt, &view);
        world_http(&world, lost(PAY_SENT_SOME));
        expect_db(&world, PAY_OP_STORE_NO_TOKEN);
        expect_arg(&world, store_no_token, outcome, "unknown");
        expect_arg(&world, store_no_token, dead, rows[i].dead);
        world_close(&world);
    }
}


/* It died again after one attempt: the registration's own number counts all
 * that there ever were. */
Test(pay_flow_repair, a_requeued_registration_has_all_its_attempts_ahead)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    open_world(&world);
    world.psps[WORLD_GENERIC].retry[PAY_RETRY_REGISTER].limit = 3;
    view.attempt = 90;
    job_open(&world, "register", 1, &view);
    world_http(&world, lost(PAY_SENT_SOME));
    expect_db(&world, PAY_OP_STORE_NO_TOKEN);
    expect_arg(&world, store_no_token, dead, NULL);
    world_close(&world);
}


Test(pay_flow_repair, how_far_a_call_came_is_noted)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;
    pay_http_answer_t   answer = lost(PAY_SENT_SOME);

    answer.reach = PAY_REACH_STATUS;
    answer.status = 502;
    open_world(&world);
    job_open(&world, "register", 1, &view);
    world_http(&world, answer);
    expect_db(&world, PAY_OP_STORE_NO_TOKEN);
    expect_arg(&world, store_no_token, reach, "status");
    cr_expect_eq(asked(&world, store_no_token)->http_status.number, 502);
    world_close(&world);

    answer = lost(PAY_SENT_NOTHING);
    answer.reach = PAY_REACH_CONNECTED;
    open_world(&world);
    job_open(&world, "register", 1, &view);
    world_http(&world, answer);
    expect_db(&world, PAY_OP_REROUTE);
    expect_arg(&world, reroute, reach, "connected");
    cr_expect((!asked(&world, reroute)->http_status.is_set));
    world_close(&world);
}


Test(pay_flow_repair, a_psp_that_does_not_answer_ends_the_polls)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    open_world(&world);
    job_open(&world, "poll", 99, &view);
    world_http(&world, lost(PAY_SENT_SOME));
    expect_finished(&world, 300000, "no_answer", NULL);
    world_close(&world);

    open_world(&world);
    job_open(&world, "poll", 100, &view);
    world_http(&world, lost(PAY_SENT_SOME));
    expect_finished(&world, 300000, "no_answer", "retry_limit");
    world_close(&world);
}


/* A payment may be pending for days. */
Test(pay_flow_repair, a_psp_that_answers_is_asked_without_end)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    open_world(&world);
    job_open(&world, "poll", 5000, &view);
    world_answer(&world, generic(), 200, "query-open.json");
    expect_finished(&world, 300000, "open", NULL);
    world_close(&world);
}


static void
refund_open(world_t *world, int64_t attempts, pay_psp_outcome_t wanted)
{
    pay_checkout_row_t  view = view_registered(generic());

    outcome = wanted;
    open_world(world);
    job_open(world, "refund", attempts, &view);
    expect_db(world, PAY_OP_BEGIN_DISPATCH);
    expect_arg(world, begin_dispatch, operation, "refund");
    expect_arg(world, begin_dispatch, operation_id, REFUND_ID);
}


static void
refund_sent(world_t *world, const char *state)
{
    world_dispatch_row(world, PAY_OUTCOME_SEND, 1, 1);
    expect_http(world);
    cr_expect_eq(world->effect.call, PAY_CALL_REFUND);
    cr_expect_eq(asked_for.kind, PAY_PSP_REFUND);
    cr_expect(pay_str_is(asked_for.key, REFUND_ID));
    cr_expect(pay_str_is(asked_for.reference, "pay_1"));
    cr_expect_eq(asked_for.amount_minor, 3000);
    world_http(world, answered(200, PAY_STR("{}")));
    expect_db(world, PAY_OP_END_DISPATCH);
    expect_arg(world, end_dispatch, operation_id, REFUND_ID);
    expect_arg(world, end_dispatch, state, state);
}


Test(pay_flow_repair, late_money_is_paid_back_under_its_own_key)
{
    unsigned  i;
    world_t   world;

    static const char *const  states[] = { "DONE", "PENDING" };

    for (i = 0; i < COUNT(states); i++) {
        refund_open(&world, 1, i ? PAY_PSP_PENDING : PAY_PSP_DONE);
        refund_sent(&world, states[i]);
        expect_arg(&world, end_dispatch, reference, "re_1");
        world_result(&world, PAY_OUTCOME_STORED, NULL);
        expect_finished(&world, -1, "refunded", NULL);
        world_close(&world);
    }
}


Test(pay_flow_repair, a_refund_of_unknown_outcome_goes_out_again)
{
    world_t  world;

    refund_open(&world, 2, PAY_PSP_UNKNOWN);
    refund_sent(&world, "UNKNOWN");
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    expect_finished(&world, 33000, "unknown", NULL);
    world_close(&world);

    refund_open(&world, 50, PAY_PSP_NOT_SENT);
    refund_sent(&world, "NOT_SENT");
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    expect_db(&world, PAY_OP_FINISH_JOB);
    expect_arg(&world, finish_job, dead, "retry_limit");
    world_close(&world);
}


/* A refusal of the copy that libcurl has sent by itself is none of the first
 * copy, which may have moved the money. */
Test(pay_flow_repair, a_refusal_of_a_second_copy_ends_no_refund)
{
    size_t             i;
    world_t            world;
    pay_http_answer_t  answer = answered(422, PAY_STR("{}"));

    static const struct {
        pay_psp_outcome_t  outcome;
        const char        *state;
    } rows[] = {
        { PAY_PSP_REFUSED, "UNKNOWN" }, { PAY_PSP_NOT_SENT, "UNKNOWN" },
        { PAY_PSP_UNKNOWN, "UNKNOWN" }, { PAY_PSP_PENDING, "PENDING" },
        { PAY_PSP_DONE, "DONE" }
    };

    answer.unheard = 1;

    for (i = 0; i < COUNT(rows); i++) {
        refund_open(&world, 1, rows[i].outcome);
        world_dispatch_row(&world, PAY_OUTCOME_SEND, 1, 1);
        expect_http(&world);
        world_http(&world, answer);
        expect_db(&world, PAY_OP_END_DISPATCH);
        expect_arg(&world, end_dispatch, state, rows[i].state);

        if (i < 2) {
            expect_arg(&world, end_dispatch, code, "copy_unanswered");
        }

        world_close(&world);
    }
}


/* It looked like a bug of ours each time, and was journaled as sent. */
Test(pay_flow_repair, a_refund_without_the_payments_id_waits_for_it)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    open_world(&world);
    made.traits |= PAY_PSP_BY_PAYMENT;
    reference = PAY_STR("");
    job_open(&world, "refund", 1, &view);
    expect_db(&world, PAY_OP_FINISH_JOB);
    expect_arg(&world, finish_job, code, "no_reference");
    expect_arg(&world, finish_job, dead, NULL);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    open_world(&world);
    made.traits |= PAY_PSP_BY_PAYMENT;
    job_open(&world, "refund", 1, &view);
    expect_db(&world, PAY_OP_BEGIN_DISPATCH);
    world_close(&world);

    /* a PSP that names its payments by the registration needs no other id */
    open_world(&world);
    reference = PAY_STR("");
    job_open(&world, "refund", 1, &view);
    expect_db(&world, PAY_OP_BEGIN_DISPATCH);
    world_close(&world);
}


Test(pay_flow_repair, a_refused_refund_is_for_people)
{
    world_t  world;

    refund_open(&world, 1, PAY_PSP_REFUSED);
    refund_sent(&world, "REFUSED");
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    expect_finished(&world, -1, "refused", "refused");
    world_close(&world);

    refund_open(&world, 1, PAY_PSP_DONE);
    refused = PAY_INVALID;
    world_dispatch_row(&world, PAY_OUTCOME_SEND, 1, 1);
    expect_db(&world, PAY_OP_END_DISPATCH);
    expect_arg(&world, end_dispatch, state, "REFUSED");
    cr_expect_eq(world.http_count, 0);
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    expect_finished(&world, -1, "refused", "refused");
    world_close(&world);
}


Test(pay_flow_repair, a_refund_that_the_journal_does_not_take_is_not_sent)
{
    unsigned  i;
    world_t   world;

    static const struct {
        pay_outcome_t  outcome;
        const char    *code, *dead;
        int64_t        delay_ms;
    } rows[] = {
        { PAY_OUTCOME_BUSY, "busy", NULL, 5000 },
        { PAY_OUTCOME_DONE, "refunded", NULL, -1 },
        { PAY_OUTCOME_ASK, "unknown", "key_window_over", -1 },
        { PAY_OUTCOME_NOT_FOUND, "busy", NULL, 5000 }
    };

    for (i = 0; i < COUNT(rows) + DB_FAILURES; i++) {
        refund_open(&world, 1, PAY_PSP_DONE);

        if (i < COUNT(rows)) {
            world_dispatch_row(&world, rows[i].outcome, 1, 1);
            expect_finished(&world, rows[i].delay_ms, rows[i].code,
                            rows[i].dead);

        } else {
            world_db_failed(&world, (pay_db_failure_t) (i - COUNT(rows)));
            expect_finished(&world, 5000, "busy", NULL);
        }

        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_repair, a_psp_without_refunds_leaves_it_to_people)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    open_world(&world);
    made.changes = 0;
    job_open(&world, "refund", 1, &view);
    expect_finished(&world, -1, "not_supported", "refused");
    world_close(&world);
}


static void
backfill_open(world_t *world)
{
    open_world(world);
    world_made(world, pay_flow_backfill(&world->flow,
                                        &world->psps[WORLD_GENERIC],
                                        PAY_STR(OWNER)));
    world_start(world);
    expect_db(world, PAY_OP_BEGIN_BACKFILL);
    expect_arg(world, begin_backfill, psp, "generic");
    expect_arg(world, begin_backfill, owner, OWNER);
    cr_expect_eq(asked(world, begin_backfill)->interval_ms, 600000);
}


static void
page_of(unsigned count, const char *next)
{
    unsigned  i;

    static const char *const  ids[] = { "evt_1", "evt_2", "evt_3" };

    memset(&page, 0, sizeof(page));
    page.count = count;
    page.next = pay_str_of(next);

    for (i = 0; i < count; i++) {
        page.events[i].event_id = pay_str_of(ids[i]);
        page.events[i].type = PAY_STR("registration.paid");
        page.events[i].token = PAY_STR("reg_01JD8Z");
        page.events[i].fact = PAY_FACT_PAID;
    }
}


static void
expect_applied(world_t *world, const char *id, pay_outcome_t word)
{
    pay_checkout_row_t  view = view_registered(generic());

    expect_db(world, PAY_OP_APPLY_EVENT);
    expect_arg(world, apply_event, source, "backfill");
    expect_arg(world, apply_event, event_id, id);
    world_row(world, word, word != PAY_OUTCOME_UNKNOWN ? &view : NULL);
}


static void
expect_backfilled(world_t *world, int has_until, int64_t listed,
    int64_t missed, const char *code)
{
    expect_db(world, PAY_OP_END_BACKFILL);
    cr_expect_eq((!asked(world, end_backfill)->until_s.is_set), !has_until);
    cr_expect_eq(asked(world, end_backfill)->listed, listed);
    cr_expect_eq(asked(world, end_backfill)->missed, missed);
    expect_arg(world, end_backfill, code, code);
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
}


Test(pay_flow_repair, missed_events_go_the_way_of_webhooks)
{
    world_t  world;

    backfill_open(&world);
    world_result(&world, PAY_OUTCOME_DUE,
                 &(pay_span_row_t) { SINCE, NOW });
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_LIST);
    cr_expect_eq(listed_for.since_s, SINCE);
    cr_expect_eq(listed_for.until_s, NOW);
    cr_expect_eq(listed_for.cursor.len, 0);

    page_of(3, "page-2");
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_applied(&world, "evt_1", PAY_OUTCOME_DUPLICATE);
    expect_applied(&world, "evt_2", PAY_OUTCOME_APPLIED);
    expect_applied(&world, "evt_3", PAY_OUTCOME_UNKNOWN);

    expect_http(&world);
    cr_expect(pay_str_is(listed_for.cursor, "page-2"));
    page_of(1, NULL);
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_applied(&world, "evt_1", PAY_OUTCOME_UNCHANGED);
    expect_backfilled(&world, 1, 4, 2, NULL);
    cr_expect_eq(world.flow.outcome != NULL, 1);
    cr_expect_eq(world.flow.invalid_event.len, 0);
    world_close(&world);
}


Test(pay_flow_repair, a_missed_event_that_cannot_be_read_is_noted)
{
    world_t  world;

    backfill_open(&world);
    world_result(&world, PAY_OUTCOME_DUE,
                 &(pay_span_row_t) { SINCE, NOW });
    page_of(3, NULL);
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_applied(&world, "evt_1", PAY_OUTCOME_DUPLICATE);
    expect_applied(&world, "evt_2", PAY_OUTCOME_INVALID);
    expect_applied(&world, "evt_3", PAY_OUTCOME_APPLIED);
    expect_backfilled(&world, 1, 3, 2, NULL);
    cr_expect(pay_str_is(world.flow.invalid_event, "evt_2"));
    world_close(&world);
}


/* The position stays: the next look begins where this one did. */
Test(pay_flow_repair, a_list_that_breaks_off_is_read_again)
{
    unsigned  i;
    world_t   world;

    backfill_open(&world);
    world_result(&world, PAY_OUTCOME_DUE,
                 &(pay_span_row_t) { SINCE, NOW });
    world_http(&world, lost(PAY_SENT_SOME));
    expect_backfilled(&world, 0, 0, 0, "no_answer");
    world_close(&world);

    for (i = 0; i < DB_FAILURES; i++) {
        backfill_open(&world);
        world_result(&world, PAY_OUTCOME_DUE,
                 &(pay_span_row_t) { SINCE, NOW });
        page_of(2, NULL);
        world_http(&world, answered(200, PAY_STR("{}")));
        expect_db(&world, PAY_OP_APPLY_EVENT);
        world_db_failed(&world, (pay_db_failure_t) i);
        expect_backfilled(&world, 0, 1, 0, "not_stored");
        world_close(&world);
    }
}


Test(pay_flow_repair, a_list_without_end_is_left)
{
    unsigned  pages = 0;
    world_t   world;

    backfill_open(&world);
    world_result(&world, PAY_OUTCOME_DUE,
                 &(pay_span_row_t) { SINCE, NOW });
    page_of(0, "more");

    while (world.effect.kind == PAY_DO_HTTP) {
        cr_assert_lt(pages++, 2000);
        world_http(&world, answered(200, PAY_STR("{}")));
    }

    expect_backfilled(&world, 0, 0, 0, "too_many");
    world_close(&world);
}


Test(pay_flow_repair, a_list_that_is_not_due_is_not_asked_for)
{
    unsigned  i;
    world_t   world;

    backfill_open(&world);
    world_result(&world, PAY_OUTCOME_NOT_DUE, NULL);
    cr_expect_eq(world.effect.kind, PAY_DO_DONE);
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    for (i = 0; i < DB_FAILURES; i++) {
        backfill_open(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        world_close(&world);
    }
}


Test(pay_flow_repair, what_says_nothing_is_passed_over)
{
    world_t  world;

    backfill_open(&world);
    world_result(&world, PAY_OUTCOME_DUE,
                 &(pay_span_row_t) { SINCE, NOW });
    page_of(2, NULL);
    page.events[0].token = PAY_STR("");
    page.events[1].event_id = PAY_STR("");
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_backfilled(&world, 1, 2, 0, NULL);
    world_close(&world);
}


/* Behind the first failed allocation nothing is half done. */
static void
play_refund(world_t *world)
{
    pay_checkout_row_t  view = view_registered(generic());

    world->psps[WORLD_GENERIC].adapter = &made;
    job_open(world, "refund", 1, &view);

    if (!world->ended) {
        world_dispatch_row(world, PAY_OUTCOME_SEND, 1, 1);
    }

    if (!world->ended) {
        world_http(world, answered(200, PAY_STR("{}")));
    }

    if (!world->ended) {
        world_result(world, PAY_OUTCOME_STORED, NULL);
    }

    if (!world->ended) {
        world_result(world, PAY_OUTCOME_DONE, NULL);
    }
}


Test(pay_flow_repair, failing_memory_ends_a_refund_cleanly)
{
    world_t  world;

    open_world(&world);
    world_close(&world);
    outcome = PAY_PSP_DONE;
    cr_expect_gt(world_torture(play_refund), 3);
}

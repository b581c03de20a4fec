/*
 * Polls of PSPs whose approval is not the money yet, and whose pages stay open:
 * the capture that follows, under the nonce and journaled, and the page that is
 * closed before it counts as over.
 */

#include "job_world.h"


/* A PSP whose approval is not the money, and whose pages stay open. */
static int               play_capture;
static int64_t           play_minor;
static const char       *play_currency;        /* NULL: no amount is told */
static pay_psp_change_t  asked_for;

static pay_status_t
play_query(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known)
{
    (void) arena;
    (void) answer;

    memset(event, 0, sizeof(*event));
    event->token = token;
    event->must_capture = play_capture;
    *known = 1;

    if (play_currency != NULL) {
        event->has_amount = 1;
        event->amount_minor = play_minor;
        event->currency = pay_str_of(play_currency);
    }

    return PAY_OK;
}


static pay_status_t
play_change(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    const pay_psp_change_t *change, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) arena;
    (void) psp_account;
    (void) err;

    memset(request, 0, sizeof(*request));
    request->method = PAY_STR("POST");
    request->url = PAY_STR("https://psp.example/change");
    asked_for = *change;

    return PAY_OK;
}


static pay_status_t
play_changed(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_changed_t *result)
{
    (void) arena;

    memset(result, 0, sizeof(*result));
    result->known = answer->sent == PAY_ANSWERED && answer->status == 201;
    result->outcome = result->known ? PAY_PSP_DONE
                      : answer->status == 422 ? PAY_PSP_REFUSED
                      : PAY_PSP_UNKNOWN;
    result->event.token = change->token;
    result->event.fact = change->kind == PAY_PSP_EXPIRE ? PAY_FACT_EXPIRED
                                                        : PAY_FACT_PAID;

    return PAY_OK;
}


static void
two_steps_begin(world_t *world, int capture, int64_t now_s,
    const pay_checkout_row_t *view)
{
    static pay_psp_adapter_t  adapter;

    adapter = *generic();
    adapter.query_answer = play_query;
    adapter.change_request = play_change;
    adapter.change_answer = play_changed;
    adapter.changes = PAY_PSP_CAN(PAY_PSP_CAPTURE)
                      | PAY_PSP_CAN(PAY_PSP_EXPIRE);
    adapter.traits = PAY_PSP_LINGERS;
    play_capture = capture;

    world_open(world);
    world->now_s = now_s;
    world->psps[WORLD_GENERIC].adapter = &adapter;
    job_open(world, "poll", 1, view);
    world_http(world, answered(200, PAY_STR("{}")));
}


Test(pay_flow_job_capture, approved_money_is_taken_under_the_nonce)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    view.alias = PAY_STR("alias-1");
    two_steps_begin(&world, 1, EXPIRES + GRACE_S - 1, &view);
    expect_arg(&world, begin_dispatch, operation_id, NONCE);
    expect_arg(&world, begin_dispatch, psp, "generic");
    expect_journaled(&world, "capture");
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_CAPTURE);
    cr_expect_eq(asked_for.kind, PAY_PSP_CAPTURE);
    cr_expect(pay_str_is(asked_for.key, NONCE));
    cr_expect(pay_str_eq(asked_for.token, view.token));
    cr_expect(pay_str_is(asked_for.alias, "alias-1"));
    cr_expect_eq(asked_for.amount_minor, 3000);
    cr_expect_str_eq(asked_for.currency->code, "USD");
    world_http(&world, answered(201, PAY_STR("{}")));
    expect_noted(&world, "capture", "DONE");
    expect_db(&world, PAY_OP_APPLY_EVENT);
    expect_arg(&world, apply_event, source, "query");
    expect_arg(&world, apply_event, fact, "paid");
    world_close(&world);
}


/* What the journal does not take is not sent: it may be under way, or done
 * already. */
Test(pay_flow_job_capture, a_capture_that_is_not_journaled_is_not_sent)
{
    unsigned            i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const pay_outcome_t  outcomes[] = {
        PAY_OUTCOME_BUSY, PAY_OUTCOME_DONE, PAY_OUTCOME_NOT_FOUND,
        PAY_OUTCOME_INVALID
    };

    for (i = 0; i < COUNT(outcomes) + DB_FAILURES; i++) {
        two_steps_begin(&world, 1, NOW, &view);

        if (i < COUNT(outcomes)) {
            world_dispatch_row(&world, outcomes[i], 1, 1);

        } else {
            world_db_failed(&world, (pay_db_failure_t) (i - COUNT(outcomes)));
        }

        expect_again(&world, "poll", "no_answer", 5000);
        cr_expect_eq(world.http_count, 1, "only the query");
        world_close(&world);
    }
}


/* Its key is over, so it may never be sent again; the PSP's word counts. */
Test(pay_flow_job_capture, a_capture_whose_key_is_over_is_only_asked_for)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    two_steps_begin(&world, 1, NOW, &view);
    world_dispatch_row(&world, PAY_OUTCOME_ASK, 1, 3);
    expect_again(&world, "poll", "open", 5000);
    cr_expect_eq(world.http_count, 1);
    world_close(&world);
}


Test(pay_flow_job_capture, a_capture_that_cannot_be_noted_still_counts)
{
    unsigned            i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    for (i = 0; i < DB_FAILURES; i++) {
        two_steps_begin(&world, 1, NOW, &view);
        expect_journaled(&world, "capture");
        world_http(&world, answered(201, PAY_STR("{}")));
        expect_db(&world, PAY_OP_END_DISPATCH);
        world_db_failed(&world, (pay_db_failure_t) i);
        expect_db(&world, PAY_OP_APPLY_EVENT);
        expect_arg(&world, apply_event, fact, "paid");
        world_close(&world);
    }
}


Test(pay_flow_job_capture, a_capture_without_an_answer_is_asked_again)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    two_steps_begin(&world, 1, NOW, &view);
    expect_journaled(&world, "capture");
    world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    expect_noted(&world, "capture", "UNKNOWN");
    expect_again(&world, "poll", "no_answer", 5000);
    world_close(&world);
}


Test(pay_flow_job_capture, a_capture_whose_second_copy_is_refused_is_unknown)
{
    unsigned            copies;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;
    pay_http_answer_t   answer = answered(422, PAY_STR("{}"));

    for (copies = 0; copies < 3; copies++) {
        answer.unheard = copies;
        two_steps_begin(&world, 1, NOW, &view);
        expect_journaled(&world, "capture");
        world_http(&world, answer);
        expect_noted(&world, "capture", copies ? "UNKNOWN" : "REFUSED");
        world_close(&world);
    }
}


/* Too late, or we told the storefront already that it failed. */
Test(pay_flow_job_capture, approval_that_comes_too_late_takes_no_money)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    two_steps_begin(&world, 1, EXPIRES + GRACE_S, &view);
    expect_journaled(&world, "expire");
    cr_expect_neq(asked_for.kind, PAY_PSP_CAPTURE);
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_EXPIRE);
    world_close(&world);

    set_orders(&view, "[" STORED("order-1", "3000", "FAILED",
                                     "\"expired\"") "]");
    two_steps_begin(&world, 1, NOW, &view);
    expect_again(&world, "poll", "open", 5000);
    cr_expect_eq(world.http_count, 1);
    world_close(&world);
}


Test(pay_flow_job_capture, a_page_that_lingers_is_closed_before_it_is_over)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    two_steps_begin(&world, 0, EXPIRES - 1, &view);
    expect_again(&world, "poll", "open", 5000);
    world_close(&world);

    two_steps_begin(&world, 0, EXPIRES, &view);
    expect_journaled(&world, "expire");
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_EXPIRE);
    cr_expect_eq(asked_for.kind, PAY_PSP_EXPIRE);
    world_http(&world, answered(201, PAY_STR("{}")));
    expect_noted(&world, "expire", "DONE");
    expect_db(&world, PAY_OP_APPLY_EVENT);
    expect_arg(&world, apply_event, source, "query");
    expect_arg(&world, apply_event, fact, "expired");
    world_close(&world);
}


/* Unknown is not over: somebody may still pay there. */
Test(pay_flow_job_capture, a_page_that_cannot_be_closed_is_never_called_expired)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    two_steps_begin(&world, 0, EXPIRES + 30 * 86400, &view);
    expect_journaled(&world, "expire");
    world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    expect_noted(&world, "expire", "UNKNOWN");
    expect_again(&world, "poll", "no_answer", 5000);
    world_close(&world);
}


/* Another amount than ours was approved: it is people's, before it is taken
 * rather than after. */
Test(pay_flow_job_capture, approved_money_of_another_amount_is_not_taken)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const struct {
        int64_t      minor;
        const char  *currency;
    } rows[] = { { 3001, "USD" }, { 0, "USD" }, { 3000, "EUR" } };

    for (i = 0; i < COUNT(rows); i++) {
        play_minor = rows[i].minor;
        play_currency = rows[i].currency;
        two_steps_begin(&world, 1, NOW, &view);
        play_currency = NULL;
        expect_db(&world, PAY_OP_APPLY_EVENT);
        expect_arg(&world, apply_event, source, "query");
        expect_arg(&world, apply_event, fact, "pending");
        cr_expect_eq(asked(&world, apply_event)->amount_minor.number,
                     rows[i].minor);
        expect_arg(&world, apply_event, currency, rows[i].currency);
        cr_expect_eq(world.http_count, 1);
        world_close(&world);
    }

    play_minor = 3000;
    play_currency = "USD";
    two_steps_begin(&world, 1, NOW, &view);
    play_currency = NULL;
    expect_journaled(&world, "capture");
    expect_http(&world);
    cr_expect_eq(world.effect.call, PAY_CALL_CAPTURE);
    world_close(&world);
}

/*
 * The state machine: the whole table, spelled out a second time as rules.
 */

#include <criterion/criterion.h>

#include "pay_state.h"


static int
fails(pay_fact_t fact)
{
    return fact == PAY_FACT_DECLINED || fact == PAY_FACT_EXPIRED
           || fact == PAY_FACT_CANCELLED || fact == PAY_FACT_REJECTED;
}


static void
expect(pay_state_t from, pay_fact_t fact, pay_state_t to)
{
    pay_transition_t  t;

    t = pay_state_next(from, fact);

    cr_expect_eq(t.state, to, "%s + %s -> %s", pay_state_name(from),
                 pay_fact_name(fact), pay_state_name(t.state));
    cr_expect_eq(t.changed, from != to, "%s + %s changed:%d",
                 pay_state_name(from), pay_fact_name(fact), t.changed);
}


Test(pay_state, success_is_left_by_no_fact)
{
    int  fact;

    for (fact = 0; fact < PAY_FACT_COUNT; fact++) {
        expect(PAY_SUCCESS, (pay_fact_t) fact, PAY_SUCCESS);
    }
}


Test(pay_state, paid_leads_to_success_from_everywhere)
{
    int  state;

    for (state = 0; state < PAY_STATE_COUNT; state++) {
        expect((pay_state_t) state, PAY_FACT_PAID, PAY_SUCCESS);
    }
}


Test(pay_state, no_news_changes_nothing)
{
    int  state;

    for (state = 0; state < PAY_STATE_COUNT; state++) {
        expect((pay_state_t) state, PAY_FACT_NONE, (pay_state_t) state);
    }
}


/* The page lives on: any number of these may come before the money. */
Test(pay_state, a_declined_attempt_changes_nothing)
{
    int  state;

    for (state = 0; state < PAY_STATE_COUNT; state++) {
        expect((pay_state_t) state, PAY_FACT_ATTEMPT, (pay_state_t) state);
    }

    cr_expect_str_eq(pay_fact_name(PAY_FACT_ATTEMPT), "attempt_declined");
    cr_expect_str_eq(pay_fact_reason(PAY_FACT_ATTEMPT), "");
}


Test(pay_state, pending_only_starts_an_order)
{
    expect(PAY_NOT_STARTED, PAY_FACT_PENDING, PAY_EXECUTING);
    expect(PAY_EXECUTING, PAY_FACT_PENDING, PAY_EXECUTING);
    expect(PAY_SUCCESS, PAY_FACT_PENDING, PAY_SUCCESS);
    expect(PAY_FAILED, PAY_FACT_PENDING, PAY_FAILED);
}


Test(pay_state, failing_facts_fail_an_open_order)
{
    int  fact;

    for (fact = 0; fact < PAY_FACT_COUNT; fact++) {
        if (fails((pay_fact_t) fact)) {
            expect(PAY_NOT_STARTED, (pay_fact_t) fact, PAY_FAILED);
            expect(PAY_EXECUTING, (pay_fact_t) fact, PAY_FAILED);
        }
    }
}


Test(pay_state, failed_order_keeps_its_first_reason)
{
    int  fact;

    for (fact = 0; fact < PAY_FACT_COUNT; fact++) {
        if (fails((pay_fact_t) fact)) {
            expect(PAY_FAILED, (pay_fact_t) fact, PAY_FAILED);
        }
    }
}


static void
expect_paid_stays(int state, int a, int b, int c)
{
    int          paid;
    pay_state_t  now = (pay_state_t) state;

    now = pay_state_next(now, (pay_fact_t) a).state;
    now = pay_state_next(now, (pay_fact_t) b).state;
    now = pay_state_next(now, (pay_fact_t) c).state;

    paid = state == PAY_SUCCESS || a == PAY_FACT_PAID
           || b == PAY_FACT_PAID || c == PAY_FACT_PAID;

    cr_assert_eq(now == PAY_SUCCESS, paid, "%d: %d %d %d", state, a, b, c);
}


/* Whatever comes, in whatever order: once paid, paid for ever. */
Test(pay_state, no_sequence_of_three_facts_undoes_a_payment)
{
    int  state, a, b, c;

    for (state = 0; state < PAY_STATE_COUNT; state++) {
        for (a = 0; a < PAY_FACT_COUNT; a++) {
            for (b = 0; b < PAY_FACT_COUNT; b++) {
                for (c = 0; c < PAY_FACT_COUNT; c++) {
                    expect_paid_stays(state, a, b, c);
                }
            }
        }
    }
}


Test(pay_state, numbers_out_of_range_move_nothing)
{
    cr_expect_eq(pay_state_next(PAY_EXECUTING, (pay_fact_t) 99).changed, 0);
    cr_expect_eq(pay_state_next(PAY_EXECUTING, (pay_fact_t) 99).state,
                 PAY_EXECUTING);
    cr_expect_eq(pay_state_next((pay_state_t) 99, PAY_FACT_PAID).changed, 0);
    cr_expect_eq(pay_state_next((pay_state_t) -1, PAY_FACT_PAID).changed, 0);
}


Test(pay_state, names_out_of_range_are_empty)
{
    cr_expect_str_eq(pay_state_name((pay_state_t) 4), "");
    cr_expect_str_eq(pay_state_name((pay_state_t) -1), "");
    cr_expect_str_eq(pay_fact_name((pay_fact_t) 9), "");
    cr_expect_str_eq(pay_fact_reason((pay_fact_t) 9), "");
}


Test(pay_state, names_read_back)
{
    int          i;
    pay_state_t  state;

    for (i = 0; i < PAY_STATE_COUNT; i++) {
        cr_assert(pay_state_parse(pay_str_of(pay_state_name((pay_state_t) i)),
                                  &state));
        cr_expect_eq((int) state, i);
    }
}


Test(pay_state, other_names_are_refused)
{
    size_t              i;
    pay_state_t         state = PAY_FAILED;
    static const char  *wrong[] = {
        "", "success", "Success", "SUCCESS ", " SUCCESS", "SUCCESSS",
        "SUCCES", "PAID", "NOT STARTED", "NOT_STARTED\n"
    };

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_not(pay_state_parse(pay_str_of(wrong[i]), &state),
                      "%s", wrong[i]);
    }

    cr_expect_not(pay_state_parse((pay_str_t) { 7, (const unsigned char *)
                                                "FAILED" }, &state));
    cr_expect_eq(state, PAY_FAILED);
}


Test(pay_state, exactly_the_failing_facts_have_a_reason)
{
    int  fact;

    for (fact = 0; fact < PAY_FACT_COUNT; fact++) {
        if (fails((pay_fact_t) fact)) {
            cr_expect_str_eq(pay_fact_reason((pay_fact_t) fact),
                             pay_fact_name((pay_fact_t) fact));
        } else {
            cr_expect_str_eq(pay_fact_reason((pay_fact_t) fact), "");
        }
    }
}

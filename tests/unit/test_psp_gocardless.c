/*
 * GoCardless's events: several in a body, each with its own id, none with an
 * amount.  Each fixture: test_conformance.c.
 */

#include "psp_world.h"


static const pay_psp_adapter_t *
gocardless(void)
{
    return pay_psp_find(PAY_STR("gocardless"));
}


static pay_status_t
events_read(pay_arena_t *arena, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count)
{
    return gocardless()->webhook_events(arena, &account, PAY_STR("WB0TCUG"),
                                        body, events, count, NULL);
}


Test(pay_psp_gocardless, each_event_has_its_own_id_and_payment)
{
    unsigned          i, count = 0;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    static const char *const  types[] = {
        "payments.submitted", "mandates.created", "payments.confirmed",
        "payouts.paid", "payments.late_failure_settled", "refunds.failed"
    };

    cr_assert_eq(events_read(arena, fixture(arena, gocardless(),
                                            "webhook-several.json"),
                             events, &count), PAY_OK);
    cr_assert_eq(count, 6);

    for (i = 0; i < count; i++) {
        cr_expect(pay_str_is(events[i].type, types[i]), "%.*s",
                  pay_fmt(events[i].type));
        cr_expect_eq(position(events[i].event_id, "EVS57W34TIW"), 0);
        cr_expect_eq(events[i].has_amount, 0);
        cr_expect(i == 0 || !pay_str_eq(events[i].event_id,
                                        events[i - 1].event_id));
        cr_expect_eq(pay_str_is(events[i].token, "PMUEEDTDMRFU"),
                     strncmp(types[i], "payments", 8) == 0);
    }
}


/* A confirmed debit may still fail, and nothing tells how much was paid out:
 * no event of GoCardless is a payment by itself. */
Test(pay_psp_gocardless, no_action_is_a_payment)
{
    size_t            i;
    unsigned          count;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    static const char *const  actions[] = {
        "\"created\"", "\"submitted\"", "\"confirmed\"", "\"paid_out\"",
        "\"paid\"", "\"chargeback_cancelled\"", "\"chargeback_settled\"",
        "\"surcharge_fee_debited\"", "\"PAID_OUT\"", "\"x\""
    };

    for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        cr_assert_eq(events_read(arena,
                         replaced(arena, fixture(arena, gocardless(),
                                      "webhook-payments-confirmed.json"),
                                  "\"confirmed\"", actions[i]),
                         events, &count), PAY_OK);
        cr_expect_neq(events[0].fact, PAY_FACT_PAID, "%s", actions[i]);
    }
}


Test(pay_psp_gocardless, a_failure_says_why)
{
    unsigned          count;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    cr_assert_eq(events_read(arena, fixture(arena, gocardless(),
                                            "webhook-payments-failed.json"),
                             events, &count), PAY_OK);
    cr_expect(pay_str_is(events[0].code, "insufficient_funds"));
}

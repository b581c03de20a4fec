/*
 * The generic adapter against docs/psp-generic.md.
 */

#include "psp_world.h"


typedef struct {
    const char  *status;
    pay_fact_t   fact;
} fact_row_t;


static const fact_row_t  facts[] = {
    { "pending", PAY_FACT_PENDING }, { "paid", PAY_FACT_PAID },
    { "declined", PAY_FACT_DECLINED }, { "expired", PAY_FACT_EXPIRED },
    { "cancelled", PAY_FACT_CANCELLED }
};

#define FACTS  (sizeof(facts) / sizeof(facts[0]))


static pay_psp_registered_t
judged_with(pay_arena_t *arena, const char *from, const char *to)
{
    pay_str_t           text;
    pay_psp_checkout_t  checkout = order_make();

    text = fixture(arena, generic(), "register-answer.json");

    return register_judged(arena, generic(), &checkout,
                           answered(201, replaced(arena, text, from, to)));
}


static pay_status_t
events_of(pay_arena_t *arena, const char *id, pay_str_t body,
    pay_psp_event_t *event)
{
    unsigned          count = 0;
    pay_status_t      status;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    status = generic()->webhook_events(arena, &account, pay_str_of(id), body,
                                       events, &count, NULL);
    if (status == PAY_OK) {
        cr_assert_eq(count, 1);
        *event = events[0];
    }

    return status;
}


Test(pay_psp_generic, body_on_the_wire_is_this)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.lines[0].name = PAY_STR("caf\xc3\xa9 \"x\"");
    cr_assert_eq(generic()->register_request(test_arena(), &account,
                                             &order, &request, NULL), PAY_OK);

    cr_expect(pay_str_is(request.url,
                         "https://psp.example/base/v1/registrations"));
    cr_expect(pay_str_is(field_of(&request, "Content-Type"),
                         "application/json"));
    cr_expect(pay_str_is(request.body,
        "{\"nonce\":\"order-1\",\"reference\":\"" REFERENCE "\","
        "\"amount\":\"30.00\",\"currency\":\"USD\",\"expires_at\":1795240200,"
        "\"return_url\":\"https://pay.example.com/return/abc\",\"lines\":["
        "{\"payment_order_id\":\"order-1\",\"name\":\"caf\xc3\xa9 \\\"x\\\"\","
        "\"amount\":\"10.00\"},"
        "{\"payment_order_id\":\"order-2\",\"name\":\"order-2\","
        "\"amount\":\"20.00\"}]}"), "%.*s", pay_fmt(request.body));
}


Test(pay_psp_generic, amounts_are_decimal_text_of_the_currency)
{
    pay_psp_checkout_t  order;
    pay_http_request_t  request;

    order = order_of(currency_of("JPY"), 1200);
    cr_assert_eq(generic()->register_request(test_arena(), &account,
                                             &order, &request, NULL), PAY_OK);
    cr_expect(contains(request.body, "\"amount\":\"1200\""));

    order = order_of(currency_of("KWD"), 1234);
    cr_assert_eq(generic()->register_request(test_arena(), &account,
                                             &order, &request, NULL), PAY_OK);
    cr_expect(contains(request.body, "\"amount\":\"1.234\""));
}


/* A replay may find the registration further on: still the same token. */
Test(pay_psp_generic, a_replay_of_a_paid_registration_is_done)
{
    cr_expect_eq(judged_with(test_arena(), "\"open\"", "\"paid\"")
                     .outcome, PAY_PSP_DONE);
}


Test(pay_psp_generic, each_status_of_a_query_has_its_fact)
{
    int                known;
    char               name[64];
    size_t             i;
    pay_arena_t       *arena = test_arena();
    pay_psp_event_t    event;
    pay_http_answer_t  answer;

    for (i = 0; i < FACTS; i++) {
        snprintf(name, sizeof(name), "query-%s.json", facts[i].status);
        answer = answered(200, fixture(arena, generic(), name));
        cr_assert_eq(generic()->query_answer(arena, token_of(generic()),
                                             &answer, &event, &known),
                     PAY_OK);
        cr_assert(known, "%s", name);
        cr_expect_eq(event.fact, facts[i].fact);
        cr_expect(pay_str_is(event.type, facts[i].status));
    }

    answer = answered(200, replaced(arena, fixture(arena, generic(),
                                                   "query-paid.json"),
                                    "\"paid\"", "\"PAID\""));
    cr_assert_eq(generic()->query_answer(arena, token_of(generic()), &answer,
                                         &event, &known), PAY_OK);
    cr_expect_eq(known, 0);
}


Test(pay_psp_generic, each_event_has_its_fact)
{
    char             name[64];
    size_t           i;
    pay_arena_t     *arena = test_arena();
    pay_psp_event_t  event;

    for (i = 0; i < FACTS; i++) {
        snprintf(name, sizeof(name), "webhook-%s.json", facts[i].status);
        cr_assert_eq(events_of(arena, "evt_01JD90",
                               fixture(arena, generic(), name), &event),
                     PAY_OK, "%s", name);
        cr_expect_eq(event.fact, facts[i].fact, "%s", name);
        cr_expect(pay_str_is(event.event_id, "evt_01JD90"));
        cr_expect(contains(event.type, "registration."));
        cr_expect(pay_str_eq(event.token, token_of(generic())));
        cr_expect(event.has_amount && event.amount_minor == 3000);
        cr_expect(pay_str_is(event.currency, "USD"));
        cr_expect(pay_str_is(event.reference,
                             facts[i].fact == PAY_FACT_PAID
                             || facts[i].fact == PAY_FACT_PENDING
                             ? "pay_77" : ""));
        cr_expect(pay_str_is(event.code,
                             facts[i].fact == PAY_FACT_DECLINED
                             ? "insufficient_funds" : ""));
    }

    cr_assert_eq(events_of(arena, "evt_01JD90",
                           fixture(arena, generic(), "webhook-other.json"),
                           &event), PAY_OK);
    cr_expect_eq(event.fact, PAY_FACT_NONE);
    cr_expect_eq(event.token.len, 0);
    cr_expect(pay_str_is(event.type, "registration.viewed"));
}


Test(pay_psp_generic, webhook_id_is_the_identity_and_the_body_must_agree)
{
    pay_arena_t     *arena = test_arena();
    pay_str_t        text, without;
    pay_psp_event_t  event;

    text = fixture(arena, generic(), "webhook-paid.json");
    without = replaced(arena, text, "\"id\":", "\"x\":");

    cr_expect_eq(events_of(arena, "evt_other", text, &event), PAY_INVALID);
    cr_expect_eq(events_of(arena, "", without, &event), PAY_INVALID);
    cr_expect_eq(events_of(arena, "msg 1", without, &event), PAY_INVALID);
    cr_expect_eq(events_of(arena, "evt_01JD90",
                           replaced(arena, text, "\"evt_01JD90\"", "null"),
                           &event), PAY_INVALID);

    cr_assert_eq(events_of(arena, "msg_1", without, &event), PAY_OK);
    cr_expect(pay_str_is(event.event_id, "msg_1"));
    cr_assert_eq(events_of(arena, "", text, &event), PAY_OK);
    cr_expect(pay_str_is(event.event_id, "evt_01JD90"));
}

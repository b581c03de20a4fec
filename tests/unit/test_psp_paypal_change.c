/*
 * What is done to a PayPal order later: captures and refunds on the wire, and
 * which answers are believed.  What holds for every adapter's changes:
 * test_conformance.c.
 */

#include "psp_world.h"


#define ORDER    "5O190127TN364715T"
#define CAPTURE  "3C679366HH908993F"
#define KEY      "0199c0de-0000-7000-8000-0000000000c1"
#define UNIT     "\"amount\":{\"currency_code\":\"USD\",\"value\":\"30.00\"}"
#define PAID     "{\"id\":\"c-1\",\"status\":\"COMPLETED\"," UNIT "}"
#define ISSUE(issue)                                                          \
    "{\"name\":\"UNPROCESSABLE_ENTITY\",\"details\":[{\"issue\":\"" issue     \
    "\"}]}"

ARENA_SUITE(pay_psp_paypal_change);


static const pay_psp_adapter_t *
paypal(void)
{
    return pay_psp_find(PAY_STR("paypal"));
}


static pay_psp_change_t
change_make(pay_psp_change_kind_t kind)
{
    pay_psp_change_t  change;

    memset(&change, 0, sizeof(change));
    change.kind = kind;
    change.key = PAY_STR(KEY);
    change.token = PAY_STR(ORDER);
    change.reference = PAY_STR(CAPTURE);
    change.merchant_reference = PAY_STR(REFERENCE);
    change.currency = currency_of("USD");
    change.amount_minor = 3000;

    return change;
}


static pay_psp_changed_t
changed(pay_psp_change_kind_t kind, unsigned status, pay_str_t body)
{
    pay_psp_change_t   change = change_make(kind);
    pay_psp_changed_t  result;
    pay_http_answer_t  answer = answered(status, body);

    memset(&result, 0xa5, sizeof(result));
    cr_assert_eq(paypal()->change_answer(arena, &change, &answer, &result),
                 PAY_OK);

    return result;
}


Test(pay_psp_paypal_change, a_capture_request_is_this)
{
    pay_psp_change_t     change = change_make(PAY_PSP_CAPTURE);
    pay_http_request_t   request;

    cr_assert_eq(paypal()->change_request(arena, &account, &change, &request,
                                          NULL), PAY_OK);
    cr_expect(pay_str_is(request.method, "POST"));
    cr_expect(pay_str_is(request.url, "https://psp.example/base"
                         "/v2/checkout/orders/" ORDER "/capture"));
    cr_expect(pay_str_is(field_of(&request, "PayPal-Request-Id"),
                         KEY ":capture"));
    cr_expect(pay_str_is(field_of(&request, "Prefer"),
                         "return=representation"));
    cr_expect_eq(field_of(&request, "Authorization").len, 0);
    cr_expect(pay_str_is(request.body, "{}"));
}


Test(pay_psp_paypal_change, a_refund_request_is_this)
{
    pay_psp_change_t     change = change_make(PAY_PSP_REFUND);
    pay_http_request_t   request;

    change.amount_minor = 1234;
    change.reason = PAY_STR("requested \"by\" customer");
    cr_assert_eq(paypal()->change_request(arena, &account, &change, &request,
                                          NULL), PAY_OK);
    cr_expect(pay_str_is(request.url, "https://psp.example/base"
                         "/v2/payments/captures/" CAPTURE "/refund"));
    cr_expect(pay_str_is(field_of(&request, "PayPal-Request-Id"),
                         KEY ":refund"));
    cr_expect(pay_str_is(request.body,
        "{\"amount\":{\"currency_code\":\"USD\",\"value\":\"12.34\"},"
        "\"custom_id\":\"" KEY "\","
        "\"note_to_payer\":\"requested \\\"by\\\" customer\"}"), "%.*s",
        pay_fmt(request.body));

    change.reason = PAY_STR("");
    change.currency = currency_of("HUF");
    cr_expect_eq(paypal()->change_request(arena, &account, &change, &request,
                                          NULL), PAY_INVALID);
    change.amount_minor = 1200;
    cr_assert_eq(paypal()->change_request(arena, &account, &change, &request,
                                          NULL), PAY_OK);
    cr_expect(contains(request.body, "\"value\":\"12\"}"));
    cr_expect_not(contains(request.body, "note_to_payer"));
}


Test(pay_psp_paypal_change, what_cannot_be_done_is_refused_before_it_is_sent)
{
    pay_err_t            err = { .slug = "" };
    pay_psp_change_t     change = change_make(PAY_PSP_CANCEL);
    pay_http_request_t   request;

    cr_expect_eq(paypal()->change_request(arena, &account, &change, &request,
                                          &err), PAY_INVALID);
    cr_expect_str_eq(err.slug, "validation-error");
    change.kind = PAY_PSP_EXPIRE;
    cr_expect_eq(paypal()->change_request(arena, &account, &change, &request,
                                          &err), PAY_INVALID);

    change = change_make(PAY_PSP_CAPTURE);
    change.token = PAY_STR("../" ORDER);
    cr_expect_eq(paypal()->change_request(arena, &account, &change, &request,
                                          &err), PAY_BUG);
    change = change_make(PAY_PSP_REFUND);
    change.reference = PAY_STR("");
    cr_expect_eq(paypal()->change_request(arena, &account, &change, &request,
                                          &err), PAY_BUG);
    change = change_make(PAY_PSP_REFUND);
    change.key = PAY_STR("a\r\nX: y");
    cr_expect_eq(paypal()->change_request(arena, &account, &change, &request,
                                          &err), PAY_BUG);
}


/* Asked twice, PayPal says that it is captured: the query tells how. */
Test(pay_psp_paypal_change, what_may_have_been_captured_before_is_asked_for)
{
    size_t             i;
    pay_psp_changed_t  result;

    static const char *const  bodies[] = {
        ISSUE("ORDER_ALREADY_CAPTURED"), ISSUE("ORDER_ALREADY_COMPLETED"),
        ISSUE("ORDER_COMPLETED_OR_VOIDED"), ISSUE("PREVIOUSLY_CAPTURED"),
        ISSUE("ORDER_COMPLETION_IN_PROGRESS"), ISSUE("DUPLICATE_INVOICE_ID"),
        ISSUE("PREVIOUS_REQUEST_IN_PROGRESS")
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        result = changed(PAY_PSP_CAPTURE, 422, pay_str_of(bodies[i]));
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s", bodies[i]);
        cr_expect_eq(result.known, 0);
    }

    result = changed(PAY_PSP_CAPTURE, 422,
                     PAY_STR(ISSUE("INSTRUMENT_DECLINED")));
    cr_expect_eq(result.outcome, PAY_PSP_REFUSED);
    cr_expect(pay_str_is(result.code, "instrument_declined"));
    cr_expect_eq(result.known, 1);
    cr_expect_eq(result.event.fact, PAY_FACT_ATTEMPT,
                 "the buyer may choose another one");
    cr_expect(pay_str_is(result.event.code, "instrument_declined"));
}


Test(pay_psp_paypal_change, a_capture_of_another_amount_is_told_but_not_done)
{
    pay_psp_changed_t  result;

    result = changed(PAY_PSP_CAPTURE, 201, fixture(arena, paypal(),
                     "capture-unknown-other-amount.json"));
    cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);
    cr_expect(pay_str_is(result.code, "answer_mismatch"));
    cr_expect(result.known && result.event.fact == PAY_FACT_PAID
              && result.event.amount_minor == 2900);

    result = changed(PAY_PSP_CAPTURE, 201,
                     fixture(arena, paypal(), "capture-done.json"));
    cr_expect_eq(result.outcome, PAY_PSP_DONE);
    cr_expect(pay_str_is(result.reference, CAPTURE));
    cr_expect(result.known && result.event.amount_minor == 3000);
}


Test(pay_psp_paypal_change, refunds_without_id_or_status_are_unknown)
{
    size_t             i;
    pay_psp_changed_t  result;

    static const char *const  bodies[] = {
        "{}", "{\"status\":\"COMPLETED\"}", "{\"id\":\"r-1\"}",
        "{\"id\":\"r/1\",\"status\":\"COMPLETED\"}",
        "{\"id\":\"r-1\",\"status\":\"completed\"}",
        "{\"id\":\"r-1\",\"status\":[\"COMPLETED\"]}",
        "{\"id\":\"r-1\",\"status\":\"COMPLETED\",\"amount\":\"30.00\"}",
        "{\"id\":\"r-1\",\"status\":\"COMPLETED\",\"amount\":{"
        "\"currency_code\":\"USD\",\"value\":\"30.01\"}}"
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        result = changed(PAY_PSP_REFUND, 201, pay_str_of(bodies[i]));
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s", bodies[i]);
        cr_expect_eq(result.known, 0);
    }

    result = changed(PAY_PSP_REFUND, 201,
                     PAY_STR("{\"id\":\"r-1\",\"status\":\"COMPLETED\"}"));
    cr_expect_eq(result.outcome, PAY_PSP_DONE, "a minimal answer");
    cr_expect(pay_str_is(result.reference, "r-1"));
}


static pay_status_t
tortured_refund(pay_arena_t *failing, void *result)
{
    pay_psp_change_t  change = change_make(PAY_PSP_REFUND);

    return paypal()->change_request(failing, &account, &change, result, NULL);
}


static pay_status_t
tortured_capture(pay_arena_t *failing, void *result)
{
    pay_psp_change_t   change = change_make(PAY_PSP_CAPTURE);
    pay_http_answer_t  answer = answered(201,
        PAY_STR("{\"id\":\"" ORDER "\",\"status\":\"COMPLETED\","
                "\"purchase_units\":[{\"payments\":{\"captures\":[" PAID
                "]}}]}"));

    return paypal()->change_answer(failing, &change, &answer, result);
}


Test(pay_psp_paypal_change, failing_allocations_leave_nothing_behind)
{
    cr_expect_gt(torture(tortured_refund, sizeof(pay_http_request_t)), 0);
    cr_expect_gt(torture(tortured_capture, sizeof(pay_psp_changed_t)), 0);
}

/*
 * The Stripe adapter's own rules (docs/psp/stripe.md): the form on the wire,
 * units that differ from ISO 4217, echoes, errors, and what each event means.
 */

#include "psp_world.h"


typedef struct {
    const char  *currency;
    int64_t      ours;
    const char  *theirs;       /* NULL: refused */
} unit_t;

typedef struct {
    const char  *file;
    pay_fact_t   fact;
    const char  *type;
    int          about_session;
} event_row_t;


static pay_status_t
events_of(pay_arena_t *arena, pay_str_t body, pay_psp_event_t *event)
{
    unsigned          count = 0;
    pay_status_t      status;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    status = stripe()->webhook_events(arena, &account, PAY_STR("ignored"), body,
                                      events, &count, NULL);
    if (status == PAY_OK) {
        cr_assert_eq(count, 1);
        *event = events[0];
    }

    return status;
}


Test(pay_psp_stripe, form_on_the_wire_is_this)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    cr_assert_eq(stripe()->register_request(test_arena(), &account,
                                            &order, &request, NULL), PAY_OK);

    cr_expect(pay_str_is(request.url,
                         "https://psp.example/base/v1/checkout/sessions"));
    cr_expect(pay_str_is(field_of(&request, "Stripe-Version"),
                         "2026-10-28.endive"));
    cr_expect(pay_str_is(field_of(&request, "Content-Type"),
                         "application/x-www-form-urlencoded"));
    cr_expect(pay_str_is(request.body,
        "mode=payment"
        "&success_url=https%3A%2F%2Fpay.example.com%2Freturn%2Fabc"
        "&cancel_url=https%3A%2F%2Fpay.example.com%2Freturn%2Fabc"
        "%3Fcancelled%3D1"
        "&client_reference_id=" REFERENCE
        "&metadata%5Bpayment_reference%5D=" REFERENCE
        "&expires_at=1795240200"
        "&payment_intent_data%5Bmetadata%5D%5Bpayment_reference%5D="
        REFERENCE
        "&line_items%5B0%5D%5Bquantity%5D=1"
        "&line_items%5B0%5D%5Bprice_data%5D%5Bcurrency%5D=usd"
        "&line_items%5B0%5D%5Bprice_data%5D%5Bunit_amount%5D=1000"
        "&line_items%5B0%5D%5Bprice_data%5D%5Bproduct_data%5D%5Bname%5D="
        "T-shirt%20%26%20%22caf%C3%A9%22%20%5Bx%5D%3D1"
        "&line_items%5B1%5D%5Bquantity%5D=1"
        "&line_items%5B1%5D%5Bprice_data%5D%5Bcurrency%5D=usd"
        "&line_items%5B1%5D%5Bprice_data%5D%5Bunit_amount%5D=2000"
        "&line_items%5B1%5D%5Bprice_data%5D%5Bproduct_data%5D%5Bname%5D="
        "order-2"), "%.*s", pay_fmt(request.body));
}


Test(pay_psp_stripe, twenty_long_lines_fit)
{
    char                name[256];
    unsigned            i;
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    memset(name, '&', 255);
    name[255] = '\0';

    for (i = 0; i < PAY_PSP_LINES_MAX; i++) {
        order.lines[i].payment_order_id = PAY_STR("o");
        order.lines[i].name = pay_str_of(name);
        order.lines[i].amount_minor = 1;
    }

    order.line_count = PAY_PSP_LINES_MAX;
    order.amount_minor = PAY_PSP_LINES_MAX;

    cr_assert_eq(stripe()->register_request(test_arena(), &account,
                                            &order, &request, NULL), PAY_OK);
    cr_expect(contains(request.body, "&line_items%5B19%5D%5Bquantity%5D=1"));
}


Test(pay_psp_stripe, return_url_with_a_query_gets_an_ampersand)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.return_url = PAY_STR("https://pay.example.com/r?h=1");
    cr_assert_eq(stripe()->register_request(test_arena(), &account,
                                            &order, &request, NULL), PAY_OK);
    cr_expect(contains(request.body, "%3Fh%3D1%26cancelled%3D1&"));
}


Test(pay_psp_stripe, units_are_stripes)
{
    size_t              i;
    pay_err_t           err;
    pay_str_t           text;
    pay_status_t        status;
    pay_psp_checkout_t  order;
    pay_http_request_t  request;

    static const unit_t  rows[] = {
        { "USD", 1234, "1234" }, { "JPY", 1200, "1200" },
        { "KRW", 5, "5" }, { "XOF", 700, "700" }, { "HUF", 12345, "12345" },
        { "TWD", 100, "100" },
        { "ISK", 12, "1200" }, { "UGX", 5000, "500000" },
        { "MGA", 1200, "12" }, { "MGA", 1201, NULL }, { "MGA", 99, NULL },
        { "KWD", 1230, "1230" }, { "KWD", 1234, NULL }, { "BHD", 1, NULL },
        { "JOD", 10, "10" }, { "OMR", 10, "10" }, { "OMR", 15, NULL },
        { "TND", 1000, "1000" },
        { "IQD", 1000, NULL }, { "LYD", 1000, NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        order = order_of(currency_of(rows[i].currency), rows[i].ours);
        err.slug = "";
        status = stripe()->register_request(test_arena(), &account,
                                            &order, &request, &err);

        if (rows[i].theirs == NULL) {
            cr_expect_eq(status, PAY_INVALID, "%s", rows[i].currency);
            cr_expect_str_eq(err.slug,
                order.currency->exponent == 3 && rows[i].ours == 1000
                ? "currency-unsupported" : "amount-invalid");
            continue;
        }

        cr_assert_eq(status, PAY_OK, "%s", rows[i].currency);
        cr_assert_eq(pay_format(test_arena(), &text, 64,
                                "unit_amount%%5D=%s&", rows[i].theirs),
                     PAY_OK);
        cr_expect(contains(request.body, (const char *) text.data), "%s",
                  rows[i].currency);
    }
}


/* docs/psp/stripe.md#traps: a 500 is stored under the key; "do not retry" is
 * no proof that nothing happened.  And "do retry" is no refusal. */
Test(pay_psp_stripe, should_retry_never_turns_unknown_into_certainty)
{
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();
    pay_http_answer_t   answer;

    answer = answered(500, fixture(arena, stripe(), "error-api.json"));
    cr_expect_lt(register_judged(arena, stripe(), &order, answer)
                     .retry_after_s, 3600);
    answer.should_retry = 0;
    cr_expect_eq(register_judged(arena, stripe(), &order, answer).outcome,
                 PAY_PSP_UNKNOWN);
    cr_expect_eq(register_judged(arena, stripe(), &order, answer)
                     .retry_after_s, 3600, "asked not to repeat the call");
    answer.retry_after_s = 7200;
    cr_expect_eq(register_judged(arena, stripe(), &order, answer)
                     .retry_after_s, 7200);

    answer = answered(400, fixture(arena, stripe(),
                                   "error-invalid-request.json"));
    answer.should_retry = 1;
    cr_expect_eq(register_judged(arena, stripe(), &order, answer).outcome,
                 PAY_PSP_UNKNOWN);
    answer.should_retry = 0;
    cr_expect_eq(register_judged(arena, stripe(), &order, answer).outcome,
                 PAY_PSP_REFUSED);
}


Test(pay_psp_stripe, events_tell_their_facts)
{
    char             name[64];
    size_t           i;
    pay_arena_t     *arena = test_arena();
    pay_psp_event_t  event;

    static const event_row_t  rows[] = {
        { "completed-paid", PAY_FACT_PAID, "checkout.session.completed", 1 },
        { "completed-unpaid", PAY_FACT_PENDING, "checkout.session.completed",
          1 },
        { "completed-free", PAY_FACT_NONE, "checkout.session.completed", 1 },
        { "async-succeeded", PAY_FACT_PAID,
          "checkout.session.async_payment_succeeded", 1 },
        { "async-failed", PAY_FACT_DECLINED,
          "checkout.session.async_payment_failed", 1 },
        { "expired", PAY_FACT_EXPIRED, "checkout.session.expired", 1 },
        { "charge-refunded", PAY_FACT_NONE, "charge.refunded", 0 },
        { "charge-dispute-created", PAY_FACT_NONE, "charge.dispute.created",
          0 },
        { "payout-paid", PAY_FACT_NONE, "payout.paid", 0 },
        { "thin", PAY_FACT_NONE, "v1.billing.meter.error_report_triggered",
          0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(name, sizeof(name), "webhook-%s.json", rows[i].file);
        cr_assert_eq(events_of(arena, fixture(arena, stripe(), name), &event),
                     PAY_OK, "%s", name);
        cr_expect_eq(event.fact, rows[i].fact, "%s", name);
        cr_expect(pay_str_is(event.type, rows[i].type), "%s", name);
        cr_expect(contains(event.event_id, "evt_"), "%s", name);
        cr_expect(pay_str_is(event.token, rows[i].about_session
                                        ? token_text(stripe()) : ""),
                  "%s", name);
    }
}


Test(pay_psp_stripe, paid_event_carries_amount_and_payment)
{
    pay_arena_t     *arena = test_arena();
    pay_str_t        text;
    pay_psp_event_t  event;

    text = fixture(arena, stripe(), "webhook-completed-paid.json");
    cr_assert_eq(events_of(arena, text, &event), PAY_OK);
    cr_expect(event.has_amount && event.amount_minor == 3000);
    cr_expect(pay_str_is(event.currency, "USD"));
    cr_expect(pay_str_is(event.reference, "pi_1PgafyB7WZ01zgkWSjxsAJo3"));
    cr_expect(pay_str_is(event.event_id, "evt_1Pgc76B7WZ01zgkWwyRHS12y"));

    /* an expanded PaymentIntent */
    cr_assert_eq(events_of(arena, replaced(arena, text,
                     "\"payment_intent\": \"pi_1PgafyB7WZ01zgkWSjxsAJo3\"",
                     "\"payment_intent\": {\"id\": \"pi_2\"}"), &event),
                 PAY_OK);
    cr_expect(pay_str_is(event.reference, "pi_2"));
}


/* A completed session with that JSON for amount_total and currency. */
static pay_str_t
completed(pay_arena_t *arena, const char *total, const char *currency)
{
    pay_str_t  text;

    cr_assert_eq(pay_format(arena, &text, 512,
                     "{\"id\":\"evt_1\",\"object\":\"event\","
                     "\"type\":\"checkout.session.completed\",\"data\":"
                     "{\"object\":{\"id\":\"cs_1\",\"payment_status\":\"paid\","
                     "\"amount_total\":%s,\"currency\":%s}}}",
                     total, currency), PAY_OK);

    return text;
}


Test(pay_psp_stripe, type_in_other_case_means_nothing)
{
    pay_arena_t     *arena = test_arena();
    pay_psp_event_t  event;

    cr_assert_eq(events_of(arena, replaced(arena,
                     completed(arena, "3000", "\"usd\""), "session.completed",
                     "session.COMPLETED"), &event), PAY_OK);
    cr_expect_eq(event.fact, PAY_FACT_NONE);
    cr_expect_eq(event.token.len, 0);
}

/*
 * The PayPal adapter: what is PayPal's alone.  What every adapter must do, and
 * each fixture: test_conformance*.c.
 */

#include "psp_world.h"


#define ORDER    "5O190127TN364715T"
#define CAPTURE  "3C679366HH908993F"
#define UNIT     "\"amount\":{\"currency_code\":\"USD\",\"value\":\"30.00\"}"
#define PAID     "{\"id\":\"c-1\",\"status\":\"COMPLETED\"," UNIT "}"
#define ISSUE(issue)                                                          \
    "{\"name\":\"UNPROCESSABLE_ENTITY\",\"details\":[{\"issue\":\"" issue     \
    "\"}]}"

ARENA_SUITE(pay_psp_paypal);


static const pay_psp_adapter_t *
paypal(void)
{
    return pay_psp_find(PAY_STR("paypal"));
}


static pay_psp_account_t
account_of(pay_str_t api_key)
{
    pay_psp_account_t  made = account;

    made.api_key = api_key;

    return made;
}


/* An order of that status with those captures, asked for. */
static int
asked(const char *status, const char *captures, pay_psp_event_t *event)
{
    int                 known = -1;
    pay_str_t           body;
    pay_http_answer_t   answer;

    cr_assert_eq(pay_format(arena, &body, 4096,
                     "{\"id\":\"o\",\"status\":\"%s\",\"purchase_units\":"
                     "[{" UNIT ",\"payments\":{\"captures\":[%s]}}]}",
                     status, captures), PAY_OK);

    answer = answered(200, body);
    memset(event, 0, sizeof(*event));
    cr_assert_eq(paypal()->query_answer(arena, PAY_STR("o"), &answer, event,
                                        &known), PAY_OK);

    return known;
}


static pay_status_t
told(const char *body, pay_psp_event_t *event)
{
    unsigned          count = 0;
    pay_status_t      status;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    memset(event, 0, sizeof(*event));
    status = paypal()->webhook_events(arena, &account, PAY_STR("t-1"),
                                      pay_str_of(body), events, &count, NULL);
    if (status == PAY_OK) {
        cr_assert_eq(count, 1);
        *event = events[0];
    }

    return status;
}


Test(pay_psp_paypal, body_on_the_wire_is_this)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    cr_assert_eq(paypal()->register_request(arena, &account, &order, &request,
                                            NULL), PAY_OK);

    cr_expect(pay_str_is(request.method, "POST"));
    cr_expect(pay_str_is(request.url,
                         "https://psp.example/base/v2/checkout/orders"));
    cr_expect(pay_str_is(field_of(&request, "PayPal-Request-Id"), NONCE));
    cr_expect(pay_str_is(field_of(&request, "Prefer"),
                         "return=representation"));
    cr_expect(pay_str_is(field_of(&request, "Content-Type"),
                         "application/json"));
    cr_expect_eq(field_of(&request, "Authorization").len, 0);
    cr_expect(pay_str_is(request.body,
        "{\"intent\":\"CAPTURE\",\"purchase_units\":[{"
        "\"reference_id\":\"" REFERENCE "\",\"custom_id\":\"" REFERENCE "\","
        "\"invoice_id\":\"" REFERENCE "\",\"amount\":{"
        "\"currency_code\":\"USD\",\"value\":\"30.00\",\"breakdown\":{"
        "\"item_total\":{\"currency_code\":\"USD\",\"value\":\"30.00\"}}},"
        "\"items\":[{\"name\":\"T-shirt & \\\"caf\xc3\xa9\\\" [x]=1\","
        "\"sku\":\"order-1\",\"quantity\":\"1\",\"unit_amount\":{"
        "\"currency_code\":\"USD\",\"value\":\"10.00\"}},"
        "{\"name\":\"order-2\",\"sku\":\"order-2\",\"quantity\":\"1\","
        "\"unit_amount\":{\"currency_code\":\"USD\",\"value\":\"20.00\"}}]}],"
        "\"payment_source\":{\"paypal\":{\"experience_context\":{"
        "\"user_action\":\"PAY_NOW\",\"shipping_preference\":\"NO_SHIPPING\","
        "\"return_url\":\"https://pay.example.com/return/abc\","
        "\"cancel_url\":\"https://pay.example.com/return/abc?cancelled=1\""
        "}}}}"), "%.*s", pay_fmt(request.body));
}


Test(pay_psp_paypal, a_return_url_with_a_query_gets_an_ampersand)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.return_url = PAY_STR("https://pay.example.com/r?h=1");
    cr_assert_eq(paypal()->register_request(arena, &account, &order, &request,
                                            NULL), PAY_OK);
    cr_expect(contains(request.body, "/r?h=1&cancelled=1\""));
}


/* 127 bytes, and never half a character. */
Test(pay_psp_paypal, long_names_are_cut_between_characters)
{
    char                name[256];
    size_t              i, at, lead;
    pay_psp_checkout_t  order;
    pay_http_request_t  request;

    for (lead = 0; lead < 3; lead++) {
        memset(name, 'x', sizeof(name));

        for (i = lead; i + 3 < 255; i += 3) {
            memcpy(name + i, "\xe2\x82\xac", 3);
        }

        name[i] = '\0';
        order = order_of(currency_of("USD"), 100);
        order.lines[0].name = pay_str_of(name);
        cr_assert_eq(paypal()->register_request(arena, &account, &order,
                                                &request, NULL), PAY_OK);

        at = position(request.body, "\"name\":\"") + 8;
        i = 0;

        while (request.body.data[at + i] != '"') {
            i++;
        }

        cr_expect_eq(i, lead + (127 - lead) / 3 * 3, "%zu: %zu", lead, i);
        cr_expect_eq(memcmp(request.body.data + at, name, i), 0);
    }
}


Test(pay_psp_paypal, units_are_paypals)
{
    size_t              i;
    pay_err_t           err;
    pay_str_t           text;
    pay_status_t        status;
    pay_psp_checkout_t  order;
    pay_http_request_t  request;

    static const struct {
        const char  *currency;
        int64_t      ours;
        const char  *theirs;           /* NULL: refused */
    } rows[] = {
        { "USD", 1, "0.01" }, { "USD", 100, "1.00" }, { "EUR", 12345,
          "123.45" }, { "GBP", PAY_AMOUNT_MAX_MINOR, "9999999999999.99" },
        { "JPY", 1200, "1200" }, { "JPY", 1, "1" },
        { "HUF", 12300, "123" }, { "HUF", 12345, NULL }, { "HUF", 1, NULL },
        { "TWD", 100, "1" }, { "TWD", 99, NULL }, { "TWD", 101, NULL },
        { "KRW", 100, NULL }, { "KWD", 1000, NULL }, { "TND", 1000, NULL },
        { "ISK", 100, NULL }, { "INR", 100, NULL }, { "CLF", 10000, NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        order = order_of(currency_of(rows[i].currency), rows[i].ours);
        err.slug = "";
        status = paypal()->register_request(arena, &account, &order, &request,
                                            &err);

        if (rows[i].theirs == NULL) {
            cr_expect_eq(status, PAY_INVALID, "%s", rows[i].currency);
            cr_expect_str_eq(err.slug,
                             strchr("HT", rows[i].currency[0])
                             && strcmp(rows[i].currency, "TND")
                             ? "amount-invalid" : "currency-unsupported");
            continue;
        }

        cr_assert_eq(status, PAY_OK, "%s", rows[i].currency);
        cr_assert_eq(pay_format(arena, &text, 128, "\"amount\":{"
                                "\"currency_code\":\"%s\",\"value\":\"%s\"",
                                rows[i].currency, rows[i].theirs), PAY_OK);
        cr_expect(contains(request.body, (const char *) text.data), "%s",
                  (const char *) text.data);
    }
}


/* Two fractions of a forint that are a whole one together. */
Test(pay_psp_paypal, lines_that_have_no_spelling_are_left_out)
{
    pay_psp_checkout_t  order = order_of(currency_of("HUF"), 20000);
    pay_http_request_t  request;

    order.lines[0].amount_minor = 10050;
    order.lines[1].amount_minor = 9950;
    order.line_count = 2;
    cr_assert_eq(paypal()->register_request(arena, &account, &order, &request,
                                            NULL), PAY_OK);
    cr_expect(contains(request.body, "\"value\":\"200\"}"));
    cr_expect_not(contains(request.body, "items"));
    cr_expect_not(contains(request.body, "breakdown"));
}


static pay_psp_registered_t
judged_with(const char *from, const char *to)
{
    pay_psp_checkout_t  checkout = order_make();

    return register_judged(arena, paypal(), &checkout,
                           answered(201, replaced(arena,
                               fixture(arena, paypal(),
                                       "register-answer.json"), from, to)));
}


Test(pay_psp_paypal, an_echo_that_differs_is_a_mismatch)
{
    size_t                i;
    pay_psp_registered_t  result;

    static const char *const  rows[][2] = {
        { "\"value\": \"30.00\"", "\"value\": \"30.01\"" },
        { "\"value\": \"30.00\"", "\"value\": \"3000\"" },
        { "\"value\": \"30.00\"", "\"value\": \"-30.00\"" },
        { "\"value\": \"30.00\"", "\"value\": \"30.001\"" },
        { "\"value\": \"30.00\"", "\"value\": \"30.00.00\"" },
        { "\"value\": \"30.00\"", "\"value\": \"30,00\"" },
        { "\"value\": \"30.00\"", "\"value\": \" 30.00\"" },
        { "\"value\": \"30.00\"", "\"value\": \"3e1\"" },
        { "\"value\": \"30.00\"", "\"value\": \".30\"" },
        { "\"value\": \"30.00\"", "\"value\": \"30.\"" },
        { "\"value\": \"30.00\"", "\"value\": \"\"" },
        { "\"value\": \"30.00\"",
          "\"value\": \"0000000000000000000000000000030.00\"" },
        { "\"value\": \"30.00\"", "\"value\": \"9999999999999999999.99\"" },
        { "\"currency_code\": \"USD\"", "\"currency_code\": \"usd\"" },
        { "\"currency_code\": \"USD\"", "\"currency_code\": \"CAD\"" },
        { "\"reference_id\": \"0199", "\"reference_id\": \"1199" },
        { "\"custom_id\": \"0199", "\"custom_id\": \"1199" },
        { "\"intent\": \"CAPTURE\"", "\"intent\": \"AUTHORIZE\"" },
        { "\"purchase_units\": [", "\"purchase_units\": [{}, " }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        result = judged_with(rows[i][0], rows[i][1]);
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s", rows[i][1]);
        cr_expect(pay_str_is(result.code, "answer_mismatch"), "%s: %.*s",
                  rows[i][1], pay_fmt(result.code));
    }
}


Test(pay_psp_paypal, one_amount_has_several_spellings)
{
    size_t  i;

    static const char *const  values[] = {
        "\"value\": \"30\"", "\"value\": \"30.0\"", "\"value\": \"30.000\""
    };

    for (i = 0; i < 3; i++) {
        cr_expect_eq(judged_with("\"value\": \"30.00\"", values[i]).outcome,
                     PAY_PSP_DONE, "%s", values[i]);
    }
}


Test(pay_psp_paypal, an_echo_of_wrong_type_is_invalid)
{
    size_t                i;
    pay_psp_registered_t  result;

    static const char *const  rows[][2] = {
        { "\"value\": \"30.00\"", "\"value\": 30.00" },
        { "\"value\": \"30.00\"", "\"value\": null" },
        { "\"currency_code\": \"USD\"", "\"currency_code\": 840" },
        { "\"reference_id\": \"", "\"reference_id\": {}, \"x\": \"" },
        { "\"intent\": \"CAPTURE\"", "\"intent\": [\"CAPTURE\"]" },
        { "\"purchase_units\": [", "\"purchase_units\": {}, \"x\": [" },
        { "\"purchase_units\": [", "\"purchase_units\": [], \"x\": [" },
        { "\"purchase_units\": [", "\"purchase_units\": [1], \"x\": [" },
        { "\"links\": [", "\"links\": {}, \"x\": [" },
        { "\"rel\": \"payer-action\"", "\"rel\": \"evil\"" },
        { "\"rel\": \"payer-action\"", "\"rel\": 1" },
        { "https://www.paypal.com/checkoutnow", "https://www.paypal.com/ x" },
        { "\"id\": \"5O", "\"id\": \"../5O" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        result = judged_with(rows[i][0], rows[i][1]);
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s", rows[i][1]);
        cr_expect(pay_str_is(result.code, "answer_invalid"), "%s: %.*s",
                  rows[i][1], pay_fmt(result.code));
    }
}


Test(pay_psp_paypal, errors_are_called_by_their_issue)
{
    size_t                i;
    pay_psp_checkout_t    order = order_make();
    pay_psp_registered_t  result;

    static const struct {
        unsigned           status;
        const char        *body;
        pay_psp_outcome_t  outcome;
        const char        *code;
    } rows[] = {
        { 422, ISSUE("CURRENCY_NOT_SUPPORTED_FOR_COUNTRY"), PAY_PSP_REFUSED,
          "currency_not_supported_for_country" },
        { 400, "{\"name\":\"INVALID_REQUEST\"}", PAY_PSP_REFUSED,
          "invalid_request" },
        { 400, "{\"name\":\"INVALID_REQUEST\",\"details\":[]}",
          PAY_PSP_REFUSED, "invalid_request" },
        { 400, "{\"name\":\"INVALID_REQUEST\",\"details\":{\"issue\":\"X\"}}",
          PAY_PSP_REFUSED, "invalid_request" },
        { 422, "{\"name\":\"X\",\"details\":[{\"issue\":\"A\"},"
               "{\"issue\":\"DUPLICATE_INVOICE_ID\"}]}", PAY_PSP_UNKNOWN,
          "duplicate_invoice_id" },
        { 422, ISSUE("DUPLICATE_REQUEST_ID"), PAY_PSP_UNKNOWN,
          "duplicate_request_id" },
        { 422, "{\"name\":\"RESOURCE_CONFLICT\"}", PAY_PSP_UNKNOWN,
          "resource_conflict" },
        { 400, "{\"name\":[]}", PAY_PSP_UNKNOWN, "http_400" },
        { 400, "{\"name\":\"\"}", PAY_PSP_UNKNOWN, "http_400" },
        { 400, "{\"error\":\"invalid_request\"}", PAY_PSP_REFUSED,
          "invalid_request" },
        { 401, "{\"error\":\"invalid_token\"}", PAY_PSP_NOT_SENT,
          "invalid_token" },
        { 429, "{\"name\":\"RATE_LIMIT_REACHED\"}", PAY_PSP_NOT_SENT,
          "rate_limit_reached" },
        { 404, "{\"name\":\"RESOURCE_NOT_FOUND\"}", PAY_PSP_REFUSED,
          "resource_not_found" },
        { 404, "{\"message\":\"no route\"}", PAY_PSP_UNKNOWN,
          "answer_invalid" },
        { 503, "{\"name\":\"SERVICE_UNAVAILABLE\"}", PAY_PSP_UNKNOWN,
          "service_unavailable" },
        { 200, "{\"name\":\"INTERNAL_SERVER_ERROR\"}", PAY_PSP_UNKNOWN,
          "answer_invalid" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        result = register_judged(arena, paypal(), &order,
                                 answered(rows[i].status,
                                          pay_str_of(rows[i].body)));
        cr_expect_eq(result.outcome, rows[i].outcome, "%u %s", rows[i].status,
                     rows[i].body);
        cr_expect(pay_str_is(result.code, rows[i].code), "%s: %.*s",
                  rows[i].body, pay_fmt(result.code));
    }
}


/* docs/psp/paypal.md#traps: APPROVED is not paid, and COMPLETED alone is not
 * either. */
Test(pay_psp_paypal, captures_are_the_money_and_not_the_order)
{
    size_t           i;
    pay_psp_event_t  event;

    static const struct {
        const char  *status;
        const char  *captures;
        pay_fact_t   fact;
        int          must_capture;
    } rows[] = {
        { "CREATED", "", PAY_FACT_NONE, 0 },
        { "SAVED", "", PAY_FACT_NONE, 0 },
        { "PAYER_ACTION_REQUIRED", "", PAY_FACT_NONE, 0 },
        { "APPROVED", "", PAY_FACT_NONE, 1 },
        { "COMPLETED", "", PAY_FACT_NONE, 0 },
        { "VOIDED", "", PAY_FACT_CANCELLED, 0 },
        { "BRAND_NEW", "", PAY_FACT_NONE, 0 },
        { "approved", "", PAY_FACT_NONE, 0 },
        { "COMPLETED", PAID, PAY_FACT_PAID, 0 },
        { "APPROVED", PAID, PAY_FACT_PAID, 0 },
        { "VOIDED", PAID, PAY_FACT_PAID, 0 },
        { "BRAND_NEW", PAID, PAY_FACT_PAID, 0 },
        { "COMPLETED", "{\"status\":\"PENDING\"}", PAY_FACT_PENDING, 0 },
        { "APPROVED", "{\"status\":\"PENDING\"}", PAY_FACT_PENDING, 0 },
        { "COMPLETED", "{\"status\":\"DECLINED\"}", PAY_FACT_DECLINED, 0 },
        { "COMPLETED", "{\"status\":\"FAILED\"}", PAY_FACT_DECLINED, 0 },
        { "APPROVED", "{\"status\":\"DECLINED\"}", PAY_FACT_NONE, 1 },
        { "PAYER_ACTION_REQUIRED", "{\"status\":\"DECLINED\"}",
          PAY_FACT_ATTEMPT, 0 },
        { "COMPLETED", "{\"status\":\"BRAND_NEW\"}", PAY_FACT_NONE, 0 },
        { "COMPLETED", "{\"status\":\"completed\"}", PAY_FACT_NONE, 0 },
        { "COMPLETED", "{\"status\":\"DECLINED\"}," PAID, PAY_FACT_PAID, 0 },
        { "COMPLETED", PAID ",{\"status\":\"DECLINED\"}", PAY_FACT_PAID, 0 },
        { "COMPLETED", "{\"status\":\"FAILED\"},{\"status\":\"PENDING\"}",
          PAY_FACT_PENDING, 0 },
        { "COMPLETED", "1,null,[],\"COMPLETED\"", PAY_FACT_NONE, 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(asked(rows[i].status, rows[i].captures, &event), 1,
                     "%zu", i);
        cr_expect_eq(event.fact, rows[i].fact, "%zu: %s", i,
                     pay_fact_name(event.fact));
        cr_expect_eq(event.must_capture, rows[i].must_capture, "%zu", i);
        cr_expect_eq(event.must_ask, 0);
        cr_expect(event.fact == PAY_FACT_ATTEMPT
                  ? !event.has_amount
                  : event.has_amount && event.amount_minor == 3000, "%zu", i);
    }
}


Test(pay_psp_paypal, money_without_a_readable_amount_is_not_believed)
{
    pay_psp_event_t  event;

    cr_expect_eq(asked("COMPLETED", "{\"status\":\"COMPLETED\"}", &event), 0);
    cr_expect_eq(asked("COMPLETED", "{\"status\":\"COMPLETED\",\"amount\":{"
                       "\"value\":\"30.00\"}}", &event), 0);
    cr_expect_eq(asked("COMPLETED", "{\"status\":\"COMPLETED\",\"amount\":{"
                       "\"value\":\"30.00\",\"currency_code\":\"usd\"}}",
                       &event), 0);
}


/* An amount that is no amount of ours goes to the mismatch queue. */
Test(pay_psp_paypal, money_that_is_not_ours_is_told_as_nothing)
{
    size_t           i;
    pay_psp_event_t  event;

    static const char *const  captures[] = {
        PAID "," PAID,
        "{\"status\":\"COMPLETED\",\"amount\":{\"currency_code\":\"USD\","
        "\"value\":\"-30.00\"}}",
        "{\"status\":\"COMPLETED\",\"amount\":{\"currency_code\":\"USD\","
        "\"value\":\"30.005\"}}",
        "{\"status\":\"COMPLETED\",\"amount\":{\"currency_code\":\"JPY\","
        "\"value\":\"30.5\"}}",
        "{\"status\":\"COMPLETED\",\"amount\":{\"currency_code\":\"KWD\","
        "\"value\":\"30.000\"}}",
        "{\"status\":\"COMPLETED\",\"amount\":{\"currency_code\":\"XXX\","
        "\"value\":\"30.00\"}}",
        "{\"status\":\"COMPLETED\",\"amount\":{\"currency_code\":\"USD\","
        "\"value\":\"999999999999999.99\"}}"
    };

    for (i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
        cr_expect_eq(asked("COMPLETED", captures[i], &event), 1, "%zu", i);
        cr_expect_eq(event.fact, PAY_FACT_PAID);
        cr_expect(event.has_amount && event.amount_minor == 0, "%zu: %lld", i,
                  (long long) event.amount_minor);
    }

    cr_expect_eq(asked("COMPLETED", "{\"status\":\"COMPLETED\",\"amount\":{"
                       "\"currency_code\":\"JPY\",\"value\":\"30.0\"}}",
                       &event), 1);
    cr_expect_eq(event.amount_minor, 30);
    cr_expect_eq(asked("COMPLETED", "{\"status\":\"COMPLETED\",\"amount\":{"
                       "\"currency_code\":\"HUF\",\"value\":\"123\"}}",
                       &event), 1);
    cr_expect_eq(event.amount_minor, 12300);
}


/* It was polled for ever. */
Test(pay_psp_paypal, an_order_that_paypal_has_forgotten_is_no_fact)
{
    unsigned            i;
    int                 known;
    pay_psp_event_t     event;
    pay_http_answer_t   answer;

    static const pay_str_t  others[] = {
        pay_string(""), pay_string("{}"), pay_string("<html></html>"),
        pay_string("{\"name\":\"resource_not_found\"}"),
        pay_string("{\"name\":[\"RESOURCE_NOT_FOUND\"]}"),
        pay_string("{\"details\":[{\"issue\":\"INVALID_RESOURCE_ID\"}]}"),
        pay_string("{\"name\":\"RESOURCE_NOT_FOUND\"")
    };

    answer = answered(404, PAY_STR("{\"name\":\"RESOURCE_NOT_FOUND\"}"));
    cr_assert_eq(paypal()->query_answer(arena, PAY_STR("o"), &answer, &event,
                                        &known), PAY_OK);
    cr_expect(known && event.fact == PAY_FACT_NONE && !event.must_capture);
    cr_expect(!event.has_amount && pay_str_is(event.token, "o"));

    answer.sent = PAY_SENT_SOME;
    cr_assert_eq(paypal()->query_answer(arena, PAY_STR("o"), &answer, &event,
                                        &known), PAY_OK);
    cr_expect_not(known);

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        answer = answered(404, others[i]);
        cr_assert_eq(paypal()->query_answer(arena, PAY_STR("o"), &answer,
                                            &event, &known), PAY_OK);
        cr_expect_not(known, "%u", i);
    }
}


Test(pay_psp_paypal, two_purchase_units_are_no_order_of_ours)
{
    int                 known;
    pay_psp_event_t     event;
    pay_http_answer_t   answer;

    answer = answered(200,
        PAY_STR("{\"id\":\"o\",\"status\":\"COMPLETED\",\"purchase_units\":"
                "[{" UNIT "},{\"payments\":{\"captures\":[" PAID "]}}]}"));
    cr_assert_eq(paypal()->query_answer(arena, PAY_STR("o"), &answer, &event,
                                        &known), PAY_OK);
    cr_expect(known && event.fact == PAY_FACT_PAID);
    cr_expect(event.has_amount && event.amount_minor == 0);
}


Test(pay_psp_paypal, a_capture_is_the_payment_that_refunds_go_to)
{
    pay_psp_event_t  event;

    cr_expect_eq(asked("COMPLETED", PAID, &event), 1);
    cr_expect(pay_str_is(event.reference, "c-1"));
    cr_expect(pay_str_is(event.type, "completed"));

    cr_expect_eq(asked("COMPLETED", "{\"id\":\"c-2\",\"status\":\"PENDING\","
                       "\"status_details\":{\"reason\":\"ECHECK\"}}",
                       &event), 1);
    cr_expect(pay_str_is(event.reference, "c-2"));
    cr_expect(pay_str_is(event.code, "echeck"));

    cr_expect_eq(asked("COMPLETED", "{\"id\":\"c/../2\","
                       "\"status\":\"PENDING\"}", &event), 1);
    cr_expect_eq(event.reference.len, 0);
}


Test(pay_psp_paypal, a_token_is_asked_for_with_both_halves_of_the_key)
{
    size_t               i;
    pay_psp_account_t    ours = account_of(PAY_STR("client:secret"));
    pay_http_request_t   request;

    static const pay_str_t  bad[] = {
        pay_string(""), pay_string(":"), pay_string("client"),
        pay_string("client:"), pay_string(":secret"),
        pay_string("cli ent:secret"), pay_string("client:se\r\ncret"),
        pay_string("client:s\0"), pay_string("cl\xc3\xa4:secret")
    };

    cr_assert_eq(paypal()->auth_request(arena, &ours, &request), PAY_OK);
    cr_expect(pay_str_is(request.method, "POST"));
    cr_expect(pay_str_is(request.url,
                         "https://psp.example/base/v1/oauth2/token"));
    cr_expect(pay_str_is(field_of(&request, "Authorization"),
                         "Basic Y2xpZW50OnNlY3JldA=="));
    cr_expect(pay_str_is(field_of(&request, "Content-Type"),
                         "application/x-www-form-urlencoded"));
    cr_expect(pay_str_is(request.body, "grant_type=client_credentials"));

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ours = account_of(bad[i]);
        cr_expect_eq(paypal()->auth_request(arena, &ours, &request), PAY_BUG,
                     "%zu", i);
    }

    ours = account_of((pay_str_t) { 513, memset(pay_alloc(arena, 513), ':',
                                                513) });
    cr_expect_eq(paypal()->auth_request(arena, &ours, &request), PAY_BUG);
}


#define TOKEN(token, type, life)                                              \
    "{\"access_token\":" token ",\"token_type\":" type ",\"expires_in\":"    \
    life "}"

Test(pay_psp_paypal, only_a_usable_token_is_taken)
{
    size_t              i;
    pay_psp_auth_t      auth = { PAY_STR("old"), 7 };
    pay_http_answer_t   answer;

    static const char *const  bad[] = {
        "", "[]", "{}", "null", TOKEN("\"\"", "\"Bearer\"", "60"),
        TOKEN("\"a b\"", "\"Bearer\"", "60"), TOKEN("1", "\"Bearer\"", "60"),
        TOKEN("\"a\\r\\nX: y\"", "\"Bearer\"", "60"),
        TOKEN("\" a\"", "\"Bearer\"", "60"),
        TOKEN("\"a\x7f\"", "\"Bearer\"", "60"),
        TOKEN("\"\xc3\xa4\"", "\"Bearer\"", "60"),
        TOKEN("\"a\"", "\"Basic\"", "60"), TOKEN("\"a\"", "null", "60"),
        TOKEN("\"a\"", "\"Bearer\"", "0"), TOKEN("\"a\"", "\"Bearer\"", "-1"),
        TOKEN("\"a\"", "\"Bearer\"", "\"60\""),
        TOKEN("\"a\"", "\"Bearer\"", "60.5"),
        TOKEN("\"a\"", "\"Bearer\"", "null")
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        answer = answered(200, pay_str_of(bad[i]));
        cr_expect_eq(paypal()->auth_answer(arena, &answer, &auth),
                     PAY_INVALID, "%s", bad[i]);
    }

    answer = answered(201, PAY_STR(TOKEN("\"a\"", "\"Bearer\"", "60")));
    cr_expect_eq(paypal()->auth_answer(arena, &answer, &auth), PAY_INVALID);
    answer = answered(200, answer.body);
    answer.sent = PAY_SENT_SOME;
    cr_expect_eq(paypal()->auth_answer(arena, &answer, &auth), PAY_INVALID);
    cr_expect(pay_str_is(auth.token, "old") && auth.lifetime_s == 7);

    answer.sent = PAY_ANSWERED;
    cr_assert_eq(paypal()->auth_answer(arena, &answer, &auth), PAY_OK);
    cr_expect(pay_str_is(auth.token, "a") && auth.lifetime_s == 60);
    answer = answered(200, PAY_STR(TOKEN("\"~a!\"", "\"bearer\"",
                                         "9223372036854775807")));
    cr_assert_eq(paypal()->auth_answer(arena, &answer, &auth), PAY_OK);
    cr_expect(pay_str_is(auth.token, "~a!"));
    cr_expect_eq(auth.lifetime_s, 86400, "not for ever");
}


Test(pay_psp_paypal, a_token_as_long_as_allowed_and_one_byte_more)
{
    unsigned char       text[PAY_PSP_AUTH_MAX + 1];
    pay_str_t           body;
    pay_psp_auth_t      auth;
    pay_http_answer_t   answer;

    memset(text, 'a', sizeof(text));
    cr_assert_eq(pay_format(arena, &body, 8192,
                            TOKEN("\"%.*s\"", "\"Bearer\"", "60"),
                            PAY_PSP_AUTH_MAX, (const char *) text), PAY_OK);
    answer = answered(200, body);
    cr_assert_eq(paypal()->auth_answer(arena, &answer, &auth), PAY_OK);
    cr_expect_eq(auth.token.len, PAY_PSP_AUTH_MAX);

    cr_assert_eq(pay_format(arena, &body, 8192,
                            TOKEN("\"%.*s\"", "\"Bearer\"", "60"),
                            PAY_PSP_AUTH_MAX + 1, (const char *) text),
                 PAY_OK);
    answer = answered(200, body);
    cr_expect_eq(paypal()->auth_answer(arena, &answer, &auth), PAY_INVALID);
}


/* Only a CRC of a webhook's body is signed. */
Test(pay_psp_paypal, no_webhook_moves_anything_by_itself)
{
    size_t           i;
    pay_psp_event_t  event;

    static const struct {
        const char  *type;
        const char  *resource;
        const char  *token;            /* NULL: about no order */
    } rows[] = {
        { "CHECKOUT.ORDER.APPROVED", "{\"id\":\"o-1\"}", "o-1" },
        { "CHECKOUT.ORDER.COMPLETED", "{\"id\":\"o-1\"}", "o-1" },
        { "CHECKOUT.ORDER.VOIDED", "{\"id\":\"o-1\"}", "o-1" },
        { "CHECKOUT.ORDER.APPROVED", "{\"id\":\"o/1\"}", NULL },
        { "CHECKOUT.ORDER.APPROVED", "{\"id\":1}", NULL },
        { "CHECKOUT.ORDER.APPROVED", "{}", NULL },
        { "CHECKOUT.PAYMENT-APPROVAL.REVERSED", "{\"order_id\":\"o-1\"}",
          "o-1" },
        { "PAYMENT.CAPTURE.COMPLETED", "{\"id\":\"c-1\",\"status\":"
          "\"COMPLETED\"," UNIT ",\"supplementary_data\":{\"related_ids\":{"
          "\"order_id\":\"o-1\"}}}", "o-1" },
        { "PAYMENT.CAPTURE.DENIED", "{\"supplementary_data\":{"
          "\"related_ids\":{\"order_id\":\"o-1\"}}}", "o-1" },
        { "PAYMENT.CAPTURE.COMPLETED", "{\"id\":\"c-1\"}", NULL },
        { "PAYMENT.CAPTURE.COMPLETED", "{\"supplementary_data\":[]}", NULL },
        { "PAYMENT.CAPTURE.COMPLETED", "{\"supplementary_data\":{"
          "\"related_ids\":{\"order_id\":[\"o-1\"]}}}", NULL },
        { "CUSTOMER.DISPUTE.CREATED", "{\"id\":\"o-1\"}", NULL },
        { "BILLING.PLAN.CREATED", "{\"id\":\"o-1\"}", NULL },
        { "CHECKOUT.ORDER.", "{\"id\":\"o-1\"}", NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pay_str_t  body;

        cr_assert_eq(pay_format(arena, &body, 4096,
                         "{\"id\":\"WH-1\",\"event_type\":\"%s\","
                         "\"resource\":%s}", rows[i].type, rows[i].resource),
                     PAY_OK);
        cr_assert_eq(told((const char *) body.data, &event), PAY_OK, "%zu",
                     i);
        cr_expect(pay_str_is(event.event_id, "WH-1"));
        cr_expect_eq(event.fact, PAY_FACT_NONE);
        cr_expect_eq(event.has_amount, 0);
        cr_expect_eq(event.must_capture, 0);
        cr_expect_eq(event.must_ask, rows[i].token != NULL, "%zu", i);
        cr_expect(pay_str_is(event.token, rows[i].token ? rows[i].token : ""),
                  "%zu", i);
    }
}


Test(pay_psp_paypal, what_is_no_event_is_refused)
{
    size_t           i;
    pay_psp_event_t  event;

    static const char *const  bodies[] = {
        "{}", "{\"id\":\"WH-1\"}",
        "{\"id\":\"WH-1\",\"event_type\":\"A.B\"}",
        "{\"event_type\":\"A.B\",\"resource\":{}}",
        "{\"id\":\"\",\"event_type\":\"A.B\",\"resource\":{}}",
        "{\"id\":\"a b\",\"event_type\":\"A.B\",\"resource\":{}}",
        "{\"id\":1,\"event_type\":\"A.B\",\"resource\":{}}",
        "{\"id\":\"WH-1\",\"event_type\":\"\",\"resource\":{}}",
        "{\"id\":\"WH-1\",\"event_type\":[],\"resource\":{}}",
        "{\"id\":\"WH-1\",\"event_type\":\"A.B\",\"resource\":[]}",
        "{\"id\":\"WH-1\",\"event_type\":\"A.B\",\"resource\":null}",
        "[{\"id\":\"WH-1\",\"event_type\":\"A.B\",\"resource\":{}}]",
        "id=WH-1&event_type=A.B"
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        cr_expect_eq(told(bodies[i], &event), PAY_INVALID, "%s", bodies[i]);
    }

    cr_expect_eq(told("{\"id\":\"WH-1\",\"event_type\":\"A.B\","
                      "\"resource\":{}}", &event), PAY_OK);
    cr_expect(pay_str_is(event.type, "a.b"));
}


static pay_status_t
tortured_register(pay_arena_t *failing, void *result)
{
    pay_psp_checkout_t      checkout = order_make();

    return paypal()->register_request(failing, &account, &checkout, result,
                                      NULL);
}


static pay_status_t
tortured_auth(pay_arena_t *failing, void *result)
{
    pay_psp_account_t  ours = account_of(PAY_STR("client:secret"));

    return paypal()->auth_request(failing, &ours, result);
}


Test(pay_psp_paypal, failing_allocations_leave_nothing_behind)
{
    cr_expect_gt(torture(tortured_register, sizeof(pay_http_request_t)), 0);
    cr_expect_gt(torture(tortured_auth, sizeof(pay_http_request_t)), 0);
}

/*
 * The Adyen adapter against docs/psp/adyen.md: requests to the byte, its own
 * units, what links and webhooks tell.
 */

#include "psp_world.h"
#include "pay_id.h"


#define LINK     "PLE83C39B0A0DE0C1E"
#define PAYMENT  "993617894903480A"
#define AMOUNT   "\"amount\":{\"value\":3000,\"currency\":\"USD\"}"


static const pay_psp_adapter_t *
adyen(void)
{
    return pay_psp_find(PAY_STR("adyen"));
}


static pay_psp_change_t
change_of(pay_psp_change_kind_t kind)
{
    pay_psp_change_t  change;

    memset(&change, 0, sizeof(change));
    change.kind = kind;
    change.key = PAY_STR("refund-1");
    change.token = PAY_STR(LINK);
    change.alias = PAY_STR(REFERENCE);
    change.reference = PAY_STR(PAYMENT);
    change.merchant_reference = PAY_STR(REFERENCE);
    change.currency = currency_of("USD");
    change.amount_minor = 3000;

    return change;
}


static pay_http_request_t
change_sent(pay_arena_t *arena, const pay_psp_change_t *change)
{
    pay_http_request_t  request;

    cr_assert_eq(adyen()->change_request(arena, &account, change, &request,
                                         NULL), PAY_OK);
    cr_expect(pay_str_is(field_of(&request, "X-API-Key"), API_KEY));
    cr_expect_eq(field_of(&request, "Authorization").len, 0);

    return request;
}


static pay_psp_changed_t
change_judged(pay_arena_t *arena, pay_psp_change_kind_t kind,
    unsigned status, pay_str_t body)
{
    pay_psp_change_t    change = change_of(kind);
    pay_psp_changed_t   result;
    pay_http_answer_t   answer = answered(status, body);

    memset(&result, 0xa5, sizeof(result));
    cr_assert_eq(adyen()->change_answer(arena, &change, &answer, &result),
                 PAY_OK);

    return result;
}


static pay_psp_registered_t
judged_with(pay_arena_t *arena, const char *from, const char *to)
{
    pay_str_t           text;
    pay_psp_checkout_t  checkout = order_make();

    text = fixture(arena, adyen(), "register-answer.json");

    return register_judged(arena, adyen(), &checkout,
                           answered(201, replaced(arena, text, from, to)));
}


Test(pay_psp_adyen, registration_on_the_wire_is_this)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.lines[0].name = PAY_STR("caf\xc3\xa9 \"x\"");
    cr_assert_eq(adyen()->register_request(test_arena(), &account,
                                           &order, &request, NULL), PAY_OK);

    cr_expect(pay_str_is(request.method, "POST"));
    cr_expect(pay_str_is(request.url,
                         "https://psp.example/base/v72/paymentLinks"));
    cr_expect(pay_str_is(field_of(&request, "X-API-Key"), API_KEY));
    cr_expect_eq(field_of(&request, "Authorization").len, 0);
    cr_expect(pay_str_is(field_of(&request, "Idempotency-Key"), NONCE));
    cr_expect(pay_str_is(field_of(&request, "Content-Type"),
                         "application/json"));
    cr_expect(pay_str_is(request.body,
        "{\"merchantAccount\":\"YOUR_ACCOUNT\",\"reference\":\"" REFERENCE
        "\",\"amount\":{\"value\":3000,\"currency\":\"USD\"},"
        "\"expiresAt\":\"2026-11-21T05:50:00Z\","
        "\"returnUrl\":\"https://pay.example.com/return/abc\",\"lineItems\":["
        "{\"id\":\"order-1\",\"description\":\"caf\xc3\xa9 \\\"x\\\"\","
        "\"quantity\":1,\"amountIncludingTax\":1000},"
        "{\"id\":\"order-2\",\"description\":\"order-2\","
        "\"quantity\":1,\"amountIncludingTax\":2000}]}"), "%.*s",
        pay_fmt(request.body));
}


/* Adyen takes 64 bytes; the longest of our ids has as many. */
Test(pay_psp_adyen, keys_fit_and_those_of_different_calls_differ)
{
    char                longest[PAY_ID_MAX + 1];
    size_t              i, j;
    pay_str_t           keys[5];
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();
    pay_psp_change_t    change;
    pay_http_request_t  request;

    static const pay_psp_change_kind_t  kinds[] = {
        PAY_PSP_CAPTURE, PAY_PSP_CANCEL, PAY_PSP_REFUND
    };

    memset(longest, 'x', PAY_ID_MAX);
    longest[PAY_ID_MAX] = '\0';
    order.nonce = pay_str_of(longest);
    cr_assert_eq(adyen()->register_request(arena, &account, &order, &request,
                                           NULL), PAY_OK);
    keys[0] = field_of(&request, "Idempotency-Key");

    for (i = 0; i < 3; i++) {
        change = change_of(kinds[i]);
        change.key = order.nonce;
        request = change_sent(arena, &change);
        keys[i + 1] = field_of(&request, "Idempotency-Key");
    }

    change.key = PAY_STR("short");
    request = change_sent(arena, &change);
    keys[4] = field_of(&request, "Idempotency-Key");
    cr_expect(pay_str_is(keys[4], "short:refund"));

    for (i = 0; i < 5; i++) {
        cr_expect(keys[i].len > 0 && keys[i].len <= 64, "%zu", i);
        cr_expect_eq(pay_id_is_valid(keys[i]), i == 0,
                     "a merchant may call his order like that: %zu", i);

        for (j = 0; j < i; j++) {
            cr_expect_not(pay_str_eq(keys[i], keys[j]), "%zu %zu", i, j);
        }
    }
}


Test(pay_psp_adyen, a_key_that_breaks_out_of_its_header_is_our_bug)
{
    size_t              i;
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();
    pay_psp_change_t    change = change_of(PAY_PSP_EXPIRE);
    pay_psp_account_t   mine = account;
    pay_http_request_t  request;

    static const char *const  keys[] = {
        "", "a b", "a\r\nX: y", "a\tb", "caf\xc3\xa9", "\x7f"
    };

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        mine.api_key = pay_str_of(keys[i]);
        cr_expect_eq(adyen()->register_request(arena, &mine, &order,
                                               &request, NULL), PAY_BUG);
        cr_expect_eq(adyen()->query_request(arena, &mine, PAY_STR(LINK),
                                            &request), PAY_BUG);
        cr_expect_eq(adyen()->change_request(arena, &mine, &change, &request,
                                             NULL), PAY_BUG);
    }
}


Test(pay_psp_adyen, units_are_adyens_own)
{
    size_t              i;
    pay_str_t           expected;
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order;
    pay_http_request_t  request;

    static const struct {
        const char  *currency;
        int64_t      ours;
        int64_t      theirs;
    } rows[] = {
        { "EUR", 1234, 1234 }, { "JPY", 1200, 1200 }, { "KWD", 1234, 1234 },
        { "BHD", 1, 1 }, { "TND", 999, 999 }, { "UGX", 500, 500 },
        { "CLP", 1200, 120000 }, { "ISK", 7, 700 },
        { "CVE", 1200, 12 }, { "IDR", 5000000, 50000 },
        { "USD", PAY_AMOUNT_MAX_MINOR, PAY_AMOUNT_MAX_MINOR },
        { "CLP", PAY_AMOUNT_MAX_MINOR, PAY_AMOUNT_MAX_MINOR * 100 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        order = order_of(currency_of(rows[i].currency), rows[i].ours);
        cr_assert_eq(adyen()->register_request(arena, &account, &order,
                                               &request, NULL), PAY_OK);
        cr_assert_eq(pay_format(arena, &expected, 128,
                         "\"amount\":{\"value\":%lld,\"currency\":\"%s\"}",
                         (long long) rows[i].theirs, rows[i].currency),
                     PAY_OK);
        cr_expect(contains(request.body, (const char *) expected.data),
                  "%.*s", pay_fmt(request.body));
        cr_assert_eq(pay_format(arena, &expected, 128,
                         "\"amountIncludingTax\":%lld",
                         (long long) rows[i].theirs), PAY_OK);
        cr_expect(contains(request.body, (const char *) expected.data),
                  "%.*s", pay_fmt(request.body));
    }
}


Test(pay_psp_adyen, what_adyen_cannot_spell_is_refused)
{
    size_t              i;
    pay_err_t           err;
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order;
    pay_psp_change_t    change = change_of(PAY_PSP_REFUND);
    pay_http_request_t  request;

    static const struct {
        const char  *currency;
        int64_t      minor;
        const char  *code;
    } rows[] = {
        { "CVE", 1, "amount-invalid" }, { "CVE", 1250, "amount-invalid" },
        { "IDR", 99, "amount-invalid" }, { "IDR", 10001, "amount-invalid" },
        { "CLF", 10000, "currency-unsupported" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        order = order_of(currency_of(rows[i].currency), rows[i].minor);
        cr_assert_eq(adyen()->register_request(arena, &account, &order,
                                               &request, &err), PAY_INVALID);
        cr_expect_str_eq(err.slug, rows[i].code, "%s", rows[i].currency);

        change.currency = order.currency;
        change.amount_minor = rows[i].minor;
        cr_assert_eq(adyen()->change_request(arena, &account, &change,
                                             &request, &err), PAY_INVALID);
        cr_expect_str_eq(err.slug, rows[i].code, "%s", rows[i].currency);
    }
}


/* The total would fit, a line does not. */
Test(pay_psp_adyen, each_line_must_be_spelled_too)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.currency = currency_of("IDR");
    order.lines[0].amount_minor = 1050;
    order.lines[1].amount_minor = 1950;
    cr_expect_eq(adyen()->register_request(test_arena(), &account,
                                           &order, &request, NULL),
                 PAY_INVALID);
}


Test(pay_psp_adyen, a_link_brings_token_alias_and_page)
{
    pay_psp_registered_t   result;

    result = judged_with(test_arena(), "\"reusable\": false",
                         "\"reusable\": false, \"unknown\": [1]");
    cr_expect_eq(result.outcome, PAY_PSP_DONE);
    cr_expect(pay_str_is(result.token, LINK));
    cr_expect(pay_str_is(result.alias, REFERENCE));
    cr_expect(pay_str_is(result.hosted_url,
                         "https://test.adyen.link/" LINK));
}


/* The glue reads the transient-error header into should_retry. */
Test(pay_psp_adyen, a_transient_refusal_is_not_final)
{
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();
    pay_http_answer_t   answer;

    answer = answered(422, fixture(arena, adyen(), "error-422.json"));
    answer.should_retry = 1;
    cr_expect_eq(register_judged(arena, adyen(), &order, answer).outcome,
                 PAY_PSP_UNKNOWN);
    answer.should_retry = 0;
    cr_expect_eq(register_judged(arena, adyen(), &order, answer).outcome,
                 PAY_PSP_REFUSED);
}


Test(pay_psp_adyen, changes_on_the_wire_are_these)
{
    size_t              i;
    pay_arena_t        *arena = test_arena();
    pay_psp_change_t    change;
    pay_http_request_t  request;

    static const struct {
        pay_psp_change_kind_t  kind;
        const char            *method;
        const char            *url;
        const char            *key;
        const char            *body;
    } rows[] = {
        { PAY_PSP_CAPTURE, "POST",
          "https://psp.example/base/v72/payments/" PAYMENT "/captures",
          "refund-1:capture", "{\"merchantAccount\":\"YOUR_ACCOUNT\","
          "\"reference\":\"refund-1-capture\"," AMOUNT "}" },
        { PAY_PSP_CANCEL, "POST",
          "https://psp.example/base/v72/payments/" PAYMENT "/cancels",
          "refund-1:cancel", "{\"merchantAccount\":\"YOUR_ACCOUNT\","
          "\"reference\":\"" REFERENCE "\"}" },
        { PAY_PSP_REFUND, "POST",
          "https://psp.example/base/v72/payments/" PAYMENT "/refunds",
          "refund-1:refund", "{\"merchantAccount\":\"YOUR_ACCOUNT\","
          "\"reference\":\"refund-1-refund\"," AMOUNT "}" },
        { PAY_PSP_EXPIRE, "PATCH",
          "https://psp.example/base/v72/paymentLinks/" LINK,
          "", "{\"status\":\"expired\"}" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        change = change_of(rows[i].kind);
        change.reason = PAY_STR("the buyer asked");
        request = change_sent(arena, &change);
        cr_expect(pay_str_is(request.method, rows[i].method));
        cr_expect(pay_str_is(request.url, rows[i].url), "%.*s",
                  pay_fmt(request.url));
        cr_expect(pay_str_is(field_of(&request, "Idempotency-Key"),
                             rows[i].key));
        cr_expect(pay_str_is(request.body, rows[i].body), "%.*s",
                  pay_fmt(request.body));
    }
}


Test(pay_psp_adyen, only_adyens_own_reasons_go_out)
{
    pay_arena_t        *arena = test_arena();
    pay_psp_change_t    change = change_of(PAY_PSP_REFUND);
    pay_http_request_t  request;

    change.reason = PAY_STR("DUPLICATE");
    request = change_sent(arena, &change);
    cr_expect(contains(request.body,
                       "\"merchantRefundReason\":\"DUPLICATE\""));

    change.reason = PAY_STR("DUPLICATE!");
    request = change_sent(arena, &change);
    cr_expect_not(contains(request.body, "merchantRefundReason"));

    change.kind = PAY_PSP_CAPTURE;
    change.reason = PAY_STR("DUPLICATE");
    request = change_sent(arena, &change);
    cr_expect_not(contains(request.body, "merchantRefundReason"));
}


Test(pay_psp_adyen, an_id_that_leaves_its_path_is_our_bug)
{
    size_t              i, kind;
    pay_arena_t        *arena = test_arena();
    pay_psp_change_t    change;
    pay_http_request_t  request;

    static const char *const  ids[] = { "", "a/b", "..", "a?b", "a%2fb" };

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
            change = change_of((pay_psp_change_kind_t) kind);
            change.reference = change.token = pay_str_of(ids[i]);
            cr_expect_eq(adyen()->change_request(arena, &account, &change,
                                                 &request, NULL), PAY_BUG,
                         "%s", ids[i]);
        }
    }
}


Test(pay_psp_adyen, what_was_received_is_pending_never_done)
{
    size_t             i;
    pay_arena_t       *arena = test_arena();
    pay_psp_changed_t  result;

    static const struct {
        pay_psp_change_kind_t  kind;
        const char            *file;
    } rows[] = {
        { PAY_PSP_CAPTURE, "capture-pending.json" },
        { PAY_PSP_CANCEL, "cancel-pending.json" },
        { PAY_PSP_REFUND, "refund-pending.json" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        result = change_judged(arena, rows[i].kind, 201,
                               fixture(arena, adyen(), rows[i].file));
        cr_expect_eq(result.outcome, PAY_PSP_PENDING, "%s", rows[i].file);
        cr_expect(pay_str_is(result.reference, "993617894906488A"));
        cr_expect_eq(result.known, 0);
        cr_expect_eq(result.code.len, 0);
    }
}


Test(pay_psp_adyen, only_a_link_that_says_so_has_expired)
{
    pay_arena_t       *arena = test_arena();
    pay_psp_changed_t  result;

    result = change_judged(arena, PAY_PSP_EXPIRE, 200,
                           fixture(arena, adyen(), "expire-done.json"));
    cr_expect_eq(result.outcome, PAY_PSP_DONE);
    cr_expect(result.known && result.event.fact == PAY_FACT_EXPIRED);

    result = change_judged(arena, PAY_PSP_EXPIRE, 200,
                           fixture(arena, adyen(),
                                   "expire-unknown-paid.json"));
    cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);
    cr_expect(result.known && result.event.fact == PAY_FACT_PAID);
    cr_expect_eq(result.event.amount_minor, 3000);

    result = change_judged(arena, PAY_PSP_EXPIRE, 200,
                           fixture(arena, adyen(),
                                   "query-silent-other-link.json"));
    cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);
    cr_expect_eq(result.known, 0);
    cr_expect(pay_str_is(result.code, "answer_mismatch"));

    result = change_judged(arena, PAY_PSP_EXPIRE, 422,
                           fixture(arena, adyen(),
                                   "expire-refused-status.json"));
    cr_expect_eq(result.outcome, PAY_PSP_REFUSED);
    cr_expect_eq(result.known, 0);
}


static pay_http_answer_t  tortured_answer;


static pay_status_t
run_register(pay_arena_t *arena, void *result)
{
    pay_psp_checkout_t  checkout = order_make();

    return adyen()->register_request(arena, &account, &checkout, result, NULL);
}


static pay_status_t
run_registered(pay_arena_t *arena, void *result)
{
    pay_psp_checkout_t  checkout = order_make();

    return adyen()->register_answer(arena, &checkout, &tortured_answer, result);
}


static pay_status_t
run_change(pay_arena_t *arena, void *result)
{
    pay_psp_change_t  change = change_of(PAY_PSP_REFUND);

    change.reason = PAY_STR("FRAUD");

    return adyen()->change_request(arena, &account, &change, result, NULL);
}


static pay_status_t
run_changed(pay_arena_t *arena, void *result)
{
    pay_psp_change_t  change = change_of(PAY_PSP_EXPIRE);

    return adyen()->change_answer(arena, &change, &tortured_answer, result);
}


Test(pay_psp_adyen, every_allocation_may_fail)
{
    pay_arena_t  *arena = test_arena();

    cr_expect_gt(torture(run_register, sizeof(pay_http_request_t)), 0);
    cr_expect_gt(torture(run_change, sizeof(pay_http_request_t)), 0);

    tortured_answer = answered(201, fixture(arena, adyen(),
                                            "register-answer.json"));
    cr_expect_gt(torture(run_registered, sizeof(pay_psp_registered_t)), 0);

    tortured_answer = answered(200, fixture(arena, adyen(),
                                            "expire-done.json"));
    cr_expect_gt(torture(run_changed, sizeof(pay_psp_changed_t)), 0);
}

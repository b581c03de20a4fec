/*
 * Captures, cancellations and refunds outside of flows: what a body may say,
 * what a row must hold, what the API shows.
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define C         PAY_CHANGE_CAPTURE
#define X         PAY_CHANGE_CANCEL
#define CARD  "card-data-not-accepted"
#define R         PAY_CHANGE_REFUND

typedef struct {
    pay_change_kind_t   kind;
    const char         *body;
    const char         *slug;
    const char         *pointer;
} refusal_t;


static pay_status_t
parse(pay_heap_t *heap, pay_change_kind_t kind, const char *body,
    pay_change_request_t *request, pay_err_t *err)
{
    memset(err, 0, sizeof(*err));

    return pay_change_parse(pay_heap_arena(heap), kind, pay_str_of(body),
                            request, err);
}


Test(pay_change, nothing_at_all_asks_for_all_that_is_left)
{
    unsigned               i;
    pay_err_t              err;
    pay_heap_t            *heap = pay_heap_create();
    pay_change_request_t   request;

    for (i = 0; i < 2 * PAY_CHANGE_KINDS; i++) {
        cr_assert_eq(parse(heap, (pay_change_kind_t) (i / 2),
                           i % 2 ? "{}" : "", &request, &err), PAY_OK);
        cr_expect_eq(request.amount.len, 0);
        cr_expect_null(request.currency);
        cr_expect_eq(request.reason.len + request.metadata.len, 0);
    }

    pay_heap_destroy(heap);
}


Test(pay_change, every_member_of_a_refund_arrives)
{
    int64_t                minor;
    pay_err_t              err;
    pay_heap_t            *heap = pay_heap_create();
    pay_change_request_t   r;

    cr_assert_eq(parse(heap, PAY_CHANGE_REFUND,
        "{\"amount\":\"5.00\",\"currency\":\"EUR\",\"reason\":\"zur\xc3\xbc"
        "ck\",\"metadata\":{\"a\":1}}", &r, &err), PAY_OK);
    cr_expect(pay_str_is(r.amount, "5.00"));
    cr_expect_str_eq(r.currency->code, "EUR");
    cr_expect(pay_str_is(r.reason, "zur\xc3\xbc" "ck"));
    cr_expect(pay_str_is(r.metadata, "{\"a\":1}"));
    cr_assert_eq(pay_change_amount(&r, r.currency, &minor, &err), PAY_OK);
    cr_expect_eq(minor, 500);
    pay_heap_destroy(heap);
}


Test(pay_change, a_capture_of_a_part_is_final_only_if_it_says_so)
{
    size_t                 i;
    pay_err_t              err;
    pay_heap_t            *heap = pay_heap_create();
    pay_change_request_t   r;

    static const struct {
        const char  *body;
        int          is_final;
    } rows[] = {
        { "{\"amount\":\"5.00\"}", 0 },
        { "{\"amount\":\"5.00\",\"final\":false}", 0 },
        { "{\"amount\":\"5.00\",\"final\":true}", 1 },
        { "{\"final\":false}", 1 }, { "{}", 1 }, { "", 1 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(parse(heap, PAY_CHANGE_CAPTURE, rows[i].body, &r, &err),
                     PAY_OK);
        cr_expect_eq(r.is_final, rows[i].is_final, "%s", rows[i].body);
    }

    pay_heap_destroy(heap);
}


Test(pay_change, what_is_not_expected_is_refused_where_it_stands)
{
    size_t                 i;
    char                   body[512], text[PAY_REASON_MAX + 2];
    pay_err_t              err;
    pay_heap_t            *heap = pay_heap_create();
    pay_change_request_t   r;

    static const refusal_t  rows[] = {
        { R, "[]", "validation-error", "" },
        { R, "{", "invalid-json", "" },
        { R, "null", "invalid-json", "" },
        { R, " ", "invalid-json", "" },
        { R, "{\"reason\":\"a\",\"reason\":\"a\"}", "duplicate-member", "" },
        { R, "{\"final\":true}", "validation-error", "/final" },
        { R, "{\"Amount\":\"1.00\"}", "validation-error", "/Amount" },
        { C, "{\"reason\":\"a\"}", "validation-error", "/reason" },
        { C, "{\"metadata\":{}}", "validation-error", "/metadata" },
        { X, "{\"amount\":\"1.00\"}", "validation-error", "/amount" },
        { X, "{\"final\":true}", "validation-error", "/final" },
        { R, "{\"amount\":1}", "amount-invalid", "/amount" },
        { R, "{\"amount\":1,\"final\":true,\"reason\":1}",
          "validation-error", "/final" },
        { R, "{\"amount\":\"\"}", "amount-invalid", "/amount" },
        { R, "{\"amount\":null}", "amount-invalid", "/amount" },
        { R, "{\"amount\":\"1.0\",\"currency\":\"USD\"}", "amount-invalid",
          "/amount" },
        { R, "{\"amount\":\"0.00\",\"currency\":\"USD\"}", "amount-invalid",
          "/amount" },
        { R, "{\"amount\":\"-1.00\",\"currency\":\"USD\"}", "amount-invalid",
          "/amount" },
        { R, "{\"amount\":\"1000000000000000000000000000\"}",
          "amount-invalid", "/amount" },
        { R, "{\"currency\":\"usd\"}", "currency-unsupported", "/currency" },
        { R, "{\"currency\":null}", "currency-unsupported", "/currency" },
        { C, "{\"final\":1}", "validation-error", "/final" },
        { C, "{\"final\":null}", "validation-error", "/final" },
        { X, "{\"reason\":\"\"}", "validation-error", "/reason" },
        { X, "{\"reason\":1}", "validation-error", "/reason" },
        { X, "{\"reason\":\"a\\nb\"}", "validation-error", "/reason" },
        { X, "{\"reason\":\"a\\u007f\"}", "validation-error", "/reason" },
        { R, "{\"metadata\":[]}", "validation-error", "/metadata" },
        { R, "{\"metadata\":{\"a\":{}}}", "validation-error", "/metadata" },
        { R, "{\"reason\":\"4111 1111 1111 1111\"}", CARD, "" },
        { R, "{\"metadata\":{\"a\":4111111111111111}}", CARD, "" },
        { X, "{\"4111111111111111\":1}", CARD, "" },
        { X, "{\"metadata\":{\"PIN\":\"1\"}}", CARD, "/metadata/PIN" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(parse(heap, rows[i].kind, rows[i].body, &r, &err),
                     PAY_INVALID, "%s", rows[i].body);
        cr_assert_not_null(err.slug, "%s", rows[i].body);
        cr_expect_str_eq(err.slug, rows[i].slug, "%s", rows[i].body);
        cr_expect_str_eq(err.pointer, rows[i].pointer, "%s", rows[i].body);
    }

    cr_assert_eq(parse(heap, R, "{\"amount\":1,\"final\":true,"
                       "\"reason\":1,\"metadata\":[]}", &r, &err),
                 PAY_INVALID);
    cr_assert_eq(r.errors.count, 4, "all that is wrong is said at once");
    cr_expect_str_eq(r.errors.list[3].pointer, "/metadata");

    for (i = 0; i < 2; i++) {
        memset(text, 'a', sizeof(text));
        text[PAY_REASON_MAX + i] = '\0';
        snprintf(body, sizeof(body), "{\"reason\":\"%s\"}", text);
        cr_expect_eq(parse(heap, X, body, &r, &err),
                     i == 0 ? PAY_OK : PAY_INVALID);
    }

    pay_heap_destroy(heap);
}


Test(pay_change, the_orders_currency_decides_about_the_amount)
{
    int64_t                minor = -1;
    pay_err_t              err;
    pay_heap_t            *heap = pay_heap_create();
    pay_change_request_t   r;
    const pay_currency_t  *usd, *jpy;

    cr_assert_eq(pay_currency_find(PAY_STR("USD"), &usd, NULL), PAY_OK);
    cr_assert_eq(pay_currency_find(PAY_STR("JPY"), &jpy, NULL), PAY_OK);

    cr_assert_eq(parse(heap, PAY_CHANGE_REFUND, "{\"amount\":\"5\"}", &r,
                       &err), PAY_OK);
    cr_expect_eq(pay_change_amount(&r, usd, &minor, &err), PAY_INVALID);
    cr_expect_str_eq(err.slug, "amount-invalid");
    cr_expect_str_eq(err.pointer, "/amount");
    cr_expect_eq(minor, -1, "written on success only");
    cr_assert_eq(pay_change_amount(&r, jpy, &minor, &err), PAY_OK);
    cr_expect_eq(minor, 5);

    cr_assert_eq(parse(heap, PAY_CHANGE_REFUND, "{\"currency\":\"USD\"}", &r,
                       &err), PAY_OK);
    cr_assert_eq(pay_change_amount(&r, usd, &minor, &err), PAY_OK);
    cr_expect_eq(minor, 0, "all that is left");
    cr_expect_eq(pay_change_amount(&r, jpy, &minor, &err), PAY_INVALID);
    cr_expect_str_eq(err.slug, "validation-error");
    cr_expect_str_eq(err.pointer, "/currency");
    pay_heap_destroy(heap);
}


Test(pay_change, decode_copies_every_column)
{
    pay_change_row_t   row = change_of("final_capture");
    pay_arena_t       *arena = test_arena();
    pay_change_t       c;

    row.change_status = PAY_STR("EXECUTING");
    row.reason = PAY_STR("why");
    row.change_code = PAY_STR("code");
    row.reference = PAY_STR("re_1");
    row.change_metadata = PAY_STR("{}");
    cr_assert_eq(pay_change_decode(arena, &row, &c),
                 PAY_OK);
    cr_expect(pay_str_is(c.id, CHANGE_ID));
    cr_expect_eq(c.kind, PAY_CHANGE_CAPTURE);
    cr_expect(c.is_final);
    cr_expect(pay_str_is(c.order_id, "order-1"));
    cr_expect_eq(c.status, PAY_EXECUTING);
    cr_expect_eq(c.amount_minor, 500);
    cr_expect_str_eq(c.currency->code, "USD");
    cr_expect(pay_str_is(c.reason, "why") && pay_str_is(c.code, "code"));
    cr_expect(pay_str_is(c.reference, "re_1"));
    cr_expect(pay_str_is(c.metadata, "{}"));
    cr_expect(pay_str_is(c.created_at, "2026-11-21T06:00:00.000Z"));
    cr_expect(pay_str_is(c.changed_at, "2026-11-21T06:00:01.000Z"));
    cr_expect(pay_str_is(c.payment_reference, "pay_1"));

    row = change_of("capture");
    cr_assert_eq(pay_change_decode(arena, &row, &c),
                 PAY_OK);
    cr_expect(c.kind == PAY_CHANGE_CAPTURE && !c.is_final);
}


Test(pay_change, a_row_that_breaks_the_promise_is_a_bug)
{
    unsigned           i;
    pay_arena_t       *arena = test_arena();
    pay_change_t       c;
    pay_change_row_t   row = change_of("refund");

    pay_str_t *const  needed[] = {
        &row.change_kind, &row.payment_order_id, &row.change_status,
        &row.change_currency, &row.created_at, &row.changed_at
    };

    cr_expect_eq(result_of(arena, PAY_OP_GET_CHANGE, PAY_OUTCOME_FOUND,
                           &row).outcome, PAY_OUTCOME_FOUND);

    for (i = 0; i < COUNT(needed); i++) {
        row = change_of("refund");
        *needed[i] = pay_str_of(NULL);
        cr_expect_eq(result_of(arena, PAY_OP_GET_CHANGE, PAY_OUTCOME_FOUND,
                               &row).outcome, PAY_OUTCOME_NONE, "%u", i);
    }

    cr_expect_eq(pay_change_decode(arena, NULL, &c), PAY_BUG);

    for (i = 0; i < 4; i++) {
        row = change_of(i == 0 ? "final_refund" : "refund");
        row.change_status = i == 1 ? PAY_STR("DONE") : row.change_status;
        row.amount_minor = i == 2 ? 0 : row.amount_minor;
        row.change_currency = i == 3 ? PAY_STR("usd") : row.change_currency;
        cr_expect_eq(pay_change_decode(arena, &row, &c), PAY_BUG, "%u", i);
    }
}


Test(pay_change, a_refund_is_shown_byte_for_byte)
{
    pay_str_t          text;
    pay_arena_t       *arena = test_arena();
    pay_change_row_t   row = change_of("refund");
    pay_change_t       c;

    row.change_status = PAY_STR("FAILED");
    row.reason = PAY_STR("why");
    row.change_code = PAY_STR("declined");
    row.reference = PAY_STR("CANARY-reference");
    row.payment_reference = PAY_STR("CANARY-payment");
    row.change_metadata = PAY_STR("{\"a\": 1}");
    cr_assert_eq(pay_change_decode(arena, &row, &c),
                 PAY_OK);
    cr_assert_eq(pay_change_render(arena, &c, PAY_STR("c-1"), &text), PAY_OK);
    cr_expect(pay_str_is(text,
        "{\"refund_id\":\"" CHANGE_ID "\",\"payment_order_id\":\"order-1\","
        "\"status\":\"FAILED\",\"amount\":\"5.00\",\"currency\":\"USD\","
        "\"reason\":\"why\",\"code\":\"declined\",\"metadata\":{\"a\":1},"
        "\"created_at\":\"2026-11-21T06:00:00.000Z\","
        "\"changed_at\":\"2026-11-21T06:00:01.000Z\","
        "\"checkout_id\":\"c-1\"}"), "%.*s", pay_fmt(text));
}


#define LISTED(kind)                                                          \
    "{\"change_id\":\"x\",\"kind\":\"" kind "\",\"payment_order_id\":\"o\","  \
    "\"status\":\"SUCCESS\",\"amount_minor\":12,\"currency\":\"JPY\","        \
    "\"reason\":null,\"code\":null,\"reference\":\"CANARY\","                 \
    "\"metadata\":null,\"created_at\":\"t1\",\"changed_at\":\"t2\"}"

Test(pay_change, a_list_shows_each_as_it_is_shown_alone)
{
    pay_str_t    text;

    cr_assert_eq(pay_changes_render(test_arena(), PAY_CHANGE_CAPTURE,
        PAY_STR("o"), PAY_STR("[" LISTED("capture") ","
                              LISTED("final_capture") "]"), &text), PAY_OK);
    cr_expect(pay_str_is(text,
        "{\"payment_order_id\":\"o\",\"captures\":["
        "{\"capture_id\":\"x\",\"payment_order_id\":\"o\","
        "\"status\":\"SUCCESS\",\"amount\":\"12\",\"currency\":\"JPY\","
        "\"final\":false,\"reason\":null,\"code\":null,\"metadata\":null,"
        "\"created_at\":\"t1\",\"changed_at\":\"t2\"},"
        "{\"capture_id\":\"x\",\"payment_order_id\":\"o\","
        "\"status\":\"SUCCESS\",\"amount\":\"12\",\"currency\":\"JPY\","
        "\"final\":true,\"reason\":null,\"code\":null,\"metadata\":null,"
        "\"created_at\":\"t1\",\"changed_at\":\"t2\"}]}"), "%.*s",
        pay_fmt(text));
    cr_assert_eq(pay_changes_render(test_arena(), PAY_CHANGE_REFUND,
                                    PAY_STR("o"), PAY_STR("[]"), &text),
                 PAY_OK);
    cr_expect(pay_str_is(text, "{\"payment_order_id\":\"o\",\"refunds\":[]}"));
    cr_expect_eq(pay_changes_render(test_arena(), PAY_CHANGE_REFUND,
                                    PAY_STR("o"), PAY_STR("[{}]"), &text),
                 PAY_BUG);
}


/* SQL gives 1000; no other list of ours is so long. */
Test(pay_change, a_list_may_have_a_thousand)
{
    unsigned     i;
    pay_buf_t    buf;
    pay_str_t    list, text;

    pay_buf_init(&buf, test_arena(), 1024 * 1024);
    pay_buf_text(&buf, "[" LISTED("refund"));

    for (i = 1; i < PAY_CHANGES_MAX; i++) {
        pay_buf_text(&buf, "," LISTED("refund"));
    }

    pay_buf_text(&buf, "]");
    cr_assert_eq(pay_buf_done(&buf, &list), PAY_OK);
    cr_expect_eq(pay_changes_render(test_arena(), PAY_CHANGE_REFUND,
                                    PAY_STR("o"), list, &text), PAY_OK);
}


static pay_status_t
torture_render(pay_arena_t *arena, void *result)
{
    pay_str_t              text;
    pay_status_t           status;
    pay_change_request_t   r;

    status = pay_change_parse(arena, PAY_CHANGE_REFUND, PAY_STR(
        "{\"amount\":\"5.00\",\"reason\":\"a\",\"metadata\":{\"a\":1}}"), &r,
        NULL);

    if (status == PAY_OK) {
        status = pay_changes_render(arena, PAY_CHANGE_REFUND, PAY_STR("o"),
                                    PAY_STR("[" LISTED("refund") "]"), &text);
    }

    if (status == PAY_OK) {
        memcpy(result, &text, sizeof(text));
    }

    return status;
}


Test(pay_change, failing_memory_is_an_ordinary_error)
{
    cr_expect_geq(torture(torture_render, sizeof(pay_str_t)), 4);
}

/*
 * The Mollie adapter: what is Mollie's alone.  What every adapter must do, and
 * each fixture: test_conformance*.c.
 */

#include "psp_world.h"


#define TOKEN  "tr_7UhSN1zuXS8Lwb4vYpQk2"
#define KEY    "0199c0de-0000-7000-8000-0000000000c1"

typedef struct {
    const char  *body;
    const char  *token;        /* NULL: refused */
    const char  *event_id;
} hint_t;


static const pay_psp_adapter_t *
mollie(void)
{
    return pay_psp_find(PAY_STR("mollie"));
}


static pay_psp_change_t
change_make(pay_psp_change_kind_t kind)
{
    pay_psp_change_t  change;

    memset(&change, 0, sizeof(change));
    change.kind = kind;
    change.key = PAY_STR(KEY);
    change.token = PAY_STR(TOKEN);
    change.merchant_reference = PAY_STR(REFERENCE);
    change.currency = currency_of("USD");
    change.amount_minor = 1234;

    return change;
}


static int
asked(pay_arena_t *arena, pay_str_t body, pay_psp_event_t *event)
{
    int                 known = -1;
    pay_http_answer_t   answer = answered(200, body);

    memset(event, 0, sizeof(*event));
    cr_assert_eq(mollie()->query_answer(arena, PAY_STR(TOKEN), &answer, event,
                                        &known), PAY_OK);

    return known;
}


Test(pay_psp_mollie, body_on_the_wire_is_this)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.lines[0].name = PAY_STR("caf\xc3\xa9 \"x\"");
    order.webhook_url = PAY_STR("https://pay.example.com/webhooks/mollie");
    cr_assert_eq(mollie()->register_request(test_arena(), &account,
                                            &order, &request, NULL), PAY_OK);

    cr_expect(pay_str_is(request.method, "POST"));
    cr_expect(pay_str_is(request.url, "https://psp.example/base/v2/payments"));
    cr_expect(pay_str_is(field_of(&request, "Idempotency-Key"), NONCE));
    cr_expect(pay_str_is(field_of(&request, "Authorization"),
                         "Bearer " API_KEY));
    cr_expect(pay_str_is(request.body,
        "{\"amount\":{\"currency\":\"USD\",\"value\":\"30.00\"},"
        "\"description\":\"" REFERENCE "\","
        "\"redirectUrl\":\"https://pay.example.com/return/abc\","
        "\"cancelUrl\":\"https://pay.example.com/return/abc?cancelled=1\","
        "\"webhookUrl\":\"https://pay.example.com/webhooks/mollie\","
        "\"metadata\":{\"reference\":\"" REFERENCE "\",\"nonce\":\"order-1\"},"
        "\"lines\":[{\"description\":\"caf\xc3\xa9 \\\"x\\\"\",\"quantity\":1,"
        "\"unitPrice\":{\"currency\":\"USD\",\"value\":\"10.00\"},"
        "\"totalAmount\":{\"currency\":\"USD\",\"value\":\"10.00\"}},"
        "{\"description\":\"order-2\",\"quantity\":1,"
        "\"unitPrice\":{\"currency\":\"USD\",\"value\":\"20.00\"},"
        "\"totalAmount\":{\"currency\":\"USD\",\"value\":\"20.00\"}}]}"),
        "%.*s", pay_fmt(request.body));
}


Test(pay_psp_mollie, without_a_webhook_url_none_is_sent)
{
    pay_psp_checkout_t  order = order_make();
    pay_http_request_t  request;

    order.return_url = PAY_STR("https://pay.example.com/return/abc?x=1");
    cr_assert_eq(mollie()->register_request(test_arena(), &account,
                                            &order, &request, NULL), PAY_OK);
    cr_expect_not(contains(request.body, "webhookUrl"));
    cr_expect(contains(request.body, "abc?x=1&cancelled=1\""));
}


Test(pay_psp_mollie, amounts_are_exact_decimals_of_mollies_currencies)
{
    size_t                 i;
    unsigned               sent = 0;
    pay_err_t              err;
    pay_status_t           status;
    pay_psp_checkout_t     order;
    pay_http_request_t     request;
    const pay_currency_t  *currency;

    static const struct {
        const char  *code;
        int64_t      minor;
        const char  *value;
    } rows[] = {
        { "EUR", 1, "\"value\":\"0.01\"" },
        { "EUR", 999999999999999, "\"value\":\"9999999999999.99\"" },
        { "JPY", 1200, "\"value\":\"1200\"" },
        { "ISK", 7, "\"value\":\"7\"" },
        { "HUF", 100, "\"value\":\"1.00\"" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        order = order_of(currency_of(rows[i].code), rows[i].minor);
        cr_assert_eq(mollie()->register_request(test_arena(), &account,
                                                &order, &request, NULL),
                     PAY_OK);
        cr_expect(contains(request.body, rows[i].value), "%s", rows[i].value);
    }

    for (currency = pay_currency_table(); currency->code[0]; currency++) {
        order = order_of(currency, 1200);
        err.slug = "";
        status = mollie()->register_request(test_arena(), &account,
                                            &order, &request, &err);
        sent += status == PAY_OK;
        cr_expect(status == PAY_OK
                  || strcmp(err.slug, "currency-unsupported") == 0);
    }

    cr_expect(sent >= 27 && sent <= 29, "%u", sent);
}


Test(pay_psp_mollie, a_failed_payment_brings_its_reason)
{
    pay_arena_t     *arena = test_arena();
    pay_psp_event_t  event;

    cr_assert(asked(arena, fixture(arena, mollie(), "query-declined.json"),
                    &event) == 1);
    cr_expect(pay_str_is(event.code, "insufficient_funds"));
    cr_expect(pay_str_is(event.type, "failed"));
}


#define EVENT(type, id)  "{\"resource\":\"event\",\"id\":\"event_1\"," \
                         "\"type\":\"" type "\",\"entityId\":" id

static const hint_t  hints[] = {
    { "id=tr_1", "tr_1", "" },
    { "x=1&id=tr_1&y=2", "tr_1", "" },
    { "id=tr_1&", "tr_1", "" }, { "z=1&id=tr_1", "tr_1", "" },
    { "testByMollie=1&id=tr_1", "tr_1", "" },
    { "id=", NULL, NULL }, { "id", NULL, NULL }, { "x=tr_1", NULL, NULL },
    { "Id=tr_1", NULL, NULL }, { "id=tr_1&id=tr_1", NULL, NULL },
    { "id=tr_1%00", NULL, NULL }, { "id=tr/1", NULL, NULL },
    { "id=tr_1 ", NULL, NULL }, { "id=../tr_1", NULL, NULL },
    { "id=TR_1", NULL, NULL }, { "id=re_1", NULL, NULL },
    { "id=ord_1", NULL, NULL }, { "true", NULL, NULL },
    { EVENT("payment.paid", "\"tr_1\"") "}", "tr_1", "event_1" },
    { EVENT("payment.failed", "\"tr_1\"") ",\"_embedded\":null}", "tr_1",
      "event_1" },
    { EVENT("payment.brand-new", "\"tr_1\"") "}", "tr_1", "event_1" },
    { EVENT("payment.paid", "\"tr_1\"")
      ",\"_embedded\":{\"entity\":{\"id\":\"tr_1\",\"mode\":\"test\"}}}",
      "tr_1", "event_1" },
    { EVENT("payment.paid", "\"tr_1\"")
      ",\"_embedded\":{\"entity\":{\"id\":\"tr_2\"}}}", NULL, NULL },
    { EVENT("payment.paid", "\"tr_1\"")
      ",\"_embedded\":{\"entity\":{\"mode\":\"live\"}}}", NULL, NULL },
    { EVENT("payment.paid", "\"tr_1\"")
      ",\"_embedded\":{\"entity\":{\"mode\":1}}}", NULL, NULL },
    { EVENT("payment.paid", "\"pl_1\"") "}", NULL, NULL },
    { EVENT("payment.paid", "\"tr_/1\"") "}", NULL, NULL },
    { EVENT("payment.paid", "null") "}", NULL, NULL },
    { EVENT("refund.refunded", "\"re_1\"") "}", "", "event_1" },
    { EVENT("payment-link.paid", "\"tr_1\"") "}", "", "event_1" },
    { EVENT("", "\"tr_1\"") "}", NULL, NULL },
    { "{\"id\":\"event_1\",\"type\":\"payment.paid\","
      "\"entityId\":\"tr_1\"}", NULL, NULL },
    { "{\"resource\":\"payment\",\"id\":\"tr_1\",\"type\":\"x\"}", NULL,
      NULL },
    { "{\"resource\":\"event\",\"type\":\"payment.paid\","
      "\"entityId\":\"tr_1\"}", NULL, NULL },
    { "{\"resource\":\"event\",\"id\":\"a b\",\"type\":\"payment.paid\","
      "\"entityId\":\"tr_1\"}", NULL, NULL },
    { " {\"id\"=\"tr_1\"}", NULL, NULL }, { "", NULL, NULL },
    { "&id=tr_1", NULL, NULL }
};


/* Both kinds of webhooks say no more than "ask". */
Test(pay_psp_mollie, webhooks_are_hints)
{
    size_t            i;
    unsigned          count;
    pay_err_t         err;
    pay_status_t      status;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        memset(events, 0, sizeof(events));
        status = mollie()->webhook_events(test_arena(), &account,
                                          PAY_STR(""),
                                          pay_str_of(hints[i].body), events,
                                          &count, &err);
        cr_assert_eq(status, hints[i].token ? PAY_OK : PAY_INVALID, "%s",
                     hints[i].body);

        if (status == PAY_OK) {
            cr_expect_eq(count, 1);
            cr_expect_eq(events[0].fact, PAY_FACT_NONE, "%s", hints[i].body);
            cr_expect_eq(events[0].must_ask, hints[i].token[0] != '\0');
            cr_expect(pay_str_is(events[0].token, hints[i].token), "%s",
                      hints[i].body);
            cr_expect(pay_str_is(events[0].event_id, hints[i].event_id), "%s",
                      hints[i].body);
            cr_expect_eq(events[0].has_amount, 0);
        }
    }
}


Test(pay_psp_mollie, an_endless_form_is_no_hint)
{
    unsigned          count;
    pay_buf_t         buf;
    pay_str_t         body;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    pay_buf_init(&buf, test_arena(), 4096);
    pay_buf_text(&buf, "id=tr_1");

    while (buf.len <= 1024) {
        pay_buf_text(&buf, "&a=b");
    }

    cr_assert_eq(pay_buf_done(&buf, &body), PAY_OK);
    cr_expect_eq(mollie()->webhook_events(test_arena(), &account,
                                          PAY_STR(""), body, events, &count,
                                          NULL), PAY_INVALID);
}


Test(pay_psp_mollie, changes_on_the_wire_are_these)
{
    unsigned             kind;
    pay_psp_change_t     change;
    pay_http_request_t   request;

    static const char *const  calls[PAY_PSP_CHANGE_COUNT][4] = {
        [PAY_PSP_CAPTURE] = { "POST", "/v2/payments/" TOKEN "/captures",
                              KEY ":capture", REFERENCE },
        [PAY_PSP_CANCEL] = { "DELETE", "/v2/payments/" TOKEN, KEY ":cancel",
                             NULL },
        [PAY_PSP_REFUND] = { "POST", "/v2/payments/" TOKEN "/refunds",
                             KEY ":refund", REFERENCE },
        [PAY_PSP_EXPIRE] = { "DELETE", "/v2/payments/" TOKEN, KEY ":expire",
                             NULL }
    };

    for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
        change = change_make((pay_psp_change_kind_t) kind);
        cr_assert_eq(mollie()->change_request(test_arena(), &account,
                                              &change, &request, NULL),
                     PAY_OK);
        cr_expect(pay_str_is(request.method, calls[kind][0]));
        cr_expect(pay_str_is((pay_str_t) { request.url.len - 24,
                                           request.url.data + 24 },
                             calls[kind][1]), "%.*s", pay_fmt(request.url));
        cr_expect(pay_str_is(field_of(&request, "Idempotency-Key"),
                             calls[kind][2]));
        cr_expect(pay_str_is(request.body, calls[kind][3] == NULL ? ""
            : "{\"amount\":{\"currency\":\"USD\",\"value\":\"12.34\"},"
              "\"description\":\"" REFERENCE "\","
              "\"metadata\":{\"operation\":\"" KEY "\"}}"), "%.*s",
            pay_fmt(request.body));
    }

    change = change_make(PAY_PSP_REFUND);
    change.token = PAY_STR("a/b");
    cr_expect_eq(mollie()->change_request(test_arena(), &account,
                                          &change, &request, NULL), PAY_BUG);
    change = change_make(PAY_PSP_REFUND);
    change.currency = currency_of("KWD");
    cr_expect_eq(mollie()->change_request(test_arena(), &account,
                                          &change, &request, NULL),
                 PAY_INVALID);
}


static pay_status_t
refund_once(pay_arena_t *arena, void *result)
{
    pay_psp_change_t  change = change_make(PAY_PSP_REFUND);

    return mollie()->change_request(arena, &account, &change, result, NULL);
}


static pay_status_t
refunded_once(pay_arena_t *arena, void *result)
{
    pay_psp_change_t    change = change_make(PAY_PSP_REFUND);
    pay_http_answer_t   answer;

    change.amount_minor = 3000;
    answer = answered(201, fixture(test_arena(), mollie(),
                                   "refund-pending.json"));
    return mollie()->change_answer(arena, &change, &answer, result);
}


static pay_status_t
deleted_once(pay_arena_t *arena, void *result)
{
    pay_psp_change_t    change = change_make(PAY_PSP_EXPIRE);
    pay_http_answer_t   answer;

    answer = answered(200, fixture(test_arena(), mollie(),
                                   "expire-done.json"));
    return mollie()->change_answer(arena, &change, &answer, result);
}


static pay_status_t
legacy_once(pay_arena_t *arena, void *result)
{
    unsigned  count;

    return mollie()->webhook_events(arena, &account, PAY_STR(""),
                                    PAY_STR("id=tr_1"), result, &count, NULL);
}


Test(pay_psp_mollie, each_failing_allocation_leaves_no_partial_result)
{
    cr_expect_gt(torture(refund_once, sizeof(pay_http_request_t)), 0);
    cr_expect_gt(torture(refunded_once, sizeof(pay_psp_changed_t)), 0);
    cr_expect_gt(torture(deleted_once, sizeof(pay_psp_changed_t)), 0);
    cr_expect_gt(torture(legacy_once, sizeof(pay_psp_event_t)), 0);
}


static void
expect_hal(const pay_http_request_t *request, const char *call)
{
    unsigned  i, count = 0;

    for (i = 0; i < request->field_count; i++) {
        count += pay_str_is(request->fields[i].name, "Accept");
    }

    cr_expect_eq(count, 1, "%s", call);
    cr_expect(pay_str_is(field_of(request, "Accept"), "application/hal+json"),
              "%s", call);
}


/* A strict server answers 406 to all else: its document offers only this. */
Test(pay_psp_mollie, every_call_accepts_what_mollie_offers)
{
    unsigned            kind;
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();
    pay_psp_change_t    change;
    pay_http_request_t  request;

    cr_assert_eq(mollie()->register_request(arena, &account, &order, &request,
                                            NULL), PAY_OK);
    expect_hal(&request, "register");
    cr_assert_eq(mollie()->query_request(arena, &account, PAY_STR(TOKEN),
                                         &request), PAY_OK);
    expect_hal(&request, "query");
    cr_assert_eq(mollie()->find_request(arena, &account, &order, &request),
                 PAY_OK);
    expect_hal(&request, "find");

    for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
        change = change_make((pay_psp_change_kind_t) kind);
        cr_assert_eq(mollie()->change_request(arena, &account, &change,
                                              &request, NULL), PAY_OK);
        expect_hal(&request, "change");
    }
}

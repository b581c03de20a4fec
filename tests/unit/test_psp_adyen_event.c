/*
 * What the Adyen adapter reads (docs/psp/adyen.md): the state of links and the
 * items of Standard webhooks.
 */

#include "psp_world.h"


#define LINK     "PLE83C39B0A0DE0C1E"
#define PAYMENT  "993617894903480A"
#define AMOUNT   "\"amount\":{\"value\":3000,\"currency\":\"USD\"}"


static const pay_psp_adapter_t *
adyen(void)
{
    return pay_psp_find(PAY_STR("adyen"));
}


static pay_status_t
events_of(pay_arena_t *arena, const pay_psp_account_t *mine, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count)
{
    return adyen()->webhook_events(arena, mine, PAY_STR(""), body, events,
                                   count, NULL);
}


/* The one event of a body of one item. */
static pay_psp_event_t
event_of(pay_arena_t *arena, pay_str_t body)
{
    unsigned         count;
    pay_psp_event_t  events[PAY_PSP_EVENTS_MAX];

    cr_assert_eq(events_of(arena, &account, body, events, &count), PAY_OK,
                 "%.*s", pay_fmt(body));
    cr_assert_eq(count, 1);

    return events[0];
}


static pay_str_t
wrapped(pay_arena_t *arena, const char *members)
{
    pay_str_t  body;

    cr_assert_eq(pay_format(arena, &body, 4096,
                     "{\"live\":\"false\",\"notificationItems\":[{"
                     "\"NotificationRequestItem\":{%s}}]}", members), PAY_OK);

    return body;
}


Test(pay_psp_adyen_event, query_asks_for_the_link)
{
    pay_arena_t         *arena = test_arena();
    pay_http_request_t   request;

    cr_assert_eq(adyen()->query_request(arena, &account, PAY_STR(LINK),
                                        &request), PAY_OK);
    cr_expect(pay_str_is(request.method, "GET"));
    cr_expect(pay_str_is(request.url,
                         "https://psp.example/base/v72/paymentLinks/" LINK));
    cr_expect_eq(request.body.len, 0);
    cr_expect_eq(field_of(&request, "Idempotency-Key").len, 0);
    cr_expect_eq(adyen()->query_request(arena, &account, PAY_STR("../x"),
                                        &request), PAY_BUG);
}


Test(pay_psp_adyen_event, an_authorisation_is_the_money)
{
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    event = event_of(arena, fixture(arena, adyen(),
                                    "webhook-authorisation.json"));
    cr_expect_eq(event.fact, PAY_FACT_PAID);
    cr_expect(pay_str_is(event.event_id, "AUTHORISATION:" PAYMENT ":true"));
    cr_expect(pay_str_is(event.type, "authorisation"));
    cr_expect(pay_str_is(event.token, REFERENCE));
    cr_expect(pay_str_is(event.reference, PAYMENT));
    cr_expect(event.has_amount && event.amount_minor == 3000);
    cr_expect(pay_str_is(event.currency, "USD"));
    cr_expect_eq(event.must_ask, 0);
}


/* "062243:1111:03/2030": an auth code, the last digits and the expiry date. */
Test(pay_psp_adyen_event, the_reason_of_a_success_is_not_kept)
{
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    event = event_of(arena, fixture(arena, adyen(),
                                    "webhook-authorisation.json"));
    cr_expect_eq(event.code.len, 0);
}


Test(pay_psp_adyen_event, a_failed_try_moves_nothing_and_says_why)
{
    size_t            i;
    pay_str_t         text;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const char *const  rows[][2] = {
        { "Refused", "refused" }, { "CVC Declined", "cvc_declined" },
        { "null", "failed" }, { "", "failed" },
        { "<b>\\u00e9</b>", "_b_____b_" },
        { "card 4111111111111111 refused", "redacted" }
    };

    text = fixture(arena, adyen(), "webhook-authorisation-failed.json");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        event = event_of(arena, replaced(arena, text, "Refused",
                                         rows[i][0]));
        cr_expect_eq(event.fact, PAY_FACT_ATTEMPT);
        cr_expect_eq(event.has_amount, 0);
        cr_expect(pay_str_is(event.object, "QFQTPCQ8HXSKGK82"));
        cr_expect_eq(event.must_ask, 0);
        cr_expect_eq(event.reference.len, 0);
        cr_expect(pay_str_is(event.token, REFERENCE));
        cr_expect(pay_str_is(event.code, rows[i][1]), "%.*s",
                  pay_fmt(event.code));
        cr_expect(pay_str_is(event.event_id,
                             "AUTHORISATION:QFQTPCQ8HXSKGK82:false"));
    }
}


/* A try that was given up on a link that may still be paid. */
Test(pay_psp_adyen_event, a_closed_offer_only_makes_us_ask)
{
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    event = event_of(arena, fixture(arena, adyen(),
                                    "webhook-offer-closed.json"));
    cr_expect_eq(event.fact, PAY_FACT_NONE);
    cr_expect_eq(event.must_ask, 1);
    cr_expect_gt(event.event_id.len, 0);
    cr_expect(pay_str_is(event.token, REFERENCE));
}


Test(pay_psp_adyen_event, events_after_the_sale_are_typed_and_move_nothing)
{
    char              name[64];
    size_t            i;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const char *const  rows[][2] = {
        { "capture", "capture" }, { "capture-failed", "capture_failed" },
        { "cancellation", "cancellation" }, { "refund", "refund" },
        { "refund-failed", "refund_failed" }, { "chargeback", "chargeback" },
        { "notification-of-chargeback", "notification_of_chargeback" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(name, sizeof(name), "webhook-%s.json", rows[i][0]);
        event = event_of(arena, fixture(arena, adyen(), name));
        cr_expect_eq(event.fact, PAY_FACT_NONE, "%s", name);
        cr_expect_eq(event.must_ask, 0, "%s", name);
        cr_expect(pay_str_is(event.type, rows[i][1]), "%s", name);
        cr_expect(pay_str_is(event.token, REFERENCE), "%s", name);
        cr_expect(pay_str_is(event.reference, PAYMENT), "%s", name);
        cr_expect(contains(event.event_id, ":QFQTPCQ8HXSKGK82:"));
    }

    event = event_of(arena, fixture(arena, adyen(),
                                    "webhook-report-available.json"));
    cr_expect_eq(event.token.len, 0);
    cr_expect_eq(event.fact, PAY_FACT_NONE);
}


/* It was reported as paid, and its money does not come: this was dropped, and
 * the order stayed paid without a word.  A hold ends by it, as before. */
Test(pay_psp_adyen_event, an_automatic_capture_that_never_comes_is_told)
{
    size_t            i;
    pay_str_t         text, held;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const struct {
        const char      *code;
        pay_fact_t   held;
    } rows[] = {
        { "CANCELLATION", PAY_FACT_CANCELLED },
        { "TECHNICAL_CANCEL", PAY_FACT_CANCELLED },
        { "EXPIRE", PAY_FACT_EXPIRED }, { "CAPTURE_FAILED", PAY_FACT_NONE }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text = replaced(arena, fixture(arena, adyen(),
                                       "webhook-capture-failed.json"),
                        "CAPTURE_FAILED", rows[i].code);
        event = event_of(arena, text);
        cr_expect(event.about == PAY_ABOUT_CAPTURE
                  && event.news == PAY_NEWS_FAILED, "%s", rows[i].code);
        cr_expect(event.fact == PAY_FACT_NONE && event.amount_minor == 3000);
        cr_expect(pay_str_is(event.object, "QFQTPCQ8HXSKGK82"));
        cr_expect(pay_str_is(event.code, "capture_failed"));

        event = event_of(arena, replaced(arena, text, "\"true\"",
                                         "\"false\""));
        cr_expect_eq(event.about, PAY_ABOUT_PAYMENT, "%s: it has not ended",
                     rows[i].code);
        cr_expect_eq(event.fact, PAY_FACT_NONE);

        held = replaced(arena, text, REFERENCE, REFERENCE "-held");
        event = event_of(arena, held);
        cr_expect_eq(event.fact, rows[i].held, "%s", rows[i].code);
        cr_expect_eq(event.about == PAY_ABOUT_CAPTURE,
                     rows[i].held == PAY_FACT_NONE);
    }
}


/* A reversal in the Customer Area was dropped: the seller stayed credited with
 * money that was the buyer's again, or a hold stayed open. */
Test(pay_psp_adyen_event, a_reversal_is_a_cancellation_or_a_refund)
{
    size_t            i;
    pay_str_t         text;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const struct {
        const char       *action, *success, *end;
        pay_fact_t        fact;
        pay_psp_about_t   about;
        pay_psp_news_t    news;
        int64_t           minor;
    } rows[] = {
        { "refund", "true", "", PAY_FACT_NONE, PAY_ABOUT_REFUND,
          PAY_NEWS_SUCCEEDED, 3000 },
        { "refund", "false", "", PAY_FACT_NONE, PAY_ABOUT_REFUND,
          PAY_NEWS_FAILED, 3000 },
        { "cancel", "true", "", PAY_FACT_NONE, PAY_ABOUT_CAPTURE,
          PAY_NEWS_FAILED, 3000 },
        { "cancel", "true", "-held", PAY_FACT_CANCELLED, PAY_ABOUT_PAYMENT,
          PAY_NEWS_PENDING, 3000 },
        { "cancel", "false", "-held", PAY_FACT_NONE, PAY_ABOUT_PAYMENT,
          PAY_NEWS_PENDING, 3000 },
        { "refund", "true", "-held", PAY_FACT_NONE, PAY_ABOUT_REFUND,
          PAY_NEWS_SUCCEEDED, 3000 },
        { "CANCEL", "true", "", PAY_FACT_NONE, PAY_ABOUT_REFUND,
          PAY_NEWS_SUCCEEDED, 0 },
        { "", "true", "-held", PAY_FACT_NONE, PAY_ABOUT_REFUND,
          PAY_NEWS_SUCCEEDED, 0 },
        { "", "false", "", PAY_FACT_NONE, PAY_ABOUT_PAYMENT,
          PAY_NEWS_PENDING, 3000 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(pay_format(arena, &text, 1024,
                         "\"merchantAccountCode\":\"YOUR_ACCOUNT\","
                         "\"merchantReference\":\"" REFERENCE "%s\","
                         "\"originalReference\":\"" PAYMENT "\","
                         "\"pspReference\":\"X\",\"success\":\"%s\","
                         "\"eventCode\":\"CANCEL_OR_REFUND\","
                         "\"additionalData\":{\"modification.action\":\"%s\"}"
                         "," AMOUNT, rows[i].end, rows[i].success,
                         rows[i].action), PAY_OK);
        event = event_of(arena, wrapped(arena, (const char *) text.data));
        cr_expect_eq(event.fact, rows[i].fact, "%zu", i);
        cr_expect_eq(event.about, rows[i].about, "%zu", i);
        cr_expect_eq(event.news, rows[i].news, "%zu", i);
        cr_expect_eq(event.amount_minor, rows[i].minor, "%zu", i);
    }
}


Test(pay_psp_adyen_event, an_item_that_is_not_about_us_has_no_token)
{
    size_t            i;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const char *const  items[] = {
        "\"merchantAccountCode\":\"your_account\"",
        "\"merchantAccountCode\":\"YOUR_ACCOUNT2\"",
        "\"merchantAccountCode\":\"\"", "\"merchantAccountCode\":null",
        "\"merchantAccountCode\":[\"YOUR_ACCOUNT\"]"
    };

    static const char *const  references[] = {
        "\"\"", "null", "\"a:b\"", "\"..\"", "\"a b\"", "\"a/b\"", "7"
    };

    for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        pay_str_t  body;

        cr_assert_eq(pay_format(arena, &body, 1024,
                         "%s,\"merchantReference\":\"" REFERENCE "\","
                         "\"pspReference\":\"X\",\"success\":\"true\","
                         "\"eventCode\":\"AUTHORISATION\"," AMOUNT,
                         items[i]), PAY_OK);
        event = event_of(arena, wrapped(arena, (const char *) body.data));
        cr_expect_eq(event.token.len, 0, "%s", items[i]);
        cr_expect_eq(event.fact, PAY_FACT_NONE, "%s", items[i]);
    }

    for (i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
        pay_str_t  body;

        cr_assert_eq(pay_format(arena, &body, 1024,
                         "\"merchantAccountCode\":\"YOUR_ACCOUNT\","
                         "\"merchantReference\":%s,"
                         "\"pspReference\":\"X\",\"success\":\"true\","
                         "\"eventCode\":\"AUTHORISATION\"," AMOUNT,
                         references[i]), PAY_OK);
        event = event_of(arena, wrapped(arena, (const char *) body.data));
        cr_expect_eq(event.token.len, 0, "%s", references[i]);
        cr_expect_eq(event.fact, PAY_FACT_NONE, "%s", references[i]);
    }
}


/* `live` is not signed. */
Test(pay_psp_adyen_event, the_mode_must_be_the_accounts)
{
    size_t              i;
    unsigned            count;
    pay_str_t           text;
    pay_arena_t        *arena = test_arena();
    pay_psp_event_t     events[PAY_PSP_EVENTS_MAX];
    pay_psp_account_t   mine = account;

    static const struct {
        const char    *live;
        pay_status_t   test;
        pay_status_t   production;
    } rows[] = {
        { "\"false\"", PAY_OK, PAY_INVALID }, { "false", PAY_OK, PAY_INVALID },
        { "\"true\"", PAY_INVALID, PAY_OK }, { "true", PAY_INVALID, PAY_OK },
        { "null", PAY_INVALID, PAY_INVALID },
        { "\"\"", PAY_INVALID, PAY_INVALID },
        { "\"TRUE\"", PAY_INVALID, PAY_INVALID },
        { "0", PAY_INVALID, PAY_INVALID }, { "1", PAY_INVALID, PAY_INVALID }
    };

    text = fixture(arena, adyen(), "webhook-authorisation.json");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pay_str_t  body = replaced(arena, text, "\"false\"", rows[i].live);

        mine.live = 0;
        cr_expect_eq(events_of(arena, &mine, body, events, &count),
                     rows[i].test, "%s", rows[i].live);
        mine.live = 1;
        cr_expect_eq(events_of(arena, &mine, body, events, &count),
                     rows[i].production, "%s", rows[i].live);
        mine.live = -1;                /* the block does not say */
        cr_expect_eq(events_of(arena, &mine, body, events, &count),
                     rows[i].test == PAY_OK || rows[i].production == PAY_OK
                     ? PAY_OK : PAY_INVALID, "%s", rows[i].live);
    }
}


/* The batch is taken as a whole or not at all. */
Test(pay_psp_adyen_event, as_many_items_as_fit_are_taken_in_order)
{
    unsigned          i, n, count;
    pay_buf_t         buf;
    pay_str_t         body;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    for (n = PAY_PSP_EVENTS_MAX; n <= PAY_PSP_EVENTS_MAX + 1; n++) {
        pay_buf_init(&buf, arena, 65536);
        pay_buf_text(&buf, "{\"live\":\"false\",\"notificationItems\":[");

        for (i = 0; i < n; i++) {
            pay_buf_text(&buf, i ? "," : "");
            pay_buf_text(&buf, "{\"NotificationRequestItem\":{"
                               "\"eventCode\":\"CAPTURE\",\"success\":"
                               "\"true\",\"pspReference\":\"P");
            pay_buf_int(&buf, i);
            pay_buf_text(&buf, "\"}}");
        }

        pay_buf_text(&buf, "]}");
        cr_assert_eq(pay_buf_done(&buf, &body), PAY_OK);
        count = 99;
        cr_assert_eq(events_of(arena, &account, body, events, &count),
                     n > PAY_PSP_EVENTS_MAX ? PAY_INVALID : PAY_OK);
        cr_expect_eq(count, n > PAY_PSP_EVENTS_MAX ? 99 : n);
    }

    cr_expect(pay_str_is(events[0].event_id, "CAPTURE:P0:true"));
    cr_expect(pay_str_is(events[15].event_id, "CAPTURE:P15:true"));
}


/* Of a report it is a file's name: any text, but ids stay clean and apart. */
Test(pay_psp_adyen_event, a_strange_reference_is_told_by_its_digest)
{
    size_t            i;
    pay_str_t         body, first;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const char *const  names[] = {
        "report 1.csv", "report 2.csv", "a:b", "../x", "\\u000a",
        "0123456789012345678901234567890123456789012345678901234567890123X"
    };

    first = PAY_STR("");

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_assert_eq(pay_format(arena, &body, 512,
                         "\"eventCode\":\"REPORT_AVAILABLE\",\"success\":"
                         "\"true\",\"pspReference\":\"%s\"", names[i]),
                     PAY_OK);
        event = event_of(arena, wrapped(arena, (const char *) body.data));
        cr_expect_eq(event.event_id.len, strlen("REPORT_AVAILABLE:") + 64
                                         + strlen(":true"));
        cr_expect_not(contains(event.event_id, names[i]));
        cr_expect_not(pay_str_eq(event.event_id, first));
        first = event.event_id;
    }
}


#define AVAILABLE(name, url)                                                  \
    "\"eventCode\":\"REPORT_AVAILABLE\",\"success\":\"true\","               \
    "\"merchantAccountCode\":\"YOUR_ACCOUNT\","                              \
    "\"pspReference\":\"" name "\",\"reason\":\"" url "\""
#define SETTLEMENT  "settlement_detail_report_batch_7.csv"


Test(pay_psp_adyen_event, a_settlement_report_is_announced)
{
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    event = event_of(arena, wrapped(arena, AVAILABLE(SETTLEMENT,
                                    "https://x.example/r/" SETTLEMENT)));
    cr_expect(pay_str_is(event.report, SETTLEMENT));
    cr_expect(pay_str_is(event.report_url,
                         "https://x.example/r/" SETTLEMENT));
    cr_expect_eq(event.fact, PAY_FACT_NONE);
}


Test(pay_psp_adyen_event, other_reports_and_names_announce_none)
{
    size_t            i;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const char *const  items[] = {
        AVAILABLE("payments_accounting_report_2026_11_22.csv", "https://x/y"),
        AVAILABLE("settlement_detail_report_batch_", "https://x/y"),
        AVAILABLE("settlement_detail_report_batch_7.csv/../x", "https://x/y"),
        AVAILABLE("settlement_detail_report_batch_7 .csv", "https://x/y"),
        AVAILABLE("settlement_detail_report_batch_7%2f", "https://x/y"),
        AVAILABLE("../settlement_detail_report_batch_7", "https://x/y"),
        "\"eventCode\":\"REPORT_AVAILABLE\",\"success\":\"false\","
        "\"merchantAccountCode\":\"YOUR_ACCOUNT\","
        "\"pspReference\":\"" SETTLEMENT "\",\"reason\":\"https://x/y\"",
        "\"eventCode\":\"REPORT_AVAILABLE\",\"success\":\"true\","
        "\"merchantAccountCode\":\"OtherMerchant\","
        "\"pspReference\":\"" SETTLEMENT "\",\"reason\":\"https://x/y\"",
        "\"eventCode\":\"OFFER_CLOSED\",\"success\":\"true\","
        "\"merchantAccountCode\":\"YOUR_ACCOUNT\","
        "\"pspReference\":\"" SETTLEMENT "\",\"reason\":\"https://x/y\""
    };

    for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        event = event_of(arena, wrapped(arena, items[i]));
        cr_expect_eq(event.report.len, 0, "%s", items[i]);
        cr_expect_eq(event.report_url.len, 0);
    }

    /* kept, and refused by who compares it */
    event = event_of(arena, wrapped(arena, AVAILABLE(SETTLEMENT, "a b")));
    cr_expect(pay_str_is(event.report, SETTLEMENT));
    cr_expect_eq(event.report_url.len, 0);
}


static pay_str_t  tortured_body;


static pay_status_t
run_events(pay_arena_t *arena, void *result)
{
    unsigned  count;

    return adyen()->webhook_events(arena, &account, PAY_STR(""),
                                   tortured_body, result, &count, NULL);
}


Test(pay_psp_adyen_event, every_allocation_may_fail)
{
    tortured_body = fixture(test_arena(), adyen(),
                            "webhook-batch.json");
    cr_expect_gt(torture(run_events, 3 * sizeof(pay_psp_event_t)), 0);
}

/*
 * Lists of single adapters, beyond what the conformance suite asks of all:
 * the span of time in which a lost registration is looked for, pages in their
 * order, and what a PSP's own links may say.
 */

#include "psp_world.h"


/* 2026-11-21T05:00:00Z */
#define MADE_S  INT64_C(1795237200)


static pay_str_t
uuid_of(pay_arena_t *arena, int64_t unix_s, char version)
{
    char       hex[16], text[64];
    pay_str_t  copy;

    snprintf(hex, sizeof(hex), "%012llx", (unsigned long long) unix_s * 1000);
    snprintf(text, sizeof(text), "%.8s-%.4s-%c000-8000-000000000001", hex,
             hex + 8, version);
    cr_assert_eq(pay_dup(arena, pay_str_of(text), &copy), PAY_OK);

    return copy;
}


static pay_str_t
found_url(pay_arena_t *arena, const char *psp,
    const pay_psp_checkout_t *checkout)
{
    pay_http_request_t        request;
    const pay_psp_adapter_t  *adapter = pay_psp_find(pay_str_of(psp));

    cr_assert_eq(adapter->find_request(arena, &account, checkout, &request),
                 PAY_OK);

    return request.url;
}


static pay_psp_registered_t
looked(pay_arena_t *arena, const char *psp, const pay_psp_checkout_t *checkout,
    const char *text)
{
    pay_http_answer_t         answer;
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *adapter = pay_psp_find(pay_str_of(psp));

    answer = answered(200, pay_str_of(text));
    cr_assert_eq(adapter->find_answer(arena, checkout, &answer, &result),
                 PAY_OK);

    return result;
}


Test(pay_psp_lists, a_session_is_looked_for_from_when_the_order_was_made)
{
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();

    order.expires_s = MADE_S + 3600;
    order.merchant_reference = uuid_of(arena, MADE_S, '7');

    /* ten minutes for the clocks */
    cr_expect(contains(found_url(arena, "stripe", &order),
                       "created%5Bgte%5D=1795236600"
                       "&created%5Blte%5D=1795240800"), "%.*s",
              pay_fmt(found_url(arena, "stripe", &order)));
}


/* A reference that tells no time, or one that cannot be, widens the span to
 * the longest life of a session: what is there is not overlooked. */
Test(pay_psp_lists, a_reference_without_a_time_widens_the_span)
{
    unsigned            i;
    pay_arena_t        *arena = test_arena();
    pay_str_t           references[6];
    pay_psp_checkout_t  order = order_make();

    references[0] = uuid_of(arena, MADE_S, '4');
    references[1] = uuid_of(arena, MADE_S - 90000, '7');
    references[2] = uuid_of(arena, MADE_S + 3601, '7');
    references[3] = PAY_STR("checkout-1");
    references[4] = PAY_STR("z19a49dd-a300-7000-8000-000000000001");
    references[5] = PAY_STR("7");
    order.expires_s = MADE_S + 3600;

    for (i = 0; i < 6; i++) {
        order.merchant_reference = references[i];
        cr_expect(contains(found_url(arena, "stripe", &order),
                           "created%5Bgte%5D=1795153800&"), "%u: %.*s", i,
                  pay_fmt(found_url(arena, "stripe", &order)));
    }
}


/* Only what is older than the order, to the second, ends the search. */
Test(pay_psp_lists, a_payment_older_than_the_order_ends_the_search)
{
    char                  text[1024];
    unsigned              i;
    pay_arena_t          *arena = test_arena();
    pay_psp_checkout_t    order = order_make();
    pay_psp_registered_t  result;

    static const struct {
        const char        *created;
        pay_psp_outcome_t  outcome;
    } cases[] = {
        { "2026-11-21T04:49:59+00:00", PAY_PSP_NOT_SENT },
        { "2026-11-21T04:49:59Z", PAY_PSP_NOT_SENT },
        { "2025-12-31T23:59:59Z", PAY_PSP_NOT_SENT },
        { "2026-11-21T04:50:00+00:00", PAY_PSP_UNKNOWN },
        { "2026-11-21T04:50:00Z", PAY_PSP_UNKNOWN },
        { "2026-11-21T04:49:59+01:00", PAY_PSP_UNKNOWN },
        { "2026-11-21T04:49:59", PAY_PSP_UNKNOWN },
        { "2026-11-21 04:49:59Z", PAY_PSP_UNKNOWN },
        { "1", PAY_PSP_UNKNOWN },
        { "                         Z", PAY_PSP_UNKNOWN },
        { "", PAY_PSP_UNKNOWN }
    };

    order.expires_s = MADE_S + 3600;
    order.merchant_reference = uuid_of(arena, MADE_S, '7');

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text),
                 "{\"_embedded\":{\"payments\":[{\"id\":\"tr_a\","
                 "\"createdAt\":\"2026-11-20T00:00:00Z\"},{\"id\":\"tr_b\","
                 "\"createdAt\":\"%s\"}]},\"_links\":{\"next\":{\"href\":"
                 "\"https://api.mollie.com/v2/payments?limit=5&from=tr_c\""
                 "}}}", cases[i].created);
        result = looked(arena, "mollie", &order, text);
        cr_expect_eq(result.outcome, cases[i].outcome, "%s",
                     cases[i].created);
        cr_expect(pay_str_is(result.next, cases[i].outcome == PAY_PSP_UNKNOWN
                                          ? "tr_c" : ""), "%s",
                  cases[i].created);
    }
}


/* Somebody else's metadata of the same form is not ours by half. */
Test(pay_psp_lists, a_payment_is_ours_by_reference_and_nonce)
{
    char                text[1024];
    unsigned            i;
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();

    static const char *const  metadata[] = {
        "{\"reference\":\"" REFERENCE "\"}", "{\"nonce\":\"" NONCE "\"}",
        "{\"reference\":\"" REFERENCE "\",\"nonce\":\"order-2\"}",
        "{\"reference\":7,\"nonce\":\"" NONCE "\"}", "\"" REFERENCE "\"",
        "[\"" REFERENCE "\",\"" NONCE "\"]", "null"
    };

    for (i = 0; i < sizeof(metadata) / sizeof(metadata[0]); i++) {
        snprintf(text, sizeof(text),
                 "{\"_embedded\":{\"payments\":[{\"id\":\"tr_a\",\"amount\":"
                 "{\"value\":\"30.00\",\"currency\":\"USD\"},\"metadata\":%s,"
                 "\"_links\":{\"checkout\":{\"href\":\"https://a.example/\"}}"
                 "}]},\"_links\":{\"next\":null}}", metadata[i]);
        cr_expect_eq(looked(arena, "mollie", &order, text).outcome,
                     PAY_PSP_NOT_SENT, "%s", metadata[i]);
    }
}


/* What proves that there is none is a list that says it is complete. */
Test(pay_psp_lists, an_answer_that_is_no_list_proves_nothing)
{
    unsigned            i;
    pay_arena_t        *arena = test_arena();
    pay_psp_checkout_t  order = order_make();

    static const char *const  answers[] = {
        "{}", "{\"data\":[]}", "{\"has_more\":false}",
        "{\"data\":[],\"has_more\":null}", "{\"data\":{},\"has_more\":false}",
        "{\"registrations\":null}", "{\"_embedded\":{\"payments\":[]}}",
        "{\"_embedded\":{},\"_links\":{\"next\":null}}",
        "{\"_embedded\":{\"payments\":[]},\"_links\":{\"next\":{}}}",
        "{\"_embedded\":{\"payments\":[]},\"_links\":{\"next\":\"tr_a\"}}",
        "{\"data\":[],\"has_more\":false,\"error\":{\"code\":\"x\"}}",
        "{\"registrations\":[],\"error\":{}}"
    };

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        cr_expect_eq(looked(arena, "stripe", &order, answers[i]).outcome,
                     PAY_PSP_UNKNOWN, "stripe: %s", answers[i]);
        cr_expect_eq(looked(arena, "generic", &order, answers[i]).outcome,
                     PAY_PSP_UNKNOWN, "generic: %s", answers[i]);
        cr_expect_eq(looked(arena, "mollie", &order, answers[i]).outcome,
                     PAY_PSP_UNKNOWN, "mollie: %s", answers[i]);
    }
}


static pay_str_t
paypal_next_of(pay_arena_t *arena, const char *href, int *known)
{
    char                      text[1024];
    pay_psp_list_t            list;
    pay_psp_listed_t          listed;
    pay_http_answer_t         answer;
    const pay_psp_adapter_t  *paypal = pay_psp_find(PAY_STR("paypal"));

    memset(&list, 0, sizeof(list));
    list.until_s = MADE_S;
    snprintf(text, sizeof(text),
             "{\"events\":[{\"id\":\"WH-1\",\"event_type\":\"A.B\","
             "\"resource\":{}}],\"links\":[{\"rel\":\"next\",\"href\":\"%s\"}"
             "]}", href);
    answer = answered(200, pay_str_of(text));
    cr_assert_eq(paypal->list_answer(arena, &account, &list, &answer,
                                     &listed), PAY_OK);
    *known = listed.known;

    return listed.next;
}


Test(pay_psp_lists, of_paypals_link_only_the_place_is_taken)
{
    int          known;
    unsigned     i;

    static const struct {
        const char  *href;
        const char  *next;             /* NULL: the page says nothing */
    } cases[] = {
        { "https://api-m.paypal.com/v1/x?move_to=next&index_id=3",
          "move_to=next&index_id=3" },
        { "https://api-m.paypal.com/?start_time=1970&end_time=2100&page_size="
          "999&event_type=X&index_id=3&transaction_id=1", "index_id=3" },
        { "https://evil.example/?page_token=abc", "page_token=abc" },
        { "?offset=6", "offset=6" },
        { "https://a.example/?xmove_to=next", NULL },
        { "https://a.example/?move_to", NULL },
        { "https://a.example/?move_to=", "move_to=" },
        { "https://a.example/?MOVE_TO=next", NULL },
        { "https://a.example/?index_id=3#x", NULL },
        { "https://a.example/?index_id=3/../..", NULL },
        { "https://a.example/?index_id=a;b", NULL },
        { "https://a.example/move_to=next", NULL },
        { "https://a.example/?", NULL },
        { "", NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pay_str_t  next = paypal_next_of(test_arena(), cases[i].href,
                                         &known);

        cr_expect_eq(known, cases[i].next != NULL, "%s", cases[i].href);
        cr_expect(pay_str_is(next, cases[i].next ? cases[i].next : ""),
                  "%s: %.*s", cases[i].href, pay_fmt(next));
    }
}


/* A cursor that came from elsewhere changes neither the span nor the path. */
Test(pay_psp_lists, a_cursor_that_is_no_place_of_paypals_is_not_sent)
{
    unsigned                  i;
    pay_psp_list_t            list;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *paypal = pay_psp_find(PAY_STR("paypal"));

    static const char *const  cursors[] = {
        "start_time=1970-01-01T00:00:00Z", "next", "move_to=next&a=b",
        "index_id=1&end_time=x", "index_id=a/b", "&", "index_id=1&&"
    };

    memset(&list, 0, sizeof(list));
    list.until_s = MADE_S;

    for (i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
        list.cursor = pay_str_of(cursors[i]);
        cr_expect_eq(paypal->list_request(test_arena(), &account,
                                          &list, &request), PAY_BUG, "%s",
                     cursors[i]);
    }
}


/* Of two pages that hold the same event the second has it again: it is the
 * inbox that counts it once.  Within one page it stands once. */
Test(pay_psp_lists, a_page_of_events_stands_for_itself)
{
    pay_psp_list_t            list;
    pay_psp_listed_t          listed;
    pay_http_answer_t         answer;
    const pay_psp_adapter_t  *adapter = generic();

    memset(&list, 0, sizeof(list));
    list.until_s = MADE_S;
    list.cursor = PAY_STR("b");
    answer = answered(200, PAY_STR("{\"events\":[{\"id\":\"evt_1\",\"type\":"
                                   "\"a\"},{\"id\":\"evt_1\",\"type\":\"b\"},"
                                   "{\"id\":\"evt_2\",\"type\":\"c\"}],"
                                   "\"next\":\"a\"}"));
    cr_assert_eq(adapter->list_answer(test_arena(), &account, &list,
                                      &answer, &listed), PAY_OK);
    cr_expect_eq(listed.known, 1);
    cr_assert_eq(listed.count, 2);
    cr_expect(pay_str_is(listed.events[0].type, "a"));
    cr_expect(pay_str_is(listed.events[1].event_id, "evt_2"));
    cr_expect(pay_str_is(listed.next, "a"));
}

/*
 * Settlements by a PSP's API: requests page by page, lists, and the cursor of
 * the next page, which never leads anywhere but to the PSP itself.
 */

#include "psp_world.h"

#include "pay_psp.h"


#define SINCE  INT64_C(1795132800)     /* 2026-11-20T00:00:00Z */


static pay_http_answer_t
said(const char *body)
{
    return answered(200, pay_str_of(body));
}


static void
expect_list(const char *psp, const char *cursor, const char *url)
{
    pay_heap_t               *heap = pay_heap_create();
    pay_http_request_t        request;
    pay_psp_account_t         ours = account;
    const pay_psp_adapter_t  *adapter = pay_psp_find(pay_str_of(psp));

    ours.base_url = PAY_STR("https://psp.example");
    ours.account = PAY_STR("L1");
    cr_assert_eq(pay_psp_settlements_request(pay_heap_arena(heap), adapter,
                                             &ours, SINCE,
                                             pay_str_of(cursor), &request),
                 PAY_OK);
    cr_expect(pay_str_is(request.method, "GET"));
    cr_expect(pay_str_is(request.url, url), "%.*s", pay_fmt(request.url));
    pay_heap_destroy(heap);
}


Test(pay_psp_settlements, are_listed_from_a_time_on_page_by_page)
{
    expect_list("stripe", "", "https://psp.example/v1/payouts?limit=50"
                "&created%5Bgte%5D=1795132800");
    expect_list("stripe", "po_9", "https://psp.example/v1/payouts?limit=50"
                "&created%5Bgte%5D=1795132800&starting_after=po_9");
    expect_list("square", "", "https://psp.example/v2/payouts?limit=50"
                "&location_id=L1&begin_time=2026-11-20T00%3A00%3A00Z");
    expect_list("square", "a=b&c", "https://psp.example/v2/payouts?limit=50"
                "&location_id=L1&begin_time=2026-11-20T00%3A00%3A00Z"
                "&cursor=a%3Db%26c");
    expect_list("mollie", "stl_9", "https://psp.example/v2/settlements"
                "?limit=50&from=stl_9");
}


/* the ids of the page, then "+" and the cursor of the next one; "?": the
 * answer says nothing */
static void
expect_page(const char *psp, pay_http_answer_t answer, const char *text)
{
    char                      seen[512] = "?";
    size_t                    used = 0;
    unsigned                  i;
    pay_heap_t               *heap = pay_heap_create();
    pay_psp_settlements_t     page;
    const pay_psp_adapter_t  *adapter = pay_psp_find(pay_str_of(psp));

    cr_assert_eq(pay_psp_settlements_answer(pay_heap_arena(heap), adapter,
                                            SINCE, PAY_STR("now"), &answer,
                                            &page), PAY_OK);

    if (page.known) {
        seen[0] = '\0';

        for (i = 0; i < page.count; i++) {
            used += (size_t) snprintf(seen + used, sizeof(seen) - used,
                                      "%.*s@%ld ", pay_fmt(page.items[i].id),
                                      (long) (page.items[i].at_s - SINCE));
        }

        if (page.next.len != 0) {
            snprintf(seen + used, sizeof(seen) - used, "+%.*s",
                     pay_fmt(page.next));
        }
    }

    cr_expect_str_eq(seen, text, "%s: %.*s", psp, pay_fmt(answer.body));
    pay_heap_destroy(heap);
}


#define STRIPE(id, created, status, tied)                                     \
    "{\"id\":\"" id "\",\"object\":\"payout\",\"created\":" created           \
    ",\"status\":\"" status "\",\"reconciliation_status\":\"" tied "\"}"
#define STRIPES(more, items)                                                  \
    "{\"object\":\"list\",\"has_more\":" more ",\"data\":[" items "]}"
#define MOLLIE(id, at, status)                                                \
    "{\"resource\":\"settlement\",\"id\":\"" id "\",\"settledAt\":\"" at      \
    "\",\"status\":\"" status "\"}"
#define MOLLIES(next, items)                                                  \
    "{\"_embedded\":{\"settlements\":[" items "]},\"_links\":{\"next\":" next \
    "}}"


Test(pay_psp_settlements, are_taken_when_they_change_no_more)
{
    expect_page("stripe", said(STRIPES("true",
        STRIPE("po_1", "1795132810", "paid", "completed") ","
        STRIPE("po_2", "1795132811", "pending", "in_progress") ","
        STRIPE("po_3", "1795132812", "paid", "in_progress") ","
        STRIPE("po_4", "1795132813", "paid", "not_applicable") ","
        STRIPE("po_5", "1795132814", "failed", "completed"))),
        "po_1@10 po_5@14 +po_5");
    expect_page("square", said("{\"payouts\":["
        "{\"id\":\"po_a\",\"status\":\"SENT\",\"created_at\":"
        "\"2026-11-20T00:00:01Z\"},"
        "{\"id\":\"po_b\",\"status\":\"NEW\",\"created_at\":"
        "\"2026-11-20T00:00:02Z\"}],\"cursor\":\"c=1\"}"), "po_a@1 +c=1");
    expect_page("square", said("{}"), "");
    expect_page("mollie", said(MOLLIES(
        "{\"href\":\"https://evil.example/x?limit=50&from=stl_3\"}",
        MOLLIE("open", "", "open") ","
        MOLLIE("stl_1", "2026-11-20T01:00:05.5+01:00", "paidout"))),
        "stl_1@5 +stl_3");
}


/* Mollie has no parameter of time: the newest come first */
Test(pay_psp_settlements, behind_an_older_one_nothing_is_asked_for)
{
    expect_page("mollie", said(MOLLIES(
        "{\"href\":\"https://api.mollie.com/v2/settlements?from=stl_3\"}",
        MOLLIE("stl_2", "2026-11-21T00:00:00Z", "paidout") ","
        MOLLIE("stl_1", "2026-11-19T23:59:59Z", "paidout"))),
        "stl_2@86400 ");
}


Test(pay_psp_settlements, an_answer_that_is_no_list_says_nothing)
{
    size_t             i;
    pay_http_answer_t  answer;

    static const char *const  bad[] = {
        "", "[]", "null", "{}", "{\"data\":[]}",
        STRIPES("true", ""),
        STRIPES("true", STRIPE("now", "1795132810", "paid", "completed")),
        STRIPES("false", STRIPE("po 1", "1795132810", "paid", "completed")),
        STRIPES("false", STRIPE("po_1", "\"soon\"", "paid", "completed"))
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect_page("stripe", said(bad[i]), "?");
    }

    expect_page("square", said("{\"payouts\":[{\"id\":\"po_a\",\"status\":"
        "\"PAID\",\"created_at\":\"2026-11-20\"}]}"), "?");
    expect_page("mollie", said(MOLLIES("{\"href\":\"https://x/?from=a%20b\"}",
        MOLLIE("stl_1", "2026-11-20T00:00:00Z", "paidout"))), "?");
    expect_page("mollie", said(MOLLIES("null",
        MOLLIE("stl_1", "2026-11-20T00:00:00+1:00", "paidout"))), "?");

    answer = said(STRIPES("false", ""));
    answer.status = 500;
    expect_page("stripe", answer, "?");
    answer.status = 200;
    answer.sent = PAY_SENT_SOME;
    expect_page("stripe", answer, "?");
}


/* the URLs of one settlement, each with the answer before the next */
static void
expect_walk(const char *psp, const char *const *walk)
{
    int                       is_end = 0;
    pay_heap_t               *heap = pay_heap_create();
    pay_arena_t              *arena = pay_heap_arena(heap);
    pay_http_answer_t         answer;
    pay_http_request_t        request;
    pay_psp_account_t         ours = account;
    pay_psp_settle_page_t     page = { .id = PAY_STR("p_1") };
    const pay_psp_adapter_t  *adapter = pay_psp_find(pay_str_of(psp));

    ours.base_url = PAY_STR("https://psp.example");

    for (; *walk != NULL; walk += 2) {
        cr_assert_not(is_end, "%s: %s", psp, walk[0]);
        cr_assert_eq(pay_psp_settlement_request(arena, adapter, &ours, &page,
                                                &request), PAY_OK);
        cr_expect(pay_str_is(request.url, walk[0]), "%.*s",
                  pay_fmt(request.url));
        answer = said(walk[1]);
        cr_assert_eq(pay_psp_settlement_next(arena, adapter, &answer, &page,
                                             &is_end), PAY_OK);
    }

    cr_expect(is_end, "%s", psp);
    pay_heap_destroy(heap);
}


Test(pay_psp_settlements, one_is_read_with_all_pages_of_its_lists)
{
    static const char *const  stripe_walk[] = {
        "https://psp.example/v1/payouts/p_1", "{\"object\":\"payout\"}",
        "https://psp.example/v1/balance_transactions?limit=50"
        "&expand%5B%5D=data.source&payout=p_1",
        STRIPES("true", "{\"id\":\"txn_1\"},{\"id\":\"txn_2\"}"),
        "https://psp.example/v1/balance_transactions?limit=50"
        "&expand%5B%5D=data.source&payout=p_1&starting_after=txn_2",
        STRIPES("false", "{\"id\":\"txn_3\"}"), NULL
    };
    static const char *const  square_walk[] = {
        "https://psp.example/v2/payouts/p_1", "{\"payout\":{}}",
        "https://psp.example/v2/payouts/p_1/payout-entries?limit=100",
        "{\"payout_entries\":[{}],\"cursor\":\"c1\"}",
        "https://psp.example/v2/payouts/p_1/payout-entries?limit=100"
        "&cursor=c1", "{}", NULL
    };
    static const char *const  mollie_walk[] = {
        "https://psp.example/v2/settlements/p_1", "{}",
        "https://psp.example/v2/settlements/p_1/payments?limit=100",
        "{\"_links\":{\"next\":{\"href\":\"https://x/?from=tr_2&limit=100\"}}}",
        "https://psp.example/v2/settlements/p_1/payments?limit=100"
        "&from=tr_2", "{\"_links\":{\"next\":null}}",
        "https://psp.example/v2/settlements/p_1/refunds?limit=100", "{}",
        "https://psp.example/v2/settlements/p_1/chargebacks?limit=100", "{}",
        "https://psp.example/v2/settlements/p_1/captures?limit=100", "{}",
        NULL
    };

    expect_walk("stripe", stripe_walk);
    expect_walk("square", square_walk);
    expect_walk("mollie", mollie_walk);
}


Test(pay_psp_settlements, a_page_that_leads_to_itself_ends_the_walk)
{
    int                       is_end;
    pay_heap_t               *heap = pay_heap_create();
    pay_http_answer_t         answer;
    pay_psp_settle_page_t     page = {
        .id = PAY_STR("p_1"), .part = 1, .cursor = PAY_STR("txn_2")
    };
    const pay_psp_adapter_t  *adapter = pay_psp_find(PAY_STR("stripe"));

    answer = said(STRIPES("true", "{\"id\":\"txn_2\"}"));
    cr_expect_eq(pay_psp_settlement_next(pay_heap_arena(heap), adapter,
                                         &answer, &page, &is_end),
                 PAY_INVALID);
    answer = said("<html>");
    cr_expect_eq(pay_psp_settlement_next(pay_heap_arena(heap), adapter,
                                         &answer, &page, &is_end),
                 PAY_INVALID);
    pay_heap_destroy(heap);
}

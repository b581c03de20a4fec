/*
 * Remittance advice: what a request may say, its sums and lines as CSV, and the
 * texts of its page.
 */

#include "flow_driver.h"
#include "torture.h"

#include "pay_advice.h"
#include "pay_finance.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define LINE(n, order, paid)                                                  \
    "{\"line\":" n ",\"at\":\"2026-11-23T10:00:00.120Z\",\"part\":\"sales\"," \
    "\"kind\":\"sale\",\"payment_order_id\":" order ",\"amount\":\"-5.00\","  \
    "\"currency\":\"EUR\",\"new\":true,\"paid\":" paid "}"
#define PAGE(lines, next)                                                     \
    "{\"payout_id\":\"p-1\",\"state\":\"paid\",\"merchant_id\":\"acme\","     \
    "\"seller_account\":\"s-1\",\"currency\":\"EUR\",\"provider\":\"wise\","  \
    "\"account\":\"DE\\u20263000\",\"made_at\":\"2026-11-23T10:00:00.120Z\"," \
    "\"opening\":\"1.00\",\"sales\":\"20.00\",\"refunds\":\"-2.00\","         \
    "\"disputes\":\"0.00\",\"fees\":\"-1.80\",\"reserve\":\"-3.00\","         \
    "\"payouts\":\"0.00\",\"adjustments\":\"0.00\",\"paid\":\"14.20\","       \
    "\"closing\":\"0.00\",\"sha256\":\"00ff\",\"lines\":[" lines "],"         \
    "\"next\":" next "}"

#define CSV_HEAD                                                              \
    "part,kind,amount,currency,line,at,payment_order_id,new,paid\r\n"
#define TOTAL(name, amount)                                                   \
    "\"total\",\"" name "\"," amount ",\"EUR\",,,,,\r\n"
#define TOTALS                                                                \
    TOTAL("opening", "1.00") TOTAL("sales", "20.00") TOTAL("refunds", "-2.00")\
    TOTAL("disputes", "0.00") TOTAL("fees", "-1.80") TOTAL("reserve", "-3.00")\
    TOTAL("payouts", "0.00") TOTAL("adjustments", "0.00")                     \
    TOTAL("paid", "14.20") TOTAL("closing", "0.00")
#define CSV_LINE(n, order, paid)                                              \
    "\"sales\",\"sale\",-5.00,\"EUR\"," n ",\"2026-11-23T10:00:00.120Z\","    \
    order ",\"true\",\"" paid "\"\r\n"


static pay_status_t
parse(const char *query, const char *accept, pay_finance_query_t *parsed,
    pay_err_t *err)
{
    pay_finance_asked_t  asked = {
        .list = PAY_FINANCE_ADVICE, .id = PAY_STR("p-1"),
        .query = pay_str_of(query), .accept = pay_str_of(accept)
    };

    return pay_finance_parse(&asked, parsed, err);
}


Test(pay_advice, its_form_is_that_of_the_query_or_of_accept)
{
    size_t               i;
    pay_finance_query_t  query;

    static const struct {
        const char  *query, *accept;
        int          is_csv, is_html;
    } rows[] = {
        { "", "", 0, 0 }, { "", "*/*", 0, 0 }, { "", "text/csv", 1, 0 },
        { "", "text/html,application/xhtml+xml,*/*;q=0.8", 0, 1 },
        { "", "text/html, application/json", 0, 0 },
        { "", "text/html, text/csv", 1, 0 }, { "format=html", "", 0, 1 },
        { "format=json", "text/html", 0, 0 },
        { "format=csv", "text/html", 1, 0 },
        { "format=html", "text/csv", 0, 1 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(parse(rows[i].query, rows[i].accept, &query, NULL),
                     PAY_OK, "%s", rows[i].query);
        cr_expect(query.is_csv == rows[i].is_csv
                  && query.is_html == rows[i].is_html, "%s, %s: %d %d",
                  rows[i].query, rows[i].accept, query.is_csv, query.is_html);
        cr_expect_eq(query.limit, rows[i].is_csv || rows[i].is_html
                                  ? PAY_EXPORT_PAGE : PAY_FINANCE_LIMIT);
        cr_expect(pay_str_is(query.payout_id, "p-1"));
    }

    cr_assert_eq(parse("before=9&limit=2", "", &query, NULL), PAY_OK);
    cr_expect(query.before.number == 9 && query.limit == 2);
}


Test(pay_advice, a_wrong_query_is_refused)
{
    size_t               i;
    pay_err_t            err;
    pay_finance_asked_t  list = {
        .list = PAY_FINANCE_PAYOUTS, .query = PAY_STR("format=html")
    };
    pay_finance_query_t  query;

    static const char *const  wrong[] = {
        "format=xml", "format=html&limit=5", "format=html&before=5",
        "format=csv&limit=5", "limit=101", "before=x", "state=paid",
        "currency=EUR", "format=html&format=html"
    };

    for (i = 0; i < COUNT(wrong); i++) {
        cr_expect_eq(parse(wrong[i], "", &query, &err), PAY_INVALID, "%s",
                     wrong[i]);
    }

    cr_expect_eq(pay_finance_parse(&list, &query, &err), PAY_INVALID,
                 "no other list has a page");
}


Test(pay_advice, its_texts_are_those_of_the_answer)
{
    pay_heap_t    *heap = pay_heap_create();
    pay_advice_t   advice;

    cr_assert_eq(pay_advice_read(pay_heap_arena(heap), PAY_STR(PAGE(
                     LINE("9", "\"<b>\"", "true") ","
                     LINE("7", "null", "false"), "7")), &advice), PAY_OK);
    cr_expect_eq(advice.lines, 2);
    cr_expect(advice.has_more);
    cr_expect(pay_str_is(advice.values[PAY_ADVICE_OPENING], "1.00"));
    cr_expect(pay_str_is(advice.values[PAY_ADVICE_CLOSING], "0.00"));
    cr_expect(pay_str_is(advice.values[PAY_ADVICE_SHA256], "00ff"));
    cr_expect(pay_str_is(advice.columns[PAY_ADVICE_LINE_ORDER][0], "<b>"));
    cr_expect_eq(advice.columns[PAY_ADVICE_LINE_ORDER][1].len, 0);
    cr_expect(pay_str_is(advice.columns[PAY_ADVICE_LINE_PAID][0], "yes"));
    cr_expect(pay_str_is(advice.columns[PAY_ADVICE_LINE_PAID][1], "no"));
    pay_heap_destroy(heap);
}


Test(pay_advice, an_answer_of_another_form_is_a_bug)
{
    size_t         i;
    pay_heap_t    *heap = pay_heap_create();
    pay_advice_t   advice;

    static const char *const  pages[] = {
        "", "x", "[]", "{}", PAGE("1", "null"), PAGE("{}", "null"),
        "{\"payout_id\":1}"
    };

    for (i = 0; i < COUNT(pages); i++) {
        cr_expect_eq(pay_advice_read(pay_heap_arena(heap),
                                     pay_str_of(pages[i]), &advice), PAY_BUG,
                     "%s", pages[i]);
    }

    pay_heap_destroy(heap);
}


static void
advice_begin(world_t *world, const char *query)
{
    pay_finance_query_t  parsed;

    cr_assert_eq(parse(query, "", &parsed, NULL), PAY_OK);
    world_made(world, pay_flow_finance(&world->flow, PAY_STR("acme"),
                                       &parsed));
    world_start(world);
}


/* The sums stand in front of the first line, once. */
Test(pay_flow_advice, csv_has_the_sums_and_all_lines)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    advice_begin(&world, "format=csv");
    expect_db(&world, PAY_OP_GET_PAYOUT_ADVICE);
    expect_arg(&world, get_payout_advice, payout_id, "p-1");
    world_result(&world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR(PAGE(LINE("9", "\"=1+1\"", "true"), "9")) });
    cr_expect_eq(asked(&world, get_payout_advice)->before.number, 9);
    world_result(&world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR(PAGE(LINE("7", "null", "false"), "null")) });
    reply = expect_reply(&world, PAY_REPLY_CSV, 200);
    cr_expect(pay_str_is(reply->body, CSV_HEAD TOTALS
                         CSV_LINE("9", "\"'=1+1\"", "true")
                         CSV_LINE("7", "", "false")), "%.*s",
              (int) reply->body.len, (const char *) reply->body.data);
    world_close(&world);
}


Test(pay_flow_advice, its_page_has_the_texts)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    advice_begin(&world, "format=html");
    world_result(&world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR(PAGE(LINE("9", "\"o\"", "true"), "null")) });
    reply = expect_reply(&world, PAY_REPLY_ADVICE, 200);
    cr_expect_eq(reply->advice->lines, 1);
    cr_expect(!reply->advice->has_more);
    world_close(&world);
}


/* A statement that somebody has changed is worse than none. */
Test(pay_flow_advice, one_that_contradicts_its_digest_is_not_shown)
{
    size_t   i;
    world_t  world;

    static const char *const  forms[] = { "", "format=csv", "format=html" };

    for (i = 0; i < COUNT(forms); i++) {
        world_open(&world);
        advice_begin(&world, forms[i]);
        world_result(&world, PAY_OUTCOME_CONTRADICTION, NULL);
        (void) expect_reply(&world, PAY_REPLY_PROBLEM, 500);
        world_close(&world);
    }
}


static void
play_page(world_t *world)
{
    advice_begin(world, "format=html");
    world_result(world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR(PAGE(LINE("9", "\"o\"", "true"), "null")) });
}


Test(pay_flow_advice, failing_memory_ends_a_page_as_a_500)
{
    cr_expect_geq(world_torture(play_page), 10);
}

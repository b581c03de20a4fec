/*
 * Lists for finance: what a query may say, a list as CSV, and the flow of a
 * page and of an export.
 */

#include "flow_driver.h"
#include "torture.h"

#include "pay_finance.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* 64 bytes, as long as the account of a seller may be */
#define LONG  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define HEAD  "row_id,source,psp,file_id,line,row_key,version,kind,raw_type,"  \
              "psp_ref,parent_ref,our_ref,occurred_at,booked_on,payout_ref,"  \
              "bank_ref,checkout_id,currency,gross,fee,tax,net,class,finding,"\
              "playbook,state,rule,match_id,exception_id,at,note\r\n"

/* a row whose text and net are these */
#define ROW(text, net)                                                        \
    "{\"row_id\":7,\"source\":\"s\",\"psp\":null,\"file_id\":1,\"line\":2,"   \
    "\"row_key\":" text ",\"version\":1,\"kind\":\"fee\",\"raw_type\":null,"  \
    "\"psp_ref\":null,\"parent_ref\":null,\"our_ref\":null,"                  \
    "\"occurred_at\":null,\"booked_on\":null,\"payout_ref\":null,"            \
    "\"bank_ref\":null,\"checkout_id\":null,\"currency\":\"EUR\","    \
    "\"gross\":\"0.00\","                                                     \
    "\"fee\":\"-0.30\",\"tax\":\"0.00\",\"net\":" net ",\"class\":1,"         \
    "\"finding\":\"charged\",\"playbook\":null,\"state\":\"posted\","         \
    "\"rule\":null,\"match_id\":null,\"exception_id\":null,"                  \
    "\"at\":\"2026-11-21T08:15:00.123Z\",\"note\":null}"
#define LINE(text, net)                                                       \
    "7,\"s\",,1,2," text ",1,\"fee\",,,,,,,,,,\"EUR\",0.00,-0.30,0.00," net    \
    ",1,\"charged\",,\"posted\",,,,\"2026-11-21T08:15:00.123Z\",\r\n"


static pay_status_t
parse(pay_finance_list_t list, const char *id, const char *query,
    const char *accept, pay_finance_query_t *parsed, pay_err_t *err)
{
    pay_finance_asked_t  asked = {
        .list = list, .id = pay_str_of(id), .query = pay_str_of(query),
        .accept = pay_str_of(accept)
    };

    return pay_finance_parse(&asked, parsed, err);
}


Test(pay_finance, an_empty_query_is_the_first_page)
{
    pay_finance_query_t  query;

    cr_assert_eq(parse(PAY_FINANCE_ROWS, "", "", "", &query, NULL), PAY_OK);
    cr_expect_eq(query.limit, PAY_FINANCE_LIMIT);
    cr_expect(!query.is_csv && !query.is_one && !query.before.is_set);
    cr_expect_eq(query.psp.len + query.state.len + query.day.len, 0);
}


Test(pay_finance, each_filter_is_taken_in_any_order)
{
    pay_finance_query_t  query;

    cr_assert_eq(parse(PAY_FINANCE_ROWS, "",
                       "day=2026-11-21&limit=100&before=9&class=0&psp=my-psp_2"
                       "&currency=EUR&state=matched_group&file_id=12", "",
                       &query, NULL), PAY_OK);
    cr_expect(pay_str_is(query.day, "2026-11-21"));
    cr_expect(pay_str_is(query.psp, "my-psp_2"));
    cr_expect(pay_str_is(query.currency, "EUR"));
    cr_expect(pay_str_is(query.state, "matched_group"));
    cr_expect(query.class.is_set && query.class.number == 0);
    cr_expect_eq(query.before.number, 9);
    cr_expect_eq(query.file_id.number, 12);
    cr_expect_eq(query.limit, 100);
}


Test(pay_finance, the_account_of_a_seller_may_be_escaped)
{
    size_t               i;
    pay_finance_query_t  query;

    static const char *const  rows[][2] = {
        { "seller_account=a/b+c", "a/b+c" },
        { "seller_account=a%2Fb%2bc%26", "a/b+c&" },
        { "seller_account=" LONG, LONG }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(parse(PAY_FINANCE_PAYOUTS, "", rows[i][0], "", &query,
                           NULL), PAY_OK, "%s", rows[i][0]);
        cr_expect_eq(query.seller_len, strlen(rows[i][1]));
        cr_expect_eq(memcmp(query.seller, rows[i][1], query.seller_len), 0);
    }

    cr_assert_eq(parse(PAY_FINANCE_PAYOUTS, "0b6f-7", "", "", &query, NULL),
                 PAY_OK);
    cr_expect(query.is_one && pay_str_is(query.payout_id, "0b6f-7"));
}


Test(pay_finance, what_is_refused_is_named)
{
    size_t               i;
    pay_err_t            err;
    pay_finance_query_t  query;

    static const struct {
        pay_finance_list_t   list;
        const char          *query;
        const char          *says;
    } rows[] = {
        { PAY_FINANCE_ROWS, "class=4", "class must" },
        { PAY_FINANCE_ROWS, "class=00", "class must" },
        { PAY_FINANCE_ROWS, "class=-1", "class must" },
        { PAY_FINANCE_ROWS, "class=", "class must" },
        { PAY_FINANCE_ROWS, "limit=0", "limit must" },
        { PAY_FINANCE_ROWS, "limit=101", "limit must" },
        { PAY_FINANCE_ROWS, "before=0", "before must" },
        { PAY_FINANCE_ROWS, "before=1234567890123456", "before must" },
        { PAY_FINANCE_ROWS, "currency=eur", "currency must" },
        { PAY_FINANCE_ROWS, "psp=a%20b", "psp must" },
        { PAY_FINANCE_ROWS, "psp=", "psp must" },
        { PAY_FINANCE_ROWS, "state=open", "state must" },
        { PAY_FINANCE_FILES, "state=matched", "state must" },
        { PAY_FINANCE_EXCEPTIONS, "state=", "state must" },
        { PAY_FINANCE_ROWS, "day=2026-02-30", "day must" },
        { PAY_FINANCE_ROWS, "day=0000-01-01", "day must" },
        { PAY_FINANCE_ROWS, "day=1969-12-31", "day must" },
        { PAY_FINANCE_ROWS, "day=2026-1-1", "day must" },
        { PAY_FINANCE_ROWS, "day=2026-11-21T", "day must" },
        { PAY_FINANCE_ROWS, "file_id=x", "file_id must" },
        { PAY_FINANCE_FILES, "source=a/b", "source must" },
        { PAY_FINANCE_FILES, "format=xls", "format must" },
        { PAY_FINANCE_ROWS, "source=a", "list has not" },
        { PAY_FINANCE_FILES, "class=1", "list has not" },
        { PAY_FINANCE_CLOSES, "day=2026-11-21", "list has not" },
        { PAY_FINANCE_AGEING, "limit=5", "list has not" },
        { PAY_FINANCE_AGEING, "class=2", "list has not" },
        { PAY_FINANCE_BALANCES, "limit=5", "list has not" },
        { PAY_FINANCE_BALANCES, "day=2026-11-21", "list has not" },
        { PAY_FINANCE_ROWS, "limit=1&limit=1", "twice" },
        { PAY_FINANCE_PAYOUTS, "state=open", "state must" },
        { PAY_FINANCE_PAYOUTS, "psp=x", "list has not" },
        { PAY_FINANCE_PAYOUTS, "provider=", "provider must" },
        { PAY_FINANCE_PAYOUTS, "seller_account=", "seller_account must" },
        { PAY_FINANCE_PAYOUTS, "seller_account=a%2", "seller_account must" },
        { PAY_FINANCE_PAYOUTS, "seller_account=a%", "seller_account must" },
        { PAY_FINANCE_PAYOUTS, "seller_account=%g0", "seller_account must" },
        { PAY_FINANCE_PAYOUTS, "seller_account=a%00", "seller_account must" },
        { PAY_FINANCE_PAYOUTS, "seller_account=a%20b", "seller_account must" },
        { PAY_FINANCE_PAYOUTS, "seller_account=" LONG "x",
          "seller_account must" },
        { PAY_FINANCE_FILES, "seller_account=a", "list has not" },
        { PAY_FINANCE_ROWS, "&", "list has not" },
        { PAY_FINANCE_ROWS, "limit=1&", "list has not" },
        { PAY_FINANCE_ROWS, "limit", "list has not" },
        { PAY_FINANCE_ROWS, "format=csv&limit=5", "no pages" },
        { PAY_FINANCE_ROWS, "before=5&format=csv", "no pages" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(parse(rows[i].list, "", rows[i].query, "", &query, &err),
                     PAY_INVALID, "%s", rows[i].query);
        cr_expect_str_eq(err.slug, "validation-error");
        cr_expect_not_null(strstr(err.detail, rows[i].says), "%s: %s",
                           rows[i].query, err.detail);
    }
}


Test(pay_finance, one_item_is_named_by_its_number_or_its_day)
{
    pay_err_t            err;
    pay_finance_query_t  query;

    cr_assert_eq(parse(PAY_FINANCE_FILES, "12", "", "", &query, NULL), PAY_OK);
    cr_expect(query.is_one && query.id.is_set && query.id.number == 12);
    cr_assert_eq(parse(PAY_FINANCE_CLOSES, "2026-11-21", "format=csv", "",
                       &query, NULL), PAY_OK);
    cr_expect(query.is_one && query.is_csv);
    cr_expect(pay_str_is(query.day, "2026-11-21"));
    cr_expect_eq(parse(PAY_FINANCE_FILES, "x", "", "", &query, &err),
                 PAY_NOT_FOUND);
    cr_expect_eq(parse(PAY_FINANCE_FILES, "0", "", "", &query, &err),
                 PAY_NOT_FOUND);
    cr_expect_eq(parse(PAY_FINANCE_CLOSES, "12", "", "", &query, &err),
                 PAY_NOT_FOUND);
    cr_expect_eq(parse(PAY_FINANCE_FILES, "12", "psp=a", "", &query, &err),
                 PAY_INVALID);
}


Test(pay_finance, the_form_is_that_of_the_query_or_of_accept)
{
    size_t               i;
    pay_finance_query_t  query;

    static const struct {
        const char  *query;
        const char  *accept;
        int          is_csv;
    } rows[] = {
        { "", "text/csv", 1 }, { "", "text/csv;q=0.9, */*;q=0.1", 1 },
        { "", "application/json, text/csv;q=0.5", 0 },
        { "", "text/csv, application/problem+json", 0 }, { "", "*/*", 0 },
        { "", "text/cs", 0 }, { "format=csv", "application/json", 1 },
        { "format=json", "text/csv", 0 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(parse(PAY_FINANCE_FILES, "", rows[i].query,
                           rows[i].accept, &query, NULL), PAY_OK);
        cr_expect_eq(query.is_csv, rows[i].is_csv, "%s", rows[i].accept);
    }
}


/* The CSV of one page, without its head. */
static pay_status_t
lines_of(pay_heap_t *heap, pay_finance_list_t list, int is_one,
    const char *page, pay_str_t *csv, pay_int_t *next)
{
    size_t               rows = 0;
    pay_buf_t            buf;
    pay_finance_query_t  query = { .list = list, .is_one = is_one };

    pay_buf_init(&buf, pay_heap_arena(heap), 65536);
    PAY_TRY(pay_finance_csv_rows(pay_heap_arena(heap), &query,
                                 pay_str_of(page), &buf, &rows, next));

    return pay_buf_done(&buf, csv);
}


/* https://owasp.org/www-community/attacks/CSV_Injection */
Test(pay_finance, no_text_is_a_formula_and_amounts_are_numbers)
{
    size_t       i;
    pay_int_t    next;
    pay_str_t    csv;
    pay_heap_t  *heap = pay_heap_create();

    static const struct {
        const char  *page;
        const char  *line;
    } rows[] = {
        { "{\"rows\":[" ROW("\"=1+1\"", "\"-0.30\"") "],\"next\":null}",
          LINE("\"'=1+1\"", "-0.30") },
        { "{\"rows\":[" ROW("\"+1\"", "\"1000000.05\"") "],\"next\":null}",
          LINE("\"'+1\"", "1000000.05") },
        { "{\"rows\":[" ROW("\"-1\"", "\"5\"") "],\"next\":null}",
          LINE("\"'-1\"", "5") },
        { "{\"rows\":[" ROW("\"@SUM(A1)\"", "\"5\"") "],\"next\":null}",
          LINE("\"'@SUM(A1)\"", "5") },
        { "{\"rows\":[" ROW("\"\\t=1\"", "\"5\"") "],\"next\":null}",
          LINE("\"'\t=1\"", "5") },
        { "{\"rows\":[" ROW("\"\\r=1\"", "\"5\"") "],\"next\":null}",
          LINE("\"'\r=1\"", "5") },
        { "{\"rows\":[" ROW("\"\\n=1\"", "\"5\"") "],\"next\":null}",
          LINE("\"'\n=1\"", "5") },
        { "{\"rows\":[" ROW("\"  =1\"", "\"5\"") "],\"next\":null}",
          LINE("\"'  =1\"", "5") },
        { "{\"rows\":[" ROW("\"\\uff1d1\"", "\"5\"") "],\"next\":null}",
          LINE("\"'\xEF\xBC\x9D" "1\"", "5") },
        /* quotes, and a cell that would begin behind one */
        { "{\"rows\":[" ROW("\"a\\\",\\\"=1\"", "\"5\"") "],\"next\":null}",
          LINE("\"a\"\",\"\"=1\"", "5") },
        { "{\"rows\":[" ROW("\"\\\"\\\"\"", "\"5\"") "],\"next\":null}",
          LINE("\"\"\"\"\"\"", "5") },
        /* an amount that is none is a text */
        { "{\"rows\":[" ROW("\"a=b\"", "\"-1+1\"") "],\"next\":null}",
          LINE("\"a=b\"", "\"'-1+1\"") },
        { "{\"rows\":[" ROW("\"\"", "\"-\"") "],\"next\":null}",
          LINE("\"\"", "\"'-\"") },
        { "{\"rows\":[" ROW("\"a\"", "\"1.\"") "],\"next\":null}",
          LINE("\"a\"", "\"1.\"") },
        { "{\"rows\":[],\"next\":null}", "" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(lines_of(heap, PAY_FINANCE_ROWS, 0, rows[i].page, &csv,
                              &next), PAY_OK);
        cr_expect(pay_str_is(csv, rows[i].line), "%s\n%.*s", rows[i].line,
                  (int) csv.len, (const char *) csv.data);
        cr_expect(!next.is_set);
    }

    pay_heap_destroy(heap);
}


Test(pay_finance, an_answer_of_another_form_is_a_bug)
{
    size_t       i;
    pay_int_t    next;
    pay_str_t    csv;
    pay_heap_t  *heap = pay_heap_create();

    static const char *const  pages[] = {
        "", "x", "[]", "{}", "{\"rows\":{}}", "{\"rows\":[1]}",
        "{\"rows\":[{}]}", "{\"files\":[]}"
    };

    for (i = 0; i < COUNT(pages); i++) {
        cr_expect_eq(lines_of(heap, PAY_FINANCE_ROWS, 0, pages[i], &csv,
                              &next), PAY_BUG, "%s", pages[i]);
    }

    pay_heap_destroy(heap);
}


Test(pay_finance, the_close_of_a_day_is_its_lines)
{
    pay_int_t    next;
    pay_str_t    csv;
    pay_heap_t  *heap = pay_heap_create();

    cr_assert_eq(lines_of(heap, PAY_FINANCE_CLOSES, 1,
        "{\"number\":1,\"lines\":[{\"psp\":\"stripe\",\"currency\":\"EUR\","
        "\"item\":\"balance/suspense\",\"count\":null,\"amount\":\"-6.93\"}]}",
        &csv, &next), PAY_OK);
    cr_expect(pay_str_is(csv, "\"stripe\",\"EUR\",\"balance/suspense\",,"
                              "-6.93\r\n"));
    pay_heap_destroy(heap);
}


static void
finance_begin(world_t *world, pay_finance_list_t list, const char *query)
{
    pay_finance_query_t  parsed;

    cr_assert_eq(parse(list, "", query, "", &parsed, NULL), PAY_OK);
    world_made(world, pay_flow_finance(&world->flow, PAY_STR("acme"),
                                       &parsed));
    world_start(world);
}


static void
finance_open(world_t *world, pay_finance_list_t list, const char *query)
{
    world_open(world);
    finance_begin(world, list, query);
}


Test(pay_flow_finance, a_page_is_what_sql_says)
{
    world_t             world;
    const pay_reply_t  *reply;

    finance_open(&world, PAY_FINANCE_EXCEPTIONS, "class=2&before=9");
    expect_db(&world, PAY_OP_LIST_SETTLEMENT_EXCEPTIONS);
    expect_arg(&world, list_settlement_exceptions, merchant_id, "acme");
    cr_expect_eq(asked(&world, list_settlement_exceptions)->class.number, 2);
    cr_expect_eq(asked(&world, list_settlement_exceptions)->before.number, 9);
    cr_expect_eq(asked(&world, list_settlement_exceptions)->limit, 50);
    cr_expect(!asked(&world, list_settlement_exceptions)->exception_id.is_set);
    world_result(&world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR("{\"exceptions\":[],\"next\":null}") });
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect(pay_str_is(reply->body, "{\"exceptions\":[],\"next\":null}"));
    world_close(&world);
}


/* An export that ends with its first page would lack rows. */
Test(pay_flow_finance, an_export_goes_on_until_nothing_is_left)
{
    world_t             world;
    const pay_reply_t  *reply;

    finance_open(&world, PAY_FINANCE_ROWS, "psp=stripe&format=csv");
    expect_arg(&world, list_settlement_rows, psp, "stripe");
    cr_expect_eq(asked(&world, list_settlement_rows)->limit, PAY_EXPORT_PAGE);
    world_result(&world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR("{\"rows\":[" ROW("\"a\"", "\"1.00\"")
                             "],\"next\":7}") });
    expect_db(&world, PAY_OP_LIST_SETTLEMENT_ROWS);
    expect_arg(&world, list_settlement_rows, psp, "stripe");
    cr_expect_eq(asked(&world, list_settlement_rows)->before.number, 7);
    world_result(&world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR("{\"rows\":[],\"next\":5}") });
    cr_expect_eq(asked(&world, list_settlement_rows)->before.number, 5);
    world_result(&world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR("{\"rows\":[" ROW("\"b\"", "\"-2.00\"")
                             "],\"next\":null}") });
    reply = expect_reply(&world, PAY_REPLY_CSV, 200);
    cr_expect(pay_str_is(reply->body, HEAD LINE("\"a\"", "1.00")
                         LINE("\"b\"", "-2.00")));
    world_close(&world);
}


Test(pay_flow_finance, an_export_without_an_end_is_refused)
{
    unsigned  i;
    world_t   world;

    finance_open(&world, PAY_FINANCE_ROWS, "psp=stripe&format=csv");

    for (i = 0; i < PAY_EXPORT_PAGES_MAX; i++) {
        expect_db(&world, PAY_OP_LIST_SETTLEMENT_ROWS);
        world_result(&world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                         PAY_STR("{\"rows\":[],\"next\":7}") });
    }

    (void) expect_reply(&world, PAY_REPLY_PROBLEM, 422);
    world_close(&world);
}


Test(pay_flow_finance, what_there_is_not_is_404_and_no_database_is_503)
{
    world_t  world;

    finance_open(&world, PAY_FINANCE_FILES, "");
    world_result(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    (void) expect_reply(&world, PAY_REPLY_PROBLEM, 404);
    world_close(&world);

    finance_open(&world, PAY_FINANCE_CLOSES, "format=csv");
    expect_db(&world, PAY_OP_LIST_CLOSES);
    world_db_failed(&world, PAY_DB_UNAVAILABLE);
    (void) expect_reply(&world, PAY_REPLY_PROBLEM, 503);
    world_close(&world);
}


static void
play_export(world_t *world)
{
    finance_begin(world, PAY_FINANCE_ROWS, "format=csv");
    world_result(world, PAY_OUTCOME_FOUND, &(pay_page_row_t) {
                     PAY_STR("{\"rows\":[" ROW("\"a\"", "\"1.00\"")
                             "],\"next\":null}") });
}


Test(pay_flow_finance, failing_memory_ends_an_export_as_a_500)
{
    cr_expect_geq(world_torture(play_export), 4);
}


Test(pay_finance, the_body_of_an_act_has_a_reason)
{
    size_t              i;
    pay_err_t           err;
    pay_heap_t         *heap = pay_heap_create();
    pay_finance_act_t   act;

    static const struct {
        pay_finance_act_kind_t   kind;
        const char              *body;
        const char              *pointer;
    } rows[] = {
        { PAY_ACT_ACCEPT, "{}", "/why" },
        { PAY_ACT_ACCEPT, "{\"why\":\"\"}", "/why" },
        { PAY_ACT_ACCEPT, "{\"why\":\"  \"}", "/why" },
        { PAY_ACT_ACCEPT, "{\"why\":\"a\\nb\"}", "/why" },
        { PAY_ACT_ACCEPT, "{\"why\":7}", "/why" },
        { PAY_ACT_ACCEPT, "{\"why\":\"a\",\"as\":\"Psp-Fee\"}", "/as" },
        { PAY_ACT_ACCEPT, "{\"why\":\"a\",\"as\":\"\"}", "/as" },
        { PAY_ACT_ACCEPT, "{\"why\":\"a\",\"with\":7}", "/with" },
        { PAY_ACT_RESOLVE, "{\"why\":\"a\",\"with\":0}", "/with" },
        { PAY_ACT_RESOLVE, "{\"why\":\"a\",\"with\":\"7\"}", "/with" },
        { PAY_ACT_RESOLVE, "{\"why\":\"a\",\"as\":\"a\"}", "/as" },
        { PAY_ACT_WRITE_OFF, "{\"why\":\"a\",\"who\":\"b\"}", "/who" },
        { PAY_ACT_WRITE_OFF, "[]", "" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(pay_finance_act_parse(pay_heap_arena(heap), rows[i].kind,
                                           pay_str_of(rows[i].body), &act,
                                           &err), PAY_INVALID, "%s",
                     rows[i].body);
        cr_expect_str_eq(err.slug, "validation-error");
        cr_expect_str_eq(err.pointer, rows[i].pointer, "%s", rows[i].body);
    }

    cr_assert_eq(pay_finance_act_parse(pay_heap_arena(heap), PAY_ACT_RESOLVE,
                     PAY_STR("{\"why\":\"it came back\",\"with\":7}"), &act,
                     &err), PAY_OK);
    cr_expect(pay_str_is(act.why, "it came back"));
    cr_expect(act.with.is_set && act.with.number == 7);
    pay_heap_destroy(heap);
}


static void
act_begin(world_t *world, const char *id, const char *subject,
    const char *body)
{
    pay_finance_act_input_t  in = {
        .kind = PAY_ACT_ACCEPT, .merchant_id = PAY_STR("acme"),
        .id = pay_str_of(id), .subject = pay_str_of(subject),
        .body = pay_str_of(body)
    };

    world_made(world, pay_flow_finance_act(&world->flow, &in));
    world_start(world);
}


#define WHY  "{\"why\":\"looked\",\"as\":\"psp_fee\"}"


Test(pay_flow_finance, an_act_is_done_or_waits_for_a_second_person)
{
    size_t              i;
    world_t             world;
    const pay_reply_t  *reply;

    static const struct {
        pay_outcome_t  outcome;
        unsigned       status;
    } rows[] = {
        { PAY_OUTCOME_DONE, 200 }, { PAY_OUTCOME_ASKED, 202 },
        { PAY_OUTCOME_ALREADY, 409 }, { PAY_OUTCOME_EXCEEDS, 409 },
        { PAY_OUTCOME_REFUSED, 409 }, { PAY_OUTCOME_HELD, 409 },
        { PAY_OUTCOME_NOT_FOUND, 404 }, { PAY_OUTCOME_INVALID, 422 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        world_open(&world);
        act_begin(&world, "7", "ann", WHY);
        expect_db(&world, PAY_OP_ACT_ON_EXCEPTION);
        expect_arg(&world, act_on_exception, merchant_id, "acme");
        expect_arg(&world, act_on_exception, act, "accept");
        expect_arg(&world, act_on_exception, who, "ann");
        expect_arg(&world, act_on_exception, why, "looked");
        expect_arg(&world, act_on_exception, as_kind, "psp_fee");
        cr_expect_eq(asked(&world, act_on_exception)->exception_id, 7);
        cr_expect(!asked(&world, act_on_exception)->with_id.is_set);
        world_result(&world, rows[i].outcome, rows[i].status > 202 ? NULL
                     : &(pay_page_row_t) { PAY_STR("{}") });
        reply = expect_reply(&world, rows[i].status > 202
                             ? PAY_REPLY_PROBLEM : PAY_REPLY_JSON,
                             rows[i].status);
        cr_expect_eq(reply->body.len, rows[i].status > 202 ? 0 : 2);
        world_close(&world);
    }
}


/* The subjects distinguish two persons: no subject, no act. */
Test(pay_flow_finance, an_act_needs_a_subject_a_reason_and_a_number)
{
    world_t  world;

    world_open(&world);
    act_begin(&world, "7", "", WHY);
    (void) expect_problem(&world, "validation-error", 422);
    world_close(&world);

    world_open(&world);
    act_begin(&world, "7", "ann", "{}");
    (void) expect_problem(&world, "validation-error", 422);
    world_close(&world);

    world_open(&world);
    act_begin(&world, "x", "ann", WHY);
    (void) expect_problem(&world, "not-found", 404);
    world_close(&world);
}


static void
play_act(world_t *world)
{
    act_begin(world, "7", "ann", WHY);
    world_result(world, PAY_OUTCOME_DONE, &(pay_page_row_t) {
                     PAY_STR("{}") });
}


Test(pay_flow_finance, failing_memory_ends_an_act_as_a_500)
{
    cr_expect_geq(world_torture(play_act), 4);
}

/*
 * The query of a list of checkouts: what it may say, and what it may not.
 */

#include "torture.h"

#include "pay_page.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* 2026-11-21T08:15:00.123456Zc1 */
#define CURSOR  "323032362d31312d32315430383a31353a30302e3132333435365a"      \
                "6331"


Test(pay_page, an_empty_query_is_the_first_page)
{
    pay_page_t  page;

    cr_assert_eq(pay_page_parse(PAY_STR(""), &page, NULL), PAY_OK);
    cr_expect_null(page.status);
    cr_expect_eq(page.limit, PAY_PAGE_LIMIT);
    cr_expect(!page.has_after && !page.has_cursor);
}


Test(pay_page, each_parameter_is_taken_in_any_order)
{
    pay_page_t  page;

    cr_assert_eq(pay_page_parse(PAY_STR(
        "limit=100&cursor=" CURSOR "&status=SUCCESS"
        "&created_after=1970-01-01T00%3A00%3a01Z"), &page, NULL), PAY_OK);
    cr_expect_str_eq(page.status, "SUCCESS");
    cr_expect_eq(page.limit, 100);
    cr_expect(page.has_after && page.has_cursor);
    cr_expect_eq(page.after_us, 1000000);
    cr_expect_eq(page.before_us % 1000000, 123456);
    cr_expect_eq(page.before_len, 2);
    cr_expect_arr_eq(page.before_id, "c1", 2);
}


Test(pay_page, a_time_has_seconds_milliseconds_or_microseconds)
{
    size_t      i;
    pay_page_t  page;

    static const struct {
        const char  *query;
        int64_t      us;
    } rows[] = {
        { "created_after=1970-01-01T00:00:01Z", 1000000 },
        { "created_after=1970-01-01T00:00:01.002Z", 1002000 },
        { "created_after=1970-01-01T00:00:01.000003Z", 1000003 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(pay_page_parse(pay_str_of(rows[i].query), &page, NULL),
                     PAY_OK, "%s", rows[i].query);
        cr_expect_eq(page.after_us, rows[i].us);
    }
}


Test(pay_page, what_is_refused_is_named)
{
    size_t      i;
    pay_err_t   err;
    pay_page_t  page;

    static const struct {
        const char  *query;
        const char  *name;
    } rows[] = {
        { "limit=0", "limit must" }, { "limit=101", "limit must" },
        { "limit=-1", "limit must" }, { "limit=%31", "limit must" },
        { "limit=18446744073709551617", "limit must" },
        { "status=", "status must" }, { "status=success", "status must" },
        { "created_after=", "created_after must" },
        { "created_after=1970-01-01T00:00:01", "created_after must" },
        { "created_after=1970-01-01T00:00:01.1Z", "created_after must" },
        { "created_after=1970-02-30T00:00:01Z", "created_after must" },
        { "created_after=1970-01-01T00%3", "created_after must" },
        { "created_after=1970-01-01T00:00:01.0000030Z", "created_after must" },
        { "cursor=", "cursor must" }, { "cursor=0", "cursor must" },
        { "cursor=" CURSOR "2f", "cursor must" },
        { "cursor=" CURSOR "6", "cursor must" },
        { "cursor=7" CURSOR "7", "cursor must" },
        { "limit=1&limit=1", "each once" }, { "&", "each once" },
        { "limit=1&", "each once" }, { "limit", "each once" },
        { "Limit=1", "each once" }, { "page=1", "each once" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(pay_page_parse(pay_str_of(rows[i].query), &page, &err),
                     PAY_INVALID, "%s", rows[i].query);
        cr_expect_str_eq(err.slug, "validation-error");
        cr_expect_not_null(strstr(err.detail, rows[i].name), "%s: %s",
                           rows[i].query, err.detail);
    }
}


Test(pay_page, no_id_of_a_cursor_overflows)
{
    char        query[1024] = "cursor=" CURSOR;
    pay_page_t  page;

    while (strlen(query) < 900) {
        memcpy(query + strlen(query), "61", 3);
    }

    cr_expect_eq(pay_page_parse(pay_str_of(query), &page, NULL), PAY_INVALID);
}

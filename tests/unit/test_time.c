/*
 * The calendar against libc's, and digits that are no digits.
 */

#include <stdio.h>
#include <time.h>

#include "torture.h"
#include "pay_time.h"


ARENA_SUITE(pay_time);


static void
assert_time(int64_t unix_s, const char *expected)
{
    pay_str_t  text;

    cr_assert_eq(pay_time_format(arena, unix_s, &text), PAY_OK);
    cr_assert(pay_str_is(text, expected), "%.*s is not %s", pay_fmt(text),
              expected);
}


Test(pay_time, formats_the_days_that_calendars_get_wrong)
{
    assert_time(0, "1970-01-01T00:00:00Z");
    assert_time(-1, "1969-12-31T23:59:59Z");
    assert_time(951782399, "2000-02-28T23:59:59Z");
    assert_time(951782400, "2000-02-29T00:00:00Z");
    assert_time(951868800, "2000-03-01T00:00:00Z");
    assert_time(1709164800, "2024-02-29T00:00:00Z");
    assert_time(4107542399, "2100-02-28T23:59:59Z");
    assert_time(4107542400, "2100-03-01T00:00:00Z");
    assert_time(2147483648, "2038-01-19T03:14:08Z");
    assert_time(1795248900, "2026-11-21T08:15:00Z");
    assert_time(INT64_C(-62167219200), "0000-01-01T00:00:00Z");
    assert_time(INT64_C(-62162035201), "0000-02-29T23:59:59Z");
    assert_time(INT64_C(-62162035200), "0000-03-01T00:00:00Z");
    assert_time(INT64_C(253402300799), "9999-12-31T23:59:59Z");
}


Test(pay_time, agrees_with_libc_on_every_year_and_month)
{
    char        expected[64];
    int64_t     at;
    struct tm   tm;

    for (at = INT64_C(-62167219200); at < INT64_C(253402300799);
         at += 2629743 + 86399)
    {
        time_t  t = (time_t) at;

        cr_assert_not_null(gmtime_r(&t, &tm));
        snprintf(expected, sizeof(expected),
                 "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_time(at, expected);
    }
}


Test(pay_time, refuses_years_that_rfc_3339_cannot_write)
{
    size_t     i;
    pay_str_t  text = { 77, NULL };

    static const int64_t  bad[] = {
        INT64_C(-62167219201), INT64_C(253402300800), INT64_MIN, INT64_MAX
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(pay_time_format(arena, bad[i], &text), PAY_INVALID);
    }

    cr_assert_eq(text.len, 77);
}


Test(pay_time, digits_parse_reads_up_to_15)
{
    int64_t  value;

    cr_assert_eq(pay_digits_parse(PAY_STR("0"), &value), PAY_OK);
    cr_assert_eq(value, 0);
    cr_assert_eq(pay_digits_parse(PAY_STR("007"), &value), PAY_OK);
    cr_assert_eq(value, 7);
    cr_assert_eq(pay_digits_parse(PAY_STR("999999999999999"), &value), PAY_OK);
    cr_assert_eq(value, INT64_C(999999999999999));
}


/* a X65 timestamp goes through here */
Test(pay_time, digits_parse_refuses_everything_else)
{
    size_t   i;
    int64_t  value = 77;

    static const char *const  bad[] = {
        "", " ", "-1", "+1", " 1", "1 ", "1\n", "1e9", "1.0", "0x10", "1,0",
        "1_0", "a", "1a", "1234567890123456", "0000000000000000",
        "99999999999999999999", "\xd9\xa1", "\xef\xbc\x91", "--1", "1-", "/",
        ":", "NaN"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(pay_digits_parse(pay_str_of(bad[i]), &value), PAY_INVALID,
                     "%s", bad[i]);
    }

    cr_assert_eq(pay_digits_parse(PAY_STR("1\0"), &value), PAY_INVALID);
    cr_assert_eq(value, 77);
}


static pay_status_t
run(pay_arena_t *a, void *result)
{
    return pay_time_format(a, 1, result);
}


Test(pay_time, survives_each_failing_allocation)
{
    cr_assert_eq(torture(run, sizeof(pay_str_t)), 1);
}


static int64_t
parsed(const char *text)
{
    int64_t  us = -1;

    cr_assert_eq(pay_time_parse(pay_str_of(text), &us), PAY_OK, "%s", text);

    return us;
}


Test(pay_time, parses_microseconds_of_all_centuries)
{
    cr_expect_eq(parsed("1970-01-01T00:00:00.000000Z"), 0);
    cr_expect_eq(parsed("1969-12-31T23:59:59.999999Z"), -1);
    cr_expect_eq(parsed("2026-11-21T08:15:00.123456Z"),
                 INT64_C(1795248900123456));
    cr_expect_eq(parsed("2000-02-29T00:00:00.000000Z"),
                 INT64_C(951782400000000));
    cr_expect_eq(parsed("0000-01-01T00:00:00.000000Z"),
                 INT64_C(-62167219200000000));
    cr_expect_eq(parsed("9999-12-31T23:59:59.999999Z"),
                 INT64_C(253402300799999999));
}


/* What is written and read again is the same day, each day of 400 years. */
Test(pay_time, parses_what_it_formats)
{
    char         text[32];
    int64_t      day, us;
    pay_str_t    out;

    for (day = -25567; day < 146097 - 25567; day++) {
        cr_assert_eq(pay_time_format(test_arena(), day * 86400, &out),
                     PAY_OK);
        snprintf(text, sizeof(text), "%.*s.000000Z", (int) out.len - 1,
                 (const char *) out.data);
        cr_assert_eq(pay_time_parse(pay_str_of(text), &us), PAY_OK, "%s",
                     text);
        cr_assert_eq(us, day * INT64_C(86400000000));
    }
}


Test(pay_time, parses_no_other_spelling_and_no_day_that_there_is_not)
{
    size_t   i;
    int64_t  us = 7;

    static const char *const  texts[] = {
        "", "2026-11-21", "2026-11-21T08:15:00Z",
        "2026-11-21T08:15:00.12345Z", "2026-11-21T08:15:00.1234567Z",
        "2026-11-21 08:15:00.123456Z", "2026-11-21T08:15:00.123456z",
        "2026-11-21T08:15:00,123456Z", "2026-11-21T08:15:00.123456+",
        "2026-1 -21T08:15:00.123456Z", "-026-11-21T08:15:00.123456Z",
        "2026-00-21T08:15:00.123456Z", "2026-13-21T08:15:00.123456Z",
        "2026-11-00T08:15:00.123456Z", "2026-11-31T08:15:00.123456Z",
        "2025-02-29T08:15:00.123456Z", "1900-02-29T08:15:00.123456Z",
        "2026-11-21T24:15:00.123456Z", "2026-11-21T08:60:00.123456Z",
        "2026-11-21T08:15:60.123456Z"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_eq(pay_time_parse(pay_str_of(texts[i]), &us), PAY_INVALID,
                     "%s", texts[i]);
    }

    cr_expect_eq(us, 7);
}

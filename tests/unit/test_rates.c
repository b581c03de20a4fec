/*
 * Documents of rates: read digit by digit, or refused as a whole.
 */

#include <stdio.h>
#include <string.h>

#include "torture.h"
#include "pay_rates.h"


ARENA_SUITE(pay_rates);


static void
assert_read(const char *document, const char *want)
{
    pay_str_t  rates = PAY_STR("");
    pay_err_t  err = { .slug = NULL };

    cr_assert_eq(pay_rates_parse(arena, pay_str_of(document), PAY_STR("EUR"),
                                 &rates, &err), PAY_OK, "%s: %s", document,
                 err.slug);
    cr_assert(pay_str_is(rates, want), "%s: %.*s", document, pay_fmt(rates));
}


static void
assert_refused(pay_str_t document, const char *slug)
{
    pay_str_t  rates = PAY_STR("untouched");
    pay_err_t  err = { .slug = NULL };

    cr_assert_eq(pay_rates_parse(arena, document, PAY_STR("EUR"), &rates,
                                 &err), PAY_INVALID, "%.*s",
                 pay_fmt(document));
    cr_assert_str_eq(err.slug, slug, "%.*s", pay_fmt(document));
    cr_assert(pay_str_is(rates, "untouched"));
}


/* one rate of USD, as it is written */
static pay_str_t
usd(const char *rate)
{
    pay_str_t  document;

    cr_assert_eq(pay_format(arena, &document, 70000,
                            "{\"base\":\"EUR\",\"rates\":{\"USD\":%s}}", rate),
                 PAY_OK);

    return document;
}


Test(pay_rates, reads_numbers_and_strings)
{
    assert_read("{\"base\":\"EUR\",\"rates\":{\"USD\":\"1.0843\","
                "\"JPY\":163.9}}", "{\"USD\":\"1.0843\",\"JPY\":\"163.9\"}");
}


Test(pay_rates, ignores_what_is_not_asked_for)
{
    assert_read("{\"ok\":true,\"n\":-1e9,\"base\":\"EUR\",\"at\":[1,{\"a\":2}]"
                ",\"rates\":{\"BTC\":-1,\"usd\":0,\"XAU\":\"x\",\"EUR\":1.0,"
                "\"USD\":1.1,\"BGN\":1.95583,\"\":null}}", "{\"USD\":\"1.1\"}");
}


/* 0.1 and 1.1 have no double; 12 digits of a double would be rounded */
Test(pay_rates, keeps_every_digit)
{
    size_t             i;
    pay_str_t          rates, want;
    static const char *const  same[] = {
        "0.1", "1.1", "1.00000000001", "0.999999999999", "999999999999",
        "0.000000000001", "0.00000000000123456789012", "123456.789012", "1",
        "100000000000", "10", "0.00000000000999999999999"
    };

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        cr_assert_eq(pay_rates_parse(arena, usd(same[i]), PAY_STR("EUR"),
                                     &rates, NULL), PAY_OK, "%s", same[i]);
        cr_assert_eq(pay_format(arena, &want, 100, "{\"USD\":\"%s\"}",
                                same[i]), PAY_OK);
        cr_assert(pay_str_eq(rates, want), "%.*s", pay_fmt(rates));
    }
}


Test(pay_rates, writes_each_spelling_as_a_plain_number)
{
    size_t             i;
    pay_str_t          rates, want;
    static const char *const  pairs[][2] = {
        { "1.50", "1.5" }, { "1.0", "1" }, { "1e0", "1" }, { "1E2", "100" },
        { "2.38e-05", "0.0000238" }, { "\"2.38E-5\"", "0.0000238" },
        { "1.5e+3", "1500" }, { "0.0015e3", "1.5" }, { "15e-1", "1.5" },
        { "1e-12", "0.000000000001" }, { "0.1e-11", "0.000000000001" },
        { "1000e-15", "0.000000000001" }, { "1e11", "100000000000" },
        { "1.0000000000000000000000000000", "1" },
        { "1e-000", "1" }, { "12300", "12300" }, { "0.10e1", "1" }
    };

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        cr_assert_eq(pay_rates_parse(arena, usd(pairs[i][0]), PAY_STR("EUR"),
                                     &rates, NULL), PAY_OK, "%s",
                     pairs[i][0]);
        cr_assert_eq(pay_format(arena, &want, 100, "{\"USD\":\"%s\"}",
                                pairs[i][1]), PAY_OK);
        cr_assert(pay_str_eq(rates, want), "%s: %.*s", pairs[i][0],
                  pay_fmt(rates));
    }
}


Test(pay_rates, refuses_what_is_no_rate)
{
    size_t             i;
    static const char *const  bad[] = {
        "0", "0.0", "-1", "-0", "\"-1\"", "\"+1\"", "\"\"", "\" 1\"",
        "\"1 \"", "\"1,5\"", "\"01\"", "\"1.\"", "\".5\"", "\"1e\"",
        "\"1e+\"", "\"1e1.5\"", "\"1e1e1\"", "\"0x10\"", "\"NaN\"",
        "\"nan\"", "\"Infinity\"", "\"inf\"", "\"1e400\"", "\"1e-400\"",
        "\"1e9999999999\"", "\"1_0\"", "\"1.2.3\"", "null", "true", "false",
        "[1]", "{\"a\":1}", "1.0000000000001", "1234567890123",
        "1000000000000", "1e12", "0.0000000000009", "1e-13",
        "0.1234567890123", "\"1\\u0030\\u0020\"", "\"\\u0661\"", "\"1e 2\""
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(usd(bad[i]), "rate-invalid");
    }
}


Test(pay_rates, refuses_what_is_no_json)
{
    size_t             i;
    static const char *const  bad[] = {
        "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "01", "1.", ".5",
        "+1", "0x10", "1e", "1 2", "1\"2\"", "'1'", "1,", "--1", "1e5e5",
        "99999999999999999999", "\"1", "\"\\x31\"", "\"\\u0000\""
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(usd(bad[i]), "invalid-json");
    }

    assert_refused(PAY_STR(""), "invalid-json");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":{1:2}}"),
                   "invalid-json");
    assert_refused(PAY_STR("<html>"), "invalid-json");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":{\"USD\":1}} 2"),
                   "invalid-json");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":{\"USD\":1"),
                   "invalid-json");
}


/* which of two would it have meant? */
Test(pay_rates, refuses_duplicates)
{
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":{\"USD\":1,"
                           "\"USD\":2}}"), "duplicate-member");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":{\"USD\":1,"
                           "\"\\u0055SD\":1}}"), "duplicate-member");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"base\":\"EUR\",\"rates\":"
                           "{\"USD\":1}}"), "duplicate-member");
}


Test(pay_rates, refuses_another_base)
{
    assert_refused(PAY_STR("{\"base\":\"USD\",\"rates\":{\"JPY\":1}}"),
                   "base-differs");
    assert_refused(PAY_STR("{\"base\":\"eur\",\"rates\":{\"JPY\":1}}"),
                   "base-differs");
    assert_refused(PAY_STR("{\"base\":1,\"rates\":{\"JPY\":1}}"),
                   "base-differs");
    assert_refused(PAY_STR("{\"rates\":{\"JPY\":1}}"), "base-differs");
    assert_refused(PAY_STR("[\"EUR\"]"), "base-differs");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":{\"EUR\":1.1,"
                           "\"USD\":1}}"), "rate-invalid");
}


Test(pay_rates, refuses_a_document_without_rates)
{
    assert_refused(PAY_STR("{\"base\":\"EUR\"}"), "rates-missing");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":{}}"),
                   "rates-missing");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":[1]}"),
                   "rates-missing");
    assert_refused(PAY_STR("{\"base\":\"EUR\",\"rates\":{\"EUR\":1,"
                           "\"BTC\":2}}"), "rates-missing");
}


Test(pay_rates, refuses_too_much)
{
    pay_buf_t  buf;
    pay_str_t  text;
    unsigned   i;

    pay_buf_init(&buf, arena, 100000);

    for (i = 0; i <= PAY_RATES_DOCUMENT_MAX; i++) {
        pay_buf_text(&buf, " ");
    }

    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);
    assert_refused(text, "content-too-large");
}


/* all that quoting adds still fits */
Test(pay_rates, reads_a_full_document)
{
    unsigned   i;
    pay_buf_t  buf;
    pay_str_t  text, rates;

    pay_buf_init(&buf, arena, PAY_RATES_DOCUMENT_MAX);
    pay_buf_text(&buf, "{\"base\":\"EUR\",\"rates\":{\"USD\":1},\"x\":[[1");

    while (buf.len < PAY_RATES_DOCUMENT_MAX - 2000) {
        for (i = 0; i < 900; i++) {
            pay_buf_text(&buf, ",1");
        }

        pay_buf_text(&buf, "],[1");
    }

    pay_buf_text(&buf, "]]}");
    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);
    cr_assert_eq(pay_rates_parse(arena, text, PAY_STR("EUR"), &rates, NULL),
                 PAY_OK);
    cr_assert(pay_str_is(rates, "{\"USD\":\"1\"}"));
}


static pay_status_t
parse(pay_arena_t *from, void *result)
{
    return pay_rates_parse(from, PAY_STR("{\"base\":\"EUR\",\"rates\":"
                                         "{\"USD\":1.0843,\"JPY\":\"163\"}}"),
                           PAY_STR("EUR"), result, NULL);
}


Test(pay_rates, survives_each_failed_allocation)
{
    cr_assert_geq(torture(parse, sizeof(pay_str_t)), 2);
}

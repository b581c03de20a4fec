/*
 * Money: docs/security.md X45 and X47, T23 and T24, and the
 * property that parsing undoes formatting for every currency.
 */

#include <ctype.h>
#include <stdio.h>

#include "torture.h"
#include "pay_money.h"


typedef struct {
    const char  *currency;
    const char  *text;
    int64_t      minor;
} amount_t;


ARENA_SUITE(pay_money);


static const pay_currency_t *
currency_of(const char *code)
{
    const pay_currency_t  *currency = NULL;

    cr_assert_eq(pay_currency_find(pay_str_of(code), &currency, NULL), PAY_OK,
                 "%s", code);

    return currency;
}


static void
assert_amount_refused(const char *currency, pay_str_t text)
{
    int64_t    minor = 77;
    pay_err_t  err = { .slug = NULL };

    cr_assert_eq(pay_amount_parse(text, currency_of(currency), &minor, &err),
                 PAY_INVALID, "%s '%.*s'", currency, pay_fmt(text));
    cr_assert_str_eq(err.slug, "amount-invalid");
    cr_assert_not_null(err.detail);
    cr_assert_eq(minor, 77);
}


Test(pay_money, parses_each_precision)
{
    size_t   i;
    int64_t  minor;

    static const amount_t  good[] = {
        { "USD", "12.34", 1234 },
        { "USD", "0.01", 1 },
        { "USD", "0.10", 10 },
        { "USD", "1.00", 100 },
        { "USD", "19.99", 1999 },
        { "USD", "1.15", 115 },
        { "USD", "9999999999999.99", PAY_AMOUNT_MAX_MINOR },
        { "JPY", "1", 1 },
        { "JPY", "1200", 1200 },
        { "JPY", "999999999999999", PAY_AMOUNT_MAX_MINOR },
        { "KWD", "1.234", 1234 },
        { "KWD", "0.001", 1 },
        { "KWD", "999999999999.999", PAY_AMOUNT_MAX_MINOR },
        { "CLF", "0.0001", 1 },
        { "CLF", "1.0000", 10000 },
        { "CLF", "99999999999.9999", PAY_AMOUNT_MAX_MINOR }
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_assert_eq(pay_amount_parse(pay_str_of(good[i].text),
                                      currency_of(good[i].currency), &minor,
                                      NULL), PAY_OK, "%s", good[i].text);
        cr_assert_eq(minor, good[i].minor, "%s", good[i].text);
    }
}


/* X45 and T23 */
Test(pay_money, refuses_what_is_no_plain_decimal)
{
    size_t  i;

    static const char *const  bad[] = {
        "-1", "-1.00", "0", "0.00", "-0.00", "+1", "+1.00", "01", "01.00",
        "00.01", "000", ".5", ".50", "5.", "1e3", "1.00e1", "1E3", "0x10",
        "0b1", "0o7", " 1", " 1.00", "1.00 ", "1. 00", "1 .00", "1 000.00",
        "1,00", "1,000.00", "1'000.00", "1_000.00", "\xd9\xa1",
        "\xd9\xa1.\xd9\xa0\xd9\xa0", "\xef\xbc\x91.00", "1\xd9\xab" "00", "",
        ".", "-", "+", "1..0", "1.0.0", "1.00.", "NaN", "nan", "Infinity",
        "inf", "null", "true", "1.00\n", "\n1.00", "1.00\t", "$1.00",
        "1.00 USD", "USD1.00", "1/2", "1:00", "1.0a", "1.a0", "a1.00",
        "\"1.00\"", "1.00;", "1.00'", "(1.00)", "1.0-", "--1.00", "\xff"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_amount_refused("USD", pay_str_of(bad[i]));
    }
}


Test(pay_money, refuses_nul_bytes_and_the_empty_slice)
{
    assert_amount_refused("USD", (pay_str_t) { 0, NULL });
    assert_amount_refused("USD", PAY_STR("1.00\0"));
    assert_amount_refused("USD", PAY_STR("1\0.00"));
    assert_amount_refused("JPY", PAY_STR("\0"));
    assert_amount_refused("JPY", PAY_STR("1\0"));
}


Test(pay_money, reads_no_byte_behind_the_slice)
{
    int64_t    minor;
    pay_str_t  text = { 4, (const unsigned char *) "1.239" };

    cr_assert_eq(pay_amount_parse(text, currency_of("USD"), &minor, NULL),
                 PAY_OK);
    cr_assert_eq(minor, 123);

    text.len = 2;
    assert_amount_refused("USD", text);
}


/* T24 */
Test(pay_money, rejects_another_precision_than_the_currency_has)
{
    size_t  i;

    static const char *const  bad[][2] = {
        { "JPY", "10.00" }, { "JPY", "10.0" }, { "JPY", "10." },
        { "USD", "12" }, { "USD", "12.3" }, { "USD", "12.345" },
        { "USD", "12.340" }, { "USD", "1.000000000000000000000000000000" },
        { "KWD", "1" }, { "KWD", "1.23" }, { "KWD", "1.2345" },
        { "CLF", "1.000" }, { "CLF", "1.00000" }, { "CLF", "1" },
        { "ISK", "1.00" }, { "UGX", "1.00" }, { "BHD", "1.00" },
        { "TND", "1.00" }, { "MGA", "1.0" }, { "MRU", "1.0" }
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_amount_refused(bad[i][0], pay_str_of(bad[i][1]));
    }
}


Test(pay_money, rejects_amounts_over_the_limit_and_over_64_bits)
{
    size_t  i;

    static const char *const  bad[][2] = {
        { "USD", "10000000000000.00" },
        { "USD", "999999999999999.99" },
        { "USD", "1000000000000000.00" },
        { "USD", "92233720368547758.07" },
        { "USD", "92233720368547758.08" },
        { "USD", "184467440737095516.17" },
        { "USD", "99999999999999999999999999999999999999999999.99" },
        { "JPY", "1000000000000000" },
        { "JPY", "9223372036854775807" },
        { "JPY", "9223372036854775808" },
        { "JPY", "18446744073709551617" },
        { "KWD", "1000000000000.000" },
        { "KWD", "999999999999999.999" },
        { "CLF", "100000000000.0000" },
        { "CLF", "999999999999999.9999" }
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_amount_refused(bad[i][0], pay_str_of(bad[i][1]));
    }
}


Test(pay_money, every_currency_takes_its_maximum_and_no_digit_more)
{
    int64_t                minor;
    pay_str_t              text;
    const pay_currency_t  *c;
    unsigned char          longer[PAY_AMOUNT_TEXT_MAX + 2];

    for (c = pay_currency_table(); c->code[0] != '\0'; c++) {
        cr_assert_eq(pay_amount_format(arena, PAY_AMOUNT_MAX_MINOR, c, &text),
                     PAY_OK);
        cr_assert_eq(pay_amount_parse(text, c, &minor, NULL), PAY_OK);
        cr_assert_eq(minor, PAY_AMOUNT_MAX_MINOR);

        memcpy(longer, text.data, text.len);
        longer[text.len] = '0';
        assert_amount_refused(c->code, (pay_str_t) { text.len + 1, longer });

        longer[0] = '1';
        memcpy(longer + 1, text.data, text.len);
        assert_amount_refused(c->code, (pay_str_t) { text.len + 1, longer });

        cr_assert_eq(pay_amount_format(arena, PAY_AMOUNT_MAX_MINOR + 1, c,
                                       &text), PAY_OK);
        assert_amount_refused(c->code, text);
    }
}


static void
assert_round_trip(int64_t value, const pay_currency_t *currency)
{
    int64_t    minor = 0;
    pay_buf_t  buf;
    pay_str_t  text, same;

    pay_buf_init(&buf, arena, PAY_AMOUNT_TEXT_MAX);
    pay_buf_amount(&buf, value, currency);
    cr_assert_eq(pay_buf_done(&buf, &same), PAY_OK);
    cr_assert_eq(pay_amount_format(arena, value, currency, &text), PAY_OK);
    cr_assert_eq(pay_amount_parse(text, currency, &minor, NULL), PAY_OK,
                 "%s %.*s", currency->code, pay_fmt(text));
    cr_assert_eq(minor, value, "%s %.*s", currency->code, pay_fmt(text));
    cr_assert(pay_str_eq(text, same), "%.*s", pay_fmt(same));
}


Test(pay_money, parse_undoes_format_for_every_currency)
{
    unsigned               i;
    int64_t                power;
    uint64_t               state = 1;
    const pay_currency_t  *c;

    for (c = pay_currency_table(); c->code[0] != '\0'; c++) {
        for (power = 1; power <= PAY_AMOUNT_MAX_MINOR / 10; power *= 10) {
            assert_round_trip(power, c);
            assert_round_trip(power + 1, c);
            assert_round_trip(10 * power - 1, c);
        }

        for (i = 0; i < 200; i++) {
            /* a 64-bit linear congruential generator, fixed seed */
            state = state * UINT64_C(6364136223846793005)
                    + UINT64_C(1442695040888963407);
            assert_round_trip((int64_t) (state >> 14 >> (i % 50))
                              % PAY_AMOUNT_MAX_MINOR + 1, c);
        }
    }
}


Test(pay_money, formats_each_precision_and_the_edges)
{
    size_t     i;
    pay_str_t  text;

    static const amount_t  table[] = {
        { "USD", "0.00", 0 }, { "USD", "0.01", 1 }, { "USD", "-0.01", -1 },
        { "USD", "0.99", 99 }, { "USD", "1.00", 100 },
        { "USD", "-12.34", -1234 }, { "JPY", "0", 0 }, { "JPY", "-7", -7 },
        { "JPY", "10", 10 }, { "KWD", "0.000", 0 }, { "KWD", "1.234", 1234 },
        { "CLF", "0.0001", 1 }, { "CLF", "-1.0000", -10000 },
        { "USD", "92233720368547758.07", INT64_MAX },
        { "USD", "-92233720368547758.08", INT64_MIN },
        { "JPY", "-9223372036854775808", INT64_MIN },
        { "CLF", "-922337203685477.5808", INT64_MIN }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        cr_assert_eq(pay_amount_format(arena, table[i].minor,
                                       currency_of(table[i].currency), &text),
                     PAY_OK);
        cr_assert(pay_str_is(text, table[i].text), "%.*s is not %s",
                  pay_fmt(text), table[i].text);
    }
}


/* X47 */
Test(pay_money, refuses_what_is_no_currency_in_use)
{
    size_t                 i;
    pay_err_t              err;
    const pay_currency_t  *currency = NULL;

    static const char *const  bad[] = {
        "", "U", "US", "usd", "Usd", "uSD", "USDT", "USD ", " USD", " US",
        "US ", "U D", "840", "XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR",
        "XBA", "XBB", "XBC", "XBD", "XSU", "XUA", "BOV", "CHE", "CHW", "COU",
        "MXV", "USN", "USS", "UYI", "UYW", "AAA", "ZZZ", "DEM", "FRF", "ITL",
        "HRK", "SLL", "ZWL", "ZWD", "VEF", "MRO", "STD", "BYR", "TRL", "CUC",
        "BTC", "ETH", "EUR\n", "\xe2\x82\xac", "\xc2\xa3", "$$$", "---",
        "\xf0\x9f\x92\xb0\xf0\x9f\x92\xb0\xf0\x9f\x92\xb0", "\xff\xff\xff"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(pay_currency_find(pay_str_of(bad[i]), &currency, &err),
                     PAY_INVALID, "%s", bad[i]);
        cr_assert_str_eq(err.slug, "currency-unsupported");
    }

    cr_assert_eq(pay_currency_find(PAY_STR("\0\0\0"), &currency, &err),
                 PAY_INVALID);
    cr_assert_eq(pay_currency_find((pay_str_t) { 0, NULL }, &currency, &err),
                 PAY_INVALID);
    cr_assert_null(currency);
}


/* orders of it are still read and paid back */
Test(pay_money, withdrawn_currencies_are_known_and_take_no_payment)
{
    size_t                 i;
    pay_err_t              err;
    const pay_currency_t  *currency = NULL;

    static const char *const  withdrawn[] = { "ANG", "BGN" };
    static const char *const  followed[] = { "XCG", "EUR", "ZWG", "SLE" };

    for (i = 0; i < sizeof(withdrawn) / sizeof(withdrawn[0]); i++) {
        (void) currency_of(withdrawn[i]);
        cr_assert_eq(pay_currency_current(pay_str_of(withdrawn[i]), &currency,
                                          &err), PAY_INVALID, "%s",
                     withdrawn[i]);
        cr_assert_str_eq(err.slug, "currency-unsupported");
        cr_assert_null(currency);
    }

    cr_assert_eq(pay_currency_current(PAY_STR("XXX"), &currency, &err),
                 PAY_INVALID);

    for (i = 0; i < sizeof(followed) / sizeof(followed[0]); i++) {
        cr_assert_eq(pay_currency_current(pay_str_of(followed[i]), &currency,
                                          &err), PAY_OK);
        cr_assert_eq(currency, currency_of(followed[i]));
    }
}


Test(pay_money, table_is_sorted_well_formed_and_found)
{
    const pay_currency_t  *c;

    for (c = pay_currency_table(); c->code[0] != '\0'; c++) {
        cr_assert(isupper(c->code[0]) && isupper(c->code[1])
                  && isupper(c->code[2]) && c->code[3] == '\0', "%s",
                  c->code);
        cr_assert_eq(currency_of(c->code), c);

        if (c[1].code[0] != '\0') {
            cr_assert_lt(strcmp(c->code, c[1].code), 0, "%s", c->code);
        }
    }

    cr_assert_eq(c - pay_currency_table(), 158);
}


Test(pay_money, exponents_are_those_of_iso_4217)
{
    size_t                 expected;
    const pay_currency_t  *c;

    static const char  zero[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX "
                                "VND VUV XAF XOF XPF";
    static const char  three[] = "BHD IQD JOD KWD LYD OMR TND";

    for (c = pay_currency_table(); c->code[0] != '\0'; c++) {
        expected = strstr(zero, c->code) ? 0
                   : strstr(three, c->code) ? 3
                   : strcmp(c->code, "CLF") == 0 ? 4 : 2;
        cr_assert_eq(c->exponent, expected, "%s", c->code);
    }
}


/* X49 */
Test(pay_money, add_refuses_overflow_and_writes_nothing)
{
    int64_t    sum = 77;
    pay_err_t  err;

    cr_assert_eq(pay_amount_add(INT64_MAX, 1, &sum, &err), PAY_INVALID);
    cr_assert_str_eq(err.slug, "amount-invalid");
    cr_assert_eq(pay_amount_add(INT64_MIN, -1, &sum, &err), PAY_INVALID);
    cr_assert_eq(pay_amount_add(INT64_MAX, INT64_MAX, &sum, NULL),
                 PAY_INVALID);
    cr_assert_eq(sum, 77);

    cr_assert_eq(pay_amount_add(INT64_MAX, INT64_MIN, &sum, &err), PAY_OK);
    cr_assert_eq(sum, -1);
    cr_assert_eq(pay_amount_add(INT64_MAX - 1, 1, &sum, &err), PAY_OK);
    cr_assert_eq(sum, INT64_MAX);
}


static pay_status_t
run(pay_arena_t *a, void *result)
{
    return pay_amount_format(a, -1234, currency_of("USD"), result);
}


Test(pay_money, survives_each_failing_allocation)
{
    cr_assert_eq(torture(run, sizeof(pay_str_t)), 1);
}

/* Names in the characters of banks, and the amounts that providers write. */

#include "payout_world.h"
#include "payout/payout.h"


static const char *
named(const char *text, size_t max)
{
    pay_str_t    name;
    pay_heap_t  *heap = pay_heap_create();

    static char  kept[256];

    if (pay_payout_name(pay_heap_arena(heap), str(text), max, &name)
        != PAY_OK)
    {
        snprintf(kept, sizeof(kept), "invalid");

    } else {
        cr_expect(pay_payout_is_latin(name, max), "%s", text);
        snprintf(kept, sizeof(kept), "%.*s", pay_fmt(name));
    }

    pay_heap_destroy(heap);

    return kept;
}


Test(pay_payout_name, letters_are_spelled_as_banks_spell_them)
{
    cr_expect_str_eq(named("M\xc3\xbcller & S\xc3\xb6hne", 70),
                     "Mueller + Soehne");
    cr_expect_str_eq(named("Stra\xc3\x9f" "e", 70), "Strasse");
    cr_expect_str_eq(named("Caf\xc3\xa9 L\xe2\x80\x99\xc3\x89toile", 70),
                     "Cafe L'Etoile");
    cr_expect_str_eq(named("\xc5\x81" "\xc3\xb3" "d\xc5\xba", 70), "Lodz");
    cr_expect_str_eq(named("\xc5\x98\xc5\xbe\xc4\x8d", 70), "Rzc");
    cr_expect_str_eq(named("\xc8\x98\xc8\x9b" "efan", 70), "Stefan");
    cr_expect_str_eq(named("Cafe\xcc\x81", 70), "Cafe");
    cr_expect_str_eq(named("A \xe2\x80\x93 B_C \"D\"", 70), "A - B-C 'D'");
}


Test(pay_payout_name, other_signs_become_one_blank)
{
    cr_expect_str_eq(named("  Acme   GmbH\t", 70), "Acme GmbH");
    cr_expect_str_eq(named("Acme #1 <b> * Co;", 70), "Acme 1 b Co");
    cr_expect_str_eq(named("Acme\r\nRmtInf", 70), "Acme RmtInf");
    cr_expect_str_eq(named("100 \xe2\x82\xac", 70), "100");
}


/* A part of a name is another name. */
Test(pay_payout_name, letters_without_a_spelling_are_refused)
{
    cr_expect_str_eq(named("\xce\x91\xce\x92 Ltd", 70), "invalid");
    cr_expect_str_eq(named("\xe6\x9d\xb1\xe4\xba\xac", 70), "invalid");
    cr_expect_str_eq(named("\xd8\xb9\xd9\x84\xd9\x8a", 70), "invalid");
    cr_expect_str_eq(named("Acme \xf0\x9f\x98\x80", 70), "invalid");
    cr_expect_str_eq(named("Acme\x01", 70), "invalid");
    cr_expect_str_eq(named("", 70), "invalid");
    cr_expect_str_eq(named(" - ", 70), "invalid");
}


Test(pay_payout_name, bytes_that_are_no_utf8_are_refused)
{
    size_t  i;

    static const char *const  wrong[] = {
        "A\xff", "A\xc3", "A\xc3(", "A\xc0\xaf", "A\xe0\x80\xaf",
        "A\xed\xa0\x80", "A\xf4\x90\x80\x80", "A\x80", NULL
    };

    for (i = 0; wrong[i] != NULL; i++) {
        cr_expect_str_eq(named(wrong[i], 70), "invalid", "%zu", i);
    }
}


Test(pay_payout_name, a_long_text_is_cut_without_a_blank_at_its_end)
{
    cr_expect_str_eq(named("abcd efgh", 5), "abcd");
    cr_expect_str_eq(named("abcd efgh", 6), "abcd e");
    cr_expect_str_eq(named("abc\xc3\xbc", 4), "abcu");
}


static int64_t
decimal(const char *text, const char *currency)
{
    int64_t  minor = -1;

    return pay_payout_decimal(str(text), currency_of(currency), &minor)
           ? minor : -1;
}


Test(pay_payout_amount, a_decimal_text_is_read_exactly_or_not_at_all)
{
    cr_expect_eq(decimal("30", "EUR"), 3000);
    cr_expect_eq(decimal("30.0", "EUR"), 3000);
    cr_expect_eq(decimal("30.0000", "EUR"), 3000);
    cr_expect_eq(decimal("30.01", "EUR"), 3001);
    cr_expect_eq(decimal("30.001", "EUR"), -1);
    cr_expect_eq(decimal("30.001", "KWD"), 30001);
    cr_expect_eq(decimal("30.0", "JPY"), 30);
    cr_expect_eq(decimal("30.5", "JPY"), -1);
    cr_expect_eq(decimal("9999999999999.99", "EUR"), PAY_AMOUNT_MAX_MINOR);
    cr_expect_eq(decimal("10000000000000.00", "EUR"), -1);
    cr_expect_eq(decimal("", "EUR"), -1);
    cr_expect_eq(decimal(".5", "EUR"), -1);
    cr_expect_eq(decimal("-1", "EUR"), -1);
    cr_expect_eq(decimal("1e3", "EUR"), -1);
    cr_expect_eq(decimal("1,5", "EUR"), -1);
    cr_expect_eq(decimal("1.2.3", "EUR"), -1);
}


static int64_t
number(const char *text, const char *currency)
{
    char         json[64];
    int64_t      minor = -1;
    pay_json_t  *root;

    snprintf(json, sizeof(json), "{\"a\":%s}", text);
    cr_assert_eq(pay_json_parse(str(json), NULL, &root, NULL), PAY_OK);

    if (!pay_payout_number(pay_json_get(root, "a"), currency_of(currency),
                           &minor))
    {
        minor = -1;
    }

    pay_json_free(root);

    return minor;
}


/* All cents of a span, and those at the end of what a double can tell apart. */
Test(pay_payout_amount, a_json_number_is_the_amount_that_was_written)
{
    char     text[64];
    int64_t  minor;

    for (minor = 1; minor < 20000; minor++) {
        snprintf(text, sizeof(text), "%lld.%02lld", (long long) minor / 100,
                 (long long) minor % 100);
        cr_expect_eq(number(text, "EUR"), minor, "%s", text);
    }

    for (minor = PAY_AMOUNT_MAX_MINOR - 2000; minor <= PAY_AMOUNT_MAX_MINOR;
         minor++)
    {
        snprintf(text, sizeof(text), "%lld.%02lld", (long long) minor / 100,
                 (long long) minor % 100);
        cr_expect_eq(number(text, "EUR"), minor, "%s", text);
    }

    cr_expect_eq(number("30", "EUR"), 3000);
    cr_expect_eq(number("30.001", "EUR"), -1);
    cr_expect_eq(number("30.001", "KWD"), 30001);
    cr_expect_eq(number("-30", "EUR"), -1);
    cr_expect_eq(number("-0.01", "EUR"), -1);
    cr_expect_eq(number("\"30\"", "EUR"), -1);
    cr_expect_eq(number("null", "EUR"), -1);
    cr_expect_eq(number("1e300", "EUR"), -1);
    cr_expect_eq(number("9223372036854775807", "EUR"), -1);
}

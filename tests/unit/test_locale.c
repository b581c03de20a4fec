/*
 * Languages: which one is picked, and amounts and times in it.
 */

#include <criterion/criterion.h>

#include "pay_locale.h"


#define NBSP  "\xc2\xa0"
#define NNBSP "\xe2\x80\xaf"


static void
picks(const char *accept, const char *tag)
{
    unsigned  n;

    n = pay_locale_pick(pay_str_of(accept), 0);
    cr_expect_str_eq(pay_locale_tag(n), tag, "\"%s\"", accept);
}


static void
money(const char *tag, const char *code, int64_t minor, const char *wanted)
{
    pay_str_t              text;
    pay_heap_t            *heap = pay_heap_create();
    pay_locale_t          *locale;
    const pay_currency_t  *currency;

    locale = pay_locale_open(pay_locale_find(pay_str_of(tag)));
    cr_assert_not_null(locale);
    cr_assert_eq(pay_currency_find(pay_str_of(code), &currency, NULL), PAY_OK);
    cr_assert_eq(pay_locale_money(locale, pay_heap_arena(heap), minor,
                                  currency, &text), PAY_OK);
    cr_expect(pay_str_is(text, wanted), "%s %s: %.*s, not %s", tag, code,
              pay_fmt(text), wanted);

    pay_locale_close(locale);
    pay_heap_destroy(heap);
}


Test(pay_locale, the_highest_q_that_we_know_wins)
{
    picks("de", "de");
    picks("de-AT,de;q=0.9,en;q=0.8", "de");
    picks("en;q=0.5,fr;q=0.7", "fr");
    picks("zh,ja;q=0.5", "ja");
    picks("es-419", "es");
    picks("pt-PT", "pt-BR");
    picks("PT-br", "pt-BR");
    picks("ar-EG", "ar");
}


Test(pay_locale, a_language_that_is_ruled_out_is_not_taken)
{
    picks("de;q=0,fr;q=0.1", "fr");
    picks("de;q=0", "en");
}


Test(pay_locale, another_or_a_broken_field_gets_the_default)
{
    unsigned  i;
    static const char *const  fields[] = {
        "", "*", "xx", "zh,ko", ";", ",", "de;q=abc", "de;q=1.5", "\xff\xfe",
        "de\r\nX: y", "%s%n", "d\xc3\xa9"
    };

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        cr_expect_eq(pay_locale_pick(pay_str_of(fields[i]), 5), 5, "%s",
                     fields[i]);
    }

    cr_expect_eq(pay_locale_pick(PAY_STR("de\0fr"), 5), 5);
}


/* The end of a field that is too long is not read, its beginning is. */
Test(pay_locale, an_endless_field_is_cut_at_a_comma)
{
    size_t         i;
    pay_str_t      field;
    unsigned char  bytes[4 * PAY_LOCALE_ACCEPT_MAX];

    memset(bytes, 'x', sizeof(bytes));
    field = (pay_str_t) { sizeof(bytes), bytes };
    cr_expect_eq(pay_locale_pick(field, 3), 3);

    for (i = 0; i + 3 <= sizeof(bytes); i += 3) {
        memcpy(bytes + i, "ja,", 3);
    }

    for (i = 0; i < sizeof(bytes); i++) {
        field.len = i;
        cr_expect_eq(pay_locale_pick(field, 0), i < 2 ? 0 : 5, "%zu", i);
    }
}


Test(pay_locale, each_language_is_found_by_its_tag)
{
    unsigned  n;

    for (n = 0; n < PAY_LOCALES; n++) {
        cr_expect_eq(pay_locale_find(pay_str_of(pay_locale_tag(n))), n);
        cr_expect_eq(pay_locale_is_rtl(n),
                     strcmp(pay_locale_tag(n), "ar") == 0);
    }

    cr_expect_eq(pay_locale_find(PAY_STR("pt-br")), 4);
    cr_expect_eq(pay_locale_find(PAY_STR("pt")), PAY_LOCALES);
    cr_expect_eq(pay_locale_find(PAY_STR("")), PAY_LOCALES);
}


Test(pay_locale, amounts_look_as_the_language_writes_them)
{
    money("en", "EUR", 123456780, "€1,234,567.80");
    money("de", "EUR", 123456780, "1.234.567,80" NBSP "€");
    money("fr", "EUR", 123456780, "1" NNBSP "234" NNBSP "567,80" NBSP "€");
    money("pt-BR", "BRL", 5, "R$" NBSP "0,05");
    money("es", "USD", 1999, "19,99" NBSP "US$");
    money("ja", "JPY", 1234567, "￥1,234,567");
    money("ar", "KWD", 1234, "\u200f١٫٢٣٤" NBSP "د.ك.\u200f");
}


/* ICU's own numbers of decimals are others for some of these. */
Test(pay_locale, decimals_are_those_of_iso_4217)
{
    money("en", "JPY", 1200, "¥1,200");
    money("en", "KWD", 1200, "KWD" NBSP "1.200");
    money("en", "IQD", 1200, "IQD" NBSP "1.200");
    money("en", "HUF", 1200, "HUF" NBSP "12.00");
    money("de", "ISK", 1200, "1.200" NBSP "ISK");
}


/* 2^53 + 1 is the first whole number that a double does not hold. */
Test(pay_locale, no_digit_is_lost)
{
    money("en", "USD", INT64_C(9007199254740993), "$90,071,992,547,409.93");
    money("en", "JPY", INT64_C(9007199254740993),
          "¥9,007,199,254,740,993");
    money("en", "USD", INT64_MAX, "$92,233,720,368,547,758.07");
    money("en", "USD", -PAY_AMOUNT_MAX_MINOR, "-$9,999,999,999,999.99");
}


/* One formatter for all currencies: nothing of the last one stays. */
Test(pay_locale, currencies_may_take_turns)
{
    unsigned               i;
    pay_str_t              text;
    pay_heap_t            *heap = pay_heap_create();
    pay_locale_t          *locale = pay_locale_open(0);
    const pay_currency_t  *currency;
    static const struct { const char *code, *wanted; }  turns[] = {
        { "KWD", "KWD" NBSP "1.234" }, { "JPY", "¥1,234" },
        { "USD", "$12.34" }, { "KWD", "KWD" NBSP "1.234" },
    };

    for (i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        cr_assert_eq(pay_currency_find(pay_str_of(turns[i].code), &currency,
                                       NULL), PAY_OK);
        cr_assert_eq(pay_locale_money(locale, pay_heap_arena(heap), 1234,
                                      currency, &text), PAY_OK);
        cr_expect(pay_str_is(text, turns[i].wanted), "%.*s", pay_fmt(text));
    }

    pay_locale_close(locale);
    pay_heap_destroy(heap);
}


Test(pay_locale, times_name_their_zone)
{
    unsigned       n;
    pay_str_t      text;
    pay_heap_t    *heap = pay_heap_create();
    pay_locale_t  *locale;
    static const char *const  wanted[PAY_LOCALES] = {
        "November 26, 2026 at 1:53" NNBSP "AM UTC",
        "26. November 2026 um 01:53 UTC",
        "26 novembre 2026 à 01:53 UTC", "26 de noviembre de 2026, 1:53 UTC",
        "26 de novembro de 2026 às 01:53 UTC", "2026年11月26日 1:53 UTC",
        "٢٦ نوفمبر ٢٠٢٦ في ١:٥٣ ص UTC"
    };

    for (n = 0; n < PAY_LOCALES; n++) {
        locale = pay_locale_open(n);
        cr_assert_eq(pay_locale_time(locale, pay_heap_arena(heap), 1795657980,
                                     &text), PAY_OK);
        cr_expect(pay_str_is(text, wanted[n]), "%.*s", pay_fmt(text));
        pay_locale_close(locale);
    }

    pay_heap_destroy(heap);
}


Test(pay_locale, without_memory_there_is_no_text)
{
    unsigned               n;
    pay_str_t              text = PAY_STR("untouched");
    pay_heap_t            *heap = pay_heap_create();
    pay_locale_t          *locale = pay_locale_open(1);
    const pay_currency_t  *currency;

    cr_assert_eq(pay_currency_find(PAY_STR("EUR"), &currency, NULL), PAY_OK);

    for (n = 1; n < 3; n++) {
        pay_heap_fail_at(heap, n);
        cr_expect_eq(pay_locale_money(locale, pay_heap_arena(heap), 1,
                                      currency, &text), PAY_NO_MEMORY);
        cr_expect(pay_str_is(text, "untouched"));
    }

    pay_heap_fail_at(heap, 1);
    cr_expect_eq(pay_locale_time(locale, pay_heap_arena(heap), 1, &text),
                 PAY_NO_MEMORY);

    pay_locale_close(locale);
    pay_heap_destroy(heap);
}


/* A description must not turn the page's text behind it. */
Test(pay_locale, texts_that_hide_or_turn_are_not_shown)
{
    unsigned  i;
    static const char *const  good[] = {
        "", "A book", "Bücher & <b>", "本", "كتاب", "a\u200fb", "👩‍👩‍👧"
    };
    static const char *const  bad[] = {
        "a\nb", "a\tb", "\x1b[0m", "\x7f", "\xc2\x85", "\u2028", "\u2029",
        "\u202a", "\u202b", "\u202c", "\u202d", "a\u202eb", "\u2066",
        "\u2067", "\u2068", "\u2069", "\xff", "\xc3", "\xc0\x80",
        "\xed\xa0\x80", "\xf4\x90\x80\x80"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_expect(pay_locale_is_shown(pay_str_of(good[i])), "%s", good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_not(pay_locale_is_shown(pay_str_of(bad[i])), "%u", i);
    }

    cr_expect_not(pay_locale_is_shown(PAY_STR("a\0b")));
}

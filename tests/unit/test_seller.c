/*
 * A seller's balance and statement: what a query may say, and what is shown
 * around SQL's JSON.
 */

#include "torture.h"

#include "pay_seller.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


Test(pay_seller, a_query_needs_only_a_currency)
{
    pay_statement_t  s;

    cr_assert_eq(pay_statement_parse(PAY_STR("currency=EUR"), &s, NULL),
                 PAY_OK);
    cr_expect_str_eq(s.currency->code, "EUR");
    cr_expect_eq(s.limit, PAY_STATEMENT_LIMIT);
    cr_expect_eq(s.before, 0);

    cr_assert_eq(pay_statement_parse(
        PAY_STR("before=17&limit=100&currency=JPY"), &s, NULL), PAY_OK);
    cr_expect_str_eq(s.currency->code, "JPY");
    cr_expect_eq(s.limit, 100);
    cr_expect_eq(s.before, 17);
}


Test(pay_seller, a_query_of_anything_else_is_refused)
{
    size_t           i;
    pay_err_t        err;
    pay_statement_t  s;

    static const struct {
        const char  *query;
        const char  *slug;
    } rows[] = {
        { "", "validation-error" },
        { "limit=5", "validation-error" },
        { "currency=IGL", "currency-unsupported" },
        { "currency=", "currency-unsupported" },
        { "currency=eur", "currency-unsupported" },
        { "currency=%45UR", "currency-unsupported" },
        { "currency=EUR&currency=EUR", "validation-error" },
        { "currency=EUR&", "validation-error" },
        { "&currency=EUR", "validation-error" },
        { "currency=EUR&&limit=1", "validation-error" },
        { "currency=EUR&limit", "validation-error" },
        { "currency=EUR&limit=", "validation-error" },
        { "currency=EUR&limit=0", "validation-error" },
        { "currency=EUR&limit=101", "validation-error" },
        { "currency=EUR&limit=-1", "validation-error" },
        { "currency=EUR&limit=1.0", "validation-error" },
        { "currency=EUR&limit=18446744073709551617", "validation-error" },
        { "currency=EUR&before=0", "validation-error" },
        { "currency=EUR&before=1000000000000000", "validation-error" },
        { "currency=EUR&before=%31", "validation-error" },
        { "currency=EUR&after=1", "validation-error" },
        { "Currency=EUR", "validation-error" },
        { "=EUR", "validation-error" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(pay_statement_parse(pay_str_of(rows[i].query), &s,
                                         &err), PAY_INVALID, "%s",
                     rows[i].query);
        cr_expect_str_eq(err.slug, rows[i].slug, "%s", rows[i].query);
    }

    cr_expect_eq(pay_statement_parse(PAY_STR("currency=IGL"), &s, &err),
                 PAY_INVALID);
    cr_expect_not_null(strstr(err.detail, "not known"), "it names one");
}


Test(pay_seller, an_account_is_as_a_request_may_name_it)
{
    size_t  i;
    char    text[66];

    static const struct {
        const char  *text;
        int          valid;
    } rows[] = {
        { "seller-1", 1 }, { "a/b\"c%", 1 }, { "", 0 }, { "a b", 0 },
        { "a\n", 0 }, { "\xc3\xbc", 0 }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(pay_seller_is_valid(pay_str_of(rows[i].text)),
                     rows[i].valid, "%s", rows[i].text);
    }

    memset(text, 'a', sizeof(text));
    cr_expect(pay_seller_is_valid((pay_str_t) { 64, (void *) text }));
    cr_expect_not(pay_seller_is_valid((pay_str_t) { 65, (void *) text }));
}


Test(pay_seller, balance_and_statement_are_put_around_sqls_json)
{
    pay_str_t        text;
    pay_arena_t     *arena = test_arena();
    pay_statement_t  s;

    cr_assert_eq(pay_balance_render(arena, PAY_STR("s\"1"),
                                    PAY_STR("[{\"currency\":\"EUR\"}]"),
                                    &text), PAY_OK);
    cr_expect(pay_str_is(text, "{\"seller_account\":\"s\\\"1\","
                               "\"balances\":[{\"currency\":\"EUR\"}]}"),
              "%.*s", pay_fmt(text));

    cr_assert_eq(pay_statement_parse(PAY_STR("currency=EUR"), &s, NULL),
                 PAY_OK);
    cr_assert_eq(pay_statement_render(arena, PAY_STR("s1"), &s,
                     PAY_STR("{\"lines\" : [], \"next\" : null}"), &text),
                 PAY_OK);
    cr_expect(pay_str_is(text, "{\"seller_account\":\"s1\","
                               "\"currency\":\"EUR\",\"lines\" : [], "
                               "\"next\" : null}"), "%.*s", pay_fmt(text));
    cr_expect_eq(pay_statement_render(arena, PAY_STR("s1"), &s,
                                      PAY_STR("[]"), &text), PAY_BUG);
}


static pay_status_t
torture_render(pay_arena_t *arena, void *result)
{
    return pay_balance_render(arena, PAY_STR("s"), PAY_STR("[]"), result);
}


Test(pay_seller, failing_memory_is_an_ordinary_error)
{
    cr_expect_geq(torture(torture_render, sizeof(pay_str_t)), 2);
}

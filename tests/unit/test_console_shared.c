/* pay_console_shared_key(): no answer of the console is given to somebody with
 * other rights, and none that belongs to its caller is shared at all. */

#include <criterion/criterion.h>

#include "pay_console.h"


static pay_heap_t   *heap;
static pay_arena_t  *arena;


static void
setup(void)
{
    heap = pay_heap_create();
    cr_assert_not_null(heap);
    arena = pay_heap_arena(heap);
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_console_shared, .init = setup, .fini = teardown);


static pay_status_t
key_of(const char *page, const char *args, unsigned roles,
    const char *merchants, pay_str_t *key)
{
    pay_err_t            err;
    pay_staff_t          staff = { .roles = roles };
    pay_console_facts_t  facts = { .settings = PAY_STR("{}") };
    pay_console_asked_t  asked;

    staff.subject = PAY_STR("ann");
    staff.merchants = pay_str_of(merchants);

    cr_assert_eq(pay_console_parse(arena, pay_str_of(args),
                                   pay_console_page(pay_str_of(page)),
                                   &facts, &asked, &err), PAY_OK);

    return pay_console_shared_key(arena, &staff, &asked, key);
}


static pay_str_t
key(const char *page, const char *args, unsigned roles, const char *merchants)
{
    pay_str_t  found = { 0, NULL };

    cr_assert_eq(key_of(page, args, roles, merchants, &found), PAY_OK);

    return found;
}


Test(pay_console_shared, the_same_view_has_the_same_key)
{
    cr_assert(pay_str_eq(key("now", "", 3, ""), key("now", "", 3, "")));
    cr_assert(pay_str_eq(key("payments", "psp=a", 1, "[\"m\"]"),
                         key("payments", "psp=a", 1, "[\"m\"]")));
}


Test(pay_console_shared, another_page_query_role_or_merchant_is_another_key)
{
    size_t     i, j;
    pay_str_t  keys[] = {
        key("now", "", 1, ""),
        key("now", "", 2, ""),
        key("now", "", 3, ""),
        key("now", "", 1, "[\"m\"]"),
        key("now", "", 1, "[\"n\"]"),
        key("now", "", 1, "[\"m\",\"n\"]"),
        key("now", "merchant=m", 1, ""),
        key("now", "merchant=m", 1, "[\"m\"]"),
        key("jobs", "", 1, ""),
        key("jobs", "kind=poll", 1, ""),
        key("jobs", "limit=10", 1, ""),
        key("jobs", "cell=b", 1, ""),
    };

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        for (j = 0; j < i; j++) {
            cr_assert(!pay_str_eq(keys[i], keys[j]), "%zu and %zu", i, j);
        }
    }
}


Test(pay_console_shared, an_answer_for_its_caller_alone_has_no_key)
{
    size_t       i;
    pay_str_t    found;
    const char  *pages[][2] = {
        { "me", "" },
        { "find", "q=a" },
        { "payment", "checkout=c" },
        { "payment", "checkout=c&personal=1" },
        { "audit", "" },
        { "settings", "" },
        { "payments", "before=1:c:m" },
        { "wallets", "after=0:m:EUR:s" },
    };

    for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        cr_assert_eq(key_of(pages[i][0], pages[i][1], 255, "", &found),
                     PAY_NOT_FOUND, "%s", pages[i][0]);
    }
}

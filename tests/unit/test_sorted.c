/*
 * Bisection: each name is found at its place, and each other one nowhere.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "pay_sorted.h"


#define ITEMS_MAX  70


/* The name is not the first member. */
typedef struct {
    unsigned   number;
    pay_str_t  name;
} item_t;


static item_t  items[ITEMS_MAX];
static char    texts[ITEMS_MAX][8];


/* n-00, n-02, n-04 … */
static void
fill(size_t count)
{
    size_t  i;

    for (i = 0; i < count; i++) {
        (void) snprintf(texts[i], sizeof(texts[i]), "n-%03u",
                        (unsigned) (2 * i) % 1000);
        items[i].name = pay_str_of(texts[i]);
    }
}


static size_t
first(size_t count, const char *name)
{
    return pay_sorted_first(items, count, sizeof(item_t),
                            offsetof(item_t, name), pay_str_of(name));
}


static size_t
found(size_t count, const char *name)
{
    return pay_sorted_find(items, count, sizeof(item_t),
                           offsetof(item_t, name), pay_str_of(name));
}


Test(pay_sorted, each_name_is_found_at_its_place_whatever_the_count)
{
    size_t  count, i;

    for (count = 0; count <= ITEMS_MAX; count++) {
        fill(count);

        for (i = 0; i < count; i++) {
            cr_assert_eq(found(count, texts[i]), i, "%zu of %zu", i, count);
        }
    }
}


Test(pay_sorted, a_name_between_two_is_not_found)
{
    char    name[8];
    size_t  count, i;

    for (count = 0; count <= ITEMS_MAX; count++) {
        fill(count);

        for (i = 0; i <= count; i++) {
            (void) snprintf(name, sizeof(name), "n-%03u",
                            (unsigned) (2 * i + 1) % 1000);
            cr_assert_eq(found(count, name), count);
            cr_assert_eq(first(count, name), i < count ? i + 1 : count);
        }

        cr_assert_eq(found(count, "a"), count);
        cr_assert_eq(first(count, "a"), 0);
        cr_assert_eq(found(count, "z"), count);
    }
}


/* Keys of one issuer stand together. */
Test(pay_sorted, the_first_of_equal_names_is_found)
{
    size_t  i;

    for (i = 0; i < 9; i++) {
        items[i].name = pay_str_of(i < 2 ? "a" : i < 7 ? "b" : "c");
    }

    cr_expect_eq(first(9, "a"), 0);
    cr_expect_eq(first(9, "b"), 2);
    cr_expect_eq(first(9, "c"), 7);
    cr_expect_eq(found(9, "b"), 2);
}


Test(pay_sorted, a_beginning_stands_in_front_of_the_whole)
{
    cr_expect_lt(pay_str_cmp(PAY_STR("ab"), PAY_STR("abc")), 0);
    cr_expect_gt(pay_str_cmp(PAY_STR("abc"), PAY_STR("ab")), 0);
    cr_expect_lt(pay_str_cmp(PAY_STR("abc"), PAY_STR("b")), 0);
    cr_expect_lt(pay_str_cmp(PAY_STR(""), PAY_STR("\0")), 0);
    cr_expect_eq(pay_str_cmp(PAY_STR("abc"), PAY_STR("abc")), 0);
}


Test(pay_sorted, an_empty_slice_is_the_least)
{
    pay_str_t  nothing = { 0, NULL };

    cr_expect_eq(pay_str_cmp(nothing, PAY_STR("")), 0);
    cr_expect_lt(pay_str_cmp(nothing, PAY_STR("a")), 0);
    cr_expect_gt(pay_str_cmp(PAY_STR("a"), nothing), 0);
}


/* Bytes above 127 are no negative numbers. */
Test(pay_sorted, bytes_have_no_sign)
{
    cr_expect_gt(pay_str_cmp(PAY_STR("\xc3"), PAY_STR("z")), 0);
}

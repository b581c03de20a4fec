/*
 * The bounds check alone: what it counts, and that it never runs past the
 * text or trips over broken JSON.
 */

#include <criterion/criterion.h>

#include "core/json_scan.h"


typedef struct {
    const char  *text;
    unsigned     depth;
    unsigned     width;
} bounds_t;


/* smallest bounds that let the text pass */
static const bounds_t  bounds[] = {
    { "1", 0, 1 },
    { "[]", 1, 1 },
    { "{}", 1, 1 },
    { "[1]", 1, 1 },
    { "[1,2,3]", 1, 3 },
    { "[[],[],[]]", 2, 3 },
    { "[[1,2],[3,4]]", 2, 2 },
    { "{\"a\":{\"b\":[1,2,3,4]}}", 3, 4 },
    { "[\",,,,,[[[[\"]", 1, 1 },
    { "[\"\\\",[[[,,,\"]", 1, 1 },
    { "[\"\\\\\",[1,2]]", 2, 2 },
    { "[\"\\\\\\\",[1,2]\"]", 1, 1 },
    { "{\",\":1}", 1, 1 }
};


static pay_status_t
scan(const char *text, unsigned depth, unsigned width, pay_err_t *err)
{
    return pay_json_scan(pay_str_of(text), depth, width, 100, err);
}


Test(pay_json_scan, passes_at_the_bound_and_refuses_one_below)
{
    size_t            i;
    pay_err_t         err;
    const bounds_t   *b;

    for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        b = &bounds[i];

        cr_assert_eq(scan(b->text, b->depth, b->width, &err), PAY_OK, "%s",
                     b->text);

        if (b->depth > 0) {
            cr_assert_eq(scan(b->text, b->depth - 1, b->width, &err),
                         PAY_INVALID, "%s", b->text);
            cr_assert_str_eq(err.slug, "invalid-json");
        }

        if (b->width > 1) {
            cr_assert_eq(scan(b->text, b->depth, b->width - 1, &err),
                         PAY_INVALID, "%s", b->text);
            cr_assert_str_eq(err.slug, "invalid-json");
        }
    }
}


Test(pay_json_scan, leaves_broken_json_to_the_parser)
{
    size_t  i;

    static const char *const  broken[] = {
        "", "]", "}}}}]]]]", "]]]][", "\"", "\"\\", "[\"\\\"", "[\"abc", "{\"",
        "[}", "{]", "nonsense", "]{]{]{]{"
    };

    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        cr_assert_eq(scan(broken[i], 2, 4, NULL), PAY_OK, "%s", broken[i]);
    }
}


Test(pay_json_scan, a_sibling_starts_counting_anew)
{
    cr_assert_eq(scan("[[1,2],[1,2],[1,2]]", 2, 3, NULL), PAY_OK);
    cr_assert_eq(scan("[[1,2],[1,2,3,4],[1,2]]", 2, 3, NULL), PAY_INVALID);
}


/* Each bound held for 120,000 empty objects in arrays of arrays. */
Test(pay_json_scan, all_values_together_are_bounded)
{
    size_t     i;
    pay_err_t  err;

    static const struct {
        const char  *text;
        unsigned     values;
    } rows[] = {
        { "1", 1 }, { "\"a,b\"", 1 }, { "[]", 2 }, { "[1]", 2 }, { "[1,2]", 3 },
        { "[{},{},{}]", 7 }, { "{\"a\":[[[]]],\"b\":{\"c\":1}}", 7 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(pay_json_scan(pay_str_of(rows[i].text), 8, 8,
                                   rows[i].values, NULL), PAY_OK, "%s",
                     rows[i].text);

        if (rows[i].values > 1) {
            cr_expect_eq(pay_json_scan(pay_str_of(rows[i].text), 8, 8,
                                       rows[i].values - 1, &err), PAY_INVALID,
                         "%s", rows[i].text);
            cr_expect_not_null(strstr(err.detail, "too many values"), "%s",
                               err.detail);
        }
    }
}


Test(pay_json_scan, bounds_over_its_own_stack_are_a_bug)
{
    cr_assert_eq(scan("[]", PAY_JSON_DEPTH_HARD, 1, NULL), PAY_OK);
    cr_assert_eq(scan("[]", PAY_JSON_DEPTH_HARD + 1, 1, NULL), PAY_BUG);
}

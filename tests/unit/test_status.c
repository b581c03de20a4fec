/*
 * Refusals: the reason is filled in, and a pointer is whole or absent.
 */

#include <criterion/criterion.h>

#include "pay_status.h"
#include "pay_str.h"


Test(pay_status, refuse_returns_invalid_and_fills_the_reason)
{
    pay_err_t  err;

    memset(&err, 'x', sizeof(err));

    cr_assert_eq(pay_refuse(&err, "some-slug", "Some detail."), PAY_INVALID);
    cr_assert_str_eq(err.slug, "some-slug");
    cr_assert_str_eq(err.detail, "Some detail.");
    cr_assert_str_eq(err.pointer, "");
}


Test(pay_status, refuse_takes_no_err)
{
    cr_assert_eq(pay_refuse(NULL, "some-slug", NULL), PAY_INVALID);
    cr_assert_eq(pay_refuse_at(NULL, "some-slug", NULL, "/a/%u", 1u),
                 PAY_INVALID);
}


Test(pay_status, refuse_at_writes_the_pointer)
{
    pay_err_t  err;

    cr_assert_eq(pay_refuse_at(&err, "some-slug", NULL, "/%s/%u/amount",
                               "payment_orders", 17u), PAY_INVALID);
    cr_assert_str_eq(err.pointer, "/payment_orders/17/amount");
    cr_assert_null(err.detail);
}


Test(pay_status, refuse_at_drops_a_pointer_that_does_not_fit)
{
    char       name[PAY_POINTER_MAX + 1];
    pay_err_t  err;

    memset(name, 'a', sizeof(name));
    name[PAY_POINTER_MAX - 2] = '\0';

    cr_assert_eq(pay_refuse_at(&err, "s", "d", "/%s", name), PAY_INVALID);
    cr_assert_eq(strlen(err.pointer), PAY_POINTER_MAX - 1);

    name[PAY_POINTER_MAX - 2] = 'a';
    name[PAY_POINTER_MAX - 1] = '\0';

    cr_assert_eq(pay_refuse_at(&err, "s", "d", "/%s", name), PAY_INVALID);
    cr_assert_str_eq(err.pointer, "");
    cr_assert_str_eq(err.slug, "s");
}


Test(pay_status, refuse_at_drops_a_pointer_with_a_null_name)
{
    pay_err_t  err;

    const char *volatile  nothing = NULL;

    cr_assert_eq(pay_refuse_at(&err, "s", "d", "/%s", nothing), PAY_INVALID);
    cr_assert_str_eq(err.pointer, "");
}

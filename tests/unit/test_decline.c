/*
 * Decline codes: the gateway's own, what docs/psps.md says of them, and PSPs'.
 */

#include <criterion/criterion.h>

#include "pay_decline.h"
#include "psp/decline.h"
#include "psp/psp.h"
#include "psp_world.h"


#define START  "| code | `can_retry` | means |\n|---|---|---|\n"


static const char *
means(const char *adapter, const char *code)
{
    return pay_decline_find(adapter, pay_str_of(code))->code;
}


Test(pay_decline, a_psps_code_has_one_of_ours)
{
    cr_expect_str_eq(means("stripe", "insufficient_funds"),
                     "insufficient_funds");
    cr_expect_str_eq(means("stripe", "generic_decline"), "do_not_honor");
    cr_expect_str_eq(means("adyen", "not_enough_balance"),
                     "insufficient_funds");
    cr_expect_str_eq(means("adyen", "43"), "lost_or_stolen");
    cr_expect_str_eq(means("paypal", "5120"), "insufficient_funds");
    cr_expect_str_eq(means("square", "cvv_failure"), "incorrect_cvc");
    cr_expect_str_eq(means("mollie", "possible_fraud"), "fraud_suspected");
}


Test(pay_decline, one_of_ours_is_itself_at_every_psp)
{
    cr_expect_str_eq(means("generic", "expired_card"), "expired_card");
    cr_expect_str_eq(means("nobody", "issuer_unavailable"),
                     "issuer_unavailable");
}


Test(pay_decline, what_nobody_knows_is_unknown)
{
    cr_expect_str_eq(means("stripe", "brand_new"), "unknown");
    cr_expect_str_eq(means("stripe", ""), "unknown");
    cr_expect_str_eq(means("nobody", "generic_decline"), "unknown");
    cr_expect_str_eq(pay_decline_named(PAY_STR("unknowns"))->code, "unknown");
}


/* Else a PSP's code would be "unknown" for a slip of the pen. */
Test(pay_decline, every_row_of_a_psp_leads_to_a_code_of_ours)
{
    pay_str_t                   safe;
    const pay_decline_code_t   *row;
    const pay_decline_codes_t  *list;

    for (list = pay_decline_codes; list->adapter != NULL; list++) {
        cr_expect_not_null(pay_psp_find(pay_str_of(list->adapter)));

        for (row = list->codes; row->theirs != NULL; row++) {
            cr_expect_str_eq(pay_decline_named(pay_str_of(row->ours))->code,
                             row->ours, "%s %s", list->adapter, row->theirs);
            cr_assert_eq(pay_psp_safe(test_arena(),
                                      pay_str_of(row->theirs), &safe),
                         PAY_OK);
            cr_expect(pay_str_is(safe, row->theirs), "%s can never come",
                      row->theirs);
        }
    }
}


Test(pay_decline, docs_have_the_same_table)
{
    char                  row[512];
    char                 *text, *at;
    size_t                size;
    FILE                 *file = fopen("docs/psps.md", "rb");
    const pay_decline_t  *decline;

    cr_assert_not_null(file);
    text = calloc(1, 262144);
    size = fread(text, 1, 262143, file);
    fclose(file);
    cr_assert_gt(size, 0);

    at = strstr(text, START);
    cr_assert_not_null(at);
    at += strlen(START);

    for (decline = pay_decline_table(); decline->code != NULL; decline++) {
        snprintf(row, sizeof(row), "| `%s` | `%s` | %s |\n", decline->code,
                 pay_decline_retry(decline), decline->means);
        cr_assert_eq(strncmp(at, row, strlen(row)), 0, "%s", row);
        at += strlen(row);
    }

    cr_expect_neq(*at, '|', "a row too many");
    free(text);
}

/* IBAN and BIC: examples of the registry, and each wrong digit of one. */

#include <criterion/criterion.h>

#include "pay_iban.h"
#include "torture.h"

#include <stdio.h>


static const char *const  right[] = {
    "DE89370400440532013000", "GB29NWBK60161331926819",
    "FR1420041010050500013M02606", "NL91ABNA0417164300",
    "BE68539007547034", "NO9386011117947", "MT84MALT011000012345MTLCAST001S",
    "CH9300762011623852957", "AT611904300234573201",
    "ES9121000418450200051332", "IT60X0542811101000000123456",
    "PL61109010140000071219812874", "SE4550000000058398257466",
    "LC55HEMM000100010012001200023015", NULL
};


Test(pay_iban, the_examples_of_the_registry_are_valid)
{
    size_t  i;

    for (i = 0; right[i] != NULL; i++) {
        cr_expect(pay_iban_is_valid(pay_str_of(right[i])), "%s", right[i]);
    }
}


Test(pay_iban, each_wrong_character_is_found)
{
    char    made[PAY_IBAN_MAX + 1];
    size_t  i, k;
    char    c;

    for (i = 0; right[i] != NULL; i++) {
        for (k = 0; right[i][k] != '\0'; k++) {
            snprintf(made, sizeof(made), "%s", right[i]);

            for (c = '0'; c <= '9'; c++) {
                made[k] = c;

                if (c != right[i][k]) {
                    cr_expect_not(pay_iban_is_valid(pay_str_of(made)), "%s",
                                  made);
                }
            }
        }
    }
}


Test(pay_iban, neighbours_that_were_exchanged_are_found)
{
    char    made[PAY_IBAN_MAX + 1], c;
    size_t  i, k;

    for (i = 0; right[i] != NULL; i++) {
        for (k = 0; right[i][k + 1] != '\0'; k++) {
            snprintf(made, sizeof(made), "%s", right[i]);
            c = made[k];
            made[k] = made[k + 1];
            made[k + 1] = c;

            if (made[k] != c) {
                cr_expect_not(pay_iban_is_valid(pay_str_of(made)), "%s",
                              made);
            }
        }
    }
}


/* 01 and 98 + 97 would fit the rule of 97, too. */
Test(pay_iban, what_is_none_is_refused)
{
    size_t  i;

    static const char *const  wrong[] = {
        "", "DE", "DE8", "DE89", "DE8937040044053201300",
        "DE893704004405320130000", "de89370400440532013000",
        "DE89 3704 0044 0532 0130 00", "US89370400440532013000",
        "XX89370400440532013000", "D\xc3\x89" "89370400440532013000",
        "DE8937040044053201300\n", NULL
    };

    for (i = 0; wrong[i] != NULL; i++) {
        cr_expect_not(pay_iban_is_valid(pay_str_of(wrong[i])), "%s",
                      wrong[i]);
    }
}


static const char *
read_iban(const char *text)
{
    char           *copy;
    pay_str_t       iban;
    pay_heap_t     *heap = pay_heap_create();
    pay_status_t    status;

    static char       kept[128];
    static pay_err_t  err;

    memset(&err, 0, sizeof(err));
    status = pay_iban_read(pay_heap_arena(heap), pay_str_of(text), &iban,
                           &err);
    copy = kept;
    snprintf(copy, sizeof(kept), "%.*s",
             status == PAY_OK ? (int) iban.len : (int) strlen(err.detail),
             status == PAY_OK ? (const char *) iban.data : err.detail);
    pay_heap_destroy(heap);

    return kept;
}


Test(pay_iban, what_a_person_typed_is_read_and_a_fault_is_named)
{
    cr_expect_str_eq(read_iban(" de89 3704 0044 0532 0130 00 "),
                     "DE89370400440532013000");
    cr_expect_str_eq(read_iban("DE88370400440532013000"),
                     "the check digits of the IBAN do not fit");
    cr_expect_str_eq(read_iban("DE8937040044053201300"),
                     "an IBAN of this country has another length");
    cr_expect_str_eq(read_iban("US00"), "this country has no IBAN");
    cr_expect_str_eq(read_iban("DE89-3704"),
                     "an IBAN has letters and digits alone");
    cr_expect_str_eq(read_iban("4711"),
                     "an IBAN begins with two letters and two digits");
    cr_expect_str_eq(read_iban("DE89370400440532013000DE89370400440532013000"
                               "DE89370400440532013000"),
                     "an IBAN has at most 34 characters");
}


Test(pay_iban, a_bic_has_eight_or_eleven_characters)
{
    size_t  i;

    static const char *const  wrong[] = {
        "", "COBADEF", "COBADEFFX", "COBADEFFXXXX", "cobadeff", "COBA1EFF",
        "COBADE F", NULL
    };

    cr_expect(pay_bic_is_valid(PAY_STR("COBADEFF")));
    cr_expect(pay_bic_is_valid(PAY_STR("COBADEFF060")));
    cr_expect(pay_bic_is_valid(PAY_STR("1OBADE2F")));

    for (i = 0; wrong[i] != NULL; i++) {
        cr_expect_not(pay_bic_is_valid(pay_str_of(wrong[i])), "%s", wrong[i]);
    }
}

/*
 * The table of PSP adapters.  The gateway finds one here by the name that the
 * `adapter` parameter of a payments_psp block gives; one more PSP is one more
 * row.
 */

#include "psp/psp.h"


/* In alphabetical order; tests/unit/test_conformance.c walks over all rows. */
static const pay_psp_adapter_t *const  adapters[] = {
    &pay_psp_adyen,
    &pay_psp_braintree,
    &pay_psp_generic,
    &pay_psp_gocardless,
    &pay_psp_mollie,
    &pay_psp_paypal,
    &pay_psp_razorpay,
    &pay_psp_square,
    &pay_psp_stripe,
    NULL
};


const pay_psp_adapter_t *
pay_psp_find(pay_str_t name)
{
    size_t  i;

    for (i = 0; adapters[i] != NULL; i++) {
        if (pay_str_is(name, adapters[i]->name)) {
            return adapters[i];
        }
    }

    return NULL;
}


const pay_psp_adapter_t *const *
pay_psp_table(void)
{
    return adapters;
}

/*
 * The table of pay-out adapters, and their facts.  The gateway finds one
 * here by its name; one more provider is one more row.
 */

#include "payout/payout.h"


/* In alphabetical order; tests/unit/test_payout.c walks over all rows. */
static const pay_payout_adapter_t *const  adapters[] = {
    &pay_payout_adyen,
    &pay_payout_generic,
    &pay_payout_pain001,
    &pay_payout_paypal,
    &pay_payout_stripe,
    &pay_payout_tipalti,
    &pay_payout_wise,
    NULL
};

static const char *const  state_names[] = {
    [PAY_PAYOUT_DRAFT] = "draft",
    [PAY_PAYOUT_HELD] = "held",
    [PAY_PAYOUT_READY] = "ready",
    [PAY_PAYOUT_APPROVED] = "approved",
    [PAY_PAYOUT_SENDING] = "sending",
    [PAY_PAYOUT_SENT] = "sent",
    [PAY_PAYOUT_PAID] = "paid",
    [PAY_PAYOUT_SETTLED] = "settled",
    [PAY_PAYOUT_RETURNED] = "returned",
    [PAY_PAYOUT_FAILED] = "failed",
    [PAY_PAYOUT_CANCELLED] = "cancelled",
    [PAY_PAYOUT_UNKNOWN] = "unknown"
};
PAY_ROWS(state_names, PAY_PAYOUT_STATE_COUNT);


const pay_payout_adapter_t *
pay_payout_find(pay_str_t name)
{
    size_t  i;

    for (i = 0; adapters[i] != NULL; i++) {
        if (pay_str_is(name, adapters[i]->name)) {
            return adapters[i];
        }
    }

    return NULL;
}


const pay_payout_adapter_t *const *
pay_payout_table(void)
{
    return adapters;
}


const char *
pay_payout_adapter_name(const pay_payout_adapter_t *adapter)
{
    return adapter->name;
}


const char *
pay_payout_scheme(const pay_payout_adapter_t *adapter)
{
    return adapter->scheme;
}


unsigned
pay_payout_traits(const pay_payout_adapter_t *adapter)
{
    return adapter->traits;
}


const pay_payout_step_t *
pay_payout_step(const pay_payout_adapter_t *adapter, unsigned n)
{
    return (n < PAY_PAYOUT_STEPS_MAX && adapter->steps[n].name != NULL)
           ? &adapter->steps[n] : NULL;
}


int
pay_payout_wants_token(const pay_payout_adapter_t *adapter)
{
    return adapter->auth_request != NULL;
}


unsigned
pay_payout_items_max(const pay_payout_adapter_t *adapter)
{
    return adapter->items_max;
}


unsigned
pay_payout_looks(const pay_payout_adapter_t *adapter, unsigned *gap_s)
{
    *gap_s = adapter->look_gap_s;

    return adapter->looks;
}


unsigned
pay_payout_return_days(const pay_payout_adapter_t *adapter)
{
    return adapter->return_days;
}


int
pay_payout_can(const pay_payout_adapter_t *adapter, pay_payout_call_t call)
{
    return adapter->slots[call].request != NULL;
}


const char *
pay_payout_state_name(pay_payout_state_t state)
{
    return state_names[state];
}

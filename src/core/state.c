/*
 * The order's state machine as one total table: state x fact -> state.  It
 * decides nothing about money (amount and currency are compared before a
 * fact gets here) and is called by flows and by the webhook path.
 */

#include "pay_state.h"


typedef struct {
    const char  *name;
    const char  *reason;
} pay_fact_text_t;


/* SUCCESS never goes back; FAILED -> SUCCESS is the late proof of a payment
 * (docs/architecture.md#order-states); a first failure keeps its reason. */
static const pay_state_t  pay_state_table[PAY_STATE_COUNT][PAY_FACT_COUNT] = {

    [PAY_NOT_STARTED] = {
        [PAY_FACT_NONE] = PAY_NOT_STARTED,
        [PAY_FACT_PENDING] = PAY_EXECUTING,
        [PAY_FACT_PAID] = PAY_SUCCESS,
        [PAY_FACT_DECLINED] = PAY_FAILED,
        [PAY_FACT_EXPIRED] = PAY_FAILED,
        [PAY_FACT_CANCELLED] = PAY_FAILED,
        [PAY_FACT_REJECTED] = PAY_FAILED,
        [PAY_FACT_AUTHORIZED] = PAY_EXECUTING,
        [PAY_FACT_ATTEMPT] = PAY_NOT_STARTED
    },

    [PAY_EXECUTING] = {
        [PAY_FACT_NONE] = PAY_EXECUTING,
        [PAY_FACT_PENDING] = PAY_EXECUTING,
        [PAY_FACT_PAID] = PAY_SUCCESS,
        [PAY_FACT_DECLINED] = PAY_FAILED,
        [PAY_FACT_EXPIRED] = PAY_FAILED,
        [PAY_FACT_CANCELLED] = PAY_FAILED,
        [PAY_FACT_REJECTED] = PAY_FAILED,
        [PAY_FACT_AUTHORIZED] = PAY_EXECUTING,
        [PAY_FACT_ATTEMPT] = PAY_EXECUTING
    },

    [PAY_SUCCESS] = {
        [PAY_FACT_NONE] = PAY_SUCCESS,
        [PAY_FACT_PENDING] = PAY_SUCCESS,
        [PAY_FACT_PAID] = PAY_SUCCESS,
        [PAY_FACT_DECLINED] = PAY_SUCCESS,
        [PAY_FACT_EXPIRED] = PAY_SUCCESS,
        [PAY_FACT_CANCELLED] = PAY_SUCCESS,
        [PAY_FACT_REJECTED] = PAY_SUCCESS,
        [PAY_FACT_AUTHORIZED] = PAY_SUCCESS,
        [PAY_FACT_ATTEMPT] = PAY_SUCCESS
    },

    [PAY_FAILED] = {
        [PAY_FACT_NONE] = PAY_FAILED,
        [PAY_FACT_PENDING] = PAY_FAILED,
        [PAY_FACT_PAID] = PAY_SUCCESS,
        [PAY_FACT_DECLINED] = PAY_FAILED,
        [PAY_FACT_EXPIRED] = PAY_FAILED,
        [PAY_FACT_CANCELLED] = PAY_FAILED,
        [PAY_FACT_REJECTED] = PAY_FAILED,
        [PAY_FACT_AUTHORIZED] = PAY_FAILED,
        [PAY_FACT_ATTEMPT] = PAY_FAILED
    }
};


static const char  *const pay_state_names[PAY_STATE_COUNT] = {
    [PAY_NOT_STARTED] = "NOT_STARTED",
    [PAY_EXECUTING] = "EXECUTING",
    [PAY_SUCCESS] = "SUCCESS",
    [PAY_FAILED] = "FAILED"
};


static const pay_fact_text_t  pay_fact_texts[PAY_FACT_COUNT] = {
    [PAY_FACT_NONE] = { "none", "" },
    [PAY_FACT_PENDING] = { "pending", "" },
    [PAY_FACT_PAID] = { "paid", "" },
    [PAY_FACT_DECLINED] = { "declined", "declined" },
    [PAY_FACT_EXPIRED] = { "expired", "expired" },
    [PAY_FACT_CANCELLED] = { "cancelled", "cancelled" },
    [PAY_FACT_REJECTED] = { "rejected", "rejected" },
    [PAY_FACT_AUTHORIZED] = { "authorized", "" },
    [PAY_FACT_ATTEMPT] = { "attempt_declined", "" }
};


pay_transition_t
pay_state_next(pay_state_t state, pay_fact_t fact)
{
    pay_transition_t  transition;

    transition.state = state;
    transition.changed = 0;

    /* a number that is no state or no fact moves nothing */

    if ((unsigned) state >= PAY_STATE_COUNT
        || (unsigned) fact >= PAY_FACT_COUNT)
    {
        return transition;
    }

    transition.state = pay_state_table[state][fact];
    transition.changed = transition.state != state;

    return transition;
}


const char *
pay_state_name(pay_state_t state)
{
    if ((unsigned) state >= PAY_STATE_COUNT) {
        return "";
    }

    return pay_state_names[state];
}


const char *
pay_fact_reason(pay_fact_t fact)
{
    if ((unsigned) fact >= PAY_FACT_COUNT) {
        return "";
    }

    return pay_fact_texts[fact].reason;
}


const char *
pay_fact_name(pay_fact_t fact)
{
    if ((unsigned) fact >= PAY_FACT_COUNT) {
        return "";
    }

    return pay_fact_texts[fact].name;
}


int
pay_state_parse(pay_str_t name, pay_state_t *state)
{
    unsigned  i;

    for (i = 0; i < PAY_STATE_COUNT; i++) {
        if (pay_str_is(name, pay_state_names[i])) {
            *state = (pay_state_t) i;
            return 1;
        }
    }

    return 0;
}

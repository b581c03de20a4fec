/*
 * The order's state machine (docs/architecture.md#order-states), the same
 * table that sql/ enforces; and the facts that a PSP can tell about a
 * registration.
 */

#ifndef PAY_STATE_H
#define PAY_STATE_H

#include "pay_str.h"


typedef enum {
    PAY_NOT_STARTED = 0,       /* stored; nothing was sent to a PSP */
    PAY_EXECUTING,             /* sent to a PSP; the outcome is open */
    PAY_SUCCESS,               /* the PSP proved the payment; never goes back */
    PAY_FAILED                 /* with a reason; SUCCESS may still follow */
} pay_state_t;

#define PAY_STATE_COUNT  4

/* What a webhook or a query says about a registration. */
typedef enum {
    PAY_FACT_NONE = 0,         /* nothing about the payment's outcome */
    PAY_FACT_PENDING,          /* the buyer is done, the money is under way */
    PAY_FACT_PAID,
    PAY_FACT_DECLINED,
    PAY_FACT_EXPIRED,
    PAY_FACT_CANCELLED,
    PAY_FACT_REJECTED,         /* the PSP refused the registration itself */
    PAY_FACT_AUTHORIZED,       /* the money is held for us, to be captured */
    PAY_FACT_ATTEMPT           /* an attempt to pay was declined; the buyer may
                                  try again, so that nothing moves */
} pay_fact_t;

#define PAY_FACT_COUNT  9

typedef struct {
    pay_state_t  state;
    int          changed;      /* 0: the fact is late, a repeat or no news */
} pay_transition_t;


/* Where `fact` takes an order in `state`.  Total over both enums. */
pay_transition_t pay_state_next(pay_state_t state, pay_fact_t fact);

const char *pay_state_name(pay_state_t state);     /* "NOT_STARTED" … */
/* "" for facts that fail nothing, else declined|expired|cancelled|rejected */
const char *pay_fact_reason(pay_fact_t fact);
const char *pay_fact_name(pay_fact_t fact);        /* none|pending|paid|… */
/* 1 and *state set when `name` is a state's name. */
int pay_state_parse(pay_str_t name, pay_state_t *state);


#endif /* PAY_STATE_H */

/*
 * The order's state machine (docs/architecture.md#order-states), the same table
 * that sql/ enforces; and the facts that a PSP can state about a registration.
 */

#ifndef PAY_STATE_H
#define PAY_STATE_H

#include "pay_str.h"


typedef enum {
    PAY_NOT_STARTED = 0,       /* stored; nothing was sent to a PSP */
    PAY_EXECUTING,             /* sent to a PSP; the outcome is open */
    PAY_SUCCESS,               /* the PSP proved the payment; never goes back */
    PAY_FAILED,                /* with a reason; SUCCESS may still follow */
    PAY_STATE_COUNT
} pay_state_t;

/* The statements of a webhook or a query about a registration. */
typedef enum {
    PAY_FACT_NONE = 0,         /* nothing about the payment's outcome */
    PAY_FACT_PENDING,          /* the buyer is done, the money is under way */
    PAY_FACT_PAID,
    PAY_FACT_DECLINED,
    PAY_FACT_EXPIRED,
    PAY_FACT_CANCELLED,
    PAY_FACT_REJECTED,         /* the PSP refused the registration itself */
    PAY_FACT_AUTHORIZED,       /* the money is held for us, to be captured */
    PAY_FACT_ATTEMPT,          /* an attempt to pay was declined; the buyer may
                                  try again, so that nothing moves */
    PAY_FACT_COUNT
} pay_fact_t;

typedef struct {
    pay_state_t  state;
    int          changed;      /* 0: the fact is late, a repeat or no news */
} pay_transition_t;


/* A row of pay.transition: a fact of a kind about an order in a status is
 * news, and the order is next in that status.  Of several rows the first one
 * counts of which all is given. */
typedef struct {
    const char  *kind;
    const char  *status;
    const char  *actor;        /* any, psp, gateway, others */
    const char  *capture;      /* any, automatic, manual */
    int          is_held;      /* some of the money has to be held */
    const char  *provided;     /* always, late, partly, closing, … */
    const char  *news;
    const char  *next;

    int          fact;         /* PAY_FACT_COUNT and above: the gateway's own */
    int          state;
    int          next_state;
    int          is_plain;     /* it asks for nothing: the last of its kind */
} pay_transition_row_t;

/* A row of pay.news_kind. */
typedef struct {
    const char  *news;
    const char  *logged;       /* when news that moves no status is a
                                  timeline event */
    const char  *told;         /* the message for storefronts then, or "" */
    int          is_shown;     /* readers of the checkout see it */
} pay_news_row_t;


/* The state to which `fact` takes an order in `state` when none of the
 * exceptions applies.  Total over both enums. */
pay_transition_t pay_state_next(pay_state_t state, pay_fact_t fact);

/* All rows, and their number. */
const pay_transition_row_t *pay_state_transitions(unsigned *count);
const pay_news_row_t *pay_state_news(unsigned *count);

/* As SQL and the API write them: "NOT_STARTED", "EXECUTING" … */
const char *pay_state_name(pay_state_t state);
/* "" for facts that fail nothing, else declined|expired|cancelled|rejected */
const char *pay_fact_reason(pay_fact_t fact);
/* As SQL writes them: "none", "pending", "paid" … */
const char *pay_fact_name(pay_fact_t fact);
/* 1 and *state set when `name` is a state's name. */
int pay_state_parse(pay_str_t name, pay_state_t *state);


#endif /* PAY_STATE_H */

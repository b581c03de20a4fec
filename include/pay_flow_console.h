/*
 * Flows of the console: its pages, and the acts of staff.
 */

#ifndef PAY_FLOW_CONSOLE_H
#define PAY_FLOW_CONSOLE_H

#include "pay_console.h"
#include "pay_flow.h"


/* A page of the console.  A page that staff may not see is answered 403, which
 * names the roles that would do.  can_act: a look at data of a person is kept
 * as an act before it is shown. */
pay_status_t pay_flow_console(pay_flow_t *flow, const pay_staff_t *staff,
    const pay_console_asked_t *asked, int can_act) PAY_MUST_CHECK;

typedef struct {
    pay_staff_t          staff;
    int64_t              login_age_s;    /* -1: the token does not say */
    const char          *act;            /* of pay_console_act_name() */
    pay_str_t            body;           /* of a stranger */
    pay_str_t            terms;          /* of refunds: JSON */
    const pay_secret_t  *key;            /* signs proofs; NULL: none */
} pay_console_act_input_t;

/* An act of staff: done, or refused with a problem.  Its slices live as long as
 * the flow. */
pay_status_t pay_flow_console_act(pay_flow_t *flow,
    const pay_console_act_input_t *input) PAY_MUST_CHECK;


#endif /* PAY_FLOW_CONSOLE_H */

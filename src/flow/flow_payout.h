/*
 * The flow of a call to a pay-out provider, on its files.  Private to src/flow.
 */

#ifndef PAY_FLOW_PAYOUT_H
#define PAY_FLOW_PAYOUT_H

#include "flow_util.h"
#include "pay_payout.h"


/* A call that was claimed; the whole of it lives in the flow's arena. */
typedef struct {
    const pay_payout_provider_t  *provider;
    pay_str_t                     owner;
    int64_t                       started_s;
    pay_str_t                     payout_id;
    int64_t                       number;      /* in the journal */
    pay_payout_call_t             call;        /* _COUNT: a word that is not
                                                  known */
    pay_payout_item_t             item;        /* the parcel's only one */
    pay_payout_parcel_t           parcel;
    const char                   *why;         /* literal: the account cannot
                                                  be read */
} payout_t;


/* flow_payout_open.c */

/* The columns of pay.payout_adapter but its name, as JSON. */
pay_status_t payout_facts(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, pay_str_t *facts) PAY_MUST_CHECK;
/* Fills payout->item from the row: the account is opened with the key of its
 * name.  PAY_INVALID: payout->why says why it cannot be paid to. */
pay_status_t payout_open(pay_flow_t *flow, payout_t *payout,
    const pay_payout_call_row_t *row) PAY_MUST_CHECK;


#endif /* PAY_FLOW_PAYOUT_H */

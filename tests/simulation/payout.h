/*
 * Pay-outs in the simulator: a treasurer releases orders, makes items and
 * batches, another one approves; workers call a model provider, which pays,
 * and tells of it.
 *
 *   payout.c  people, and workers who call                sim_payouts_plan()
 *   payer.c   the model provider                          sim_payer_take()
 *   told.c    its webhooks
 *   paid.c    what must be true
 */

#ifndef SIM_PAYOUT_H
#define SIM_PAYOUT_H

#include "payout/payout.h"
#include "sim.h"


#define SIM_PAYOUT_STEP  (20 * SIM_S)    /* of a worker that looks for calls */

/* A payment as the provider's books have it. */
typedef struct sim_paid_s  sim_paid_t;

struct sim_paid_s {
    sim_t         *sim;
    pay_str_t      id, key, amount, currency, end;
    const char    *status;               /* of docs/payout-providers.md */
    const char    *code;                 /* or NULL */
    int            has_left;             /* its money, to the seller */
    int            is_back;              /* and came back */
    int64_t        at;                   /* of its status */
    sim_paid_t    *next;
};

struct sim_payouts_s {
    pay_payout_provider_t  provider;
    pay_payout_adapter_t   adapter;      /* with a key window of its own */
    pay_psp_conf_t         client;
    pay_keyring_t          ring;
    sim_psp_t              psp;          /* of its network and keys */
    sim_paid_t            *paid;         /* newest first */
    unsigned               steps;        /* since the healing */
};


/* told.c: what has become of a payment, until it is answered 2xx. */
void sim_payer_tell(sim_t *sim, const sim_paid_t *paid);
/* The payment as JSON. */
pay_str_t sim_payer_json(sim_t *sim, const sim_paid_t *paid);

/* paid.c: before each payment that the provider makes. */
void sim_judge_payment(sim_t *sim, const sim_paid_t *paid);


#endif /* SIM_PAYOUT_H */

/*
 * Pay-outs in the simulator: a treasurer releases orders, makes items and
 * batches, another one approves; workers call two model providers, which pay,
 * and tell of it.
 *
 *   payout.c  providers, and workers who call             sim_payouts_plan()
 *   people.c  treasurer, schedules                        sim_people_plan()
 *   batch.c   batches and their approvers                 sim_batches_make()
 *   request.c the API, as these people use it             sim_request()
 *   payer.c   the model providers                         sim_payer_take()
 *   told.c    its webhooks
 *   paid.c    what must be true
 */

#ifndef SIM_PAYOUT_H
#define SIM_PAYOUT_H

#include "payout/payout.h"
#include "sim.h"


#define SIM_PAYERS       2
#define SIM_PEOPLE       4
#define SIM_SELLER       "seller"
#define SIM_PAYOUT_STEP  (20 * SIM_S)    /* of a worker that looks for calls */

typedef struct sim_request_s  sim_request_t;

/* A batch that is approved. */
typedef struct {
    const char    *id;
    const char    *hash;
    unsigned       who;                  /* of sim_people comes next */
} sim_batch_t;

/* A payment as the provider's books have it. */
typedef struct sim_paid_s  sim_paid_t;

struct sim_paid_s {
    sim_t         *sim;
    unsigned       payer;                /* whose books */
    pay_str_t      id, key, amount, currency, end;
    const char    *status;               /* of docs/payout-providers.md */
    const char    *code;                 /* or NULL */
    int            has_left;             /* its money, to the seller */
    int            comes_back;           /* some time */
    int            is_back;              /* it has */
    int            is_silent;            /* and no message says so */
    int64_t        at;                   /* of its status */
    sim_paid_t    *next;
};

struct sim_payouts_s {
    pay_payout_provider_t  providers[SIM_PAYERS];
    pay_payout_adapter_t   adapter;      /* with a key window of its own */
    pay_psp_conf_t         clients[SIM_PAYERS];
    pay_keyring_t          ring;
    sim_psp_t              psps[SIM_PAYERS];     /* their networks and keys */
    sim_paid_t            *paid;         /* by both, newest first */
    unsigned               steps;        /* since the healing */
    unsigned               dies;         /* a worker, at each step: permille */
    sim_step_t             dies_at;      /* one does for sure */
    unsigned               dies_in;      /*   when this has come so often */
    int                    by_api;       /* requests, else payctl */
    int                    by_schedule;  /* items are made, too */
    sim_request_t         *requests;
};


extern const char *const  sim_payers[SIM_PAYERS];
extern const char *const  sim_people[SIM_PEOPLE];      /* the first one makes */

/* payout.c: the account of the seller, anew. */
void sim_account_enter(sim_t *sim, const char *currency, const char *payer);

/* people.c */
void sim_people_plan(sim_t *sim);
/* SQL as payctl executes it, and its answer; $1 is the merchant. */
const char *sim_act(sim_t *sim, const char *sql, const char *first,
    const char *second, const char *third);

/* batch.c: of all that is ready; of schedules, and those whose approvers have
 * not come; one that was made; the answer to its next approver. */
void sim_batches_make(sim_t *sim, void *unused);
void sim_batches_find(sim_t *sim);
void sim_batch_found(sim_t *sim, const char *id, const char *hash);
void sim_batch_said(sim_t *sim, sim_batch_t *batch, const char *said);

/* request.c: one by `who`; batch: the one that it approves, or NULL. */
void sim_request(sim_t *sim, pay_payout_act_kind_t kind, const char *who,
    pay_str_t body, sim_batch_t *batch);
/* P6: each request was answered. */
void sim_judge_requests(sim_t *sim);

/* told.c: what has become of a payment, until it is answered 2xx. */
void sim_payer_tell(sim_t *sim, const sim_paid_t *paid);
/* The payment as JSON. */
pay_str_t sim_payer_json(sim_t *sim, const sim_paid_t *paid);

/* payer.c: the payment of this key; NULL: there is none, and never will be. */
const sim_paid_t *sim_payer_end(sim_t *sim, unsigned payer, pay_str_t key);

/* paid.c: before each payment that the provider makes. */
void sim_judge_payment(sim_t *sim, const sim_paid_t *paid);


#endif /* SIM_PAYOUT_H */

/*
 * Several cells: databases with some of the merchants each, which all nodes
 * serve.  The scenario's merchant moves from one of them to another while it
 * sells (docs/scaling.md#moving-a-merchant).
 */

#ifndef SIM_CELLS_H
#define SIM_CELLS_H

#include "sim.h"


/* How a node is configured.  Each worker is a node of its own. */
typedef enum {
    SIM_CONF_OLD = 0,          /* the merchant is at home */
    SIM_CONF_MOVES,            /* it moves away, or has moved */
    SIM_CONF_BACK,             /* it comes back */
    SIM_CONFS
} sim_conf_t;

/* A batch of begin_payment that has run and is not committed yet. */
typedef struct {
    unsigned     count;        /* 0: there is none */
    sim_call_t  *calls[SIM_BATCH_MAX];
} sim_hold_t;

typedef struct {
    int64_t  from, until;
} sim_away_t;

struct sim_cells_s {
    unsigned               count;
    unsigned               home, other;  /* of the merchant */
    int                    comes_back;   /* it moves back later */
    int                    carries;      /* balances */
    int                    is_moving;    /* payctl has been called */
    int                    is_back;      /* and to move it back */
    unsigned               stale;        /* this node misses the move, and
                                            hears of the way back late;
                                            SIM_WORKERS: none */
    unsigned               calls;        /* of payctl behind a move */
    unsigned               movers;       /* that are at work */
    unsigned               holds_in, forges_in, dies_in, cancels_in;
    sim_conf_t             confs[SIM_WORKERS];
    pay_env_t              envs[SIM_CONFS];
    pay_merchant_t         merchants[SIM_CONFS];
    sim_hold_t             holds[SIM_CELLS];
    sim_away_t             away[SIM_CELLS];
};


/* cells.c */
void sim_cells_plan(sim_t *sim);
/* 1 where there is one database only. */
unsigned sim_cell_count(const sim_t *sim);
const char *sim_cell_name(unsigned cell);
/* What is asked of the database from now on is asked of this one's. */
void sim_cell_enter(sim_t *sim, unsigned cell);
/* Whether that PSP's events are of the cell that is entered. */
int sim_psp_is_here(const sim_t *sim, unsigned psp);
/* Enters the one that has the checkout, or the first. */
unsigned sim_cell_of(sim_t *sim, pay_str_t checkout_id);
int sim_cell_is_away(const sim_t *sim, unsigned cell);
/* Of the node that the worker is. */
const pay_env_t *sim_node_env(const sim_t *sim, unsigned worker);
/* By its letter, as find_cell() of ngx_http_payments_buyer.c: 0, none. */
int sim_handle_cell(const sim_t *sim, pay_str_t handle, unsigned *cell);
/* Of that random part, in the cell. */
pay_str_t sim_handle(sim_t *sim, const unsigned char *entropy, unsigned cell);
/* Another letter in front of it. */
pay_str_t sim_handle_forge(sim_t *sim, pay_str_t handle);
/* Whether a node with that configuration has been told of the cell with the
 * checkout. */
int sim_node_reaches(sim_t *sim, const pay_env_t *env, pay_str_t checkout_id);
/* Calls that are about to run: 1, they have run and are committed later. */
int sim_cells_hold(sim_t *sim, sim_call_t **calls, unsigned count);

/* mover.c: payctl merchant move, which begins now. */
void sim_mover_start(sim_t *sim, unsigned from, unsigned to);

/* moved.c */
void sim_judge_cells(sim_t *sim);


#endif /* SIM_CELLS_H */

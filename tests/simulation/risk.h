/*
 * Risk in the simulator: rules, windows in the memory of hosts and in
 * PostgreSQL, lists, and reviewers.  A model that shares nothing with the
 * gateway but the configuration knows every decision in advance.
 *
 *   risk.c     configuration, buyers, lists, memory       sim_risk_plan()
 *   decided.c  what must be true of them                  sim_judge_risk()
 *   card.c     words of PSPs about cards, and the same    sim_judge_cards()
 *   held.c     money that waits for reviewers             sim_judge_held()
 */

#ifndef SIM_RISK_H
#define SIM_RISK_H

#include "sim.h"


#define SIM_HOSTS  2                     /* with a memory of their own */

/* The rules and velocities that a scenario may have. */
typedef enum {
    SIM_RULE_LARGE = 0, SIM_RULE_BAD, SIM_RULE_NOBODY, SIM_RULE_OURS,
    SIM_RULES
} sim_rule_t;

typedef enum {
    SIM_BY_IP = 0, SIM_BY_SHOP, SIM_BY_EMAIL, SIM_BY_SUM, SIM_BY_DECLINES,
    SIM_BY_CARD,
    SIM_VELOCITIES
} sim_velocity_t;

typedef enum {
    SIM_LIST_EMAIL = 0, SIM_LIST_NETWORK, SIM_LIST_BUYER, SIM_LISTS
} sim_list_t;

/* A rule, velocity or list of the scenario, as the model knows it. */
typedef struct {
    int                 is_there;
    int                 is_shadow;
    pay_risk_action_t   then;
    int64_t             limit;
} sim_term_t;

/* A buyer: numbers of values that are the same to the gateway. */
typedef struct {
    unsigned  email, ip, buyer, device;  /* buyer 0: none is said */
} sim_person_t;

/* What became of a checkout. */
struct sim_looked_s {
    sim_person_t        person;
    unsigned            created;         /* times that it was new */
    pay_risk_action_t   word;            /* of the model, when it was */
};

/* An attempt in the memory of a host. */
typedef struct sim_attempt_s  sim_attempt_t;

struct sim_attempt_s {
    unsigned        velocity, host, value;
    int64_t         at_s;                /* by the clock of its worker */
    int64_t         counts_at_s;         /* not before the one before it */
    int             is_over;             /* taken back, or the host restarted */
    sim_attempt_t  *next;
};

/* A create that was looked at. */
typedef struct sim_look_s  sim_look_t;

struct sim_look_s {
    const sim_flow_t           *flow;
    const sim_post_t           *post;
    unsigned                    host;
    unsigned                    hits;    /* bits: windows in memory */
    unsigned                    takes;   /* how often it was taken back */
    const pay_risk_counts_t    *counts;
    int                         is_heard;
    pay_outcome_t               outcome; /* … PAY_OUTCOME_NONE: none, but … */
    pay_db_failure_t            failure;
    sim_attempt_t              *attempts[SIM_VELOCITIES];
    sim_look_t                 *next;
};

/* A counter as PostgreSQL must have it. */
typedef struct sim_counter_s  sim_counter_t;

struct sim_counter_s {
    sim_velocity_t   velocity;
    unsigned         value;
    int64_t          hour;
    int64_t          attempts;
    int64_t          minor;
    sim_counter_t   *next;
};

struct sim_risk_s {
    pay_risk_t            conf;
    pay_risk_rule_t       rules[SIM_RULES];
    pay_risk_velocity_t   velocities[SIM_VELOCITIES];
    sim_term_t            rule[SIM_RULES];       /* the same for the model */
    sim_term_t            velocity[SIM_VELOCITIES];
    sim_term_t            list[SIM_LISTS];
    unsigned              hosts;
    void                 *memory[SIM_HOSTS];
    pay_risk_table_t     *tables[SIM_HOSTS];
    unsigned              inexact;       /* taken back out of another part of
                                            the window than it was put in */
    sim_attempt_t        *attempts;
    sim_look_t           *looks;
    sim_counter_t        *counters;
};


int64_t sim_risk_window_s(sim_velocity_t velocity);
/* The value that a velocity counts by. */
unsigned sim_risk_value(sim_velocity_t velocity, const sim_person_t *person);
sim_look_t *sim_risk_look(sim_t *sim, const sim_flow_t *flow);
/* Behind a count of the attempt by its host, which says so many. */
void sim_judge_count(sim_t *sim, const sim_attempt_t *attempt,
    uint32_t count);
/* The terms of cards, behind all velocities. */
void sim_cards_plan(sim_t *sim);
void sim_judge_cards(sim_t *sim);
void sim_judge_held(sim_t *sim);


#endif /* SIM_RISK_H */

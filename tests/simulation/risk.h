/*
 * Risk in the simulator: rules, windows in the memory of hosts and in
 * PostgreSQL, lists, and reviewers.  A model that shares nothing with the
 * gateway but the configuration knows every decision in advance.
 *
 *   risk.c     configuration, buyers, lists, memory       sim_risk_plan()
 *   decided.c  what must be true of them                  sim_judge_risk()
 *   card.c     words of PSPs about cards, and the same    sim_judge_cards()
 *   held.c     money that waits for reviewers             sim_judge_held()
 *   provider.c an external provider                       sim_judge_word()
 *   score.c    learned scores                             sim_judge_score()
 */

#ifndef SIM_RISK_H
#define SIM_RISK_H

#include "pay_risk_provider.h"
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
    SIM_VELOCITIES,
    /* windows in memory that models look at */
    SIM_F_IP = SIM_VELOCITIES, SIM_F_EMAIL, SIM_F_BUYER, SIM_F_DEVICE,
    SIM_WINDOWS
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
    pay_str_t           question;        /* to the provider, or empty */
};

/* An attempt in the memory of a host. */
typedef struct sim_attempt_s  sim_attempt_t;

struct sim_attempt_s {
    unsigned        velocity, host, value;
    int64_t         at_s;                /* by the clock of its worker */
    int64_t         counts_at_s;         /* not before the one before it */
    int             is_over;             /* taken back */
    sim_attempt_t  *next;
};

/* A create that was looked at. */
typedef struct sim_look_s  sim_look_t;

struct sim_look_s {
    sim_flow_t                 *flow;
    const sim_post_t           *post;
    int                         was_stored;      /* before it came */
    unsigned                    host;
    unsigned                    hits;    /* bits: windows in memory */
    unsigned                    mails;   /* with its address, in memory */
    unsigned                    asks;    /* of the provider */
    int                         has_word;        /* it was heard */
    pay_risk_action_t           word;    /* or the one of `fail` */
    unsigned                    takes;   /* how often it was taken back */
    const pay_risk_counts_t    *counts;
    int                         is_heard;
    pay_outcome_t               outcome; /* PAY_OUTCOME_NONE: none, but … */
    pay_db_failure_t            failure;
    sim_attempt_t              *attempts[SIM_WINDOWS];
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
    pay_risk_t                  conf;
    pay_risk_rule_t             rules[SIM_RULES];
    pay_risk_velocity_t         velocities[SIM_VELOCITIES];
    sim_term_t                  rule[SIM_RULES]; /* the same for the model */
    sim_term_t                  velocity[SIM_VELOCITIES];
    sim_term_t                  list[SIM_LISTS];
    pay_risk_provider_t         provider;
    const pay_risk_provider_t  *providers[1];
    int64_t                     timeout;         /* of a question */
    int64_t                     away_from, away_until;
    pay_risk_scorer_t           scorer;
    pay_risk_scale_t            scale;
    pay_risk_action_t           score[2];        /* of one signal, of both */
    unsigned                    many;    /* attempts of an address: one more
                                            is a signal */
    unsigned                    hosts;
    void                       *memory[SIM_HOSTS];
    pay_risk_table_t           *tables[SIM_HOSTS];
    unsigned                    inexact; /* taken back out of another part of
                                            the window than it was put in */
    sim_attempt_t              *attempts;
    sim_look_t                 *looks;
    sim_counter_t              *counters;
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
void sim_provider_plan(sim_t *sim);
void sim_judge_word(sim_t *sim, const sim_look_t *look, int64_t minor,
    int is_decided);
void sim_score_plan(sim_t *sim);
/* How many of the two signals the model sees. */
unsigned sim_score_signals(const sim_risk_t *risk, const sim_look_t *look);
/* What the total asks for; is_live: that counts. */
pay_risk_action_t sim_score_word(const sim_risk_t *risk,
    const sim_look_t *look, int is_live);
void sim_judge_score(sim_t *sim, const sim_look_t *look);


#endif /* SIM_RISK_H */

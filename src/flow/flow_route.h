/*
 * The interface between the two files of routing: flow_route.c collects
 * candidates, flow_route_rank.c sorts them.  No other file includes this.
 */

#ifndef FLOW_ROUTE_H
#define FLOW_ROUTE_H

#include "pay_route.h"


/* More candidates than results: scores are compared among all of them before
 * the best PAY_ROUTE_PSPS_MAX are kept. */
#define PAY_ROUTE_CANDIDATES_MAX  32
#define PAY_ROUTE_FULL            1000           /* best score */


/* One PSP that may take the order.  `health` is a copy of the moment, so that
 * all comparisons see the same numbers; `cost` is in minor units of the
 * order's currency, and only set by score. */
typedef struct {
    const pay_psp_conf_t  *psp;
    pay_health_t           health;
    uint64_t               rank;       /* weight or score, the higher the
                                          better */
    int64_t                cost;
} candidate_t;

/* The state of one choice, on the stack of pay_route_pick(). */
typedef struct {
    candidate_t               list[PAY_ROUTE_CANDIDATES_MAX];
    unsigned                  count;
    pay_route_by_t            by;
    unsigned                  rule;    /* 1 for the first; 0: none fits */
    const pay_route_query_t  *query;
    const pay_health_t       *health;  /* or NULL */
} choice_t;


/* Sorts choice->list (one entry at least), the best first; equal ones keep
 * their order. */
typedef void (*pay_route_rank_pt)(choice_t *choice,
    const pay_route_weights_t *weights);

/* One is drawn by the seed, the others follow by weight. */
void pay_route_by_weight(choice_t *choice, const pay_route_weights_t *weights);
/* Sets ranks to scores of 0 to PAY_ROUTE_FULL. */
void pay_route_by_score(choice_t *choice, const pay_route_weights_t *weights);


#endif /* FLOW_ROUTE_H */

/*
 * Routes: which PSPs a new checkout goes to, and in which order
 * (docs/routing.md).
 */

#ifndef PAY_ROUTE_H
#define PAY_ROUTE_H

#include "pay_flow.h"


/* The properties of an order by which routes choose PSPs. */
typedef struct {
    unsigned                cell;            /* where it begins: others' PSPs
                                                are left out */
    pay_str_t               currency;
    int64_t                 total_minor;
    pay_str_t               country;         /* empty: not known */
    pay_str_t               method;          /* empty: not known */
    pay_str_t               seed;            /* of draws: the checkout's UUID */
    pay_str_t               checkout_id;     /* of exploring draws, which each
                                                attempt of it repeats */
} pay_route_query_t;

typedef struct {
    const pay_psp_conf_t  *psps[PAY_ROUTE_PSPS_MAX];
    unsigned               ranks[PAY_ROUTE_PSPS_MAX];
    int                    blocked[PAY_ROUTE_PSPS_MAX];  /* last in psps */
    unsigned               count;
    pay_str_t              reason;           /* for the timeline, ASCII */
    const pay_route_rule_t *rule;            /* NULL: none fits */
    pay_str_t              explore;          /* JSON, or empty */
    int                    explored;         /* psps[0] was drawn */
} pay_route_t;

/* Chooses the PSPs for an order, a pure function of its arguments.  The result
 * has the rule's targets that the merchant has, sorted by the rule; targets
 * whose circuit is open or whose calls in flight are at their limit go last.
 * PAY_NOT_FOUND when the merchant has none.  `health` may be NULL. */
pay_status_t pay_route_pick(pay_arena_t *arena, const pay_env_t *env,
    const pay_merchant_t *merchant, const pay_route_query_t *query,
    const pay_health_t *health, pay_route_t *route) PAY_MUST_CHECK;

/* The chance of each of route->psps to be drawn by exploring, in parts per
 * million of all checkouts, before pay_route_explore(); their sum is the rule's
 * share.  0, and no chance is set, when the route does not explore. */
int pay_route_chances(const pay_route_t *route,
    unsigned chances[PAY_ROUTE_PSPS_MAX]);
/* Behind pay_route_pick(), when the PSPs that cannot take the order have been
 * removed: draws whether this checkout explores, and moves the PSP that is
 * drawn to the front.  Sets explore, explored and the reason.  Pure,
 * too: the same seed, merchant and checkout draw the same number. */
pay_status_t pay_route_explore(pay_arena_t *arena,
    const pay_merchant_t *merchant, const pay_route_query_t *query,
    pay_route_t *route) PAY_MUST_CHECK;


#endif /* PAY_ROUTE_H */

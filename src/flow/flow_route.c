/*
 * Routing: which of a merchant's PSPs may take an order, the best first.
 */

#include "pay_flow.h"


pay_status_t
pay_route_pick(pay_arena_t *arena, const pay_env_t *env,
    const pay_merchant_t *merchant, const pay_route_query_t *query,
    const pay_health_t *health, pay_route_t *route)
{
    unsigned  i;

    (void) arena;
    (void) env;
    (void) query;
    (void) health;

    for (i = 0; i < merchant->psp_count && i < PAY_ROUTE_PSPS_MAX; i++) {
        route->psps[i] = merchant->psps[i];
    }

    route->count = i;
    route->reason = PAY_STR("by order");

    return i == 0 ? PAY_NOT_FOUND : PAY_OK;
}

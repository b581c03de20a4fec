/*
 * The memory of the arguments of a flow's operation: it goes as soon as nobody
 * needs them, while the flow itself lives on.
 */

#include "run/ngx_payments_flow_state.h"


/* A create has no arguments left while its PSP works, which is most of its
 * time. */
#define ARGS_SIZE  2560                /* of a create, while PostgreSQL works */


static void *args_alloc(void *data, size_t size);


pay_arena_t
ngx_payments_flow_args(ngx_payments_flow_t *flow)
{
    return (pay_arena_t) { args_alloc, flow };
}


void
ngx_payments_flow_drop_args(ngx_payments_flow_t *flow)
{
    if (flow->args_pool != NULL) {
        ngx_destroy_pool(flow->args_pool);
        flow->args_pool = NULL;
    }
}


/* Made on first use and again after each drop: a flow without arguments has no
 * such pool. */
static void *
args_alloc(void *data, size_t size)
{
    ngx_payments_flow_t  *flow = data;

    if (flow->args_pool == NULL) {
        flow->args_pool = ngx_create_pool(ARGS_SIZE, ngx_cycle->log);
    }

    return flow->args_pool != NULL ? ngx_palloc(flow->args_pool, size) : NULL;
}

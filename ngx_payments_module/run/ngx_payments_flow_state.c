/*
 * A flow at run time: its memory, from the first byte to the last.
 */

#include "run/ngx_payments_flow_state.h"
#include "util/ngx_payments_memory.h"


#define POOL_SIZE  1920                /* one holds a create that waits */
#define ARGS_SIZE  2560                /* of a create, while PostgreSQL works */


static void *args_alloc(void *data, size_t size);


ngx_payments_flow_t *
ngx_payments_flow_create(ngx_http_payments_main_conf_t *pmcf)
{
    ngx_pool_t           *pool;
    ngx_payments_flow_t  *flow;

    if (ngx_payments_scratch() == NULL) {
        return NULL;
    }

    pool = ngx_create_pool(POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    flow = ngx_pcalloc(pool, sizeof(ngx_payments_flow_t));
    if (flow == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    flow->pool = pool;
    flow->arena = ngx_payments_arena(pool);
    flow->pmcf = pmcf;
    flow->core.arena = &flow->arena;
    flow->core.scratch = ngx_payments_scratch_arena();
    flow->args = (pay_arena_t) { args_alloc, flow };
    flow->core.args = &flow->args;
    flow->core.env = &pmcf->env;

    return flow;
}


static void *
args_alloc(void *data, size_t size)
{
    ngx_payments_flow_t  *flow = data;

    if (flow->args_pool == NULL) {
        flow->args_pool = ngx_create_pool(ARGS_SIZE, ngx_cycle->log);
    }

    return flow->args_pool != NULL ? ngx_palloc(flow->args_pool, size) : NULL;
}


void
ngx_payments_flow_drop_args(ngx_payments_flow_t *flow)
{
    if (flow->args_pool != NULL) {
        ngx_destroy_pool(flow->args_pool);
        flow->args_pool = NULL;
    }
}


pay_flow_t *
ngx_payments_flow_core(ngx_payments_flow_t *flow)
{
    return &flow->core;
}


void
ngx_payments_flow_discard(ngx_payments_flow_t *flow)
{
    ngx_payments_bulkhead_leave(&flow->place);
    ngx_payments_flow_drop_args(flow);
    ngx_destroy_pool(flow->pool);
}

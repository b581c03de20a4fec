/*
 * The core's view of nginx's pools, and the worker's scratch: what a step of a
 * flow needs no longer than it lasts, for all flows.
 */

#include "util/ngx_payments_memory.h"


#define SCRATCH_SIZE  16384


static void *pool_alloc(void *pool, size_t size);


static ngx_pool_t   *scratch_pool;
static pay_arena_t   scratch;
static ngx_uint_t    depth;            /* of steps within steps */


pay_arena_t
ngx_payments_arena(ngx_pool_t *pool)
{
    return (pay_arena_t) { pool_alloc, pool };
}


/* Made once and kept: its blocks are used again by each step of each flow. */
ngx_pool_t *
ngx_payments_scratch(void)
{
    if (scratch_pool == NULL) {
        scratch_pool = ngx_create_pool(SCRATCH_SIZE, ngx_cycle->log);
        scratch = ngx_payments_arena(scratch_pool);
    }

    return scratch_pool;
}


pay_arena_t *
ngx_payments_scratch_arena(void)
{
    return &scratch;
}


/* Steps nest when a reply starts another request on the same stack. */
void
ngx_payments_scratch_enter(void)
{
    depth++;
}


/* An answer may let nginx begin another request at once: the outer step's
 * scratch is still needed then. */
void
ngx_payments_scratch_leave(void)
{
    if (--depth == 0) {
        ngx_reset_pool(scratch_pool);
    }
}


/* The core asks for memory through a function, and never sees a pool. */
static void *
pool_alloc(void *pool, size_t size)
{
    return ngx_palloc(pool, size);
}

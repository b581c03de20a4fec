/*
 * Memory for the core: an arena over a pool, and the worker's scratch.
 */

#ifndef NGX_PAYMENTS_MEMORY_H
#define NGX_PAYMENTS_MEMORY_H

#include "util/ngx_payments.h"

#include "pay_arena.h"


/* The core's view of a pool. */
pay_arena_t ngx_payments_arena(ngx_pool_t *pool);

/* Memory until the step of a flow that runs now is over, or the next one;
 * NULL: there is none. */
ngx_pool_t *ngx_payments_scratch(void);
/* The same for the core; ngx_payments_scratch() was not NULL. */
pay_arena_t *ngx_payments_scratch_arena(void);
/* Around each step of a flow; the scratch is empty when the outermost has
 * left. */
void ngx_payments_scratch_enter(void);
void ngx_payments_scratch_leave(void);


#endif /* NGX_PAYMENTS_MEMORY_H */

/*
 * The counters of each cell in the shared zone.  A cell is found by its name,
 * since a reload may renumber them.  Its counters are made once and never given
 * back, so that none ever runs backwards.
 */

#include "shm/ngx_payments_count_cell.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"


static ngx_payments_cell_stat_t *find(ngx_payments_counters_t *c,
    ngx_slab_pool_t *pool, const ngx_str_t *name);


/* Those of this process, by the index of the cell. */
static ngx_payments_cell_stat_t  *stats[NGX_PAYMENTS_CELLS_MAX];


void
ngx_payments_cell_stats_init(ngx_cycle_t *cycle)
{
    ngx_uint_t               i;
    ngx_array_t             *cells = &ngx_payments_main_conf()->cells;
    ngx_slab_pool_t         *pool;
    ngx_payments_cell_t    **all = cells->elts;
    ngx_payments_shctx_t    *ctx = ngx_payments_shctx(&pool);

    ngx_memzero(stats, sizeof(stats));

    if (ctx == NULL) {
        return;
    }

    ngx_shmtx_lock(&pool->mutex);

    for (i = 0; i < cells->nelts; i++) {
        stats[i] = find(&ctx->counters, pool, &all[i]->name);
    }

    ngx_shmtx_unlock(&pool->mutex);

    for (i = 0; i < cells->nelts; i++) {
        if (stats[i] == NULL) {
            ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                          "payments: no room for the counters of the cell "
                          "\"%V\", it has no metrics, hint:a larger "
                          "payments_zone, or a restart where more than 16 "
                          "names have been used", &all[i]->name);
        }
    }
}


ngx_payments_cell_stat_t *
ngx_payments_cell_stat(ngx_uint_t cell)
{
    return stats[cell];
}


/* Under the lock.  The pointer comes last: readers, who take none, see counters
 * that are whole.  NULL: there is no room, or too many names over reloads. */
static ngx_payments_cell_stat_t *
find(ngx_payments_counters_t *c, ngx_slab_pool_t *pool, const ngx_str_t *name)
{
    ngx_uint_t                 i;
    ngx_payments_cell_stat_t  *stat;

    for (i = 0; i < NGX_PAYMENTS_CELLS_MAX && c->cells[i] != NULL; i++) {
        stat = c->cells[i];

        if (stat->len == name->len
            && ngx_memcmp(stat->name, name->data, name->len) == 0)
        {
            return stat;
        }
    }

    if (i == NGX_PAYMENTS_CELLS_MAX) {
        return NULL;
    }

    stat = ngx_slab_calloc_locked(pool, sizeof(ngx_payments_cell_stat_t));
    if (stat == NULL) {
        return NULL;
    }

    ngx_memcpy(stat->name, name->data, name->len);
    stat->len = name->len;
    stat->place = i;
    ngx_memory_barrier();
    c->cells[i] = stat;

    return stat;
}

/*
 * The windows of risk in shared memory: the core's table (src/risk/window.c)
 * under the mutex of a zone of its own, so that rate limits never wait for it.
 * nginx unlocks that mutex when a worker dies with it.
 */

#include "shm/ngx_payments_windows.h"
#include "util/ngx_payments_process.h"


static unsigned part_of(ngx_uint_t cell);
static pay_risk_table_t *lock(ngx_slab_pool_t **pool);


/* The table takes all pages of the zone. */
ngx_int_t
ngx_payments_windows_init_zone(ngx_shm_zone_t *zone, void *data)
{
    void             *memory;
    size_t            size;
    ngx_slab_pool_t  *pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data != NULL) {
        zone->data = data;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        zone->data = pool->data;
        return NGX_OK;
    }

    size = pool->pfree * ngx_pagesize;
    memory = ngx_slab_alloc(pool, size);
    pool->data = memory != NULL ? pay_risk_table(memory, size) : NULL;
    zone->data = pool->data;

    if (pool->data == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "payments: payments_risk memory=%uz is too small, make "
                      "it 1m at least", zone->shm.size);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* By the letter, which is the cell's over reloads. */
static unsigned
part_of(ngx_uint_t cell)
{
    ngx_payments_cell_t  **cells = ngx_payments_main_conf()->cells.elts;

    return cells[cell]->letter != 0 ? cells[cell]->letter - 'a' + 1u : 0;
}


ngx_int_t
ngx_payments_windows_count(ngx_uint_t cell, pay_risk_counts_t *counts)
{
    unsigned           i;
    ngx_slab_pool_t   *pool;
    pay_risk_count_t  *item;
    pay_risk_table_t  *table = lock(&pool);

    if (table == NULL) {
        return NGX_OK;
    }

    if (!pay_risk_table_is_whole(table, part_of(cell))) {
        ngx_shmtx_unlock(&pool->mutex);
        return NGX_DECLINED;
    }

    for (i = 0; i < counts->count; i++) {
        item = &counts->items[i];
        item->count = pay_risk_table_add(table, item->key,
                                         item->velocity->window_s,
                                         counts->at_s);
    }

    ngx_shmtx_unlock(&pool->mutex);

    return NGX_OK;
}


void
ngx_payments_windows_take(const pay_risk_counts_t *counts)
{
    unsigned           i;
    ngx_slab_pool_t   *pool;
    pay_risk_table_t  *table = lock(&pool);

    if (table == NULL) {
        return;
    }

    for (i = 0; i < counts->count; i++) {
        pay_risk_table_take(table, counts->items[i].key,
                            counts->items[i].velocity->window_s,
                            counts->at_s);
    }

    ngx_shmtx_unlock(&pool->mutex);
}


ngx_uint_t
ngx_payments_windows_are_whole(ngx_uint_t cell)
{
    ngx_uint_t         whole;
    ngx_slab_pool_t   *pool;
    pay_risk_table_t  *table = lock(&pool);

    if (table == NULL) {
        return 1;
    }

    whole = pay_risk_table_is_whole(table, part_of(cell)) != 0;
    ngx_shmtx_unlock(&pool->mutex);

    return whole;
}


void
ngx_payments_windows_put(const pay_risk_past_page_t *page)
{
    size_t             i;
    ngx_slab_pool_t   *pool;
    pay_risk_table_t  *table = lock(&pool);

    if (table == NULL) {
        return;
    }

    for (i = 0; i < page->count; i++) {
        pay_risk_table_put(table, page->items[i].key, page->items[i].window_s,
                           page->items[i].at_s);
    }

    ngx_shmtx_unlock(&pool->mutex);
}


void
ngx_payments_windows_set_whole(ngx_uint_t cell)
{
    ngx_slab_pool_t   *pool;
    pay_risk_table_t  *table = lock(&pool);

    if (table != NULL) {
        pay_risk_table_set_whole(table, part_of(cell));
        ngx_shmtx_unlock(&pool->mutex);
    }
}


uint64_t
ngx_payments_windows_evicted(void)
{
    uint64_t           evicted;
    ngx_slab_pool_t   *pool;
    pay_risk_table_t  *table = lock(&pool);

    if (table == NULL) {
        return 0;
    }

    evicted = pay_risk_table_evicted(table);
    ngx_shmtx_unlock(&pool->mutex);

    return evicted;
}


/* NULL, and nothing is locked: there is no zone. */
static pay_risk_table_t *
lock(ngx_slab_pool_t **pool)
{
    ngx_shm_zone_t  *zone = ngx_payments_main_conf()->risk.zone;

    if (zone == NULL || zone->data == NULL) {
        return NULL;
    }

    *pool = (ngx_slab_pool_t *) zone->shm.addr;
    ngx_shmtx_lock(&(*pool)->mutex);

    return zone->data;
}

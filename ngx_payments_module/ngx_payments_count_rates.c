/*
 * What /metrics tells of the sources of rates.  A source is found by its name
 * and gets its place when first counted; it is never given back, so that no
 * counter runs backwards over reloads.
 */

#include "ngx_payments_shm.h"


static ngx_payments_rates_stat_t *place(pay_str_t source);
static ngx_payments_rates_stat_t *claim(ngx_payments_counters_t *counters,
    pay_str_t source);


void
ngx_payments_count_rates_age(pay_str_t source, const pay_value_t *age_ms)
{
    ngx_payments_rates_stat_t  *stat;

    stat = place(source);

    if (stat != NULL && !age_ms->is_null) {
        stat->from = (ngx_atomic_uint_t) (ngx_time()
                                          - (time_t) (age_ms->number / 1000));
    }
}


void
ngx_payments_count_rates_failed(pay_str_t source)
{
    ngx_payments_rates_stat_t  *stat;

    stat = place(source);

    if (stat != NULL) {
        (void) ngx_atomic_fetch_add(&stat->failures, 1);
    }
}


const ngx_payments_rates_stat_t *
ngx_payments_rates_stat(const ngx_payments_counters_t *counters,
    pay_str_t source)
{
    ngx_uint_t                        i;
    const ngx_payments_rates_stat_t  *stat;

    for (i = 0; i < NGX_PAYMENTS_RATES; i++) {
        stat = &counters->rates[i];

        if (stat->len != 0 && stat->len == source.len
            && ngx_memcmp(stat->name, source.data, source.len) == 0)
        {
            return stat;
        }
    }

    return NULL;
}


/* NULL: there is no zone, or no place left. */
static ngx_payments_rates_stat_t *
place(pay_str_t source)
{
    ngx_slab_pool_t                  *pool;
    ngx_payments_shctx_t             *ctx;
    const ngx_payments_rates_stat_t  *stat;

    ctx = ngx_payments_shctx(&pool);
    if (ctx == NULL || source.len > NGX_PAYMENTS_PSP_NAME) {
        return NULL;
    }

    stat = ngx_payments_rates_stat(&ctx->counters, source);

    if (stat == NULL) {
        ngx_shmtx_lock(&pool->mutex);
        stat = claim(&ctx->counters, source);
        ngx_shmtx_unlock(&pool->mutex);
    }

    return (ngx_payments_rates_stat_t *) stat;
}


/* The length comes last: readers, who take no lock, see what is whole. */
static ngx_payments_rates_stat_t *
claim(ngx_payments_counters_t *counters, pay_str_t source)
{
    ngx_uint_t                        i;
    ngx_payments_rates_stat_t        *slot;
    const ngx_payments_rates_stat_t  *stat;

    stat = ngx_payments_rates_stat(counters, source);
    if (stat != NULL) {
        return (ngx_payments_rates_stat_t *) stat;
    }

    for (i = 0; i < NGX_PAYMENTS_RATES; i++) {
        slot = &counters->rates[i];

        if (slot->len == 0) {
            ngx_memcpy(slot->name, source.data, source.len);
            ngx_memory_barrier();
            slot->len = source.len;
            return slot;
        }
    }

    return NULL;
}

/*
 * The counters of the sources of rates.  A source is found by its name and gets
 * its slot when first counted; the slot is never freed, so that no counter runs
 * backwards over reloads.
 */

#include "shm/ngx_payments_count_rates.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"
#include "pay_metric.h"


static const ngx_payments_rates_stat_t *find(
    const ngx_payments_cell_stat_t *cell, pay_str_t source);
static ngx_payments_rates_stat_t *place(ngx_uint_t cell, pay_str_t source);
static ngx_payments_rates_stat_t *claim(ngx_payments_cell_stat_t *cell,
    pay_str_t source);


/* The age is kept as a point in time, since as a number it would stand still
 * between two looks. */
void
ngx_payments_count_rates_age(ngx_uint_t cell, pay_str_t source,
    pay_int_t age_ms)
{
    ngx_payments_rates_stat_t  *stat;

    stat = place(cell, source);

    if (stat != NULL && age_ms.is_set) {
        stat->from = (ngx_atomic_uint_t) (ngx_time()
                                          - (time_t) (age_ms.number / 1000));
    }
}


/* Failures of this host's workers; the age is the source's, whichever node has
 * read it. */
void
ngx_payments_count_rates_failed(ngx_uint_t cell, pay_str_t source)
{
    ngx_payments_rates_stat_t  *stat;

    stat = place(cell, source);

    if (stat != NULL) {
        (void) ngx_atomic_fetch_add(&stat->failures, 1);
    }
}


/* The sources of this configuration, failures from the start. */
void
ngx_payments_rates_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *cell)
{
    size_t                            i;
    time_t                            age;
    const pay_env_t                  *env = &ngx_payments_main_conf()->env;
    const ngx_payments_rates_stat_t  *stat;

    pay_metric_family(buf, "payments_rate_age_seconds", "gauge",
                      "How old the rates of a source are.");

    for (i = 0; i < env->rate_count; i++) {
        stat = find(cell, env->rates[i].name);

        if (stat != NULL && stat->from != 0) {
            age = ngx_time() - (time_t) stat->from;
            pay_metric_series(buf, "payments_rate_age_seconds", "source",
                              env->rates[i].name);
            pay_metric_end(buf, (uint64_t) ngx_max(age, 0));
        }
    }

    pay_metric_family(buf, "payments_rate_failures_total", "counter",
                      "Looks at a source that have brought no rates.");

    for (i = 0; i < env->rate_count; i++) {
        stat = find(cell, env->rates[i].name);
        pay_metric_series(buf, "payments_rate_failures_total", "source",
                          env->rates[i].name);
        pay_metric_end(buf, stat != NULL ? stat->failures : 0);
    }
}


/* NULL: nothing is known of that source yet. */
static const ngx_payments_rates_stat_t *
find(const ngx_payments_cell_stat_t *cell,
    pay_str_t source)
{
    ngx_uint_t                        i;
    const ngx_payments_rates_stat_t  *stat;

    for (i = 0; i < NGX_PAYMENTS_RATES; i++) {
        stat = &cell->rates[i];

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
place(ngx_uint_t cell, pay_str_t source)
{
    ngx_slab_pool_t                  *pool;
    ngx_payments_cell_stat_t         *of = ngx_payments_cell_stat(cell);
    const ngx_payments_rates_stat_t  *stat;

    if (of == NULL || source.len > NGX_PAYMENTS_PSP_NAME) {
        return NULL;
    }

    stat = find(of, source);

    if (stat == NULL) {
        (void) ngx_payments_shctx(&pool);
        ngx_shmtx_lock(&pool->mutex);
        stat = claim(of, source);
        ngx_shmtx_unlock(&pool->mutex);
    }

    return (ngx_payments_rates_stat_t *) stat;
}


/* The length comes last: readers, who take no lock, see what is whole. */
static ngx_payments_rates_stat_t *
claim(ngx_payments_cell_stat_t *cell, pay_str_t source)
{
    ngx_uint_t                        i;
    ngx_payments_rates_stat_t        *slot;
    const ngx_payments_rates_stat_t  *stat;

    stat = find(cell, source);
    if (stat != NULL) {
        return (ngx_payments_rates_stat_t *) stat;
    }

    for (i = 0; i < NGX_PAYMENTS_RATES; i++) {
        slot = &cell->rates[i];

        if (slot->len == 0) {
            ngx_memcpy(slot->name, source.data, source.len);
            ngx_memory_barrier();
            slot->len = source.len;
            return slot;
        }
    }

    return NULL;
}

/*
 * The shared zone: its start, and the buckets of the rate limits.
 */

#ifndef NGX_PAYMENTS_SHM_H
#define NGX_PAYMENTS_SHM_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* Its contents; the structs are those of ngx_payments_zone.h. */
typedef struct ngx_payments_shctx_s     ngx_payments_shctx_t;
typedef struct ngx_payments_counters_s  ngx_payments_counters_t;
typedef struct ngx_payments_gauges_s    ngx_payments_gauges_t;
typedef struct ngx_payments_psp_stat_s  ngx_payments_psp_stat_t;

typedef enum {
    NGX_PAYMENTS_GCRA_ALLOWED, NGX_PAYMENTS_GCRA_LIMITED,
    NGX_PAYMENTS_GCRA_FULL
} ngx_payments_gcra_e;


/* nginx' init of the zone; `data`: the old zone's, when a reload keeps it. */
ngx_int_t ngx_payments_shm_init_zone(ngx_shm_zone_t *zone, void *data);
/* The zone's memory as this process sees it; NULL: there is no zone. */
ngx_payments_shctx_t *ngx_payments_shctx(ngx_slab_pool_t **pool);
/* One request of `key`'s bucket at now_ms (monotonic); rate in requests per
 * 1000 s.  wait_ms: until the next one would pass; left: how many now. */
ngx_payments_gcra_e ngx_payments_shm_gcra(ngx_shm_zone_t *zone,
    pay_str_t key, ngx_uint_t rate, ngx_uint_t burst, uint64_t now_ms,
    ngx_uint_t *left, uint64_t *wait_ms);


#endif /* NGX_PAYMENTS_SHM_H */

/*
 * The shared zone: its start and the buckets of the rate limits, in slab
 * memory, found through an rbtree and thrown away through an LRU queue.  A
 * bucket that is as good as new may go at any time; one that still counts
 * never does: when no memory is left the answer is FULL, never a pass.
 *
 * One bucket for each merchant, address and PSP:
 *
 *     lookup (rbtree: hash, length, bytes) ─▶ there: touch ─┐
 *         └▶ create ◀─ evict 2, or 64 when memory is short  ├▶ pay_gcra_take
 *               └▶ no memory: FULL                  ────────┘
 */

#include "shm/ngx_payments_shm.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"
#include "pay_gcra.h"


#define KEY_MAX        1024
#define EVICT_ROUTINE  2                         /* on each new bucket */
#define EVICT_PRESSED  64                        /* when memory is short */


/* Lies in the slab pool: `key` has `len` bytes, without a NUL.  tat_ns is the
 * theoretical arrival time of GCRA, in nanoseconds of the monotonic clock; one
 * in the past is as good as no bucket. */
typedef struct {
    ngx_rbtree_node_t  node;                     /* node.key is the hash */
    ngx_queue_t        queue;
    uint64_t           tat_ns;
    size_t             len;
    u_char             key[1];
} bucket_t;


static void reset(ngx_payments_shctx_t *ctx);
static void mend(ngx_payments_shctx_t *ctx);
static bucket_t *lookup(ngx_payments_shctx_t *ctx, pay_str_t key,
    uint32_t hash);
static bucket_t *create(ngx_payments_shctx_t *ctx, ngx_slab_pool_t *pool,
    pay_str_t key, uint32_t hash, uint64_t now_ms);
static ngx_uint_t evict(ngx_payments_shctx_t *ctx, ngx_slab_pool_t *pool,
    ngx_uint_t n, uint64_t now_ms);
static void touch(ngx_payments_shctx_t *ctx, bucket_t *bucket);
static void insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel);
static ngx_int_t compare(uint32_t hash, pay_str_t key, bucket_t *bucket);


/* A reload hands the old zone's memory on in `data`.  With another size nginx
 * makes a new zone: buckets and counters start from nothing, which
 * Prometheus takes as a restart. */
ngx_int_t
ngx_payments_shm_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t       *pool;
    ngx_payments_shctx_t  *ctx;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data != NULL) {
        zone->data = data;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        zone->data = pool->data;
        return NGX_OK;
    }

    ctx = ngx_slab_calloc(pool, sizeof(ngx_payments_shctx_t));
    if (ctx == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "payments: zone \"%V\" of %uz bytes is too small, "
                      "make it 1m at least", &zone->shm.name, zone->shm.size);
        return NGX_ERROR;
    }

    /* shortage is answered by eviction, not by a line per request */
    pool->log_nomem = 0;

    reset(ctx);
    pool->data = ctx;
    zone->data = ctx;

    return NGX_OK;
}


/* Asked anew each time and never kept: the configuration of the process says
 * which zone there is. */
ngx_payments_shctx_t *
ngx_payments_shctx(ngx_slab_pool_t **pool)
{
    ngx_shm_zone_t                 *zone;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_payments_main_conf();
    zone = pmcf != NULL ? pmcf->zone : NULL;

    if (zone == NULL || zone->data == NULL || zone->shm.addr == NULL) {
        return NULL;
    }

    if (pool != NULL) {
        *pool = (ngx_slab_pool_t *) zone->shm.addr;
    }

    return zone->data;
}


/* FULL is an answer of its own, so that the caller decides; it never lets a
 * request pass unseen.  A key beyond KEY_MAX is refused in the same way. */
ngx_payments_gcra_e
ngx_payments_shm_gcra(ngx_shm_zone_t *zone, pay_str_t key, ngx_uint_t rate,
    ngx_uint_t burst, uint64_t now_ms, ngx_uint_t *left, uint64_t *wait_ms)
{
    uint32_t               hash;
    bucket_t              *bucket;
    pay_gcra_t             limit;
    ngx_slab_pool_t       *pool;
    pay_gcra_result_t      result;
    ngx_payments_shctx_t  *ctx;

    *left = 0;
    *wait_ms = 0;

    if (zone == NULL || zone->data == NULL || key.len > KEY_MAX) {
        return NGX_PAYMENTS_GCRA_FULL;
    }

    ctx = zone->data;
    pool = (ngx_slab_pool_t *) zone->shm.addr;
    hash = ngx_crc32_short((u_char *) key.data, key.len);
    pay_gcra_init(&limit, rate, burst);

    ngx_shmtx_lock(&pool->mutex);

    mend(ctx);

    bucket = lookup(ctx, key, hash);

    if (bucket != NULL) {
        touch(ctx, bucket);

    } else {
        bucket = create(ctx, pool, key, hash, now_ms);
        if (bucket == NULL) {
            ngx_shmtx_unlock(&pool->mutex);
            return NGX_PAYMENTS_GCRA_FULL;
        }
    }

    result = pay_gcra_take(&limit, now_ms, &bucket->tat_ns);

    ngx_shmtx_unlock(&pool->mutex);

    *left = (ngx_uint_t) result.left;
    *wait_ms = result.wait_ms;

    return result.allowed ? NGX_PAYMENTS_GCRA_ALLOWED
                          : NGX_PAYMENTS_GCRA_LIMITED;
}


/* Only the links: buckets that were linked before are lost, their memory
 * with them. */
static void
reset(ngx_payments_shctx_t *ctx)
{
    ngx_rbtree_init(&ctx->tree, &ctx->sentinel, insert);
    ngx_queue_init(&ctx->lru);
    ngx_memory_barrier();
    ctx->changing = 0;
}


/* The lock came from a worker that died between two pointers (nginx frees
 * its lock).  Half-changed links are not repaired but dropped: some memory
 * stays lost until the restart, and limits start anew. */
static void
mend(ngx_payments_shctx_t *ctx)
{
    if (ctx->changing) {
        reset(ctx);
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: a worker died while it changed the shared "
                      "zone, rate limits start anew");
    }
}


/* The caller holds the lock, as of all functions below. */
static bucket_t *
lookup(ngx_payments_shctx_t *ctx, pay_str_t key, uint32_t hash)
{
    bucket_t           *bucket;
    ngx_int_t           rc;
    ngx_rbtree_node_t  *node;

    node = ctx->tree.root;

    while (node != ctx->tree.sentinel) {
        bucket = ngx_rbtree_data(node, bucket_t, node);
        rc = compare(hash, key, bucket);

        if (rc == 0) {
            return bucket;
        }

        node = rc < 0 ? node->left : node->right;
    }

    return NULL;
}


/* Each new bucket looks at two old ones, so the zone cleans itself at the pace
 * at which it grows, and no request pays for a large sweep.  The node is
 * filled before `changing` is set, so that only the links are at risk when the
 * worker dies. */
static bucket_t *
create(ngx_payments_shctx_t *ctx, ngx_slab_pool_t *pool, pay_str_t key,
    uint32_t hash, uint64_t now_ms)
{
    size_t     size;
    bucket_t  *bucket;

    (void) evict(ctx, pool, EVICT_ROUTINE, now_ms);

    size = offsetof(bucket_t, key) + key.len;
    bucket = ngx_slab_alloc_locked(pool, size);

    if (bucket == NULL && evict(ctx, pool, EVICT_PRESSED, now_ms) != 0) {
        bucket = ngx_slab_alloc_locked(pool, size);
    }

    if (bucket == NULL) {
        return NULL;
    }

    bucket->node.key = hash;
    bucket->tat_ns = 0;
    bucket->len = key.len;
    ngx_memcpy(bucket->key, key.data, key.len);

    ctx->changing = 1;
    ngx_memory_barrier();

    ngx_rbtree_insert(&ctx->tree, &bucket->node);
    ngx_queue_insert_head(&ctx->lru, &bucket->queue);

    ngx_memory_barrier();
    ctx->changing = 0;

    return bucket;
}


/* Looks at the n buckets that were idle for longest and frees those whose TAT
 * has passed; returns how many.  The others get a second chance at the head
 * of the queue, so that slow buckets at its end never hide the rest. */
static ngx_uint_t
evict(ngx_payments_shctx_t *ctx, ngx_slab_pool_t *pool, ngx_uint_t n,
    uint64_t now_ms)
{
    bucket_t     *bucket;
    ngx_uint_t    freed;
    ngx_queue_t  *q, *prev;

    freed = 0;

    for (q = ngx_queue_last(&ctx->lru);
         n != 0 && q != ngx_queue_sentinel(&ctx->lru);
         q = prev, n--)
    {
        prev = ngx_queue_prev(q);
        bucket = ngx_queue_data(q, bucket_t, queue);

        if (!pay_gcra_is_idle(bucket->tat_ns, now_ms)) {
            touch(ctx, bucket);
            continue;
        }

        ctx->changing = 1;
        ngx_memory_barrier();

        ngx_queue_remove(&bucket->queue);
        ngx_rbtree_delete(&ctx->tree, &bucket->node);

        ngx_memory_barrier();
        ctx->changing = 0;

        ngx_slab_free_locked(pool, bucket);
        freed++;
    }

    return freed;
}


/* The order of the queue is only a guess at who is idle; evict() looks at the
 * time itself. */
static void
touch(ngx_payments_shctx_t *ctx, bucket_t *bucket)
{
    if (ngx_queue_head(&ctx->lru) == &bucket->queue) {
        return;
    }

    ctx->changing = 1;
    ngx_memory_barrier();

    ngx_queue_remove(&bucket->queue);
    ngx_queue_insert_head(&ctx->lru, &bucket->queue);

    ngx_memory_barrier();
    ctx->changing = 0;
}


/* nginx' own insert functions compare only the hash; this one is the order of
 * compare(). */
static void
insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    bucket_t            *bucket;
    pay_str_t            key;
    ngx_rbtree_node_t  **p;

    bucket = ngx_rbtree_data(node, bucket_t, node);
    key.len = bucket->len;
    key.data = bucket->key;

    for ( ;; ) {
        p = compare((uint32_t) node->key, key,
                    ngx_rbtree_data(temp, bucket_t, node)) < 0
            ? &temp->left : &temp->right;

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


/* A full order over hash, length and bytes: colliding hashes, which anybody
 * can make, do not turn the tree into a list. */
static ngx_int_t
compare(uint32_t hash, pay_str_t key, bucket_t *bucket)
{
    if (hash != bucket->node.key) {
        return hash < bucket->node.key ? -1 : 1;
    }

    if (key.len != bucket->len) {
        return key.len < bucket->len ? -1 : 1;
    }

    return ngx_memcmp(key.data, bucket->key, key.len);
}

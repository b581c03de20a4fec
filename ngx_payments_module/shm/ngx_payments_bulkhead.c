/*
 * Limits of the work that is under way at once, of each merchant and of each
 * class of work of each cell, in all workers of this host.  Each worker counts
 * in a block of its own in the shared zone and no other writes there, so
 * counting takes no lock, and the slots of a dead worker go with its block.  A
 * slot is taken first and the limit checked then: two at once may both be
 * refused, but never both pass.  Work about money that exists is counted and
 * never refused.
 *
 *     block of worker 1:  intake | read | change | job | … | merchant a | b | …
 *     block of worker 2:  intake | read | change | job | … | merchant a | b | …
 *                           └─ the total of a column is compared with its cap
 */

#include "shm/ngx_payments_bulkhead.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"

#include <signal.h>

#include "pay_crypto.h"
#include "pay_drain.h"


#define ROOM_MIN       32              /* of the smallest block */
#define SWEEP_PACE_MS  1000
#define PRESSED_PART   4               /* 3/4 of a cap is pressure */
#define HIGHEST_BIT    (UINT64_C(1) << 63)
#define NO_TALLY       ((ngx_uint_t) -1)


/* The part of this worker: its block, and for each class how fast places
 * become free (`drains`), from which Retry-After is made. */
typedef struct {
    ngx_payments_tallies_t *own;       /* NULL: there is no room, no caps */
    ngx_payments_shctx_t   *ctx;
    ngx_uint_t             *merchants; /* the tally of each, by its index */
    ngx_uint_t              classes[NGX_PAYMENTS_CELLS_MAX]
                                   [NGX_PAYMENTS_WORKS];
    pay_drain_t             drains[NGX_PAYMENTS_CELLS_MAX]
                                  [NGX_PAYMENTS_WORKS];
    ngx_msec_t              swept;
} bulkhead_t;


static void find_all(const ngx_http_payments_main_conf_t *pmcf);
static ngx_payments_tallies_t *claim(ngx_slab_pool_t *pool, ngx_uint_t count);
static void take_over(ngx_payments_tallies_t *block, const uint64_t *keys,
    ngx_uint_t count);
static ngx_uint_t find(const ngx_payments_tallies_t *block, uint64_t key);
static uint64_t digest_of(pay_str_t id);
static uint64_t merchant_key(pay_str_t id);
static uint64_t class_key(const ngx_http_payments_main_conf_t *pmcf,
    ngx_uint_t cell, ngx_uint_t work);
static int compare(const void *a, const void *b);
static ngx_uint_t is_alive(const ngx_payments_tallies_t *block);
static ngx_uint_t class_of(ngx_uint_t cell, ngx_uint_t work);
static ngx_uint_t is_over(ngx_uint_t tally, ngx_uint_t limit);
static ngx_uint_t total(ngx_uint_t tally);
static void sweep(void);
static void add(ngx_payments_place_t *place, ngx_atomic_int_t n);
static ngx_uint_t refuses(ngx_payments_work_e work);


static bulkhead_t  bulkhead;


/* A worker without a block counts nothing and refuses nothing: losing a cap is
 * better than losing all requests. */
ngx_int_t
ngx_payments_bulkhead_init(ngx_cycle_t *cycle)
{
    uint64_t                       *keys;
    ngx_uint_t                      i, n, classes;
    ngx_slab_pool_t                *pool;
    const pay_merchant_t           *merchant;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();

    ngx_memzero(&bulkhead, sizeof(bulkhead_t));

    bulkhead.ctx = ngx_payments_shctx(&pool);
    if (bulkhead.ctx == NULL) {
        return NGX_OK;
    }

    classes = pmcf->cells.nelts * NGX_PAYMENTS_WORKS;
    n = classes + pmcf->env.merchant_count;
    keys = ngx_palloc(cycle->pool, n * sizeof(uint64_t));
    bulkhead.merchants = ngx_palloc(cycle->pool, n * sizeof(ngx_uint_t));

    if (keys == NULL || bulkhead.merchants == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < classes; i++) {
        keys[i] = class_key(pmcf, i / NGX_PAYMENTS_WORKS,
                            i % NGX_PAYMENTS_WORKS);
    }

    for ( /* void */ ; i < n; i++) {
        merchant = &pmcf->env.merchants[i - classes];
        keys[i] = merchant_key(merchant->id);
    }

    ngx_qsort(keys, n, sizeof(uint64_t), compare);

    ngx_shmtx_lock(&pool->mutex);
    bulkhead.own = claim(pool, n);

    if (bulkhead.own != NULL) {
        take_over(bulkhead.own, keys, n);
    }

    ngx_shmtx_unlock(&pool->mutex);

    if (bulkhead.own == NULL) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "payments: no room for the counts of payments_bulkhead, "
                      "this worker keeps no caps, hint:a larger "
                      "payments_zone");
        return NGX_OK;
    }

    find_all(pmcf);

    return NGX_OK;
}


/* The places of the classes and merchants in the own block. */
static void
find_all(const ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t  i, work;

    for (i = 0; i < pmcf->cells.nelts; i++) {
        for (work = 0; work < NGX_PAYMENTS_WORKS; work++) {
            bulkhead.classes[i][work] = find(bulkhead.own,
                                             class_key(pmcf, i, work));
        }
    }

    for (i = 0; i < pmcf->env.merchant_count; i++) {
        bulkhead.merchants[i] = find(bulkhead.own,
                                     merchant_key(pmcf->env.merchants[i].id));
    }
}


/* Places that flows still hold go with the block, so `own` ends, too. */
void
ngx_payments_bulkhead_stop(void)
{
    if (bulkhead.own != NULL) {
        bulkhead.own->pid = 0;
        bulkhead.own = NULL;
    }
}


/* `merchant` points into the configuration's array, so its index gives its
 * tally.  Both caps are checked with the own place counted, hence "more
 * than". */
ngx_int_t
ngx_payments_bulkhead_enter(ngx_payments_place_t *place, ngx_uint_t cell,
    ngx_payments_work_e work, const pay_merchant_t *merchant)
{
    ngx_uint_t                      full;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();
    ngx_payments_bulkhead_conf_t   *limits = &pmcf->bulkhead;

    place->held = 0;
    place->work = work;
    place->cell = cell;
    place->merchant = NO_TALLY;

    if (bulkhead.own == NULL) {
        return NGX_OK;
    }

    if (merchant != NULL) {
        place->merchant = bulkhead.merchants[merchant - pmcf->env.merchants];
    }

    add(place, 1);

    if (refuses(work)) {
        full = place->merchant != NO_TALLY
               && is_over(place->merchant, limits->merchant);

        if (full || is_over(class_of(cell, work), limits->works[work])) {
            add(place, -1);
            ngx_payments_count_refused(cell, work,
                                       full ? NGX_PAYMENTS_FULL_MERCHANT
                                            : NGX_PAYMENTS_FULL_CLASS);
            return NGX_BUSY;
        }
    }

    place->held = 1;
    pay_drain_note(&bulkhead.drains[cell][work], (int64_t) ngx_current_msec,
                   0, 1);

    return NGX_OK;
}


ngx_int_t
ngx_payments_bulkhead_follow(ngx_payments_place_t *place, ngx_uint_t cell,
    const pay_merchant_t *merchant)
{
    ngx_payments_work_e  work = place->work;

    ngx_payments_bulkhead_leave(place);

    return ngx_payments_bulkhead_enter(place, cell, work, merchant);
}


/* `held` makes it harmless to leave twice, which ends of flows on several ways
 * rely on. */
void
ngx_payments_bulkhead_leave(ngx_payments_place_t *place)
{
    if (!place->held || bulkhead.own == NULL) {
        return;
    }

    place->held = 0;
    add(place, -1);
    pay_drain_note(&bulkhead.drains[place->cell][place->work],
                   (int64_t) ngx_current_msec, 1,
                   (int64_t) bulkhead.own->tallies[
                       class_of(place->cell, place->work)].n);
}


/* The wait is guessed from the pace at which this worker's places became free
 * and from those that are held: it grows with the load. */
int64_t
ngx_payments_bulkhead_retry_s(const ngx_payments_place_t *place)
{
    ngx_uint_t  ahead;

    if (bulkhead.own == NULL) {
        return PAY_DRAIN_WAIT_MIN_S;
    }

    ahead = bulkhead.own->tallies[place->merchant == NO_TALLY
                                  ? class_of(place->cell, place->work)
                                  : place->merchant].n;

    return pay_drain_wait_s(&bulkhead.drains[place->cell][place->work],
                            (int64_t) ngx_current_msec, (int64_t) ahead);
}


/* Only the classes count that clients wait for; a cap of 0 is none and never
 * presses. */
ngx_uint_t
ngx_payments_bulkhead_is_pressed(ngx_uint_t cell)
{
    ngx_uint_t                     i, limit;
    ngx_payments_bulkhead_conf_t  *conf = &ngx_payments_main_conf()->bulkhead;

    if (bulkhead.own == NULL) {
        return 0;
    }

    for (i = NGX_PAYMENTS_WORK_INTAKE; i <= NGX_PAYMENTS_WORK_READ; i++) {
        limit = conf->works[i];

        if (limit != 0
            && is_over(class_of(cell, i),
                       limit - (limit + PRESSED_PART - 1) / PRESSED_PART))
        {
            return 1;
        }
    }

    return 0;
}


/* /metrics shows it, so places of dead workers are swept first. */
ngx_uint_t
ngx_payments_bulkhead_total(ngx_uint_t cell, ngx_payments_work_e work)
{
    if (bulkhead.own == NULL) {
        return 0;
    }

    sweep();

    return total(class_of(cell, work));
}


/* With the zone's lock held.  That of a dead worker if it is large enough, else
 * a new one in the place of a dead worker's; what stands under our own number
 * is a dead one's, too.  The memory of a block that is replaced is lost, since
 * others may be reading it: each is twice as large as the one before. */
static ngx_payments_tallies_t *
claim(ngx_slab_pool_t *pool, ngx_uint_t count)
{
    ngx_uint_t               i, room, place = bulkhead.ctx->tallies_end;
    ngx_payments_tallies_t  *block;

    for (i = 0; i < bulkhead.ctx->tallies_end; i++) {
        block = bulkhead.ctx->tallies[i];

        if (block->pid != (ngx_atomic_uint_t) ngx_pid && is_alive(block)) {
            continue;
        }

        if (block->room >= count) {
            return block;
        }

        place = i;
    }

    if (place == NGX_PAYMENTS_WORKERS) {
        return NULL;
    }

    for (room = ROOM_MIN; room < count; room *= 2) { /* void */ }

    block = ngx_slab_calloc_locked(pool, sizeof(ngx_payments_tallies_t)
                                         + room * sizeof(ngx_payments_tally_t));

    if (block != NULL) {
        block->room = room;
        ngx_memory_barrier();
        bulkhead.ctx->tallies[place] = block;
        ngx_memory_barrier();
        bulkhead.ctx->tallies_end = ngx_max(bulkhead.ctx->tallies_end,
                                            place + 1);
    }

    return block;
}


/* A block of pid 0 is not read.  A worker may read the block at any moment,
 * without a lock. */
static void
take_over(ngx_payments_tallies_t *block, const uint64_t *keys, ngx_uint_t count)
{
    ngx_uint_t  i;

    block->pid = 0;
    ngx_memory_barrier();

    for (i = 0; i < count; i++) {
        block->tallies[i].key = keys[i];
        block->tallies[i].n = 0;
    }

    block->count = count;
    ngx_memory_barrier();
    block->pid = (ngx_atomic_uint_t) ngx_pid;
}


/* Keys are sorted. */
static ngx_uint_t
find(const ngx_payments_tallies_t *block, uint64_t key)
{
    ngx_uint_t  low = 0, high = block->count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (block->tallies[middle].key < key) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low < block->count && block->tallies[low].key == key ? low
                                                                : NO_TALLY;
}


/* A reload may renumber merchants and cells, so that names must do.  A digest
 * of 64 bits and not the name, so that a tally is small; the highest bit keeps
 * merchants apart from classes.  Two with one key would share a cap, which is
 * not to be expected of 63 bits of SHA-256. */
static uint64_t
digest_of(pay_str_t id)
{
    uint64_t       key;
    unsigned char  digest[PAY_SHA256_SIZE];

    if (pay_sha256(id, digest) != PAY_OK) {
        return UINT64_MAX;
    }

    ngx_memcpy(&key, digest, sizeof(uint64_t));

    return key;
}


static uint64_t
merchant_key(pay_str_t id)
{
    return digest_of(id) | HIGHEST_BIT;
}


static uint64_t
class_key(const ngx_http_payments_main_conf_t *pmcf, ngx_uint_t cell,
    ngx_uint_t work)
{
    u_char                 name[NGX_PAYMENTS_CELL_NAME + 1], *p;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    p = ngx_cpymem(name, cells[cell]->name.data, cells[cell]->name.len);
    *p++ = (u_char) ('0' + work);

    return digest_of((pay_str_t) { p - name, name }) & ~HIGHEST_BIT;
}


/* For ngx_qsort(); a difference would overflow. */
static int
compare(const void *a, const void *b)
{
    const uint64_t  *one = a, *two = b;

    return (*one > *two) - (*one < *two);
}


/* A block whose number another process of this user has now is kept until that
 * one ends. */
static ngx_uint_t
is_alive(const ngx_payments_tallies_t *block)
{
    ngx_pid_t  pid = (ngx_pid_t) block->pid;

    /* EPERM: the number was given to a stranger */
    return pid != 0 && (pid == ngx_pid || kill(pid, 0) == 0);
}


static ngx_uint_t
class_of(ngx_uint_t cell, ngx_uint_t work)
{
    return bulkhead.classes[cell][work];
}


/* Full may mean that a killed worker's are counted here.  The system calls of
 * a sweep are made only when a request would be refused otherwise. */
static ngx_uint_t
is_over(ngx_uint_t tally, ngx_uint_t limit)
{
    if (limit == 0 || total(tally) <= limit) {
        return 0;
    }

    sweep();

    return total(tally) > limit;
}


/* Blocks of workers of the old configuration are counted during a reload, too,
 * by their keys. */
static ngx_uint_t
total(ngx_uint_t tally)
{
    uint64_t                 key = bulkhead.own->tallies[tally].key;
    ngx_uint_t               i, at, n = 0;
    ngx_payments_tallies_t  *block;

    for (i = 0; i < bulkhead.ctx->tallies_end; i++) {
        block = bulkhead.ctx->tallies[i];

        if (block->pid == 0) {
            continue;
        }

        /* workers of one configuration have them in one order */
        at = tally < block->count && block->tallies[tally].key == key
             ? tally : find(block, key);

        if (at != NO_TALLY) {
            n += block->tallies[at].n;
        }
    }

    return n;
}


/* Now and then, for each look is a system call per worker. */
static void
sweep(void)
{
    ngx_uint_t               i;
    ngx_atomic_uint_t        pid;
    ngx_payments_tallies_t  *block;

    if (bulkhead.swept != 0
        && ngx_current_msec - bulkhead.swept < SWEEP_PACE_MS)
    {
        return;
    }

    bulkhead.swept = ngx_current_msec;

    for (i = 0; i < bulkhead.ctx->tallies_end; i++) {
        block = bulkhead.ctx->tallies[i];

        pid = block->pid;

        /* a new worker may take the block over at this moment */
        if (pid != 0 && !is_alive(block)) {
            (void) ngx_atomic_cmp_set(&block->pid, pid, 0);
        }
    }
}


/* Adds are atomic only for the readers: no other worker writes here. */
static void
add(ngx_payments_place_t *place, ngx_atomic_int_t n)
{
    (void) ngx_atomic_fetch_add(
        &bulkhead.own->tallies[class_of(place->cell, place->work)].n, n);

    if (place->merchant != NO_TALLY) {
        (void) ngx_atomic_fetch_add(
            &bulkhead.own->tallies[place->merchant].n, n);
    }
}


/* Refunds, captures and cancellations move money that exists; they are shown
 * in the metrics and always pass. */
static ngx_uint_t
refuses(ngx_payments_work_e work)
{
    return work != NGX_PAYMENTS_WORK_CHANGE;
}

/*
 * How the PSPs do: a circuit breaker and the calls in flight of each, in the
 * shared zone for all workers.  The lock is the zone's own, the only one that
 * nginx frees when its holder dies; nothing here needs repair then, for each
 * change is of one number.  Without a zone nothing is known and all may go.
 *
 * The way of a call:
 *
 *     begin ─▶ BUSY (cap), DECLINED (circuit open): the PSP sees nothing
 *       └▶ OK, counted in flight ─▶ end (ok or not, ms): the circuit learns
 *                                └▶ forget: the call never left this host
 */

#include "shm/ngx_payments_health.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"


#define SWEEP_PACE_MS  1000
#define KEPT_SHARE     4               /* of the cap, for who cannot wait */
#define PACE_MAX_MS    3000            /* less than a lease's slack */
#define NO_PSP         NGX_PAYMENTS_HEALTH_PSPS


/* A look into the zone with its lock held, from enter() to leave(); nothing of
 * it may be kept longer. */
typedef struct {
    ngx_payments_healths_t     *all;
    ngx_slab_pool_t            *pool;
    ngx_payments_health_psp_t  *psp;             /* NULL: there is no room */
    int64_t                     now_ms;
} view_t;

/* Where this worker has found a PSP, when the names had that version. */
typedef struct {
    uint32_t                    place;
    uint32_t                    version;
} hint_t;


static ngx_uint_t enter(view_t *view, const pay_psp_conf_t *psp);
static void health_stat(const ngx_payments_psp_t *psp, ngx_uint_t sweeps,
    ngx_payments_health_stat_t *stat);
static void look_at(view_t *view, const ngx_payments_psp_t *psp);
static void leave(view_t *view);
static ngx_payments_health_psp_t *find(const ngx_payments_healths_t *all,
    const pay_psp_conf_t *psp);
static uint32_t search(const ngx_payments_healths_t *all, pay_str_t name);
static ngx_uint_t is_named(const ngx_payments_healths_t *all, uint32_t place,
    pay_str_t name);
static ngx_uint_t claim_all(view_t *view);
static ngx_payments_health_psp_t *claim(view_t *view, pay_str_t name);
static ngx_payments_health_psp_t *room(view_t *view);
static ngx_uint_t configured(ngx_payments_health_psp_t *psp);
static ngx_uint_t has_room(view_t *view, const ngx_payments_psp_t *psp,
    ngx_uint_t can_wait);
static void read_health(view_t *view, const ngx_payments_psp_t *psp,
    pay_health_t *health);
static const ngx_payments_psp_t *psp_at(ngx_uint_t index);
static uint64_t pace_us(void);
static void log_change(const ngx_payments_psp_t *psp, uint32_t before,
    uint32_t after);


/* The last snapshot that this worker has taken.  It is per worker and costs no
 * lock for the flows of one turn of the loop. */
static pay_health_t  snapshot[NGX_PAYMENTS_PSPS_MAX];
static ngx_msec_t    picture_ms;
static ngx_uint_t    picture_good;

/* By the index of the PSP; each is tried before it is believed. */
static hint_t        hints[NGX_PAYMENTS_PSPS_MAX];


/* Runs before the first call of this process; a reload keeps circuits and
 * windows, as they lie in the zone.  Each PSP gets its place now: the buckets
 * of rate limits may have filled the zone by the time of its first call. */
ngx_int_t
ngx_payments_health_init(ngx_cycle_t *cycle)
{
    view_t      view;
    ngx_uint_t  lacking;

    picture_good = 0;
    ngx_memzero(hints, sizeof(hints));

    if (!enter(&view, NULL)) {
        return NGX_OK;
    }

    /* a block with our number belongs to a dead worker */
    ngx_payments_calls_sweep(view.all, 1);
    lacking = claim_all(&view);
    leave(&view);

    if (lacking > 0) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "payments: the shared zone has no room for the circuits "
                      "of %ui PSPs: their calls are not counted; raise "
                      "payments_zone", lacking);
    }

    return NGX_OK;
}


/* How many have found no place. */
static ngx_uint_t
claim_all(view_t *view)
{
    size_t                          i;
    ngx_uint_t                      lacking = 0;
    const pay_env_t                *env;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();

    env = pmcf != NULL ? &pmcf->env : NULL;

    for (i = 0; env != NULL && i < env->psp_count; i++) {
        lacking += find(view->all, &env->psps[i]) == NULL
                   && claim(view, env->psps[i].name) == NULL;
    }

    return lacking;
}


/* With no place for this PSP in the zone (a name too long, or no memory) the
 * call goes, uncounted: a table that is full must not stop
 * payments. */
ngx_int_t
ngx_payments_health_begin(const ngx_payments_psp_t *psp,
    ngx_uint_t can_wait)
{
    view_t     view;
    ngx_int_t  rc;

    if (!enter(&view, &psp->psp)) {
        return NGX_OK;
    }

    rc = NGX_OK;

    if (view.psp != NULL) {
        view.psp->used_ms = (uint64_t) view.now_ms;

        /* first: a probe that may not go would be waited for */
        if (!has_room(&view, psp, can_wait)) {
            view.psp->refused[NGX_PAYMENTS_REFUSED_BUSY]++;
            rc = NGX_BUSY;

        } else if (!pay_breaker_allow(&view.psp->breaker, &psp->breaker,
                                      view.now_ms))
        {
            view.psp->refused[NGX_PAYMENTS_REFUSED_CIRCUIT]++;
            rc = NGX_DECLINED;

        } else {
            ngx_payments_calls_add(view.psp, view.pool);
        }
    }

    leave(&view);

    return rc;
}


/* `ok` is the network's and the server's part only: a declined payment is a
 * good answer.  The change of the circuit is logged behind the lock. */
void
ngx_payments_health_end(const ngx_payments_psp_t *psp, ngx_uint_t ok,
    ngx_msec_t ms)
{
    view_t    view;
    uint32_t  before, after;

    if (!enter(&view, &psp->psp)) {
        return;
    }

    before = after = PAY_CIRCUIT_CLOSED;

    if (view.psp != NULL) {
        before = view.psp->breaker.circuit;
        pay_breaker_record(&view.psp->breaker, &psp->breaker, view.now_ms,
                           ok ? 1 : 0, (int64_t) ms);
        after = view.psp->breaker.circuit;
        ngx_payments_calls_drop(view.psp);
    }

    leave(&view);

    log_change(psp, before, after);
}


/* A probe that never left gives its place to another one. */
void
ngx_payments_health_forget(const ngx_payments_psp_t *psp)
{
    view_t  view;

    if (!enter(&view, &psp->psp)) {
        return;
    }

    if (view.psp != NULL) {
        pay_breaker_forget(&view.psp->breaker);
        ngx_payments_calls_drop(view.psp);
    }

    leave(&view);
}


void
ngx_payments_health_explored(const pay_psp_conf_t *psp)
{
    view_t  view;

    if (!enter(&view, psp)) {
        return;
    }

    if (view.psp != NULL) {
        view.psp->explored++;
    }

    leave(&view);
}


/* Times are in microseconds of the zone's `paced_us`, because at fifty calls a
 * second whole milliseconds would add up.  A PSP that was idle begins now and
 * has no credit from before, so a backlog never goes out in one burst. */
ngx_int_t
ngx_payments_health_pace(const ngx_payments_psp_t *psp, ngx_msec_t *wait)
{
    view_t     view;
    uint64_t   now_us, next_us;
    ngx_int_t  rc = NGX_OK;

    *wait = 0;

    if (ngx_payments_main_conf()->psp_rate == 0 || !enter(&view, &psp->psp)) {
        return NGX_OK;
    }

    if (view.psp != NULL) {
        now_us = (uint64_t) view.now_ms * 1000;
        next_us = ngx_max(view.psp->paced_us, now_us);
        *wait = (ngx_msec_t) ((next_us - now_us + 999) / 1000);

        if (*wait > PACE_MAX_MS) {
            view.psp->refused[NGX_PAYMENTS_REFUSED_BUSY]++;
            rc = NGX_BUSY;

        } else {
            view.psp->used_ms = (uint64_t) view.now_ms;
            view.psp->paced_us = next_us + pace_us();
        }
    }

    leave(&view);

    return rc;
}


/* The furthest of all PSPs of the cell, since a claim does not know yet for
 * which PSP its job will be. */
ngx_msec_t
ngx_payments_health_ahead(ngx_uint_t cell)
{
    view_t                     view;
    uint64_t                   now_us, most_us;
    ngx_uint_t                 i;
    const ngx_payments_psp_t  *psp;

    if (ngx_payments_main_conf()->psp_rate == 0 || !enter(&view, NULL)) {
        return 0;
    }

    now_us = (uint64_t) view.now_ms * 1000;
    most_us = now_us;

    for (i = 0; (psp = psp_at(i)) != NULL; i++) {
        if (psp->psp.cell != cell) {
            continue;
        }

        look_at(&view, psp);

        if (view.psp != NULL) {
            most_us = ngx_max(most_us, view.psp->paced_us);
        }
    }

    leave(&view);

    return (ngx_msec_t) ((most_us - now_us) / 1000);
}


/* A snapshot serves for its millisecond, unless a call of our own has changed
 * it: the lock is everybody's. */
const pay_health_t *
ngx_payments_health_snapshot(void)
{
    view_t                     view;
    ngx_uint_t                 i;
    const ngx_payments_psp_t  *psp;

    if (picture_good && picture_ms == ngx_current_msec) {
        return snapshot;
    }

    if (!enter(&view, NULL)) {
        return NULL;
    }

    for (i = 0; i < NGX_PAYMENTS_PSPS_MAX; i++) {
        psp = psp_at(i);
        if (psp == NULL) {
            break;
        }

        look_at(&view, psp);
        read_health(&view, psp, &snapshot[i]);
    }

    leave(&view);

    picture_good = 1;
    picture_ms = ngx_current_msec;

    return snapshot;
}


/* /metrics asks for each PSP in turn; dead workers are looked for at the first
 * only. */
void
ngx_payments_health_stat(ngx_uint_t index, ngx_payments_health_stat_t *stat)
{
    health_stat(psp_at(index), index == 0, stat);
}


void
ngx_payments_health_client(const ngx_payments_psp_t *client,
    ngx_payments_health_stat_t *stat)
{
    health_stat(client, 0, stat);
}


static void
health_stat(const ngx_payments_psp_t *psp, ngx_uint_t sweeps,
    ngx_payments_health_stat_t *stat)
{
    view_t  view;

    ngx_memzero(stat, sizeof(ngx_payments_health_stat_t));
    stat->health.success_permille = 1000;

    if (psp == NULL || !enter(&view, NULL)) {
        return;
    }

    if (sweeps) {
        ngx_payments_calls_sweep(view.all, 0);
    }

    look_at(&view, psp);
    read_health(&view, psp, &stat->health);
    stat->circuit = stat->health.circuit;

    if (view.psp != NULL) {
        if (view.psp->breaker.circuit == PAY_CIRCUIT_HALF_OPEN
            && stat->circuit == PAY_CIRCUIT_OPEN)
        {
            stat->circuit = PAY_CIRCUIT_HALF_OPEN;
        }

        stat->opened = view.psp->breaker.opened;
        stat->refused[0] = view.psp->refused[0];
        stat->refused[1] = view.psp->refused[1];
        stat->explored = view.psp->explored;
    }

    leave(&view);
}


/* 1 and the lock is held; 0: there is no zone.  A PSP of the configuration
 * gets its place here at its first call, and `picture_good` ends as the caller
 * is going to change it. */
static ngx_uint_t
enter(view_t *view, const pay_psp_conf_t *psp)
{
    ngx_payments_shctx_t  *ctx;

    ctx = ngx_payments_shctx(&view->pool);
    if (ctx == NULL) {
        return 0;
    }

    view->all = &ctx->healths;
    view->psp = NULL;
    view->now_ms = (int64_t) ngx_current_msec;

    ngx_shmtx_lock(&view->pool->mutex);

    if (psp == NULL) {
        return 1;
    }

    picture_good = 0;
    view->psp = find(view->all, psp);

    if (view->psp == NULL) {
        view->psp = claim(view, psp->name);
    }

    return 1;
}


/* As enter() does, but who only reads makes no place. */
static void
look_at(view_t *view, const ngx_payments_psp_t *psp)
{
    view->psp = find(view->all, &psp->psp);
}


/* No function returns between enter() and this. */
static void
leave(view_t *view)
{
    ngx_shmtx_unlock(&view->pool->mutex);
}


/* Hundreds of names, of which a snapshot asks for each one while the lock is
 * held: a search is made once, and again when names have changed.  A hint is of
 * an index, which a reload may give to another PSP. */
static ngx_payments_health_psp_t *
find(const ngx_payments_healths_t *all, const pay_psp_conf_t *psp)
{
    hint_t  fresh, *hint = &fresh;

    if (psp->index < NGX_PAYMENTS_PSPS_MAX) {
        hint = &hints[psp->index];

        if (is_named(all, hint->place, psp->name)) {
            return all->psps[hint->place];
        }

        if (hint->place == NO_PSP && hint->version == all->version) {
            return NULL;
        }
    }

    hint->place = search(all, psp->name);
    hint->version = all->version;

    return hint->place == NO_PSP ? NULL : all->psps[hint->place];
}


static uint32_t
search(const ngx_payments_healths_t *all, pay_str_t name)
{
    uint32_t  i;

    for (i = 0; i < NGX_PAYMENTS_HEALTH_PSPS && all->psps[i] != NULL; i++) {
        if (is_named(all, i, name)) {
            return i;
        }
    }

    return NO_PSP;
}


static ngx_uint_t
is_named(const ngx_payments_healths_t *all, uint32_t place, pay_str_t name)
{
    const ngx_payments_health_psp_t  *psp;

    psp = place < NGX_PAYMENTS_HEALTH_PSPS ? all->psps[place] : NULL;

    return psp != NULL && name.len != 0
           && pay_str_eq((pay_str_t) { psp->len, psp->name }, name);
}


/* The length is cleared first and set last: a worker that is killed in between
 * leaves a free place and not a PSP with another one's circuit. */
static ngx_payments_health_psp_t *
claim(view_t *view, pay_str_t name)
{
    uint32_t                      place;
    ngx_payments_health_psp_t    *psp;
    ngx_payments_health_piece_t  *next;

    if (name.len == 0 || name.len > NGX_PAYMENTS_HEALTH_NAME) {
        return NULL;
    }

    /* a hint may be of another zone */
    place = search(view->all, name);
    if (place != NO_PSP) {
        return view->all->psps[place];
    }

    psp = room(view);
    if (psp == NULL) {
        return NULL;
    }

    view->all->version++;
    psp->len = 0;
    ngx_memory_barrier();
    next = psp->first.next;
    ngx_memzero(psp, sizeof(ngx_payments_health_psp_t));
    psp->first.next = next;
    ngx_memcpy(psp->name, name.data, name.len);
    psp->used_ms = (uint64_t) ngx_current_msec;
    ngx_memory_barrier();
    psp->len = (uint32_t) name.len;

    return psp;
}


/* A new place, or that of nobody, or that of the PSP whose last call is the
 * oldest, which has no calls in flight and is not in our configuration. */
static ngx_payments_health_psp_t *
room(view_t *view)
{
    uint32_t                    i;
    ngx_payments_health_psp_t  *psp, *best = NULL;

    for (i = 0; i < NGX_PAYMENTS_HEALTH_PSPS; i++) {
        psp = view->all->psps[i];

        if (psp == NULL) {
            psp = ngx_slab_calloc_locked(view->pool,
                                         sizeof(ngx_payments_health_psp_t));
            view->all->psps[i] = psp;
            return psp != NULL ? psp : best;
        }

        if (psp->len == 0) {
            return psp;
        }

        if ((best == NULL || psp->used_ms < best->used_ms)
            && !configured(psp) && ngx_payments_calls_of(psp) == 0)
        {
            best = psp;
        }
    }

    return best;
}


/* A PSP of this configuration is never thrown out by another: its circuit
 * would be forgotten. */
static ngx_uint_t
configured(ngx_payments_health_psp_t *psp)
{
    pay_str_t                       name;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_payments_main_conf();
    name.len = psp->len;
    name.data = psp->name;

    return pay_env_psp(&pmcf->env, name) != NULL;
}


/* The polls of a backlog would fill any cap: from 2 on, a quarter is kept from
 * them.  Full may mean that calls of a killed worker stand here: looked at now
 * and then, for each look is a system call per worker. */
static ngx_uint_t
has_room(view_t *view, const ngx_payments_psp_t *psp, ngx_uint_t can_wait)
{
    ngx_uint_t         limit = psp->concurrency;
    static ngx_msec_t  last;

    if (can_wait && limit > 1) {
        limit -= (limit + KEPT_SHARE - 1) / KEPT_SHARE;
    }

    if (limit == 0 || ngx_payments_calls_of(view->psp) < limit) {
        return 1;
    }

    if (last != 0 && ngx_current_msec - last < SWEEP_PACE_MS) {
        return 0;
    }

    last = ngx_current_msec;
    ngx_payments_calls_sweep(view->all, 0);

    return ngx_payments_calls_of(view->psp) < limit;
}


/* Without figures a PSP is in good health, so that the first call is made. */
static void
read_health(view_t *view, const ngx_payments_psp_t *psp, pay_health_t *health)
{
    ngx_memzero(health, sizeof(pay_health_t));
    health->success_permille = 1000;
    health->in_flight_max = (unsigned) psp->concurrency;

    if (view->psp == NULL) {
        return;
    }

    pay_breaker_read(&view->psp->breaker, &psp->breaker, view->now_ms, health);
    health->in_flight = (unsigned) ngx_payments_calls_of(view->psp);
}


/* The index is the one that routing uses; NULL: there is no such PSP. */
static const ngx_payments_psp_t *
psp_at(ngx_uint_t index)
{
    ngx_payments_psp_t            **psps;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_payments_main_conf();

    if (pmcf == NULL || index >= pmcf->psps.nelts) {
        return NULL;
    }

    psps = pmcf->psps.elts;

    return psps[index];
}


/* Between two calls of jobs to one PSP; rounded up. */
static uint64_t
pace_us(void)
{
    uint64_t  rate = ngx_payments_main_conf()->psp_rate;

    return (UINT64_C(1000000000) + rate - 1) / rate;
}


/* One line for each change, whichever worker saw it; half-open makes none,
 * since each probe would. */
static void
log_change(const ngx_payments_psp_t *psp, uint32_t before, uint32_t after)
{
    if (after == PAY_CIRCUIT_OPEN && before != PAY_CIRCUIT_OPEN) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: circuit opened, psp:%V",
                      &ngx_payments_nstr(psp->psp.name));
    }

    if (after == PAY_CIRCUIT_CLOSED && before != PAY_CIRCUIT_CLOSED) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "payments: circuit closed, psp:%V",
                      &ngx_payments_nstr(psp->psp.name));
    }
}

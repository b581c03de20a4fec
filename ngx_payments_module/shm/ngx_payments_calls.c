/*
 * The calls in flight with PSPs, one count per worker and PSP, in the shared
 * zone; only ngx_payments_health.c calls this, with the zone's lock held.  A
 * killed worker leaks nothing: its counts go when another looks.
 */

#include "shm/ngx_payments_calls.h"

#include <signal.h>


static ngx_payments_health_calls_t *own_count(ngx_payments_health_psp_t *psp,
    ngx_slab_pool_t *pool);
static ngx_payments_health_calls_t *make(ngx_payments_health_piece_t *last,
    ngx_uint_t pieces, ngx_slab_pool_t *pool);
static void sweep(ngx_payments_health_psp_t *psp, ngx_uint_t own);
static ngx_uint_t is_alive(uint32_t pid);


/* The sum over all workers: those of one piece, as a rule. */
ngx_uint_t
ngx_payments_calls_of(const ngx_payments_health_psp_t *psp)
{
    ngx_uint_t                          i, n = 0;
    const ngx_payments_health_piece_t  *piece;

    for (piece = &psp->first; piece != NULL; piece = piece->next) {
        for (i = 0; i < NGX_PAYMENTS_HEALTH_CALLS; i++) {
            n += piece->calls[i].count;
        }
    }

    return n;
}


/* Without a place the call goes uncounted: better than not at all. */
void
ngx_payments_calls_add(ngx_payments_health_psp_t *psp, ngx_slab_pool_t *pool)
{
    ngx_payments_health_calls_t  *c = own_count(psp, pool);

    if (c != NULL) {
        ngx_memory_barrier();
        c->count++;
    }
}


/* A count that is not there belongs to a call that found no place in
 * calls_add(), or to one that a sweep took away: nothing is subtracted then. */
void
ngx_payments_calls_drop(ngx_payments_health_psp_t *psp)
{
    ngx_payments_health_calls_t  *c = own_count(psp, NULL);

    if (c != NULL && c->count > 0) {
        c->count--;
    }
}


/* Called when a cap looks full, and by /metrics: a dead worker costs places
 * until then and no longer. */
void
ngx_payments_calls_sweep(ngx_payments_healths_t *all, ngx_uint_t own)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_PAYMENTS_HEALTH_PSPS && all->psps[i] != NULL; i++) {
        sweep(all->psps[i], own);
    }
}


static void
sweep(ngx_payments_health_psp_t *psp, ngx_uint_t own)
{
    ngx_uint_t                    i;
    ngx_payments_health_calls_t  *c;
    ngx_payments_health_piece_t  *piece;

    for (piece = &psp->first; piece != NULL; piece = piece->next) {
        for (i = 0; i < NGX_PAYMENTS_HEALTH_CALLS; i++) {
            c = &piece->calls[i];

            if (c->count != 0
                && (c->pid == (uint32_t) ngx_pid ? own : !is_alive(c->pid)))
            {
                c->count = 0;
            }
        }
    }
}


/* A process of another user is none of nginx' workers, since these run as this
 * one. */
static ngx_uint_t
is_alive(uint32_t pid)
{
    /* EPERM: the number was given to a stranger */
    return kill((ngx_pid_t) pid, 0) == 0;
}


/* This worker's count; NULL: there is none, and none is made without a pool or
 * room in it.  Entries with a count of 0 are free whichever number they carry,
 * so none has to be given back. */
static ngx_payments_health_calls_t *
own_count(ngx_payments_health_psp_t *psp, ngx_slab_pool_t *pool)
{
    ngx_uint_t                    i, pieces = 0;
    ngx_payments_health_calls_t  *c, *place = NULL;
    ngx_payments_health_piece_t  *piece, *last = NULL;

    for (piece = &psp->first; piece != NULL; piece = piece->next) {
        last = piece;
        pieces++;

        for (i = 0; i < NGX_PAYMENTS_HEALTH_CALLS; i++) {
            c = &piece->calls[i];

            if (c->count == 0) {
                place = place == NULL ? c : place;

            } else if (c->pid == (uint32_t) ngx_pid) {
                return c;
            }
        }
    }

    if (pool == NULL) {
        return NULL;
    }

    if (place == NULL) {
        place = make(last, pieces, pool);
    }

    if (place != NULL) {
        place->pid = (uint32_t) ngx_pid;
    }

    return place;
}


/* `count` is raised by the caller, behind a barrier: an entry with a count
 * always has its owner. */
static ngx_payments_health_calls_t *
make(ngx_payments_health_piece_t *last, ngx_uint_t pieces,
    ngx_slab_pool_t *pool)
{
    ngx_payments_health_piece_t  *piece;

    if (pieces == NGX_PAYMENTS_HEALTH_PIECES) {
        return NULL;
    }

    piece = ngx_slab_calloc_locked(pool, sizeof(ngx_payments_health_piece_t));
    if (piece == NULL) {
        return NULL;
    }

    ngx_memory_barrier();
    last->next = piece;

    return &piece->calls[0];
}

/*
 * The calls in flight with PSPs, one count per worker and PSP, in the shared
 * zone; only ngx_payments_health.c calls this, with the zone's lock held.  A
 * killed worker leaks nothing: its counts go when another looks.
 */

#include "shm/ngx_payments_calls.h"

#include <signal.h>


static ngx_uint_t is_alive(uint32_t pid);
static ngx_payments_health_calls_t *own_count(ngx_payments_healths_t *all,
    uint32_t psp);
static ngx_payments_health_calls_t *make(ngx_payments_healths_t *all,
    uint32_t psp, uint32_t place);
static void trim(ngx_payments_healths_t *all);


/* The sum over all workers; 512 entries at most, and the loop ends at the last
 * one in use. */
ngx_uint_t
ngx_payments_calls_of(const ngx_payments_healths_t *all, uint32_t psp)
{
    uint32_t    i;
    ngx_uint_t  n;

    for (i = 0, n = 0; i < all->calls_end; i++) {
        if (all->calls[i].psp == psp) {
            n += all->calls[i].count;
        }
    }

    return n;
}


/* Without a place the call goes uncounted: better than not at all. */
void
ngx_payments_calls_add(ngx_payments_healths_t *all, uint32_t psp)
{
    ngx_payments_health_calls_t  *c = own_count(all, psp);

    if (c != NULL) {
        ngx_memory_barrier();
        c->count++;
    }
}


/* An entry that is not there belongs to a call that found no place in
 * calls_add(), or to one that a sweep took away: nothing is subtracted then. */
void
ngx_payments_calls_drop(ngx_payments_healths_t *all, uint32_t psp)
{
    ngx_payments_health_calls_t  *c = own_count(all, psp);

    if (c != NULL && c->count > 0) {
        c->count--;
    }

    trim(all);
}


/* Called when a cap looks full, and by /metrics: a dead worker costs places
 * until then and no longer. */
void
ngx_payments_calls_sweep(ngx_payments_healths_t *all, ngx_uint_t own)
{
    uint32_t                      i;
    ngx_payments_health_calls_t  *c;

    for (i = 0; i < all->calls_end; i++) {
        c = &all->calls[i];

        if (c->count != 0
            && (c->pid == (uint32_t) ngx_pid ? own : !is_alive(c->pid)))
        {
            c->count = 0;
        }
    }

    trim(all);
}


/* A process of another user is none of nginx' workers, since these run as this
 * one. */
static ngx_uint_t
is_alive(uint32_t pid)
{
    /* EPERM: the number was given to a stranger */
    return kill((ngx_pid_t) pid, 0) == 0;
}


/* This worker's count of this PSP, made if need be; NULL: all are taken.
 * Entries with a count of 0 are free whichever name they carry, so none has to
 * be given back. */
static ngx_payments_health_calls_t *
own_count(ngx_payments_healths_t *all, uint32_t psp)
{
    uint32_t                      i, place;
    ngx_payments_health_calls_t  *c;

    place = all->calls_end;

    for (i = 0; i < all->calls_end; i++) {
        c = &all->calls[i];

        if (c->count == 0) {
            place = ngx_min(place, i);

        } else if (c->psp == psp && c->pid == (uint32_t) ngx_pid) {
            return c;
        }
    }

    return place < NGX_PAYMENTS_HEALTH_CALLS ? make(all, psp, place) : NULL;
}


/* `count` is raised by the caller, behind a barrier: an entry with a count
 * always has its owner. */
static ngx_payments_health_calls_t *
make(ngx_payments_healths_t *all, uint32_t psp, uint32_t place)
{
    ngx_payments_health_calls_t  *c = &all->calls[place];

    c->count = 0;
    c->pid = (uint32_t) ngx_pid;
    c->psp = psp;
    all->calls_end = ngx_max(all->calls_end, place + 1);

    return c;
}


/* Loops end at the last that counts. */
static void
trim(ngx_payments_healths_t *all)
{
    uint32_t  end = all->calls_end;

    while (end > 0 && all->calls[end - 1].count == 0) {
        end--;
    }

    all->calls_end = end;
}

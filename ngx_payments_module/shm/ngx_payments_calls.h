/*
 * How the PSPs do, as it lies in the shared zone, and the calls in flight of
 * each worker.  Only ngx_payments_health.c calls this.
 */

#ifndef NGX_PAYMENTS_CALLS_H
#define NGX_PAYMENTS_CALLS_H

#include "shm/ngx_payments_health.h"


#define NGX_PAYMENTS_HEALTH_PSPS   40            /* a reload's old and new */
#define NGX_PAYMENTS_HEALTH_CALLS  512
#define NGX_PAYMENTS_HEALTH_NAME   64


/* PSPs are found by name: a reload may renumber them.  Nobody's when len is
 * 0; one that is not used for longest goes when room is needed. */
typedef struct {
    pay_breaker_t               breaker;
    uint64_t                    used_ms;
    uint64_t                    paced_us;        /* a job's next call */
    ngx_atomic_uint_t           refused[NGX_PAYMENTS_REFUSED];
    ngx_atomic_uint_t           explored;
    uint32_t                    len;
    u_char                      name[NGX_PAYMENTS_HEALTH_NAME];
} ngx_payments_health_psp_t;

/* The calls that one worker has in flight with one PSP; nobody's when count
 * is 0.  Kept per process, so that a killed one's can be taken away. */
typedef struct {
    uint32_t                    count;
    uint32_t                    pid;
    uint32_t                    psp;             /* in psps */
} ngx_payments_health_calls_t;

typedef struct {
    ngx_payments_health_psp_t    psps[NGX_PAYMENTS_HEALTH_PSPS];
    ngx_payments_health_calls_t  calls[NGX_PAYMENTS_HEALTH_CALLS];
    uint32_t                     calls_end;      /* all behind are nobody's */
} ngx_payments_healths_t;

/* With the zone's lock held; psp: a place in psps */
ngx_uint_t ngx_payments_calls_of(const ngx_payments_healths_t *all,
    uint32_t psp);
void ngx_payments_calls_add(ngx_payments_healths_t *all, uint32_t psp);
void ngx_payments_calls_drop(ngx_payments_healths_t *all, uint32_t psp);
/* Takes away what dead workers had in flight; with `own` what stands under
 * our number, too. */
void ngx_payments_calls_sweep(ngx_payments_healths_t *all, ngx_uint_t own);


#endif /* NGX_PAYMENTS_CALLS_H */

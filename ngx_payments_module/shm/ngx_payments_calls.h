/*
 * How the PSPs do, as it lies in the shared zone, and the calls in flight of
 * each worker.  Only ngx_payments_health.c calls this.
 */

#ifndef NGX_PAYMENTS_CALLS_H
#define NGX_PAYMENTS_CALLS_H

#include "shm/ngx_payments_health.h"


#define NGX_PAYMENTS_HEALTH_PSPS   (NGX_PAYMENTS_PSPS_MAX + 64)  /* a reload's
                                                    old and new */
#define NGX_PAYMENTS_HEALTH_CALLS  15            /* workers in one piece */
#define NGX_PAYMENTS_HEALTH_PIECES 18            /* so 270 of them */
#define NGX_PAYMENTS_HEALTH_NAME   64


/* The calls that one worker has in flight with a PSP; nobody's when count is 0.
 * Kept per process, so that a killed one's can be taken away. */
typedef struct {
    uint32_t                    count;
    uint32_t                    pid;
} ngx_payments_health_calls_t;

/* There is another piece where more workers than have room here call at
 * once. */
typedef struct ngx_payments_health_piece_s  ngx_payments_health_piece_t;

struct ngx_payments_health_piece_s {
    ngx_payments_health_calls_t   calls[NGX_PAYMENTS_HEALTH_CALLS];
    ngx_payments_health_piece_t  *next;
};

/* PSPs are found by name: a reload may renumber them.  Nobody's when len is
 * 0; one that is not used for longest goes when room is needed, with no calls
 * in flight, and leaves its pieces to the next one. */
typedef struct {
    ngx_payments_health_piece_t  first;
    pay_breaker_t               breaker;
    uint64_t                    used_ms;
    uint64_t                    paced_us;        /* a job's next call */
    ngx_atomic_uint_t           refused[NGX_PAYMENTS_REFUSED];
    ngx_atomic_uint_t           explored;
    uint32_t                    len;
    u_char                      name[NGX_PAYMENTS_HEALTH_NAME];
} ngx_payments_health_psp_t;

/* Made when a PSP is first called, from the first place on. */
typedef struct {
    ngx_payments_health_psp_t   *psps[NGX_PAYMENTS_HEALTH_PSPS];
    uint32_t                     version;        /* of the names */
} ngx_payments_healths_t;

/* With the zone's lock held. */
ngx_uint_t ngx_payments_calls_of(const ngx_payments_health_psp_t *psp);
/* Without room in `pool` the call goes uncounted. */
void ngx_payments_calls_add(ngx_payments_health_psp_t *psp,
    ngx_slab_pool_t *pool);
void ngx_payments_calls_drop(ngx_payments_health_psp_t *psp);
/* Takes away what dead workers had in flight, with any PSP; with `own` what
 * stands under our number, too. */
void ngx_payments_calls_sweep(ngx_payments_healths_t *all, ngx_uint_t own);


#endif /* NGX_PAYMENTS_CALLS_H */

/*
 * How the PSPs do, in shared memory for all workers.  Calls in flight are
 * counted in a slot of each worker, which the worker that follows a dead one
 * clears.
 */

#ifndef NGX_PAYMENTS_HEALTH_H
#define NGX_PAYMENTS_HEALTH_H

#include "util/ngx_payments_conf_types.h"


typedef enum {
    NGX_PAYMENTS_REFUSED_BUSY = 0, NGX_PAYMENTS_REFUSED_CIRCUIT
} ngx_payments_refused_e;

#define NGX_PAYMENTS_REFUSED  2

/* For metrics: what the health (whose circuit is for routing) leaves out. */
typedef struct {
    pay_health_t                health;
    pay_circuit_t               circuit;         /* half-open stays so while
                                                    its probes are under way */
    ngx_uint_t                  opened;
    ngx_uint_t                  refused[NGX_PAYMENTS_REFUSED];
    ngx_uint_t                  explored;
} ngx_payments_health_stat_t;


/* At the start of a worker: drops what a dead worker with this number had in
 * flight.  Always NGX_OK. */
ngx_int_t ngx_payments_health_init(ngx_cycle_t *cycle);
/* NGX_OK: a call may go, and is in flight until one of the next two is called;
 * NGX_DECLINED: the circuit is open; NGX_BUSY: as many as may be are in
 * flight.  `can_wait`: one that leaves the last places to others.  Without a
 * zone always NGX_OK. */
ngx_int_t ngx_payments_health_begin(const ngx_payments_psp_t *psp,
    ngx_uint_t can_wait);
void ngx_payments_health_end(const ngx_payments_psp_t *psp, ngx_uint_t ok,
    ngx_msec_t ms);
/* It never reached the network: says nothing about the PSP. */
void ngx_payments_health_forget(const ngx_payments_psp_t *psp);
/* A new checkout begins at this PSP because its route explores. */
void ngx_payments_health_explored(const pay_psp_conf_t *psp);
/* How long a job's call must wait, so that jobs keep within psp_rate, all
 * workers together; its place is taken.  NGX_BUSY: too long, no place. */
ngx_int_t ngx_payments_health_pace(const ngx_payments_psp_t *psp,
    ngx_msec_t *wait);
/* How far ahead places are taken, at the PSP that is furthest. */
ngx_msec_t ngx_payments_health_ahead(ngx_uint_t cell);
/* One entry for each PSP by its index, at most a millisecond old, valid until
 * the next call; NULL without a zone. */
const pay_health_t *ngx_payments_health_snapshot(void);
/* The health of a client that is no PSP, for metrics. */
void ngx_payments_health_client(const ngx_payments_psp_t *client,
    ngx_payments_health_stat_t *stat);
/* The health of the index-th PSP of this process' configuration. */
void ngx_payments_health_stat(ngx_uint_t index,
    ngx_payments_health_stat_t *stat);


#endif /* NGX_PAYMENTS_HEALTH_H */

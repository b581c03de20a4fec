/*
 * Figures of a round of the whole database, which one worker of all nodes
 * gathers and every worker shows in /metrics.
 */

#ifndef NGX_PAYMENTS_FIGURES_H
#define NGX_PAYMENTS_FIGURES_H

#include "util/ngx_payments.h"

#include "pay_json.h"


/* The integer of that name in a round's JSON.  One that is missing, negative
 * or no integer counts as 0: metrics must not fail a round. */
ngx_atomic_uint_t ngx_payments_figure(const pay_json_t *json,
    const char *member);

/* Whether figures of that time (seconds since 1970; 0: none have come) are
 * too old to be shown.  Old figures would look like good ones; an alarm
 * watches for their absence (docs/operations.md). */
ngx_uint_t ngx_payments_figures_are_old(ngx_atomic_uint_t at);

/* Seconds since that time; 0 where there is none, or where it is ahead.
 * Rounds hand out points in time and not ages, which would stand still
 * between two rounds. */
uint64_t ngx_payments_figure_age(ngx_atomic_uint_t at);


#endif /* NGX_PAYMENTS_FIGURES_H */

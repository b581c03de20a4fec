/*
 * The windows of risk in shared memory.
 */

#ifndef NGX_PAYMENTS_WINDOWS_H
#define NGX_PAYMENTS_WINDOWS_H

#include "util/ngx_payments.h"
#include "pay_risk.h"


/* The zone of payments_risk memory=. */
ngx_int_t ngx_payments_windows_init_zone(ngx_shm_zone_t *zone, void *data);
/* Adds one to each window, all of them under one lock, and fills the counts
 * in.  Without the zone they stay 0.  NGX_DECLINED: the windows lack attempts
 * of the cell, and nothing was counted. */
ngx_int_t ngx_payments_windows_count(ngx_uint_t cell,
    pay_risk_counts_t *counts);
/* Takes all of that back. */
void ngx_payments_windows_take(const pay_risk_counts_t *counts);
/* Whether they have the attempts in that cell from before the zone was made, or
 * there is no zone; adds the attempts of a page; and that all its pages are
 * there. */
ngx_uint_t ngx_payments_windows_are_whole(ngx_uint_t cell);
void ngx_payments_windows_put(const pay_risk_past_page_t *page);
void ngx_payments_windows_set_whole(ngx_uint_t cell);
/* How many keys have made room for others before their window was over. */
uint64_t ngx_payments_windows_evicted(void);


#endif /* NGX_PAYMENTS_WINDOWS_H */

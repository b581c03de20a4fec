/*
 * Deliveries to the endpoints of storefronts.
 */

#ifndef NGX_PAYMENTS_COUNT_DELIVERIES_H
#define NGX_PAYMENTS_COUNT_DELIVERIES_H

#include "shm/ngx_payments_shm.h"

#include "pay_arena.h"


/* An attempt has ended: delivered, failed or gone. */
void ngx_payments_count_delivery(pay_str_t outcome, ngx_msec_t ms);
/* Appends their families. */
void ngx_payments_deliveries_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters);


#endif /* NGX_PAYMENTS_COUNT_DELIVERIES_H */

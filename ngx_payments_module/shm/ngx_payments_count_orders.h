/*
 * Orders and declined attempts of all hosts in /metrics.
 */

#ifndef NGX_PAYMENTS_COUNT_ORDERS_H
#define NGX_PAYMENTS_COUNT_ORDERS_H

#include "shm/ngx_payments_count_cell.h"

#include "pay_arena.h"
#include "pay_json.h"


/* The counters that a round of roll-ups hands out: members "orders" and
 * "declines". */
void ngx_payments_count_orders(ngx_payments_cell_stat_t *stat,
    const pay_json_t *figures);
void ngx_payments_orders_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat);


#endif /* NGX_PAYMENTS_COUNT_ORDERS_H */

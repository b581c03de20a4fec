/*
 * The counters of a cell.
 */

#ifndef NGX_PAYMENTS_COUNT_CELL_H
#define NGX_PAYMENTS_COUNT_CELL_H

#include "shm/ngx_payments_shm.h"


typedef struct ngx_payments_cell_stat_s  ngx_payments_cell_stat_t;

/* At the start of a worker: finds or makes those of its configuration. */
void ngx_payments_cell_stats_init(ngx_cycle_t *cycle);
/* By the index in this process' configuration.  NULL: there is no zone, or no
 * room in it, and nothing is counted. */
ngx_payments_cell_stat_t *ngx_payments_cell_stat(ngx_uint_t cell);


#endif /* NGX_PAYMENTS_COUNT_CELL_H */

/*
 * The figures of events for receivers.
 */

#ifndef NGX_PAYMENTS_COUNT_EVENTS_H
#define NGX_PAYMENTS_COUNT_EVENTS_H

#include "shm/ngx_payments_count_cell.h"

#include "pay_arena.h"
#include "pay_str.h"


/* The figures of a round on any host; the text is SQL's
 * (pay_api.watch_events). */
void ngx_payments_count_events_round(ngx_uint_t cell, pay_str_t json);

/* Appends their families; nothing when the figures are old. */
void ngx_payments_events_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat);


#endif /* NGX_PAYMENTS_COUNT_EVENTS_H */

/*
 * The figures of roll-ups for the console's plots.
 */

#ifndef NGX_PAYMENTS_COUNT_ROLLUPS_H
#define NGX_PAYMENTS_COUNT_ROLLUPS_H

#include "shm/ngx_payments_shm.h"

#include "pay_arena.h"
#include "pay_str.h"


/* The figures of a round on any host; the text is SQL's (pay_api.roll_up). */
void ngx_payments_count_rollups(pay_str_t json);

/* Appends their families; nothing when the figures are old. */
void ngx_payments_rollups_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters);


#endif /* NGX_PAYMENTS_COUNT_ROLLUPS_H */

/*
 * The counters of settlement files, and the figures of the round of settlement.
 */

#ifndef NGX_PAYMENTS_COUNT_SETTLED_H
#define NGX_PAYMENTS_COUNT_SETTLED_H

#include "shm/ngx_payments_count_cell.h"
#include "shm/ngx_payments_labels.h"

#include "pay_str.h"


/* A file that this worker has read to its end: booked, known or refused. */
void ngx_payments_count_settled_file(ngx_uint_t cell, pay_str_t source,
    const char *state);
/* A look at a source that has ended early. */
void ngx_payments_count_settled_failed(ngx_uint_t cell, pay_str_t source);
/* A close that this worker has signed (1), or could not (0). */
void ngx_payments_count_close(ngx_uint_t cell, ngx_uint_t is_signed);
/* The figures of a round on any host; the text is SQL's
 * (pay_api.watch_settlement). */
void ngx_payments_count_settled_round(ngx_uint_t cell, pay_str_t json);

/* Appends the families of settlement; those of rounds only while their figures
 * are fresh. */
void ngx_payments_settled_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat);


#endif /* NGX_PAYMENTS_COUNT_SETTLED_H */

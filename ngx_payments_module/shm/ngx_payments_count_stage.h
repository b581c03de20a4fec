/*
 * How long the stages of a request take, and what payments_bulkhead refuses:
 * counters, and their part of /metrics.
 */

#ifndef NGX_PAYMENTS_COUNT_STAGE_H
#define NGX_PAYMENTS_COUNT_STAGE_H

#include "shm/ngx_payments_count_cell.h"

#include "pay_op.h"


/* A stage of this request took so long, or its deadline ran out;
 * PAY_STAGE_NONE is not counted.  trace_id may be empty. */
void ngx_payments_count_stage(pay_stage_t stage, uint64_t us,
    pay_str_t request_id, pay_str_t trace_id);
void ngx_payments_count_stage_timeout(pay_stage_t stage);
/* is_open: with exemplars. */
void ngx_payments_stages_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters, ngx_uint_t is_open);
void ngx_payments_bulkheads_write(pay_buf_t *buf, ngx_uint_t cell,
    const ngx_payments_cell_stat_t *stat);


#endif /* NGX_PAYMENTS_COUNT_STAGE_H */

/*
 * How long the stages of a request take, and what payments_bulkhead refuses:
 * counters, and their part of /metrics.
 */

#ifndef NGX_PAYMENTS_COUNT_STAGE_H
#define NGX_PAYMENTS_COUNT_STAGE_H

#include "shm/ngx_payments_shm.h"

#include "pay_op.h"


/* A stage took so long, or its deadline ran out; PAY_STAGE_NONE is not
 * counted. */
void ngx_payments_count_stage(pay_stage_t stage, uint64_t us);
void ngx_payments_count_stage_timeout(pay_stage_t stage);
void ngx_payments_stages_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters);
void ngx_payments_bulkheads_write(pay_buf_t *buf,
    const ngx_payments_counters_t *c);


#endif /* NGX_PAYMENTS_COUNT_STAGE_H */

/*
 * Windows of risk whose memory is new learn the attempts of before.
 */

#ifndef NGX_PAYMENTS_RECALL_H
#define NGX_PAYMENTS_RECALL_H

#include "util/ngx_payments.h"


/* The first worker of a host does it; no checkout is counted before. */
ngx_int_t ngx_payments_recall_start(ngx_cycle_t *cycle, ngx_uint_t cell);


#endif /* NGX_PAYMENTS_RECALL_H */

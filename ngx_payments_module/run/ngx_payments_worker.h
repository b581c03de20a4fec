/*
 * Init and exit of a worker, and its background jobs.
 */

#ifndef NGX_PAYMENTS_WORKER_H
#define NGX_PAYMENTS_WORKER_H

#include "util/ngx_payments.h"


ngx_int_t ngx_payments_init_process(ngx_cycle_t *cycle);
void ngx_payments_exit_process(ngx_cycle_t *cycle);


#endif /* NGX_PAYMENTS_WORKER_H */

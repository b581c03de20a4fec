/*
 * Init and exit of a worker, and its background jobs.
 */

#ifndef NGX_PAYMENTS_WORKER_H
#define NGX_PAYMENTS_WORKER_H

#include "util/ngx_payments.h"


/* Hooks of the module.  The first starts everything that a worker has; with
 * NGX_ERROR nginx ends the process.  The second gives up what is under way:
 * jobs go on with it when their leases are over. */
ngx_int_t ngx_payments_init_process(ngx_cycle_t *cycle);
void ngx_payments_exit_process(ngx_cycle_t *cycle);


#endif /* NGX_PAYMENTS_WORKER_H */

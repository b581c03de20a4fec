/*
 * Operations on PostgreSQL, batched.
 */

#ifndef NGX_PAYMENTS_DB_H
#define NGX_PAYMENTS_DB_H

#include "io/ngx_payments_call.h"
#include "util/ngx_payments_conf_types.h"


/* At the start of a worker: the queues, and connections that are opened in the
 * background.  The configurations live as long as the process; those without
 * `dsns` have no connections.  The other one closes all. */
ngx_int_t ngx_payments_db_start(ngx_cycle_t *cycle,
    ngx_payments_db_conf_t *const confs[PAY_ROLE_COUNT]);
void ngx_payments_db_stop(void);
/* NGX_OK: queued; NGX_BUSY: the queue is full; NGX_DECLINED: PostgreSQL is
 * down. */
ngx_int_t ngx_payments_db_call(ngx_payments_call_t *call);


#endif /* NGX_PAYMENTS_DB_H */

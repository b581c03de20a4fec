/*
 * Answers of a cell's replica, as long as it is known to be near its primary.
 */

#ifndef NGX_PAYMENTS_REPLICA_H
#define NGX_PAYMENTS_REPLICA_H

#include "io/ngx_payments_call.h"
#include "util/ngx_payments_conf_types.h"


/* At the start of a worker, behind that of the connections: begins to look how
 * far each replica is behind.  NGX_ERROR: no random bytes. */
ngx_int_t ngx_payments_replica_start(ngx_cycle_t *cycle,
    const ngx_array_t *cells);

/* As ngx_payments_db_call(), for one whose answer nothing is decided by, and
 * which may be max_age old: its operation may be late.  The replica is asked
 * where there is one that is near enough, and the primary behind it, when the
 * replica has not found it or has no answer.  call->age says which one has
 * answered. */
ngx_int_t ngx_payments_replica_call(ngx_payments_call_t *call,
    ngx_msec_t max_age);


#endif /* NGX_PAYMENTS_REPLICA_H */

/*
 * Operations on PostgreSQL, batched.
 */

#ifndef NGX_PAYMENTS_DB_H
#define NGX_PAYMENTS_DB_H

#include "io/ngx_payments_call.h"
#include "util/ngx_payments_conf_types.h"


/* At the start of a worker: the queues, and connections that are opened in the
 * background.  The cells (ngx_payments_cell_t *) live as long as the process;
 * roles without `dsns` have no connections.  The other one closes all. */
ngx_int_t ngx_payments_db_start(ngx_cycle_t *cycle, const ngx_array_t *cells);
void ngx_payments_db_stop(void);
/* Whether a probe would be answered: no connection is up; one is, and calls
 * wait for an answer, or a probe has had none; or the database answers. */
typedef enum {
    NGX_PAYMENTS_HOPE_NONE = 0, NGX_PAYMENTS_HOPE_LITTLE,
    NGX_PAYMENTS_HOPE_GOOD
} ngx_payments_hope_e;

ngx_payments_hope_e ngx_payments_db_hope(ngx_uint_t cell);
/* A probe asks the cell now. */
void ngx_payments_db_probed(ngx_uint_t cell);
/* The number of the connection to the cell's replica, which is another one
 * after each reconnect; 0: there is none now. */
ngx_uint_t ngx_payments_db_session(ngx_uint_t cell);
/* The cell's replica, which there is, is none any more: the next of its hosts
 * is tried. */
void ngx_payments_db_leave(ngx_uint_t cell, const char *why);
/* NGX_OK: queued; NGX_BUSY: the queue is full; NGX_DECLINED: PostgreSQL is
 * down. */
ngx_int_t ngx_payments_db_call(ngx_payments_call_t *call);


#endif /* NGX_PAYMENTS_DB_H */

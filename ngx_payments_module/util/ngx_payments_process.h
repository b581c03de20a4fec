/*
 * A process of nginx: its configuration and its steady clock.
 */

#ifndef NGX_PAYMENTS_PROCESS_H
#define NGX_PAYMENTS_PROCESS_H

#include "util/ngx_payments_conf_types.h"


/* At the start of each process that nginx makes. */
void ngx_payments_process_start(ngx_http_payments_main_conf_t *pmcf);
/* NULL before that, and without an http block. */
ngx_http_payments_main_conf_t *ngx_payments_main_conf(void);
/* ", cell:NAME" for lines of the log where there are several, else "". */
ngx_str_t *ngx_payments_cell_note(ngx_uint_t cell);
/* The cell of that name, which may be a stranger's; NULL: there is none. */
ngx_payments_cell_t *ngx_payments_cell_named(
    const ngx_http_payments_main_conf_t *pmcf, pay_str_t name);

/* The wall clock, but for jumps of more than half a minute: then the time
 * goes on as before until a reload.  For what ends checkouts. */
time_t ngx_payments_steady_time(void);

/* A timer of the process, which belongs to no connection: sets its handler and
 * log.  Its data may not be NULL, because nginx' debug log reads the descriptor
 * of the connection that it takes the data for (ngx_event_ident()). */
void ngx_payments_timer_init(ngx_event_t *ev, ngx_event_handler_pt handler,
    ngx_log_t *log);


#endif /* NGX_PAYMENTS_PROCESS_H */

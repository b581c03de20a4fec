/*
 * Sockets that a library owns (libpq, libcurl), watched by nginx.
 * Level-triggered, so that a byte which the library leaves behind cannot
 * stall.  Both libraries close a socket before anybody can stop watching it,
 * and its number may then be another connection's: what nginx watches is a
 * duplicate, which is closed here; the library's own socket never is.
 */

#ifndef NGX_PAYMENTS_WATCH_H
#define NGX_PAYMENTS_WATCH_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/* NULL when nginx has no connection slot or no descriptor left. */
ngx_connection_t *ngx_payments_watch_open(int fd, void *data,
    ngx_event_handler_pt handler, ngx_log_t *log);

/* Sets which of the two events are reported from now on. */
ngx_int_t ngx_payments_watch(ngx_connection_t *c, ngx_uint_t rd,
    ngx_uint_t wr);

/* Stops watching; NULL is fine. */
void ngx_payments_watch_close(ngx_connection_t *c);


#endif /* NGX_PAYMENTS_WATCH_H */

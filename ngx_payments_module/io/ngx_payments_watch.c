/*
 * Watching sockets that libraries own; see the header.
 */

#include "io/ngx_payments_watch.h"


static ngx_int_t watch_event(ngx_event_t *ev, ngx_int_t kind, ngx_uint_t on);


/* CLOEXEC: a binary upgrade must not inherit the socket of a call. */
ngx_connection_t *
ngx_payments_watch_open(int fd, void *data, ngx_event_handler_pt handler,
    ngx_log_t *log)
{
    int                copy;
    ngx_connection_t  *c;

    copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy == -1) {
        return NULL;
    }

    c = ngx_get_connection(copy, log);
    if (c == NULL) {
        (void) ngx_close_socket(copy);
        return NULL;
    }

    c->data = data;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = handler;
    c->write->handler = handler;

    return c;
}


/* The events are only changed where they differ, as each change is a system
 * call. */
ngx_int_t
ngx_payments_watch(ngx_connection_t *c, ngx_uint_t rd, ngx_uint_t wr)
{
    if (watch_event(c->read, NGX_READ_EVENT, rd) != NGX_OK) {
        return NGX_ERROR;
    }

    return watch_event(c->write, NGX_WRITE_EVENT, wr);
}


/* Events that were posted in this turn are taken back, or their handler would
 * run for a connection that is another's by then. */
void
ngx_payments_watch_close(ngx_connection_t *c)
{
    ngx_socket_t  copy;

    if (c == NULL) {
        return;
    }

    (void) ngx_payments_watch(c, 0, 0);

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->read->closed = 1;
    c->write->closed = 1;

    copy = c->fd;
    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
    (void) ngx_close_socket(copy);
}


static ngx_int_t
watch_event(ngx_event_t *ev, ngx_int_t kind, ngx_uint_t on)
{
    if (on && !ev->active) {
        return ngx_add_event(ev, kind, NGX_LEVEL_EVENT);
    }

    if (!on && ev->active) {
        return ngx_del_event(ev, kind, 0);
    }

    return NGX_OK;
}

/*
 * The knowledge of a process of nginx about itself: its configuration, and a
 * clock that does not jump.
 */

#include "util/ngx_payments_process.h"


#define JUMP_S  30


/* `seen` and `seen_at` are the last moment at which both clocks agreed. */
typedef struct {
    ngx_http_payments_main_conf_t  *pmcf;
    time_t                          seen;        /* the wall clock then */
    ngx_msec_t                      seen_at;     /* by the other one */
    ngx_uint_t                      jumped;
} process_t;


static process_t         process;
/* For timers that belong to no connection: see the header. */
static ngx_connection_t  no_connection = { .fd = (ngx_socket_t) -1 };


/* A reload makes new workers, which believe the clock as it is then. */
void
ngx_payments_process_start(ngx_http_payments_main_conf_t *pmcf)
{
    process.pmcf = pmcf;
    process.seen = ngx_time();
    process.seen_at = ngx_current_msec;
}


ngx_http_payments_main_conf_t *
ngx_payments_main_conf(void)
{
    return process.pmcf;
}


ngx_str_t *
ngx_payments_cell_note(ngx_uint_t cell)
{
    ngx_payments_cell_t  **cells = process.pmcf->cells.elts;

    return &cells[cell]->note;
}


ngx_payments_cell_t *
ngx_payments_cell_named(const ngx_http_payments_main_conf_t *pmcf,
    pay_str_t name)
{
    ngx_uint_t             i;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    for (i = 0; i < pmcf->cells.nelts; i++) {
        if (pay_str_eq(ngx_payments_str(cells[i]->name), name)) {
            return cells[i];
        }
    }

    return NULL;
}


/* Small steps, such as NTP makes, are followed; a jump is logged once and then
 * ignored. */
time_t
ngx_payments_steady_time(void)
{
    time_t  now = ngx_time(), wanted;

    wanted = process.seen + (time_t) ((ngx_current_msec - process.seen_at)
                                     / 1000);

    if (now >= wanted - JUMP_S && now <= wanted + JUMP_S) {
        process.seen = now;
        process.seen_at = ngx_current_msec;
        return now;
    }

    if (!process.jumped) {
        process.jumped = 1;
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: the clock has jumped, seconds:%T, "
                      "hint:jobs keep the old time until a reload",
                      now - wanted);
    }

    return wanted;
}


void
ngx_payments_timer_init(ngx_event_t *ev, ngx_event_handler_pt handler,
    ngx_log_t *log)
{
    ev->handler = handler;
    ev->data = &no_connection;
    ev->log = log;
}

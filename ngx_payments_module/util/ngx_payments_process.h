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

/* The wall clock, but for jumps of more than half a minute: then the time
 * goes on as before until a reload.  For what ends checkouts. */
time_t ngx_payments_steady_time(void);


#endif /* NGX_PAYMENTS_PROCESS_H */

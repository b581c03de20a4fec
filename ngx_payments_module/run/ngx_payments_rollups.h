/*
 * Roll-ups for the console's plots, by the clock.
 */

#ifndef NGX_PAYMENTS_ROLLUPS_H
#define NGX_PAYMENTS_ROLLUPS_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* `owner` lives as long as the worker. */
void ngx_payments_rollups_start(ngx_cycle_t *cycle, pay_str_t owner);


#endif /* NGX_PAYMENTS_ROLLUPS_H */

/*
 * How often a line may be written to error.log whose cause is a stranger or
 * something that is down.
 */

#ifndef NGX_PAYMENTS_LOG_PACE_H
#define NGX_PAYMENTS_LOG_PACE_H

#include <ngx_config.h>
#include <ngx_core.h>


/* One kind of line in one worker; zeroed at first. */
typedef struct {
    ngx_msec_t  since;
    ngx_uint_t  left;
    ngx_uint_t  omitted;
} ngx_payments_log_pace_t;


/* 1: write the line, and say with it that *omitted of its kind were not
 * written since the last one.  At most 5 at once, and one a second after. */
ngx_uint_t ngx_payments_log_may(ngx_payments_log_pace_t *pace,
    ngx_uint_t *omitted);


#endif /* NGX_PAYMENTS_LOG_PACE_H */

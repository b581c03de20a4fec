/*
 * A token bucket for lines of error.log: what a stranger can cause as often
 * as he likes does not fill the disk, and the count says how often it was.
 */

#include "util/ngx_payments_log_pace.h"


#define BURST      5
#define REFILL_MS  1000


/* In the worker's own memory, so with n workers there are n times as many
 * lines at most. */
ngx_uint_t
ngx_payments_log_may(ngx_payments_log_pace_t *pace, ngx_uint_t *omitted)
{
    ngx_uint_t  refills;

    if (pace->since == 0) {
        pace->since = ngx_current_msec;
        pace->left = BURST;
    }

    refills = (ngx_current_msec - pace->since) / REFILL_MS;

    if (refills != 0) {
        pace->since += refills * REFILL_MS;
        pace->left = ngx_min(pace->left + refills, BURST);
    }

    if (pace->left == 0) {
        pace->omitted++;
        return 0;
    }

    pace->left--;
    *omitted = pace->omitted;
    pace->omitted = 0;

    return 1;
}

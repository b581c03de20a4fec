/*
 * Stops a worker at a place that a test names (tests/faults).  Empty in every
 * build but FAULTS=1: this file's rename() blocks, and a stopped worker serves
 * no request.
 */

#include "util/ngx_payments.h"
#include "util/ngx_payments_fault.h"

#include <signal.h>
#include <stdio.h>


#ifdef NGX_PAYMENTS_FAULTS

/* SIGSTOP and not a sleep: the test decides when, and whether, the worker goes
 * on. */
void
ngx_payments_fault_hit(const char *when, const char *what)
{
    u_char  armed[NGX_MAX_PATH], taken[NGX_MAX_PATH];

    ngx_memzero(armed, sizeof(armed));
    ngx_memzero(taken, sizeof(taken));

    (void) ngx_snprintf(armed, sizeof(armed) - 1, "%Vfaults/%s-%s",
                        &ngx_cycle->prefix, when, what);
    (void) ngx_snprintf(taken, sizeof(taken) - 1, "%Vfaults/%P",
                        &ngx_cycle->prefix, ngx_pid);

    /* of several workers one finds it there */
    if (rename((char *) armed, (char *) taken) == 0) {
        (void) raise(SIGSTOP);
    }
}


#endif

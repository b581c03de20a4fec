/*
 * The relay's loop: claim, send, wait for the reports, mark.
 */

#ifndef PAY_SRC_RELAY_LOOP_H
#define PAY_SRC_RELAY_LOOP_H

#include "relay/conf.h"

#include <signal.h>


/* Until *is_stopping is set by a signal; then waits for the reports of messages
 * on their way, marks them and gives the lease back.  1, or 0 when it cannot
 * begin. */
int relay_run(const relay_conf_t *conf,
    const volatile sig_atomic_t *is_stopping);


#endif /* PAY_SRC_RELAY_LOOP_H */

/*
 * Milliseconds of a clock that never goes back.
 */

#ifndef PAY_SRC_RELAY_CLOCK_H
#define PAY_SRC_RELAY_CLOCK_H

#include <stdint.h>
#include <time.h>


static inline int64_t
relay_now(void)
{
    struct timespec  now;

    clock_gettime(CLOCK_MONOTONIC, &now);

    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}


#endif /* PAY_SRC_RELAY_CLOCK_H */

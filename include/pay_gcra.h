/*
 * The generic cell rate algorithm, the arithmetic alone: one 64-bit word per
 * bucket, whatever its rate.  The word is the theoretical arrival time (TAT)
 * in nanoseconds; who keeps it, and where the time comes from, is the
 * caller's.  Every sum saturates; times are good for 500 years.
 */

#ifndef PAY_GCRA_H
#define PAY_GCRA_H

#include <stdint.h>


/* A limit; make it with pay_gcra_init(). */
typedef struct {
    uint64_t  interval_ns;     /* between two requests at the steady rate */
    uint64_t  tolerance_ns;    /* how far the TAT may run ahead of now */
    uint64_t  quota;           /* burst + 1: the tokens of an idle bucket */
} pay_gcra_t;

typedef struct {
    int       allowed;
    uint64_t  left;            /* how many more would pass now */
    uint64_t  wait_ms;         /* until the next one passes; 0: at once */
    uint64_t  full_ms;         /* until the bucket is as if never used */
} pay_gcra_result_t;


/* rate: requests per 1000 s (0 is taken as 1), burst: how many may come at
 * once beside the steady one.  The interval is rounded up, so that no more
 * than the rate ever passes. */
void pay_gcra_init(pay_gcra_t *limit, uint64_t rate, uint64_t burst);

/* Judges one request at now_ms, a monotonic clock.  *tat_ns is the bucket's
 * state, 0 for a new one; it moves on only when the request is allowed.  After
 * a clock that went back (or a limit that became smaller) the TAT may lie
 * further ahead than this limit ever puts it: it is pulled back to there, so no
 * client waits longer than after a full burst. */
pay_gcra_result_t pay_gcra_take(const pay_gcra_t *limit, uint64_t now_ms,
    uint64_t *tat_ns);

/* 1 when the bucket holds nothing that a new one would not hold. */
int pay_gcra_is_idle(uint64_t tat_ns, uint64_t now_ms);


#endif /* PAY_GCRA_H */

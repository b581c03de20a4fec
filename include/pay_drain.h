/*
 * The rate at which a queue is emptied, from which Retry-After is computed.
 * Only the time in which an item waited counts, and older times count less and
 * less.  It reads no clock: the caller's is monotonic, in milliseconds.
 */

#ifndef PAY_DRAIN_H
#define PAY_DRAIN_H

#include <stdint.h>


#define PAY_DRAIN_WAIT_MIN_S  1
#define PAY_DRAIN_WAIT_MAX_S  60

/* All zero is a queue that has never held anything. */
typedef struct {
    int64_t  busy_us;          /* time in which something waited … */
    int64_t  left_milli;       /* … and a thousand times the items that left
                                  in it, both smoothed */
    int64_t  left;             /* since seen_ms, not in the two above yet */
    int64_t  seen_ms;          /* looked at last; when is_busy */
    int      is_busy;          /* something has waited since then */
} pay_drain_t;


/* Records that at now_ms `left` items have left the queue (0: some came) and
 * that `waiting` are in it.  A clock that goes back counts as one that stands
 * still. */
void pay_drain_note(pay_drain_t *drain, int64_t now_ms, int64_t left,
    int64_t waiting);

/* In how many seconds `ahead` items will have left at this pace, rounded up,
 * from PAY_DRAIN_WAIT_MIN_S to PAY_DRAIN_WAIT_MAX_S.  When nothing leaves: as
 * long again as nothing has.  Changes nothing. */
int64_t pay_drain_wait_s(const pay_drain_t *drain, int64_t now_ms,
    int64_t ahead);


#endif /* PAY_DRAIN_H */

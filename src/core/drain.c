/*
 * The pace of a queue as two sums that fade together: busy time and what left
 * in it.  Their quotient is right from the first items on, where a smoothed
 * rate would have to start from a guess.  Fading is by FADE / (FADE + passed),
 * which is close to an exponential and needs no logarithm.
 */

#include "pay_drain.h"


/* How fast the past loses weight: a second of work counts half after two
 * seconds. */
#define FADE_MS        2000
#define STEP_MS        50          /* shorter times are added up first */
#define PASSED_MAX_MS  3600000
#define MILLI          1000
/* The three limits keep every product below 2^63: LEFT_MAX times FADE_MS, and
 * AHEAD_MAX times an hour of busy time in microseconds. */
#define COUNT_MAX      INT64_C(1000000000)
#define LEFT_MAX       INT64_C(1000000000000000)
#define AHEAD_MAX      INT64_C(2000000)


static void fold(pay_drain_t *drain, int64_t now_ms);
static int64_t faded(int64_t sum, int64_t passed_ms);
static int64_t passed_ms(const pay_drain_t *drain, int64_t now_ms);
static int64_t bounded(int64_t n, int64_t min, int64_t max);


/*
 *   idle ── an item waits ──▶ busy ── the queue is empty ──▶ idle
 *
 * Only busy time is summed up: an idle queue says nothing about its pace.
 * Steps shorter than STEP_MS are collected first, because each fold rounds
 * down. */
void
pay_drain_note(pay_drain_t *drain, int64_t now_ms, int64_t left,
    int64_t waiting)
{
    if (drain->is_busy) {
        drain->left = bounded(drain->left + bounded(left, 0, COUNT_MAX), 0,
                              COUNT_MAX);

        if (passed_ms(drain, now_ms) < STEP_MS && waiting > 0) {
            return;
        }

        fold(drain, now_ms);
    }

    drain->is_busy = waiting > 0;
    drain->seen_ms = now_ms;
}


/* Works on a copy that is brought up to now: a queue that has stopped leaving
 * must say a longer time with every second, without anybody noting
 * anything. */
int64_t
pay_drain_wait_s(const pay_drain_t *drain, int64_t now_ms, int64_t ahead)
{
    int64_t      wait_ms;
    pay_drain_t  now = *drain;

    fold(&now, now_ms);

    /* sums fade, so "nothing has left" is less than one item */
    wait_ms = now.left_milli < MILLI ? now.busy_us / MILLI
              : bounded(ahead, 0, AHEAD_MAX) * now.busy_us / now.left_milli;

    return bounded((wait_ms + MILLI - 1) / MILLI, PAY_DRAIN_WAIT_MIN_S,
                   PAY_DRAIN_WAIT_MAX_S);
}


/* Moves the time since seen_ms, and the items that left in it, into the
 * sums. */
static void
fold(pay_drain_t *drain, int64_t now_ms)
{
    int64_t  passed;

    if (!drain->is_busy) {
        return;
    }

    passed = passed_ms(drain, now_ms);

    drain->busy_us = faded(drain->busy_us, passed) + passed * MILLI;
    drain->left_milli = bounded(faded(drain->left_milli, passed)
                                + drain->left * MILLI, 0, LEFT_MAX);
    drain->left = 0;
    drain->seen_ms = now_ms;
}


/* Integer arithmetic; the loss by rounding is less than one unit of a sum. */
static int64_t
faded(int64_t sum, int64_t passed_ms)
{
    return sum * FADE_MS / (FADE_MS + passed_ms);
}


/* Bounded: a clock that jumped ahead must not erase the sums by one long
 * step. */
static int64_t
passed_ms(const pay_drain_t *drain, int64_t now_ms)
{
    return bounded(now_ms - drain->seen_ms, 0, PASSED_MAX_MS);
}


static int64_t
bounded(int64_t n, int64_t min, int64_t max)
{
    return n < min ? min : n > max ? max : n;
}

/*
 * When to come again, by how fast a queue is emptied; the clock is a number.
 */

#include <criterion/criterion.h>

#include "pay_drain.h"


#define START_MS  INT64_C(7000000)


/* `rate` items leave each second for span_ms, the queue never empty; returns
 * when it ended. */
static int64_t
run(pay_drain_t *drain, int64_t from_ms, int64_t span_ms, int64_t rate)
{
    int64_t  t;

    for (t = 0; t < span_ms; t += 10) {
        pay_drain_note(drain, from_ms + t, t == 0 ? 0 : rate / 100, 1);
    }

    pay_drain_note(drain, from_ms + span_ms, rate / 100, 1);

    return from_ms + span_ms;
}


Test(pay_drain, a_queue_that_never_held_anything_says_the_least)
{
    pay_drain_t  drain = { 0 };

    cr_expect_eq(pay_drain_wait_s(&drain, START_MS, 0), 1);
    cr_expect_eq(pay_drain_wait_s(&drain, START_MS, 1000000), 1);
}


Test(pay_drain, says_what_is_ahead_by_the_pace)
{
    int64_t      now;
    pay_drain_t  drain = { 0 };

    now = run(&drain, START_MS, 1000, 100);

    cr_expect_eq(pay_drain_wait_s(&drain, now, 50), 1);
    cr_expect_eq(pay_drain_wait_s(&drain, now, 450), 5);
    cr_expect_eq(pay_drain_wait_s(&drain, now, 1950), 20);
}


/* A smoothed rate that starts at zero would ask for far too much. */
Test(pay_drain, is_right_from_the_first_step_on)
{
    int64_t      now;
    pay_drain_t  drain = { 0 };

    now = run(&drain, START_MS, 50, 1000);

    cr_expect_eq(pay_drain_wait_s(&drain, now, 4900), 5);
}


Test(pay_drain, a_longer_queue_never_means_an_earlier_time)
{
    int64_t      now, ahead, s, last = 0;
    pay_drain_t  drain = { 0 };

    now = run(&drain, START_MS, 3000, 300);

    for (ahead = 0; ahead < 20000; ahead += 7) {
        s = pay_drain_wait_s(&drain, now, ahead);
        cr_assert(s >= last);
        last = s;
    }

    cr_expect_eq(last, 60);
}


Test(pay_drain, follows_a_pace_that_falls_and_one_that_rises)
{
    int64_t      now, fast, slow;
    pay_drain_t  drain = { 0 };

    now = run(&drain, START_MS, 5000, 2000);
    fast = pay_drain_wait_s(&drain, now, 10000);
    now = run(&drain, now, 10000, 400);
    slow = pay_drain_wait_s(&drain, now, 10000);
    now = run(&drain, now, 10000, 2000);

    cr_expect_eq(fast, 5);
    cr_expect(slow > 15 && slow <= 25);
    cr_expect(pay_drain_wait_s(&drain, now, 10000) < 8);
}


/* An operation now and then is no slow queue: only what waits is counted. */
Test(pay_drain, idle_time_does_not_count)
{
    int64_t      i, t = START_MS;
    pay_drain_t  drain = { 0 };

    for (i = 0; i < 100; i++, t += 60000) {
        pay_drain_note(&drain, t, 0, 1);
        pay_drain_note(&drain, t + 2, 1, 0);
    }

    cr_expect_eq(pay_drain_wait_s(&drain, t, 2000), 4);
}


/* Steps of a millisecond are not lost by rounding. */
Test(pay_drain, short_times_add_up)
{
    int64_t      i, t = START_MS;
    pay_drain_t  drain = { 0 };

    for (i = 0; i < 20000; i++, t += 5) {
        pay_drain_note(&drain, t, 0, 1);
        pay_drain_note(&drain, t + 1, 1, 0);
    }

    cr_expect_eq(pay_drain_wait_s(&drain, t, 9900), 10);
}


Test(pay_drain, a_queue_that_stands_says_as_long_again)
{
    pay_drain_t  drain = { 0 };

    pay_drain_note(&drain, START_MS, 0, 1);

    cr_expect_eq(pay_drain_wait_s(&drain, START_MS + 10, 5), 1);
    cr_expect_eq(pay_drain_wait_s(&drain, START_MS + 7000, 5), 7);
    cr_expect_eq(pay_drain_wait_s(&drain, START_MS + 500000, 5), 60);
}


Test(pay_drain, a_queue_that_stops_grows_slower_while_it_stands)
{
    int64_t      now;
    pay_drain_t  drain = { 0 };

    now = run(&drain, START_MS, 4000, 1000);

    cr_expect_eq(pay_drain_wait_s(&drain, now, 1000), 1);
    cr_expect(pay_drain_wait_s(&drain, now + 5000, 1000) >= 5);
    cr_expect_eq(pay_drain_wait_s(&drain, now + 3600000, 1000), 60);
}


Test(pay_drain, asking_changes_nothing)
{
    int64_t      now;
    pay_drain_t  drain = { 0 }, before;

    now = run(&drain, START_MS, 1230, 70);
    before = drain;
    (void) pay_drain_wait_s(&drain, now + 9000, 12345);

    cr_expect_eq(drain.busy_us, before.busy_us);
    cr_expect_eq(drain.left_milli, before.left_milli);
    cr_expect_eq(drain.left, before.left);
    cr_expect_eq(drain.seen_ms, before.seen_ms);
}


Test(pay_drain, hostile_numbers_stay_within_the_bounds)
{
    size_t         i, k, n;
    int64_t        s;
    pay_drain_t    drain;
    const int64_t  odd[] = {
        INT64_MAX, INT64_MAX / 2, 1000000000, 1, 0, -1, -1000000000
    };

    n = sizeof(odd) / sizeof(odd[0]);

    for (i = 0; i < n; i++) {
        for (k = 0; k < n; k++) {
            drain = (pay_drain_t) { 0 };
            pay_drain_note(&drain, START_MS, 0, 1);
            pay_drain_note(&drain, START_MS + 100, odd[i], 1);
            pay_drain_note(&drain, START_MS + 50, odd[i], odd[k]);
            pay_drain_note(&drain, START_MS + 9999999, odd[i], odd[k]);
            s = pay_drain_wait_s(&drain, START_MS - 5, odd[k]);
            cr_assert(s >= 1 && s <= 60);
            s = pay_drain_wait_s(&drain, START_MS + 99999999, odd[i]);
            cr_assert(s >= 1 && s <= 60);
        }
    }
}

/*
 * The lag of a replica, by what it has shown; the clock is a number.
 */

#include <criterion/criterion.h>

#include "pay_lag.h"


#define START_MS  INT64_C(7000000)
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


typedef enum {
    END = 0, BEAT, SEEN
} what_t;

/* number: of SEEN, as the replica has shown it. */
typedef struct {
    what_t   what;
    int64_t  at_ms;
    int64_t  number;
    int64_t  session;
} step_t;

typedef struct {
    const char  *name;
    step_t       steps[6];
    int64_t      session;      /* asked for … */
    int64_t      at_ms;        /* … at that time */
    int64_t      lag_ms;
} case_t;


static const case_t  cases[] = {
    { "nothing is known at first",
      { { END } },
      1, 0, PAY_LAG_UNKNOWN },
    { "a beat that was sent says nothing by itself",
      { { BEAT, 0, 0, 0 } },
      1, 1, PAY_LAG_UNKNOWN },
    { "a beat that is there counts from when it was sent",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 1, 1 } },
      1, 150, 50 },
    { "the lag grows with the time alone",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 1, 1 } },
      1, 60100, 60000 },
    { "an older beat is what the replica has",
      { { BEAT, 100, 0, 0 }, { BEAT, 200, 0, 0 }, { SEEN, 230, 1, 1 } },
      1, 250, 150 },
    { "the newest one counts",
      { { BEAT, 100, 0, 0 }, { BEAT, 200, 0, 0 }, { SEEN, 230, 1, 1 },
        { SEEN, 240, 2, 1 } },
      1, 250, 50 },
    { "an answer that comes again changes nothing",
      { { BEAT, 100, 0, 0 }, { BEAT, 200, 0, 0 }, { SEEN, 230, 2, 1 },
        { SEEN, 240, 1, 1 } },
      1, 250, 50 },
    { "a replica without a beat",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 0, 1 } },
      1, 150, PAY_LAG_UNKNOWN },
    { "a number that was never sent",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 2, 1 } },
      1, 150, PAY_LAG_UNKNOWN },
    { "a number below all",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 1 - PAY_LAG_BEATS, 1 } },
      1, 150, PAY_LAG_UNKNOWN },
    { "another connection may be to another server",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 1, 1 } },
      2, 150, PAY_LAG_UNKNOWN },
    { "another connection that is behind the one before",
      { { BEAT, 100, 0, 0 }, { BEAT, 200, 0, 0 }, { SEEN, 230, 2, 1 },
        { SEEN, 240, 1, 2 } },
      2, 250, 150 },
    { "another connection that has nothing",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 1, 1 }, { SEEN, 140, 0, 2 } },
      2, 150, PAY_LAG_UNKNOWN },
    { "there is no connection",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 1, 1 } },
      0, 150, PAY_LAG_UNKNOWN },
    { "a clock that goes back stands still",
      { { BEAT, 100, 0, 0 }, { SEEN, 130, 1, 1 } },
      1, 50, 0 },
};


static int64_t
lag_of(const case_t *c)
{
    pay_lag_t      lag = { 0 };
    const step_t  *step;

    for (step = c->steps; step->what != END; step++) {
        if (step->what == BEAT) {
            (void) pay_lag_beat(&lag, START_MS + step->at_ms);

        } else {
            pay_lag_seen(&lag, step->number, step->session);
        }
    }

    return pay_lag_ms(&lag, c->session, START_MS + c->at_ms);
}


Test(pay_lag, is_the_age_of_the_newest_beat_that_the_replica_has)
{
    size_t  i;

    for (i = 0; i < COUNT(cases); i++) {
        cr_expect_eq(lag_of(&cases[i]), cases[i].lag_ms, "%s: %ld",
                     cases[i].name, (long) lag_of(&cases[i]));
    }
}


/* The time of a beat is forgotten when its place is another's. */
Test(pay_lag, a_beat_of_long_ago_says_nothing)
{
    int        i;
    pay_lag_t  lag = { 0 };

    for (i = 0; i < PAY_LAG_BEATS + 1; i++) {
        (void) pay_lag_beat(&lag, START_MS + i);
    }

    pay_lag_seen(&lag, 1, 1);
    cr_expect_eq(pay_lag_ms(&lag, 1, START_MS + 100), PAY_LAG_UNKNOWN);

    pay_lag_seen(&lag, 2, 1);
    cr_expect_eq(pay_lag_ms(&lag, 1, START_MS + 100), 99);
}


/* With fewer places the replica would be asked no more at half of its limit. */
Test(pay_lag, is_known_up_to_the_longest_limit)
{
    int64_t    now, first = 0, limit = 60000;
    int64_t    turn = 2 * pay_lag_pace_ms(limit);
    pay_lag_t  lag = { 0 };

    for (now = 0; now <= limit; now += turn) {
        first = now == 0 ? pay_lag_beat(&lag, START_MS) : first;
        (void) pay_lag_beat(&lag, START_MS + now);
    }

    pay_lag_seen(&lag, first, 1);
    cr_expect_eq(pay_lag_ms(&lag, 1, START_MS + limit), limit);
}


Test(pay_lag, numbers_rise_by_one)
{
    int64_t    n;
    pay_lag_t  lag = { 0 };

    for (n = 1; n < 100; n++) {
        cr_expect_eq(pay_lag_beat(&lag, START_MS), n);
    }
}


/* A look may fail, and the one before it may have come too early for its
 * beat. */
Test(pay_lag, several_looks_are_made_in_the_time_of_one_limit)
{
    cr_expect_eq(pay_lag_pace_ms(2000), 250);
    cr_expect_eq(pay_lag_pace_ms(500), 62);
    cr_expect_eq(pay_lag_pace_ms(60000), 1000);
    cr_expect_eq(pay_lag_pace_ms(1), 1);
}

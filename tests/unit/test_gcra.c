/*
 * The rate limiter's arithmetic, driven by a clock made of numbers.
 */

#include <criterion/criterion.h>

#include "pay_gcra.h"


#define START_MS  UINT64_C(50000000)
#define DAY_MS    UINT64_C(86400000)


static unsigned
take_many(const pay_gcra_t *limit, uint64_t now_ms, uint64_t *tat, unsigned n)
{
    unsigned  i, allowed;

    for (i = 0, allowed = 0; i < n; i++) {
        allowed += (unsigned) pay_gcra_take(limit, now_ms, tat).allowed;
    }

    return allowed;
}


/* Attempts every step_ms for span_ms; how many passed. */
static unsigned
run(const pay_gcra_t *limit, uint64_t span_ms, uint64_t step_ms)
{
    uint64_t  tat, t;
    unsigned  allowed;

    for (tat = 0, allowed = 0, t = 0; t < span_ms; t += step_ms) {
        allowed += (unsigned) pay_gcra_take(limit, START_MS + t, &tat).allowed;
    }

    return allowed;
}


Test(pay_gcra, admits_burst_plus_one_at_once)
{
    uint64_t    tat, burst;
    pay_gcra_t  limit;

    for (burst = 0; burst < 50; burst++) {
        tat = 0;
        pay_gcra_init(&limit, 100000, burst);

        cr_expect_eq(take_many(&limit, START_MS, &tat, 200), burst + 1);
        cr_expect_eq(limit.quota, burst + 1);
    }
}


Test(pay_gcra, left_says_exactly_how_many_more_pass)
{
    unsigned           before;
    uint64_t           tat, rest;
    pay_gcra_t         limit;
    pay_gcra_result_t  r;

    pay_gcra_init(&limit, 7000, 20);

    for (before = 1; before <= 22; before++) {
        tat = 0;
        take_many(&limit, START_MS, &tat, before - 1);
        r = pay_gcra_take(&limit, START_MS, &tat);
        rest = r.left;

        cr_expect_eq(take_many(&limit, START_MS, &tat, 100), rest);
        cr_expect_eq(r.allowed, before <= 21);
    }
}


Test(pay_gcra, waiting_wait_ms_is_enough_and_one_less_is_not)
{
    uint64_t           tat, copy, rate;
    pay_gcra_t         limit;
    pay_gcra_result_t  r;

    for (rate = 16; rate <= 1000000; rate = rate * 3 + 1) {
        tat = 0;
        pay_gcra_init(&limit, rate, 3);
        take_many(&limit, START_MS, &tat, 10);

        r = pay_gcra_take(&limit, START_MS, &tat);
        cr_assert_not(r.allowed);
        cr_assert_gt(r.wait_ms, 0);

        copy = tat;
        cr_expect_not(pay_gcra_take(&limit, START_MS + r.wait_ms - 1,
                                    &copy).allowed);
        copy = tat;
        cr_expect(pay_gcra_take(&limit, START_MS + r.wait_ms, &copy).allowed);
    }
}


Test(pay_gcra, a_refused_request_costs_nothing)
{
    uint64_t    tat, before;
    pay_gcra_t  limit;

    tat = 0;
    pay_gcra_init(&limit, 1000, 0);
    take_many(&limit, START_MS, &tat, 1);

    before = tat;
    cr_expect_eq(take_many(&limit, START_MS, &tat, 1000), 0);
    cr_expect_eq(tat, before);
}


Test(pay_gcra, steady_traffic_below_the_rate_always_passes)
{
    pay_gcra_t  limit;

    /* 10 per second, one each 100 ms, no burst */
    pay_gcra_init(&limit, 10000, 0);

    cr_expect_eq(run(&limit, 100000, 100), 1000);
}


Test(pay_gcra, a_flood_gets_the_rate_and_the_burst_and_no_more)
{
    unsigned    allowed;
    pay_gcra_t  limit;

    /* 3 per second do not divide a second: never more than the rate */
    pay_gcra_init(&limit, 3000, 5);
    allowed = run(&limit, 1000000, 1);

    cr_expect_leq(allowed, 3000 + 6);
    cr_expect_geq(allowed, 2990);
}


Test(pay_gcra, one_request_a_minute)
{
    uint64_t           tat;
    pay_gcra_t         limit;
    pay_gcra_result_t  r;

    /* 1 r/m is 16 in 1000 s: 62.5 s apart */
    tat = 0;
    pay_gcra_init(&limit, 16, 0);

    cr_expect(pay_gcra_take(&limit, START_MS, &tat).allowed);

    r = pay_gcra_take(&limit, START_MS + 60000, &tat);
    cr_expect_not(r.allowed);
    cr_expect_eq(r.wait_ms, 2500);
    cr_expect_eq(r.left, 0);
    cr_expect(pay_gcra_take(&limit, START_MS + 62500, &tat).allowed);
}


Test(pay_gcra, idle_for_ages_saves_no_more_than_the_burst)
{
    uint64_t    tat;
    pay_gcra_t  limit;

    tat = 0;
    pay_gcra_init(&limit, 100000, 4);
    take_many(&limit, START_MS, &tat, 10);

    cr_expect_eq(take_many(&limit, START_MS + 1000 * 365 * DAY_MS / 10, &tat,
                           100), 5);
}


Test(pay_gcra, full_ms_later_the_bucket_is_as_new)
{
    uint64_t           tat;
    pay_gcra_t         limit;
    pay_gcra_result_t  r;

    tat = 0;
    pay_gcra_init(&limit, 3000, 9);
    take_many(&limit, START_MS, &tat, 5);
    r = pay_gcra_take(&limit, START_MS, &tat);

    cr_expect_eq(r.full_ms, 2001);    /* six intervals, rounded up */
    cr_expect_not(pay_gcra_is_idle(tat, START_MS + r.full_ms - 1));
    cr_expect(pay_gcra_is_idle(tat, START_MS + r.full_ms));
    cr_expect_eq(take_many(&limit, START_MS + r.full_ms, &tat, 100), 10);
}


Test(pay_gcra, a_clock_gone_back_gives_no_second_burst)
{
    uint64_t    tat;
    pay_gcra_t  limit;

    tat = 0;
    pay_gcra_init(&limit, 1000, 4);
    take_many(&limit, START_MS, &tat, 100);

    cr_expect_eq(take_many(&limit, START_MS - 10, &tat, 100), 0);
    cr_expect_eq(take_many(&limit, START_MS - DAY_MS / 24, &tat, 100), 0);
}


Test(pay_gcra, a_clock_gone_back_locks_nobody_out)
{
    uint64_t           tat, now;
    pay_gcra_t         limit;
    pay_gcra_result_t  r;

    tat = 0;
    pay_gcra_init(&limit, 1000, 4);
    take_many(&limit, START_MS, &tat, 100);

    now = START_MS - DAY_MS / 2;
    r = pay_gcra_take(&limit, now, &tat);
    cr_expect_not(r.allowed);
    cr_expect_eq(r.wait_ms, 1000);
    cr_expect_eq(r.full_ms, 5000);
    cr_expect(pay_gcra_take(&limit, now + r.wait_ms, &tat).allowed);
}


Test(pay_gcra, a_limit_made_smaller_counts_at_once)
{
    uint64_t           tat;
    pay_gcra_t         wide, narrow;
    pay_gcra_result_t  r;

    tat = 0;
    pay_gcra_init(&wide, 1, 1000);
    pay_gcra_init(&narrow, 1000, 1);
    take_many(&wide, START_MS, &tat, 500);

    r = pay_gcra_take(&narrow, START_MS, &tat);
    cr_expect_not(r.allowed);
    cr_expect_eq(r.wait_ms, 1000);
}


Test(pay_gcra, a_damaged_word_is_pulled_back)
{
    uint64_t    tat;
    pay_gcra_t  limit;

    tat = UINT64_MAX;
    pay_gcra_init(&limit, 1000, 2);

    cr_expect_not(pay_gcra_take(&limit, START_MS, &tat).allowed);
    cr_expect_eq(tat, (START_MS + 3000) * 1000000);
    cr_expect(pay_gcra_take(&limit, START_MS + 1000, &tat).allowed);
}


Test(pay_gcra, huge_numbers_saturate)
{
    uint64_t           tat;
    pay_gcra_t         limit;
    pay_gcra_result_t  r;

    pay_gcra_init(&limit, 1, UINT64_MAX);
    cr_expect_eq(limit.tolerance_ns, UINT64_MAX);
    cr_expect_eq(limit.quota, UINT64_MAX);

    tat = 0;
    r = pay_gcra_take(&limit, UINT64_MAX, &tat);
    cr_expect(r.allowed);
    cr_expect_eq(tat, UINT64_MAX);

    pay_gcra_init(&limit, UINT64_MAX, 0);
    cr_expect_eq(limit.interval_ns, 1);

    tat = 0;
    cr_expect(pay_gcra_take(&limit, START_MS, &tat).allowed);
    cr_expect_not(pay_gcra_take(&limit, START_MS, &tat).allowed);
}


Test(pay_gcra, rate_zero_is_the_slowest_rate_not_a_division)
{
    uint64_t    tat;
    pay_gcra_t  limit;

    tat = 0;
    pay_gcra_init(&limit, 0, 0);

    cr_expect(pay_gcra_take(&limit, START_MS, &tat).allowed);
    cr_expect_not(pay_gcra_take(&limit, START_MS + 999999, &tat).allowed);
    cr_expect(pay_gcra_take(&limit, START_MS + 1000000, &tat).allowed);
}


Test(pay_gcra, a_new_bucket_is_idle)
{
    cr_expect(pay_gcra_is_idle(0, 0));
    cr_expect(pay_gcra_is_idle(START_MS * 1000000, START_MS));
    cr_expect_not(pay_gcra_is_idle(START_MS * 1000000 + 1, START_MS));
}

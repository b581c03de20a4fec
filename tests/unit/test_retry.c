/*
 * Retry strategies: the delays, the limit, the spread, and numbers that make
 * no sense.
 */

#include "pay_retry.h"

#include <criterion/criterion.h>
#include <stdio.h>


#define BASE_MS  1000
#define MAX_MS   60000
#define NONE     PAY_STR("")


static pay_retry_t
strategy(pay_retry_by_t by)
{
    return (pay_retry_t) { by, BASE_MS, MAX_MS, 0, 0 };
}


static int64_t
delay(pay_retry_by_t by, int64_t attempt)
{
    pay_retry_t  retry = strategy(by);

    return pay_retry_delay_ms(&retry, attempt, -1, NONE);
}


Test(pay_retry, exponential_doubles_up_to_the_maximum)
{
    int64_t  attempt, expected = BASE_MS;

    for (attempt = 1; attempt < 12; attempt++) {
        cr_expect_eq(delay(PAY_RETRY_EXPONENTIAL, attempt), expected,
                     "attempt %ld", (long) attempt);
        expected = expected * 2 > MAX_MS ? MAX_MS : expected * 2;
    }
}


Test(pay_retry, incremental_grows_by_its_base)
{
    cr_expect_eq(delay(PAY_RETRY_INCREMENTAL, 1), 1000);
    cr_expect_eq(delay(PAY_RETRY_INCREMENTAL, 2), 2000);
    cr_expect_eq(delay(PAY_RETRY_INCREMENTAL, 59), 59000);
    cr_expect_eq(delay(PAY_RETRY_INCREMENTAL, 61), MAX_MS);
    cr_expect_eq(delay(PAY_RETRY_INCREMENTAL, INT64_MAX), MAX_MS);
}


Test(pay_retry, fixed_stays_and_immediate_is_at_once)
{
    cr_expect_eq(delay(PAY_RETRY_FIXED, 1), BASE_MS);
    cr_expect_eq(delay(PAY_RETRY_FIXED, 1000), BASE_MS);
    cr_expect_eq(delay(PAY_RETRY_IMMEDIATE, 1), 0);
    cr_expect_eq(delay(PAY_RETRY_IMMEDIATE, 9), 0);
}


Test(pay_retry, odd_attempts_stay_in_bounds)
{
    size_t  i;

    static const int64_t  odd[] = { 0, -1, INT64_MIN };

    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        cr_expect_eq(delay(PAY_RETRY_EXPONENTIAL, odd[i]), BASE_MS);
        cr_expect_eq(delay(PAY_RETRY_INCREMENTAL, odd[i]), BASE_MS);
    }

    cr_expect_eq(delay(PAY_RETRY_EXPONENTIAL, INT64_MAX), MAX_MS);
    cr_expect_eq(delay(PAY_RETRY_EXPONENTIAL, 64), MAX_MS);
}


Test(pay_retry, odd_bases_stay_in_bounds)
{
    pay_retry_t  retry = strategy(PAY_RETRY_EXPONENTIAL);

    retry.base_ms = INT64_MAX;
    cr_expect_eq(pay_retry_delay_ms(&retry, 7, -1, NONE), MAX_MS);
    retry.max_ms = INT64_MAX;
    cr_expect_eq(pay_retry_delay_ms(&retry, 7, -1, NONE),
                 PAY_RETRY_DELAY_MAX_MS);
    retry.base_ms = -5;
    cr_expect_eq(pay_retry_delay_ms(&retry, 7, -1, NONE), 0);
}


/* Retry-After is honoured, within reason. */
Test(pay_retry, listens_to_the_psp_but_not_to_nonsense)
{
    pay_retry_t  retry = strategy(PAY_RETRY_EXPONENTIAL);

    cr_expect_eq(pay_retry_delay_ms(&retry, 1, 30, NONE), 30000);
    cr_expect_eq(pay_retry_delay_ms(&retry, 7, 30, NONE), MAX_MS);
    cr_expect_eq(pay_retry_delay_ms(&retry, 1, 86400, NONE), 86400000);
    cr_expect_eq(pay_retry_delay_ms(&retry, 1, 86401, NONE), 1000);
    cr_expect_eq(pay_retry_delay_ms(&retry, 1, INT64_MAX, NONE), 1000);
    cr_expect_eq(pay_retry_delay_ms(&retry, 1, INT64_MIN, NONE), 1000);
    cr_expect_eq(pay_retry_delay_ms(&retry, 1, 0, NONE), 1000);

    retry.by = PAY_RETRY_IMMEDIATE;
    cr_expect_eq(pay_retry_delay_ms(&retry, 1, 3, NONE), 3000);
}


/* T44: many orders that failed together do not come back together. */
Test(pay_retry, spreads_by_seed_and_never_shortens)
{
    char          seed[32];
    int           i, distinct = 0;
    int64_t       ms, seen[26] = { 0 };
    pay_retry_t   retry = strategy(PAY_RETRY_EXPONENTIAL);

    retry.jitter_percent = 25;

    for (i = 0; i < 500; i++) {
        snprintf(seed, sizeof(seed), "order-%d", i);
        ms = pay_retry_delay_ms(&retry, 7, -1, pay_str_of(seed));
        cr_assert(ms >= MAX_MS && ms <= 75000);
        cr_assert_eq(ms, pay_retry_delay_ms(&retry, 7, -1,
                                            pay_str_of(seed)));
        distinct += seen[(ms - MAX_MS) / 600]++ == 0;
    }

    cr_expect_geq(distinct, 20);
}


Test(pay_retry, ends_at_its_limit)
{
    pay_retry_t  retry = strategy(PAY_RETRY_FIXED);

    cr_expect_not(pay_retry_is_over(&retry, INT64_MAX), "no limit");
    retry.limit = 3;
    cr_expect_not(pay_retry_is_over(&retry, 2));
    cr_expect(pay_retry_is_over(&retry, 3));
    cr_expect(pay_retry_is_over(&retry, INT64_MAX));
    cr_expect_not(pay_retry_is_over(&retry, INT64_MIN));
}


Test(pay_retry, cancel_has_no_second_attempt)
{
    pay_retry_t  retry = strategy(PAY_RETRY_CANCEL);

    cr_expect(pay_retry_is_over(&retry, 1));
    cr_expect(pay_retry_is_over(&retry, 0));
    cr_expect_eq(pay_retry_delay_ms(&retry, 1, -1, NONE),
                 PAY_RETRY_DELAY_MAX_MS);
}


Test(pay_retry, each_strategy_is_known_by_its_name)
{
    unsigned        i;
    pay_retry_by_t  by;

    static const char *const  names[] = {
        "exponential", "incremental", "fixed", "immediate", "cancel"
    };

    for (i = 0; i <= PAY_RETRY_CANCEL; i++) {
        cr_assert(pay_retry_parse(pay_str_of(names[i]), &by));
        cr_expect_eq((unsigned) by, i);
    }

    cr_expect_not(pay_retry_parse(PAY_STR(""), &by));
    cr_expect_not(pay_retry_parse(PAY_STR("Fixed"), &by));
    cr_expect_not(pay_retry_parse(PAY_STR("fixed "), &by));
}

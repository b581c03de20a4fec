/*
 * Windows in memory: their edges, clocks that step back, keys that make room.
 */

#include "pay_risk.h"

#include <criterion/criterion.h>
#include <stdlib.h>


#define SIZE  65536
#define MB128    (128 << 20)
#define MILLION  UINT64_C(1000000)
/* keys are hashes */
#define SPREAD   UINT64_C(0x9E3779B97F4A7C15)
#define T     INT64_C(1764068400)      /* divisible by 4 and 40 */


static pay_risk_table_t *
table_of(size_t size)
{
    void  *memory = aligned_alloc(16, size);

    cr_assert_not_null(memory);

    return pay_risk_table(memory, size);
}


Test(pay_risk_window, each_attempt_counts_once)
{
    uint32_t           i;
    pay_risk_table_t  *table = table_of(SIZE);

    for (i = 1; i <= 100; i++) {
        cr_expect_eq(pay_risk_table_add(table, 7, 600, T), i);
    }

    cr_expect_eq(pay_risk_table_add(table, 8, 600, T), 1);
    free(table);
}


Test(pay_risk_window, a_window_is_as_long_as_it_says_and_a_fifteenth_more)
{
    int64_t            s, last = 0;
    pay_risk_table_t  *table;

    for (s = 0; s < 120; s++) {
        table = table_of(SIZE);
        (void) pay_risk_table_add(table, 7, 60, T);

        if (pay_risk_table_add(table, 7, 60, T + s) == 2) {
            last = s;
        }

        free(table);
    }

    cr_expect_geq(last, 60);
    cr_expect_leq(last, 64);
}


/* Whenever it begins, and however its length divides: the 60th second counts,
 * and behind a fifteenth more, rounded up to a second, nothing does. */
Test(pay_risk_window, no_phase_and_no_length_makes_a_window_shorter)
{
    size_t             i;
    int64_t            at, more, window;
    pay_risk_table_t  *table;

    static const int64_t  windows[] = { 1, 7, 16, 59, 60, 61, 600, 3600 };

    for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        window = windows[i];
        more = (window + 14) / 15;

        for (at = T; at < T + 2 * more; at++) {
            table = table_of(512);
            (void) pay_risk_table_add(table, 7, window, at);
            cr_expect_eq(pay_risk_table_add(table, 7, window, at + window),
                         2, "%d at %d", (int) window, (int) (at - T));
            free(table);

            table = table_of(512);
            (void) pay_risk_table_add(table, 7, window, at);
            cr_expect_eq(pay_risk_table_add(table, 7, window,
                                            at + 16 * more), 1,
                         "%d at %d", (int) window, (int) (at - T));
            free(table);
        }
    }
}


Test(pay_risk_window, attempts_leave_in_the_order_in_which_they_came)
{
    pay_risk_table_t  *table = table_of(SIZE);

    cr_expect_eq(pay_risk_table_add(table, 7, 600, T), 1);
    cr_expect_eq(pay_risk_table_add(table, 7, 600, T + 300), 2);
    cr_expect_eq(pay_risk_table_add(table, 7, 600, T + 599), 3);
    cr_expect_eq(pay_risk_table_add(table, 7, 600, T + 700), 3);
    cr_expect_eq(pay_risk_table_add(table, 7, 600, T + 5000), 1);
    free(table);
}


Test(pay_risk_window, a_clock_that_steps_back_loses_nothing)
{
    pay_risk_table_t  *table = table_of(SIZE);

    cr_expect_eq(pay_risk_table_add(table, 7, 60, T), 1);
    cr_expect_eq(pay_risk_table_add(table, 7, 60, T - 3600), 2);
    cr_expect_eq(pay_risk_table_add(table, 7, 60, T + 30), 3);
    free(table);
}


Test(pay_risk_window, what_is_taken_back_was_never_there)
{
    pay_risk_table_t  *table = table_of(SIZE);

    cr_expect_eq(pay_risk_table_add(table, 7, 60, T), 1);
    cr_expect_eq(pay_risk_table_add(table, 7, 60, T + 10), 2);
    pay_risk_table_take(table, 7, 60, T);
    cr_expect_eq(pay_risk_table_add(table, 7, 60, T + 10), 2);

    /* nothing to be taken: a strange key, a time to come, one long over */
    pay_risk_table_take(table, 9, 60, T);
    pay_risk_table_take(table, 7, 60, T + 600);
    pay_risk_table_take(table, 7, 60, T - 600);
    pay_risk_table_take(table, 7, 60, T);
    cr_expect_eq(pay_risk_table_add(table, 7, 60, T + 10), 3);
    free(table);
}


Test(pay_risk_window, the_key_that_has_not_come_for_longest_makes_room)
{
    uint64_t           key;
    pay_risk_table_t  *table = table_of(512);     /* one set of eight */

    for (key = 0; key < 8; key++) {
        cr_expect_eq(pay_risk_table_add(table, key, 600,
                                        T + (int64_t) key), 1);
    }

    cr_expect_eq(pay_risk_table_add(table, 0, 600, T + 20), 2);
    cr_expect_eq(pay_risk_table_evicted(table), 0);
    cr_expect_eq(pay_risk_table_add(table, 100, 600, T + 21), 1);
    cr_expect_eq(pay_risk_table_evicted(table), 1);
    cr_expect_eq(pay_risk_table_add(table, 0, 600, T + 22), 3);
    cr_expect_eq(pay_risk_table_add(table, 1, 600, T + 23), 1, "1 was oldest");
    free(table);
}


Test(pay_risk_window, a_window_that_is_over_makes_room_without_a_word)
{
    uint64_t           key;
    pay_risk_table_t  *table = table_of(512);

    for (key = 0; key < 9; key++) {
        (void) pay_risk_table_add(table, key, 60, T + (int64_t) key * 61);
    }

    cr_expect_eq(pay_risk_table_evicted(table), 0);
    free(table);
}


/* The table's memory is all that it ever has: more keys only make room. */
Test(pay_risk_window, a_million_keys_fit_into_128_mb_and_the_oldest_go)
{
    uint64_t           key, kept = 0;
    pay_risk_table_t  *table = table_of(MB128);

    for (key = 1; key <= MILLION; key++) {
        (void) pay_risk_table_add(table, key * SPREAD, 3600, T);
    }

    cr_expect_lt(pay_risk_table_evicted(table), MILLION / 500);

    for (key = MILLION + 1; key <= 4 * MILLION; key++) {
        (void) pay_risk_table_add(table, key * SPREAD, 3600, T + 1);
    }

    cr_expect_gt(pay_risk_table_evicted(table), MILLION);

    for (key = 4 * MILLION - 999; key <= 4 * MILLION; key++) {
        kept += pay_risk_table_add(table, key * SPREAD, 3600, T + 2) == 2;
    }

    cr_expect_eq(kept, 1000, "the newest stay");
    kept = 0;

    for (key = 1; key <= 1000; key++) {
        kept += pay_risk_table_add(table, key * SPREAD, 3600, T + 3) == 2;
    }

    cr_expect_lt(kept, 50, "the oldest have made room");
    free(table);
}


Test(pay_risk_window, a_bucket_does_not_overflow)
{
    unsigned           i;
    uint32_t           count = 0;
    pay_risk_table_t  *table = table_of(SIZE);

    for (i = 0; i < 70000; i++) {
        count = pay_risk_table_add(table, 7, 3600, T);
    }

    cr_expect_eq(count, 65535);
    free(table);
}


Test(pay_risk_window, too_little_memory_is_no_table)
{
    char  memory[64];

    cr_expect_null(pay_risk_table(memory, sizeof(memory)));
}

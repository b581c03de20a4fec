/*
 * The circuit breaker: its walks, a naive model that it must agree with, and
 * clocks that jump.
 */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "pay_breaker.h"


#define START_MS    INT64_C(5000000)
#define MODEL_MAX   20000

static const pay_breaker_conf_t  usual = {
    .failure_percent = 50, .min_calls = 10, .window_ms = 30000,
    .open_ms = 10000, .probes = 2
};


static void
record_many(pay_breaker_t *breaker, int64_t now_ms, unsigned n, int ok)
{
    while (n-- > 0) {
        pay_breaker_record(breaker, &usual, now_ms, ok, 20);
    }
}


static pay_breaker_t
opened_at(int64_t now_ms)
{
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    record_many(&breaker, now_ms, 10, 0);
    cr_assert_eq(breaker.circuit, PAY_CIRCUIT_OPEN);

    return breaker;
}


static pay_health_t
health_at(const pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms)
{
    pay_health_t  health = { .in_flight = 7, .in_flight_max = 9 };

    pay_breaker_read(breaker, conf, now_ms, &health);
    cr_expect_eq(health.in_flight, 7);
    cr_expect_eq(health.in_flight_max, 9);

    return health;
}


Test(pay_breaker, a_fresh_one_is_closed_and_well)
{
    pay_health_t   health;
    pay_breaker_t  breaker;

    memset(&breaker, 0, sizeof(breaker));
    health = health_at(&breaker, &usual, START_MS);

    cr_expect_eq(health.circuit, PAY_CIRCUIT_CLOSED);
    cr_expect_eq(health.calls, 0);
    cr_expect_eq(health.success_permille, 1000);
    cr_expect_eq(health.latency_ms, 0);
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS));
}


Test(pay_breaker, opens_within_the_call_that_crosses_the_threshold)
{
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    record_many(&breaker, START_MS, 5, 1);
    record_many(&breaker, START_MS, 4, 0);
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS));

    record_many(&breaker, START_MS, 1, 0);
    cr_expect_not(pay_breaker_allow(&breaker, &usual, START_MS));
    cr_expect_eq(breaker.opened, 1);
}


Test(pay_breaker, stays_closed_one_below_the_threshold_for_ever)
{
    unsigned       i;
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    record_many(&breaker, START_MS, 1, 1);

    for (i = 0; i < 5000; i++) {
        record_many(&breaker, START_MS + i, 1, 1);
        record_many(&breaker, START_MS + i, 1, 0);
        cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + i));
    }

    cr_expect_eq(breaker.opened, 0);
}


Test(pay_breaker, few_calls_never_open_it_however_bad)
{
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    record_many(&breaker, START_MS, 9, 0);
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS));
}


/* nine failures and the call that makes it ten */
Test(pay_breaker, a_good_call_may_be_the_one_that_makes_enough_calls)
{
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    record_many(&breaker, START_MS, 9, 0);
    record_many(&breaker, START_MS, 1, 1);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_OPEN);
}


Test(pay_breaker, failures_out_of_the_window_do_not_count)
{
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    record_many(&breaker, START_MS, 9, 0);
    record_many(&breaker, START_MS + 30000, 9, 0);
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS + 30000));
    cr_expect_eq(health_at(&breaker, &usual, START_MS + 30000).calls, 9);
}


Test(pay_breaker, the_window_forgets_bucket_by_bucket)
{
    unsigned       i;
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    for (i = 0; i < 10; i++) {
        record_many(&breaker, START_MS + 3000 * i, 1, 1);
    }

    for (i = 0; i <= 12; i++) {
        cr_expect_eq(health_at(&breaker, &usual, START_MS + 27000 + 3000 * i)
                     .calls, i < 10 ? 10 - i : 0);
    }
}


Test(pay_breaker, nothing_goes_until_open_ms_are_over)
{
    unsigned       i;
    pay_breaker_t  breaker = opened_at(START_MS);

    for (i = 0; i < 10000; i += 7) {
        cr_assert_not(pay_breaker_allow(&breaker, &usual, START_MS + i));
    }

    cr_expect_not(pay_breaker_allow(&breaker, &usual, START_MS + 9999));
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
}


Test(pay_breaker, half_open_lets_only_the_probes_go)
{
    unsigned       i, gone;
    pay_breaker_t  breaker = opened_at(START_MS);

    for (i = 0, gone = 0; i < 100; i++) {
        gone += (unsigned) pay_breaker_allow(&breaker, &usual,
                                             START_MS + 10000);
    }

    cr_expect_eq(gone, 2);
    cr_expect_eq(health_at(&breaker, &usual, START_MS + 10000).circuit,
                 PAY_CIRCUIT_OPEN);
}


Test(pay_breaker, good_probes_close_it_and_the_past_is_forgotten)
{
    pay_health_t   health;
    pay_breaker_t  breaker = opened_at(START_MS);

    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
    pay_breaker_record(&breaker, &usual, START_MS + 10050, 1, 50);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_HALF_OPEN);

    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10100));
    pay_breaker_record(&breaker, &usual, START_MS + 10150, 1, 50);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_CLOSED);

    health = health_at(&breaker, &usual, START_MS + 10150);
    cr_expect_eq(health.success_permille, 1000);
    cr_expect_eq(health.calls, 1);

    /* the ten failures are still younger than the window */
    record_many(&breaker, START_MS + 10200, 4, 0);
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS + 10200));
}


Test(pay_breaker, one_bad_probe_opens_it_again_for_open_ms)
{
    pay_breaker_t  breaker = opened_at(START_MS);

    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
    pay_breaker_record(&breaker, &usual, START_MS + 10100, 1, 100);
    pay_breaker_record(&breaker, &usual, START_MS + 10100, 0, 100);

    cr_expect_eq(breaker.opened, 2);
    cr_expect_not(pay_breaker_allow(&breaker, &usual, START_MS + 20099));
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS + 20100));

    /* the good one of before proves nothing now */
    pay_breaker_record(&breaker, &usual, START_MS + 20200, 1, 100);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_HALF_OPEN);
}


Test(pay_breaker, forgotten_probes_make_room_after_open_ms)
{
    pay_breaker_t  breaker = opened_at(START_MS);

    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 11000));

    cr_expect_not(pay_breaker_allow(&breaker, &usual, START_MS + 20999));
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS + 21000));
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS + 21000));
    cr_expect_not(pay_breaker_allow(&breaker, &usual, START_MS + 21000));
}


Test(pay_breaker, a_probe_that_never_left_gives_its_place_back)
{
    unsigned       i;
    pay_breaker_t  breaker = opened_at(START_MS);

    for (i = 0; i < 1000; i++) {
        cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
        pay_breaker_forget(&breaker);
    }

    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_HALF_OPEN);
    cr_expect_eq(breaker.proved, 0);
}


Test(pay_breaker, forgetting_too_often_does_no_harm)
{
    unsigned       i;
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    for (i = 0; i < 5; i++) {
        pay_breaker_forget(&breaker);
    }

    breaker = opened_at(START_MS);
    pay_breaker_forget(&breaker);
    cr_expect_not(pay_breaker_allow(&breaker, &usual, START_MS + 1));
    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));

    for (i = 0; i < 5; i++) {
        pay_breaker_forget(&breaker);
    }

    cr_expect_eq(breaker.probing, 0);
}


/* calls in flight when it opened; with equal times they end among probes */
Test(pay_breaker, a_late_failure_of_a_call_from_before_does_not_open_it_again)
{
    pay_breaker_t  breaker = opened_at(START_MS);

    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
    pay_breaker_record(&breaker, &usual, START_MS + 10001, 0, 10000);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_HALF_OPEN);

    pay_breaker_record(&breaker, &usual, START_MS + 10002, 0, 2);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_OPEN);
}


Test(pay_breaker, late_answers_do_not_keep_an_open_one_open)
{
    pay_breaker_t  breaker = opened_at(START_MS);

    record_many(&breaker, START_MS + 9000, 50, 0);
    cr_expect_eq(breaker.opened, 1);
    cr_expect(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
}


Test(pay_breaker, late_good_answers_do_not_close_an_open_one)
{
    pay_breaker_t  breaker = opened_at(START_MS);

    record_many(&breaker, START_MS + 100, 500, 1);
    cr_expect_not(pay_breaker_allow(&breaker, &usual, START_MS + 200));
}


Test(pay_breaker, percent_zero_never_opens_and_frees_what_was_open)
{
    pay_breaker_t       breaker = opened_at(START_MS);
    pay_breaker_conf_t  off = usual;

    off.failure_percent = 0;

    cr_expect(pay_breaker_allow(&breaker, &off, START_MS));
    cr_expect_eq(health_at(&breaker, &off, START_MS).circuit,
                 PAY_CIRCUIT_CLOSED);

    memset(&breaker, 0, sizeof(breaker));

    for (unsigned i = 0; i < 1000; i++) {
        pay_breaker_record(&breaker, &off, START_MS, 0, 1);
    }

    cr_expect(pay_breaker_allow(&breaker, &off, START_MS));
    cr_expect_eq(health_at(&breaker, &off, START_MS).success_permille, 0);
}


Test(pay_breaker, a_hundred_percent_needs_all_to_fail)
{
    pay_breaker_t       breaker = { .circuit = PAY_CIRCUIT_CLOSED };
    pay_breaker_conf_t  all = usual;

    all.failure_percent = 100;
    pay_breaker_record(&breaker, &all, START_MS, 1, 1);

    for (unsigned i = 0; i < 500; i++) {
        pay_breaker_record(&breaker, &all, START_MS, 0, 1);
    }

    cr_expect(pay_breaker_allow(&breaker, &all, START_MS));

    memset(&breaker, 0, sizeof(breaker));

    for (unsigned i = 0; i < 10; i++) {
        pay_breaker_record(&breaker, &all, START_MS, 0, 1);
    }

    cr_expect_not(pay_breaker_allow(&breaker, &all, START_MS));
}


Test(pay_breaker, a_configuration_of_zeros_divides_by_nothing)
{
    pay_health_t        health;
    pay_breaker_t       breaker = { .circuit = PAY_CIRCUIT_CLOSED };
    pay_breaker_conf_t  zeros = { .failure_percent = 1 };

    pay_breaker_record(&breaker, &zeros, START_MS, 0, 5);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_OPEN);

    cr_expect(pay_breaker_allow(&breaker, &zeros, START_MS));
    pay_breaker_record(&breaker, &zeros, START_MS, 1, 5);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_CLOSED);

    pay_breaker_read(&breaker, &zeros, START_MS, &health);
    cr_expect_eq(health.circuit, PAY_CIRCUIT_CLOSED);
}


Test(pay_breaker, health_tells_the_share_and_the_mean)
{
    pay_health_t   health;
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    pay_breaker_record(&breaker, &usual, START_MS, 1, 100);
    pay_breaker_record(&breaker, &usual, START_MS + 9000, 1, 200);
    pay_breaker_record(&breaker, &usual, START_MS + 9000, 0, 1200);
    health = health_at(&breaker, &usual, START_MS + 9000);

    cr_expect_eq(health.calls, 3);
    cr_expect_eq(health.success_permille, 666);
    cr_expect_eq(health.latency_ms, 500);
}


Test(pay_breaker, absurd_latencies_are_bounded)
{
    pay_health_t   health;
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    pay_breaker_record(&breaker, &usual, START_MS, 1, INT64_MIN);
    cr_expect_eq(health_at(&breaker, &usual, START_MS).latency_ms, 0);

    pay_breaker_record(&breaker, &usual, START_MS, 1, INT64_MAX);
    pay_breaker_record(&breaker, &usual, START_MS, 1, INT64_MAX);
    health = health_at(&breaker, &usual, START_MS);
    cr_expect_eq(health.latency_ms, 57600000);
}


Test(pay_breaker, full_counters_stay_full)
{
    pay_health_t   health;
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };
    unsigned       i = START_MS / 3000 % PAY_BREAKER_BUCKETS;

    breaker.newest = START_MS / 3000;
    breaker.buckets[i].calls = UINT32_MAX;
    breaker.buckets[i].failures = 1;

    record_many(&breaker, START_MS, 3, 0);
    health = health_at(&breaker, &usual, START_MS);

    cr_expect_eq(breaker.buckets[i].calls, UINT32_MAX);
    cr_expect_eq(health.calls, UINT32_MAX);
    cr_expect_eq(health.success_permille, 999);
}


Test(pay_breaker, half_a_change_of_a_killed_worker_never_goes_below_zero)
{
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    breaker.newest = START_MS / 3000;
    breaker.buckets[breaker.newest % PAY_BREAKER_BUCKETS].failures = 9;
    cr_expect_eq(health_at(&breaker, &usual, START_MS).success_permille, 1000);

    breaker.buckets[breaker.newest % PAY_BREAKER_BUCKETS].calls = 3;
    cr_expect_eq(health_at(&breaker, &usual, START_MS).success_permille, 0);
}


Test(pay_breaker, a_clock_somewhat_behind_counts_into_the_newest_bucket)
{
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    record_many(&breaker, START_MS, 3, 1);
    record_many(&breaker, START_MS - 5, 3, 1);
    record_many(&breaker, START_MS - 20000, 3, 1);

    cr_expect_eq(health_at(&breaker, &usual, START_MS).calls, 9);
    cr_expect_eq(health_at(&breaker, &usual, START_MS - 20000).calls, 9);
}


Test(pay_breaker, a_clock_far_back_starts_the_counts_anew)
{
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    record_many(&breaker, START_MS, 9, 0);
    record_many(&breaker, 1000, 1, 0);

    cr_expect(pay_breaker_allow(&breaker, &usual, 1000));
    cr_expect_eq(health_at(&breaker, &usual, 1000).calls, 1);
    cr_expect_eq(breaker.newest, 0);
}


Test(pay_breaker, a_clock_gone_back_locks_nobody_out)
{
    int64_t        back, wait;
    pay_breaker_t  breaker;

    for (back = 1; back < START_MS; back = back * 3 + 1) {
        breaker = opened_at(START_MS);

        for (wait = 0; wait <= 20000; wait += 100) {
            if (pay_breaker_allow(&breaker, &usual, START_MS - back + wait)) {
                break;
            }
        }

        cr_expect_lt(wait, 20000, "%lld back: %lld", (long long) back,
                     (long long) wait);
    }
}


/* nobody asks a PSP that routes put last: reading must heal, too */
Test(pay_breaker, a_clock_gone_back_does_not_show_open_for_ever)
{
    pay_breaker_t  breaker = opened_at(START_MS);

    cr_expect_eq(health_at(&breaker, &usual, START_MS - 9999).circuit,
                 PAY_CIRCUIT_OPEN);
    cr_expect_eq(health_at(&breaker, &usual, START_MS - 10000).circuit,
                 PAY_CIRCUIT_HALF_OPEN);
    cr_expect_eq(health_at(&breaker, &usual, 0).circuit,
                 PAY_CIRCUIT_HALF_OPEN);
}


Test(pay_breaker, times_at_the_ends_of_the_range_are_safe)
{
    unsigned             i, j;
    pay_health_t         health;
    pay_breaker_t        breaker = { .circuit = PAY_CIRCUIT_CLOSED };
    static const int64_t times[] = {
        INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX
    };

    for (i = 0; i < 7; i++) {
        for (j = 0; j < 7; j++) {
            record_many(&breaker, times[i], 20, 0);
            (void) pay_breaker_allow(&breaker, &usual, times[j]);
            record_many(&breaker, times[j], 20, 1);
            pay_breaker_read(&breaker, &usual, times[i], &health);
            cr_assert_leq(health.success_permille, 1000);
            pay_breaker_forget(&breaker);
        }
    }
}


Test(pay_breaker, a_changed_window_never_keeps_old_numbers)
{
    pay_breaker_t       breaker = { .circuit = PAY_CIRCUIT_CLOSED };
    pay_breaker_conf_t  other = usual;

    record_many(&breaker, START_MS, 9, 0);

    other.window_ms = 1000;
    pay_breaker_record(&breaker, &other, START_MS, 1, 1);
    cr_expect_eq(health_at(&breaker, &other, START_MS).calls, 1);

    other.window_ms = 3600000;
    pay_breaker_record(&breaker, &other, START_MS, 1, 1);
    cr_expect_eq(health_at(&breaker, &other, START_MS).calls, 1);
}


Test(pay_breaker, fewer_probes_after_a_reload_hold_at_once)
{
    pay_breaker_t       breaker = opened_at(START_MS);
    pay_breaker_conf_t  one = usual;

    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));
    cr_assert(pay_breaker_allow(&breaker, &usual, START_MS + 10000));

    one.probes = 1;
    pay_breaker_record(&breaker, &one, START_MS + 10010, 1, 10);
    cr_expect_eq(breaker.circuit, PAY_CIRCUIT_CLOSED);
}


Test(pay_breaker, names_are_those_of_the_metrics)
{
    cr_expect_str_eq(pay_circuit_name(PAY_CIRCUIT_CLOSED), "closed");
    cr_expect_str_eq(pay_circuit_name(PAY_CIRCUIT_OPEN), "open");
    cr_expect_str_eq(pay_circuit_name(PAY_CIRCUIT_HALF_OPEN), "half-open");
    cr_expect_str_eq(pay_circuit_name((pay_circuit_t) 77), "closed");
}


/* The model: all calls since the last start in a list, states in words. */
typedef struct {
    int64_t   at[MODEL_MAX];
    int       ok[MODEL_MAX];
    unsigned  count;
    unsigned  state;
    int64_t   since, half;
    unsigned  probing, proved;
} model_t;


static unsigned
model_count(const model_t *m, const pay_breaker_conf_t *conf, int64_t now,
    int failures)
{
    int64_t   width = (conf->window_ms + 9) / 10;
    unsigned  i, n;

    for (i = 0, n = 0; i < m->count; i++) {
        if (now / width - m->at[i] / width < 10 && !(failures && m->ok[i])) {
            n++;
        }
    }

    return n;
}


static int
model_allow(model_t *m, const pay_breaker_conf_t *conf, int64_t now)
{
    if (m->state == PAY_CIRCUIT_CLOSED) {
        return 1;
    }

    if (m->state == PAY_CIRCUIT_OPEN) {
        if (now - m->since < conf->open_ms) {
            return 0;
        }

        m->state = PAY_CIRCUIT_HALF_OPEN;
        m->half = now;
        m->probing = m->proved = 0;

    } else if (m->probing == conf->probes) {
        if (now - m->since < conf->open_ms) {
            return 0;
        }

        m->probing = 0;
    }

    m->probing++;
    m->since = now;

    return 1;
}


static void
model_open(model_t *m, int64_t now)
{
    m->state = PAY_CIRCUIT_OPEN;
    m->since = now;
    m->probing = m->proved = 0;
}


static void
model_record(model_t *m, const pay_breaker_conf_t *conf, int64_t now, int ok,
    int64_t latency)
{
    unsigned  calls, failures;

    if (m->state == PAY_CIRCUIT_HALF_OPEN && m->probing > 0) {
        if (ok) {
            m->probing--;
            m->proved++;

            if (m->proved == conf->probes) {
                m->state = PAY_CIRCUIT_CLOSED;
                m->count = 0;
            }

        } else if (now - latency >= m->half) {
            model_open(m, now);
        }
    }

    cr_assert_lt(m->count, MODEL_MAX);
    m->at[m->count] = now;
    m->ok[m->count++] = ok;

    calls = model_count(m, conf, now, 0);
    failures = model_count(m, conf, now, 1);

    if (m->state == PAY_CIRCUIT_CLOSED && failures > 0
        && calls >= conf->min_calls
        && failures * 100 >= conf->failure_percent * calls)
    {
        model_open(m, now);
    }
}


static void
model_agrees(model_t *m, const pay_breaker_t *breaker,
    const pay_breaker_conf_t *conf, int64_t now)
{
    unsigned       calls, failures;
    pay_health_t   health;
    pay_breaker_t  copy = *breaker;

    calls = model_count(m, conf, now, 0);
    failures = model_count(m, conf, now, 1);
    pay_breaker_read(breaker, conf, now, &health);

    cr_assert_eq(breaker->circuit, m->state);
    cr_assert_eq(health.calls, calls);
    cr_assert_eq(health.success_permille,
                 calls ? (calls - failures) * 1000 / calls : 1000);

    /* open is shown exactly while the next call would be refused */
    cr_assert_eq(health.circuit == PAY_CIRCUIT_OPEN,
                 !pay_breaker_allow(&copy, conf, now));
}


static void
model_walk(unsigned seed)
{
    int                 ok, bad;
    int64_t             now = START_MS, latency;
    unsigned            i;
    pay_breaker_t       breaker = { .circuit = PAY_CIRCUIT_CLOSED };
    pay_breaker_conf_t  conf;
    static model_t      m;

    srandom(seed);
    memset(&m, 0, sizeof(m));

    conf.failure_percent = 1 + (unsigned) random() % 100;
    conf.min_calls = 1 + (unsigned) random() % 20;
    conf.window_ms = 1 + random() % 40000;
    conf.open_ms = 1 + random() % 20000;
    conf.probes = 1 + (unsigned) random() % 4;
    bad = (int) (random() % 100);

    for (i = 0; i < 2000; i++) {
        now += random() % 3 ? random() % 50 : random() % (conf.open_ms + 9);
        ok = random() % 100 >= bad;
        latency = random() % 4 ? random() % 20 : random() % 30000;

        switch (random() % 8) {

        case 0:
            bad = (int) (random() % 100);
            break;

        case 1:
            pay_breaker_forget(&breaker);
            m.probing -= m.state == PAY_CIRCUIT_HALF_OPEN && m.probing > 0;
            break;

        case 2:
        case 3:
        case 4:
            cr_assert_eq(pay_breaker_allow(&breaker, &conf, now),
                         model_allow(&m, &conf, now));
            break;

        default:
            pay_breaker_record(&breaker, &conf, now, ok, latency);
            model_record(&m, &conf, now, ok, latency);
            break;
        }

        model_agrees(&m, &breaker, &conf, now);
    }
}


Test(pay_breaker, agrees_with_a_naive_model_on_every_walk)
{
    unsigned  seed;

    for (seed = 1; seed <= 60; seed++) {
        model_walk(seed);
    }
}


/* whatever the clock does, its claims about itself stay true */
Test(pay_breaker, random_clocks_keep_it_sane)
{
    int64_t        now;
    unsigned       i;
    pay_health_t   health;
    pay_breaker_t  breaker = { .circuit = PAY_CIRCUIT_CLOSED };

    srandom(11);

    for (i = 0; i < 100000; i++) {
        now = random() % 5 ? START_MS + random() % 60000 : random();
        (void) pay_breaker_allow(&breaker, &usual, now);
        pay_breaker_record(&breaker, &usual, now, random() % 2, random());
        pay_breaker_read(&breaker, &usual, now, &health);

        cr_assert_leq(breaker.probing, usual.probes);
        cr_assert_lt(breaker.proved, usual.probes);
        cr_assert_leq(breaker.circuit, PAY_CIRCUIT_HALF_OPEN);
        cr_assert_leq(health.success_permille, 1000);
    }
}

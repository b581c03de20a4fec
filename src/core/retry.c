/*
 * The retry strategies.  The spread is a function of the seed and the
 * number, so that a thousand jobs that failed in one second do not come back
 * in one second, and a test can say when.
 */

#include "pay_retry.h"


static int64_t delay_of(const pay_retry_t *retry, int64_t attempt);
static int64_t times(int64_t base_ms, int64_t factor, int64_t max_ms);
static int64_t spread(const pay_retry_t *retry, int64_t attempt,
    pay_str_t seed, int64_t delay_ms);


static const char  *const names[] = {
    [PAY_RETRY_EXPONENTIAL] = "exponential",
    [PAY_RETRY_INCREMENTAL] = "incremental",
    [PAY_RETRY_FIXED] = "fixed",
    [PAY_RETRY_IMMEDIATE] = "immediate",
    [PAY_RETRY_CANCEL] = "cancel"
};
PAY_ROWS(names, PAY_RETRY_BY_COUNT);


/* The PSP's Retry-After is a lower bound, and jitter is added behind it: all
 * jobs that one 429 has refused got the same number of seconds
 * (docs/security.md RL7). A number beyond the limit is taken for nonsense and
 * ignored. */
int64_t
pay_retry_delay_ms(const pay_retry_t *retry, int64_t attempt,
    int64_t retry_after_s, pay_str_t seed)
{
    int64_t  delay_ms;

    attempt = attempt < 1 ? 1 : attempt;
    delay_ms = delay_of(retry, attempt);

    if (retry_after_s > 0 && retry_after_s <= PAY_RETRY_AFTER_MAX_S
        && delay_ms < retry_after_s * 1000)
    {
        delay_ms = retry_after_s * 1000;
    }

    return delay_ms + spread(retry, attempt, seed, delay_ms);
}


/* limit=0 of the directive means that the number of attempts ends nothing. */
int
pay_retry_is_over(const pay_retry_t *retry, int64_t attempt)
{
    return retry->by == PAY_RETRY_CANCEL
           || (retry->limit > 0 && attempt >= (int64_t) retry->limit);
}


/* Words of the directive; *by stays as it was for another word. */
int
pay_retry_parse(pay_str_t name, pay_retry_by_t *by)
{
    unsigned  i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (pay_str_is(name, names[i])) {
            *by = (pay_retry_by_t) i;
            return 1;
        }
    }

    return 0;
}


/* The delay before jitter.  cancel tries nothing again (pay_retry_is_over());
 * for a caller that asks anyway it is the longest delay there is. */
static int64_t
delay_of(const pay_retry_t *retry, int64_t attempt)
{
    int64_t  factor;

    switch (retry->by) {

    case PAY_RETRY_EXPONENTIAL:
        /* 2^30 times 1 ms are 12 days, beyond the longest delay; shifts stay
         * defined. */
        factor = attempt > 31 ? INT64_C(1) << 30
                              : INT64_C(1) << (attempt - 1);
        break;

    case PAY_RETRY_INCREMENTAL:
        factor = attempt;
        break;

    case PAY_RETRY_FIXED:
        factor = 1;
        break;

    case PAY_RETRY_CANCEL:
        return PAY_RETRY_DELAY_MAX_MS;

    default:
        return 0;
    }

    return times(retry->base_ms, factor, retry->max_ms);
}


/* Divides instead of multiplying to find out whether the product is too
 * large. */
static int64_t
times(int64_t base_ms, int64_t factor, int64_t max_ms)
{
    if (max_ms <= 0 || max_ms > PAY_RETRY_DELAY_MAX_MS) {
        max_ms = PAY_RETRY_DELAY_MAX_MS;
    }

    base_ms = base_ms < 0 ? 0 : base_ms;

    return base_ms > max_ms / factor ? max_ms : base_ms * factor;
}


/* FNV-1a over the seed, with the attempt mixed in: the same job waits
 * differently after each failure, and a test can compute it.  The hash keeps
 * nothing secret. */
static int64_t
spread(const pay_retry_t *retry, int64_t attempt, pay_str_t seed,
    int64_t delay_ms)
{
    size_t    i;
    uint32_t  hash = 2166136261u ^ (uint32_t) attempt;

    for (i = 0; i < seed.len; i++) {
        hash = (hash ^ seed.data[i]) * 16777619u;
    }

    return delay_ms * (int64_t) (hash % (retry->jitter_percent + 1)) / 100;
}

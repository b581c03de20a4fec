/*
 * The generic cell rate algorithm.  A request that conforms moves the TAT one
 * interval on, starting from now or from where it is; one that finds the TAT
 * further ahead than the tolerance does not conform and moves nothing.
 */

#include "pay_gcra.h"


#define NS_PER_MS        UINT64_C(1000000)
#define NS_PER_RATE      UINT64_C(1000000000000)     /* 1000 s */


static uint64_t add(uint64_t a, uint64_t b);
static uint64_t multiply(uint64_t a, uint64_t b);
static uint64_t to_ms_up(uint64_t ns);


/* Rounding the interval up errs by less than a nanosecond a request, in favour
 * of the limit. */
void
pay_gcra_init(pay_gcra_t *limit, uint64_t rate, uint64_t burst)
{
    if (rate == 0) {
        rate = 1;
    }

    limit->interval_ns = NS_PER_RATE / rate + (NS_PER_RATE % rate != 0);
    limit->tolerance_ns = multiply(burst, limit->interval_ns);
    limit->quota = add(burst, 1);
}


/*
 *   TAT ≤ now                     the bucket is idle: everything is left
 *   now < TAT ≤ now + tolerance   allowed; the TAT moves on by one interval
 *   beyond                        refused; conforms at TAT - tolerance
 *
 * A refused request leaves the TAT where it is.  So a client that hammers does
 * not push its own release further away, as a penalty would. */
pay_gcra_result_t
pay_gcra_take(const pay_gcra_t *limit, uint64_t now_ms, uint64_t *tat_ns)
{
    uint64_t           now, ahead, ahead_max;
    pay_gcra_result_t  result;

    now = multiply(now_ms, NS_PER_MS);
    ahead = *tat_ns > now ? *tat_ns - now : 0;

    /* An allowed request never leaves the TAT further ahead than this.
     * Another value comes from a limit that was larger before a reload, or
     * from a clock that went back. */
    ahead_max = add(limit->tolerance_ns, limit->interval_ns);

    if (ahead > ahead_max) {
        ahead = ahead_max;
        *tat_ns = add(now, ahead);
    }

    result.allowed = ahead <= limit->tolerance_ns;

    if (result.allowed) {
        ahead = add(ahead, limit->interval_ns);
        *tat_ns = add(now, ahead);
    }

    /* The fields of RateLimit and Retry-After; times are rounded up, because a
     * client that comes back a millisecond early would be refused again. */
    result.left = 0;
    result.wait_ms = 0;
    result.full_ms = to_ms_up(ahead);

    if (ahead > limit->tolerance_ns) {
        result.wait_ms = to_ms_up(ahead - limit->tolerance_ns);
        return result;
    }

    result.left = add((limit->tolerance_ns - ahead) / limit->interval_ns, 1);
    if (result.left > limit->quota) {
        result.left = limit->quota;
    }

    return result;
}


int
pay_gcra_is_idle(uint64_t tat_ns, uint64_t now_ms)
{
    return tat_ns <= multiply(now_ms, NS_PER_MS);
}


/* Sums stay at the largest number instead of wrapping to a small one, which
 * would let everything pass. */
static uint64_t
add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}


static uint64_t
multiply(uint64_t a, uint64_t b)
{
    return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}


static uint64_t
to_ms_up(uint64_t ns)
{
    return ns / NS_PER_MS + (ns % NS_PER_MS != 0);
}

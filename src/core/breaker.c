/*
 * The circuit breaker's arithmetic.  Calls are counted in buckets of a tenth of
 * the window, numbered from the clock's zero; a bucket that is older than ten
 * buckets does not count.  Any content of the struct (another window's numbers
 * after a reload, half a change of a killed worker, a clock that went back)
 * costs counts at most, and never keeps a circuit open for twice open_ms.
 */

#include "pay_breaker.h"
#include "pay_status.h"


#define LATENCY_MAX_MS  INT64_C(86400000)


/* The window in 64 bits: ten buckets of 32 bits each cannot overflow it. */
typedef struct {
    uint64_t  calls;
    uint64_t  failures;
    uint64_t  latency_ms;
} sums_t;


static int elapsed(int64_t since_ms, int64_t now_ms, int64_t span_ms);
static uint64_t distance(int64_t a, int64_t b);
static int64_t bucket_number(const pay_breaker_conf_t *conf, int64_t now_ms);
static pay_breaker_bucket_t *bucket_now(pay_breaker_t *breaker,
    const pay_breaker_conf_t *conf, int64_t now_ms);
static void count(pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms, int ok, int64_t latency_ms);
static sums_t sum(const pay_breaker_t *breaker,
    const pay_breaker_conf_t *conf, int64_t now_ms);
static void judge(pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms);
static void probed(pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms, int ok, int64_t latency_ms);
static void trip(pay_breaker_t *breaker, int64_t now_ms);
static void enter(pay_breaker_t *breaker, pay_circuit_t circuit,
    int64_t now_ms);
static unsigned probes_of(const pay_breaker_conf_t *conf);
static unsigned narrow(uint64_t number);


/*
 *   CLOSED ── failures ≥ failure_percent of ≥ min_calls ──▶ OPEN
 *   OPEN ── open_ms are over, and a call asks ──▶ HALF_OPEN
 *   HALF_OPEN ── a probe fails ──▶ OPEN
 *   HALF_OPEN ── `probes` of them went well ──▶ CLOSED
 *
 * No timer moves the state; the next call does, so that an idle PSP costs
 * nothing. */
int
pay_breaker_allow(pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms)
{
    if (conf->failure_percent == 0 || breaker->circuit == PAY_CIRCUIT_CLOSED) {
        return 1;
    }

    if (breaker->circuit == PAY_CIRCUIT_OPEN) {
        if (!elapsed(breaker->since_ms, now_ms, conf->open_ms)) {
            return 0;
        }

        enter(breaker, PAY_CIRCUIT_HALF_OPEN, now_ms);
    }

    /* All probes are out.  After open_ms they are taken for lost (their worker
     * was killed), or a crash would keep the circuit half-open for ever. */
    if (breaker->probing >= probes_of(conf)) {
        if (!elapsed(breaker->since_ms, now_ms, conf->open_ms)) {
            return 0;
        }

        breaker->probing = 0;
    }

    breaker->probing++;
    breaker->since_ms = now_ms;

    return 1;
}


/* A latency that is absurd comes from a clock that jumped; it must not make
 * the mean useless for the rest of the window. */
void
pay_breaker_record(pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms, int ok, int64_t latency_ms)
{
    if (latency_ms < 0) {
        latency_ms = 0;
    }

    if (latency_ms > LATENCY_MAX_MS) {
        latency_ms = LATENCY_MAX_MS;
    }

    if (breaker->circuit == PAY_CIRCUIT_HALF_OPEN) {
        probed(breaker, conf, now_ms, ok, latency_ms);
    }

    count(breaker, conf, now_ms, ok, latency_ms);

    if (breaker->circuit == PAY_CIRCUIT_CLOSED) {
        judge(breaker, conf, now_ms);
    }
}


/* The probe's slot is free again, and the next call may take it. */
void
pay_breaker_forget(pay_breaker_t *breaker)
{
    if (breaker->circuit == PAY_CIRCUIT_HALF_OPEN && breaker->probing > 0) {
        breaker->probing--;
    }
}


/* For routing and metrics.  Looks at the state without changing it: an OPEN
 * circuit whose time is over reads as HALF_OPEN, although no call has tried it
 * yet. */
void
pay_breaker_read(const pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms, pay_health_t *health)
{
    sums_t  sums;

    sums = sum(breaker, conf, now_ms);

    health->circuit = PAY_CIRCUIT_CLOSED;
    health->calls = narrow(sums.calls);
    health->success_permille = 1000;
    health->latency_ms = 0;

    if (sums.calls > 0) {
        health->success_permille =
            narrow((sums.calls - sums.failures) * 1000 / sums.calls);
        health->latency_ms = narrow(sums.latency_ms / sums.calls);
    }

    if (conf->failure_percent == 0 || breaker->circuit == PAY_CIRCUIT_CLOSED) {
        return;
    }

    health->circuit = PAY_CIRCUIT_HALF_OPEN;

    if ((breaker->circuit == PAY_CIRCUIT_OPEN
         || breaker->probing >= probes_of(conf))
        && !elapsed(breaker->since_ms, now_ms, conf->open_ms))
    {
        health->circuit = PAY_CIRCUIT_OPEN;
    }
}


const char *
pay_circuit_name(pay_circuit_t circuit)
{
    static const char *const  names[] = { "closed", "open", "half-open" };
    PAY_ROWS(names, PAY_CIRCUIT_COUNT);

    return (unsigned) circuit < sizeof(names) / sizeof(names[0])
           ? names[circuit] : "closed";
}


/* 1 when the span that began at since_ms is over.  A clock that went back by
 * more than the span counts as one that went on. */
static int
elapsed(int64_t since_ms, int64_t now_ms, int64_t span_ms)
{
    return span_ms <= 0
           || distance(since_ms, now_ms) >= (uint64_t) span_ms;
}


/* Unsigned arithmetic: shared memory may hold any numbers, and their
 * difference may not fit int64_t. */
static uint64_t
distance(int64_t a, int64_t b)
{
    return a < b ? (uint64_t) b - (uint64_t) a : (uint64_t) a - (uint64_t) b;
}


/* The width is rounded up, so that ten buckets are never shorter than the
 * window. */
static int64_t
bucket_number(const pay_breaker_conf_t *conf, int64_t now_ms)
{
    int64_t  width;

    width = conf->window_ms / PAY_BREAKER_BUCKETS
            + (conf->window_ms % PAY_BREAKER_BUCKETS > 0);

    return (now_ms > 0 ? now_ms : 0) / (width > 0 ? width : 1);
}


/* Workers' clocks differ by some milliseconds: the one behind counts into the
 * newest bucket.  Further back than the window is another clock: a new
 * start. */
static pay_breaker_bucket_t *
bucket_now(pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms)
{
    int64_t  number;

    number = bucket_number(conf, now_ms);

    if (breaker->newest < 0
        || breaker->newest - number >= PAY_BREAKER_BUCKETS
        || number - breaker->newest >= PAY_BREAKER_BUCKETS)
    {
        memset(breaker->buckets, 0, sizeof(breaker->buckets));
        breaker->newest = number;
    }

    while (breaker->newest < number) {
        breaker->newest++;
        memset(&breaker->buckets[breaker->newest % PAY_BREAKER_BUCKETS], 0,
               sizeof(pay_breaker_bucket_t));
    }

    return &breaker->buckets[breaker->newest % PAY_BREAKER_BUCKETS];
}


/* A bucket that is full stops counting; its share of failures stays right. */
static void
count(pay_breaker_t *breaker, const pay_breaker_conf_t *conf, int64_t now_ms,
    int ok, int64_t latency_ms)
{
    pay_breaker_bucket_t  *bucket;

    bucket = bucket_now(breaker, conf, now_ms);

    if (bucket->calls == UINT32_MAX) {
        return;
    }

    bucket->calls++;
    bucket->failures += !ok;
    bucket->latency_ms += (uint64_t) latency_ms;
}


/* `newest` may be older than now: buckets that have left the window since are
 * skipped.  failures is bounded by calls, since a worker may have been killed
 * between the two additions. */
static sums_t
sum(const pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms)
{
    int64_t                      i, number, newest = breaker->newest;
    sums_t                       sums = { 0, 0, 0 };
    const pay_breaker_bucket_t  *bucket;

    number = bucket_number(conf, now_ms);

    if (newest < 0 || newest - number >= PAY_BREAKER_BUCKETS) {
        return sums;
    }

    for (i = newest; i >= 0 && newest - i < PAY_BREAKER_BUCKETS; i--) {
        if (number - i >= PAY_BREAKER_BUCKETS) {
            break;
        }

        bucket = &breaker->buckets[i % PAY_BREAKER_BUCKETS];
        sums.calls += bucket->calls;
        sums.failures += bucket->failures < bucket->calls ? bucket->failures
                                                          : bucket->calls;
        sums.latency_ms += bucket->latency_ms;
    }

    return sums;
}


/* After each call, a good one, too: it may be the one that makes min_calls. */
static void
judge(pay_breaker_t *breaker, const pay_breaker_conf_t *conf, int64_t now_ms)
{
    sums_t  sums;

    sums = sum(breaker, conf, now_ms);

    if (conf->failure_percent == 0 || sums.failures == 0
        || sums.calls < conf->min_calls
        || sums.failures * 100 < sums.calls * conf->failure_percent)
    {
        return;
    }

    trip(breaker, now_ms);
}


/* A failure of a call that began before the circuit was half-open (its deadline
 * may be as long as open_ms) adds no information. */
static void
probed(pay_breaker_t *breaker, const pay_breaker_conf_t *conf, int64_t now_ms,
    int ok, int64_t latency_ms)
{
    if (breaker->probing == 0) {
        return;
    }

    if (ok) {
        breaker->probing--;
        breaker->proved++;

        /* the window holds what opened it: a new start */
        if (breaker->proved >= probes_of(conf)) {
            enter(breaker, PAY_CIRCUIT_CLOSED, now_ms);
            memset(breaker->buckets, 0, sizeof(breaker->buckets));
        }

        return;
    }

    if (now_ms < breaker->half_ms
        || distance(breaker->half_ms, now_ms) >= (uint64_t) latency_ms)
    {
        trip(breaker, now_ms);
    }
}


/* `opened` counts for the metric and is never reset. */
static void
trip(pay_breaker_t *breaker, int64_t now_ms)
{
    enter(breaker, PAY_CIRCUIT_OPEN, now_ms);
    breaker->opened++;
}


/* Probes and their results belong to one stay in a state. */
static void
enter(pay_breaker_t *breaker, pay_circuit_t circuit, int64_t now_ms)
{
    breaker->circuit = circuit;
    breaker->since_ms = now_ms;
    breaker->half_ms = now_ms;
    breaker->probing = 0;
    breaker->proved = 0;
}


/* 0 would never let a call through; the directive refuses it, and the core
 * does not rely on that. */
static unsigned
probes_of(const pay_breaker_conf_t *conf)
{
    return conf->probes > 0 ? conf->probes : 1;
}


static unsigned
narrow(uint64_t number)
{
    return number > UINT32_MAX ? UINT32_MAX : (unsigned) number;
}

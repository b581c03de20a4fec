/*
 * The circuit breaker and the health of one PSP over a rolling window.  The
 * struct lies in shared memory: no pointers, and the caller holds a lock.
 * The clock comes from the caller (monotonic milliseconds).
 */

#ifndef PAY_BREAKER_H
#define PAY_BREAKER_H

#include "pay_str.h"


#define PAY_BREAKER_BUCKETS  10

typedef enum {
    PAY_CIRCUIT_CLOSED = 0,    /* calls go */
    PAY_CIRCUIT_OPEN,          /* no call goes until open_ms are over */
    PAY_CIRCUIT_HALF_OPEN,     /* `probes` calls at a time go; when as many
                                  have gone well in a row it closes, one that
                                  goes wrong opens it again */
    PAY_CIRCUIT_COUNT
} pay_circuit_t;

typedef struct {
    unsigned  failure_percent;         /* opens at this share of failures, 0:
                                          never, */
    unsigned  min_calls;               /*   with at least this many calls  */
    int64_t   window_ms;               /*   in the window */
    int64_t   open_ms;
    unsigned  probes;
} pay_breaker_conf_t;

typedef struct {
    uint32_t  calls;
    uint32_t  failures;
    uint64_t  latency_ms;              /* sum over calls */
} pay_breaker_bucket_t;

/* All zero is a fresh one. */
typedef struct {
    pay_breaker_bucket_t  buckets[PAY_BREAKER_BUCKETS];
    int64_t               newest;      /* number of the newest bucket */
    int64_t               since_ms;    /* opened, or the last probe went out */
    int64_t               half_ms;     /* half-open since */
    uint32_t              circuit;     /* pay_circuit_t */
    uint32_t              probing;     /* probes under way */
    uint32_t              proved;      /* probes that went well */
    uint32_t              opened;      /* how often, for metrics */
} pay_breaker_t;

/* How a PSP does at this moment. */
typedef struct {
    pay_circuit_t  circuit;            /* OPEN exactly while no call is
                                          allowed; so it is for a half-open
                                          one whose probes are all under way */
    unsigned       calls;              /* in the window */
    unsigned       success_permille;   /* 1000 without calls */
    unsigned       latency_ms;         /* mean; 0 without calls */
    unsigned       in_flight;          /* filled by the caller */
    unsigned       in_flight_max;      /* the limit of it; filled by the caller,
                                          0: no limit */
} pay_health_t;


/* Returns 1 when a call is allowed now; in a half-open circuit it counts as a
 * probe until pay_breaker_record() or pay_breaker_forget() is called for it.  A
 * probe whose worker died is forgotten after open_ms. */
int pay_breaker_allow(pay_breaker_t *breaker, const pay_breaker_conf_t *conf,
    int64_t now_ms);
/* A call that was allowed has ended; ok 0: the PSP was not to be reached, did
 * not answer, or answered 5xx. */
void pay_breaker_record(pay_breaker_t *breaker,
    const pay_breaker_conf_t *conf, int64_t now_ms, int ok,
    int64_t latency_ms);
/* A call that was allowed never reached the network: it says nothing. */
void pay_breaker_forget(pay_breaker_t *breaker);
void pay_breaker_read(const pay_breaker_t *breaker,
    const pay_breaker_conf_t *conf, int64_t now_ms, pay_health_t *health);

/* closed, open, half-open */
const char *pay_circuit_name(pay_circuit_t circuit);


#endif /* PAY_BREAKER_H */

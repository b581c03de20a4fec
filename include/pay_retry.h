/*
 * When to try again: the five strategies of the retry directives.  Pure
 * arithmetic; the caller keeps the count of attempts.
 */

#ifndef PAY_RETRY_H
#define PAY_RETRY_H

#include "pay_status.h"
#include "pay_str.h"


#define PAY_RETRY_DELAY_MAX_MS    INT64_C(86400000)
#define PAY_RETRY_LIMIT_MAX       1000000
/* A PSP's Retry-After is cut to this many seconds. */
#define PAY_RETRY_AFTER_MAX_S     86400

typedef enum {
    PAY_RETRY_EXPONENTIAL = 0, /* base, twice, four times … up to max */
    PAY_RETRY_INCREMENTAL,     /* base, two, three times base … up to max */
    PAY_RETRY_FIXED,           /* base each time */
    PAY_RETRY_IMMEDIATE,       /* at once; has a limit */
    PAY_RETRY_CANCEL,          /* not at all: an operator decides */
    PAY_RETRY_BY_COUNT
} pay_retry_by_t;

typedef struct {
    pay_retry_by_t  by;
    int64_t         base_ms;
    int64_t         max_ms;
    unsigned        jitter_percent;    /* added to a delay, 0 to 100 */
    unsigned        limit;             /* of attempts, 0: none */
} pay_retry_t;


/* The delay in ms after attempt number `attempt` (1 is the first; a number
 * below counts as 1), at least the PSP's Retry-After (seconds, -1 none), spread
 * by `seed` and the number.  The limit is not looked at; cancel: a day. */
int64_t pay_retry_delay_ms(const pay_retry_t *retry, int64_t attempt,
    int64_t retry_after_s, pay_str_t seed);
/* 1 when nothing is tried behind attempt number `attempt`: it is the last
 * within the limit, or the strategy is cancel. */
int pay_retry_is_over(const pay_retry_t *retry, int64_t attempt);

/* 1 and *by set when `name` is exponential, incremental, fixed, immediate or
 * cancel. */
int pay_retry_parse(pay_str_t name, pay_retry_by_t *by);


#endif /* PAY_RETRY_H */

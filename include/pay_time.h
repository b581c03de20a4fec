/*
 * Time as text; the clock's value comes from the caller.
 */

#ifndef PAY_TIME_H
#define PAY_TIME_H

#include "pay_arena.h"


/* RFC 3339 in UTC with seconds, "2026-11-21T08:15:00Z". */
pay_status_t pay_time_format(pay_arena_t *arena, int64_t unix_s,
    pay_str_t *text) PAY_MUST_CHECK;

/* "2026-11-21T08:15:00.123456Z", this spelling only, → microseconds since
 * 1970; anything else is PAY_INVALID. */
pay_status_t pay_time_parse(pay_str_t text, int64_t *unix_us) PAY_MUST_CHECK;

/* How many of [0-9] stand at `from`. */
size_t pay_digits_count(pay_str_t text, size_t from);

/* [0-9]{1,15} → number; sign, blank, empty or longer: PAY_INVALID. */
pay_status_t pay_digits_parse(pay_str_t text, int64_t *value) PAY_MUST_CHECK;


#endif /* PAY_TIME_H */

/*
 * Card data canary and log hygiene: what must never be stored, and what must
 * never reach a log as it came.
 */

#ifndef PAY_PAN_H
#define PAY_PAN_H

#include "pay_arena.h"


/* 1 when the text holds 13-19 digits that pass Luhn, start with 3-6 or
 * 22-27 (20YY… are dates), and stand either in one run or, with single
 * spaces or dashes between, in groups as cards print them: 4-4-4-(1..7),
 * 4-4-4-4-(1..3), 4-6-(4..5) or each digit alone.  A letter or a digit
 * directly before or behind makes it part of something longer, which does
 * not count: no UUID can trip it, ids and time stamps rarely do.  The format
 * code of a magnetic stripe's track 1 is no such letter: "%B4…", "B4…^". */
int pay_pan_found(pay_str_t text);

/* A copy fit for one log line: control bytes, non-ASCII, quotes and
 * backslash as \xHH, digits that pay_pan_found() would find masked,
 * cut at `max` bytes, never within an escape, with "..." behind. */
pay_status_t pay_redact(pay_arena_t *arena, pay_str_t text, size_t max,
    pay_str_t *safe) PAY_MUST_CHECK;


#endif /* PAY_PAN_H */

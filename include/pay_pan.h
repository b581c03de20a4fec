/*
 * Card data canary and log hygiene: what must never be stored, and what must
 * never reach a log as it came.
 */

#ifndef PAY_PAN_H
#define PAY_PAN_H

#include "pay_arena.h"


/* 1 when the text holds a run of 13-19 digits (single spaces and dashes
 * between digits skipped, not preceded or followed by a digit) that passes
 * Luhn and whose first digit is 2-6.  UUIDs and long ids must rarely trip it:
 * a run inside a longer hex/alphanumeric word (a letter directly before or
 * behind) does not count. */
int pay_pan_found(pay_str_t text);

/* A copy fit for one log line: control bytes, non-ASCII, quotes and
 * backslash as \xHH, digit runs that pay_pan_found() would find masked,
 * cut at `max` bytes with "..." behind. */
pay_status_t pay_redact(pay_arena_t *arena, pay_str_t text, size_t max,
    pay_str_t *safe) PAY_MUST_CHECK;


#endif /* PAY_PAN_H */

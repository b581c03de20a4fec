/*
 * Finds card data that must never be stored, and removes from a text the parts
 * that must never reach a log.
 */

#ifndef PAY_PAN_H
#define PAY_PAN_H

#include "pay_arena.h"


/* Returns 1 when the text holds 13-19 digits that pass Luhn and begin as cards
 * of that length do, either in one run (zeros before and behind are padding) or
 * in groups as cards print them: 4-4-4-(1..7), 4-4-4-4-(1..3), 4-6-(4..5) or
 * each digit alone.  Between groups there are one to three separators: blank,
 * TAB, line end, - . / _ , and Unicode's blanks and dashes.  Full-width digits
 * and JSON's escapes count as the characters that they encode.  Letters beside
 * a number hide it only if the word has other digits, too.  No UUID, IBAN,
 * GTIN-13 or fraction counts; of other texts of so many digits fewer than a
 * tenth do.  Linear: some 2 ns a byte (tests/bench/scan.c). */
int pay_pan_found(pay_str_t text);

/* 1 when a member of that name would hold card data whatever its value is:
 * without case and ASCII punctuation it is one of the names listed in
 * docs/security.md ("cvc", "card number", "track 2", "PIN block" and their
 * like), or it ends with cvc, cvc2, cvv or cvv2. */
int pay_pan_is_name(pay_str_t name);

/* A copy fit for one log line: control bytes, non-ASCII, quotes and
 * backslash as \xHH, digits that pay_pan_found() would find masked,
 * cut at `max` bytes, never within an escape, with "..." behind. */
pay_status_t pay_redact(pay_arena_t *arena, pay_str_t text, size_t max,
    pay_str_t *safe) PAY_MUST_CHECK;


#endif /* PAY_PAN_H */

/*
 * What the tests of settlement files share: a file read in pieces of any size,
 * its rows as lines of text, its verdict or the reason of its refusal.
 */

#ifndef SETTLE_WORLD_H
#define SETTLE_WORLD_H

#include <criterion/criterion.h>

#include "pay_settle.h"


#define SETTLE_FILE_MAX  65536

/* A growing text, and bytes. */
typedef struct {
    char    *data;
    size_t   len;
    size_t   size;
} settle_text_t;

typedef struct {
    pay_status_t          status;
    pay_settle_verdict_t  verdict;
    int64_t               rows;
    int64_t               skipped;
    pay_settle_refusal_t  refusal;     /* reason NULL: not refused */
    settle_text_t         dump;        /* a line a row, then the statements */
} settle_read_t;


void settle_text_add(settle_text_t *text, const char *bytes, size_t len);
/* The n-th format: those of the registry, and camt.054, which is in none; NULL
 * behind the last. */
const char *settle_format(unsigned n);
/* The bytes of tests/fixtures/settle/<format>/<name>; fails the test when there
 * is none. */
settle_text_t settle_fixture(const char *format, const char *name);

/* Reads the bytes in pieces of `step`.  `options` NULL: any account.  The
 * arena NULL: one of its own, which is dropped. */
void settle_read(settle_read_t *read, pay_arena_t *arena, const char *format,
    const pay_settle_options_t *options, const char *bytes, size_t len,
    size_t step);
void settle_free(settle_read_t *read);

/* "proven 4", "refused count-differs 6 rows": verdict and rows, or reason,
 * line and column. */
const char *settle_outcome(const settle_read_t *read);


#endif /* SETTLE_WORLD_H */

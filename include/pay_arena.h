/*
 * Memory of a flow: allocations are freed all at once by the owner (an nginx
 * pool in the gateway, pay_heap_t in payctl and tests).  Core code never
 * frees; a failed allocation is an ordinary error (PAY_NO_MEMORY).
 */

#ifndef PAY_ARENA_H
#define PAY_ARENA_H

#include "pay_status.h"
#include "pay_str.h"


typedef struct {
    void  *(*alloc)(void *owner, size_t size);
    void    *owner;
} pay_arena_t;


/* Uninitialized / zeroed memory aligned for any type; NULL when exhausted. */
void *pay_alloc(pay_arena_t *arena, size_t size) PAY_MUST_CHECK;
void *pay_calloc(pay_arena_t *arena, size_t size) PAY_MUST_CHECK;

/* Copies the bytes (and adds a NUL behind them, not counted in len). */
pay_status_t pay_dup(pay_arena_t *arena, pay_str_t from, pay_str_t *to)
    PAY_MUST_CHECK;

/* printf into the arena, at most `max` bytes without the NUL; a longer text
 * is PAY_INVALID.  Use "%.*s" with pay_fmt() for slices.  Known are exactly
 * %s %.*s %u %d %zu %ld %lu %lld %llu (so PRId64, PRIu64) and %%, without
 * flags and widths; anything else, a NULL string or a negative precision is
 * PAY_BUG. */
pay_status_t pay_format(pay_arena_t *arena, pay_str_t *out, size_t max,
    const char *format, ...)
    __attribute__((format(printf, 4, 5))) PAY_MUST_CHECK;

#define pay_fmt(s)  (int) (s).len, (const char *) (s).data


#define PAY_INT_TEXT_MAX  20           /* "-9223372036854775808" */

/* A growing byte buffer in an arena.  After a failed append every later one
 * fails too, so only pay_buf_done() needs checking. */
typedef struct {
    pay_arena_t    *arena;
    unsigned char  *data;
    size_t          len;
    size_t          size;
    size_t          max;       /* hard limit of len */
    size_t          first;     /* the oldest block */
    pay_status_t    status;
} pay_buf_t;

/* An empty buffer that will hold at most `max` bytes of the arena.  Nothing is
 * allocated yet.  The functions below add to it and report nothing: after the
 * first failure (PAY_NO_MEMORY, PAY_INVALID for a text beyond `max`, or the one
 * of pay_buf_fail()) they do nothing, and pay_buf_done() returns it. */
void pay_buf_init(pay_buf_t *buf, pay_arena_t *arena, size_t max);
/* A hint that this many bytes (> 0) will be allocated: one block for all. */
void pay_buf_expect(pay_buf_t *buf, size_t size);
void pay_buf_add(pay_buf_t *buf, pay_str_t bytes);
void pay_buf_text(pay_buf_t *buf, const char *text);
void pay_buf_int(pay_buf_t *buf, int64_t number);
/* The number in decimal, in the last bytes of `text`. */
pay_str_t pay_int_text(int64_t number, unsigned char text[PAY_INT_TEXT_MAX]);
/* Percent-encodes everything but RFC 3986 unreserved characters. */
void pay_buf_percent(pay_buf_t *buf, pay_str_t bytes);
/* HTML-escapes & < > " ' for text and quoted attributes. */
void pay_buf_html(pay_buf_t *buf, pay_str_t text);
/* From now on it fails; the first failure counts. */
void pay_buf_fail(pay_buf_t *buf, pay_status_t status);
/* PAY_OK and the bytes, or the first error. */
pay_status_t pay_buf_done(pay_buf_t *buf, pay_str_t *out) PAY_MUST_CHECK;


/* An arena over malloc, with a switch that fails the n-th allocation (1 is
 * the next one; 0 never) for the torture tests. */
typedef struct pay_heap_s  pay_heap_t;

/* The caller destroys it, with all that was allocated in its arena; NULL: no
 * memory. */
pay_heap_t *pay_heap_create(void);
void pay_heap_destroy(pay_heap_t *heap);
/* Borrowed: it ends with the heap. */
pay_arena_t *pay_heap_arena(pay_heap_t *heap);
void pay_heap_fail_at(pay_heap_t *heap, unsigned n);
/* 1 when the planned failure has happened. */
int pay_heap_failed(const pay_heap_t *heap);


#endif /* PAY_ARENA_H */

/*
 * Allocation through an arena: single pieces and formatted text.  Nothing is
 * ever freed here; results are written only when the whole call succeeds.
 */

#include "pay_arena.h"
#include "format.h"


/* A size of 0 becomes 1: an arena may answer an empty request with NULL, which
 * would read as exhausted memory, and an empty result needs an address,
 * too. */
void *
pay_alloc(pay_arena_t *arena, size_t size)
{
    return arena->alloc(arena->owner, size == 0 ? 1 : size);
}


void *
pay_calloc(pay_arena_t *arena, size_t size)
{
    void  *memory = pay_alloc(arena, size);

    if (memory != NULL) {
        memset(memory, 0, size);
    }

    return memory;
}


/* The NUL behind the copy serves readers that need a terminated string, such
 * as the members of pay_error_t.  It is not part of the text: a slice may hold
 * NUL bytes of its own, so nothing measures the copy by it. */
pay_status_t
pay_dup(pay_arena_t *arena, pay_str_t from, pay_str_t *to)
{
    unsigned char  *copy;

    if (from.len == SIZE_MAX) {
        return PAY_NO_MEMORY;
    }

    copy = pay_alloc(arena, from.len + 1);
    if (copy == NULL) {
        return PAY_NO_MEMORY;
    }

    if (from.len != 0) {
        memcpy(copy, from.data, from.len);
    }

    copy[from.len] = '\0';
    *to = (pay_str_t) { from.len, copy };

    return PAY_OK;
}


/* Measures first and writes then, so that the arena gives exactly the bytes
 * that are needed: nothing can be given back to an arena.  The limit is judged
 * before the allocation, since `max` bounds text that contains a stranger's
 * bytes. */
pay_status_t
pay_format(pay_arena_t *arena, pay_str_t *out, size_t max,
    const char *format, ...)
{
    char          *text;
    size_t         len;
    va_list        args;
    pay_status_t   status;

    va_start(args, format);
    status = pay_format_to(NULL, 0, &len, format, args);
    va_end(args);
    PAY_TRY(status);

    if (len > max) {
        return PAY_INVALID;
    }

    text = pay_alloc(arena, len + 1);
    if (text == NULL) {
        return PAY_NO_MEMORY;
    }

    va_start(args, format);
    /* The arguments are read a second time: a va_list cannot be read twice. */
    status = pay_format_to(text, len, &len, format, args);
    va_end(args);
    PAY_TRY(status);

    text[len] = '\0';
    *out = (pay_str_t) { len, (const unsigned char *) text };

    return PAY_OK;
}

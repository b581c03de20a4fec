/*
 * Allocation through an arena: single pieces and formatted text.  Nothing is
 * ever freed here; results are written only when the whole call succeeds.
 */

#include "pay_arena.h"
#include "format.h"


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
    status = pay_format_to(text, len, &len, format, args);
    va_end(args);
    PAY_TRY(status);

    text[len] = '\0';
    *out = (pay_str_t) { len, (const unsigned char *) text };

    return PAY_OK;
}

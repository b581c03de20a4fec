/*
 * The formatter behind pay_format() and pay_refuse_at(); private to src/core.
 */

#ifndef PAY_FORMAT_H
#define PAY_FORMAT_H

#include <stdarg.h>

#include "pay_status.h"
#include "pay_str.h"


/* Writes at most `size` bytes (never a NUL) to `out` and the whole length to
 * *len, which may exceed `size`.  Directives: see pay_format().  Another
 * directive, a NULL string or a negative precision is PAY_BUG. */
pay_status_t pay_format_to(char *out, size_t size, size_t *len,
    const char *format, va_list args)
    __attribute__((format(printf, 4, 0))) PAY_MUST_CHECK;


#endif /* PAY_FORMAT_H */

/*
 * A bounded formatter for the few directives that core uses.  It exists since
 * src/ does without stdio; it knows no floating point, no widths and no
 * locale, and what it does not know is an error, never a guess.
 */

#include "format.h"


#define PAY_DECIMAL_MAX  20    /* digits of 2^64 - 1 */


typedef struct {
    char       *out;
    size_t      size;
    size_t      len;
    va_list     args;
} pay_sink_t;

typedef struct {
    const char     *name;      /* the conversion after the percent sign */
    pay_status_t  (*write)(pay_sink_t *sink);
} pay_directive_t;


static pay_status_t pay_write_percent(pay_sink_t *sink);
static pay_status_t pay_write_string(pay_sink_t *sink);
static pay_status_t pay_write_slice(pay_sink_t *sink);
static pay_status_t pay_write_unsigned(pay_sink_t *sink);
static pay_status_t pay_write_int(pay_sink_t *sink);
static pay_status_t pay_write_size(pay_sink_t *sink);
static pay_status_t pay_write_long(pay_sink_t *sink);
static pay_status_t pay_write_ulong(pay_sink_t *sink);
static pay_status_t pay_write_llong(pay_sink_t *sink);
static pay_status_t pay_write_ullong(pay_sink_t *sink);
static const pay_directive_t *pay_directive_find(const char *text);
static void pay_sink_add(pay_sink_t *sink, const char *bytes, size_t len);
static void pay_sink_signed(pay_sink_t *sink, int64_t number);
static void pay_sink_number(pay_sink_t *sink, uint64_t number);


static const pay_directive_t  pay_directives[] = {
    { "%", pay_write_percent },
    { "s", pay_write_string },
    { ".*s", pay_write_slice },
    { "u", pay_write_unsigned },
    { "d", pay_write_int },
    { "zu", pay_write_size },
    { "lld", pay_write_llong },
    { "llu", pay_write_ullong },
    { "ld", pay_write_long },
    { "lu", pay_write_ulong },
    { NULL, NULL }
};


/* Stops at the first directive that fails, and sets *len only when none did: a
 * caller has no use for half a text. */
pay_status_t
pay_format_to(char *out, size_t size, size_t *len, const char *format,
    va_list args)
{
    pay_sink_t              sink = { .out = out, .size = size };
    pay_status_t            status;
    const char             *percent;
    const pay_directive_t  *directive;

    /* The sink owns a copy: va_arg() through a pointer to the caller's would
     * leave that in an unknown state. */
    va_copy(sink.args, args);
    status = PAY_OK;

    while (status == PAY_OK && *format != '\0') {
        percent = strchr(format, '%');
        if (percent == NULL) {
            pay_sink_add(&sink, format, strlen(format));
            break;
        }

        pay_sink_add(&sink, format, (size_t) (percent - format));

        directive = pay_directive_find(percent + 1);
        if (directive == NULL) {
            status = PAY_BUG;
            break;
        }

        status = directive->write(&sink);
        format = percent + 1 + strlen(directive->name);
    }

    va_end(sink.args);

    if (status == PAY_OK) {
        *len = sink.len;
    }

    return status;
}


/* No name is the beginning of another one, so the first that fits is the
 * one. */
static const pay_directive_t *
pay_directive_find(const char *text)
{
    const pay_directive_t  *directive;

    for (directive = pay_directives; directive->name != NULL; directive++) {
        if (strncmp(text, directive->name, strlen(directive->name)) == 0) {
            return directive;
        }
    }

    return NULL;
}


static pay_status_t
pay_write_percent(pay_sink_t *sink)
{
    pay_sink_add(sink, "%", 1);

    return PAY_OK;
}


static pay_status_t
pay_write_string(pay_sink_t *sink)
{
    const char  *text = va_arg(sink->args, const char *);

    if (text == NULL) {
        return PAY_BUG;
    }

    pay_sink_add(sink, text, strlen(text));

    return PAY_OK;
}


/* A slice without bytes may have no address.  strnlen() keeps the meaning of
 * %.*s of the C library (it ends at a NUL), so that the compiler's format
 * checks and this function agree. */
static pay_status_t
pay_write_slice(pay_sink_t *sink)
{
    int          precision = va_arg(sink->args, int);
    const char  *text = va_arg(sink->args, const char *);

    if (precision < 0 || (text == NULL && precision != 0)) {
        return PAY_BUG;
    }

    if (precision != 0) {
        pay_sink_add(sink, text, strnlen(text, (size_t) precision));
    }

    return PAY_OK;
}


static pay_status_t
pay_write_unsigned(pay_sink_t *sink)
{
    pay_sink_number(sink, va_arg(sink->args, unsigned));

    return PAY_OK;
}


static pay_status_t
pay_write_int(pay_sink_t *sink)
{
    pay_sink_signed(sink, va_arg(sink->args, int));

    return PAY_OK;
}


static pay_status_t
pay_write_size(pay_sink_t *sink)
{
    pay_sink_number(sink, va_arg(sink->args, size_t));

    return PAY_OK;
}


static pay_status_t
pay_write_long(pay_sink_t *sink)
{
    pay_sink_signed(sink, va_arg(sink->args, long));

    return PAY_OK;
}


static pay_status_t
pay_write_ulong(pay_sink_t *sink)
{
    pay_sink_number(sink, va_arg(sink->args, unsigned long));

    return PAY_OK;
}


static pay_status_t
pay_write_llong(pay_sink_t *sink)
{
    pay_sink_signed(sink, va_arg(sink->args, long long));

    return PAY_OK;
}


static pay_status_t
pay_write_ullong(pay_sink_t *sink)
{
    pay_sink_number(sink, va_arg(sink->args, unsigned long long));

    return PAY_OK;
}


/* INT64_MIN is negated one short, as in pay_buf_int(). */
static void
pay_sink_signed(pay_sink_t *sink, int64_t number)
{
    if (number >= 0) {
        pay_sink_number(sink, (uint64_t) number);
        return;
    }

    pay_sink_add(sink, "-", 1);
    pay_sink_number(sink, (uint64_t) -(number + 1) + 1);
}


static void
pay_sink_number(pay_sink_t *sink, uint64_t number)
{
    char    digits[PAY_DECIMAL_MAX];
    size_t  at = sizeof(digits);

    do {
        digits[--at] = (char) ('0' + number % 10);
        number /= 10;
    } while (number != 0);

    pay_sink_add(sink, digits + at, sizeof(digits) - at);
}


/* Counts on when nothing fits any more: the length is the result of the first
 * of two passes, and pay_err_say() sees from it that a text was too long. */
static void
pay_sink_add(pay_sink_t *sink, const char *bytes, size_t len)
{
    size_t  room = sink->len < sink->size ? sink->size - sink->len : 0;

    if (room > len) {
        room = len;
    }

    if (room > 0) {
        memcpy(sink->out + sink->len, bytes, room);
    }

    sink->len += len;
}

/*
 * Filling pay_err_t.  What is not a literal is within it, so a refusal never
 * allocates.
 */

#include "format.h"


static void pay_err_fill(pay_err_t *err, const char *slug,
    const char *detail);


/* Returns PAY_INVALID so that a check can end with "return pay_refuse(…)"; a
 * caller that needs no reason passes NULL. */
pay_status_t
pay_refuse(pay_err_t *err, const char *slug, const char *detail)
{
    if (err != NULL) {
        pay_err_fill(err, slug, detail);
    }

    return PAY_INVALID;
}


/* The pointer is made in the struct, since a refusal has to work when the
 * arena is exhausted and has to outlive the function that found the error. */
pay_status_t
pay_refuse_at(pay_err_t *err, const char *slug, const char *detail,
    const char *pointer, ...)
{
    size_t        len;
    va_list       args;
    pay_status_t  status;

    if (err == NULL) {
        return PAY_INVALID;
    }

    pay_err_fill(err, slug, detail);

    va_start(args, pointer);
    status = pay_format_to(err->pointer, sizeof(err->pointer) - 1, &len,
                           pointer, args);
    va_end(args);

    /* half a pointer would name another member: better none */
    if (status != PAY_OK || len >= sizeof(err->pointer)) {
        len = 0;
    }

    err->pointer[len] = '\0';

    return PAY_INVALID;
}


/* For refusals that name the place of the error (a byte, an unknown member).
 * A detail that does not fit is not cut, because half a sentence misleads: the
 * literal detail of pay_refuse() stays. */
void
pay_err_say(pay_err_t *err, const char *format, ...)
{
    size_t        len;
    va_list       args;
    pay_status_t  status;

    if (err == NULL) {
        return;
    }

    va_start(args, format);
    status = pay_format_to(err->text, sizeof(err->text) - 1, &len, format,
                           args);
    va_end(args);

    if (status == PAY_OK && len < sizeof(err->text)) {
        err->text[len] = '\0';
        err->detail = err->text;
    }
}


/* A plain assignment would leave `detail` pointing into the struct it came
 * from, which is often a local variable of a function that has returned. */
void
pay_err_copy(pay_err_t *to, const pay_err_t *from)
{
    *to = *from;

    if (from->detail == from->text) {
        to->detail = to->text;
    }
}


static void
pay_err_fill(pay_err_t *err, const char *slug, const char *detail)
{
    err->slug = slug;
    err->detail = detail;
    err->pointer[0] = '\0';
}

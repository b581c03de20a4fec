/*
 * Filling pay_err_t.  Slugs and details are literals of ours, so a refusal
 * never allocates and never carries a byte of the input.
 */

#include "format.h"


static void pay_err_fill(pay_err_t *err, const char *slug,
    const char *detail);


pay_status_t
pay_refuse(pay_err_t *err, const char *slug, const char *detail)
{
    if (err != NULL) {
        pay_err_fill(err, slug, detail);
    }

    return PAY_INVALID;
}


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


static void
pay_err_fill(pay_err_t *err, const char *slug, const char *detail)
{
    err->slug = slug;
    err->detail = detail;
    err->pointer[0] = '\0';
}

/*
 * Bodies of the type application/x-www-form-urlencoded, as some senders of
 * webhooks write them.  All of it is untrusted.
 */

#ifndef PAY_FORM_H
#define PAY_FORM_H

#include "pay_arena.h"


/* The only field of that name, still encoded, a slice of `form`: PAY_NOT_FOUND
 * when absent, PAY_INVALID when it stands there twice, has no "=", or the form
 * has more than `fields_max` fields. */
pay_status_t pay_form_raw(pay_str_t form, unsigned fields_max,
    const char *name, pay_str_t *raw) PAY_MUST_CHECK;
/* Its bytes, which may be any, in the arena.  PAY_INVALID for an escape that is
 * none. */
pay_status_t pay_form_decode(pay_arena_t *arena, pay_str_t raw,
    pay_str_t *value) PAY_MUST_CHECK;
/* Both. */
pay_status_t pay_form_get(pay_arena_t *arena, pay_str_t form,
    unsigned fields_max, const char *name, pay_str_t *value) PAY_MUST_CHECK;


#endif /* PAY_FORM_H */

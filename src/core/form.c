/*
 * The fields of a form, one by one: nothing is kept of those that nobody asks
 * for.  Called by webhook schemes and adapters whose senders write forms.
 */

#include "pay_form.h"


static int form_hex_digit(unsigned char c);


/* A name is compared as it is encoded: the names that anybody asks for have no
 * letter that needs an escape. */
pay_status_t
pay_form_raw(pay_str_t form, unsigned fields_max, const char *name,
    pay_str_t *raw)
{
    int                   found = 0;
    size_t                len;
    unsigned              fields = 0;
    pay_str_t             field;
    const unsigned char  *end, *equals;

    do {
        if (fields++ == fields_max) {
            return PAY_INVALID;
        }

        end = form.len ? memchr(form.data, '&', form.len) : NULL;
        len = end ? (size_t) (end - form.data) : form.len;
        field = (pay_str_t) { len, form.data };
        form.data += len + (end != NULL);
        form.len -= len + (end != NULL);

        equals = field.len ? memchr(field.data, '=', field.len) : NULL;
        len = equals ? (size_t) (equals - field.data) : field.len;

        if (!pay_str_is((pay_str_t) { len, field.data }, name)) {
            continue;
        }

        if (found++ || equals == NULL) {
            return PAY_INVALID;
        }

        *raw = (pay_str_t) { field.len - len - 1, equals + 1 };
    } while (end != NULL);

    return found ? PAY_OK : PAY_NOT_FOUND;
}


/* "+" is a blank, %XX a byte. */
pay_status_t
pay_form_decode(pay_arena_t *arena, pay_str_t raw, pay_str_t *value)
{
    int             high, low;
    size_t          i, n;
    unsigned char  *out;

    out = pay_alloc(arena, raw.len + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0, n = 0; i < raw.len; i++) {
        if (raw.data[i] != '%') {
            out[n++] = (raw.data[i] == '+') ? ' ' : raw.data[i];
            continue;
        }

        if (raw.len - i < 3) {
            return PAY_INVALID;
        }

        high = form_hex_digit(raw.data[i + 1]);
        low = form_hex_digit(raw.data[i + 2]);

        if (high < 0 || low < 0) {
            return PAY_INVALID;
        }

        out[n++] = (unsigned char) (high << 4 | low);
        i += 2;
    }

    *value = (pay_str_t) { n, out };

    return PAY_OK;
}


pay_status_t
pay_form_get(pay_arena_t *arena, pay_str_t form, unsigned fields_max,
    const char *name, pay_str_t *value)
{
    pay_str_t  raw;

    PAY_TRY(pay_form_raw(form, fields_max, name, &raw));

    return pay_form_decode(arena, raw, value);
}


/* Either case, as forms may be encoded by any library. */
static int
form_hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}

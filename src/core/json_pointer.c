/*
 * The place of a value in a JSON text as a pointer (RFC 6901), for the answer
 * to the text's sender.  Never writes more than PAY_POINTER_MAX bytes and
 * repeats nothing but printable ASCII of the text's own names.
 */

#include "pay_json.h"


#define INDEX_DIGITS  20


static size_t pay_step_write(const pay_json_step_t *step, char *to,
    size_t size);
static pay_str_t pay_index_text(size_t index, unsigned char *end);


/* A place that cannot be written whole ends the pointer at the last container
 * that can: a parent is still true, half a name would be another member. */
void
pay_json_pointer(const pay_json_step_t *steps, unsigned count,
    char pointer[PAY_POINTER_MAX])
{
    size_t    len, written;
    unsigned  i;

    if (pointer == NULL) {
        return;
    }

    for (i = 0, len = 0; i < count; i++, len += written) {
        written = pay_step_write(&steps[i], pointer + len,
                                 PAY_POINTER_MAX - 1 - len);
        if (written == 0) {
            break;
        }
    }

    pointer[len] = '\0';
}


/* Returns how long the step became, 0 when it cannot be written into `size`
 * bytes. RFC 6901 section 3: "~" and "/" of a name become ~0 and ~1.  Other
 * names than printable ASCII are not repeated, since the pointer goes into an
 * answer. */
static size_t
pay_step_write(const pay_json_step_t *step, char *to, size_t size)
{
    size_t         i, len;
    unsigned       is_escaped;
    pay_str_t      name;
    unsigned char  c, digits[INDEX_DIGITS];

    name = (step->index == 0)
           ? step->name
           : pay_index_text(step->index - 1, digits + INDEX_DIGITS);

    if (size == 0) {
        return 0;
    }

    to[0] = '/';

    for (i = 0, len = 1; i < name.len; i++) {
        c = name.data[i];

        is_escaped = (c == '~' || c == '/');

        /* The step is given up as a whole, see pay_json_pointer(). */
        if (c < ' ' || c > '~' || size - len < 1u + is_escaped) {
            return 0;
        }

        if (is_escaped) {
            to[len++] = '~';
            c = (c == '~') ? '0' : '1';
        }

        to[len++] = (char) c;
    }

    return len;
}


/* Writes backwards from `end`, which has INDEX_DIGITS bytes before it. */
static pay_str_t
pay_index_text(size_t index, unsigned char *end)
{
    unsigned char  *p = end;

    do {
        *--p = (unsigned char) ('0' + index % 10);
        index /= 10;
    } while (index > 0);

    return (pay_str_t) { (size_t) (end - p), p };
}

/*
 * Slices: a length and a pointer into bytes that another object owns.  Wire
 * data is never a C string.  The layout equals nginx's ngx_str_t.
 */

#ifndef PAY_STR_H
#define PAY_STR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>


typedef struct {
    size_t                len;
    const unsigned char  *data;
} pay_str_t;


/* A slice over a string literal, as an initializer and as an expression. */
#define pay_string(s)  { sizeof(s) - 1, (const unsigned char *) (s) }
#define PAY_STR(s)     ((pay_str_t) pay_string(s))


/* A slice over a NUL-terminated string; NULL gives the empty slice. */
static inline pay_str_t
pay_str_of(const char *text)
{
    pay_str_t  s = { 0, NULL };

    if (text != NULL) {
        s.len = strlen(text);
        s.data = (const unsigned char *) text;
    }

    return s;
}


/* 1 when both hold the same bytes.  Not for secrets: see pay_crypto.h. */
static inline int
pay_str_eq(pay_str_t a, pay_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


/* 1 when `s` holds exactly the bytes of the NUL-terminated `text`. */
static inline int
pay_str_is(pay_str_t s, const char *text)
{
    return pay_str_eq(s, pay_str_of(text));
}


#endif /* PAY_STR_H */

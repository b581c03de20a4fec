/*
 * Text of others for one line of a log: PostgreSQL's and libpq's messages.
 */

#ifndef PAY_LINE_H
#define PAY_LINE_H

#include "pay_str.h"


/* Room for a line with its NUL. */
#define PAY_LINE_SIZE  241

/* Writes at most the first two lines of `text` as one: bytes other than
 * printable ASCII become "?", the end of a line and a row of blanks become one
 * blank.  With `unquote`, text between double quotes is left out (…""), since
 * it may be a value; each occurrence of `secret` becomes "***" when it has any
 * bytes.  Returns the length, below PAY_LINE_SIZE; a NUL follows. */
size_t pay_line(char line[PAY_LINE_SIZE], pay_str_t text, int unquote,
    pay_str_t secret);


#endif /* PAY_LINE_H */

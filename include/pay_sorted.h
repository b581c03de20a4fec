/*
 * Arrays whose items are sorted by a name that each of them has.  They are
 * sorted once, when the configuration is read, and searched by each request.
 */

#ifndef PAY_SORTED_H
#define PAY_SORTED_H

#include "pay_str.h"


/* Negative, 0 or positive: the order of bytes, of which a text stands in front
 * of all that begin with it.  Not for secrets: see pay_crypto.h. */
int pay_str_cmp(pay_str_t a, pay_str_t b);

/* The first of `count` items whose name is not before `name`; `count`: all are.
 * Each item has `size` bytes, and a pay_str_t, its name, at `offset`.  Takes as
 * many looks as `count` has bits.  An array that is not sorted gives any index
 * up to `count`. */
size_t pay_sorted_first(const void *items, size_t count, size_t size,
    size_t offset, pay_str_t name);

/* The item with this name; `count`: there is none. */
size_t pay_sorted_find(const void *items, size_t count, size_t size,
    size_t offset, pay_str_t name);


#endif /* PAY_SORTED_H */

/*
 * Search by bisection in arrays that are sorted by name.
 */

#include "pay_sorted.h"


static pay_str_t name_of(const void *items, size_t i, size_t size,
    size_t offset);


int
pay_str_cmp(pay_str_t a, pay_str_t b)
{
    int     order;
    size_t  len = a.len < b.len ? a.len : b.len;

    order = len == 0 ? 0 : memcmp(a.data, b.data, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}


size_t
pay_sorted_first(const void *items, size_t count, size_t size, size_t offset,
    pay_str_t name)
{
    size_t  low = 0, high = count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (pay_str_cmp(name_of(items, middle, size, offset), name) < 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


size_t
pay_sorted_find(const void *items, size_t count, size_t size, size_t offset,
    pay_str_t name)
{
    size_t  i = pay_sorted_first(items, count, size, offset, name);

    return i < count && pay_str_eq(name_of(items, i, size, offset), name)
           ? i : count;
}


/* A copy, for an item may be aligned for less than a pointer. */
static pay_str_t
name_of(const void *items, size_t i, size_t size, size_t offset)
{
    pay_str_t  name;

    memcpy(&name, (const unsigned char *) items + i * size + offset,
           sizeof(name));

    return name;
}

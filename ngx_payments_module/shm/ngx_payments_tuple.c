/*
 * Slots of the zone that are found by up to three names.  Readers take no lock:
 * a slot is whole before its pointer stands in the set, and its names never
 * change.
 */

#include "shm/ngx_payments_tuple.h"


static ngx_payments_tuple_t *find(ngx_payments_tuple_t *const *slots,
    ngx_uint_t size, const u_char *name, size_t len);
static size_t join(u_char *name, const pay_str_t *values);


/* One of another process may have made the slot between the two searches. */
ngx_payments_tuple_t *
ngx_payments_tuple(ngx_payments_tuple_t **slots, ngx_uint_t size,
    const pay_str_t values[NGX_PAYMENTS_TUPLE_VALUES])
{
    u_char                 name[NGX_PAYMENTS_TUPLE_NAME];
    size_t                 len;
    ngx_uint_t             i;
    ngx_slab_pool_t       *pool;
    ngx_payments_tuple_t  *slot;

    len = join(name, values);

    if (len == 0 || ngx_payments_shctx(&pool) == NULL) {
        return NULL;
    }

    slot = find(slots, size, name, len);
    if (slot != NULL || slots[size - 1] != NULL) {
        return slot;
    }

    ngx_shmtx_lock(&pool->mutex);

    slot = find(slots, size, name, len);

    for (i = 0; slot == NULL && i < size; i++) {
        if (slots[i] != NULL) {
            continue;
        }

        slot = ngx_slab_calloc_locked(pool, sizeof(ngx_payments_tuple_t));
        if (slot == NULL) {
            break;
        }

        ngx_memcpy(slot->name, name, len);
        slot->len = len;
        ngx_memory_barrier();
        slots[i] = slot;
    }

    ngx_shmtx_unlock(&pool->mutex);

    return slot;
}


pay_str_t
ngx_payments_tuple_value(const ngx_payments_tuple_t *slot, ngx_uint_t n)
{
    size_t     from, to;
    pay_str_t  value;

    for (from = 0, to = 0; to < slot->len; to++) {
        if (slot->name[to] != '\0') {
            continue;
        }

        if (n-- == 0) {
            break;
        }

        from = to + 1;
    }

    value.data = (u_char *) &slot->name[from];
    value.len = to - from;

    return value;
}


/* Slots are taken in order, so the first empty one ends the search. */
static ngx_payments_tuple_t *
find(ngx_payments_tuple_t *const *slots, ngx_uint_t size, const u_char *name,
    size_t len)
{
    ngx_uint_t  i;

    for (i = 0; i < size && slots[i] != NULL; i++) {
        if (slots[i]->len == len
            && ngx_memcmp(slots[i]->name, name, len) == 0)
        {
            return slots[i];
        }
    }

    return NULL;
}


/* Each value and a NUL behind it; 0: one of them is empty but the last ones,
 * does not fit, or has a NUL of its own. */
static size_t
join(u_char *name, const pay_str_t *values)
{
    size_t      len;
    ngx_uint_t  i;

    for (i = 0, len = 0; i < NGX_PAYMENTS_TUPLE_VALUES; i++) {
        if (values[i].len == 0 && i != 0) {
            break;
        }

        if (values[i].len == 0
            || values[i].len + 1 > NGX_PAYMENTS_TUPLE_NAME - len
            || ngx_strlchr((u_char *) values[i].data,
                           (u_char *) values[i].data + values[i].len, '\0')
               != NULL)
        {
            return 0;
        }

        len = ngx_cpymem(&name[len], values[i].data, values[i].len) - name;
        name[len++] = '\0';
    }

    return len;
}

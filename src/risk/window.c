/*
 * Windows in memory: of each key a ring of buckets, one for each fifteenth of
 * the window.  All sixteen are added up, the one under way and fifteen whole
 * ones, so that the error is on the strict side.  Times are seconds since 1970
 * in 32 bits, which end in 2106.
 *
 *     key ─▶ a set of eight slots ─▶ its slot: ... | 3 | 0 | 1 | 2 (now)
 *                  └▶ none: that of the key which has not come for longest
 */

#include "risk.h"


#define WAYS       8
#define BUCKETS    16
#define COUNT_MAX  UINT16_MAX

/* last_s: of the newest bucket; 0: the slot is free.  window_s: so that an
 * eviction knows whether the window is over. */
typedef struct {
    uint64_t  key;
    uint32_t  last_s;
    uint32_t  window_s;
    uint16_t  buckets[BUCKETS];
} slot_t;

typedef struct {
    slot_t  slots[WAYS];
} set_t;

struct pay_risk_table_s {
    uint64_t  sets;
    uint64_t  evicted;
    uint64_t  is_whole;                /* a bit for each part */
    set_t     set[];
};


static slot_t *find(pay_risk_table_t *table, uint64_t key);
static slot_t *make(pay_risk_table_t *table, uint64_t key, uint32_t window_s,
    uint32_t now_s);
static set_t *set_of(pay_risk_table_t *table, uint64_t key);
static uint32_t width_of(uint32_t window_s);
static void advance(slot_t *slot, uint32_t now_s);


pay_risk_table_t *
pay_risk_table(void *memory, size_t size)
{
    pay_risk_table_t  *table = memory;

    if (size < sizeof(pay_risk_table_t) + sizeof(set_t)) {
        return NULL;
    }

    memset(memory, 0, size);
    table->sets = (size - sizeof(pay_risk_table_t)) / sizeof(set_t);

    return table;
}


uint32_t
pay_risk_table_add(pay_risk_table_t *table, uint64_t key, int64_t window_s,
    int64_t at_s)
{
    slot_t    *slot = find(table, key);
    uint32_t   now_s = (uint32_t) at_s, window = (uint32_t) window_s;
    uint16_t  *bucket;
    unsigned   i, sum = 0;

    if (slot == NULL) {
        slot = make(table, key, window, now_s);
    }

    advance(slot, now_s);

    bucket = &slot->buckets[slot->last_s / width_of(window) % BUCKETS];
    *bucket = (uint16_t) (*bucket + (*bucket < COUNT_MAX));

    for (i = 0; i < BUCKETS; i++) {
        sum += slot->buckets[i];
    }

    return sum;
}


void
pay_risk_table_take(pay_risk_table_t *table, uint64_t key, int64_t window_s,
    int64_t at_s)
{
    slot_t    *slot = find(table, key);
    uint32_t   width = width_of((uint32_t) window_s);
    uint32_t   tick = (uint32_t) at_s / width;
    uint16_t  *bucket;

    if (slot == NULL || tick > slot->last_s / width
        || slot->last_s / width - tick >= BUCKETS)
    {
        return;
    }

    bucket = &slot->buckets[tick % BUCKETS];
    *bucket = (uint16_t) (*bucket - (*bucket > 0));
}


void
pay_risk_table_put(pay_risk_table_t *table, uint64_t key, int64_t window_s,
    int64_t at_s)
{
    slot_t    *slot = find(table, key);
    uint32_t   window = (uint32_t) window_s, width = width_of(window);
    uint32_t   tick = (uint32_t) at_s / width;
    uint16_t  *bucket;

    if (slot == NULL) {
        slot = make(table, key, window, (uint32_t) at_s);
    }

    advance(slot, (uint32_t) at_s);

    if (slot->last_s / width - tick < BUCKETS) {
        bucket = &slot->buckets[tick % BUCKETS];
        *bucket = (uint16_t) (*bucket + (*bucket < COUNT_MAX));
    }
}


int
pay_risk_table_is_whole(const pay_risk_table_t *table, unsigned part)
{
    return (table->is_whole >> part & 1) != 0;
}


void
pay_risk_table_set_whole(pay_risk_table_t *table, unsigned part)
{
    table->is_whole |= (uint64_t) 1 << part;
}


uint64_t
pay_risk_table_evicted(const pay_risk_table_t *table)
{
    return table->evicted;
}


static slot_t *
find(pay_risk_table_t *table, uint64_t key)
{
    unsigned   i;
    set_t     *set = set_of(table, key);

    for (i = 0; i < WAYS; i++) {
        if (set->slots[i].last_s != 0 && set->slots[i].key == key) {
            return &set->slots[i];
        }
    }

    return NULL;
}


/* In a free slot, or else in that of the key which has not come for longest. */
static slot_t *
make(pay_risk_table_t *table, uint64_t key, uint32_t window_s,
    uint32_t now_s)
{
    unsigned   i;
    set_t     *set = set_of(table, key);
    slot_t    *oldest = &set->slots[0];

    for (i = 1; i < WAYS; i++) {
        if (set->slots[i].last_s < oldest->last_s) {
            oldest = &set->slots[i];
        }
    }

    table->evicted += oldest->last_s != 0
                      && now_s - oldest->last_s < oldest->window_s;

    memset(oldest, 0, sizeof(slot_t));
    oldest->key = key;
    oldest->window_s = window_s;
    oldest->last_s = now_s;

    return oldest;
}


/* The low bits may be those of a hash's first bytes: any of them do. */
static set_t *
set_of(pay_risk_table_t *table, uint64_t key)
{
    return &table->set[key % table->sets];
}


/* Rounded up, so that fifteen cover the window. */
static uint32_t
width_of(uint32_t window_s)
{
    return (window_s + BUCKETS - 2) / (BUCKETS - 1);
}


/* Empties the buckets between the last one and that of now. */
static void
advance(slot_t *slot, uint32_t now_s)
{
    uint32_t  tick, width = width_of(slot->window_s);

    if (now_s <= slot->last_s) {
        return;
    }

    tick = slot->last_s / width;

    if (now_s / width - tick >= BUCKETS) {
        memset(slot->buckets, 0, sizeof(slot->buckets));

    } else {
        while (tick < now_s / width) {
            tick++;
            slot->buckets[tick % BUCKETS] = 0;
        }
    }

    slot->last_s = now_s;
}

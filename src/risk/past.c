/*
 * The attempts of the past that windows in memory have to know again when their
 * memory is new: read from the keys of stored decisions, as PostgreSQL lists
 * them (sql/functions/61_risk_past.sql).  A personal key is the hash under the
 * first key of the ring of then, which is where its window is looked for.
 */

#include <string.h>

#include "risk.h"
#include "pay_json.h"


#define PARTS        4                 /* of an attempt */
#define TEXT_MAX     (16 << 20)
#define ATTEMPTS_MAX 1000
#define VALUES_MAX   200000
#define DEPTH        8


typedef struct {
    pay_arena_t           *arena;
    const pay_risk_t      *risk;
    pay_risk_past_page_t  *page;
    size_t                 room;
} reader_t;

/* One attempt; borrowed from the page's JSON. */
typedef struct {
    int64_t            at_s;
    pay_str_t          merchant_id;
    const pay_json_t  *keys;
    const pay_json_t  *sellers;
} attempt_t;


static pay_status_t read_page(reader_t *reader, const pay_json_t *json);
static pay_status_t read_next(reader_t *reader, const pay_json_t *next);
static pay_status_t read_attempt(reader_t *reader, const pay_json_t *json);
static pay_status_t add_windows(reader_t *reader, const attempt_t *attempt);
static pay_status_t add_window(reader_t *reader, const attempt_t *attempt,
    const pay_risk_velocity_t *velocity);
static pay_status_t add_past(reader_t *reader, const attempt_t *attempt,
    const pay_risk_velocity_t *velocity, pay_str_t value);
static int key_of(const attempt_t *attempt, pay_risk_key_t key,
    pay_str_t *value);
static int is_network(pay_str_t value, pay_risk_key_t key);


int64_t
pay_risk_memory_s(const pay_risk_t *risk)
{
    int64_t   most = 0;
    unsigned  i;

    for (i = 0; i < risk->velocity_count; i++) {
        if (pay_risk_in_memory(&risk->velocities[i])
            && risk->velocities[i].window_s > most)
        {
            most = risk->velocities[i].window_s;
        }
    }

    for (i = 0; i < PAY_RISK_FEATURE_WINDOWS && risk->scorer_count > 0; i++) {
        if (pay_risk_feature_windows[i].window_s > most) {
            most = pay_risk_feature_windows[i].window_s;
        }
    }

    return most + (most + 14) / 15;
}


pay_status_t
pay_risk_past(pay_arena_t *arena, const pay_risk_t *risk, pay_str_t json,
    pay_risk_past_page_t *page)
{
    pay_err_t     err;
    reader_t      reader = { .arena = arena, .risk = risk, .page = page };
    pay_json_t   *document;
    pay_status_t  status;

    static const pay_json_limits_t  limits = {
        TEXT_MAX, DEPTH, ATTEMPTS_MAX, VALUES_MAX
    };

    memset(page, 0, sizeof(*page));

    PAY_TRY(pay_json_parse(json, &limits, &document, &err));
    status = read_page(&reader, document);
    pay_json_free(document);

    return status;
}


static pay_status_t
read_page(reader_t *reader, const pay_json_t *json)
{
    size_t             i;
    const pay_json_t  *attempts = pay_json_get(json, "attempts");

    if (pay_json_type(attempts) != PAY_JSON_ARRAY) {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(attempts); i++) {
        PAY_TRY(read_attempt(reader, pay_json_at(attempts, i)));
    }

    reader->page->attempts = pay_json_size(attempts);

    return read_next(reader, pay_json_get(json, "next"));
}


static pay_status_t
read_next(reader_t *reader, const pay_json_t *next)
{
    pay_str_t              merchant, checkout;
    pay_risk_past_page_t  *page = reader->page;

    if (pay_json_type(next) == PAY_JSON_NULL) {
        return PAY_OK;
    }

    if (pay_json_integer(pay_json_at(next, 0), &page->next_us) != PAY_OK
        || pay_json_string(pay_json_at(next, 1), &merchant) != PAY_OK
        || pay_json_string(pay_json_at(next, 2), &checkout) != PAY_OK
        || page->next_us <= 0)
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_dup(reader->arena, merchant, &page->next_merchant_id));

    return pay_dup(reader->arena, checkout, &page->next_checkout_id);
}


static pay_status_t
read_attempt(reader_t *reader, const pay_json_t *json)
{
    attempt_t  attempt = {
        .keys = pay_json_at(json, 2), .sellers = pay_json_at(json, 3)
    };

    if (pay_json_size(json) != PARTS
        || pay_json_integer(pay_json_at(json, 0), &attempt.at_s) != PAY_OK
        || pay_json_string(pay_json_at(json, 1), &attempt.merchant_id)
           != PAY_OK
        || pay_json_type(attempt.keys) != PAY_JSON_ARRAY
        || pay_json_type(attempt.sellers) != PAY_JSON_ARRAY
        || attempt.at_s <= 0 || attempt.at_s > UINT32_MAX)
    {
        return PAY_INVALID;
    }

    return add_windows(reader, &attempt);
}


static pay_status_t
add_windows(reader_t *reader, const attempt_t *attempt)
{
    unsigned                    i;
    pay_risk_facts_t            facts = { .merchant_id
                                              = attempt->merchant_id };
    const pay_risk_velocity_t  *velocity;

    for (i = 0; i < reader->risk->velocity_count; i++) {
        velocity = &reader->risk->velocities[i];

        if (pay_risk_in_memory(velocity)
            && pay_risk_is_of(velocity->merchant_id, &facts))
        {
            PAY_TRY(add_window(reader, attempt, velocity));
        }
    }

    for (i = 0; i < PAY_RISK_FEATURE_WINDOWS
                && pay_risk_has_model(reader->risk, &facts); i++)
    {
        PAY_TRY(add_window(reader, attempt, &pay_risk_feature_windows[i]));
    }

    return PAY_OK;
}


static pay_status_t
add_window(reader_t *reader, const attempt_t *attempt,
    const pay_risk_velocity_t *velocity)
{
    size_t     i;
    pay_str_t  value;

    switch (velocity->key) {

    case PAY_RISK_BY_merchant:
        return add_past(reader, attempt, velocity, attempt->merchant_id);

    case PAY_RISK_BY_seller:
        for (i = 0; i < pay_json_size(attempt->sellers); i++) {
            if (pay_json_string(pay_json_at(attempt->sellers, i), &value)
                != PAY_OK)
            {
                return PAY_INVALID;
            }

            PAY_TRY(add_past(reader, attempt, velocity, value));
        }

        return PAY_OK;

    default:
        return key_of(attempt, velocity->key, &value)
               ? add_past(reader, attempt, velocity, value) : PAY_OK;
    }
}


/* The first of a kind: the second one of a personal kind is its hash under the
 * second key of the ring. */
static int
key_of(const attempt_t *attempt, pay_risk_key_t key, pay_str_t *value)
{
    int                is_address = pay_risk_key_rows[key].attribute
                                    == PAY_RISK_ip;
    size_t             i;
    pay_str_t          kind, kept;
    const pay_json_t  *pair;

    for (i = 0; i < pay_json_size(attempt->keys); i++) {
        pair = pay_json_at(attempt->keys, i);

        if (pay_json_string(pay_json_at(pair, 0), &kind) == PAY_OK
            && pay_json_string(pay_json_at(pair, 1), &kept) == PAY_OK
            && pay_str_is(kind, is_address ? "ip" : pay_risk_key_name(key))
            && (!is_address || is_network(kept, key)))
        {
            *value = kept;
            return 1;
        }
    }

    return 0;
}


/* Whether a prefix has the length by which the key counts. */
static int
is_network(pay_str_t value, pay_risk_key_t key)
{
    int       is_v6 = memchr(value.data, ':', value.len) != NULL;
    size_t    i;
    unsigned  bits = 0;

    for (i = 0; i < value.len && value.data[i] != '/'; i++) {
        /* to the bits */
    }

    for (i++; i < value.len && value.data[i] >= '0' && value.data[i] <= '9'
              && bits < 1000; i++)
    {
        bits = bits * 10 + value.data[i] - '0';
    }

    return bits == pay_risk_key_bits(key, is_v6);
}


static pay_status_t
add_past(reader_t *reader, const attempt_t *attempt,
    const pay_risk_velocity_t *velocity, pay_str_t value)
{
    size_t                 room;
    pay_risk_past_t       *past, *items;
    pay_risk_past_page_t  *page = reader->page;

    if (page->count == reader->room) {
        room = reader->room != 0 ? 2 * reader->room : 64;
        items = pay_alloc(reader->arena, room * sizeof(pay_risk_past_t));
        if (items == NULL) {
            return PAY_NO_MEMORY;
        }

        if (page->count != 0) {
            memcpy(items, page->items, page->count * sizeof(pay_risk_past_t));
        }

        page->items = items;
        reader->room = room;
    }

    past = &page->items[page->count++];
    past->window_s = velocity->window_s;
    past->at_s = attempt->at_s;

    return pay_risk_slot(reader->risk, attempt->merchant_id, velocity, value,
                         &past->key);
}

/*
 * The windows that an attempt belongs to.  Short ones are counted in memory by
 * the caller, before anything is decided, so that of a hundred attempts at once
 * none sees a window without the others.
 */

#include "risk.h"


static pay_status_t add_configured(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, pay_risk_counts_t *counts);
static pay_status_t add_counts(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, const pay_risk_velocity_t *velocity,
    pay_risk_counts_t *counts);


int
pay_risk_in_memory(const pay_risk_velocity_t *velocity)
{
    return velocity->of == PAY_RISK_ATTEMPTS
           && velocity->window_s <= PAY_RISK_MEMORY_S;
}


pay_status_t
pay_risk_count(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, pay_risk_counts_t *counts)
{
    unsigned  i;

    memset(counts, 0, sizeof(pay_risk_counts_t));
    counts->at_s = facts->now_s;

    counts->items = pay_alloc(arena, ((size_t) risk->velocity_count
                                      * facts->request->order_count
                                      + PAY_RISK_FEATURE_WINDOWS)
                                     * sizeof(pay_risk_count_t));
    if (counts->items == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(add_configured(arena, risk, facts, counts));

    for (i = 0; i < PAY_RISK_FEATURE_WINDOWS; i++) {
        if (pay_risk_has_model(risk, facts)) {
            PAY_TRY(add_counts(arena, risk, facts,
                               &pay_risk_feature_windows[i], counts));
        }
    }

    return PAY_OK;
}


static pay_status_t
add_configured(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, pay_risk_counts_t *counts)
{
    unsigned                    i;
    const pay_risk_velocity_t  *velocity;

    for (i = 0; i < risk->velocity_count; i++) {
        velocity = &risk->velocities[i];

        if (pay_risk_in_memory(velocity)
            && pay_risk_is_of(velocity->merchant_id, facts))
        {
            PAY_TRY(add_counts(arena, risk, facts, velocity, counts));
        }
    }

    return PAY_OK;
}


static pay_status_t
add_counts(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, const pay_risk_velocity_t *velocity,
    pay_risk_counts_t *counts)
{
    unsigned           i, count;
    pay_str_t         *values;
    pay_risk_count_t  *item;

    PAY_TRY(pay_risk_key_values(arena, risk, facts, velocity->key, &values,
                                &count));

    for (i = 0; i < count; i++) {
        item = &counts->items[counts->count];
        item->velocity = velocity;
        item->count = 0;
        PAY_TRY(pay_risk_slot(risk, facts->merchant_id, velocity, values[i],
                              &item->key));
        counts->count++;
    }

    return PAY_OK;
}


/* Keyed, so that nobody can choose values that push others out of the table.
 * Windows of several merchants are apart, and so are those of one name that a
 * reload has made longer. */
pay_status_t
pay_risk_slot(const pay_risk_t *risk, pay_str_t merchant_id,
    const pay_risk_velocity_t *velocity, pay_str_t value, uint64_t *slot)
{
    unsigned char  text[PAY_INT_TEXT_MAX], digest[PAY_SHA256_SIZE];
    pay_str_t      end = { 1, (const unsigned char *) "" };
    pay_str_t      parts[7] = { velocity->name, end,
                                pay_int_text(velocity->window_s, text), end,
                                merchant_id, end, value };

    PAY_TRY(pay_hmac_sha256((pay_str_t) { PAY_SHA256_SIZE, risk->keys[0] },
                            parts, 7, digest));
    memcpy(slot, digest, sizeof(uint64_t));

    return PAY_OK;
}

/*
 * Storefronts that start anew: another checkout for the same purchase, which
 * replaces the first one, whatever has become of that.  Never can a buyer pay
 * on two of them, nor has anybody paid twice, unless it came late and is known
 * as such.
 */

#include "cells.h"


static const sim_post_t *post_of(sim_t *sim, const sim_reg_t *reg);
static sim_reg_t *page_of(sim_t *sim, const sim_post_t *post);
static const char *reference_of(sim_t *sim, const sim_post_t *post);
static int takes_money(sim_t *sim, sim_reg_t *reg);
static int has_money(const sim_reg_t *reg);
static int is_late(sim_t *sim, const sim_post_t *post);


/* Of the old one: soon after it, while the buyer is at it, or when its time
 * may be over. */
int64_t
sim_replace_at(sim_t *sim, int64_t at)
{
    switch (sim_below(sim, 3)) {

    case 0:
        return at + sim_between(sim, 0, 30 * SIM_S);

    case 1:
        return at + sim_between(sim, 30 * SIM_S, 4 * SIM_MIN);

    default:
        return at + sim_between(sim, 4 * SIM_MIN, 20 * SIM_MIN);
    }
}


/* I1: no page of the same purchase takes money when this one is made, unless
 * nobody will get the address of this one: its request has come so late that
 * the registration is over. */
void
sim_judge_beside(sim_t *sim, const sim_reg_t *reg)
{
    sim_reg_t         *other;
    const sim_post_t  *post, *mine = NULL;

    sim_cell_enter(sim, sim->psps[reg->psp->index].cell);

    if (sim->replaces) {
        mine = post_of(sim, reg);
    }

    if (mine != NULL && *reference_of(sim, mine) == '\0') {
        return;
    }

    for (post = mine ? sim->posts : NULL; post != NULL; post = post->next) {
        if (post == mine || post->first != mine->first) {
            continue;
        }

        other = page_of(sim, post);

        if (other != NULL && takes_money(sim, other)) {
            sim_violation(sim, "I1: %.*s is registered, and the page of %.*s "
                          "is %s", pay_fmt(mine->checkout_id),
                          pay_fmt(post->checkout_id), other->status);
        }
    }
}


/* I2: of all checkouts of a purchase one was paid. */
void
sim_judge_purchases(sim_t *sim)
{
    unsigned           paid;
    const sim_reg_t   *reg;
    const sim_post_t  *post, *first;

    for (first = sim->posts; first != NULL; first = first->next) {
        if (first->first != first) {
            continue;
        }

        paid = 0;

        for (post = sim->posts; post != NULL; post = post->next) {
            if (post->first == first) {
                (void) sim_cell_of(sim, post->checkout_id);
                reg = page_of(sim, post);
                paid += reg != NULL && has_money(reg) && !is_late(sim, post);
            }
        }

        if (paid > 1) {
            sim_violation(sim, "I2: the purchase of %.*s was paid %u times",
                          pay_fmt(first->checkout_id), paid);
        }
    }
}


static const sim_post_t *
post_of(sim_t *sim, const sim_reg_t *reg)
{
    const sim_post_t  *post;

    (void) sim_db_ask(sim->db, "SELECT coalesce(max(c.checkout_id), '') FROM "
                      "pay.checkout c WHERE c.merchant_id = $1 AND "
                      "c.checkout_uuid = $2::text::uuid", 2,
                      sim_text(sim, sim->merchant.id),
                      sim_text(sim, reg->reference));

    for (post = sim->posts; post != NULL; post = post->next) {
        if (pay_str_is(post->checkout_id, sim_db_cell(sim->db, 0, 0))) {
            break;
        }
    }

    return post;
}


/* The page that anybody has, or may get, the address of. */
static sim_reg_t *
page_of(sim_t *sim, const sim_post_t *post)
{
    unsigned     i;
    sim_reg_t   *reg;
    const char  *reference = reference_of(sim, post);

    for (i = 0; i < SIM_PSPS; i++) {
        for (reg = sim->books[i].regs; reg != NULL; reg = reg->next) {
            if (pay_str_is(reg->reference, reference)) {
                return reg;
            }
        }
    }

    return NULL;
}


/* "": nobody has the address of its page, and nobody will get it. */
static const char *
reference_of(sim_t *sim, const sim_post_t *post)
{
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT c.checkout_uuid FROM pay.checkout c "
        "JOIN pay.registration r USING (merchant_id, checkout_id) WHERE "
        "c.merchant_id = $1 AND c.checkout_id = $2 AND (r.token IS NOT NULL "
        "OR r.state = 'REGISTERING')", 2,
        sim_text(sim, sim->merchant.id), sim_text(sim, post->checkout_id));

    return found.rows ? sim_text(sim,
                                 pay_str_of(sim_db_cell(sim->db, 0, 0))) : "";
}


static int
takes_money(sim_t *sim, sim_reg_t *reg)
{
    return sim_psp_is_open(sim, reg) || has_money(reg)
           || strcmp(reg->status, "pending") == 0
           || strcmp(reg->status, "approved") == 0
           || strcmp(reg->status, "authorized") == 0;
}


static int
has_money(const sim_reg_t *reg)
{
    return reg->held > 0
           || reg->captured > reg->refunded + reg->refunding;
}


static int
is_late(sim_t *sim, const sim_post_t *post)
{
    return sim_db_ask(sim->db, "SELECT FROM pay.late_success l WHERE "
                      "l.merchant_id = $1 AND l.checkout_id = $2", 2,
                      sim_text(sim, sim->merchant.id),
                      sim_text(sim, post->checkout_id)).rows != 0;
}

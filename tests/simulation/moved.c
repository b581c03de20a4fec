/*
 * What must be true over all cells when all is quiet (docs/reliability.md,
 * I12): nothing of the merchant is in two of them, each promise is in one, and
 * what sellers are owed is what they have earned, wherever it is.
 */

#include "cells.h"


static void judge_ids(sim_t *sim, unsigned one, unsigned other);
static void judge_promises(sim_t *sim);
static void judge_balances(sim_t *sim);
static void judge_legs(sim_t *sim, unsigned from, unsigned to);
static void judge_handles(sim_t *sim);
static const char *legs_of(sim_t *sim, unsigned cell, unsigned other,
    const char *side);


/* of: those of $1 as an array; same: those of $2 among them */
static const struct {
    const char  *what;
    const char  *of;
    const char  *same;
} kinds[] = {
#define SIM_KEYS  " AND route = 'POST /v1/payments' AND expires_at > now()"
#define SIM_KIND(what, column, table, more)                                   \
    { what, "SELECT array_agg(" column "::text ORDER BY " column ")::text "   \
      "FROM pay." table " WHERE merchant_id = $1" more,                       \
      "SELECT " column " FROM pay." table " WHERE merchant_id = $1 AND "      \
      column " = ANY ($2::text[])" more " ORDER BY 1" }
    SIM_KIND("key", "key", "idempotency_key", SIM_KEYS),
    SIM_KIND("checkout", "checkout_id", "checkout", ""),
    SIM_KIND("order", "payment_order_id", "payment_order", "")
};


void
sim_judge_cells(sim_t *sim)
{
    unsigned  i, k;

    for (i = 0; i < sim->cells->count; i++) {
        for (k = 0; k < sim->cells->count; k++) {
            if (i < k) {
                judge_ids(sim, i, k);
            }

            if (i != k) {
                judge_legs(sim, i, k);
            }
        }
    }

    judge_promises(sim);
    judge_balances(sim);
    judge_handles(sim);
    sim_cell_enter(sim, 0);
}


static void
judge_ids(sim_t *sim, unsigned one, unsigned other)
{
    int          row;
    size_t       i;
    sim_rows_t   found;
    const char  *ids, *merchant = sim_text(sim, sim->merchant.id);

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        (void) sim_db_ask(sim->dbs[one], kinds[i].of, 1, merchant);
        ids = sim_text(sim, pay_str_of(sim_db_cell(sim->dbs[one], 0, 0)));

        if (*ids == '\0') {
            continue;
        }

        found = sim_db_ask(sim->dbs[other], kinds[i].same, 2, merchant, ids);

        for (row = 0; row < found.rows; row++) {
            sim_violation(sim, "I12: %s %s is in the cells %s and %s",
                          kinds[i].what,
                          sim_db_cell(sim->dbs[other], row, 0),
                          sim_cell_name(one), sim_cell_name(other));
        }
    }
}


/* What was answered 2xx is there, in one cell, with all of its orders. */
static void
judge_promises(sim_t *sim)
{
    int                rows;
    unsigned           i, places;
    const sim_post_t  *post;

    for (post = sim->posts; post != NULL; post = post->next) {
        places = 0;

        for (i = 0; i < sim->cells->count; i++) {
            rows = sim_db_ask(sim->dbs[i], "SELECT FROM pay.payment_order "
                "WHERE merchant_id = $1 AND checkout_id = $2", 2,
                sim_text(sim, sim->merchant.id),
                sim_text(sim, post->checkout_id)).rows;
            places += rows == (int) post->order_count;

            if (rows != 0 && post->accepted) {
                sim->figures.begun_old += i == sim->cells->home;
                sim->figures.begun_new += i != sim->cells->home;
            }
        }

        if (post->accepted && places != 1) {
            sim_violation(sim, "I12: %.*s was accepted and is in %u cells",
                          pay_fmt(post->checkout_id), places);
        }
    }
}


/* A transfer leaves one cell and comes to the other: over both it is nothing,
 * and wallets are what was earned. */
static void
judge_balances(sim_t *sim)
{
    int64_t   owed = 0, earned = 0, transit = 0;
    unsigned  i;

    for (i = 0; i < sim->cells->count; i++) {
        (void) sim_db_ask(sim->dbs[i], "SELECT (SELECT coalesce(sum("
            "available_minor + pending_minor + reserved_minor), 0) FROM "
            "pay.wallet WHERE merchant_id = $1), coalesce(-sum("
            "l.amount_minor) FILTER (WHERE l.account LIKE 'seller%' AND "
            "l.kind NOT LIKE 'carried%'), 0), coalesce(sum(l.amount_minor) "
            "FILTER (WHERE l.account = 'cell_transfer'), 0) FROM "
            "pay.journal_line l WHERE l.merchant_id = $1", 1,
            sim_text(sim, sim->merchant.id));
        owed += strtoll(sim_db_cell(sim->dbs[i], 0, 0), NULL, 10);
        earned += strtoll(sim_db_cell(sim->dbs[i], 0, 1), NULL, 10);
        transit += strtoll(sim_db_cell(sim->dbs[i], 0, 2), NULL, 10);
    }

    if (owed != earned || transit != 0) {
        sim_violation(sim, "I12: sellers are owed %" PRId64 " in all cells and "
                      "have earned %" PRId64 "; %" PRId64 " is on its way",
                      owed, earned, transit);
    }
}


/* No mover is at work any more, so no leg is open. */
static void
judge_legs(sim_t *sim, unsigned from, unsigned to)
{
    const char  *out = legs_of(sim, from, to, "out");
    const char  *in = legs_of(sim, to, from, "in");

    if (strcmp(out, in) != 0) {
        sim_violation(sim, "I12: %s has carried [%s] to %s, which has [%s]",
                      sim_cell_name(from), out, sim_cell_name(to), in);
    }
}


static const char *
legs_of(sim_t *sim, unsigned cell, unsigned other, const char *side)
{
    (void) sim_db_ask(sim->dbs[cell], "SELECT coalesce(string_agg(concat_ws("
        "' ', transfer_id, seller_account, currency, minor, CASE WHEN "
        "ended_at IS NULL THEN 'open' END), ', ' ORDER BY transfer_id), '') "
        "FROM pay.cell_transfer WHERE merchant_id = $1 AND cell = $2 AND "
        "side = $3", 3, sim_text(sim, sim->merchant.id),
        sim_cell_name(other), side);

    return sim_text(sim, pay_str_of(sim_db_cell(sim->dbs[cell], 0, 0)));
}


/* A buyer's address leads to the cell with the checkout. */
static void
judge_handles(sim_t *sim)
{
    int          row;
    unsigned     i, cell;
    sim_rows_t   found;
    const char  *handle;

    for (i = 0; i < sim->cells->count; i++) {
        found = sim_db_ask(sim->dbs[i], "SELECT handle FROM pay.checkout "
            "WHERE merchant_id = $1 ORDER BY 1", 1,
            sim_text(sim, sim->merchant.id));

        for (row = 0; row < found.rows; row++) {
            handle = sim_db_cell(sim->dbs[i], row, 0);

            if (!sim_handle_cell(sim, pay_str_of(handle), &cell)
                || cell != i)
            {
                sim_violation(sim, "I12: the handle %s is of the cell %s and "
                              "names another one", handle, sim_cell_name(i));
            }
        }
    }
}

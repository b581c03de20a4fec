/*
 * Fees that the merchant keeps of sales: in two of three scenarios it has a
 * commission with VAT, another one by card, and in one of them the storefront
 * gives the fee of some orders itself.  The check order_fee judges them, and
 * step.c the wallets that they move.  Nothing is drawn here, so that histories
 * stay as they are.
 */

#include "cells.h"


enum { FEE_NONE, FEE_COMMISSION, FEE_GIVEN, FEE_KINDS };

#define FEE_PART  10            /* a given fee: this part of the order */
#define FEE_CARD  3             /* each third amount is paid by card */


static void plan_terms(sim_t *sim);

static const char  *const returns[] = { "proportional", "all", "none" };


void
sim_fee_plan(sim_t *sim)
{
    unsigned  i;

    if (sim->scenario % FEE_KINDS == FEE_NONE) {
        return;
    }

    for (i = 0; i < sim_cell_count(sim); i++) {
        sim_cell_enter(sim, i);
        plan_terms(sim);
    }

    sim_cell_enter(sim, 0);
}


static void
plan_terms(sim_t *sim)
{
    (void) sim_db_ask(sim->db, "SELECT pay_ops.set_fee_policy($1, $2, 19, "
        "'sim', 'fees')", 2, sim_text(sim, sim->merchant.id),
        returns[sim->scenario / FEE_KINDS
                % (sizeof(returns) / sizeof(returns[0]))]);
    (void) sim_db_ask(sim->db, "SELECT pay_ops.set_commission($1, NULL, NULL, "
        "'EUR', 7.7777, 25, 40, 5000, NULL, 'sim', 'fees')", 1,
        sim_text(sim, sim->merchant.id));
    (void) sim_db_ask(sim->db, "SELECT pay_ops.set_commission($1, NULL, NULL, "
        "'EUR', 11.1111, 0, 0, NULL, NULL, 'sim', 'fees', 'card')", 1,
        sim_text(sim, sim->merchant.id));
}


/* Of a checkout's JSON; empty: it has no payment method. */
const char *
sim_fee_method(const sim_t *sim, int64_t minor)
{
    return sim->scenario % FEE_KINDS == FEE_NONE || minor % FEE_CARD != 0
           ? "" : "\"payment_method\":\"card\",";
}


/* Of an order's JSON; empty: the commission counts. */
pay_str_t
sim_fee_member(sim_t *sim, int64_t minor)
{
    int64_t  fee = minor / FEE_PART;

    return sim->scenario % FEE_KINDS != FEE_GIVEN || minor % 2 == 0
           ? PAY_STR("")
           : sim_format(sim, ",\"fee\":\"%d.%02d\"", (int) (fee / 100),
                        (int) (fee % 100));
}

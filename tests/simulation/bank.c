/*
 * What becomes of a model PSP's money without us: refunds that somebody makes
 * in its back office, disputes, fees; and what it tells about money.
 */

#include "sim.h"


static void refund_outside(sim_t *sim, void *data);
static void dispute_opens(sim_t *sim, void *data);
static void dispute_ends(sim_t *sim, void *data);
static pay_str_t fee(sim_t *sim, sim_reg_t *reg, pay_str_t id);
static pay_str_t nonce_too(sim_t *sim, const sim_move_t *move);


/* Money that is there now. */
void
sim_bank_taken(sim_t *sim, sim_reg_t *reg)
{
    pay_str_t  id, cost;

    if (sim_fault(sim, sim->faults.outside)) {
        sim_after(sim, sim_between(sim, 0, 20 * SIM_MIN), refund_outside,
                  reg);
    }

    if (sim_fault(sim, sim->faults.disputed)) {
        sim_after(sim, sim_between(sim, 0, 20 * SIM_MIN), dispute_opens,
                  reg);
    }

    if (sim_chance(sim, 200)) {
        id = sim_format(sim, "fee_%" PRIu64 "_%u", sim->scenario,
                        ++sim->names);
        cost = fee(sim, reg, id);
        sim_hook_tell(sim, reg, "fee.charged", sim_format(sim,
            ",\"id\":\"%.*s\",\"amount\":\"%.*s\",\"currency\":\"EUR\"",
            pay_fmt(id), pay_fmt(cost)), 1);
    }
}


static void
refund_outside(sim_t *sim, void *data)
{
    int64_t      left;
    sim_reg_t   *reg = data;
    sim_move_t  *move;

    left = reg->captured - reg->refunding - reg->refunded - reg->disputed;

    if (left <= 0) {
        return;
    }

    move = sim_money_add(sim, reg, SIM_REFUND, PAY_STR(""),
                         sim_chance(sim, 300) ? left
                                              : sim_between(sim, 1, left));
    reg->refunding += move->minor;

    if (sim_chance(sim, 300)) {
        move->is_slow = 1;
        sim_bank_tell(sim, move, "refund.pending", 1);
        sim_after(sim, sim_between(sim, SIM_S, 30 * SIM_MIN),
                  sim_money_refund_ends, move);
        return;
    }

    sim_money_refund_ends(sim, move);
}


static void
dispute_opens(sim_t *sim, void *data)
{
    int64_t      left;
    sim_reg_t   *reg = data;
    sim_move_t  *move;

    left = reg->captured - reg->refunding - reg->refunded - reg->disputed;

    if (left <= 0) {
        return;
    }

    move = sim_money_add(sim, reg, SIM_DISPUTE, PAY_STR(""),
                         sim_chance(sim, 500) ? left
                                              : sim_between(sim, 1, left));
    reg->disputed += move->minor;
    sim_settle_line(sim, reg, "dispute", move->id, -move->minor);
    sim_bank_tell(sim, move, "dispute.opened", 1);
    sim_after(sim, sim_between(sim, SIM_S, 30 * SIM_MIN), dispute_ends, move);
}


static void
dispute_ends(sim_t *sim, void *data)
{
    sim_move_t  *move = data;

    if (sim_chance(sim, 200)) {
        return;                  /* it takes longer than we look */
    }

    if (sim_chance(sim, 500)) {
        move->state = SIM_MOVE_RETURNED;
        move->reg->disputed -= move->minor;
        sim_settle_line(sim, move->reg, "dispute_returned", move->id,
                        move->minor);
        sim_bank_tell(sim, move, "dispute.won", 1);
        return;
    }

    move->state = SIM_MOVE_DONE;
    sim_bank_tell(sim, move, "dispute.lost", 1);
}


void
sim_bank_capture(sim_t *sim, const sim_move_t *move, int failed)
{
    const sim_reg_t  *reg = move->reg;

    sim_hook_tell(sim, move->reg, failed ? "capture.failed" : "capture.done",
        sim_format(sim, ",\"id\":\"%.*s\"%.*s,\"captured\":\"%s\","
            "\"currency\":\"EUR\"%s", pay_fmt(move->id),
            pay_fmt(nonce_too(sim, move)),
            (const char *) sim_amount(sim, reg->captured).data,
            failed ? ",\"code\":\"no_funds\"" : ""), 1);
}


void
sim_bank_tell(sim_t *sim, const sim_move_t *move, const char *type,
    int must_come)
{
    pay_str_t  cost, more = PAY_STR("");

    if (strcmp(type, "dispute.opened") == 0 || strcmp(type, "refund.done") == 0)
    {
        if (sim_chance(sim, 500)) {
            cost = fee(sim, move->reg, move->id);
            more = sim_format(sim, ",\"fee\":\"%.*s\"", pay_fmt(cost));
        }
    }

    sim_hook_tell(sim, move->reg, type, sim_format(sim,
        ",\"id\":\"%.*s\"%.*s,\"amount\":\"%s\",\"currency\":\"EUR\","
        "\"code\":\"word\"%.*s", pay_fmt(move->id),
        pay_fmt(nonce_too(sim, move)),
        (const char *) sim_amount(sim, move->minor).data, pay_fmt(more)),
        must_come);
}


static pay_str_t
fee(sim_t *sim, sim_reg_t *reg, pay_str_t id)
{
    int64_t  minor = sim_between(sim, 1, 300);

    reg->psp->fees += minor;
    sim_settle_line(sim, reg, "fee", id, -minor);

    return sim_amount(sim, minor);
}


static pay_str_t
nonce_too(sim_t *sim, const sim_move_t *move)
{
    return move->nonce.len == 0 ? PAY_STR("")
           : sim_format(sim, ",\"nonce\":\"%.*s\"", pay_fmt(move->nonce));
}

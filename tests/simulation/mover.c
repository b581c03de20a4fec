/*
 * payctl merchant move: the same calls in the same order as src/cli/merchant.c
 * and merchant_move.c.  It is killed between two of them and called again, at
 * times to take the fence back first, and two of them may be at it.
 */

#include "cells.h"


#define PIECE  "2"             /* balances at a time: few have many */
#define LEGS   5               /* columns of open legs */


typedef struct mover_s  mover_t;

/* The next delay is the step's own: -1, it has ended. */
typedef int64_t (*step_pt)(sim_t *sim, mover_t *mover);

struct mover_s {
    unsigned     from, to;
    int          is_second;              /* it only does what is needed */
    step_pt      step;
    int          has_waited;             /* for what began before its fence */
    const char  *last;                   /* wallet of the last carry_out */
    const char  *legs[LEGS];             /* count, then arrays */
};


static void mover_due(sim_t *sim, void *data);
static int is_killed(sim_t *sim, const mover_t *mover);
static void again(sim_t *sim, mover_t *mover);
static const char *call(sim_t *sim, unsigned cell, const char *sql,
    const char *one, const char *two);
static const char *merchant(sim_t *sim);
static int64_t step_cancel(sim_t *sim, mover_t *mover);
static int64_t step_note(sim_t *sim, mover_t *mover);
static int64_t step_fence(sim_t *sim, mover_t *mover);
static int64_t step_wait(sim_t *sim, mover_t *mover);
static int64_t step_lift(sim_t *sim, mover_t *mover);
static int64_t step_out(sim_t *sim, mover_t *mover);
static int64_t step_open(sim_t *sim, mover_t *mover);
static int64_t step_in(sim_t *sim, mover_t *mover);
static int64_t step_end(sim_t *sim, mover_t *mover);
static int64_t next(sim_t *sim, mover_t *mover, step_pt step);


void
sim_mover_start(sim_t *sim, unsigned from, unsigned to)
{
    mover_t  *mover = sim_alloc(sim, sizeof(mover_t));

    mover->from = from;
    mover->to = to;
    mover->step = step_note;
    mover->is_second = sim->cells->movers != 0;
    sim->cells->movers++;
    sim_after(sim, 0, mover_due, mover);
}


static void
mover_due(sim_t *sim, void *data)
{
    int64_t   delay;
    mover_t  *mover = data;

    if (is_killed(sim, mover)) {
        again(sim, mover);
        return;
    }

    delay = mover->step(sim, mover);

    if (delay < 0) {
        sim_say(sim, "payctl has moved the merchant from %s to %s",
                sim_cell_name(mover->from), sim_cell_name(mover->to));
        sim->figures.moves_done++;
        sim->cells->movers--;
        return;
    }

    sim_after(sim, delay, mover_due, mover);
}


/* A step that has been done and not heard of is killed behind it. */
static int
is_killed(sim_t *sim, const mover_t *mover)
{
    return sim_fault(sim, sim->cells->dies_in)
           || sim_cell_is_away(sim, mover->from)
           || sim_cell_is_away(sim, mover->to);
}


static void
again(sim_t *sim, mover_t *mover)
{
    sim_say(sim, "payctl merchant move is killed");
    sim->figures.movers_killed++;
    mover->step = !mover->is_second && sim_fault(sim, sim->cells->cancels_in)
                  ? step_cancel : step_note;
    sim_after(sim, sim_between(sim, SIM_S, SIM_MIN), mover_due, mover);
}


/* The statement has the merchant as $1. */
static const char *
call(sim_t *sim, unsigned cell, const char *sql, const char *one,
    const char *two)
{
    unsigned     count = 1 + (one != NULL) + (two != NULL);
    const char  *said;

    sim_cell_enter(sim, cell);
    sim_db_clock(sim->db, sim->now + sim->db_off);
    said = sim_db_operate(sim->db, sql, count, merchant(sim), one, two);

    if (said == NULL) {
        sim_violation(sim, "payctl merchant move: %s: %s", sql,
                      sim_db_why(sim->db));
        return "";
    }

    sim_say(sim, "payctl in %s: %s: %s", sim_cell_name(cell), sql, said);

    return said;
}


static const char *
merchant(sim_t *sim)
{
    return sim_text(sim, sim->merchant.id);
}


static int64_t
step_cancel(sim_t *sim, mover_t *mover)
{
    const char  *said;

    said = call(sim, mover->from, "SELECT pay_ops.lift_fence($1, false)",
                NULL, NULL);
    sim->figures.cancelled += strcmp(said, "lifted") == 0;
    mover->step = step_note;

    return sim_between(sim, SIM_S, SIM_MIN);
}


static int64_t
step_note(sim_t *sim, mover_t *mover)
{
    const char  *said;

    said = call(sim, mover->to, "SELECT pay_ops.note_origin($1, $2, 'sim')",
                sim_cell_name(mover->from), NULL);

    if (strcmp(said, "noted") != 0) {
        sim_violation(sim, "note_origin says %s", said);
    }

    return next(sim, mover, step_fence);
}


static int64_t
step_fence(sim_t *sim, mover_t *mover)
{
    unsigned     i;
    const char  *said;

    said = call(sim, mover->from,
                "SELECT pay_ops.fence_merchant($1, $2, 'sim')",
                sim_cell_name(mover->to), NULL);

    if (strcmp(said, "fencing") != 0 && strcmp(said, "moved") != 0) {
        sim_violation(sim, "fence_merchant says %s", said);
    }

    for (i = 0; i < sim->cells->count; i++) {
        sim->figures.holds_fenced += sim->cells->holds[i].count != 0;
    }

    return next(sim, mover, step_wait);
}


/* An operator that is tired of waiting takes the fence back, once.  Somebody
 * else may have taken it back, too. */
static int64_t
step_wait(sim_t *sim, mover_t *mover)
{
    const char  *said;

    said = call(sim, mover->from, "SELECT pay_ops.end_fence($1)", NULL, NULL);

    if (strcmp(said, "waiting") == 0) {
        if (!mover->is_second && !mover->has_waited
            && sim_fault(sim, sim->cells->cancels_in))
        {
            mover->step = step_cancel;
        }

        mover->has_waited = 1;
        return sim_between(sim, 50 * SIM_MS, SIM_S);
    }

    return next(sim, mover, strcmp(said, "moved") == 0 ? step_lift
                                                        : step_note);
}


static int64_t
step_lift(sim_t *sim, mover_t *mover)
{
    (void) call(sim, mover->to, "SELECT pay_ops.lift_fence($1, true)", NULL,
                NULL);

    mover->last = "";

    return next(sim, mover, sim->cells->carries ? step_out : step_open);
}


static int64_t
step_out(sim_t *sim, mover_t *mover)
{
    const char  *said;

    said = call(sim, mover->from, "SELECT carried, coalesce(last, '') FROM "
                "pay_ops.carry_out($1, $2, " PIECE ", 'sim')", mover->last,
                NULL);

    if (*said == '-') {
        sim_violation(sim, "carry_out says %s", said);
    }

    mover->last = sim_text(sim, pay_str_of(sim_db_said(sim->db, 1)));

    return next(sim, mover, step_open);
}


static int64_t
step_open(sim_t *sim, mover_t *mover)
{
    int  i;

    (void) call(sim, mover->from,
        "SELECT count(*), array_agg(transfer_id)::text, "
        "array_agg(seller_account::text)::text, "
        "array_agg(currency::text)::text, array_agg(minor::bigint)::text "
        "FROM (SELECT * FROM pay.cell_transfer WHERE merchant_id = $1 AND "
        "cell = $2 AND side = 'out' AND ended_at IS NULL ORDER BY "
        "transfer_id LIMIT " PIECE ") t", sim_cell_name(mover->to), NULL);

    for (i = 0; i < LEGS; i++) {
        mover->legs[i] = sim_text(sim,
                                  pay_str_of(sim_db_said(sim->db, i)));
    }

    if (strcmp(mover->legs[0], "0") != 0) {
        return next(sim, mover, step_in);
    }

    return *mover->last != '\0' ? next(sim, mover, step_out) : -1;
}


static int64_t
step_in(sim_t *sim, mover_t *mover)
{
    sim_cell_enter(sim, mover->to);
    sim_db_clock(sim->db, sim->now + sim->db_off);

    if (sim_db_operate(sim->db, "SELECT pay_ops.carry_in($1, $2, $3::uuid[], "
                       "$4::text[], $5::text[], $6::bigint[], 'sim')", 6,
                       merchant(sim), sim_cell_name(mover->from),
                       mover->legs[1], mover->legs[2], mover->legs[3],
                       mover->legs[4]) == NULL)
    {
        sim_violation(sim, "carry_in: %s", sim_db_why(sim->db));
    }

    sim_judge_now(sim);

    return next(sim, mover, step_end);
}


static int64_t
step_end(sim_t *sim, mover_t *mover)
{
    const char  *said;

    said = call(sim, mover->from,
                "SELECT pay_ops.end_transfers($2::uuid[]) FROM (SELECT "
                "$1::text) unused", mover->legs[1], NULL);
    sim->figures.carried += strtoull(said, NULL, 10);
    sim_judge_now(sim);

    return next(sim, mover, step_open);
}


static int64_t
next(sim_t *sim, mover_t *mover, step_pt step)
{
    mover->step = step;

    return sim_between(sim, 5 * SIM_MS, sim_chance(sim, 700) ? 100 * SIM_MS
                                                             : 3 * SIM_S);
}

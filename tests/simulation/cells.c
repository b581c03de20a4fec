/*
 * The cells of a scenario and its nodes: which database an operation is for,
 * when a node hears that the merchant moves, and transactions that are open
 * while the fence is set.
 */

#include "cells.h"


#define LATE_MAX    (3 * SIM_MIN)        /* of a node's new configuration */
#define HOLD_MAX    (6 * SIM_S)
#define CALLS_MAX   2                    /* of payctl, behind a move */
#define STALE_MAX   (10 * SIM_MIN)       /* of a node that has missed one */


typedef struct {
    unsigned    worker;
    sim_conf_t  conf;
} reload_t;


static void plan_conf(sim_t *sim, sim_conf_t conf, unsigned cell,
    unsigned from);
static void plan_faults(sim_t *sim);
static void plan_reloads(sim_t *sim, sim_conf_t conf, int64_t within);
static void node_reloads(sim_t *sim, void *data);
static void move_away(sim_t *sim, void *unused);
static void plan_back(sim_t *sim, void *unused);
static void move_back(sim_t *sim, void *unused);
static void move_again(sim_t *sim, void *unused);
static void hold_over(sim_t *sim, void *data);
static void hold_end(sim_t *sim, unsigned cell);


static const struct {
    const char  *name;
    char         letter;
} names[SIM_CELLS] = { { "default", 0 }, { "b", 'b' }, { "c", 'c' } };


int
sim_has_cells(const sim_t *sim)
{
    return sim->cells_in != 0
           && sim->scenario % sim->cells_in == sim->cells_in - 1;
}


/* Behind sim_plan(): its configuration is that of all nodes at first. */
void
sim_cells_plan(sim_t *sim)
{
    unsigned      i;
    sim_cells_t  *cells = sim_alloc(sim, sizeof(sim_cells_t));

    (void) sim_stream(sim, SIM_STREAM_CELLS);
    sim->cells = cells;
    sim->figures.celled++;
    cells->count = 2 + (unsigned) sim_below(sim, SIM_CELLS - 1);
    cells->home = (unsigned) sim_below(sim, cells->count);
    cells->other = (cells->home + 1
                    + (unsigned) sim_below(sim, cells->count - 1))
                   % cells->count;
    cells->carries = sim_chance(sim, 750);
    cells->comes_back = (sim_chance(sim, 400)
                         && !sim_steered(sim, SIM_STEER_FENCE))
                        || sim_steered(sim, SIM_STEER_BACK);

    cells->stale = cells->comes_back
                   && (sim_chance(sim, 500) || sim_steered(sim, SIM_STEER_BACK))
                   ? (unsigned) sim_below(sim, SIM_WORKERS) : SIM_WORKERS;

    for (i = 0; i < SIM_PSPS; i++) {
        sim->psps[i].cell = i == 0 ? cells->home : cells->other;
    }

    plan_conf(sim, SIM_CONF_OLD, cells->home, cells->home);
    plan_conf(sim, SIM_CONF_MOVES, cells->other, cells->home);
    plan_conf(sim, SIM_CONF_BACK, cells->home, cells->other);
    plan_faults(sim);
    plan_reloads(sim, SIM_CONF_MOVES,
                 sim_steered(sim, SIM_STEER_FENCE) ? SIM_S : 30 * SIM_S);
    sim_after(sim, sim_between(sim, 20 * SIM_S, 2 * SIM_MIN), move_away,
              NULL);
    (void) sim_stream(sim, SIM_STREAM_MAIN);
}


static void
plan_conf(sim_t *sim, sim_conf_t conf, unsigned cell, unsigned from)
{
    pay_env_t       *env = &sim->cells->envs[conf];
    pay_merchant_t  *merchant = &sim->cells->merchants[conf];

    *merchant = sim->merchant;
    merchant->cell = cell;
    merchant->from = from;
    merchant->psp_count = conf == SIM_CONF_OLD ? 1 : SIM_PSPS;
    *env = sim->env;
    env->merchants = merchant;
}


static void
plan_faults(sim_t *sim)
{
    unsigned      i;
    sim_away_t   *away;
    sim_cells_t  *cells = sim->cells;

    cells->holds_in = sim_steered(sim, SIM_STEER_FENCE) ? 600
                      : sim_chance(sim, 300) ? 0 : 300;
    cells->forges_in = 300;
    cells->dies_in = sim_chance(sim, 500) || sim_steered(sim, SIM_STEER_FENCE)
                     ? 0 : (unsigned) sim_below(sim, 300);
    cells->cancels_in = sim_chance(sim, 500)
                        || sim_steered(sim, SIM_STEER_FENCE) ? 0 : 300;

    for (i = 0; i < cells->count; i++) {
        if (sim_chance(sim, 150) && !sim_steered(sim, SIM_STEER_FENCE)) {
            away = &cells->away[i];
            away->from = sim->now + sim_between(sim, 0, 2 * SIM_MIN);
            away->until = away->from + sim_between(sim, 0, 2 * SIM_MIN);
        }
    }
}


/* One node after another; at times one is late, or misses the first. */
static void
plan_reloads(sim_t *sim, sim_conf_t conf, int64_t within)
{
    unsigned   i;
    int64_t    latest;
    reload_t  *reload;

    for (i = 0; i < SIM_WORKERS; i++) {
        reload = sim_alloc(sim, sizeof(reload_t));
        reload->worker = i;
        reload->conf = conf;
        latest = sim_chance(sim, 400) && within > SIM_S ? LATE_MAX : within;
        latest = i == sim->cells->stale ? STALE_MAX : latest;

        if (i != sim->cells->stale || conf != SIM_CONF_MOVES) {
            sim_after(sim, sim_between(sim, 0, latest), node_reloads, reload);
        }
    }
}


static void
node_reloads(sim_t *sim, void *data)
{
    const reload_t  *reload = data;

    sim_say(sim, "node %u has configuration %d", reload->worker,
            (int) reload->conf);
    sim->cells->confs[reload->worker] = reload->conf;
}


static void
move_away(sim_t *sim, void *unused)
{
    int64_t       stays;
    sim_cells_t  *cells = sim->cells;

    (void) unused;

    if (cells->is_moving) {
        return;
    }

    cells->is_moving = 1;
    sim_mover_start(sim, cells->home, cells->other);

    /* another operator has not seen it */
    if (sim_chance(sim, 150)) {
        sim_mover_start(sim, cells->home, cells->other);
    }

    stays = LATE_MAX + sim_between(sim, SIM_MIN, 10 * SIM_MIN);
    stays = sim_steered(sim, SIM_STEER_BACK) ? SIM_MIN : stays;
    sim_after(sim, stays, cells->comes_back ? plan_back : move_again, NULL);
}


/* Not all nodes know of it when it begins. */
static void
plan_back(sim_t *sim, void *unused)
{
    (void) unused;

    if (sim->cells->movers != 0) {
        sim_after(sim, SIM_MIN, plan_back, NULL);
        return;
    }

    plan_reloads(sim, SIM_CONF_BACK, SIM_MIN);
    sim_after(sim, sim_between(sim, 0, LATE_MAX), move_back, NULL);
}


static void
move_back(sim_t *sim, void *unused)
{
    (void) unused;
    sim->figures.moves_back++;
    sim->cells->is_back = 1;
    move_again(sim, NULL);
}


/* The command once more, for balances that have become available meanwhile, or
 * debts. */
static void
move_again(sim_t *sim, void *unused)
{
    sim_cells_t  *cells = sim->cells;

    (void) unused;
    sim_mover_start(sim, cells->is_back ? cells->other : cells->home,
                    cells->is_back ? cells->home : cells->other);

    if (cells->calls++ < CALLS_MAX) {
        sim_after(sim, sim_between(sim, SIM_MIN, 40 * SIM_MIN), move_again,
                  NULL);
    }
}


unsigned
sim_cell_count(const sim_t *sim)
{
    return sim->cells != NULL ? sim->cells->count : 1;
}


const char *
sim_cell_name(unsigned cell)
{
    return names[cell].name;
}


void
sim_cell_enter(sim_t *sim, unsigned cell)
{
    sim->cell = cell;
    sim->db = sim->dbs[cell];
}


int
sim_psp_is_here(const sim_t *sim, unsigned psp)
{
    return sim->psps[psp].cell == sim->cell;
}


unsigned
sim_cell_of(sim_t *sim, pay_str_t checkout_id)
{
    unsigned  i;

    for (i = 0; i < sim_cell_count(sim); i++) {
        sim_cell_enter(sim, i);

        if (sim_db_ask(sim->db, "SELECT FROM pay.checkout WHERE merchant_id "
                       "= $1 AND checkout_id = $2", 2,
                       sim_text(sim, sim->merchant.id),
                       sim_text(sim, checkout_id)).rows != 0)
        {
            return i;
        }
    }

    sim_cell_enter(sim, 0);

    return 0;
}


int
sim_cell_is_away(const sim_t *sim, unsigned cell)
{
    const sim_away_t  *away;

    if (sim->cells == NULL || sim->healed) {
        return 0;
    }

    away = &sim->cells->away[cell];

    return sim->now >= away->from && sim->now < away->until;
}


const pay_env_t *
sim_node_env(const sim_t *sim, unsigned worker)
{
    return sim->cells == NULL ? &sim->env
                              : &sim->cells->envs[sim->cells->confs[worker]];
}


int
sim_handle_cell(const sim_t *sim, pay_str_t handle, unsigned *cell)
{
    unsigned  i;

    for (i = 0; i < sim_cell_count(sim); i++) {
        if (names[i].letter == pay_handle_letter(handle)) {
            *cell = i;
            return 1;
        }
    }

    return 0;
}


pay_str_t
sim_handle(sim_t *sim, const unsigned char *entropy, unsigned cell)
{
    unsigned char  *text = sim_alloc(sim, PAY_HANDLE_MAX + 1);

    return (pay_str_t) { pay_handle(entropy, names[cell].letter,
                                    (char *) text), text };
}


pay_str_t
sim_handle_forge(sim_t *sim, pay_str_t handle)
{
    char       had = pay_handle_letter(handle), letter;
    pay_str_t  random = handle;

    if (had != 0) {
        random.data++;
        random.len--;

        if (sim_chance(sim, 300)) {
            return random;
        }
    }

    do {
        letter = (char) ('a' + (int) sim_below(sim, 4));
    } while (letter == had);

    return sim_format(sim, "%c%.*s", letter, pay_fmt(random));
}


int
sim_node_reaches(sim_t *sim, const pay_env_t *env, pay_str_t checkout_id)
{
    unsigned               cell;
    const pay_merchant_t  *merchant = env->merchants;

    if (sim->cells == NULL) {
        return 1;
    }

    cell = sim_cell_of(sim, checkout_id);

    return cell == merchant->cell || cell == merchant->from;
}


/* What is not committed is committed first where others would wait for it; a
 * question about a key does not. */
int
sim_cells_hold(sim_t *sim, sim_call_t **calls, unsigned count)
{
    unsigned     i;
    sim_hold_t  *hold;

    if (sim->cells == NULL) {
        return 0;
    }

    hold = &sim->cells->holds[sim->cell];

    if (hold->count != 0 && calls[0]->op != PAY_OP_EXPLAIN_BEGIN) {
        hold_end(sim, calls[0]->cell);
        sim_cell_enter(sim, calls[0]->cell);
    }

    if (calls[0]->op != PAY_OP_BEGIN_PAYMENT
        || !sim_fault(sim, sim->cells->holds_in))
    {
        return 0;
    }

    sim_say(sim, "cell %u: %u payments are not committed yet", sim->cell,
            count);
    sim->figures.holds_open++;
    memcpy(hold->calls, calls, count * sizeof(sim_call_t *));
    hold->count = count;
    sim_db_hold(sim, calls, count);
    sim_after(sim, sim_between(sim, 10 * SIM_MS, HOLD_MAX), hold_over, hold);

    for (i = 0; i < count; i++) {
        if (sim_chance(sim, 700)) {
            sim_shop_repeats(calls[i]->data, HOLD_MAX);
        }
    }

    /* mostly the move begins beside such a one */
    if (sim->cell == sim->cells->home && sim_chance(sim, 700)) {
        sim_after(sim, 0, move_away, NULL);
    }

    return 1;
}


static void
hold_over(sim_t *sim, void *data)
{
    hold_end(sim, (unsigned) ((sim_hold_t *) data - sim->cells->holds));
}


/* Of a worker that has been killed meanwhile PostgreSQL may not have heard
 * COMMIT. */
static void
hold_end(sim_t *sim, unsigned cell)
{
    int          is_gone;
    unsigned     i, count;
    sim_call_t  *calls[SIM_BATCH_MAX];
    sim_hold_t  *hold = &sim->cells->holds[cell];

    count = hold->count;

    if (count == 0) {
        return;                  /* somebody had to wait for it */
    }

    memcpy(calls, hold->calls, count * sizeof(sim_call_t *));
    hold->count = 0;
    is_gone = calls[0]->life != sim->workers[calls[0]->worker].life
              && sim_chance(sim, 500);
    sim_cell_enter(sim, cell);
    sim_db_end(sim->db, !is_gone);
    sim->dirty |= 1u << cell;

    for (i = 0; i < count && is_gone; i++) {
        calls[i]->result.outcome = PAY_OUTCOME_NONE;
        calls[i]->failure = PAY_DB_ERROR;
    }

    sim_calls_done(sim, calls, count);
}

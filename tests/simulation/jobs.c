/*
 * What workers do without being asked: they claim jobs, look at PSPs' lists
 * of events, and sweep.  The real ones ask all the time; here somebody asks
 * when there is something.
 */

#include "cells.h"


#define LEASE_MS     15000
#define SWEEP_MS     10000
#define BACKFILL_GAP (12 * SIM_MIN)


static void pump_tick(sim_t *sim, void *data);
static void pump(sim_t *sim, unsigned cell);
static void claim(sim_t *sim, unsigned worker, unsigned cell);
static void claimed(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void backfill_due(sim_t *sim, void *data);
static void sweep(sim_t *sim, unsigned cell);
static void swept(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);


void
sim_pump(sim_t *sim)
{
    unsigned  i, dirty = sim->dirty;

    sim->dirty = 0;

    for (i = 0; i < sim_cell_count(sim); i++) {
        if (dirty >> i & 1) {
            pump(sim, i);
        }
    }
}


static void
pump(sim_t *sim, unsigned cell)
{
    int64_t      at;
    sim_due_t   *due = &sim->dues[cell];
    const char  *text = sim_db_due(sim->dbs[cell]);

    if (*text == '\0') {
        due->due = INT64_MAX;
        return;
    }

    at = strtoll(text, NULL, 10) - sim->db_off;

    if (at < sim->now) {
        at = sim->now;
    }

    due->due = at;
    at += sim_between(sim, SIM_MS, SIM_S);

    if (at < due->pump_at) {
        due->pump_at = at;
        sim_at(sim, at, pump_tick, due);
    }
}


static void
pump_tick(sim_t *sim, void *data)
{
    unsigned    i, n, worker, cell;
    sim_due_t  *due = data;

    if (sim->now != due->pump_at) {
        return;                  /* there was an earlier one */
    }

    cell = (unsigned) (due - sim->dues);
    due->pump_at = INT64_MAX;
    sim->dirty |= 1u << cell;

    if (due->due > sim->now) {
        return;                  /* somebody has had it meanwhile */
    }

    n = sim_chance(sim, 750) ? 1 : 2 + (unsigned) sim_below(sim, 2);

    for (i = 0; i < n; i++) {
        if (sim_worker_pick(sim, &worker)
            && sim->now >= sim->workers[worker].paused_until)
        {
            claim(sim, worker, cell);
        }
    }
}


static void
claim(sim_t *sim, unsigned worker, unsigned cell)
{
    sim_call_t           *call = sim_alloc(sim, sizeof(sim_call_t));
    pay_claim_jobs_in_t  *args = sim_alloc(sim, sizeof(*args));

    args->owner = sim->workers[worker].owner;
    args->lease_ms = LEASE_MS;
    call->worker = worker;
    call->cell = cell;
    call->op = PAY_OP_CLAIM_JOBS;
    call->args = args;
    call->done = claimed;
    sim_call(sim, call);
}


/* As start_job() of ngx_payments_worker.c. */
static void
claimed(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    sim_t                      *sim = call->sim;
    sim_flow_t                 *flow;
    const pay_job_row_t        *job;
    const pay_claim_jobs_in_t  *args = call->args;

    (void) failure;

    if (result == NULL || result->outcome != PAY_OUTCOME_JOB) {
        return;
    }

    sim->figures.jobs++;
    flow = sim_flow_new(sim, call->worker, NULL, NULL);
    flow->core.cell = call->cell;

    job = pay_row_job(result);

    if (job == NULL
        || pay_flow_job(&flow->core, job, args->owner) != PAY_OK)
    {
        sim_violation(sim, "a claimed job cannot be read");
        return;
    }

    sim_say(sim, "w%u f%u job %.*s of %.*s, attempts %d", flow->worker,
            flow->number, pay_fmt(job->kind),
            pay_fmt(flow->core.checkout_id), (int) job->attempts);
    sim_flow_start(flow);
}


/* Again and again, until nothing else happens and all that the PSP has told
 * is old enough to be listed. */
void
sim_backfill(sim_t *sim, sim_psp_t *psp)
{
    sim->rounds++;
    sim_after(sim, BACKFILL_GAP + sim_between(sim, 0, SIM_MIN), backfill_due,
              psp);
}


static void
backfill_due(sim_t *sim, void *data)
{
    unsigned      worker;
    sim_psp_t    *psp = data;
    sim_flow_t   *flow;

    sim->rounds--;

    if (!sim->healed || sim->queued[SIM_STREAM_MAIN] > sim->rounds
        || (psp->hooks != NULL
            && psp->hooks->at + 2 * BACKFILL_GAP > sim->now))
    {
        sim_backfill(sim, psp);
    }

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    flow = sim_flow_new(sim, worker, NULL, NULL);
    flow->core.cell = sim->psps[psp->index].cell;

    if (pay_flow_backfill(&flow->core, &sim->psps[psp->index],
                          sim->workers[worker].owner) != PAY_OK)
    {
        sim_die("no backfill flow");
    }

    sim_flow_start(flow);
}


void
sim_sweep(sim_t *sim, void *unused)
{
    unsigned  i;

    (void) unused;

    for (i = 0; i < sim_cell_count(sim); i++) {
        sweep(sim, i);
    }
}


static void
sweep(sim_t *sim, unsigned cell)
{
    unsigned         worker;
    sim_call_t      *call = sim_alloc(sim, sizeof(sim_call_t));
    pay_sweep_in_t  *args = sim_alloc(sim, sizeof(*args));

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    args->owner = sim->workers[worker].owner;
    args->interval_ms = SWEEP_MS;
    args->limits = PAY_STR("{\"registering_s\":900,\"executing_s\":3600,"
                           "\"unknown_s\":900,\"parked_s\":3600}");
    call->worker = worker;
    call->cell = cell;
    call->op = PAY_OP_SWEEP;
    call->args = args;
    call->done = swept;
    sim_call(sim, call);
}


static void
swept(sim_call_t *call, const pay_result_t *result, pay_db_failure_t failure)
{
    sim_t  *sim = call->sim;

    (void) failure;

    if (result != NULL && result->outcome == PAY_OUTCOME_INVALID) {
        sim_violation(sim, "sweep is invalid");
    }
}

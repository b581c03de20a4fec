/*
 * What workers do without being asked: they claim jobs, look at PSPs' lists
 * of events, and sweep.  The real ones ask all the time; here somebody asks
 * when there is something.
 */

#include "sim.h"


#define LEASE_MS     15000
#define SWEEP_MS     10000
#define BACKFILL_GAP (12 * SIM_MIN)


static void pump_tick(sim_t *sim, void *unused);
static void claim(sim_t *sim, unsigned worker);
static void claimed(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void backfill_due(sim_t *sim, void *data);
static void swept(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);


void
sim_pump(sim_t *sim)
{
    int64_t      due;
    const char  *cell;

    if (!sim->dirty) {
        return;
    }

    sim->dirty = 0;
    cell = sim_db_due(sim->db);

    if (*cell == '\0') {
        sim->due = INT64_MAX;
        return;
    }

    due = strtoll(cell, NULL, 10) - sim->db_off;

    if (due < sim->now) {
        due = sim->now;
    }

    sim->due = due;
    due += sim_between(sim, SIM_MS, SIM_S);

    if (due < sim->pump_at) {
        sim->pump_at = due;
        sim_at(sim, due, pump_tick, NULL);
    }
}


static void
pump_tick(sim_t *sim, void *unused)
{
    unsigned  i, n, worker;

    (void) unused;

    if (sim->now != sim->pump_at) {
        return;                  /* there was an earlier one */
    }

    sim->pump_at = INT64_MAX;
    sim->dirty = 1;

    if (sim->due > sim->now) {
        return;                  /* somebody has had it meanwhile */
    }

    n = sim_chance(sim, 750) ? 1 : 2 + (unsigned) sim_below(sim, 2);

    for (i = 0; i < n; i++) {
        if (sim_worker_pick(sim, &worker)
            && sim->now >= sim->workers[worker].paused_until)
        {
            claim(sim, worker);
        }
    }
}


static void
claim(sim_t *sim, unsigned worker)
{
    sim_call_t           *call = sim_alloc(sim, sizeof(sim_call_t));
    pay_claim_jobs_in_t  *args = sim_alloc(sim, sizeof(*args));

    args->owner = sim->workers[worker].owner;
    args->lease_ms = LEASE_MS;
    call->worker = worker;
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
    unsigned         worker;
    sim_call_t      *call = sim_alloc(sim, sizeof(sim_call_t));
    pay_sweep_in_t  *args = sim_alloc(sim, sizeof(*args));

    (void) unused;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    args->owner = sim->workers[worker].owner;
    args->interval_ms = SWEEP_MS;
    args->limits = PAY_STR("{\"registering_s\":900,\"executing_s\":3600,"
                           "\"unknown_s\":900,\"parked_s\":3600}");
    call->worker = worker;
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

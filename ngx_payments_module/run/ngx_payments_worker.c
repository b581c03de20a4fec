/*
 * A worker's life: start and stop of its clients, and the background jobs.
 * Each tick offers the free slots to PostgreSQL; what it claims runs as a
 * flow under a lease, so that any worker of any node goes on after a crash.
 *
 * A slot of jobs:
 *
 *     free ─tick─▶ claim_jobs asked ─▶ none: free
 *      ▲                └▶ a job: its flow runs ─▶ ended ─▶ asked again
 *      └────────────── no more work, or too much ahead ◀─────┘
 */

#include "run/ngx_payments_worker.h"
#include "io/ngx_payments_curl.h"
#include "io/ngx_payments_db.h"
#include "io/ngx_payments_oauth.h"
#include "io/ngx_payments_replica.h"
#include "run/ngx_payments_flow.h"
#include "run/ngx_payments_recall.h"
#include "run/ngx_payments_rounds.h"
#include "shm/ngx_payments_bulkhead.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_count_cell.h"
#include "shm/ngx_payments_health.h"
#include "util/ngx_payments_process.h"
#include "util/ngx_payments_random.h"


#define OWNER_MAX  64
#define SLOTS_MAX  256
#define AHEAD_MAX_MS  1000


/* One job at a time, from the question to its end; `busy` covers both.  A call
 * of an operation needs memory that stays while it is under way, so each slot
 * has its own. */
typedef struct {
    struct jobs_s        *jobs;
    ngx_payments_call_t   call;
    pay_claim_jobs_in_t   args;
    ngx_uint_t            busy;
    ngx_payments_place_t  place;       /* of payments_bulkhead */
} slot_t;

/* The jobs of a cell: it has slots of its own, so that one that answers nothing
 * holds no other's. */
typedef struct jobs_s {
    ngx_uint_t                      cell;
    ngx_event_t                     timer;
    slot_t                         *slots;
} jobs_t;

/* The state of this process; `owner` names the worker to PostgreSQL in
 * leases. */
typedef struct {
    ngx_http_payments_main_conf_t  *pmcf;
    u_char                          owner[OWNER_MAX];
    pay_str_t                       owner_str;
    ngx_uint_t                      up;
} worker_t;


static ngx_int_t start_cells(ngx_cycle_t *cycle,
    ngx_http_payments_main_conf_t *pmcf);
static ngx_int_t name_owner(void);
static ngx_int_t jobs_start(ngx_cycle_t *cycle, ngx_uint_t cell);
static void jobs_handler(ngx_event_t *ev);
static ngx_uint_t is_paced(const jobs_t *jobs);
static ngx_uint_t is_pressed(const jobs_t *jobs);
static ngx_uint_t claims_max(void);
static ngx_int_t claim(slot_t *slot);
static ngx_msec_t next_tick(void);
static void claim_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static ngx_int_t start_job(slot_t *slot, const pay_job_row_t *row);
static ngx_uint_t pays_back(const pay_job_row_t *job);
static void job_ended(void *data);


static worker_t  worker;


/* A helper process of nginx (cache manager) and a configuration without a zone
 * start nothing.  The order is that of use: the breaker and caps first, then
 * the clients, and jobs last. */
ngx_int_t
ngx_payments_init_process(ngx_cycle_t *cycle)
{
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_payments_module);

    worker.pmcf = pmcf;
    ngx_payments_process_start(pmcf);

    if (pmcf == NULL || pmcf->zone == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_payments_cell_stats_init(cycle);

    if (ngx_payments_health_init(cycle) != NGX_OK
        || ngx_payments_bulkhead_init(cycle) != NGX_OK
        || ngx_payments_curl_start(cycle) != NGX_OK
        || ngx_payments_db_start(cycle, &pmcf->cells) != NGX_OK
        || ngx_payments_replica_start(cycle, &pmcf->cells) != NGX_OK
        || start_cells(cycle, pmcf) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "payments: the worker cannot start its clients");
        return NGX_ERROR;
    }

    worker.up = 1;

    return NGX_OK;
}


static ngx_int_t
start_cells(ngx_cycle_t *cycle, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t  i;

    if (name_owner() != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < pmcf->cells.nelts; i++) {
        if (ngx_payments_recall_start(cycle, i) != NGX_OK
            || (pmcf->jobs && jobs_start(cycle, i) != NGX_OK))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Flows that are still under way are given up: their rows are in PostgreSQL,
 * and a job goes on with them when its lease is over. */
void
ngx_payments_exit_process(ngx_cycle_t *cycle)
{
    if (worker.up) {
        ngx_payments_db_stop();
        ngx_payments_curl_stop();
        ngx_payments_oauth_stop();
        ngx_payments_bulkhead_stop();
    }
}


/* Random bytes make the owner's name unique over hosts and restarts, since
 * process ids repeat: a worker must not take a dead one's lease for its own. */
static ngx_int_t
name_owner(void)
{
    u_char  entropy[8], *p;

    if (ngx_payments_random(entropy, sizeof(entropy)) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(worker.owner, "%P-", ngx_pid);
    p = ngx_hex_dump(p, entropy, sizeof(entropy));
    worker.owner_str.data = worker.owner;
    worker.owner_str.len = p - worker.owner;

    return NGX_OK;
}


static ngx_int_t
jobs_start(ngx_cycle_t *cycle, ngx_uint_t cell)
{
    jobs_t      *jobs;
    ngx_uint_t   i;

    jobs = ngx_pcalloc(cycle->pool, sizeof(jobs_t));
    if (jobs == NULL) {
        return NGX_ERROR;
    }

    jobs->cell = cell;
    jobs->slots = ngx_pcalloc(cycle->pool, worker.pmcf->jobs_concurrency
                                           * sizeof(slot_t));
    if (jobs->slots == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < worker.pmcf->jobs_concurrency; i++) {
        jobs->slots[i].jobs = jobs;
    }

    ngx_payments_timer_init(&jobs->timer, jobs_handler, cycle->log);
    jobs->timer.cancelable = 1;
    ngx_add_timer(&jobs->timer, next_tick());

    return ngx_payments_rounds_start(cycle, cell, worker.owner_str);
}


/* A worker that is being stopped claims nothing more; `cancelable` lets it end
 * although the timer is set. */
static void
jobs_handler(ngx_event_t *ev)
{
    jobs_t      *jobs = ngx_queue_data(ev, jobs_t, timer);
    ngx_uint_t   i, n;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    n = is_paced(jobs) ? 0 : claims_max();

    /* work that waits long enough is done all the same */
    if (n > 1 && is_pressed(jobs)) {
        n = 1;
    }

    for (i = 0; i < worker.pmcf->jobs_concurrency && n > 0; i++) {
        if (jobs->slots[i].busy) {
            continue;
        }

        if (claim(&jobs->slots[i]) != NGX_OK) {
            break;
        }

        n--;
    }

    ngx_add_timer(ev, next_tick());
}


/* A job that was claimed waits for its turn at the PSP under its lease: no
 * more are claimed than have their turn soon. */
static ngx_uint_t
is_paced(const jobs_t *jobs)
{
    return ngx_payments_health_ahead(jobs->cell) > AHEAD_MAX_MS;
}


/* Requests come first, since a job can wait and a buyer does not. */
static ngx_uint_t
is_pressed(const jobs_t *jobs)
{
    if (!ngx_payments_bulkhead_is_pressed(jobs->cell)) {
        return 0;
    }

    ngx_payments_count_refused(jobs->cell, NGX_PAYMENTS_WORK_JOB,
                               NGX_PAYMENTS_FULL_PRESSURE);

    return 1;
}


/* The jobs of one tick: as many as psp_rate gives a second, for a slow one. */
static ngx_uint_t
claims_max(void)
{
    ngx_uint_t  rate = worker.pmcf->psp_rate;

    return rate == 0 ? SLOTS_MAX : (rate + 999) / 1000;
}


/* An operation that is not taken by the queue frees the place at once; the
 * next tick asks again. */
static ngx_int_t
claim(slot_t *slot)
{
    if (ngx_payments_bulkhead_enter(&slot->place, slot->jobs->cell,
                                    NGX_PAYMENTS_WORK_JOB, NULL)
        != NGX_OK)
    {
        return NGX_BUSY;
    }

    slot->args.owner = worker.owner_str;
    slot->args.lease_ms = worker.pmcf->env.lease_ms;
    slot->call.cell = slot->jobs->cell;
    slot->call.op = PAY_OP_CLAIM_JOBS;
    slot->call.args = &slot->args;
    slot->call.done = claim_done;
    slot->call.data = slot;
    slot->busy = ngx_payments_db_call(&slot->call) == NGX_OK;

    if (!slot->busy) {
        ngx_payments_bulkhead_leave(&slot->place);
    }

    return slot->busy ? NGX_OK : NGX_BUSY;
}


/* spread, so that workers do not ask in step */
static ngx_msec_t
next_tick(void)
{
    ngx_msec_t  interval = worker.pmcf->jobs_interval;

    return interval + ngx_random() % (interval / 4 + 1);
}


/* No row: no job is due, or the operation failed; both look the same here, and
 * PostgreSQL's failure is counted by ngx_payments_db.c. */
static void
claim_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    slot_t               *slot = call->data;
    const pay_job_row_t  *row;

    row = (result != NULL) ? pay_row_job(result) : NULL;

    if (row == NULL || start_job(slot, row) != NGX_OK) {
        slot->busy = 0;
        ngx_payments_bulkhead_leave(&slot->place);
    }
}


/* A job that is claimed and not started goes to another worker when the lease
 * runs out. */
static ngx_int_t
start_job(slot_t *slot, const pay_job_row_t *row)
{
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(worker.pmcf, slot->jobs->cell);
    if (flow == NULL) {
        return NGX_ERROR;
    }

    if (pay_flow_job(ngx_payments_flow_core(flow), row, worker.owner_str)
        != PAY_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "payments: a claimed job cannot be read");
        ngx_payments_flow_discard(flow);
        return NGX_ERROR;
    }

    if (pays_back(row)) {
        ngx_payments_bulkhead_leave(&slot->place);
    }

    return ngx_payments_flow_start_alone(flow, job_ended, slot);
}


/* Refunds, captures and cancellations take no place of the others.  The place
 * that the claim has entered is left again: money that is to be returned must
 * not wait for a cap (payments_bulkhead). */
static ngx_uint_t
pays_back(const pay_job_row_t *job)
{
    return pay_str_is(job->kind, "refund") || pay_str_is(job->kind, "change");
}


/* Leaving a place that is not held does nothing, so the jobs of pays_back()
 * come here, too. */
static void
job_ended(void *data)
{
    slot_t  *slot = data;

    slot->busy = 0;
    ngx_payments_bulkhead_leave(&slot->place);

    /* where one was, more may wait: a tick for each would be eight a second */
    if (!ngx_exiting && !ngx_quit && !ngx_terminate && !is_paced(slot->jobs)
        && !is_pressed(slot->jobs))
    {
        (void) claim(slot);
    }
}

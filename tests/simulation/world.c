/*
 * Workers: their flows, what the flows' effects do, how long an operation is
 * under way and what is heard of it, crashes and pauses.
 */

#include "cells.h"


static void call_send(sim_t *sim, sim_call_t *call);
static void call_fail(sim_t *sim, sim_call_t *call, pay_db_failure_t failure,
    int64_t delay);
static void call_run(sim_t *sim, void *data);
static unsigned gather(sim_t *sim, sim_call_t *first, sim_call_t **calls);
static void forget(sim_t *sim, sim_call_t *call);
static void call_heard(sim_t *sim, void *data);
static void bury(sim_call_t *call);
static void flow_db_done(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static void flow_begin(sim_t *sim, void *data);
static void flow_do(sim_flow_t *flow);
static void http_do(sim_flow_t *flow);
static int is_on_its_way(const sim_flow_t *flow);
static void worker_up(sim_t *sim, void *data);
static void worker_name(sim_t *sim, sim_worker_t *worker);


void
sim_call(sim_t *sim, sim_call_t *call)
{
    call_send(sim, call);
    sim_payout_step(sim, call->worker, sim_payout_before(call));
    sim_receivers_step(sim, call->worker, call->op);
}


static void
call_send(sim_t *sim, sim_call_t *call)
{
    const sim_faults_t  *faults = &sim->faults;

    call->sim = sim;
    call->life = sim->workers[call->worker].life;

    if (sim_cell_is_away(sim, call->cell)) {
        call_fail(sim, call, PAY_DB_UNAVAILABLE,
                  sim_between(sim, 0, 50 * SIM_MS));
        return;
    }

    if (sim_fault(sim, faults->db_unsent)) {
        call_fail(sim, call, sim_chance(sim, 500) ? PAY_DB_UNAVAILABLE
                                                  : PAY_DB_OVERLOADED,
                  sim_between(sim, 0, 50 * SIM_MS));
        return;
    }

    if (sim_fault(sim, faults->db_error)) {
        call_fail(sim, call, PAY_DB_ERROR, sim_between(sim, 500, 5000));
        return;
    }

    if (sim_fault(sim, faults->db_lost)) {
        call_fail(sim, call, PAY_DB_UNKNOWN,
                  sim_between(sim, 0, 5 * SIM_S));
        return;
    }

    call->waiting = 1;
    call->next = sim->waiting;
    sim->waiting = call;
    sim_after(sim, sim_fault(sim, faults->db_slow)
                   ? sim_between(sim, 0, 4 * SIM_S)
                   : sim_between(sim, 300, 5000), call_run, call);

    /* what is heard may come before what is done */
    if (sim_fault(sim, faults->db_ack_lost)) {
        call->is_lost = 1;
        sim->figures.lost_commits++;
        call_fail(sim, call, PAY_DB_UNKNOWN,
                  sim_between(sim, 1000, 5 * SIM_S));
    }
}


static void
call_fail(sim_t *sim, sim_call_t *call, pay_db_failure_t failure,
    int64_t delay)
{
    call->failure = failure;
    sim_after(sim, delay, call_heard, call);
}


static void
call_run(sim_t *sim, void *data)
{
    unsigned     count;
    sim_call_t  *call = data, *calls[SIM_BATCH_MAX];

    if (!call->waiting) {
        return;                  /* went with another's batch */
    }

    if (call->life != sim->workers[call->worker].life
        && sim_chance(sim, 500))
    {
        forget(sim, call);       /* it was still in the dead worker's queue */
        return;
    }

    count = gather(sim, call, calls);
    sim_cell_enter(sim, call->cell);

    if (sim_cells_hold(sim, calls, count)) {
        return;
    }

    sim_db_run(sim, calls, count, sim_receivers_before(sim, call->op));
    sim_calls_done(sim, calls, count);
}


void
sim_calls_done(sim_t *sim, sim_call_t **calls, unsigned count)
{
    unsigned  i;

    sim_judge_step(sim, calls, count);

    for (i = 0; i < count; i++) {
        sim_say(sim, "w%u   sql %s%s: %s", calls[i]->worker,
                pay_op(calls[i]->op)->name,
                calls[i]->is_lost ? " (its end is not heard)" : "",
                calls[i]->result.outcome != PAY_OUTCOME_NONE
                ? pay_outcome_word(calls[i]->result.outcome) : "no row");

        if (!calls[i]->is_lost) {
            sim_after(sim, sim_fault(sim, sim->faults.db_slow)
                           ? sim_between(sim, 0, 2 * SIM_S)
                           : sim_between(sim, 200, 3000), call_heard,
                      calls[i]);
        }

        if (calls[i]->life == sim->workers[calls[i]->worker].life) {
            sim_payout_step(sim, calls[i]->worker,
                            sim_payout_behind(calls[i]));
            sim_receivers_step(sim, calls[i]->worker, calls[i]->op);
        }

        sim_receivers_behind(sim, calls[i]);
    }
}


/* What is queued at the same worker for the same operation may share one
 * transaction, in any order. */
static unsigned
gather(sim_t *sim, sim_call_t *first, sim_call_t **calls)
{
    int          shares = sim_chance(sim, 400);
    unsigned     i, count = 0;
    sim_call_t  *call, *next;

    forget(sim, first);
    calls[count++] = first;

    for (call = sim->waiting; call != NULL; call = next) {
        next = call->next;

        if (shares && call->op == first->op && call->worker == first->worker
            && call->cell == first->cell && call->life == first->life
            && count < SIM_BATCH_MAX && sim_chance(sim, 800))
        {
            forget(sim, call);
            i = (unsigned) sim_below(sim, count + 1);
            calls[count++] = calls[i];
            calls[i] = call;
        }
    }

    return count;
}


static void
forget(sim_t *sim, sim_call_t *call)
{
    sim_call_t  **link;

    for (link = &sim->waiting; *link != NULL; link = &(*link)->next) {
        if (*link == call) {
            *link = call->next;
            break;
        }
    }

    call->waiting = 0;
}


static void
call_heard(sim_t *sim, void *data)
{
    sim_call_t    *call = data;
    sim_worker_t  *worker = &sim->workers[call->worker];

    if (call->life != worker->life) {
        return;
    }

    if (sim->now < worker->paused_until) {
        sim_at(sim, worker->paused_until + sim_between(sim, 0, 1000),
               call_heard, call);
        return;
    }

    if (call->is_lost) {
        call->done(call, NULL, PAY_DB_UNKNOWN);
        return;
    }

    call->done(call, call->result.outcome != PAY_OUTCOME_NONE
                     ? &call->result : NULL, call->failure);
    bury(call);
}


/* Rows die behind the step, as the gateway's do. */
static void
bury(sim_call_t *call)
{
    size_t         i;
    pay_result_t  *result = &call->result;

    for (i = 0; i < call->cell_count; i++) {
        memset((unsigned char *) call->cells[i].data, 0xdd,
               call->cells[i].len);
    }

    if (result->row != NULL) {
        memset((void *) result->row, 0xdd, result->op->row->size);
    }
}


sim_flow_t *
sim_flow_new(sim_t *sim, unsigned worker, sim_reply_pt replied, void *data)
{
    sim_flow_t  *flow = sim_alloc(sim, sizeof(sim_flow_t));

    flow->heap = pay_heap_create();
    flow->args = pay_heap_create();
    if (flow->heap == NULL || flow->args == NULL) {
        sim_die("out of memory");
    }

    flow->sim = sim;
    flow->number = ++sim->flow_count;
    flow->worker = worker;
    flow->life = sim->workers[worker].life;
    flow->replied = replied;
    flow->data = data;
    flow->core.arena = pay_heap_arena(flow->heap);
    flow->core.args = pay_heap_arena(flow->args);
    flow->core.env = sim_node_env(sim, worker);
    flow->core.cell = flow->core.env->merchants->cell;
    flow->core.request_id = sim_format(sim, "r%u", flow->number);
    flow->next = sim->flows;
    sim->flows = flow;

    return flow;
}


void
sim_flow_start(sim_flow_t *flow)
{
    sim_after(flow->sim, 0, flow_begin, flow);
}


static void
flow_begin(sim_t *sim, void *data)
{
    sim_flow_t    *flow = data;
    pay_input_t    input = { .kind = PAY_INPUT_START };
    sim_worker_t  *worker = &sim->workers[flow->worker];

    if (flow->life == worker->life && sim->now < worker->paused_until) {
        sim_at(sim, worker->paused_until + sim_between(sim, 0, 1000),
               flow_begin, flow);
        return;
    }

    sim_flow_event(flow, &input);
}


void
sim_flow_event(sim_flow_t *flow, pay_input_t *input)
{
    sim_t       *sim = flow->sim;
    pay_heap_t  *scratch;

    if (flow->life != sim->workers[flow->worker].life || flow->ended) {
        return;
    }

    if (input->kind == PAY_INPUT_ROW && !flow->core.keeps_args
        && !is_on_its_way(flow))
    {
        pay_heap_destroy(flow->args);
        flow->args = pay_heap_create();
    }

    if (input->kind != PAY_INPUT_START) {
        flow->core.keeps_args = 0;
    }

    scratch = pay_heap_create();
    if (scratch == NULL || flow->args == NULL) {
        sim_die("out of memory");
    }

    flow->core.args = pay_heap_arena(flow->args);
    flow->core.scratch = pay_heap_arena(scratch);
    input->now_s = sim_worker_now_s(sim, flow->worker);

    if (sim->risk != NULL) {
        sim_risk_heard(flow, input);
    }

    pay_flow_run(&flow->core, input, &flow->effect);
    sim_cell_enter(sim, flow->core.cell);

    if (flow->effect.uncounts != NULL) {
        sim_risk_take(flow);
    }

    if (flow->effect.reply != NULL) {
        sim_say(sim, "w%u f%u %s answers %u %s", flow->worker, flow->number,
                flow->core.type->name, flow->effect.reply->status,
                flow->core.outcome ? flow->core.outcome : "");
        sim_judge_reply(flow, flow->effect.reply);

        if (flow->replied != NULL) {
            flow->replied(flow, flow->effect.reply);
        }
    }

    flow_do(flow);
    flow->core.scratch = NULL;
    pay_heap_destroy(scratch);
}


/* A call whose end was lost may be heard as UNKNOWN before PostgreSQL runs it:
 * its arguments are read then. */
static int
is_on_its_way(const sim_flow_t *flow)
{
    sim_call_t  *call;

    for (call = flow->sim->waiting; call != NULL; call = call->next) {
        if (call->data == flow) {
            return 1;
        }
    }

    return 0;
}


static void
flow_do(sim_flow_t *flow)
{
    sim_t       *sim = flow->sim;
    sim_call_t  *call;

    switch (flow->effect.kind) {

    case PAY_DO_DB:
        call = sim_alloc(sim, sizeof(sim_call_t));
        call->worker = flow->worker;
        call->cell = flow->core.cell;
        call->op = flow->effect.op;
        call->args = flow->effect.args;
        call->done = flow_db_done;
        call->data = flow;
        sim_say(sim, "w%u f%u %s %.*s: %s", flow->worker, flow->number,
                flow->core.type->name, pay_fmt(flow->core.checkout_id),
                pay_op(call->op)->name);
        sim_call(sim, call);
        return;

    case PAY_DO_HTTP:
        http_do(flow);
        return;

    case PAY_DO_RATES:
        sim_rates_get(flow);
        return;

    case PAY_DO_FILE:
        sim_file_do(flow);
        return;

    case PAY_DO_COUNT:
        sim_risk_count(flow);
        return;

    default:
        flow->ended = 1;
        sim_say(sim, "w%u f%u %s ends: %s", flow->worker, flow->number,
                flow->core.type->name,
                flow->core.outcome ? flow->core.outcome : "none");

        if (flow->core.outcome != NULL
            && strcmp(flow->core.outcome, "internal-error") == 0
            && flow->effect.reply == NULL)
        {
            sim_violation(sim, "flow %s ends by a bug", flow->core.type->name);
        }
    }
}


static void
http_do(sim_flow_t *flow)
{
    sim_t  *sim = flow->sim;

    if (flow->effect.call == PAY_CALL_DELIVERY) {
        sim_letter_send(flow);
        return;
    }

    if (flow->effect.call == PAY_CALL_RISK) {
        sim_provider_send(flow);
        return;
    }

    if (flow->effect.payout == NULL) {
        sim_send(flow);
        return;
    }

    sim_payout_step(sim, flow->worker, SIM_STEP_CALLS);

    if (flow->life == sim->workers[flow->worker].life) {
        sim_send(flow);
        sim_payout_step(sim, flow->worker, SIM_STEP_CALLED);
    }
}


static void
flow_db_done(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    pay_input_t  input = { .kind = PAY_INPUT_ROW };

    if (result != NULL) {
        input.result = *result;

    } else {
        input.kind = PAY_INPUT_DB_FAILED;
        input.db_failure = failure;
    }

    sim_flow_event(call->data, &input);
}


int
sim_worker_pick(sim_t *sim, unsigned *worker)
{
    unsigned  i, n = (unsigned) sim_below(sim, SIM_WORKERS);

    for (i = 0; i < SIM_WORKERS; i++) {
        *worker = (n + i) % SIM_WORKERS;

        if (sim->workers[*worker].up) {
            return 1;
        }
    }

    return 0;
}


int64_t
sim_worker_now_s(sim_t *sim, unsigned worker)
{
    return (sim->now + sim->workers[worker].clock_off) / SIM_S;
}


/* kill -9: its flows are gone, what it has sent goes on. */
void
sim_worker_kill(sim_t *sim, void *data)
{
    sim_worker_t  *worker = data;

    if (sim->healed || !worker->up) {
        return;
    }

    sim_say(sim, "worker %d is killed", (int) (worker - sim->workers));
    sim->figures.crashes++;
    worker->up = 0;
    worker->life++;
    worker->paused_until = 0;
    sim_after(sim, sim_between(sim, 50 * SIM_MS, 20 * SIM_S), worker_up,
              worker);
}


static void
worker_up(sim_t *sim, void *data)
{
    sim_worker_t  *worker = data;

    if (!worker->up) {
        worker->up = 1;
        worker_name(sim, worker);
    }
}


static void
worker_name(sim_t *sim, sim_worker_t *worker)
{
    worker->owner = sim_format(sim, "w%d-%u", (int) (worker - sim->workers),
                               worker->life);
}


/* SIGSTOP, and SIGCONT later */
void
sim_worker_pause(sim_t *sim, void *data)
{
    sim_worker_t  *worker = data;

    if (sim->healed || !worker->up || sim->now < worker->paused_until) {
        return;
    }

    sim->figures.pauses++;
    worker->paused_until = sim->now + sim_between(sim, SIM_S, SIM_PAUSE_MAX);
    sim_say(sim, "worker %d stops for %d s", (int) (worker - sim->workers),
            (int) ((worker->paused_until - sim->now) / SIM_S));
}


/* From here on nothing breaks any more. */
void
sim_heal(sim_t *sim, void *unused)
{
    unsigned  i;

    (void) unused;
    sim_say(sim, "the faults are over");
    sim->healed = 1;

    for (i = 0; i < SIM_WORKERS; i++) {
        worker_up(sim, &sim->workers[i]);
        sim->workers[i].clock_off = 0;
        sim->books[i % SIM_PSPS].down_until = 0;
    }

    sim_hook_again(sim);
}

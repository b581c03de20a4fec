/*
 * The log grows: workers publish what commits have left, at times while another
 * one publishes or a commit is under way, and a reader follows the log as a
 * relay to a broker does: it reads behind its mark, hands on, and marks.
 */

#include "receivers.h"


#define READ_MAX  20                   /* messages at once */


static int may_be_held(pay_op_id_t op);
static void publish_due(sim_t *sim, void *unused);
static void publish(sim_t *sim);
static void published(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static int64_t most(sim_t *sim);
static void reader_due(sim_t *sim, void *unused);
static void hand_on(sim_t *sim, int row);


static const pay_op_id_t  steps[] = {
    PAY_OP_PUBLISH_EVENTS, PAY_OP_BEGIN_DELIVERY, PAY_OP_END_DELIVERY
};


void
sim_receivers_step(sim_t *sim, unsigned worker, pay_op_id_t op)
{
    size_t        i;
    sim_stream_t  before;

    if (sim->receivers == NULL || !sim->workers[worker].up) {
        return;
    }

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i] == op && sim_fault(sim, sim->receivers->dies)) {
            before = sim_stream(sim, SIM_STREAM_RECEIVERS);
            sim->figures.letter_crashes++;
            sim_worker_kill(sim, &sim->workers[worker]);
            (void) sim_stream(sim, before);
        }
    }
}


/* A commit is held where it may leave a row in an outbox, and no lock that a
 * publisher waits for: a sweep may make partitions. */
sim_run_t
sim_receivers_before(sim_t *sim, pay_op_id_t op)
{
    sim_run_t         how = SIM_RUN_WHOLE;
    sim_stream_t      before;
    sim_receivers_t  *receivers = sim->receivers;

    if (receivers == NULL) {
        return SIM_RUN_WHOLE;
    }

    before = sim_stream(sim, SIM_STREAM_RECEIVERS);

    if (may_be_held(op) && sim_fault(sim, receivers->holds)) {
        how = SIM_RUN_HELD;
        sim->figures.held++;

    } else if (before == SIM_STREAM_RECEIVERS
               && sim_fault(sim, receivers->tears))
    {
        how = SIM_RUN_TORN;
        sim->figures.torn++;
    }

    (void) sim_stream(sim, before);

    return how;
}


static int
may_be_held(pay_op_id_t op)
{
    size_t  i;

    static const pay_op_id_t  words[] = {
        PAY_OP_BEGIN_PAYMENT, PAY_OP_STORE_TOKEN, PAY_OP_STORE_NO_TOKEN,
        PAY_OP_APPLY_EVENT, PAY_OP_BEGIN_CHANGE, PAY_OP_APPLY_CHANGE,
        PAY_OP_FINISH_JOB, PAY_OP_END_DISPATCH, PAY_OP_END_PAYOUT_CALL,
        PAY_OP_TELL_PAYOUT_EVENT, PAY_OP_PUBLISH_EVENTS
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i] == op) {
            return 1;
        }
    }

    return 0;
}


void
sim_receivers_beside(sim_t *sim)
{
    sim_stream_t  before = sim_stream(sim, SIM_STREAM_RECEIVERS);

    sim_say(sim, "   beside it, events are published: %s", sim_db_beside(
        sim->db, "SELECT p.outcome FROM pay_api.publish_events(ARRAY['beside'"
        "], ARRAY[$1::text::bigint]) p", 1,
        (const char *) sim_format(sim, "%" PRId64, most(sim)).data));
    sim->figures.published++;

    if (sim_chance(sim, 500)) {
        sim_reader_reads(sim, NULL);
    }

    sim_deliver_soon(sim, sim->now);
    (void) sim_stream(sim, before);
}


void
sim_receivers_behind(sim_t *sim, const sim_call_t *call)
{
    sim_stream_t                  before;
    const pay_end_delivery_in_t  *end = call->args;

    if (sim->receivers == NULL
        || call->result.outcome == PAY_OUTCOME_NONE)
    {
        return;
    }

    before = sim_stream(sim, SIM_STREAM_RECEIVERS);

    if (before == SIM_STREAM_MAIN) {
        sim_publish_soon(sim);

    } else if (call->op == PAY_OP_PUBLISH_EVENTS) {
        sim_deliver_soon(sim, sim->now);

    } else if (call->op == PAY_OP_END_DELIVERY
               && call->result.outcome == PAY_OUTCOME_STORED
               && pay_str_is(end->outcome, "gone"))
    {
        sim_receiver_gone(sim, end->endpoint_id);
    }

    (void) sim_stream(sim, before);
}


/* Real workers look all the time; here one looks behind what may have left
 * something. */
void
sim_publish_soon(sim_t *sim)
{
    sim_receivers_t  *receivers = sim->receivers;

    if (!receivers->publishes) {
        receivers->publishes = 1;
        sim_after(sim, sim_between(sim, 20 * SIM_MS, sim_chance(sim, 950)
                                   ? 20 * SIM_S : 5 * SIM_MIN), publish_due,
                  NULL);
    }
}


static void
publish_due(sim_t *sim, void *unused)
{
    (void) unused;
    sim->receivers->publishes = 0;
    publish(sim);

    if (sim_chance(sim, 150)) {
        publish(sim);
    }
}


static void
publish(sim_t *sim)
{
    unsigned                 worker;
    sim_call_t              *call;
    pay_publish_events_in_t *args;

    if (!sim_worker_pick(sim, &worker)
        || sim->now < sim->workers[worker].paused_until)
    {
        sim_publish_soon(sim);
        return;
    }

    call = sim_alloc(sim, sizeof(sim_call_t));
    args = sim_alloc(sim, sizeof(*args));
    args->owner = sim->workers[worker].owner;
    args->most = most(sim);
    call->worker = worker;
    call->op = PAY_OP_PUBLISH_EVENTS;
    call->args = args;
    call->done = published;
    sim->figures.published++;
    sim_call(sim, call);
}


/* Unheard, it may have told nothing. */
static void
published(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    (void) failure;

    if (result == NULL || result->outcome == PAY_OUTCOME_AGAIN) {
        sim_publish_soon(call->sim);
    }
}


static int64_t
most(sim_t *sim)
{
    return sim_chance(sim, 500) ? 1000 : sim_between(sim, 1, 4);
}


void
sim_reader_plan(sim_t *sim)
{
    (void) sim_db_ask(sim->db, "INSERT INTO pay.message_reader (name, "
        "position) SELECT 'relay', p.position FROM pay.message_place p "
        "RETURNING name", 0);
    sim_after(sim, sim_between(sim, 0, SIM_MIN), reader_due, NULL);
}


static void
reader_due(sim_t *sim, void *unused)
{
    (void) unused;
    sim_reader_reads(sim, NULL);

    if (!sim->healed) {
        sim_after(sim, sim_between(sim, SIM_S, 4 * SIM_MIN), reader_due,
                  NULL);
    }
}


/* It marks behind what the broker has taken; killed before, it begins there
 * again. */
void
sim_reader_reads(sim_t *sim, void *unused)
{
    int          i, count;
    sim_rows_t   found;
    const char  *last;

    (void) unused;
    found = sim_db_ask(sim->db, "SELECT m.position, m.message_id, m.body FROM "
        "pay.message m JOIN pay.message_reader r ON r.name = 'relay' AND "
        "m.position > r.position ORDER BY m.position LIMIT $1::text::int", 1,
        (const char *) sim_format(sim, "%d", READ_MAX).data);
    count = sim_chance(sim, 200) ? (int) sim_below(sim, (uint64_t) found.rows
                                                        + 1)
                                 : found.rows;

    for (i = 0; i < count; i++) {
        hand_on(sim, i);
    }

    if (count == 0 || sim_fault(sim, 250)) {
        return;
    }

    last = sim_text(sim, pay_str_of(sim_db_cell(sim->db, count - 1, 0)));
    (void) sim_db_ask(sim->db, "UPDATE pay.message_reader SET position = "
        "$1::text::bigint WHERE name = 'relay' RETURNING name", 1, last);
}


static void
hand_on(sim_t *sim, int row)
{
    sim_heard_t  *heard = sim_alloc(sim, sizeof(sim_heard_t));

    heard->id = sim_dup(sim, pay_str_of(sim_db_cell(sim->db, row, 1)));
    heard->body = sim_dup(sim, pay_str_of(sim_db_cell(sim->db, row, 2)));
    heard->is_again = sim_heard_find(sim->receivers->read, heard->id) != NULL;
    sim->figures.read++;
    sim->figures.reread += (unsigned) heard->is_again;
    heard->next = sim->receivers->read;
    sim->receivers->read = heard;
}

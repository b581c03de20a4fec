/*
 * Workers deliver: they ask for deliveries that are due, and post them to
 * receivers over a network that loses, delays, cuts and doubles.
 */

#include "../answer.h"
#include "receivers.h"


#define LEASE_MS  60000
#define DEADLINE  (15 * SIM_S)
#define STEPS_MAX 2000                 /* looks when all else is quiet */
#define IDLE_MAX  1000                 /* all workers pause no longer */
#define NEVER     INT64_MAX

/* A question for a delivery. */
typedef struct {
    pay_begin_delivery_in_t  in;       /* the first member */
    int64_t                  at;
} question_t;


static void deliver_due(sim_t *sim, void *unused);
static int64_t next_due(sim_t *sim);
static void ask(sim_t *sim, unsigned worker);
static void begun(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static sim_letter_t *letter_of(sim_flow_t *flow);
static void letter_arrives(sim_t *sim, void *data);
static void double_it(sim_t *sim, const sim_letter_t *letter);
static void letter_fails(sim_t *sim, void *data);
static void no_answer(sim_letter_t *letter, pay_sent_t how, pay_reach_t reach,
    pay_failure_t why);
static void letter_heard(sim_t *sim, void *data);


void
sim_deliver_soon(sim_t *sim, int64_t at)
{
    sim_receivers_t  *receivers = sim->receivers;

    at += sim_between(sim, 20 * SIM_MS, 900 * SIM_MS);

    if (at < receivers->deliver_at) {
        receivers->deliver_at = at;
        sim_at(sim, at, deliver_due, NULL);
    }
}


/* Real workers ask all the time; here one asks when something is due, for a
 * few, and at times another one, too. */
static void
deliver_due(sim_t *sim, void *unused)
{
    int64_t           due;
    unsigned          i, n, worker;
    sim_receivers_t  *receivers = sim->receivers;

    (void) unused;

    if (sim->now < receivers->deliver_at) {
        return;                  /* there was an earlier one */
    }

    receivers->deliver_at = NEVER;
    due = next_due(sim);

    if (due == NEVER) {
        return;
    }

    if (sim->healed && due <= sim->now && ++receivers->idle > IDLE_MAX) {
        sim_violation(sim, "I10: a delivery is due, and no worker gets it");
        receivers->is_stuck = 1;
        return;
    }

    n = due > sim->now ? 0 : 1 + (unsigned) sim_below(sim, 4);

    for (i = 0; i < n; i++) {
        if ((i == 0 || sim_chance(sim, 300)) && !sim_worker_pick(sim, &worker))
        {
            break;
        }

        if (sim->now >= sim->workers[worker].paused_until) {
            ask(sim, worker);
        }
    }

    sim_deliver_soon(sim, due > sim->now ? due : sim->now);
}


/* By the simulator's clock; NEVER: nothing is under way. */
static int64_t
next_due(sim_t *sim)
{
    sim_rows_t  found;

    if (sim->receivers->is_stuck) {
        return NEVER;
    }

    found = sim_db_ask(sim->db, "SELECT (extract(epoch FROM greatest("
        "w.look_at, d.run_at)) * 1000000)::bigint FROM pay.webhook_endpoint w "
        "CROSS JOIN LATERAL (SELECT x.run_at FROM pay.webhook_delivery x WHERE "
        "x.endpoint_id = w.endpoint_id AND x.merchant_id = w.merchant_id AND "
        "x.state = 'due' ORDER BY CASE WHEN w.is_ordered THEN x.position END, "
        "x.run_at LIMIT 1) d WHERE w.merchant_id = $1 AND w.state = 'enabled' "
        "ORDER BY 1 LIMIT 1", 1, sim_text(sim, sim->merchant.id));

    return found.rows == 0 ? NEVER
           : strtoll(sim_db_cell(sim->db, 0, 0), NULL, 10) - sim->db_off;
}


static void
ask(sim_t *sim, unsigned worker)
{
    sim_call_t  *call = sim_alloc(sim, sizeof(sim_call_t));
    question_t  *question = sim_alloc(sim, sizeof(question_t));

    question->in.owner = sim->workers[worker].owner;
    question->in.lease_ms = LEASE_MS;
    question->at = sim->now;
    call->worker = worker;
    call->op = PAY_OP_BEGIN_DELIVERY;
    call->args = question;
    call->done = begun;
    sim_call(sim, call);
}


/* As ngx_payments_deliveries.c. */
static void
begun(sim_call_t *call, const pay_result_t *result, pay_db_failure_t failure)
{
    sim_t                     *sim = call->sim;
    sim_flow_t                *flow;
    sim_letter_t              *letter;
    const question_t          *question = call->args;
    const pay_delivery_row_t  *row;

    (void) failure;

    if (result == NULL || result->outcome != PAY_OUTCOME_DUE) {
        return;
    }

    sim->receivers->idle = 0;
    letter = sim_alloc(sim, sizeof(sim_letter_t));
    letter->asked_at = question->at;
    letter->begun_at = sim->now;
    flow = sim_flow_new(sim, call->worker, NULL, letter);
    letter->flow = flow;

    row = pay_row_delivery(result);

    if (row == NULL || pay_flow_delivery(&flow->core, row) != PAY_OK) {
        sim_violation(sim, "a delivery cannot be read");
        return;
    }

    letter->endpoint = sim_endpoint_find(sim, row->url);
    sim_flow_start(flow);
}


void
sim_letter_send(sim_flow_t *flow)
{
    sim_t               *sim = flow->sim;
    sim_letter_t        *letter = letter_of(flow);
    const sim_faults_t  *faults = &sim->faults;

    sim->figures.letters++;
    sim_say(sim, "w%u f%u delivery to %.*s", flow->worker, flow->number,
            pay_fmt(letter->endpoint->id));

    if (sim_fault(sim, faults->net_refused)
        || (sim_receiver_is_down(sim, letter->endpoint)
            && letter->endpoint->down == SIM_DOWN_REFUSES))
    {
        no_answer(letter, PAY_SENT_NOTHING,
                  (pay_reach_t) sim_below(sim, PAY_REACH_TLS + 1),
                  PAY_FAILURE_CONNECT);
        sim_after(sim, sim_between(sim, SIM_MS, 2 * SIM_S), letter_heard,
                  letter);
        return;
    }

    /* said unless an answer is there before */
    sim_after(sim, DEADLINE, letter_fails, letter);

    if (sim_fault(sim, faults->net_lost)) {
        return;
    }

    sim_after(sim, sim_fault(sim, faults->net_late)
                   ? DEADLINE + sim_between(sim, 0, SIM_LATE_MAX)
                   : sim_between(sim, 5 * SIM_MS, 80 * SIM_MS),
              letter_arrives, letter);
}


static sim_letter_t *
letter_of(sim_flow_t *flow)
{
    sim_t                     *sim = flow->sim;
    unsigned                   count;
    sim_letter_t              *letter = flow->data;
    const pay_http_request_t  *http = &flow->effect.http;

    letter->id = sim_dup(sim, request_field(http, "webhook-id", &count));
    letter->timestamp = sim_dup(sim, request_field(http, "webhook-timestamp",
                                                   &count));
    letter->signature = sim_dup(sim, request_field(http, "webhook-signature",
                                                   &count));
    letter->body = sim_dup(sim, http->body);

    if (!pay_str_eq(http->url, letter->endpoint->url)
        || !pay_str_is(http->method, "POST"))
    {
        sim_violation(sim, "I10: a delivery goes elsewhere");
    }

    return letter;
}


static void
letter_arrives(sim_t *sim, void *data)
{
    sim_letter_t       *letter = data;
    pay_http_answer_t   answer = answer_blank(PAY_ANSWERED);

    answer.reach = PAY_REACH_COMPLETE;
    answer.content_type = PAY_STR("text/plain");

    if (!sim_receiver_take(sim, letter, &answer)) {
        return;
    }

    double_it(sim, letter);

    if (letter->is_copy || letter->over
        || sim_fault(sim, sim->faults.net_answer_lost))
    {
        return;
    }

    letter->over = 1;
    letter->answer = answer;
    letter->answer.took_ms = 20;

    if (sim_fault(sim, sim->faults.net_cut)) {
        no_answer(letter, PAY_SENT_SOME, sim_chance(sim, 500)
                  ? PAY_REACH_WRITTEN : PAY_REACH_STATUS, PAY_FAILURE_BROKEN);
        letter->answer.status = letter->answer.reach == PAY_REACH_STATUS
                                ? answer.status : 0;
    }

    sim_after(sim, sim_between(sim, 5 * SIM_MS, 400 * SIM_MS), letter_heard,
              letter);
}


/* Something between us and the receiver sends it twice. */
static void
double_it(sim_t *sim, const sim_letter_t *letter)
{
    sim_letter_t  *copy;

    if (!letter->is_copy && sim_fault(sim, sim->faults.net_doubled)) {
        copy = sim_alloc(sim, sizeof(sim_letter_t));
        *copy = *letter;
        copy->is_copy = 1;
        sim_after(sim, sim_between(sim, SIM_MS, 20 * SIM_S), letter_arrives,
                  copy);
    }
}


static void
letter_fails(sim_t *sim, void *data)
{
    sim_letter_t  *letter = data;

    if (!letter->over) {
        no_answer(letter, PAY_SENT_SOME, PAY_REACH_WRITTEN,
                  PAY_FAILURE_TIMEOUT);
        letter_heard(sim, letter);
    }
}


static void
no_answer(sim_letter_t *letter, pay_sent_t how, pay_reach_t reach,
    pay_failure_t why)
{
    letter->over = 1;
    letter->answer = answer_blank(how);
    letter->answer.reach = reach;
    letter->answer.failure = why;
}


static void
letter_heard(sim_t *sim, void *data)
{
    pay_input_t    input = { .kind = PAY_INPUT_HTTP };
    sim_letter_t  *letter = data;
    sim_flow_t    *flow = letter->flow;
    sim_worker_t  *worker = &sim->workers[flow->worker];

    if (flow->life != worker->life) {
        return;
    }

    if (sim->now < worker->paused_until) {
        sim_at(sim, worker->paused_until + sim_between(sim, 0, 1000),
               letter_heard, letter);
        return;
    }

    input.answer = &letter->answer;
    sim_flow_event(flow, &input);
    memset(&letter->answer, 0, sizeof(letter->answer));
}


/* What is in an outbox, what is due, and what the reader has not read. */
int
sim_receivers_more(sim_t *sim)
{
    int               more;
    sim_stream_t      before = sim_stream(sim, SIM_STREAM_RECEIVERS);
    sim_receivers_t  *receivers = sim->receivers;

    (void) sim_db_ask(sim->db, "SELECT EXISTS (SELECT FROM pay.outbox UNION "
        "ALL SELECT FROM pay.payout_outbox UNION ALL SELECT FROM "
        "pay.settlement_outbox UNION ALL SELECT FROM pay.webhook_outbox), "
        "EXISTS (SELECT FROM pay.message m JOIN pay.message_reader r ON "
        "r.name = 'relay' AND m.position > r.position)", 0);
    more = *sim_db_cell(sim->db, 0, 0) == 't';

    if (more) {
        sim_publish_soon(sim);
    }

    if (*sim_db_cell(sim->db, 0, 1) == 't') {
        sim_reader_reads(sim, NULL);
        more = 1;
    }

    if (next_due(sim) != NEVER) {
        sim_deliver_soon(sim, sim->now);
        more = 1;
    }

    (void) sim_stream(sim, before);

    return more && ++receivers->steps < STEPS_MAX;
}

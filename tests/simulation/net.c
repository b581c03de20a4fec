/*
 * The network between workers and PSPs: what does not arrive, what arrives
 * late or twice, and what is heard of it.
 */

#include "sim.h"
#include "../answer.h"


static void http_arrives(sim_t *sim, void *data);
static int is_mute(const sim_t *sim, const sim_psp_t *psp);
static void double_it(sim_t *sim, const sim_sent_t *sent);
static void send_copy(sim_t *sim, sim_sent_t *sent);
static void http_fails(sim_t *sim, void *data);
static void http_heard(sim_t *sim, void *data);
static void arrange(sim_t *sim, sim_sent_t *sent, int64_t deadline);
static void no_answer(sim_sent_t *sent, pay_sent_t how, pay_reach_t reach,
    pay_failure_t why);


void
sim_send(sim_flow_t *flow)
{
    size_t               skip;
    sim_t               *sim = flow->sim;
    unsigned             count;
    sim_sent_t          *sent = sim_alloc(sim, sizeof(sim_sent_t));
    pay_effect_t        *effect = &flow->effect;
    pay_http_request_t  *http = &effect->http;

    skip = effect->payout != NULL
           ? effect->payout->account.call.base_url.len
           : effect->psp->account.base_url.len;
    sent->flow = flow;
    sent->psp = effect->payout != NULL ? sim_payouts_psp(sim, effect->payout)
                                       : &sim->books[effect->psp->index];
    sent->call = effect->call;
    sent->method = sim_dup(sim, http->method);
    sent->path = sim_dup(sim, (pay_str_t) { http->url.len - skip,
                                            http->url.data + skip });
    sent->body = sim_dup(sim, http->body);
    sent->at = sim->now;
    sent->deadline = sim->now + (effect->buyer_waits ? SIM_IMPATIENCE
                                                     : SIM_DEADLINE);
    sent->changes = !pay_str_is(sent->method, "GET");

    sent->key = sim_dup(sim, request_field(http, "Idempotency-Key", &count));

    sim->figures.calls++;
    sim_say(sim, "w%u f%u %s %.*s: calls psp %u, %s %.*s", flow->worker,
            flow->number, flow->core.type->name,
            pay_fmt(flow->core.checkout_id), sent->psp->index,
            pay_call_name(sent->call), pay_fmt(sent->key));

    if (sent->changes) {
        sim_judge_call(sim, sent);
        sent->next = sim->sent;
        sim->sent = sent;
    }

    arrange(sim, sent, sent->deadline);
}


static void
arrange(sim_t *sim, sim_sent_t *sent, int64_t deadline)
{
    int                  down;
    const sim_faults_t  *faults = &sim->faults;

    down = sim->now >= sent->psp->down_from
           && sim->now < sent->psp->down_until && !sim->healed;

    if (down || sim_fault(sim, faults->net_refused)) {
        no_answer(sent, PAY_SENT_NOTHING,
                  (pay_reach_t) sim_below(sim, PAY_REACH_TLS + 1),
                  PAY_FAILURE_CONNECT);
        sent->definite = 1;
        sim_after(sim, sim_between(sim, SIM_MS, 2 * SIM_S), http_heard, sent);
        return;
    }

    send_copy(sim, sent);

    /* said unless an answer is there before */
    sim_at(sim, deadline, http_fails, sent);

    if (sim_fault(sim, faults->net_lost)) {
        return;
    }

    if (sim_fault(sim, faults->net_late)) {
        sim_at(sim, deadline + sim_between(sim, 0, SIM_LATE_MAX),
               http_arrives, sent);
        return;
    }

    sim_after(sim, sim_between(sim, 5 * SIM_MS, 80 * SIM_MS), http_arrives,
              sent);
}


static void
http_arrives(sim_t *sim, void *data)
{
    sim_sent_t        *sent = data;
    pay_http_answer_t  answer;

    answer = answer_blank(PAY_ANSWERED);
    answer.reach = PAY_REACH_COMPLETE;

    if (sent->psp->index >= SIM_PSPS) {
        sim_payer_take(sim, sent, &answer);

        if (sent->flow->life == sim->workers[sent->flow->worker].life) {
            sim_payout_step(sim, sent->flow->worker, SIM_STEP_TAKEN);
        }

    } else {
        sim_psp_take(sim, sent, &answer);
    }

    sim_say(sim, "   psp %u %s %.*s%s: %u", sent->psp->index,
            pay_call_name(sent->call), pay_fmt(sent->key),
            sent->is_copy ? " (a copy)" : "", answer.status);

    double_it(sim, sent);

    if (sent->is_copy || sent->over || is_mute(sim, sent->psp)
        || sim_fault(sim, sim->faults.net_answer_lost))
    {
        return;
    }

    sent->over = 1;

    if (sim_fault(sim, sim->faults.net_cut)) {
        no_answer(sent, PAY_SENT_SOME, sim_chance(sim, 500)
                  ? PAY_REACH_WRITTEN : PAY_REACH_STATUS, PAY_FAILURE_BROKEN);
        sent->answer.status = sent->answer.reach == PAY_REACH_STATUS
                              ? answer.status : 0;

    } else {
        sent->answer = answer;
        sent->answer.unheard = sent->unheard;
        sent->definite = sent->nothing_happened && sent->unheard == 0;
    }

    sim_after(sim, sim_between(sim, 5 * SIM_MS, 400 * SIM_MS), http_heard,
              sent);
}


static int
is_mute(const sim_t *sim, const sim_psp_t *psp)
{
    return !sim->healed && sim->now >= psp->mute_from
           && sim->now < psp->mute_until;
}


/* Something between us and the PSP sends it twice.  What the PSP has said of
 * the first stays true: one that it has turned away does not come again. */
static void
double_it(sim_t *sim, const sim_sent_t *sent)
{
    sim_sent_t  *copy;

    if (sent->is_copy || sent->nothing_happened || sent->psp->window == 0
        || !sim_fault(sim, sim->faults.net_doubled))
    {
        return;
    }

    copy = sim_alloc(sim, sizeof(sim_sent_t));
    *copy = *sent;
    copy->is_copy = 1;
    sim_after(sim, sim_between(sim, SIM_MS, 20 * SIM_S), http_arrives, copy);
}


/* The first copy is heard of no more, whatever it does; the second leaves at
 * once and is what the worker hears of. */
static void
send_copy(sim_t *sim, sim_sent_t *sent)
{
    sim_sent_t  *first;

    if (sent->psp->window == 0 || !sim_fault(sim, sim->faults.net_resent)) {
        return;
    }

    sent->unheard = 1;
    first = sim_alloc(sim, sizeof(sim_sent_t));
    *first = *sent;
    first->is_copy = 1;
    sim_after(sim, sim_between(sim, SIM_MS, 80 * SIM_MS), http_arrives,
              first);
}


static void
http_fails(sim_t *sim, void *data)
{
    sim_sent_t  *sent = data;

    if (sent->over) {
        return;
    }

    sent->over = 1;
    no_answer(sent, PAY_SENT_SOME, PAY_REACH_WRITTEN, PAY_FAILURE_TIMEOUT);
    http_heard(sim, sent);
}


static void
no_answer(sim_sent_t *sent, pay_sent_t how, pay_reach_t reach,
    pay_failure_t why)
{
    sent->over = 1;
    sent->answer = answer_blank(how);
    sent->answer.reach = reach;
    sent->answer.failure = why;
}


static void
http_heard(sim_t *sim, void *data)
{
    pay_input_t    input = { .kind = PAY_INPUT_HTTP };
    sim_sent_t    *sent = data;
    sim_flow_t    *flow = sent->flow;
    sim_worker_t  *worker = &sim->workers[flow->worker];

    if (flow->life != worker->life) {
        return;
    }

    if (sim->now < worker->paused_until) {
        sim_at(sim, worker->paused_until + sim_between(sim, 0, 1000),
               http_heard, sent);
        return;
    }

    sent->heard = 1;
    input.answer = &sent->answer;
    sim_flow_event(flow, &input);
    memset(&sent->answer, 0, sizeof(sent->answer));
}

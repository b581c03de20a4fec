/*
 * Requests of the API about pay-outs: each has a key of its own, and is
 * repeated until its answer is heard.
 */

#include <jansson.h>

#include "payout.h"


#define TRIES_MAX  300
#define TTL_S      86400

struct sim_request_s {
    pay_payout_act_input_t   in;
    sim_batch_t             *batch;       /* that is approved, or NULL */
    unsigned                 tries;
    int                      is_over;
    pay_str_t                id;          /* of what was made */
    sim_request_t           *next;
};


static void request_due(sim_t *sim, void *data);
static void answered(sim_flow_t *flow, const pay_reply_t *reply);
static void read_answer(sim_t *sim, sim_request_t *request, json_t *body);


void
sim_request(sim_t *sim, pay_payout_act_kind_t kind, const char *who,
    pay_str_t body, sim_batch_t *batch)
{
    sim_request_t           *request = sim_alloc(sim, sizeof(sim_request_t));
    pay_payout_act_input_t  *in = &request->in;

    in->kind = kind;
    in->merchant_id = sim->merchant.id;
    in->id = batch != NULL ? pay_str_of(batch->id) : PAY_STR("");
    in->subject = pay_str_of(who);
    in->body = body;
    in->idempotency_key = sim_format(sim, "act-%" PRIu64 "-%u-0123456789",
                                     sim->scenario, ++sim->names);
    in->ttl_s = TTL_S;
    in->base_url = PAY_STR("https://pay.example.com");
    request->batch = batch;
    request->next = sim->payouts->requests;
    sim->payouts->requests = request;
    sim_after(sim, 0, request_due, request);
}


static void
request_due(sim_t *sim, void *data)
{
    unsigned        worker;
    sim_flow_t     *flow;
    sim_request_t  *request = data;

    if (request->is_over || request->tries == TRIES_MAX) {
        return;
    }

    request->tries++;

    /* at times twice at once */
    sim_after(sim, sim_fault(sim, sim->faults.twin)
                   ? sim_between(sim, 0, SIM_S)
                   : sim_between(sim, 4 * SIM_S, 40 * SIM_S), request_due,
              request);

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    flow = sim_flow_new(sim, worker, answered, request);

    if (pay_flow_payout_act(&flow->core, &request->in) != PAY_OK) {
        sim_die("no flow of a request about pay-outs");
    }

    sim_flow_start(flow);
}


/* P6: it is done, or refused with a reason; what a key has made stays so. */
static void
answered(sim_flow_t *flow, const pay_reply_t *reply)
{
    json_t         *body;
    sim_t          *sim = flow->sim;
    sim_request_t  *request = flow->data;

    if (reply->status == 429 || reply->status == 503
        || (reply->status == 500 && !sim->healed)
        || sim_fault(sim, sim->faults.reply_lost))
    {
        return;
    }

    body = json_loadb((const char *) reply->body.data, reply->body.len, 0,
                      NULL);

    if (reply->status == 200 || reply->status == 201) {
        read_answer(sim, request, body);

    } else if (reply->status != 404 && reply->status != 409) {
        sim_violation(sim, "P6: a request about pay-outs is answered %u",
                      reply->status);

    } else if (request->batch != NULL && !request->is_over
               && reply->detail != NULL
               && strncmp(reply->detail, "maker", 5) == 0)
    {
        sim_batch_said(sim, request->batch, "maker");
    }

    request->is_over = 1;
    json_decref(body);
}


static void
read_answer(sim_t *sim, sim_request_t *request, json_t *body)
{
    int          is_item = request->in.kind == PAY_PAYOUT_ACT_MAKE;
    const char  *id;

    id = json_string_value(json_object_get(body, is_item ? "payout_id"
                                                         : "batch_id"));

    if (id == NULL || (request->id.len != 0 && !pay_str_is(request->id, id))) {
        sim_violation(sim, "P6: a key has made %.*s and %s",
                      pay_fmt(request->id), id != NULL ? id : "nothing");
        return;
    }

    if (request->id.len != 0) {
        return;
    }

    request->id = sim_dup(sim, pay_str_of(id));

    if (request->in.kind == PAY_PAYOUT_ACT_MAKE_BATCH) {
        sim_batch_found(sim, id,
                        json_string_value(json_object_get(body, "hash")));

    } else if (request->batch != NULL) {
        sim_batch_said(sim, request->batch,
                       json_integer_value(json_object_get(body,
                                          "approvals_missing")) > 0
                       ? "second" : "approved");
    }
}


void
sim_judge_requests(sim_t *sim)
{
    const sim_request_t  *request = sim->payouts->requests;

    for ( ; request != NULL; request = request->next) {
        if (!request->is_over) {
            sim_violation(sim, "P6: %.*s is not answered after %u tries",
                          pay_fmt(request->in.idempotency_key),
                          request->tries);
        }
    }
}

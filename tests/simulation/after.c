/*
 * Storefronts after the sale: they capture what is held, cancel, pay back in
 * whole or in parts, several at once, and again with the same key when they
 * hear nothing, or although they have heard.
 */

#include <jansson.h>

#include "cells.h"


#define TRIES_MAX  12
#define ASKS_MAX   6
#define WINDOW     (15 * SIM_MIN)


/* A change that a storefront wants. */
typedef struct {
    sim_post_t         *post;
    pay_change_kind_t   kind;
    pay_str_t           order, key, body, other_body;
    unsigned            tries;
    int                 content;
    int                 accepted;        /* by 2xx: 1 the body, 2 the other */
    pay_str_t           change_id;       /* as the first answer says */
} ask_t;

typedef struct {
    ask_t     *ask;
    int        is_other;
    unsigned   status;
} request_t;


static void plan_ask(sim_t *sim, sim_post_t *post, pay_change_kind_t kind,
    int64_t at);
static pay_str_t ask_body(sim_t *sim, const sim_post_t *post,
    pay_change_kind_t kind);
static void ask_due(sim_t *sim, void *data);
static void ask_twin(sim_t *sim, void *data);
static void ask_send(sim_t *sim, ask_t *ask, int is_other);
static void answered(sim_flow_t *flow, const pay_reply_t *reply);
static void check_answer(sim_t *sim, request_t *request,
    const pay_reply_t *reply);
static void check_stored(sim_t *sim, const ask_t *ask);
static void heard(sim_t *sim, void *data);
static void look(sim_t *sim, void *data);


static const char  *const id_names[PAY_CHANGE_KINDS] = {
    [PAY_CHANGE_CAPTURE] = "capture_id", [PAY_CHANGE_CANCEL] = "cancel_id",
    [PAY_CHANGE_REFUND] = "refund_id"
};


void
sim_after_sale(sim_t *sim, sim_post_t *post)
{
    int64_t   at;
    unsigned  i, n;

    if (post->is_manual && sim_chance(sim, 800)) {
        n = 1 + (unsigned) sim_below(sim, 3 * post->order_count);

        for (i = 0; i < n; i++) {
            plan_ask(sim, post, PAY_CHANGE_CAPTURE,
                     sim->now + sim_between(sim, 0, WINDOW));
        }
    }

    if (sim_chance(sim, post->is_manual ? 250 : 80)) {
        plan_ask(sim, post, PAY_CHANGE_CANCEL,
                 sim->now + sim_between(sim, 0, WINDOW));
    }

    n = (unsigned) sim_below(sim, ASKS_MAX);
    at = sim->now + sim_between(sim, SIM_S, WINDOW);

    for (i = 0; i < n; i++) {
        plan_ask(sim, post, PAY_CHANGE_REFUND, at);
        at += sim_chance(sim, 500) ? sim_between(sim, 0, 20 * SIM_MS)
                                   : sim_between(sim, 0, WINDOW);
    }
}


static void
plan_ask(sim_t *sim, sim_post_t *post, pay_change_kind_t kind, int64_t at)
{
    ask_t  *ask = sim_alloc(sim, sizeof(ask_t));

    ask->post = post;
    ask->kind = kind;
    ask->order = post->orders[sim_below(sim, post->order_count)];
    ask->key = sim_format(sim, "ask-%" PRIu64 "-%u-0123456789abcdef",
                          sim->scenario, ++sim->names);
    ask->body = ask_body(sim, post, kind);
    ask->other_body = PAY_STR("{\"reason\":\"another one\"}");
    sim_at(sim, at, ask_due, ask);

    if (sim_fault(sim, sim->faults.twin)) {
        sim_at(sim, at + sim_between(sim, 0, 30 * SIM_MS), ask_twin, ask);
    }
}


/* All, a part, or (rarely) more than there can be. */
static pay_str_t
ask_body(sim_t *sim, const sim_post_t *post, pay_change_kind_t kind)
{
    int64_t      minor;
    const char  *last = "";

    if (kind == PAY_CHANGE_CANCEL) {
        return sim_chance(sim, 500) ? PAY_STR("")
                                    : PAY_STR("{\"reason\":\"gone\"}");
    }

    if (kind == PAY_CHANGE_CAPTURE
        && (sim_chance(sim, 300)
            || (sim_steered(sim, SIM_STEER_REJECTS) && sim_chance(sim, 300))))
    {
        last = "\"final\":true";
    }

    if (sim_chance(sim, 300)) {
        return sim_format(sim, "{%s}", last);
    }

    minor = sim_chance(sim, 100) ? post->minor + 1
            : sim_chance(sim, 300) ? (post->minor + 1) / 2
            : sim_between(sim, 1, post->minor);

    return sim_format(sim, "{\"amount\":\"%s\",\"currency\":\"EUR\"%s%s}",
                      (const char *) sim_amount(sim, minor).data,
                      *last ? "," : "", last);
}


static void
ask_due(sim_t *sim, void *data)
{
    int     is_other;
    ask_t  *ask = data;

    if (ask->content || ask->tries == TRIES_MAX) {
        return;
    }

    is_other = ask->tries > 0 && sim_fault(sim, sim->faults.other_body);
    ask->tries += !is_other;
    ask_send(sim, ask, is_other);
    sim_after(sim, sim_between(sim, 4 * SIM_S, 3 * SIM_MIN), ask_due, ask);
}


static void
ask_twin(sim_t *sim, void *data)
{
    ask_send(sim, data, 0);
}


static void
ask_send(sim_t *sim, ask_t *ask, int is_other)
{
    unsigned             worker;
    request_t           *request;
    sim_flow_t          *flow;
    pay_change_input_t   in;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    request = sim_alloc(sim, sizeof(request_t));
    request->ask = ask;
    request->is_other = is_other;
    flow = sim_flow_new(sim, worker, answered, request);

    memset(&in, 0, sizeof(in));
    in.merchant = flow->core.env->merchants;
    in.kind = ask->kind;
    in.order_id = ask->order;
    in.body = is_other ? ask->other_body : ask->body;
    in.idempotency_key = ask->key;
    in.ttl_s = 86400;
    in.in_progress_status = 429;
    in.change_id = sim_uuid(sim);

    if (pay_flow_change(&flow->core, &in) != PAY_OK) {
        sim_die("no change flow");
    }

    sim_say(sim, "w%u f%u %s %.*s %.*s %.*s%s", worker, flow->number,
            pay_change_word(ask->kind), pay_fmt(ask->order),
            pay_fmt(in.body), pay_fmt(ask->key),
            is_other ? ", another body" : "");
    sim->figures.changes++;
    sim_flow_start(flow);
}


/* A UUID of chance. */
pay_str_t
sim_uuid(sim_t *sim)
{
    size_t          i;
    unsigned char   random[PAY_UUID_ENTROPY];
    unsigned char  *text = sim_alloc(sim, PAY_UUID_TEXT + 1);

    for (i = 0; i < sizeof(random); i++) {
        random[i] = (unsigned char) sim_random(sim);
    }

    pay_uuid7((uint64_t) (sim->now / SIM_MS), random, (char *) text);

    return (pay_str_t) { PAY_UUID_TEXT, text };
}


static void
answered(sim_flow_t *flow, const pay_reply_t *reply)
{
    sim_t      *sim = flow->sim;
    request_t  *request = flow->data;

    request->status = reply->status;

    /* asks another node later */
    if (reply->status == 404
        && !sim_node_reaches(sim, flow->core.env,
                             request->ask->post->checkout_id))
    {
        request->status = 503;
    }

    if (reply->status < 300) {
        check_answer(sim, request, reply);
    }

    if (!sim_fault(sim, sim->faults.reply_lost)) {
        sim_after(sim, sim_between(sim, 1000, 50 * SIM_MS), heard, request);
    }
}


/* I7: one key is one change, of one body; I3: it is stored. */
static void
check_answer(sim_t *sim, request_t *request, const pay_reply_t *reply)
{
    json_t      *body;
    ask_t       *ask = request->ask;
    pay_str_t    id;
    const char  *text;

    body = json_loadb((const char *) reply->body.data, reply->body.len,
                      JSON_REJECT_DUPLICATES, NULL);
    text = json_string_value(json_object_get(body, id_names[ask->kind]));
    id = sim_dup(sim, pay_str_of(text != NULL ? text : ""));
    json_decref(body);

    if (ask->accepted == 2 - request->is_other) {
        sim_violation(sim, "I7: two bodies were accepted under %.*s",
                      pay_fmt(ask->key));
    }

    ask->accepted = 1 + request->is_other;

    if (ask->change_id.len == 0) {
        ask->change_id = id;

    } else if (!pay_str_eq(ask->change_id, id)) {
        sim_violation(sim, "I7: %.*s is %.*s and %.*s", pay_fmt(ask->key),
                      pay_fmt(ask->change_id), pay_fmt(id));
    }

    check_stored(sim, ask);
}


static void
check_stored(sim_t *sim, const ask_t *ask)
{
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT FROM pay.change WHERE merchant_id = "
        "$1 AND change_id = $2 AND payment_order_id = $3 AND kind = $4", 4,
        sim_text(sim, sim->merchant.id), sim_text(sim, ask->change_id),
        sim_text(sim, ask->order), pay_change_word(ask->kind));

    if (found.rows != 1) {
        sim_violation(sim, "I3: change %.*s of %.*s was answered and is not "
                      "stored", pay_fmt(ask->change_id),
                      pay_fmt(ask->order));
    }
}


static void
heard(sim_t *sim, void *data)
{
    request_t  *request = data;
    ask_t      *ask = request->ask;

    if (request->is_other) {
        return;
    }

    switch (request->status) {

    case 201:
        ask->content = !sim_fault(sim, 200);      /* some ask once more */
        break;

    case 202:
        ask->content = !sim_fault(sim, 500);
        break;

    case 409:                                     /* not paid yet, perhaps */
    case 429:
    case 500:
    case 503:
        return;

    case 404:
        sim_violation(sim, "I3: %.*s is not found", pay_fmt(ask->order));
        return;

    default:
        ask->content = 1;
        return;
    }

    sim_after(sim, sim_between(sim, 0, 2 * SIM_MIN), look, ask);
}


/* Reads must cope with whatever is there. */
static void
look(sim_t *sim, void *data)
{
    unsigned         worker;
    const ask_t     *ask = data;
    pay_status_t     status;
    sim_flow_t      *flow;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    flow = sim_flow_new(sim, worker, NULL, NULL);

    status = sim_chance(sim, 300)
             ? pay_flow_read_seller(&flow->core, sim->merchant.id,
                                    PAY_STR("seller"), NULL)
             : pay_flow_read_change(&flow->core, ask->kind, sim->merchant.id,
                   ask->order, sim_chance(sim, 500) ? ask->change_id
                                                    : PAY_STR(""));

    if (status != PAY_OK) {
        sim_die("no read flow");
    }

    sim_flow_start(flow);
}

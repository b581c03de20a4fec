/*
 * Storefronts: they create a checkout, try again with the same key when they
 * hear nothing, mistake a key for another, look at what became of it.
 */

#include <jansson.h>

#include "cells.h"


#define TRIES_MAX  25
#define LOOKS_MAX  12


/* One request and what was heard of it. */
typedef struct {
    sim_post_t             *post;
    int                     is_other;    /* the same key, another body */
    int                     accepted;    /* post->accepted when it was sent */
    pay_payment_request_t   request;
    pay_create_input_t      input;
    unsigned char           fingerprint[PAY_SHA256_SIZE];
    pay_read_t              is_read;
    int                     was_accepted;   /* before it was read */
    unsigned                status;
    pay_str_t               redirect, order_status;
} request_t;


static void shop_due(sim_t *sim, void *data);
static void shop_twin(sim_t *sim, void *data);
static void shop_again(sim_t *sim, void *data);
static void post_send(sim_t *sim, sim_post_t *post, int is_other);
static void fill(sim_t *sim, sim_flow_t *flow, request_t *request);
static void posted(sim_flow_t *flow, const pay_reply_t *reply);
static void read_reply(sim_t *sim, request_t *request,
    const pay_reply_t *reply);
static void still_accepted(sim_t *sim, const request_t *request);
static void shop_heard(sim_t *sim, void *data);
static void same_answer(sim_t *sim, const request_t *request);
static void shop_looks(sim_t *sim, void *data);
static void looked(sim_flow_t *flow, const pay_reply_t *reply);
static void look_heard(sim_t *sim, void *data);


void
sim_shop_open(sim_t *sim, sim_post_t *post, int64_t at)
{
    sim_at(sim, at, shop_due, post);

    if (sim_fault(sim, sim->faults.twin)) {
        sim_at(sim, at + sim_between(sim, 0, 30 * SIM_MS), shop_twin, post);
    }

    /* whatever came of it, somebody looks */
    sim_at(sim, at + sim_between(sim, 0, 10 * SIM_MIN), shop_looks, post);
}


static void
shop_due(sim_t *sim, void *data)
{
    int          is_other;
    sim_post_t  *post = data;

    if (post->answered || post->tries == TRIES_MAX
        || (sim->now > post->stop_at && !post->accepted))
    {
        return;
    }

    is_other = post->tries > 0 && sim_fault(sim, sim->faults.other_body);
    post->tries += !is_other;
    post_send(sim, post, is_other);
    sim_after(sim, sim_between(sim, 4 * SIM_S, 40 * SIM_S), shop_due, post);
}


void
sim_shop_repeats(sim_flow_t *flow, int64_t within)
{
    sim_after(flow->sim, sim_between(flow->sim, 0, within), shop_again,
              flow->data);
}


static void
shop_again(sim_t *sim, void *data)
{
    const request_t  *request = data;

    post_send(sim, request->post, request->is_other);
}


static void
shop_twin(sim_t *sim, void *data)
{
    post_send(sim, data, 0);
}


static void
post_send(sim_t *sim, sim_post_t *post, int is_other)
{
    unsigned     worker;
    request_t   *request;
    sim_flow_t  *flow;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    request = sim_alloc(sim, sizeof(request_t));
    request->post = post;
    request->is_other = is_other;
    request->accepted = post->accepted;
    flow = sim_flow_new(sim, worker, posted, request);
    fill(sim, flow, request);

    if (pay_flow_create(&flow->core, &request->input) != PAY_OK) {
        sim_die("no create flow");
    }

    sim_say(sim, "w%u f%u POST %.*s%s", worker, flow->number,
            pay_fmt(post->checkout_id), is_other ? ", another body" : "");
    sim_flow_start(flow);
}


/* As ngx_http_payments_api.c makes it of a request. */
static void
fill(sim_t *sim, sim_flow_t *flow, request_t *request)
{
    size_t               i;
    pay_str_t            body;
    unsigned char        random[PAY_HANDLE_BYTES];
    pay_create_input_t  *in = &request->input;

    body = request->is_other ? request->post->other_body
                             : request->post->body;

    for (i = 0; i < sizeof(random); i++) {
        random[i] = (unsigned char) sim_random(sim);
    }

    if (pay_payment_parse(flow->core.arena, body, &request->request, NULL)
        != PAY_OK || pay_sha256(body, request->fingerprint) != PAY_OK)
    {
        sim_die("a body is wrong: %s", (const char *) body.data);
    }

    if (!request->request.has_expires_in) {
        request->request.expires_in_s = PAY_EXPIRES_S;
    }

    in->merchant = flow->core.env->merchants;
    in->request = &request->request;
    in->idempotency_key = request->post->key;
    in->fingerprint = (pay_str_t) { PAY_SHA256_SIZE, request->fingerprint };
    in->base_url = PAY_STR("https://pay.example.com");
    in->ttl_s = 86400;
    in->in_progress_status = 429;
    in->checkout_uuid = sim_uuid(sim);
    in->handle = sim_handle(sim, random, in->merchant->cell);
    in->from_handle = sim_handle(sim, random, in->merchant->from);

    if (request->request.replaces.len != 0) {
        in->change_id = sim_uuid(sim);
    }

    in->now_s = sim_worker_now_s(sim, flow->worker);
}


static void
posted(sim_flow_t *flow, const pay_reply_t *reply)
{
    sim_t      *sim = flow->sim;
    request_t  *request = flow->data;

    read_reply(sim, request, reply);

    if (reply->status < 300) {
        same_answer(sim, request);

    } else if (sim->cells != NULL) {
        still_accepted(sim, request);
    }

    if (!sim_fault(sim, sim->faults.reply_lost)) {
        sim_after(sim, sim_between(sim, 1000, 50 * SIM_MS), shop_heard,
                  request);
    }
}


static void
read_reply(sim_t *sim, request_t *request, const pay_reply_t *reply)
{
    json_t      *body, *order;
    const char  *text;

    request->status = reply->status;

    if (reply->kind != PAY_REPLY_JSON) {
        return;
    }

    body = json_loadb((const char *) reply->body.data, reply->body.len, 0,
                      NULL);
    text = json_string_value(json_object_get(body, "redirect_url"));
    request->redirect = sim_dup(sim, pay_str_of(text));
    text = json_string_value(json_object_get(body, "status"));
    request->order_status = sim_dup(sim, pay_str_of(text));
    text = json_string_value(json_object_get(body, "checkout_id"));

    if (text == NULL || !pay_str_is(request->post->checkout_id, text)) {
        sim_violation(sim, "I7: %.*s is answered with %s",
                      pay_fmt(request->post->checkout_id),
                      text ? text : "nothing");
    }

    order = json_object_get(body, "payment_orders");

    if (order != NULL && json_array_size(order) != request->post->order_count) {
        sim_violation(sim, "I7: %.*s has %zu orders",
                      pay_fmt(request->post->checkout_id),
                      json_array_size(order));
    }

    json_decref(body);
}


/* I7: one key stands for one request, and for one address. */
static void
same_answer(sim_t *sim, const request_t *request)
{
    sim_post_t  *post = request->post;

    if (post->accepted == 2 - request->is_other) {
        sim_violation(sim, "I7: two bodies were accepted under %.*s",
                      pay_fmt(post->key));
    }

    post->accepted = 1 + request->is_other;

    if (request->redirect.len == 0) {
        return;
    }

    if (post->redirect.len == 0) {
        post->redirect = request->redirect;

    } else if (!pay_str_eq(post->redirect, request->redirect)) {
        sim_violation(sim, "I7: %.*s has two addresses",
                      pay_fmt(post->key));
    }
}


/* I7: what was accepted stays so, whichever node is asked.  A checkout that
 * still waits for the end of the page that it replaces has no page of its own,
 * and is 409 when the other one is paid.  A request that was sent before may
 * have been refused while there was no such page yet. */
static void
still_accepted(sim_t *sim, const request_t *request)
{
    const sim_post_t  *post = request->post;
    int                accepted;

    accepted = post->replaces != NULL ? request->accepted : post->accepted;

    if (accepted == 1 + request->is_other && request->status >= 400
        && request->status < 429
        && (request->status != 409 || post->replaces == NULL
            || post->redirect.len != 0))
    {
        sim_violation(sim, "I7: %.*s was accepted, and its repetition is "
                      "answered %u", pay_fmt(post->key), request->status);
    }
}


static void
shop_heard(sim_t *sim, void *data)
{
    request_t   *request = data;
    sim_post_t  *post = request->post;

    if (request->is_other) {
        return;
    }

    switch (request->status) {

    case 201:
        /* some ask once more */
        post->answered = !sim_fault(sim, 200)
                         && !sim_steered(sim, SIM_STEER_BACK);
        break;

    case 202:
        post->answered = !sim_fault(sim, 400);
        sim_after(sim, 2 * SIM_S, shop_looks, post);
        break;

    case 404:
    case 409:
        /* the old one may come, or end, later */
        post->answered = post->replaces == NULL || sim_chance(sim, 400);
        return;

    case 429:
    case 503:
    case 500:
        sim_after(sim, sim_between(sim, SIM_S, 4 * SIM_S), shop_due, post);
        return;

    default:
        post->answered = 1;
        return;
    }

    if (request->redirect.len != 0 && !post->bought) {
        post->bought = 1;
        sim_buyer_send(sim, post);
    }
}


static void
shop_looks(sim_t *sim, void *data)
{
    unsigned     worker;
    pay_str_t    id;
    pay_read_t   what;
    request_t   *request;
    sim_flow_t  *flow;
    sim_post_t  *post = data;

    static const pay_read_t  kinds[] = { PAY_READ_CHECKOUT, PAY_READ_CHECKOUT,
                                         PAY_READ_PAYMENT, PAY_READ_EVENTS,
                                         PAY_READ_EXPLAIN };

    if (++post->looks > LOOKS_MAX || !sim_worker_pick(sim, &worker)) {
        return;
    }

    what = kinds[sim_below(sim, sizeof(kinds) / sizeof(kinds[0]))];
    id = what == PAY_READ_CHECKOUT ? post->checkout_id
         : post->orders[sim_below(sim, post->order_count)];
    request = sim_alloc(sim, sizeof(request_t));
    request->post = post;
    request->is_read = what;
    request->was_accepted = post->accepted;
    flow = sim_flow_new(sim, worker, looked, request);

    if (pay_flow_read(&flow->core, what, sim->merchant.id, id, 0) != PAY_OK) {
        sim_die("no read flow");
    }

    sim_flow_start(flow);
}


static void
looked(sim_flow_t *flow, const pay_reply_t *reply)
{
    json_t     *body;
    sim_t      *sim = flow->sim;
    request_t  *request = flow->data;

    request->status = reply->status;

    if (reply->status == 404 && request->was_accepted
        && sim_node_reaches(sim, flow->core.env, request->post->checkout_id))
    {
        sim_violation(sim, "I3: %.*s was accepted and is not found",
                      pay_fmt(request->post->checkout_id));
    }

    if (reply->status == 200 && request->is_read == PAY_READ_CHECKOUT) {
        read_reply(sim, request, reply);

    } else if (reply->status == 200) {
        body = json_loadb((const char *) reply->body.data, reply->body.len,
                          JSON_REJECT_DUPLICATES, NULL);
        if (body == NULL) {
            sim_violation(sim, "a GET is answered with no JSON");
        }

        json_decref(body);
    }

    sim_after(sim, 10 * SIM_MS, look_heard, request);
}


/* Whoever got 202 looks until there is an address, or an end. */
static void
look_heard(sim_t *sim, void *data)
{
    request_t   *request = data;
    sim_post_t  *post = request->post;

    if (post->bought || !post->accepted
        || pay_str_is(request->order_status, "FAILED")
        || pay_str_is(request->order_status, "SUCCESS"))
    {
        return;
    }

    if (request->redirect.len != 0) {
        post->redirect = request->redirect;
        post->bought = 1;
        sim_buyer_send(sim, post);
        return;
    }

    sim_after(sim, post->looks * sim_between(sim, 2 * SIM_S, 10 * SIM_S),
              shop_looks, post);
}

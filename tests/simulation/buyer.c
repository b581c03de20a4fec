/*
 * Buyers: they follow the storefront's address to the PSP's page, pay or do
 * not, and mostly come back.
 */

#include "cells.h"


#define TRIES_MAX  8


typedef struct {
    sim_post_t  *post;
    pay_str_t    handle;
    sim_reg_t   *reg;
    unsigned     tries;
    int          arrived;
} buyer_t;


static void buyer_opens(sim_t *sim, void *data);
static void buyer_flow(sim_t *sim, pay_buyer_t what, pay_str_t handle,
    sim_reply_pt replied, buyer_t *buyer);
static void buyer_forges(sim_t *sim, buyer_t *buyer);
static void forged(sim_flow_t *flow, const pay_reply_t *reply);
static void opened(sim_flow_t *flow, const pay_reply_t *reply);
static void act(sim_t *sim, buyer_t *buyer);
static void buyer_agrees(sim_t *sim, void *data);
static void buyer_again(sim_t *sim, sim_reg_t *reg);
static void buyer_fails(sim_t *sim, void *data);
static void buyer_cancels(sim_t *sim, void *data);
static void buyer_returns(sim_t *sim, void *data);


void
sim_buyer_send(sim_t *sim, sim_post_t *post)
{
    size_t    skip = strlen("https://pay.example.com/checkout/");
    buyer_t  *buyer = sim_alloc(sim, sizeof(buyer_t));

    buyer->post = post;

    if (post->redirect.len <= skip) {
        sim_violation(sim, "%.*s is no address of ours",
                      pay_fmt(post->redirect));
        return;
    }

    buyer->handle.data = post->redirect.data + skip;
    buyer->handle.len = post->redirect.len - skip;
    sim_after(sim, sim_between(sim, SIM_S, SIM_MIN), buyer_opens, buyer);
}


static void
buyer_opens(sim_t *sim, void *data)
{
    buyer_t  *buyer = data;

    if (buyer->arrived || buyer->tries++ == TRIES_MAX) {
        return;
    }

    /* once more, unless the page is there by then */
    sim_after(sim, sim_between(sim, 5 * SIM_S, 30 * SIM_S), buyer_opens,
              buyer);

    if (sim->cells != NULL && sim_fault(sim, sim->cells->forges_in)) {
        buyer_forges(sim, buyer);
    }

    buyer_flow(sim, PAY_BUYER_CHECKOUT, buyer->handle, opened, buyer);
}


/* Not where no worker takes it, or no cell has such a letter. */
static void
buyer_flow(sim_t *sim, pay_buyer_t what, pay_str_t handle,
    sim_reply_pt replied, buyer_t *buyer)
{
    unsigned     worker, cell;
    sim_flow_t  *flow;

    if (!sim_handle_cell(sim, handle, &cell)
        || !sim_worker_pick(sim, &worker))
    {
        return;
    }

    flow = sim_flow_new(sim, worker, replied, buyer);
    flow->core.cell = cell;

    if (what == PAY_BUYER_RETURN && !sim_chance(sim, 800)) {
        what = PAY_BUYER_STATUS;
    }

    if (pay_flow_buyer(&flow->core, what, handle) != PAY_OK) {
        sim_die("no buyer flow");
    }

    sim_flow_start(flow);
}


/* The same handle of another cell. */
static void
buyer_forges(sim_t *sim, buyer_t *buyer)
{
    sim->figures.letters_forged++;
    buyer_flow(sim, PAY_BUYER_CHECKOUT, sim_handle_forge(sim, buyer->handle),
               forged, buyer);
}


static void
forged(sim_flow_t *flow, const pay_reply_t *reply)
{
    if (reply->status < 400) {
        sim_violation(flow->sim, "I12: a handle of another cell is answered "
                      "%u", reply->status);
    }
}


static void
opened(sim_flow_t *flow, const pay_reply_t *reply)
{
    sim_t       *sim = flow->sim;
    buyer_t     *buyer = flow->data;
    pay_str_t    token = reply->location;
    const char  *page = ".psp.example/p/", *found;

    if (reply->status == 404) {
        sim_violation(sim, "I12: the handle %.*s is not found",
                      pay_fmt(buyer->handle));
    }

    if (reply->status != 303 || !sim_find(token, page) || buyer->arrived
        || sim_fault(sim, sim->faults.reply_lost))
    {
        return;
    }

    found = sim_find(token, page) + strlen(page);
    token.len -= (size_t) (found - (const char *) token.data);
    token.data = (const unsigned char *) found;

    buyer->arrived = 1;
    buyer->reg = sim_psp_reg(sim, token);

    if (buyer->reg == NULL) {
        sim_violation(sim, "a buyer is sent to the unknown page %.*s",
                      pay_fmt(token));
        return;
    }

    act(sim, buyer);
}


static void
act(sim_t *sim, buyer_t *buyer)
{
    int64_t  soon = sim->now + sim_between(sim, 5 * SIM_S, 2 * SIM_MIN);
    int64_t  later = soon + sim_between(sim, SIM_S, 2 * SIM_MIN);
    int64_t  expires = buyer->reg->expires_at;

    sim_after_sale(sim, buyer->post);
    sim_say(sim, "   a buyer is at %.*s, kind %d", pay_fmt(buyer->reg->token),
            (int) buyer->post->buyer);

    switch (buyer->post->buyer) {

    case SIM_BUYER_PAYS:
        sim_at(sim, soon, buyer_agrees, buyer);
        break;

    case SIM_BUYER_TWICE:
        sim_at(sim, soon, buyer_agrees, buyer);
        sim_at(sim, later, buyer_agrees, buyer);
        break;

    case SIM_BUYER_DECLINED:
        sim_at(sim, soon, buyer_fails, buyer);
        break;

    case SIM_BUYER_RETRIES:
        sim_at(sim, soon, buyer_fails, buyer);
        sim_at(sim, later, buyer_agrees, buyer);
        break;

    case SIM_BUYER_CANCELS:
        sim_at(sim, soon, buyer_cancels, buyer);
        break;

    case SIM_BUYER_LATE:
        soon = expires + (sim_chance(sim, 300)
                          ? sim_between(sim, -SIM_MIN, 15 * SIM_MIN)
                          : sim_between(sim, 15 * SIM_MIN, 60 * SIM_MIN));
        sim_at(sim, soon, buyer_agrees, buyer);
        break;

    default:
        return;                  /* leaves */
    }

    if (sim_chance(sim, 800)) {
        sim_at(sim, soon + sim_between(sim, SIM_S, 20 * SIM_S),
               buyer_returns, buyer);
    }

    if (sim_chance(sim, 400)) {
        sim_at(sim, later + sim_between(sim, SIM_S, 20 * SIM_S),
               buyer_returns, buyer);
    }
}


static void
buyer_agrees(sim_t *sim, void *data)
{
    buyer_t    *buyer = data;
    sim_reg_t  *reg = buyer->reg;

    if (reg->payments > 0 && !reg->is_manual) {
        buyer_again(sim, reg);
        return;
    }

    if (!sim_psp_is_open(sim, reg)) {
        return;
    }

    if (reg->psp->captures && !reg->is_manual) {
        sim_psp_settle(sim, reg, "approved", NULL);
        return;
    }

    if (sim_chance(sim, 150)) {
        sim_psp_settle(sim, reg, "pending", NULL);
        sim_psp_clear(sim, reg);
        return;
    }

    sim_money_paid(sim, reg);
}


/* The PSP says the same once more, as another event, or takes the money once
 * more, as another payment. */
static void
buyer_again(sim_t *sim, sim_reg_t *reg)
{
    pay_str_t  first = reg->payment_id;

    if (reg->second != NULL || !sim_chance(sim, 500)) {
        sim_hook_add(sim, reg, "paid");
        return;
    }

    reg->second_id = sim_format(sim, "pay_%" PRIu64 "_%u", sim->scenario,
                                ++sim->names);
    reg->payment_id = reg->second_id;
    sim_hook_add(sim, reg, "paid");
    reg->payment_id = first;
    reg->second = reg->psp->hooks;
    sim->figures.twice++;
}


static void
buyer_fails(sim_t *sim, void *data)
{
    buyer_t  *buyer = data;

    if (sim_psp_is_open(sim, buyer->reg)) {
        sim_psp_settle(sim, buyer->reg, "declined", "no_funds");
    }
}


static void
buyer_cancels(sim_t *sim, void *data)
{
    buyer_t  *buyer = data;

    if (sim_psp_is_open(sim, buyer->reg)) {
        sim_psp_settle(sim, buyer->reg, "cancelled", NULL);
    }
}


static void
buyer_returns(sim_t *sim, void *data)
{
    buyer_t  *buyer = data;

    buyer_flow(sim, PAY_BUYER_RETURN, buyer->handle, NULL, buyer);
}

/*
 * A model PSP's webhooks: signed, lost, late, doubled, out of order, sent
 * until they are answered 2xx; and forged ones, from elsewhere.
 */

#include "sim.h"


#define TRIES_MAX  80


typedef struct {
    sim_hook_t  *hook;
    int          forged;
} delivery_t;


static int can_ask(sim_t *sim, const sim_reg_t *reg, const char *type);
static void hook_due(sim_t *sim, void *data);
static void deliver(sim_t *sim, sim_hook_t *hook, int forged);
static void sign(sim_t *sim, sim_flow_t *flow, pay_webhook_input_t *in,
    const sim_hook_t *hook);
static void forge(sim_t *sim, pay_webhook_input_t *in,
    const sim_hook_t *hook);
static void answered(sim_flow_t *flow, const pay_reply_t *reply);


void
sim_hook_add(sim_t *sim, sim_reg_t *reg, const char *type)
{
    pay_str_t  card = sim_card_member(sim, reg, type);

    sim_hook_tell(sim, reg, (const char *) sim_format(sim, "registration.%s",
                                                      type).data,
        sim_format(sim, ",\"nonce\":\"%s\",\"amount\":\"%s\","
            "\"currency\":\"%s\"%s%.*s", (const char *) reg->nonce.data,
            (const char *) reg->amount.data,
            (const char *) reg->currency.data,
            strcmp(type, "declined") == 0 ? ",\"code\":\"no_funds\"" : "",
            pay_fmt(card)),
        !can_ask(sim, reg, type));
}


/* Whatever the gateway cannot learn by asking must come, or be listed. */
static int
can_ask(sim_t *sim, const sim_reg_t *reg, const char *type)
{
    if (reg->is_manual) {
        return strcmp(type, "open") == 0 || strcmp(type, "pending") == 0;
    }

    return strcmp(type, "paid") != 0
           || (sim->keeps_clock && !reg->was_final && !reg->is_late);
}


void
sim_hook_tell(sim_t *sim, sim_reg_t *reg, const char *type, pay_str_t data,
    int must_come)
{
    int64_t      delay;
    pay_str_t    more = PAY_STR("");
    sim_hook_t  *hook = sim_alloc(sim, sizeof(sim_hook_t));

    if (reg->payment_id.len != 0) {
        more = sim_format(sim, ",\"payment_id\":\"%s\"",
                          (const char *) reg->payment_id.data);
    }

    hook->reg = reg;
    hook->type = type;
    hook->at = sim->now;
    hook->id = sim_format(sim, "evt_%" PRIu64 "_%u", sim->scenario,
                          ++sim->names);
    hook->body = sim_format(sim,
        "{\"type\":\"%s\",\"id\":\"%s\",\"created\":%" PRId64
        ",\"data\":{\"token\":\"%s\"%.*s%.*s}}", type,
        (const char *) hook->id.data, sim->now / SIM_S,
        (const char *) reg->token.data, pay_fmt(more), pay_fmt(data));
    hook->is_gone = (sim->backfills || !must_come)
                    && sim_fault(sim, sim->faults.hook_lost);
    hook->next = reg->psp->hooks;
    reg->psp->hooks = hook;

    if (hook->is_gone) {
        sim_say(sim, "   webhook %.*s is never sent", pay_fmt(hook->id));
        return;
    }

    delay = sim_fault(sim, sim->faults.hook_late)
            ? sim_between(sim, 0, 30 * SIM_MIN)
            : sim_between(sim, 2 * SIM_MS, 3 * SIM_S);
    sim_after(sim, delay, hook_due, hook);
}


static void
hook_due(sim_t *sim, void *data)
{
    int64_t      pause;
    sim_hook_t  *hook = data;

    static const int64_t  pauses[] = { 5 * SIM_S, 20 * SIM_S, SIM_MIN,
                                       3 * SIM_MIN, 10 * SIM_MIN };

    if (hook->settled || hook->tries == TRIES_MAX) {
        return;
    }

    if (!sim_fault(sim, sim->faults.hook_lost)) {
        deliver(sim, hook, 0);
    }

    if (sim_fault(sim, sim->faults.hook_doubled)) {
        deliver(sim, hook, 0);
    }

    if (sim_fault(sim, sim->faults.hook_forged)) {
        deliver(sim, hook, 1);
    }

    /* again, unless it is answered by then */
    pause = sim->healed ? 20 * SIM_S
                        : pauses[hook->tries < 4 ? hook->tries : 4];
    hook->tries++;
    sim_after(sim, pause + sim_between(sim, 0, SIM_S), hook_due, hook);
}


static void
deliver(sim_t *sim, sim_hook_t *hook, int forged)
{
    unsigned              worker;
    sim_flow_t           *flow;
    delivery_t           *delivery;
    pay_webhook_input_t   in;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    delivery = sim_alloc(sim, sizeof(delivery_t));
    delivery->hook = hook;
    delivery->forged = forged;
    flow = sim_flow_new(sim, worker, answered, delivery);

    memset(&in, 0, sizeof(in));
    in.psp = &sim->psps[hook->reg->psp->index];
    flow->core.cell = in.psp->cell;
    in.body = hook->body;
    in.may_quarantine = 1;
    sign(sim, flow, &in, hook);

    if (forged) {
        forge(sim, &in, hook);
        sim->figures.forged++;

    } else {
        sim->figures.webhooks++;
    }

    if (pay_flow_webhook(&flow->core, &in) != PAY_OK) {
        sim_die("no webhook flow");
    }

    sim_say(sim, "w%u f%u webhook %.*s %s%s", worker, flow->number,
            pay_fmt(hook->id), hook->type, forged ? " (forged)" : "");
    sim_flow_start(flow);
}


static void
sign(sim_t *sim, sim_flow_t *flow, pay_webhook_input_t *in,
    const sim_hook_t *hook)
{
    size_t              count;
    pay_header_t       *headers = sim_alloc(sim, 4 * sizeof(pay_header_t));
    pay_sig_message_t   message = {
        &in->psp->settings, &sim->webhook_key, hook->id, sim->now / SIM_S,
        hook->body
    };

    if (in->psp->scheme->sign(flow->core.arena, &message, headers, &count)
        != PAY_OK)
    {
        sim_die("a webhook cannot be signed");
    }

    in->headers = headers;
    in->header_count = count;
}


/* "It is paid", with the signature of something else. */
static void
forge(sim_t *sim, pay_webhook_input_t *in, const sim_hook_t *hook)
{
    in->body = sim_format(sim,
        "{\"type\":\"registration.paid\",\"id\":\"%s\",\"created\":%" PRId64
        ",\"data\":{\"token\":\"%s\",\"nonce\":\"%s\",\"amount\":\"%s\","
        "\"currency\":\"%s\",\"payment_id\":\"pay_forged\"}}",
        (const char *) hook->id.data, sim->now / SIM_S,
        (const char *) hook->reg->token.data,
        (const char *) hook->reg->nonce.data,
        (const char *) hook->reg->amount.data,
        (const char *) hook->reg->currency.data);

    if (sim_chance(sim, 300)) {
        in->header_count = sim_below(sim, in->header_count);
    }
}


static void
answered(sim_flow_t *flow, const pay_reply_t *reply)
{
    sim_t       *sim = flow->sim;
    delivery_t  *delivery = flow->data;

    if (delivery->forged) {
        if (reply->status < 400) {
            sim_violation(sim, "a forged webhook is answered %u",
                          reply->status);
        }

        return;
    }

    if (reply->status >= 300) {
        return;
    }

    sim_judge_webhook(sim, delivery->hook);

    if (!sim_fault(sim, sim->faults.reply_lost)) {
        delivery->hook->settled = 1;
    }
}


void
sim_hook_again(sim_t *sim)
{
    unsigned     i;
    sim_hook_t  *hook;

    for (i = 0; i < SIM_PSPS; i++) {
        for (hook = sim->books[i].hooks; hook != NULL; hook = hook->next) {
            if (!hook->settled && !hook->is_gone
                && hook->tries == TRIES_MAX)
            {
                hook->tries = 0;
                sim_after(sim, sim_between(sim, 0, SIM_MIN), hook_due, hook);
            }
        }
    }
}

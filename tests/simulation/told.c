/*
 * The model providers' webhooks: signed, late, doubled, out of order, sent
 * until they are answered 2xx.
 */

#include <time.h>

#include "payout.h"


#define TRIES_MAX  200

typedef struct {
    unsigned    payer;
    pay_str_t   id;
    pay_str_t   body;
    unsigned    tries;
    int         is_settled;
} news_t;


static void news_due(sim_t *sim, void *data);
static int is_away(const sim_t *sim, const news_t *news);
static void deliver(sim_t *sim, news_t *news);
static void answered(sim_flow_t *flow, const pay_reply_t *reply);


void
sim_payer_tell(sim_t *sim, const sim_paid_t *paid)
{
    int64_t   delay;
    news_t   *news = sim_alloc(sim, sizeof(news_t));

    news->payer = paid->payer;
    news->id = sim_format(sim, "evp_%" PRIu64 "_%u", sim->scenario,
                          ++sim->names);
    news->body = sim_format(sim,
        "{\"id\":\"%s\",\"type\":\"payout.%s\",\"data\":%.*s}",
        (const char *) news->id.data, paid->status,
        pay_fmt(sim_payer_json(sim, paid)));

    delay = sim_fault(sim, sim->faults.hook_late)
            ? sim_between(sim, 0, 30 * SIM_MIN)
            : sim_between(sim, SIM_MS, 3 * SIM_S);
    sim_after(sim, delay, news_due, news);
}


pay_str_t
sim_payer_json(sim_t *sim, const sim_paid_t *paid)
{
    char       at[32];
    time_t     seconds = (time_t) (paid->at / SIM_S);
    struct tm  parts;

    (void) gmtime_r(&seconds, &parts);
    (void) strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &parts);

    return sim_format(sim, "{\"id\":\"%s\",\"key\":\"%s\",\"status\":\"%s\","
        "\"amount\":\"%s\",\"currency\":\"%s\",\"account_end\":\"%.*s\","
        "\"occurred_at\":\"%s.%06dZ\"%s%s%s}", (const char *) paid->id.data,
        (const char *) paid->key.data, paid->status,
        (const char *) paid->amount.data, (const char *) paid->currency.data,
        pay_fmt(paid->end), at, (int) (paid->at % SIM_S),
        paid->code ? ",\"code\":\"" : "", paid->code ? paid->code : "",
        paid->code ? "\"" : "");
}


static void
news_due(sim_t *sim, void *data)
{
    news_t  *news = data;

    if (news->is_settled || news->tries == TRIES_MAX) {
        return;
    }

    news->tries++;

    if (!is_away(sim, news) && !sim_fault(sim, sim->faults.hook_lost)) {
        deliver(sim, news);
    }

    if (!is_away(sim, news) && sim_fault(sim, sim->faults.hook_doubled)) {
        deliver(sim, news);
    }

    sim_after(sim, sim_between(sim, 5 * SIM_S, 5 * SIM_MIN), news_due, news);
}


/* Who has lost its answers has lost its messages, too. */
static int
is_away(const sim_t *sim, const news_t *news)
{
    const sim_psp_t  *psp = &sim->payouts->psps[news->payer];

    return !sim->healed && psp->mute_until != 0 && sim->now >= psp->mute_from
           && sim->now < psp->down_until;
}


static void
deliver(sim_t *sim, news_t *news)
{
    size_t               count;
    unsigned             worker;
    sim_flow_t          *flow;
    pay_header_t        *headers = sim_alloc(sim, 4 * sizeof(pay_header_t));
    sim_payouts_t       *payouts = sim->payouts;
    pay_sig_message_t    message = {
        &payouts->clients[news->payer].settings, &sim->webhook_key, news->id,
        sim->now / SIM_S, news->body
    };
    pay_webhook_input_t  in;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    flow = sim_flow_new(sim, worker, answered, news);
    memset(&in, 0, sizeof(in));
    in.psp = &payouts->clients[news->payer];
    in.payout = &payouts->providers[news->payer];
    in.body = news->body;

    if (in.psp->scheme->sign(flow->core.arena, &message, headers, &count)
        != PAY_OK)
    {
        sim_die("a webhook cannot be signed");
    }

    in.headers = headers;
    in.header_count = count;
    sim->figures.webhooks++;

    if (pay_flow_webhook(&flow->core, &in) != PAY_OK) {
        sim_die("no webhook flow");
    }

    sim_flow_start(flow);
}


/* I6: what is answered 2xx is stored. */
static void
answered(sim_flow_t *flow, const pay_reply_t *reply)
{
    news_t      *news = flow->data;
    sim_t       *sim = flow->sim;
    sim_rows_t   found;

    if (reply->status >= 300) {
        return;
    }

    found = sim_db_ask(sim->db, "SELECT FROM pay.payout_event WHERE "
        "merchant_id = $1 AND event_id = $2", 2,
        sim_text(sim, sim->merchant.id), sim_text(sim, news->id));

    if (found.rows != 1) {
        sim_violation(sim, "I6: %.*s was answered 2xx and is not stored",
                      pay_fmt(news->id));
    }

    if (!sim_fault(sim, sim->faults.reply_lost)) {
        news->is_settled = 1;
    }
}

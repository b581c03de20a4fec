/*
 * What a scenario has in store: how the gateway and its PSPs are set up, what
 * breaks and how often, who buys what.  Each fault is left out of half of the
 * scenarios, so that the others are seen alone, too.
 */

#include "cells.h"


#define EPOCH_S       INT64_C(1798761600)      /* 2027-01-01 */
#define SPACING_S     INT64_C(691200)          /* between two scenarios */
#define SPACES        3600                     /* until 2105 */
#define ACTIVE_MAX    (40 * SIM_MIN)
#define POSTS_MAX     8


static unsigned plan_posts(sim_t *sim);
static void plan_faults(sim_t *sim);
static unsigned rate(sim_t *sim, unsigned most);
static void plan_psp(sim_t *sim, unsigned i);
static void plan_env(sim_t *sim);
static void plan_accidents(sim_t *sim);
static void clock_jumps(sim_t *sim, void *data);
static void plan_post(sim_t *sim, const sim_post_t *old, int64_t at);
static int64_t opens_within(sim_t *sim);
static void plan_terms(sim_t *sim, sim_post_t *post);
static pay_str_t make_body(sim_t *sim, sim_post_t *post, int64_t minor,
    const char *psp);


static const pay_str_t  page_hosts[SIM_PSPS][1] = {
    { pay_string("page0.psp.example") }, { pay_string("page1.psp.example") }
};
static const pay_str_t  shop_hosts[] = { pay_string("shop.example.com") };

static const pay_retry_t  retries[PAY_RETRY_COUNT] = {
    [PAY_RETRY_REGISTER] = { PAY_RETRY_EXPONENTIAL, 1000, 60000, 25, 100 },
    [PAY_RETRY_POLL] = { PAY_RETRY_EXPONENTIAL, 5000, 300000, 0, 100 },
    [PAY_RETRY_REFUND] = { PAY_RETRY_EXPONENTIAL, 5000, 3600000, 25, 50 }
};


void
sim_plan(sim_t *sim)
{
    unsigned  i, n;

    sim->started = (EPOCH_S + SPACING_S * (int64_t) (sim->scenario % SPACES))
                   * SIM_S;

    /* hours end in the midst of it */
    if (sim_has_risk(sim)) {
        sim->started += sim_between(sim, 0, SIM_HOUR - 1);
    }

    sim->now = sim->started;

    for (i = 0; i < SIM_CELLS; i++) {
        sim->dues[i].pump_at = INT64_MAX;
    }

    sim->keeps_clock = (sim_chance(sim, 750)
                        && !sim_steered(sim, SIM_STEER_CLOCKS))
                       || sim_has_cells(sim);
    sim->backfills = sim_chance(sim, 300);
    sim->comes_late = (sim_chance(sim, 120) || sim_steered(sim, SIM_STEER_LATE))
                      && !sim_pays_out(sim);
    sim->sells = sim_chance(sim, 400) || sim_pays_out(sim)
                 || sim_has_cells(sim)
                 || sim_steered(sim, SIM_STEER_SALES);
    sim->heal_at = sim->now + sim_between(sim, SIM_MIN, ACTIVE_MAX);

    if (sim->sells) {
        sim->heal_at += 20 * SIM_MIN;
    }

    if (sim_pays_out(sim) && sim_chance(sim, 300)) {
        sim->heal_at += sim_between(sim, SIM_HOUR, 4 * SIM_HOUR);

    } else if (sim_chance(sim, 100)) {
        sim->heal_at += sim_between(sim, 0, 3 * SIM_HOUR);
    }

    plan_faults(sim);
    plan_env(sim);

    for (i = 0; i < SIM_PSPS; i++) {
        plan_psp(sim, i);
    }

    for (i = 0; i < SIM_WORKERS; i++) {
        sim->workers[i].up = 1;
        sim->workers[i].owner = sim_format(sim, "w%u-0", i);
    }

    sim_rates_plan(sim);
    plan_accidents(sim);
    n = plan_posts(sim);

    /* not by chance: what happens in the others depends on no such draw */
    sim->replaces = sim->scenario % 3 == 2
                    || sim_steered(sim, SIM_STEER_REPLACES);

    for (i = 0; i < n; i++) {
        plan_post(sim, NULL, 0);
    }

    sim_at(sim, sim->heal_at, sim_heal, NULL);
}


/* How many storefronts there are. */
static unsigned
plan_posts(sim_t *sim)
{
    unsigned  n = 1 + (unsigned) sim_below(sim, 3);

    /* an item is made of what several orders have brought */
    if (sim_pays_out(sim)) {
        n += (unsigned) sim_below(sim, 4);
    }

    if (sim_has_risk(sim)) {
        sim_risk_plan(sim);
        n += 1 + (unsigned) sim_below(sim, 4);
    }

    if (sim_has_cells(sim)) {
        n += 2 + (unsigned) sim_below(sim, 4);
    }

    return n;
}


static void
plan_faults(sim_t *sim)
{
    sim_faults_t  *f = &sim->faults;

    f->db_unsent = rate(sim, 100);
    f->db_lost = rate(sim, 60);
    f->db_ack_lost = rate(sim, 150);
    f->db_error = rate(sim, 40);
    f->db_slow = rate(sim, 100);
    f->net_refused = rate(sim, 250);
    f->net_lost = rate(sim, 200);
    f->net_answer_lost = rate(sim, 300);
    f->net_late = rate(sim, 150);
    f->net_cut = rate(sim, 150);
    f->net_doubled = rate(sim, 200);
    f->net_resent = rate(sim, 200);
    f->psp_error = rate(sim, 200);
    f->psp_busy = rate(sim, 200);
    f->psp_refuses = rate(sim, 150);
    f->psp_malformed = rate(sim, 100);
    f->psp_conflict = rate(sim, 100);
    f->hook_lost = rate(sim, 400);
    f->hook_doubled = rate(sim, 300);
    f->hook_late = rate(sim, 400);
    f->hook_forged = rate(sim, 200);
    f->reply_lost = rate(sim, 300);
    f->other_body = rate(sim, 300);
    f->twin = rate(sim, 600);
    f->fails_later = rate(sim, 400);
    f->outside = rate(sim, 600);
    f->disputed = rate(sim, 400);

    if (sim_steered(sim, SIM_STEER_REVERSALS)) {
        f->hook_late = 400;
        f->outside = 600;
        f->disputed = 400;
    }

    if (sim_steered(sim, SIM_STEER_COPIES)) {
        f->net_resent = 200;
        f->psp_busy = 200;
        f->psp_refuses = 150;
    }

    if (sim_steered(sim, SIM_STEER_MOVES)) {
        f->net_refused = 250;
        f->net_late = 150;
    }

    if (sim_steered(sim, SIM_STEER_RETURNS)) {
        f->fails_later = 400;
    }
}


static unsigned
rate(sim_t *sim, unsigned most)
{
    return sim_chance(sim, 500) ? 0 : (unsigned) sim_below(sim, most + 1);
}


static void
plan_env(sim_t *sim)
{
    unsigned                 i;
    const pay_sig_scheme_t  *scheme;

    scheme = pay_sig_find(pay_str_of("standardwebhooks"));

    if (scheme->key_parse(PAY_STR("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"),
                          &sim->webhook_key, NULL) != PAY_OK)
    {
        sim_die("no webhook key");
    }

    for (i = 0; i < SIM_PSPS; i++) {
        sim->psps[i].scheme = scheme;
        sim->psps[i].webhook_keys = &sim->webhook_key;
        sim->psps[i].webhook_key_count = 1;
        sim->psps[i].webhook_tolerance_s = PAY_SIG_TOLERANCE_S;
        sim->offered[i] = &sim->psps[i];
    }

    sim->merchant.id = sim_format(sim, "m%" PRIu64, sim->scenario);
    sim->merchant.return_hosts = shop_hosts;
    sim->merchant.return_host_count = 1;
    sim->merchant.psps = sim->offered;
    sim->merchant.psp_count = 1 + sim_below(sim, SIM_PSPS);

    if (sim_steered(sim, SIM_STEER_MOVES)) {
        sim->merchant.psp_count = SIM_PSPS;
    }

    sim->env.psps = sim->psps;
    sim->env.psp_count = SIM_PSPS;
    sim->env.merchants = &sim->merchant;
    sim->env.merchant_count = 1;
    sim->env.lease_ms = 15000;
    sim->env.poll_after_ms = 5000;
    sim->env.late = (pay_late_t) sim_below(sim, 3);

    if (sim_steered(sim, SIM_STEER_LATE)) {
        sim->env.late = PAY_LATE_REFUND;
    }
}


static void
plan_psp(sim_t *sim, unsigned i)
{
    unsigned            k, hours;
    sim_psp_t          *books = &sim->books[i];
    pay_psp_conf_t     *psp = &sim->psps[i];
    pay_psp_adapter_t  *adapter = &sim->adapters[i];

    static const unsigned  windows[] = { 24, 24, 1, 1, 0 };

    hours = windows[sim_below(sim, sizeof(windows) / sizeof(windows[0]))];
    *adapter = *pay_psp_find(pay_str_of("generic"));
    adapter->key_window_hours = hours;

    for (k = 0; k < PAY_PSP_CHANGE_COUNT; k++) {
        adapter->change_window_hours[k] = hours;
    }

    /* closing a page twice is closing it */
    adapter->change_window_hours[PAY_PSP_EXPIRE] = PAY_PSP_ALWAYS_HOURS;

    books->index = i;
    books->window = hours * SIM_HOUR;
    books->captures = sim_chance(sim, 250);
    books->lingers = sim_chance(sim, 200);
    books->close_lag = sim->comes_late ? 90 * SIM_MIN
                       : sim_chance(sim, 500) ? 0
                       : sim_between(sim, 0, 90 * SIM_MIN);

    if (books->lingers) {
        adapter->traits |= PAY_PSP_LINGERS;
    }

    if (sim_chance(sim, 500)) {
        adapter->find_request = NULL;
        adapter->find_answer = NULL;
    }

    psp->name = sim_format(sim, "%c%" PRIu64, 'a' + (int) i, sim->scenario);
    psp->adapter = adapter;
    psp->account.base_url = sim_format(sim, "https://api%u.psp.example/x", i);
    psp->account.api_key = PAY_STR("key");
    psp->hosted_hosts = page_hosts[i];
    psp->hosted_host_count = 1;
    psp->index = i;
    psp->backfill_ms = 600000;
    memcpy(psp->retry, retries, sizeof(retries));

    for (k = 0; k < PAY_RETRY_COUNT; k++) {
        if (sim_chance(sim, 150)) {
            psp->retry[k].limit = 2 + (unsigned) sim_below(sim, 4);
        }
    }

    if (sim->backfills) {
        sim_backfill(sim, books);
    }
}


static void
plan_accidents(sim_t *sim)
{
    unsigned    i, n;
    int64_t     length;
    sim_psp_t  *psp;

    length = sim->heal_at - sim->now;
    n = sim_chance(sim, 500) ? 0 : (unsigned) sim_below(sim, 6);

    for (i = 0; i < n; i++) {
        /* mostly at first, when most is going on */
        sim_after(sim, sim_between(sim, 0, sim_chance(sim, 700)
                                           ? SIM_MIN : length),
                  sim_worker_kill, &sim->workers[i % SIM_WORKERS]);
    }

    n = sim_chance(sim, 600) ? 0 : (unsigned) sim_below(sim, 5);

    for (i = 0; i < n; i++) {
        sim_after(sim, sim_between(sim, 0, sim_chance(sim, 700)
                                           ? SIM_MIN : length),
                  sim_worker_pause, &sim->workers[sim_below(sim,
                                                            SIM_WORKERS)]);
    }

    for (i = 0; i < SIM_PSPS; i++) {
        if (sim_chance(sim, 300)) {
            psp = &sim->books[i];
            psp->down_from = sim->now + sim_between(sim, 0, SIM_MIN);
            psp->down_until = psp->down_from + sim_between(sim, 0, length);
        }
    }

    for (i = 0; i < 2; i++) {
        sim_after(sim, sim_between(sim, 0, length), sim_sweep, NULL);
    }

    if (!sim->keeps_clock) {
        sim_after(sim, sim_between(sim, 0, 5 * SIM_MIN), clock_jumps, NULL);
        sim_after(sim, sim_between(sim, 0, length), clock_jumps, NULL);
    }
}


/* PostgreSQL's goes back by less than what PSPs keep keys for beyond their
 * promise: a key window is longer by as much as a clock is set back.  And it
 * is nearly right where lists of events are asked for by time. */
static void
clock_jumps(sim_t *sim, void *data)
{
    unsigned  i = (unsigned) sim_below(sim, SIM_WORKERS + 2);

    (void) data;

    if (sim->healed) {
        return;
    }

    if (i < SIM_WORKERS) {
        sim->workers[i].clock_off = sim_between(sim, -2 * SIM_HOUR,
                                                2 * SIM_HOUR);
        sim_say(sim, "the clock of worker %u is off by %d s", i,
                (int) (sim->workers[i].clock_off / SIM_S));

    } else {
        sim->db_off += sim_between(sim, -SIM_MIN,
                                   sim->backfills || sim_chance(sim, 500)
                                   ? SIM_MIN : 2 * SIM_HOUR);
        sim->dirty = ~0u;
        sim_say(sim, "PostgreSQL's clock is off by %d s",
                (int) (sim->db_off / SIM_S));
    }
}


static void
plan_post(sim_t *sim, const sim_post_t *old, int64_t at)
{
    unsigned     n = sim->post_count++;
    sim_post_t  *post = sim_alloc(sim, sizeof(sim_post_t));

    post->number = n;
    post->replaces = old;
    post->first = old ? old->first : post;
    post->key = sim_format(sim, "key-%" PRIu64 "-%u-0123456789abcdef",
                           sim->scenario, n);
    post->checkout_id = sim_format(sim, "c%" PRIu64 "-%u", sim->scenario, n);
    plan_terms(sim, post);

    if (old == NULL) {
        at = sim->now + sim_between(sim, 0, opens_within(sim));
    }

    post->stop_at = at + 10 * SIM_MIN;
    post->next = sim->posts;
    sim->posts = post;
    sim_shop_open(sim, post, at);

    /* and again, at times by two who do not know of each other */
    while (sim->replaces && sim->post_count < POSTS_MAX
           && sim_chance(sim, old ? 350 : 700))
    {
        plan_post(sim, post, sim_replace_at(sim, at));
    }
}


/* Windows of risk are to end meanwhile, and a merchant to move. */
static int64_t
opens_within(sim_t *sim)
{
    if ((sim->risk == NULL && !sim_has_cells(sim)) || !sim_chance(sim, 500)) {
        return 20 * SIM_S;
    }

    return sim->risk != NULL || sim_steered(sim, SIM_STEER_FENCE)
           ? sim->heal_at - sim->now : 4 * SIM_MIN;
}


static void
plan_terms(sim_t *sim, sim_post_t *post)
{
    int64_t      minor;
    unsigned     i, n = post->number;
    const char  *psp;

    post->order_count = sim_chance(sim, 600)
                        || sim_steered(sim, SIM_STEER_MANUAL) ? 1
                        : 2 + (unsigned) sim_below(sim, 2);
    post->buyer = sim->comes_late ? SIM_BUYER_LATE
                  : sim_steered(sim, SIM_STEER_TWICE) ? SIM_BUYER_TWICE
                  : sim->sells ? SIM_BUYER_PAYS
                  : (sim_buyer_kind_t) sim_below(sim, SIM_BUYER_KINDS);
    post->expires_in_s = sim_chance(sim, 900) ? sim_between(sim, 60, 900)
                         : sim_between(sim, 3600, 3 * 3600);

    for (i = 0; i < post->order_count; i++) {
        post->orders[i] = sim_format(sim, "o%" PRIu64 "-%u-%u",
                                     sim->scenario, n, i);
        post->credits[i] = sim->source_count == 0 || sim_chance(sim, 200) ? 0
                           : 1 + (unsigned) sim_below(sim,
                                                      SIM_CURRENCIES - 1);
    }

    minor = sim_between(sim, 100, 99999);
    post->minor = minor;
    post->is_manual = post->order_count == 1
                      && (sim_chance(sim, 500)
                          || sim_steered(sim, SIM_STEER_MANUAL));
    psp = sim_chance(sim, 200) ? (const char *) sim->psps[0].name.data : NULL;
    post->body = make_body(sim, post, minor, psp);
    post->other_body = make_body(sim, post, minor + 1, psp);
}


static pay_str_t
make_body(sim_t *sim, sim_post_t *post, int64_t minor, const char *psp)
{
    unsigned           i;
    pay_str_t          orders = PAY_STR("");
    pay_str_t          fee = sim_fee_member(sim, minor);
    const char        *credit;
    const sim_post_t  *old = post->replaces;
    pay_str_t          buyer = sim->risk == NULL
                               ? PAY_STR("\"email\":\"b@example.com\"")
                               : sim_risk_buyer(sim, post);

    for (i = 0; i < post->order_count; i++) {
        credit = sim->source_count == 0 ? NULL
                 : sim_currencies[post->credits[i]].code;
        orders = sim_format(sim, "%.*s%s{\"payment_order_id\":\"%s\","
            "\"seller_account\":\"seller\",\"amount\":\"%d.%02d\","
            "\"currency\":\"EUR\"%s%s%s%.*s}", pay_fmt(orders), i ? "," : "",
            (const char *) post->orders[i].data, (int) (minor / 100),
            (int) (minor % 100), credit ? ",\"credit_currency\":\"" : "",
            credit ? credit : "", credit ? "\"" : "",
            pay_fmt(fee));
    }

    return sim_format(sim, "{\"checkout_id\":\"%s\",\"buyer_info\":"
        "{%.*s},\"return_url\":"
        "\"https://shop.example.com/done\",\"expires_in\":%d,%s%s%s%s%s%s%s%s"
        "\"payment_orders\":[%.*s]}", (const char *) post->checkout_id.data,
        pay_fmt(buyer), (int) post->expires_in_s, psp ? "\"psp\":\"" : "",
        psp ? psp : "", psp ? "\"," : "",
        post->is_manual ? "\"capture\":\"manual\"," : "",
        old ? "\"replaces\":\"" : "",
        old ? (const char *) old->checkout_id.data : "",
        old ? "\"," : "", sim_fee_method(sim, minor), pay_fmt(orders));
}

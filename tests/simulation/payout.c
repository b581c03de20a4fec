/*
 * Those who pay sellers out: a treasurer who says what is delivered, makes
 * items and batches, holds and gives up, and a second person who approves; and
 * the workers, which call the provider as long as a call may be due.
 */

#include <stdio.h>

#include "payout.h"


#define ROUNDS     6
#define STEPS_MAX  2000        /* looks for a call behind the healing */
#define NEVER      INT64_MAX
#define IBAN       "DE89370400440532013000"
#define SELLER     "seller"
#define DETAILS    "{\"iban\":\"" IBAN "\",\"name\":\"Jane Miller\"}"

typedef struct {
    const char  *id;
    const char  *hash;
} batch_t;


static void plan_provider(sim_t *sim);
static void plan_accounts(sim_t *sim);
static void enter_account(sim_t *sim, const char *currency);
static const char *sealed(sim_t *sim, const char *currency);
static void treasurer(sim_t *sim, void *unused);
static const char *act(sim_t *sim, const char *sql, const char *first,
    const char *second, const char *third);
static void release_orders(sim_t *sim);
static void disturb(sim_t *sim);
static void make_batches(sim_t *sim);
static void approver(sim_t *sim, void *data);
static void worker_looks(sim_t *sim, void *unused);
static void look(sim_t *sim);
static int64_t next_due(sim_t *sim);


int
sim_pays_out(const sim_t *sim)
{
    return sim->scenario % sim->payouts_in == 0;
}


void
sim_payouts_plan(sim_t *sim)
{
    unsigned  i;

    sim->payouts = sim_alloc(sim, sizeof(sim_payouts_t));
    plan_provider(sim);
    plan_accounts(sim);

    for (i = 0; i < ROUNDS; i++) {
        sim_after(sim, sim_between(sim, SIM_MIN, sim->heal_at - sim->now),
                  treasurer, NULL);
    }

    /* what was sold to the last is paid out, too */
    sim_at(sim, sim->heal_at + 10 * SIM_MIN, treasurer, NULL);
    sim_at(sim, sim->heal_at + 40 * SIM_MIN, treasurer, NULL);
    sim_after(sim, SIM_PAYOUT_STEP, worker_looks, NULL);
}


sim_psp_t *
sim_payouts_psp(sim_t *sim)
{
    return &sim->payouts->psp;
}


static void
plan_provider(sim_t *sim)
{
    unsigned               hours;
    sim_payouts_t         *payouts = sim->payouts;
    pay_psp_conf_t        *client = &payouts->client;
    pay_payout_provider_t *provider = &payouts->provider;

    static const unsigned  windows[] = { 24, 24, 1, 0 };

    hours = windows[sim_below(sim, sizeof(windows) / sizeof(windows[0]))];
    payouts->adapter = pay_payout_generic;
    payouts->adapter.steps[0].window_hours = hours;

    /* without a key a request may be on its way while it is looked for */
    if (hours == 0) {
        payouts->adapter.looks = 2;
        payouts->adapter.look_gap_s = 300;
    }

    payouts->psp.index = SIM_PSPS;
    payouts->psp.window = hours * SIM_HOUR;

    if (sim_chance(sim, 300)) {
        payouts->psp.down_from = sim->now + sim_between(sim, 0, 20 * SIM_MIN);
        payouts->psp.down_until = payouts->psp.down_from
                                  + sim_between(sim, 0, SIM_HOUR);
    }

    if (pay_keyring_read(PAY_STR("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
                                 "Hh8=\n"), &payouts->ring, NULL)
        != PAY_OK)
    {
        sim_die("no keyring");
    }

    *client = sim->psps[0];
    client->name = PAY_STR("payout/bridge");
    client->adapter = NULL;

    provider->name = PAY_STR("bridge");
    provider->merchant_id = sim->merchant.id;
    provider->adapter = &payouts->adapter;
    provider->account.call.base_url = PAY_STR("https://pay.example");
    provider->account.call.api_key = PAY_STR("key");
    provider->client = client;
    provider->lease_ms = 60000;

    sim->env.payouts = provider;
    sim->env.payout_count = 1;
    sim->env.keyring = &payouts->ring;
}


static void
plan_accounts(sim_t *sim)
{
    unsigned     i;
    const char  *merchant = sim_text(sim, sim->merchant.id);

    (void) sim_db_ask(sim->db, "SELECT pay_ops.set_payout_provider($1, "
        "'bridge', 'generic', '{iban}', NULL, NULL, 'sue', 'test')", 1,
        merchant);
    (void) sim_db_ask(sim->db, "SELECT pay_ops.set_payout_limit($1, '***', "
        "1000000, 2000000, 'sue', 'test')", 1, merchant);

    /* else only the first account of a seller may be paid to soon */
    if (sim_chance(sim, 850)) {
        (void) sim_db_ask(sim->db, "SELECT pay_ops.set_payout_policy($1, "
            "'sue', 'test', p_cooling_off_hours => 0)", 1, merchant);
    }

    if (sim_chance(sim, 300)) {
        (void) sim_db_ask(sim->db, "SELECT pay_ops.set_payout_policy($1, "
            "'sue', 'test', p_reserve_percent => 10, p_reserve_days => 1)", 1,
            merchant);
    }

    for (i = 0; i < SIM_CURRENCIES; i++) {
        enter_account(sim, sim_currencies[i].code);
    }
}


static void
enter_account(sim_t *sim, const char *currency)
{
    (void) sim_db_ask(sim->db, "SELECT s.outcome FROM "
        "pay_ops.store_destination($1, '" SELLER "', $2, 'bridge', 'iban', "
        "'DE', '" IBAN "', $3::text::bytea, 'k1', 'sue', 'test') s", 3,
        sim_text(sim, sim->merchant.id), currency, sealed(sim, currency));

    if (strcmp(sim_db_cell(sim->db, 0, 0), "stored") != 0) {
        sim_die("an account is not stored: %s", sim_db_cell(sim->db, 0, 0));
    }
}


static const char *
sealed(sim_t *sim, const char *currency)
{
    size_t          i, len;
    char           *hex;
    pay_str_t       place, clear = PAY_STR(DETAILS);
    unsigned char   bytes[PAY_KEYRING_NONCE + sizeof(DETAILS)
                          + PAY_KEYRING_TAG];

    for (i = 0; i < PAY_KEYRING_NONCE; i++) {
        bytes[i] = (unsigned char) sim_random(sim);
    }

    place = sim_format(sim, "payments payout account 1\n%.*s\n" SELLER "\n%s",
                       pay_fmt(sim->merchant.id), currency);

    if (pay_keyring_seal(&sim->payouts->ring, bytes, place, clear,
                         &bytes[PAY_KEYRING_NONCE])
        != PAY_OK)
    {
        sim_die("an account cannot be sealed");
    }

    len = PAY_KEYRING_NONCE + clear.len + PAY_KEYRING_TAG;
    hex = sim_alloc(sim, 2 * len + 3);
    hex[0] = '\\';
    hex[1] = 'x';

    for (i = 0; i < len; i++) {
        (void) snprintf(&hex[2 + 2 * i], 3, "%02x", bytes[i]);
    }

    return hex;
}


static void
treasurer(sim_t *sim, void *unused)
{
    (void) unused;

    release_orders(sim);
    disturb(sim);
    sim_say(sim, "people: make pay-outs: %s",
            act(sim, "SELECT coalesce(string_agg(concat_ws(' ', m.currency, "
                "m.outcome, m.amount_minor), ', ' ORDER BY m.currency), '') "
                "FROM pay_ops.make_payouts($1, '" SELLER "', NULL, 'max') m",
                NULL, NULL, NULL));
    make_batches(sim);
}


/* As payctl does it; $1 is the merchant. */
static const char *
act(sim_t *sim, const char *sql, const char *first, const char *second,
    const char *third)
{
    unsigned     count = 1 + (first != NULL) + (second != NULL)
                         + (third != NULL);
    const char  *said;

    said = sim_db_operate(sim->db, sql, count,
                          sim_text(sim, sim->merchant.id), first, second,
                          third);

    if (said == NULL) {
        sim_violation(sim, "P6: an act fails: %s", sim_db_why(sim->db));
        return "";
    }

    return sim_text(sim, pay_str_of(said));
}


static void
release_orders(sim_t *sim)
{
    int          i, count = 0;
    const char  *ids[32], *merchant = sim_text(sim, sim->merchant.id);
    sim_rows_t   found;

    found = sim_db_ask(sim->db, "SELECT payment_order_id FROM "
        "pay.payment_order WHERE merchant_id = $1 AND status = 'SUCCESS' "
        "ORDER BY 1", 1, merchant);

    for (i = 0; i < found.rows && i < 32; i++) {
        ids[count++] = sim_text(sim, pay_str_of(sim_db_cell(sim->db, i, 0)));
    }

    for (i = 0; i < count; i++) {
        if (sim->healed || sim_chance(sim, 700)) {
            (void) sim_db_ask(sim->db, "SELECT pay_ops.release_order($1, $2, "
                "'max', 'delivered')", 2, merchant, ids[i]);

        } else if (sim_chance(sim, 300)) {
            (void) sim_db_ask(sim->db, "SELECT pay_ops.unrelease_order($1, "
                "$2, 'max', 'an error')", 2, merchant, ids[i]);
        }
    }
}


/* What people may do to items and accounts at any time. */
static void
disturb(sim_t *sim)
{
    const char  *merchant = sim_text(sim, sim->merchant.id);

    if (sim_fault(sim, 200)) {
        (void) sim_db_ask(sim->db, "SELECT p.payout_id, "
            "pay_ops.cancel_payout($1, p.payout_id, 'max', 'wrong') FROM "
            "(SELECT payout_id FROM pay.payout WHERE merchant_id = $1 ORDER "
            "BY payout_id LIMIT 1) p", 1, merchant);
    }

    if (sim_chance(sim, 150)) {
        (void) sim_db_ask(sim->db, "SELECT p.payout_id, pay_ops.hold_payout("
            "$1, p.payout_id, p.state <> 'held', 'max', 'a look') FROM "
            "(SELECT payout_id, state FROM pay.payout WHERE merchant_id = $1 "
            "ORDER BY payout_id DESC LIMIT 1) p", 1, merchant);
    }

    if (sim->healed || sim_chance(sim, 500)) {
        (void) sim_db_ask(sim->db, "SELECT pay_ops.settle_destination($1, "
            "a.destination_id, 'open', 'max', 'asked') FROM "
            "pay.payout_account a WHERE a.merchant_id = $1 AND a.state = "
            "'suspect'", 1, merchant);
    }

    if (sim_fault(sim, 50)) {
        enter_account(sim, sim_currencies[0].code);
    }
}


static void
make_batches(sim_t *sim)
{
    unsigned     i;
    batch_t     *batch;
    const char  *merchant = sim_text(sim, sim->merchant.id);

    for (i = 0; i < SIM_CURRENCIES; i++) {
        (void) sim_db_ask(sim->db, "SELECT outcome, batch_id, hash FROM "
            "pay_ops.make_payout_batch($1, 'bridge', $2, 10, 'max')", 2,
            merchant, sim_currencies[i].code);

        if (strcmp(sim_db_cell(sim->db, 0, 0), "made") != 0) {
            continue;
        }

        batch = sim_alloc(sim, sizeof(batch_t));
        batch->id = sim_text(sim, pay_str_of(sim_db_cell(sim->db, 0, 1)));
        batch->hash = sim_text(sim, pay_str_of(sim_db_cell(sim->db, 0, 2)));
        sim_after(sim, sim_between(sim, SIM_S, 5 * SIM_MIN), approver, batch);

        if (sim_chance(sim, 200)) {
            sim_after(sim, sim_between(sim, SIM_S, 5 * SIM_MIN), approver,
                      batch);
        }
    }
}


/* At times the one who has made it tries first. */
static void
approver(sim_t *sim, void *data)
{
    const char     *said, *who = sim_chance(sim, 100) ? "max" : "ann";
    const batch_t  *batch = data;

    said = act(sim, "SELECT pay_ops.approve_payout_batch($1, $2, $3, $4)",
               batch->id, batch->hash, who);
    sim_say(sim, "people: %s approves a batch: %s", who, said);

    if (strcmp(who, "max") == 0) {
        if (strcmp(said, "approved") == 0) {
            sim_violation(sim, "P6: the maker of a batch has approved it");
        }

        sim_after(sim, SIM_MIN, approver, data);
    }
}


/* As ngx_payments_payouts.c: each look asks for one call.  Real workers look
 * all the time; here one looks when there is something, at times another one,
 * too. */
static void
worker_looks(sim_t *sim, void *unused)
{
    int             is_last = sim->now > sim->heal_at + SIM_HOUR;
    int64_t         due = next_due(sim), pause;
    sim_payouts_t  *payouts = sim->payouts;

    (void) unused;

    if (is_last && (due == NEVER || ++payouts->steps > STEPS_MAX)) {
        return;
    }

    pause = sim_between(sim, SIM_S, SIM_PAYOUT_STEP);

    if (due > sim->now && (is_last || sim_chance(sim, 950))) {
        sim_after(sim, is_last && due - sim->now > pause ? due - sim->now
                       : pause, worker_looks, NULL);
        return;
    }

    look(sim);

    if (sim_chance(sim, 100)) {
        look(sim);
    }

    sim_after(sim, pause, worker_looks, NULL);
}


static void
look(sim_t *sim)
{
    unsigned        worker;
    sim_flow_t     *flow;
    sim_payouts_t  *payouts = sim->payouts;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    flow = sim_flow_new(sim, worker, NULL, NULL);

    if (pay_flow_payout(&flow->core, &payouts->provider,
                        sim->workers[worker].owner)
        != PAY_OK)
    {
        sim_die("no flow of a pay-out");
    }

    sim_flow_start(flow);
}


/* When a call may be due, by the simulator's clock; NEVER: nothing is under
 * way. */
static int64_t
next_due(sim_t *sim)
{
    const char  *cell;

    (void) sim_db_ask(sim->db, "SELECT (extract(epoch FROM min(CASE WHEN "
        "p.state = 'approved' THEN coalesce(s.run_at, 'epoch') ELSE "
        "greatest(s.run_at, s.lease_until) END)) * 1000000)::bigint FROM "
        "pay.payout p LEFT JOIN pay.payout_sending s USING (merchant_id, "
        "payout_id) WHERE p.merchant_id = $1 AND p.state IN ('approved', "
        "'sending', 'unknown', 'sent')", 1,
        sim_text(sim, sim->merchant.id));
    cell = sim_db_cell(sim->db, 0, 0);

    return *cell == '\0' ? NEVER : strtoll(cell, NULL, 10) - sim->db_off;
}

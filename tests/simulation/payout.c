/*
 * Sellers are paid out: two providers, the accounts of a seller, and workers,
 * which call as long as a call may be due, and die at each step of it.
 */

#include <stdio.h>

#include "payout.h"


#define STEPS_MAX  2000        /* looks for a call behind the healing */
#define NEVER      INT64_MAX
#define LAST       (68 * SIM_HOUR)    /* look, behind the healing */
#define IBAN       "DE89370400440532013000"
#define DETAILS    "{\"iban\":\"" IBAN "\",\"name\":\"Jane Miller\"}"


static int is_long(const sim_t *sim);
static void plan_adapter(sim_t *sim);
static void plan_provider(sim_t *sim, unsigned i);
static void plan_accounts(sim_t *sim);
static const char *sealed(sim_t *sim, const char *currency);
static void worker_looks(sim_t *sim, void *unused);
static void look(sim_t *sim, unsigned payer);
static int64_t next_due(sim_t *sim, unsigned *payer);
static const char *coming_back(sim_t *sim);


const char *const  sim_payers[SIM_PAYERS] = { "bridge", "ferry" };

static const struct {
    pay_op_id_t  op;
    sim_step_t   before, behind;
} steps[] = {
    { PAY_OP_BEGIN_PAYOUT_CALL, SIM_STEP_ASKS, SIM_STEP_CLAIMED },
    { PAY_OP_END_PAYOUT_CALL, SIM_STEP_ANSWERED, SIM_STEP_ENDED },
    { PAY_OP_TELL_PAYOUT_EVENT, SIM_STEP_MESSAGE, SIM_STEP_TOLD },
    { PAY_OP_MAKE_PAYOUT, SIM_STEP_REQUEST, SIM_STEP_DONE },
    { PAY_OP_ACT_ON_PAYOUT_BATCH, SIM_STEP_REQUEST, SIM_STEP_DONE },
    { PAY_OP_MAKE_DUE_PAYOUTS, SIM_STEP_REQUEST, SIM_STEP_DONE }
};


int
sim_pays_out(const sim_t *sim)
{
    return sim->payouts_in != 0 && !sim_has_cells(sim)
           && sim->scenario % sim->payouts_in == 0;
}


void
sim_payouts_plan(sim_t *sim)
{
    unsigned  i;

    sim->payouts = sim_alloc(sim, sizeof(sim_payouts_t));
    plan_adapter(sim);

    for (i = 0; i < SIM_PAYERS; i++) {
        plan_provider(sim, i);
    }

    plan_accounts(sim);

    sim->figures.payers++;
    sim->payouts->dies = sim_chance(sim, 500) ? 0
                         : (unsigned) sim_below(sim, 100);
    sim->payouts->dies_at = (sim_step_t) (sim->scenario / sim->payouts_in
                                          % SIM_STEPS);
    sim->payouts->dies_in = (unsigned) sim_below(sim, 4);

    if (sim_chance(sim, 250)) {
        sim->faults.fails_later = 100 + (unsigned) sim_below(sim, 300);
    }

    sim_people_plan(sim);
    sim_after(sim, SIM_PAYOUT_STEP, worker_looks, NULL);
}


sim_psp_t *
sim_payouts_psp(sim_t *sim, const pay_payout_provider_t *provider)
{
    return &sim->payouts->psps[provider - sim->payouts->providers];
}


void
sim_payout_step(sim_t *sim, unsigned worker, sim_step_t step)
{
    int             dies = 0;
    unsigned        often;
    sim_payouts_t  *payouts = sim->payouts;

    if (payouts == NULL || step == SIM_STEPS || sim->healed
        || !sim->workers[worker].up)
    {
        return;
    }

    if (step == payouts->dies_at) {
        dies = payouts->dies_in == 0;
        payouts->dies_in--;
    }

    often = step == SIM_STEP_ASKS || step == SIM_STEP_REQUEST ? 4 : 1;

    if (dies || sim_fault(sim, payouts->dies / often)) {
        sim->figures.payout_crashes[step]++;
        sim_worker_kill(sim, &sim->workers[worker]);
    }
}


sim_step_t
sim_payout_before(const sim_call_t *call)
{
    size_t  i;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i].op == call->op) {
            return steps[i].before;
        }
    }

    return SIM_STEPS;
}


/* A look that has found nothing is no step. */
sim_step_t
sim_payout_behind(const sim_call_t *call)
{
    size_t         i;
    pay_outcome_t  outcome = call->result.outcome;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i].op == call->op) {
            return outcome == PAY_OUTCOME_NONE || outcome == PAY_OUTCOME_NO_JOB
                   || outcome == PAY_OUTCOME_NOT_DUE ? SIM_STEPS
                                                     : steps[i].behind;
        }
    }

    return SIM_STEPS;
}


static int
is_long(const sim_t *sim)
{
    return sim->heal_at - sim->now > 90 * SIM_MIN;
}


/* Both providers have it. */
static void
plan_adapter(sim_t *sim)
{
    unsigned        i, hours;
    sim_payouts_t  *payouts = sim->payouts;

    static const unsigned  windows[] = { 24, 1, 1, 0 };

    hours = windows[sim_below(sim, sizeof(windows) / sizeof(windows[0]))];

    /* so that it is over before the faults are */
    if (is_long(sim) && sim_chance(sim, 700)) {
        hours = 1;
    }

    payouts->adapter = pay_payout_generic;
    payouts->adapter.steps[0].window_hours = hours;

    /* without a key a request may be on its way while it is looked for */
    if (hours == 0) {
        payouts->adapter.looks = 2;
        payouts->adapter.look_gap_s = 300;
    }

    for (i = 0; i < SIM_PAYERS; i++) {
        payouts->psps[i].index = SIM_PSPS + i;
        payouts->psps[i].window = hours * SIM_HOUR;
    }

    if (pay_keyring_read(PAY_STR("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
                                 "Hh8=\n"), &payouts->ring, NULL)
        != PAY_OK)
    {
        sim_die("no keyring");
    }

    sim->env.payouts = payouts->providers;
    sim->env.payout_count = SIM_PAYERS;
    sim->env.keyring = &payouts->ring;
}


static void
plan_provider(sim_t *sim, unsigned i)
{
    sim_psp_t              *psp = &sim->payouts->psps[i];
    sim_payouts_t          *payouts = sim->payouts;
    pay_psp_conf_t         *client = &payouts->clients[i];
    pay_payout_provider_t  *provider = &payouts->providers[i];

    if (sim_chance(sim, 300)) {
        psp->down_from = sim->now + sim_between(sim, 0, 20 * SIM_MIN);
        psp->down_until = psp->down_from + sim_between(sim, 0, SIM_HOUR);

    } else {
        psp->goes_mute = sim_chance(sim, is_long(sim) ? 800 : 200);
    }

    *client = sim->psps[0];
    client->name = sim_format(sim, "payout/%s", sim_payers[i]);
    client->adapter = NULL;

    provider->index = i;
    provider->name = pay_str_of(sim_payers[i]);
    provider->merchant_id = sim->merchant.id;
    provider->adapter = &payouts->adapter;
    provider->account.call.base_url = PAY_STR("https://pay.example");
    provider->account.call.api_key = PAY_STR("key");
    provider->client = client;
    provider->lease_ms = 60000;
}


static void
plan_accounts(sim_t *sim)
{
    unsigned     i;
    const char  *merchant = sim_text(sim, sim->merchant.id);

    for (i = 0; i < SIM_PAYERS; i++) {
        (void) sim_db_ask(sim->db, "SELECT pay_ops.set_payout_provider($1, "
            "$2, 'generic', '{iban}', NULL, NULL, 'sue', 'test')", 2,
            merchant, sim_payers[i]);
    }

    (void) sim_db_ask(sim->db, "SELECT pay_ops.set_payout_limit($1, '***', "
        "700, 2000, w.who, 'test') FROM (VALUES ('sue'), ('max')) w (who)", 1,
        merchant);

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
        sim_account_enter(sim, sim_currencies[i].code,
                          sim_payers[sim_below(sim, SIM_PAYERS)]);
    }
}


/* An account to which payments came back twice stays blocked. */
void
sim_account_enter(sim_t *sim, const char *currency, const char *payer)
{
    const char  *said;

    (void) sim_db_ask(sim->db, "SELECT s.outcome FROM "
        "pay_ops.store_destination($1, '" SIM_SELLER "', $2, $4, 'iban', 'DE', "
        "'" IBAN "', $3::text::bytea, 'k1', 'sue', 'test') s", 4,
        sim_text(sim, sim->merchant.id), currency, sealed(sim, currency),
        payer);
    said = sim_db_cell(sim->db, 0, 0);

    if (strcmp(said, "stored") != 0 && strcmp(said, "blocked") != 0) {
        sim_die("an account is not stored: %s", said);
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

    place = sim_format(sim, "payments payout account 1\n%.*s\n" SIM_SELLER
                       "\n%s", pay_fmt(sim->merchant.id), currency);

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


/* As ngx_payments_payouts.c: each look asks for one call.  Real workers look
 * all the time; here one looks when there is something, at times another one,
 * too. */
static void
worker_looks(sim_t *sim, void *unused)
{
    int             is_last = sim->now > sim->heal_at + SIM_HOUR;
    int64_t         due, pause;
    unsigned        payer;
    sim_payouts_t  *payouts = sim->payouts;

    (void) unused;

    due = next_due(sim, &payer);

    /* whatever comes back is known by then: NEVER is later, too */
    if (is_last && (due > sim->heal_at + LAST
                    || ++payouts->steps > STEPS_MAX))
    {
        return;
    }

    pause = sim_between(sim, SIM_S, SIM_PAYOUT_STEP);

    if (due > sim->now && (is_last || sim_chance(sim, 950))) {
        sim_after(sim, is_last && due - sim->now > pause ? due - sim->now
                       : 2 * pause, worker_looks, NULL);
        return;
    }

    look(sim, payer);

    if (sim_chance(sim, 150)) {
        look(sim, (unsigned) sim_below(sim, SIM_PAYERS));
    }

    sim_after(sim, pause, worker_looks, NULL);
}


static void
look(sim_t *sim, unsigned payer)
{
    unsigned        worker;
    sim_flow_t     *flow;
    sim_payouts_t  *payouts = sim->payouts;

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    flow = sim_flow_new(sim, worker, NULL, NULL);

    if (pay_flow_payout(&flow->core, &payouts->providers[payer],
                        sim->workers[worker].owner)
        != PAY_OK)
    {
        sim_die("no flow of a pay-out");
    }

    sim_flow_start(flow);
}


/* When a call may be due, by the simulator's clock, and to whom; NEVER: nothing
 * is under way. */
static int64_t
next_due(sim_t *sim, unsigned *payer)
{
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT (extract(epoch FROM x.due) * "
        "1000000)::bigint, p.provider = $3 FROM pay.payout p LEFT JOIN "
        "pay.payout_sending s USING (merchant_id, payout_id), LATERAL "
        "(SELECT CASE WHEN p.state = 'approved' THEN coalesce(s.run_at, "
        "'epoch') ELSE greatest(s.run_at, s.lease_until) END) x (due) WHERE "
        "p.merchant_id = $1 AND (p.state IN ('approved', 'sending', "
        "'unknown', 'sent') OR p.state = 'paid' AND concat(p.payout_key, "
        "'-', p.attempt) = ANY ($2::text[])) AND x.due IS NOT NULL "
        "ORDER BY x.due, p.payout_id "
        "LIMIT 1", 3, sim_text(sim, sim->merchant.id), coming_back(sim),
        sim_payers[1]);

    if (found.rows == 0) {
        *payer = (unsigned) sim_below(sim, SIM_PAYERS);
        return NEVER;
    }

    *payer = *sim_db_cell(sim->db, 0, 1) == 't';

    return strtoll(sim_db_cell(sim->db, 0, 0), NULL, 10) - sim->db_off;
}


/* The keys of the payments that come back some time, or have: a provider that
 * sends no message of it is asked once a day. */
static const char *
coming_back(sim_t *sim)
{
    pay_str_t          keys = PAY_STR("");
    const sim_paid_t  *paid;

    for (paid = sim->payouts->paid; paid != NULL; paid = paid->next) {
        if (paid->comes_back) {
            keys = sim_format(sim, "%.*s%s%.*s", pay_fmt(keys),
                              keys.len != 0 ? "," : "", pay_fmt(paid->key));
        }
    }

    return (const char *) sim_format(sim, "{%.*s}", pay_fmt(keys)).data;
}

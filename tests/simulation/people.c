/*
 * Those who pay sellers out: a treasurer who says what is delivered, makes
 * items, holds, gives up and stops.  They use payctl, or in half of the
 * scenarios the API.  At times a schedule makes items, too.
 */

#include "payout.h"


#define ROUNDS    6
#define EACH_MAX  32           /* of those that an act is about */
#define PIECE     1            /* wallets of a schedule's piece */


static void treasurer(sim_t *sim, void *unused);
static void release_orders(sim_t *sim);
static void disturb(sim_t *sim);
static void for_each(sim_t *sim, const char *ids, const char *sql);
static void disturb_provider(sim_t *sim);
static void provider_starts(sim_t *sim, void *data);
static void decide(sim_t *sim);
static void schedule_looks(sim_t *sim, void *unused);
static void schedule_done(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);


const char *const  sim_people[SIM_PEOPLE] = { "max", "ann", "bob", "eve" };


void
sim_people_plan(sim_t *sim)
{
    unsigned     i;
    const char  *cut_off;

    sim->payouts->by_api = sim_chance(sim, 500);
    sim->payouts->by_schedule = sim_chance(sim, 300);

    for (i = 0; i < ROUNDS; i++) {
        sim_after(sim, sim_between(sim, SIM_MIN, sim->heal_at - sim->now),
                  treasurer, NULL);
    }

    /* what was sold to the last is paid out, too */
    sim_at(sim, sim->heal_at + 10 * SIM_MIN, treasurer, NULL);
    sim_at(sim, sim->heal_at + 40 * SIM_MIN, treasurer, NULL);

    if (sim->payouts->by_schedule) {
        cut_off = (const char *) sim_format(sim, "00:%d",
            (int) sim_between(sim, 10, 40)).data;
        (void) sim_db_ask(sim->db, "SELECT pay_ops.set_payout_schedule($1, "
            "NULL, 'day', NULL, $2, 'UTC', NULL, 10, 'sue', 'test')", 2,
            sim_text(sim, sim->merchant.id), cut_off);
        sim_after(sim, SIM_MIN, schedule_looks, NULL);
    }
}


static void
treasurer(sim_t *sim, void *unused)
{
    unsigned  i;

    (void) unused;

    release_orders(sim);
    disturb(sim);
    disturb_provider(sim);
    decide(sim);
    sim_batches_find(sim);

    if (!sim->payouts->by_api) {
        sim_say(sim, "people: make pay-outs: %s",
                sim_act(sim, "SELECT coalesce(string_agg(concat_ws(' ', "
                    "m.currency, m.outcome, m.amount_minor), ', ' ORDER BY "
                    "m.currency), '') FROM pay_ops.make_payouts($1, '"
                    SIM_SELLER "', NULL, 'max') m", NULL, NULL, NULL));
        sim_batches_make(sim, NULL);
        return;
    }

    for (i = 0; i < SIM_CURRENCIES; i++) {
        sim_request(sim, PAY_PAYOUT_ACT_MAKE, sim_people[0], sim_format(sim,
            "{\"seller_account\":\"" SIM_SELLER "\",\"currency\":\"%s\"}",
            sim_currencies[i].code), NULL);
    }

    sim_after(sim, sim_between(sim, SIM_S, 3 * SIM_MIN), sim_batches_make,
              NULL);
}


/* As payctl does it; $1 is the merchant. */
const char *
sim_act(sim_t *sim, const char *sql, const char *first, const char *second,
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

    said = sim_text(sim, pay_str_of(said));
    sim_judge_now(sim);

    return said;
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
    if (sim_fault(sim, 200)) {
        for_each(sim, "SELECT payout_id FROM pay.payout WHERE merchant_id = "
                 "$1 ORDER BY payout_id LIMIT 1",
                 "SELECT pay_ops.cancel_payout($1, $2, 'max', 'wrong')");
    }

    if (sim_chance(sim, 150)) {
        for_each(sim, "SELECT payout_id FROM (SELECT payout_id, state FROM "
                 "pay.payout WHERE merchant_id = $1 ORDER BY payout_id DESC "
                 "LIMIT 1) p WHERE state = 'held'",
                 "SELECT pay_ops.hold_payout($1, $2, false, 'max', 'ok')");

    } else if (sim_chance(sim, 150)) {
        for_each(sim, "SELECT payout_id FROM pay.payout WHERE merchant_id = "
                 "$1 ORDER BY payout_id DESC LIMIT 1",
                 "SELECT pay_ops.hold_payout($1, $2, true, 'max', 'a look')");
    }

    if (sim->healed || sim_chance(sim, 500)) {
        for_each(sim, "SELECT destination_id FROM pay.payout_account WHERE "
                 "merchant_id = $1 AND state = 'suspect' ORDER BY currency",
                 "SELECT pay_ops.settle_destination($1, $2, 'open', 'max', "
                 "'asked')");
    }

    if (sim_fault(sim, 80)) {
        sim_account_enter(sim, sim_currencies[sim_below(sim,
                                                        SIM_CURRENCIES)].code,
                          sim_payers[sim_below(sim, SIM_PAYERS)]);
    }
}


/* sql: an act about $2, which is each of the ids. */
static void
for_each(sim_t *sim, const char *ids, const char *sql)
{
    int          i, count = 0;
    sim_rows_t   found;
    const char  *id[EACH_MAX];

    found = sim_db_ask(sim->db, ids, 1, sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows && i < EACH_MAX; i++) {
        id[count++] = sim_text(sim, pay_str_of(sim_db_cell(sim->db, i, 0)));
    }

    for (i = 0; i < count; i++) {
        sim_say(sim, "people: %s: %s", id[i], sim_act(sim, sql, id[i],
                                                      NULL, NULL));
    }
}


/* The stop switch, and batches that are taken back. */
static void
disturb_provider(sim_t *sim)
{
    const char  *payer = sim_payers[sim_below(sim, SIM_PAYERS)];

    if (sim_fault(sim, 60)) {
        sim_say(sim, "people: %s is %s", payer,
                sim_act(sim, "SELECT pay_ops.stop_payout_provider($1, $2, "
                    "true, 'max', 'a look')", payer, NULL, NULL));
        sim_after(sim, sim_between(sim, SIM_S, 20 * SIM_MIN),
                  provider_starts, (void *) payer);
    }

    if (sim_fault(sim, 60)) {
        for_each(sim, "SELECT batch_id FROM pay.payout_batch WHERE "
                 "merchant_id = $1 AND state IN ('open', 'approved') ORDER "
                 "BY batch_id", "SELECT pay_ops.withdraw_payout_batch($1, "
                 "$2, 'max', 'wrong')");
    }
}


static void
provider_starts(sim_t *sim, void *data)
{
    sim_say(sim, "people: %s is %s", (const char *) data,
            sim_act(sim, "SELECT pay_ops.stop_payout_provider($1, $2, false, "
                "'max', 'it is right')", data, NULL, NULL));
}


/* Two of them end an item whose outcome is not known: they have called the
 * provider, who says what it has, and pays nothing later that it has not paid
 * yet. */
static void
decide(sim_t *sim)
{
    int                i;
    const char        *key, *said, *id;
    sim_rows_t         found;
    const sim_paid_t  *paid;

    if (!sim_fault(sim, 300)) {
        return;
    }

    found = sim_db_ask(sim->db, "SELECT payout_id, concat(payout_key, '-', "
        "attempt), provider = $2 FROM pay.payout WHERE merchant_id = $1 AND "
        "state = 'unknown' ORDER BY 2 LIMIT 1", 2,
        sim_text(sim, sim->merchant.id), sim_payers[1]);

    if (found.rows == 0) {
        return;
    }

    id = sim_text(sim, pay_str_of(sim_db_cell(sim->db, 0, 0)));
    key = sim_text(sim, pay_str_of(sim_db_cell(sim->db, 0, 1)));
    paid = sim_payer_end(sim, *sim_db_cell(sim->db, 0, 2) == 't',
                         pay_str_of(key));

    if (paid != NULL && (!paid->has_left || paid->is_back)) {
        return;
    }

    for (i = 1; i <= 2; i++) {
        said = paid != NULL
               ? sim_act(sim, "SELECT pay_ops.decide_payout($1, $2, 'paid', "
                     "$3, $4, 'by telephone')", id, sim_text(sim, paid->id),
                     sim_people[i])
               : sim_act(sim, "SELECT pay_ops.decide_payout($1, $2, 'failed', "
                     "NULL, $3, 'by telephone')", id, sim_people[i], NULL);
        sim_say(sim, "people: %s decides about %s: %s", sim_people[i], key,
                said);
    }
}


/* As ngx_payments_schedule.c.  Later scenarios of this database are on later
 * days, and have no share in the schedule. */
static void
schedule_looks(sim_t *sim, void *unused)
{
    unsigned                    worker;
    sim_call_t                 *call = sim_alloc(sim, sizeof(sim_call_t));
    pay_make_due_payouts_in_t  *args = sim_alloc(sim, sizeof(*args));

    (void) unused;

    if (sim->now > sim->heal_at + 20 * SIM_MIN) {
        (void) sim_db_ask(sim->db, "SELECT pay_ops.drop_payout_schedule($1, "
            "NULL, 'sue', 'test')", 1, sim_text(sim, sim->merchant.id));
        return;
    }

    sim_after(sim, sim_between(sim, SIM_S, 2 * SIM_MIN), schedule_looks,
              NULL);

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    args->owner = sim->workers[worker].owner;
    args->wallets = PIECE;
    call->worker = worker;
    call->op = PAY_OP_MAKE_DUE_PAYOUTS;
    call->args = args;
    call->done = schedule_done;
    sim_call(sim, call);
}


static void
schedule_done(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    (void) failure;

    if (result != NULL && result->outcome == PAY_OUTCOME_AGAIN) {
        sim_say(call->sim, "w%u a piece of a schedule is made", call->worker);
    }
}

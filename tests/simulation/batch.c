/*
 * Batches of pay-outs, and those who approve them: one after another, as long
 * as another one is needed.
 */

#include "payout.h"


#define OLD_ENOUGH  (6 * SIM_MIN)


static void approver(sim_t *sim, void *data);


void
sim_batches_make(sim_t *sim, void *unused)
{
    unsigned     i;
    const char  *currency, *payer;
    const char  *merchant = sim_text(sim, sim->merchant.id);

    (void) unused;

    for (i = 0; i < SIM_CURRENCIES * SIM_PAYERS; i++) {
        currency = sim_currencies[i / SIM_PAYERS].code;
        payer = sim_payers[i % SIM_PAYERS];

        if (sim->payouts->by_api) {
            sim_request(sim, PAY_PAYOUT_ACT_MAKE_BATCH, sim_people[0],
                sim_format(sim, "{\"provider\":\"%s\",\"currency\":\"%s\","
                "\"limit\":10}", payer, currency), NULL);
            continue;
        }

        (void) sim_db_ask(sim->db, "SELECT outcome, batch_id, hash FROM "
            "pay_ops.make_payout_batch($1, $3, $2, 10, 'max')", 3, merchant,
            currency, payer);

        if (strcmp(sim_db_cell(sim->db, 0, 0), "made") == 0) {
            sim_batch_found(sim, sim_db_cell(sim->db, 0, 1),
                            sim_db_cell(sim->db, 0, 2));
        }
    }
}


/* Those of schedules, and those whose approvers have not come. */
void
sim_batches_find(sim_t *sim)
{
    int          i;
    sim_rows_t   found;
    const char  *since = (const char *) sim_format(sim, "%" PRId64,
        (sim->now + sim->db_off - OLD_ENOUGH) / SIM_S).data;

    found = sim_db_ask(sim->db, "SELECT batch_id, encode(hash, 'hex') FROM "
        "pay.payout_batch WHERE merchant_id = $1 AND state = 'open' AND "
        "(made_by <> 'max' OR made_at < to_timestamp($2::float8)) ORDER BY "
        "made_at, batch_id", 2, sim_text(sim, sim->merchant.id), since);

    for (i = 0; i < found.rows; i++) {
        sim_batch_found(sim, sim_db_cell(sim->db, i, 0),
                        sim_db_cell(sim->db, i, 1));
    }
}


/* At times the one who has made it tries first. */
void
sim_batch_found(sim_t *sim, const char *id, const char *hash)
{
    sim_batch_t  *batch = sim_alloc(sim, sizeof(sim_batch_t));

    batch->id = sim_text(sim, pay_str_of(id));
    batch->hash = sim_text(sim, pay_str_of(hash));
    batch->who = !sim_chance(sim, 100);
    sim_after(sim, sim_between(sim, SIM_S, 5 * SIM_MIN), approver, batch);

    if (sim_chance(sim, 200)) {
        sim_after(sim, sim_between(sim, SIM_S, 5 * SIM_MIN), approver, batch);
    }
}


static void
approver(sim_t *sim, void *data)
{
    sim_batch_t  *batch = data;
    const char   *said, *who = sim_people[batch->who];

    if (sim->payouts->by_api) {
        sim_request(sim, PAY_PAYOUT_ACT_APPROVE, who,
                    sim_format(sim, "{\"hash\":\"%s\"}", batch->hash), batch);
        return;
    }

    said = sim_act(sim, "SELECT pay_ops.approve_payout_batch($1, $2, $3, $4)",
                   batch->id, batch->hash, who);
    sim_batch_said(sim, batch, said);
}


void
sim_batch_said(sim_t *sim, sim_batch_t *batch, const char *said)
{
    sim_say(sim, "people: %s approves a batch: %s", sim_people[batch->who],
            said);

    (void) sim_db_ask(sim->db, "SELECT made_by = $3 FROM pay.payout_batch "
        "WHERE merchant_id = $1 AND batch_id = $2", 3,
        sim_text(sim, sim->merchant.id), batch->id, sim_people[batch->who]);

    if (*sim_db_cell(sim->db, 0, 0) == 't'
        && (strcmp(said, "approved") == 0 || strcmp(said, "second") == 0))
    {
        sim_violation(sim, "P6: the maker of a batch has approved it");
    }

    if ((strcmp(said, "maker") == 0 || strcmp(said, "second") == 0)
        && batch->who + 1 < SIM_PEOPLE)
    {
        batch->who++;
        sim_after(sim, SIM_MIN, approver, batch);
    }
}
